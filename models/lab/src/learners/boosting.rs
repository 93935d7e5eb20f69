//! Gradient boosting on histograms for two classes. Follows scikit-learn's `HistGradientBoostingClassifier`: columns are cut
//! into at most 255 bins, trees grow leaf by leaf, each fits the gradient of the logistic loss.
//!
//! It never stops early, which scikit-learn does by default for more than 10,000 rows.

mod bins;
mod grow;

use bins::{Bins, goes_below};
use grow::{Gradients, grow};

use super::Table;

/// How a boosted classifier is fitted.
#[derive(Clone, Copy, Debug)]
pub struct BoostSettings {
    /// Trees, one after another.
    pub n_rounds: usize,
    /// Share of each tree that is added.
    pub learning_rate: f64,
    /// Penalty on large leaves.
    pub l2: f64,
    /// Leaves of a tree, at most.
    pub max_leaves: usize,
    /// Fewest rows in a leaf.
    pub min_rows_in_leaf: u32,
}

impl Default for BoostSettings {
    /// scikit-learn's.
    fn default() -> Self {
        Self {
            n_rounds: 100,
            learning_rate: 0.1,
            l2: 0.0,
            max_leaves: 31,
            min_rows_in_leaf: 20,
        }
    }
}

/// A fitted classifier.
#[derive(Clone, Debug)]
pub struct Boosting {
    /// Log odds before the first tree.
    base: f64,
    /// Each with its root first.
    trees: Vec<Vec<Node>>,
}

/// A node of a tree.
#[derive(Clone, Copy, Debug)]
enum Node {
    /// A row whose value is at most the threshold goes to the first child, another to the second.
    Split {
        column: usize,
        threshold: f64,
        children: [usize; 2],
    },
    /// What is added to the log odds.
    Leaf(f64),
}

impl Boosting {
    /// Fits a classifier that says how probable `true` is.
    pub fn fit(table: &Table, labels: &[bool], settings: &BoostSettings) -> Self {
        let bins = Bins::of(table);
        let n_true = labels.iter().filter(|label| **label).count() as f64;
        let share = (n_true / labels.len() as f64).clamp(1e-15, 1.0 - 1e-15);
        let base = (share / (1.0 - share)).ln();
        let mut log_odds = vec![base; labels.len()];
        let mut trees = Vec::with_capacity(settings.n_rounds);
        for _ in 0..settings.n_rounds {
            let gradients = Gradients::of(&log_odds, labels);
            let grown = grow(&bins, &gradients, settings);
            for (rows, value) in grown.leaves {
                for row in rows {
                    log_odds[row as usize] += value;
                }
            }
            trees.push(grown.nodes);
        }
        Self { base, trees }
    }

    /// How probable `true` is for each row.
    pub fn probabilities(&self, table: &Table) -> Vec<f32> {
        let rows = table.rows();
        rows.map(|row| {
            let answers = self.trees.iter().map(|tree| answer(tree, row));
            narrow(probability(self.base + answers.sum::<f64>()))
        })
        .collect()
    }
}

fn answer(tree: &[Node], row: &[f32]) -> f64 {
    let mut at = 0;
    loop {
        match tree[at] {
            Node::Split {
                column,
                threshold,
                children,
            } => at = children[usize::from(!goes_below(row[column], threshold))],
            Node::Leaf(value) => return value,
        }
    }
}

/// The logistic function.
fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Probabilities and gradients need no more than `f32`, as in scikit-learn.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
fn narrow(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests;
