//! Hearing swing while somebody plays: from past measures and the one being played.

use super::evidence::{Amounts, HeardSwing, MeasureEvidence, Scores, likeliest};
use super::smoothing::{self, KEEP};

/// What has been heard of swing so far.
///
/// # Realtime safety
/// `Copy`; nothing here allocates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SwingEar {
    pub(super) scores: Scores,
    pub(super) amounts: Amounts,
}

impl Default for SwingEar {
    fn default() -> Self {
        Self::new()
    }
}

impl SwingEar {
    /// Before the first note: straight is likeliest.
    pub fn new() -> Self {
        let mut blank = Self::blank();
        for score in blank.scores.iter_mut().skip(1).flatten().flatten() {
            *score -= smoothing::START;
        }
        blank
    }

    /// Nothing heard, and nothing likelier than the rest.
    pub(super) fn blank() -> Self {
        Self {
            scores: MeasureEvidence::default().scores,
            amounts: Amounts::default(),
        }
    }

    /// A measure has been heard.
    pub fn pass(&mut self, measure: &MeasureEvidence) {
        *self = self.with(measure);
        self.scores = smoothing::forget(&self.scores);
    }

    /// What is likeliest now, with what the present measure has said so far.
    pub fn swing(&self, measure: &MeasureEvidence) -> HeardSwing {
        let with = self.with(measure);
        likeliest(&with.scores, &with.amounts)
    }

    /// What has been heard with a measure more.
    pub(super) fn with(&self, measure: &MeasureEvidence) -> Self {
        Self {
            scores: measure.on(&self.scores),
            amounts: measure.amounts.and(&self.amounts, KEEP),
        }
    }
}
