//! Means, shares and the overlap of two distributions.

/// `part` of `whole` in percent; `None` if `whole` is 0.
pub(super) fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| 100.0 * part / whole)
}

/// Mean; `None` if there are no values.
pub(super) fn some_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (n, sum) = values.fold((0.0, 0.0), |(n, sum), x| (n + 1.0, sum + x));
    (n > 0.0).then(|| sum / n)
}

/// Mean of the values that are there; NaN if none is.
pub(super) fn mean(values: impl Iterator<Item = Option<f64>>) -> f64 {
    some_mean(values.flatten()).unwrap_or(f64::NAN)
}

/// Population standard deviation; `None` if there are no values.
pub(super) fn deviation(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let centre = some_mean(values.clone())?;
    some_mean(values.map(|x| (x - centre).powi(2))).map(f64::sqrt)
}

/// Overlap of two histograms with twenty bins over the joint range; `None` for fewer than five values.
pub(super) fn overlap(a: &[f64], b: &[f64]) -> Option<f64> {
    const N_BINS: usize = 20;
    if a.len() < 5 || b.len() < 5 {
        return None;
    }
    let low = a.iter().chain(b).copied().fold(f64::INFINITY, f64::min);
    let high = a.iter().chain(b).copied().fold(f64::NEG_INFINITY, f64::max);
    if high <= low {
        return Some(1.0);
    }
    // The edges match numpy's `histogram`, rounding included: a value on an edge belongs to the bin above it.
    let width = (high - low) / N_BINS as f64;
    let shares = |values: &[f64]| {
        let mut shares = [0.0; N_BINS];
        for x in values {
            let bin = (1..N_BINS)
                .take_while(|edge| *x >= *edge as f64 * width + low)
                .count();
            shares[bin] += 1.0 / values.len() as f64;
        }
        shares
    };
    Some(shares(a).iter().zip(shares(b)).map(|(a, b)| a.min(b)).sum())
}
