//! Logistic regression against scikit-learn on drawn examples.

use super::super::examples::{accuracy, drawn};
use super::*;

/// Accuracy in percent, and the probabilities of the first three rows.
fn fitted(cuts: &[f32], n_classes: usize, c: f64) -> (f64, Vec<f32>) {
    let [(train, labels), (test, answers)] = drawn(cuts);
    let p = Logistic::fit(&train, &labels, n_classes, c).probabilities(&test);
    (
        accuracy(&p, &answers, n_classes),
        p[..3 * n_classes].to_vec(),
    )
}

fn assert_close(ours: &[f32], theirs: &[f32]) {
    let distances = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    assert!(distances.fold(0.0, f32::max) < 5e-4, "{ours:?}, {theirs:?}");
}

// The figures are those of make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=400)), scikit-learn 1.9.1.

#[test]
fn two_classes_are_told_apart_as_by_scikit_learn() {
    let (accuracy, p) = fitted(&[1.0], 2, 0.01);
    assert!((accuracy - 74.0).abs() < 0.3, "{accuracy} %");
    let theirs = [
        0.665_537_66,
        0.334_462_34,
        0.304_220_2,
        0.695_779_8,
        0.697_158_34,
        0.302_841_7,
    ];
    assert_close(&p, &theirs);
}

#[test]
fn three_classes_are_told_apart_as_by_scikit_learn() {
    let (accuracy, p) = fitted(&[0.85, 1.15], 3, 1.0);
    assert!((accuracy - 62.5).abs() < 0.3, "{accuracy} %");
    let theirs = [
        0.749_291_24,
        0.224_166_03,
        0.026_540_79,
        0.060_578_62,
        0.283_527,
        0.655_894_34,
        0.581_624_8,
        0.390_973_4,
        0.027_401_75,
    ];
    assert_close(&p, &theirs);
}

#[test]
fn a_constant_column_changes_nothing() {
    let with = Table::new(2, vec![0.0, 5.0, 1.0, 5.0, 2.0, 5.0, 3.0, 5.0]);
    let without = Table::new(1, vec![0.0, 1.0, 2.0, 3.0]);
    let labels = [0, 1, 0, 1];
    let p = |table: &Table| Logistic::fit(table, &labels, 2, 1.0).probabilities(table);
    assert_close(&p(&with), &p(&without));
}
