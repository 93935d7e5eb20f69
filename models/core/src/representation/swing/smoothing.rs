//! The swing of every measure of a song, from its own onsets and its neighbours on both sides.

use super::SwingEar;
use super::evidence::{HeardSwing, MeasureEvidence, Scores, likeliest};

/// How much likelier any other swing must be than the one before it, as a natural logarithm, for a measure to change to it.
const CHANGE: f32 = 10.0;

/// How much likelier still a song is straight in its first measure, as a natural logarithm.
pub(super) const START: f32 = 4.0;

/// How much a measure counts for the exact amount in the next one.
pub(super) const KEEP: f32 = 0.75;

/// Scores after a measure: no hypothesis is further behind the best than a change costs.
pub(super) fn forget(scores: &Scores) -> Scores {
    let best = scores
        .iter()
        .flatten()
        .flatten()
        .copied()
        .fold(f32::NEG_INFINITY, f32::max);
    scores.map(|scatters| scatters.map(|shifts| shifts.map(|score| (score - best).max(-CHANGE))))
}

/// The swing of each measure of a song, the likeliest course of the whole. A measure that tells nothing has the swing of its
/// neighbours.
///
/// # Realtime safety
/// Allocates; not for the audio thread.
pub fn swing_of_song(measures: &[MeasureEvidence]) -> Vec<HeardSwing> {
    let mut after = Vec::with_capacity(measures.len());
    let mut later = SwingEar::blank();
    for measure in measures.iter().rev() {
        after.push(later);
        later.pass(measure);
    }
    let mut so_far = SwingEar::new();
    let mut swings = Vec::with_capacity(measures.len());
    for (measure, later) in measures.iter().zip(after.into_iter().rev()) {
        let heard = so_far.with(measure);
        let later = MeasureEvidence {
            scores: later.scores,
            amounts: later.amounts,
        };
        swings.push(likeliest(
            &later.on(&heard.scores),
            &heard.amounts.and(&later.amounts, KEEP),
        ));
        so_far.pass(measure);
    }
    swings
}
