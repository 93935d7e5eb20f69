//! Columns cut into bins: at each distinct value, or, where there are more than 255, at their quantiles.

use rayon::prelude::*;

use super::Table;

/// Bins of a column, at most.
pub(super) const MAX_BINS: usize = 255;

/// A table whose values are replaced by the bins that they fall into.
pub(super) struct Bins {
    pub(super) n_rows: usize,
    pub(super) columns: Vec<BinnedColumn>,
}

/// One column.
pub(super) struct BinnedColumn {
    /// Between neighbouring bins, rising: one fewer than there are bins.
    pub(super) thresholds: Vec<f64>,
    /// The bin of each row.
    pub(super) bins: Vec<u8>,
}

impl Bins {
    pub(super) fn of(table: &Table) -> Self {
        let columns = table.by_column();
        let columns: Vec<&[f32]> = columns.chunks_exact(table.n_rows.max(1)).collect();
        Self {
            n_rows: table.n_rows,
            columns: columns.into_par_iter().map(BinnedColumn::of).collect(),
        }
    }
}

impl BinnedColumn {
    fn of(values: &[f32]) -> Self {
        let thresholds = thresholds(values);
        let bin = |x: &f32| thresholds.partition_point(|threshold| !goes_below(*x, *threshold));
        let bins = values.iter().map(bin);
        Self {
            bins: bins
                .map(|bin| u8::try_from(bin).unwrap_or(u8::MAX))
                .collect(),
            thresholds,
        }
    }
}

/// Whether a value belongs below a threshold.
pub(super) fn goes_below(value: f32, threshold: f64) -> bool {
    f64::from(value) <= threshold
}

/// Where a column is cut, as scikit-learn 1.9 cuts it.
fn thresholds(values: &[f32]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().map(f64::from).collect();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    if distinct.len() <= MAX_BINS {
        return distinct
            .windows(2)
            .map(|w| f64::midpoint(w[0], w[1]))
            .collect();
    }
    let mut cuts: Vec<f64> = (1..MAX_BINS).map(|i| quantile(&sorted, i)).collect();
    cuts.dedup();
    cuts
}

/// The `i`th of 255 equal parts of sorted values ends here: between two values, halfway.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of the number of values"
)]
fn quantile(sorted: &[f64], i: usize) -> f64 {
    // In numpy's order of operations, because a cut between two values depends on the last bit.
    let place = i as f64 * (100.0 / MAX_BINS as f64) / 100.0 * sorted.len() as f64;
    let after = place.floor() as usize;
    if after as f64 >= place && after > 0 {
        f64::midpoint(sorted[after - 1], sorted[after])
    } else {
        sorted[after]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_cut_between_neighbours_and_many_at_quantiles() {
        assert_eq!(thresholds(&[3.0, 1.0, 1.0, 2.0]), [1.5, 2.5]);
        let many: Vec<f32> = (0..1020_u16).map(f32::from).collect();
        let cuts = thresholds(&many);
        assert_eq!(cuts.len(), MAX_BINS - 1);
        // Four values in each bin.
        assert!((cuts[0] - 3.5).abs() < 1e-9 && (cuts[253] - 1015.5).abs() < 1e-9);
        let column = BinnedColumn::of(&many);
        assert_eq!(column.bins[..5], [0, 0, 0, 0, 1]);
        assert_eq!(column.bins[1019], 254);
    }

    #[test]
    fn a_constant_column_has_one_bin() {
        let column = BinnedColumn::of(&[2.0; 7]);
        assert_eq!((column.thresholds.len(), column.bins[6]), (0, 0));
    }
}
