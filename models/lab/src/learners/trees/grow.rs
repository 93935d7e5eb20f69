//! Grows one tree: draws splits, takes the best, and goes on with both sides.

use std::ops::Range;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rayon::prelude::*;

use super::columns::Column;
use super::{Node, Table, Tree, TreeSettings};

/// What is learnt from.
pub(super) struct Examples<'a> {
    columns: Vec<Column>,
    n_rows: usize,
    labels: &'a [u32],
    n_classes: usize,
}

impl<'a> Examples<'a> {
    pub(super) fn new(table: &Table, labels: &'a [u32], n_classes: usize) -> Self {
        let columns = table.by_column();
        let columns: Vec<&[f32]> = columns.chunks_exact(table.n_rows.max(1)).collect();
        Self {
            columns: columns.into_par_iter().map(Column::of).collect(),
            n_rows: table.n_rows,
            labels,
            n_classes,
        }
    }
}

/// Grows the tree with this number.
pub(super) fn grow(examples: &Examples<'_>, settings: &TreeSettings, number: u64) -> Tree {
    let mut grower = Grower::new(examples, settings, number);
    let mut tree = Tree::default();
    tree.nodes.push(Node::Leaf(0));
    let mut waiting = vec![Part {
        node: 0,
        range: 0..examples.n_rows,
        is_constant: vec![false; examples.columns.len()],
    }];
    while let Some(mut part) = waiting.pop() {
        let counts = grower.count(&part.range);
        let Some(split) = grower.split(&mut part, &counts) else {
            tree.nodes[part.node] = Node::Leaf(tree.leaves.len());
            let n = part.range.len().max(1) as f32;
            let shares = counts.iter().map(|count| *count as f32 / n);
            tree.leaves.extend(shares);
            continue;
        };
        let middle = grower.divide(&part.range, &split);
        let children = tree.nodes.len();
        tree.nodes[part.node] = Node::Split {
            column: split.column,
            threshold: split.threshold,
            children,
        };
        tree.nodes.extend([Node::Leaf(0); 2]);
        waiting.push(Part {
            node: children + 1,
            range: middle..part.range.end,
            is_constant: part.is_constant.clone(),
        });
        waiting.push(Part {
            node: children,
            range: part.range.start..middle,
            is_constant: part.is_constant,
        });
    }
    tree
}

/// A node that is still to be split, and its rows.
struct Part {
    node: usize,
    /// Where its rows are in [`Grower::rows`].
    range: Range<usize>,
    /// Columns that are known to be the same in all its rows, as they are in any part of them.
    is_constant: Vec<bool>,
}

/// A possible split.
#[derive(Clone, Copy)]
struct Split {
    column: usize,
    threshold: f32,
    purity: f64,
}

/// What a tree needs while it grows.
struct Grower<'a> {
    examples: &'a Examples<'a>,
    min_rows_in_leaf: usize,
    n_drawn: usize,
    random: StdRng,
    /// All columns, shuffled a little more at each node.
    columns: Vec<usize>,
    /// All rows, those of a node side by side.
    rows: Vec<usize>,
    /// Where each row is in `rows`.
    position: Vec<usize>,
    /// Places and classes of the rows of a node that matter for a column; the first few count.
    places: Vec<u16>,
    classes: Vec<u32>,
    /// Rows of each class below a split.
    below: Vec<u32>,
}

impl<'a> Grower<'a> {
    fn new(examples: &'a Examples<'a>, settings: &TreeSettings, number: u64) -> Self {
        let n_columns = examples.columns.len();
        let n_drawn = settings.n_drawn.unwrap_or(n_columns.isqrt());
        let seed = settings.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let rows: Vec<usize> = (0..examples.n_rows).collect();
        Self {
            examples,
            min_rows_in_leaf: settings.min_rows_in_leaf.max(1),
            n_drawn: n_drawn.max(1),
            random: StdRng::seed_from_u64(seed.wrapping_add(number)),
            columns: (0..n_columns).collect(),
            position: rows.clone(),
            rows,
            places: vec![0; examples.n_rows],
            classes: vec![0; examples.n_rows],
            below: vec![0; examples.n_classes],
        }
    }

    /// Rows of each class.
    fn count(&self, range: &Range<usize>) -> Vec<u32> {
        let mut counts = vec![0; self.examples.n_classes];
        for row in &self.rows[range.clone()] {
            counts[self.examples.labels[*row] as usize] += 1;
        }
        counts
    }

