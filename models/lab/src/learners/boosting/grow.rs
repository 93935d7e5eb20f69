//! Grows one tree: splits the leaf that gains most, until there are enough leaves.

use rayon::prelude::*;

use super::bins::{BinnedColumn, Bins, MAX_BINS};
use super::{BoostSettings, Node, narrow, probability};

/// Least curvature in a leaf (scikit-learn's `min_hessian_to_split`).
const MIN_CURVATURE: f64 = 1e-3;

/// First and second derivative of the loss by the log odds, row by row.
pub(super) struct Gradients(Vec<[f32; 2]>);

impl Gradients {
    pub(super) fn of(log_odds: &[f64], labels: &[bool]) -> Self {
        let rows = log_odds.iter().zip(labels);
        let derivatives = rows.map(|(log_odds, label)| {
            let p = probability(*log_odds);
            let label = f64::from(u8::from(*label));
            [narrow(p - label), narrow(p * (1.0 - p))]
        });
        Self(derivatives.collect())
    }
}

/// Sums over some rows.
#[derive(Clone, Copy, Default)]
struct Sums {
    gradient: f64,
    curvature: f64,
    n_rows: u32,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.gradient += other.gradient;
        self.curvature += other.curvature;
        self.n_rows += other.n_rows;
    }

    fn without(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            curvature: self.curvature - other.curvature,
            n_rows: self.n_rows - other.n_rows,
        }
    }

    /// The step that lowers the loss of these rows most.
    fn value(self, l2: f64) -> f64 {
        -self.gradient / (self.curvature + l2 + 1e-15)
    }

    fn is_large_enough(self, settings: &BoostSettings) -> bool {
        self.n_rows >= settings.min_rows_in_leaf && self.curvature >= MIN_CURVATURE
    }
}

/// A column's sums by bin.
type Histogram = Vec<Sums>;

/// The best split of a leaf.
#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    column: usize,
    /// Last bin of the first child.
    bin: usize,
    below: Sums,
}

/// A leaf while the tree grows.
struct Leaf {
    node: usize,
    rows: Vec<u32>,
    sums: Sums,
    value: f64,
    /// By column; empty if the leaf is too small to be split.
    histograms: Vec<Histogram>,
    split: Option<Split>,
}

/// A tree, and the rows and value of each of its leaves.
pub(super) struct Grown {
    pub(super) nodes: Vec<Node>,
    pub(super) leaves: Vec<(Vec<u32>, f64)>,
}

/// Grows a tree that lowers the loss.
pub(super) fn grow(bins: &Bins, gradients: &Gradients, settings: &BoostSettings) -> Grown {
    let rows: Vec<u32> = (0..).take(bins.n_rows).collect();
    let mut sums = Sums::default();
    for [gradient, curvature] in &gradients.0 {
        sums.add(Sums {
            gradient: f64::from(*gradient),
            curvature: f64::from(*curvature),
            n_rows: 1,
        });
    }
    let histograms = histograms(bins, gradients, &rows);
    let mut root = Leaf {
        node: 0,
        rows,
        sums,
        value: 0.0,
        histograms,
        split: None,
    };
    root.split = best_split(&root, settings);
    let mut nodes = vec![Node::Leaf(0.0)];
    let mut leaves = vec![root];
    while leaves.len() < settings.max_leaves {
        let best = (0..leaves.len())
            .filter_map(|i| leaves[i].split.map(|split| (i, split)))
            .reduce(|best, next| {
                if next.1.gain > best.1.gain {
                    next
                } else {
                    best
                }
            });
        let Some((i, split)) = best else {
            break;
        };
        let parent = leaves.swap_remove(i);
        let node = parent.node;
        let children = [nodes.len(), nodes.len() + 1];
        let column = &bins.columns[split.column];
        nodes[node] = Node::Split {
            column: split.column,
            threshold: column.thresholds[split.bin],
            children,
        };
        nodes.extend([Node::Leaf(0.0); 2]);
        leaves.extend(divide(parent, split, children, bins, gradients, settings));
    }
    let mut grown = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        let value = leaf.value * settings.learning_rate;
        nodes[leaf.node] = Node::Leaf(value);
        grown.push((leaf.rows, value));
    }
    Grown {
        nodes,
        leaves: grown,
    }
}

