//! Logistic regression on standardised columns with a penalty on large weights. Follows scikit-learn's `StandardScaler` and
//! `LogisticRegression`: one logit for two classes, one a class for more.

mod descent;

use descent::minimum;
use rayon::prelude::*;

use super::Table;

/// Steps of the descent, at most.
const MAX_STEPS: usize = 400;

/// Rows whose part of the gradient is summed by one thread: fixed, so that the sum is the same for any number of threads.
const N_ROWS_AT_ONCE: usize = 512;

/// A fitted classifier.
#[derive(Clone, Debug)]
pub struct Logistic {
    n_classes: usize,
    /// Mean and reciprocal of the standard deviation of each column.
    scales: Vec<[f32; 2]>,
    /// A weight a column and then the constant, logit after logit.
    weights: Vec<f64>,
}

impl Logistic {
    /// Fits a classifier to examples whose classes are `labels`, in `0 .. n_classes`; a smaller `c` is a larger penalty.
    pub fn fit(table: &Table, labels: &[u32], n_classes: usize, c: f64) -> Self {
        let scales = scales(table);
        let mut model = Self {
            n_classes,
            weights: vec![0.0; n_logits(n_classes) * (table.n_columns + 1)],
            scales,
        };
        let table = model.standardised(table);
        let penalty = 1.0 / (c * table.n_rows as f64);
        let begin = std::mem::take(&mut model.weights);
        model.weights = minimum(begin, MAX_STEPS, |weights| {
            loss(&table, labels, n_classes, penalty, weights)
        });
        model
    }

    /// Probabilities of the classes, `n_rows × n_classes`.
    pub fn probabilities(&self, table: &Table) -> Vec<f32> {
        let table = self.standardised(table);
        let mut all = Vec::with_capacity(table.n_rows * self.n_classes);
        let mut logits = vec![0.0; n_logits(self.n_classes)];
        for row in table.rows() {
            fill_logits(row, &self.weights, &mut logits);
            shares(&mut logits);
            if self.n_classes == 2 {
                all.push(narrow(1.0 - logits[0]));
            }
            all.extend(logits.iter().copied().map(narrow));
        }
        all
    }

    fn standardised(&self, table: &Table) -> Table {
        let mut table = table.clone();
        for row in table.values.chunks_exact_mut(table.n_columns.max(1)) {
            for (x, [mean, scale]) in row.iter_mut().zip(&self.scales) {
                *x = (*x - mean) * scale;
            }
        }
        table
    }
}

fn n_logits(n_classes: usize) -> usize {
    if n_classes == 2 { 1 } else { n_classes }
}

/// Mean and reciprocal of the standard deviation of each column; a constant column is only shifted.
fn scales(table: &Table) -> Vec<[f32; 2]> {
    let n = table.n_rows as f64;
    let mut means = vec![0.0; table.n_columns];
    for row in table.rows() {
        for (mean, x) in means.iter_mut().zip(row) {
            *mean += f64::from(*x) / n;
        }
    }
    let mut variances = vec![0.0; table.n_columns];
    for row in table.rows() {
        for ((variance, mean), x) in variances.iter_mut().zip(&means).zip(row) {
            *variance += (f64::from(*x) - mean).powi(2) / n;
        }
    }
    let scale = |variance: f64| {
        if variance > 1e-12 {
            variance.sqrt().recip()
        } else {
            1.0
        }
    };
    let both = means.into_iter().zip(variances);
    both.map(|(mean, variance)| [narrow(mean), narrow(scale(variance))])
        .collect()
}

fn fill_logits(row: &[f32], weights: &[f64], logits: &mut [f64]) {
    let of_logits = weights.chunks_exact(row.len() + 1);
    for (logit, weights) in logits.iter_mut().zip(of_logits) {
        *logit = product(row, weights) + weights[row.len()];
    }
}

/// Sum of products, in eight lanes.
fn product(row: &[f32], weights: &[f64]) -> f64 {
    let (rows, row_rest) = row.as_chunks::<8>();
    let (weights, weights_rest) = weights[..row.len()].as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (x, w) in rows.iter().zip(weights) {
        for ((lane, x), w) in lanes.iter_mut().zip(x).zip(w) {
            *lane += f64::from(*x) * w;
        }
    }
    let rest = row_rest.iter().zip(weights_rest);
    lanes.iter().sum::<f64>() + rest.map(|(x, w)| f64::from(*x) * w).sum::<f64>()
}

/// Logits become probabilities: a single one by the logistic function, several by softmax.
fn shares(logits: &mut [f64]) {
    if let [logit] = logits {
        *logit = 1.0 / (1.0 + (-*logit).exp());
        return;
    }
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for logit in &mut *logits {
        *logit = (*logit - largest).exp();
        sum += *logit;
    }
    for logit in logits {
        *logit /= sum;
    }
}

/// Mean surprise at the labels plus half the penalty on the squares of the weights, and its gradient. Constants are free.
fn loss(
    table: &Table,
    labels: &[u32],
    n_classes: usize,
    penalty: f64,
    weights: &[f64],
) -> (f64, Vec<f64>) {
    let n_columns = table.n_columns;
    let part = |(first, rows): (usize, &[f32])| {
        let mut surprise = 0.0;
        let mut gradient = vec![0.0; weights.len()];
        let mut logits = vec![0.0; n_logits(n_classes)];
        let labels = &labels[first * N_ROWS_AT_ONCE..];
        for (row, label) in rows.chunks_exact(n_columns.max(1)).zip(labels) {
            fill_logits(row, weights, &mut logits);
            shares(&mut logits);
            let label = *label as usize;
            let likelihood = match logits[..] {
                [p] if label == 0 => 1.0 - p,
                [p] => p,
                _ => logits[label],
            };
            surprise -= likelihood.max(f64::MIN_POSITIVE).ln();
            for (class, (p, gradient)) in logits
                .iter()
                .zip(gradient.chunks_exact_mut(n_columns + 1))
                .enumerate()
            {
                // With two classes the only logit is that of the second.
                let is_class = label == class + usize::from(n_classes == 2);
                let error = p - f64::from(u8::from(is_class));
                for (sum, x) in gradient.iter_mut().zip(row) {
                    *sum += error * f64::from(*x);
                }
                gradient[n_columns] += error;
            }
        }
        (surprise, gradient)
    };
    let parts: Vec<(f64, Vec<f64>)> = table
        .values
        .par_chunks(N_ROWS_AT_ONCE * n_columns.max(1))
        .enumerate()
        .map(part)
        .collect();
    let n = table.n_rows as f64;
    let mut sum = 0.0;
    let mut gradient = vec![0.0; weights.len()];
    for (surprise, part) in parts {
        sum += surprise / n;
        for (total, part) in gradient.iter_mut().zip(part) {
            *total += part / n;
        }
    }
    for (i, (weight, gradient)) in weights.iter().zip(&mut gradient).enumerate() {
        if i % (n_columns + 1) < n_columns {
            sum += penalty * weight * weight / 2.0;
            *gradient += penalty * weight;
        }
    }
    (sum, gradient)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "standardised values and probabilities need no more than f32"
)]
fn narrow(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests;
