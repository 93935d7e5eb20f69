//! Trees against small cases and against scikit-learn on drawn examples.

use super::super::examples::{accuracy, drawn};
use super::*;

fn settings(n_trees: usize) -> TreeSettings {
    TreeSettings {
        n_trees,
        min_rows_in_leaf: 2,
        ..TreeSettings::default()
    }
}

#[test]
fn trees_learn_that_two_columns_differ() {
    // Neither column alone says anything.
    let corners = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let rows: Vec<[f32; 2]> = (0..40).map(|i| corners[i % 4]).collect();
    let labels: Vec<u32> = rows
        .iter()
        .map(|[a, b]| u32::from((a - b).abs() > 0.5))
        .collect();
    let table = Table::new(2, rows.concat());
    let trees = ExtraTrees::fit(&table, &labels, 2, &settings(20));
    let p = trees.probabilities(&Table::new(2, corners.concat()));
    for (row, is_different) in p.chunks_exact(2).zip([0.0, 1.0, 1.0, 0.0]) {
        assert!((row[1] - is_different).abs() < 1e-6, "{p:?}");
    }
}

#[test]
fn a_leaf_has_the_shares_of_its_rows_and_no_fewer_rows_than_asked() {
    // The only split would leave one row alone.
    let table = Table::new(1, vec![0.0, 0.0, 0.0, 1.0]);
    let trees = ExtraTrees::fit(&table, &[0, 0, 1, 2], 3, &settings(3));
    assert_eq!(trees.probabilities(&table)[..3], [0.5, 0.25, 0.25]);
}

#[test]
fn trees_are_as_right_as_those_of_scikit_learn() {
    // Means of five seeds of `ExtraTreesClassifier(400, min_samples_leaf=2)`, scikit-learn 1.9.1: 78.35 % for two classes, with
    // a standard deviation of .4, and 68.75 % for three, with .6.
    for (cuts, n_classes, reference) in [(&[1.0][..], 2, 78.35), (&[0.85, 1.15], 3, 68.75)] {
        let [(train, labels), (test, answers)] = drawn(cuts);
        let trees = ExtraTrees::fit(&train, &labels, n_classes, &settings(400));
        let accuracy = accuracy(&trees.probabilities(&test), &answers, n_classes);
        assert!(
            (accuracy - reference).abs() < 1.6,
            "{accuracy} % where scikit-learn has {reference} %"
        );
    }
}

#[test]
fn the_same_seed_grows_the_same_trees() {
    let [(train, labels), (test, _)] = drawn(&[1.0]);
    let grow = |seed| {
        let settings = TreeSettings {
            seed,
            ..settings(10)
        };
        ExtraTrees::fit(&train, &labels, 2, &settings).probabilities(&test)
    };
    assert_eq!(grow(1), grow(1));
    assert_ne!(grow(1), grow(2));
}
