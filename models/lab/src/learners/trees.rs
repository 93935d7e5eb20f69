//! Extremely randomised trees (Geurts, Ernst and Wehenkel, 2006): many trees whose splits are drawn at random and of which the
//! best of a few is taken. Follows scikit-learn's `ExtraTreesClassifier` with Gini impurity.

mod columns;
mod grow;

use rayon::prelude::*;

use super::Table;
use grow::{Examples, grow};

/// How trees are grown.
#[derive(Clone, Copy, Debug)]
pub struct TreeSettings {
    /// How many.
    pub n_trees: usize,
    /// Fewest rows in a leaf.
    pub min_rows_in_leaf: usize,
    /// Columns drawn for a split; `None` is the square root of their number.
    pub n_drawn: Option<usize>,
    /// Whatever has the same seed grows alike.
    pub seed: u64,
}

impl Default for TreeSettings {
    fn default() -> Self {
        Self {
            n_trees: 100,
            min_rows_in_leaf: 1,
            n_drawn: None,
            seed: 0,
        }
    }
}

/// Grown trees.
#[derive(Clone, Debug)]
pub struct ExtraTrees {
    trees: Vec<Tree>,
    n_classes: usize,
}

/// The root is the first node.
#[derive(Clone, Debug, Default)]
struct Tree {
    nodes: Vec<Node>,
    /// Probabilities of the classes, leaf after leaf.
    leaves: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
enum Node {
    /// A row whose value is at most the threshold goes to `children`, another to the node after it.
    Split {
        column: usize,
        threshold: f32,
        children: usize,
    },
    /// Where the leaf's probabilities begin.
    Leaf(usize),
}

impl ExtraTrees {
    /// Grows trees on examples whose classes are `labels`, in `0 .. n_classes`.
    pub fn fit(table: &Table, labels: &[u32], n_classes: usize, settings: &TreeSettings) -> Self {
        let examples = Examples::new(table, labels, n_classes);
        let seeds = 0..settings.n_trees as u64;
        let trees = seeds
            .into_par_iter()
            .map(|tree| grow(&examples, settings, tree))
            .collect();
        Self { trees, n_classes }
    }

    /// Probabilities of the classes, `n_rows × n_classes`: the mean over the trees.
    pub fn probabilities(&self, table: &Table) -> Vec<f32> {
        let rows: Vec<&[f32]> = table.rows().collect();
        let n_trees = self.trees.len() as f32;
        rows.into_par_iter()
            .flat_map_iter(|row| {
                let mut sums = vec![0.0; self.n_classes];
                for tree in &self.trees {
                    for (sum, p) in sums.iter_mut().zip(tree.leaf(row)) {
                        *sum += p;
                    }
                }
                sums.into_iter().map(move |sum| sum / n_trees)
            })
            .collect()
    }
}

impl Tree {
    /// The probabilities of the leaf that a row falls into, and those of the leaves after it.
    fn leaf(&self, row: &[f32]) -> &[f32] {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Split {
                    column,
                    threshold,
                    children,
                } => at = children + usize::from(row[column] > threshold),
                Node::Leaf(first) => return &self.leaves[first..],
            }
        }
    }
}

#[cfg(test)]
mod tests;