/// The two leaves that a leaf becomes.
fn divide(
    parent: Leaf,
    split: Split,
    nodes: [usize; 2],
    bins: &Bins,
    gradients: &Gradients,
    settings: &BoostSettings,
) -> [Leaf; 2] {
    let column: &BinnedColumn = &bins.columns[split.column];
    let is_below = |row: &u32| usize::from(column.bins[*row as usize]) <= split.bin;
    let (below, above): (Vec<u32>, Vec<u32>) = parent.rows.into_iter().partition(is_below);
    let leaf = |node, rows, sums: Sums| Leaf {
        node,
        rows,
        sums,
        value: sums.value(settings.l2),
        histograms: Vec::new(),
        split: None,
    };
    let mut leaves = [
        leaf(nodes[0], below, split.below),
        leaf(nodes[1], above, parent.sums.without(split.below)),
    ];
    let is_splittable = |leaf: &Leaf| leaf.rows.len() >= 2 * settings.min_rows_in_leaf as usize;
    if leaves.iter().any(is_splittable) {
        // The larger child's sums are what the smaller leaves of the parent's.
        let small = usize::from(leaves[0].rows.len() >= leaves[1].rows.len());
        leaves[small].histograms = histograms(bins, gradients, &leaves[small].rows);
        let mut rest = parent.histograms;
        for (rest, small) in rest.iter_mut().zip(&leaves[small].histograms) {
            for (rest, small) in rest.iter_mut().zip(small) {
                *rest = rest.without(*small);
            }
        }
        leaves[1 - small].histograms = rest;
        for leaf in &mut leaves {
            if is_splittable(leaf) {
                leaf.split = best_split(leaf, settings);
            }
        }
    }
    leaves
}

/// Sums by column and bin.
fn histograms(bins: &Bins, gradients: &Gradients, rows: &[u32]) -> Vec<Histogram> {
    let of_rows: Vec<[f32; 2]> = rows.iter().map(|row| gradients.0[*row as usize]).collect();
    bins.columns
        .par_iter()
        .with_min_len(16)
        .map(|column| {
            let mut histogram = vec![Sums::default(); column.thresholds.len() + 1];
            for (row, [gradient, curvature]) in rows.iter().zip(&of_rows) {
                let sums = &mut histogram[usize::from(column.bins[*row as usize])];
                sums.gradient += f64::from(*gradient);
                sums.curvature += f64::from(*curvature);
                sums.n_rows += 1;
            }
            debug_assert!(histogram.len() <= MAX_BINS);
            histogram
        })
        .collect()
}

/// The split that lowers the loss most; `None` if none does.
fn best_split(leaf: &Leaf, settings: &BoostSettings) -> Option<Split> {
    let mut best: Option<Split> = None;
    let before = leaf.sums.gradient * leaf.value;
    for (column, histogram) in leaf.histograms.iter().enumerate() {
        let mut below = Sums::default();
        for (bin, sums) in histogram.iter().enumerate().take(histogram.len() - 1) {
            below.add(*sums);
            let above = leaf.sums.without(below);
            if !below.is_large_enough(settings) {
                continue;
            }
            if !above.is_large_enough(settings) {
                break;
            }
            let loss = |side: Sums| side.gradient * side.value(settings.l2);
            let gain = before - loss(below) - loss(above);
            if gain > best.map_or(0.0, |best| best.gain) {
                best = Some(Split {
                    gain,
                    column,
                    bin,
                    below,
                });
            }
        }
    }
    best
}
