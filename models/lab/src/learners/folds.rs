//! Cross-validation by groups, and the area under the curve of a score.

use std::collections::BTreeMap;

/// The fold of each row, in `0 .. n_folds`, so that no group is in two folds: the largest group first, each into the fold with
/// the fewest rows so far. The same folds as scikit-learn's `GroupKFold`.
pub fn group_folds(groups: &[usize], n_folds: usize) -> Vec<usize> {
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    for group in groups {
        *sizes.entry(*group).or_default() += 1;
    }
    let mut by_size: Vec<(usize, usize)> = sizes.into_iter().collect();
    // Groups of one size come in falling order: the reverse of a stable sort by size.
    by_size.sort_by_key(|(_, size)| *size);
    let mut n_rows = vec![0; n_folds.max(1)];
    let mut fold_of = BTreeMap::new();
    for (group, size) in by_size.into_iter().rev() {
        let lightest = (0..n_rows.len()).min_by_key(|fold| n_rows[*fold]);
        let fold = lightest.unwrap_or_default();
        n_rows[fold] += size;
        fold_of.insert(group, fold);
    }
    groups.iter().map(|group| fold_of[group]).collect()
}

/// How probably a positive example scores higher than a negative one, ties counting half, in `[0, 1]`; NaN without examples
/// of either.
pub fn area_under_curve(scores: &[f32], is_positive: &[bool]) -> f64 {
    let mut order: Vec<(f32, bool)> = scores
        .iter()
        .copied()
        .zip(is_positive.iter().copied())
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut n_below, mut n_positive, mut area) = (0.0, 0.0, 0.0);
    for tied in order.chunk_by(|a, b| a.0 >= b.0) {
        let positive = tied.iter().filter(|(_, is_positive)| *is_positive).count() as f64;
        let negative = tied.len() as f64 - positive;
        area += positive * (n_below + negative / 2.0);
        n_positive += positive;
        n_below += negative;
    }
    area / (n_positive * n_below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_those_of_scikit_learn() {
        // list(GroupKFold(3).split(g, groups=g)) with scikit-learn 1.9.1.
        let groups = [0, 0, 1, 1, 2, 2, 2, 3, 4, 4, 5, 6, 6, 6, 6, 7];
        assert_eq!(
            group_folds(&groups, 3),
            [1, 1, 2, 2, 1, 1, 1, 0, 2, 2, 2, 0, 0, 0, 0, 0]
        );
    }

    #[test]
    fn the_area_is_one_for_a_perfect_score_and_a_half_for_none() {
        let is_positive = [false, false, true, true];
        let area = |scores: [f32; 4]| area_under_curve(&scores, &is_positive);
        assert!((area([0.1, 0.2, 0.3, 0.4]) - 1.0).abs() < 1e-12);
        assert!((area([0.5; 4]) - 0.5).abs() < 1e-12);
        // roc_auc_score([0, 0, 1, 1], [.1, .4, .35, .8]) is .75.
        assert!((area([0.1, 0.4, 0.35, 0.8]) - 0.75).abs() < 1e-12);
        assert!(area_under_curve(&[0.1], &[true]).is_nan());
    }
}