    /// The best of the drawn splits; `None` if the rows should stay together.
    fn split(&mut self, part: &mut Part, counts: &[u32]) -> Option<Split> {
        let n_rows = part.range.len();
        let is_pure = counts.iter().filter(|count| **count > 0).count() < 2;
        if is_pure || n_rows < 2 * self.min_rows_in_leaf {
            return None;
        }
        let mut best: Option<Split> = None;
        let mut has_varying = false;
        for n_seen in 0..self.columns.len() {
            // Columns that are the same in all rows count as drawn, but at least one that varies is looked at.
            if n_seen >= self.n_drawn && has_varying {
                break;
            }
            let drawn = self.random.random_range(n_seen..self.columns.len());
            self.columns.swap(n_seen, drawn);
            let column_idx = self.columns[n_seen];
            if part.is_constant[column_idx] {
                continue;
            }
            let column = &self.examples.columns[column_idx];
            let n_read = self.read(column, &part.range);
            let common = (n_read < n_rows).then_some(&column.common);
            let places = || self.places[..n_read].iter().chain(common);
            let Some((low, high)) = places().min().zip(places().max()) else {
                continue;
            };
            let [low, high] = [low, high].map(|place| column.values[usize::from(*place)]);
            // scikit-learn's `FEATURE_THRESHOLD`.
            if high <= low + 1e-7 {
                part.is_constant[column_idx] = true;
                continue;
            }
            has_varying = true;
            let mut threshold = low + self.random.random::<f32>() * (high - low);
            if threshold >= high {
                threshold = low;
            }
            let last = column.last_below(threshold);
            let common_is_below = common.is_some_and(|common| *common <= last);
            self.count_below(n_read, last, common_is_below.then_some(counts));
            let Some(purity) = self.purity(n_rows, counts) else {
                continue;
            };
            if best.is_none_or(|best| purity > best.purity) {
                best = Some(Split {
                    column: column_idx,
                    threshold,
                    purity,
                });
            }
        }
        best
    }

    /// Reads places and classes of a node's rows, and returns how many. Leaves out those with the column's common place if it
    /// is quicker to look for the others among all rows.
    fn read(&mut self, column: &Column, range: &Range<usize>) -> usize {
        let labels = self.examples.labels;
        if column.others.len() < range.len() {
            let mut n_read = 0;
            for (row, place) in &column.others {
                // Written in any case, and kept by counting on: no jump that the processor could guess wrongly.
                self.places[n_read] = *place;
                self.classes[n_read] = labels[*row as usize];
                n_read += usize::from(range.contains(&self.position[*row as usize]));
            }
            return n_read;
        }
        let rows = &self.rows[range.clone()];
        for ((place, class), row) in self.places.iter_mut().zip(&mut self.classes).zip(rows) {
            *place = column.places[*row];
            *class = labels[*row];
        }
        range.len()
    }

    /// Counts the rows of each class below a split: of those that were read, and, where they belong below it, of the others,
    /// given the counts of all.
    fn count_below(&mut self, n_read: usize, last: u16, others_of: Option<&[u32]>) {
        let rows = self.places[..n_read].iter().zip(&self.classes);
        let is_counted = |place: u16| u32::from((place <= last) != others_of.is_some());
        if let [first, second] = &mut self.below[..] {
            // Without memory in the loop, so that it can run on several rows at once.
            let (mut n_both, mut n_second) = (0, 0);
            for (place, label) in rows {
                let is_counted = is_counted(*place);
                n_both += is_counted;
                n_second += is_counted & label;
            }
            (*first, *second) = (n_both - n_second, n_second);
        } else {
            self.below.fill(0);
            for (place, label) in rows {
                self.below[*label as usize] += is_counted(*place);
            }
        }
        // Counted were those above.
        if let Some(counts) = others_of {
            for (below, all) in self.below.iter_mut().zip(counts) {
                *below = all - *below;
            }
        }
    }

    /// How pure both sides of a split are, weighted by their sizes; `None` if one of them is too small for a leaf.
    fn purity(&self, n_rows: usize, counts: &[u32]) -> Option<f64> {
        let n_below = self.below.iter().sum::<u32>() as usize;
        let n_above = n_rows - n_below;
        if n_below.min(n_above) < self.min_rows_in_leaf {
            return None;
        }
        let (mut squares_below, mut squares_above) = (0.0, 0.0);
        for (below, all) in self.below.iter().zip(counts) {
            squares_below += f64::from(*below).powi(2);
            squares_above += f64::from(all - below).powi(2);
        }
        Some(squares_below / n_below as f64 + squares_above / n_above as f64)
    }

    /// Moves the rows below a split to the front and returns where the others begin.
    fn divide(&mut self, range: &Range<usize>, split: &Split) -> usize {
        let column = &self.examples.columns[split.column];
        let last = column.last_below(split.threshold);
        let mut middle = range.start;
        for at in range.clone() {
            if column.places[self.rows[at]] <= last {
                self.rows.swap(at, middle);
                middle += 1;
            }
        }
        for at in range.clone() {
            self.position[self.rows[at]] = at;
        }
        middle
    }
}
