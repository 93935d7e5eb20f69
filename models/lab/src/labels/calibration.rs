//! How often a classifier is right when it is as sure as it says.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use lockstep_core::family::Family;
use serde::{Deserialize, Serialize};

/// Measured on held-out sources by `cargo lab label`.
const MEASURED: &str = include_str!("../../../labels/calibration.toml");

/// Least share of right answers among those that count.
pub(crate) const LEAST_RIGHT: f64 = 0.8;

/// Fewest answers from which a share is taken.
const LEAST_ANSWERS: usize = 25;

/// Most points of the curve.
const MAX_POINTS: usize = 12;

/// Fewest answers of one family.
const LEAST_ANSWERS_OF_FAMILY: usize = 5;

/// Least share of right answers of one family, counted as if one more of each kind had been seen.
const LEAST_OF_FAMILY: f64 = 0.7;

/// An answer whose truth is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) family: Family,
    /// How sure the classifier is, 0 to 1.
    pub(crate) score: f32,
    pub(crate) is_right: bool,
}

/// From the score of an answer to the share of such answers that are right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Calibration {
    /// Answers below this score do not count: four of five above it are right. Above 1 if there is no such score.
    pub(crate) least_score: f32,
    /// The same for the answers of each family, by its id; a family that is not here is never guessed.
    of_family: BTreeMap<String, f32>,
    /// Score and share of right answers, both ascending.
    points: Vec<[f32; 2]>,
}

impl Calibration {
    /// The curve that comes with the program.
    ///
    /// # Errors
    /// If `models/labels/calibration.toml` is wrong.
    pub(crate) fn measured() -> Result<Self> {
        let curve: Self =
            toml::from_str(MEASURED).context("reading models/labels/calibration.toml")?;
        let rises = curve
            .points
            .is_sorted_by(|a, b| a[0] < b[0] && a[1] <= b[1]);
        ensure!(
            rises && !curve.points.is_empty(),
            "the points of models/labels/calibration.toml do not rise"
        );
        Ok(curve)
    }

    /// The curve of some answers: shares of right ones by score, made to rise. Which families are guessed is decided by more of
    /// them, `of_families`: of some families the first hold too few.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "f32 is precise enough for a share"
    )]
    pub(crate) fn fit(answers: &[Answer], of_families: &[Answer]) -> Self {
        let mut answers = answers.to_vec();
        answers.sort_by(|a, b| a.score.total_cmp(&b.score));
        let least_score = least_score(&answers);
        let of_family = Family::ALL.into_iter().filter_map(|family| {
            let least = least_of_family(family, of_families)?.max(least_score);
            Some((family.id().to_owned(), least))
        });
        let of_family = of_family.collect();
        let per_point = answers.len().div_ceil(MAX_POINTS).max(LEAST_ANSWERS);
        // Number, sum of scores, number of right ones. Neighbours whose shares fall are one.
        let mut pools: Vec<(f64, f64, f64)> = Vec::new();
        for chunk in answers.chunks(per_point) {
            let n_right = chunk.iter().filter(|answer| answer.is_right).count() as f64;
            let sum = chunk.iter().map(|answer| f64::from(answer.score)).sum();
            let mut pool = (chunk.len() as f64, sum, n_right);
            while let Some(before) = pools.pop_if(|before| before.2 * pool.0 >= pool.2 * before.0) {
                pool = (before.0 + pool.0, before.1 + pool.1, before.2 + pool.2);
            }
            pools.push(pool);
        }
        let points = pools.iter().map(|&(n, sum, n_right)| {
            // One answer of each kind more: no share is 0 or 1.
            [(sum / n) as f32, ((n_right + 1.0) / (n + 2.0)) as f32]
        });
        Self {
            points: points.collect(),
            of_family,
            least_score,
        }
    }

    /// The share of right answers among those with this score; 0 if they do not count.
    pub(crate) fn certainty(&self, family: Family, score: f32) -> f32 {
        match self.of_family.get(family.id()) {
            Some(least) if score >= *least => self.share(score),
            _ => 0.0,
        }
    }

    /// The share of right answers among those with this score, whether they count or not.
    fn share(&self, score: f32) -> f32 {
        let above = self.points.partition_point(|point| point[0] <= score);
        match (
            above.checked_sub(1).map(|idx| self.points[idx]),
            self.points.get(above),
        ) {
            (Some(low), Some(high)) => {
                low[1] + (high[1] - low[1]) * (score - low[0]) / (high[0] - low[0])
            }
            (Some(last), None) => last[1],
            (None, first) => first.map_or(0.0, |first| first[1]),
        }
    }
}

