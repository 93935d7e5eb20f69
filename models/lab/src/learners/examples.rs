//! Examples for the learners' tests, drawn so that a script in another language draws the same.

use lockstep_core::draws::uniform;

use super::Table;

/// Rows to learn from; as many again as half of them are to be answered.
pub(super) const N_TRAIN: usize = 800;

/// Rows in all.
const N_ROWS: usize = 1200;

/// Columns, of which four matter.
const N_COLUMNS: usize = 20;

/// Examples to learn from and examples to answer, each with classes: by a sum of two columns, of whether two others are on
/// different sides of ½, and of noise.
pub(super) fn drawn(cuts: &[f32]) -> [(Table, Vec<u32>); 2] {
    let mut values = Vec::new();
    let mut labels = Vec::new();
    for row in 0..N_ROWS as u64 {
        let x: Vec<f32> = (0..N_COLUMNS as u64)
            .map(|column| uniform(&[1, row, column]))
            .collect();
        let differs = (x[2] > 0.5) != (x[3] > 0.5);
        let noise = 0.3 * (uniform(&[2, row]) - 0.5);
        let sum = x[0] + 0.5 * x[1] + 0.5 * f32::from(u8::from(differs)) + noise;
        labels.push((0..).zip(cuts).filter(|(_, cut)| sum > **cut).count());
        values.extend(x);
    }
    let labels: Vec<u32> = labels
        .into_iter()
        .map(|label| u32::try_from(label).unwrap_or_default())
        .collect();
    let table = Table::new(N_COLUMNS, values);
    let rows: Vec<usize> = (0..N_ROWS).collect();
    let (train, test) = rows.split_at(N_TRAIN);
    [
        (table.select(train), labels[..N_TRAIN].to_vec()),
        (table.select(test), labels[N_TRAIN..].to_vec()),
    ]
}

/// Share of rows, in percent, whose most probable class is right.
pub(super) fn accuracy(probabilities: &[f32], labels: &[u32], n_classes: usize) -> f64 {
    let answers = super::most_probable(probabilities, n_classes);
    let n_right = answers
        .iter()
        .zip(labels)
        .filter(|(answer, label)| **answer == **label as usize)
        .count();
    100.0 * n_right as f64 / labels.len() as f64
}
