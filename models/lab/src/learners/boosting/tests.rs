//! Boosting against scikit-learn on drawn examples.

use super::super::examples::{accuracy, drawn};
use super::*;

fn settings() -> BoostSettings {
    BoostSettings {
        n_rounds: 250,
        learning_rate: 0.06,
        l2: 1.0,
        ..BoostSettings::default()
    }
}

#[test]
fn answers_are_those_of_scikit_learn() {
    let [(train, labels), (test, answers)] = drawn(&[1.0]);
    let labels: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
    let p = Boosting::fit(&train, &labels, &settings()).probabilities(&test);
    // HistGradientBoostingClassifier(max_iter=250, learning_rate=.06, l2_regularization=1.), scikit-learn 1.9.1.
    let theirs = [
        0.001_415_66,
        0.971_214_07,
        0.184_460_92,
        0.999_536_6,
        0.002_138_99,
        0.172_878_86,
    ];
    for (ours, theirs) in p.iter().zip(theirs) {
        assert!((ours - theirs).abs() < 1e-3, "{:?}", &p[..6]);
    }
    let both: Vec<f32> = p.iter().flat_map(|p| [1.0 - p, *p]).collect();
    let accuracy = accuracy(&both, &answers, 2);
    assert!((accuracy - 87.0).abs() < 0.3, "{accuracy} %");
}

#[test]
fn too_few_rows_for_a_split_answer_with_their_share() {
    let table = Table::new(1, (0..30_u16).map(f32::from).collect());
    let labels: Vec<bool> = (0..30).map(|i| i >= 20).collect();
    let p = Boosting::fit(&table, &labels, &settings()).probabilities(&table);
    assert!(p.iter().all(|p| (p - 1.0 / 3.0).abs() < 1e-6), "{p:?}");
}