/// The lowest score at and above which enough answers are right, of answers by rising score.
fn least_score(answers: &[Answer]) -> f32 {
    let mut least = f32::MAX;
    let mut n_right = 0;
    for (n, answer) in answers.iter().rev().enumerate() {
        n_right += usize::from(answer.is_right);
        if n >= LEAST_ANSWERS && n_right as f64 >= LEAST_RIGHT * (n + 1) as f64 {
            least = answer.score;
        }
    }
    if least > 1.0 { 2.0 } else { least }
}

/// The lowest score of a family at and above which enough of its answers are right; `None` if there is none.
fn least_of_family(family: Family, answers: &[Answer]) -> Option<f32> {
    let is_of = |answer: &&Answer| answer.family == family;
    let mut of_family: Vec<_> = answers.iter().filter(is_of).collect();
    of_family.sort_by(|a, b| b.score.total_cmp(&a.score));
    let (mut least, mut n_right) = (None, 0);
    for (n, answer) in of_family.into_iter().enumerate() {
        n_right += usize::from(answer.is_right);
        // One answer of each kind more.
        if n + 1 >= LEAST_ANSWERS_OF_FAMILY
            && (n_right + 1) as f64 >= LEAST_OF_FAMILY * (n + 3) as f64
        {
            least = Some(answer.score);
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use lockstep_core::draws;

    use super::*;

    /// Answers that are right with probability `score²`.
    fn answers(seed: u64) -> Vec<Answer> {
        (0..4_000)
            .map(|idx| {
                let draw = |part| draws::hash(&[seed, idx, part]) as f64 / u64::MAX as f64;
                let score = draw(0);
                #[expect(clippy::cast_possible_truncation, reason = "a test")]
                Answer {
                    family: Family::Ska,
                    score: score as f32,
                    is_right: draw(1) < score * score,
                }
            })
            .collect()
    }

    #[test]
    fn the_certainty_is_the_share_of_right_answers() {
        let curve = Calibration {
            least_score: 0.0,
            ..Calibration::fit(&answers(0), &answers(0))
        };
        for score in [0.1_f32, 0.3, 0.5, 0.7, 0.9] {
            let certainty = curve.share(score);
            assert!(
                (certainty - score * score).abs() < 0.06,
                "{score}: {certainty}"
            );
        }
        // And of answers that it has not seen.
        let others = answers(1);
        let sure = others
            .iter()
            .filter(|answer| curve.share(answer.score) >= 0.7);
        let (n, n_right) = sure.fold((0.0, 0.0), |(n, right), answer| {
            (n + 1.0, right + f64::from(u8::from(answer.is_right)))
        });
        assert!(n > 300.0 && n_right / n > 0.75, "{n_right} of {n}");
    }

    #[test]
    fn four_of_five_answers_that_count_are_right() {
        let curve = Calibration::fit(&answers(0), &answers(0));
        let others = answers(1);
        let counted: Vec<_> = others
            .iter()
            .filter(|answer| curve.certainty(answer.family, answer.score) > 0.0)
            .collect();
        let n_right = counted.iter().filter(|answer| answer.is_right).count();
        let share = n_right as f64 / counted.len() as f64;
        assert!((share - LEAST_RIGHT).abs() < 0.04, "{share}");
        assert!(curve.certainty(Family::Ska, curve.least_score - 0.01) <= 0.0);
    }

    #[test]
    fn a_classifier_that_is_never_right_labels_nothing() {
        let wrong: Vec<_> = answers(0)
            .into_iter()
            .map(|answer| Answer {
                is_right: false,
                ..answer
            })
            .collect();
        assert!(Calibration::fit(&wrong, &wrong).certainty(Family::Ska, 1.0) <= 0.0);
    }

    #[test]
    fn a_family_that_was_mostly_wrong_is_not_guessed() {
        let mut mixed = answers(0);
        for answer in mixed.iter_mut().step_by(20) {
            (answer.family, answer.is_right) = (Family::Reggae, false);
        }
        let curve = Calibration::fit(&mixed, &mixed);
        assert!(curve.certainty(Family::Reggae, 1.0) <= 0.0);
        assert!(curve.certainty(Family::Ska, 1.0) > 0.8);
        assert!(
            curve.certainty(Family::Samba, 1.0) <= 0.0,
            "nothing is known of it"
        );
    }

    #[test]
    fn the_curve_that_comes_with_the_program_is_read() -> Result<()> {
        let curve = Calibration::measured()?;
        assert!(curve.certainty(Family::Swing, 1.0) >= 0.8);
        Ok(())
    }
}
