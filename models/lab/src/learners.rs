//! Learners: trees, boosting and logistic regression on tables of numbers, for questions about data, not for playing.
//!
//! Each follows scikit-learn's learner of the same kind, so that figures can be compared with scripts that use it. All are
//! deterministic by their settings, whatever the number of threads.

mod boosting;
#[cfg(test)]
mod examples;
mod folds;
mod logistic;
mod table;
mod trees;

pub use boosting::{BoostSettings, Boosting};
pub use folds::{area_under_curve, group_folds};
pub use logistic::Logistic;
pub use table::Table;
pub use trees::{ExtraTrees, TreeSettings};

/// The most probable class of each row, from rows of `n_classes` probabilities; the first of several that are equal.
pub fn most_probable(probabilities: &[f32], n_classes: usize) -> Vec<usize> {
    let best = |row: &[f32]| {
        let first = (0, f32::NEG_INFINITY);
        let classes = row.iter().copied().enumerate();
        classes
            .fold(
                first,
                |best, next| if next.1 > best.1 { next } else { best },
            )
            .0
    };
    probabilities
        .chunks_exact(n_classes.max(1))
        .map(best)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equally_probable_classes_is_chosen() {
        assert_eq!(most_probable(&[0.2, 0.8, 0.5, 0.5], 2), [1, 0]);
    }
}
