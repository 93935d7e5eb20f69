//! Ways to hear a request, and how much each counts.
//!
//! What decides is a sum of the log-odds of several views. Classifier-free guidance (Ho & Salimans 2021) on the bass and on the
//! idea: the difference that each makes counts more, or less, than as learnt.

use lockstep_core::generator::{DrumHistory, GeneratorSettings};

use crate::network::StepOutputs;
use crate::network::player::{Brain, Decoding, DrumRow, HeardMeasure, N_BESIDE, behind, beside};
use crate::weights::PlayerConfig;

/// How many ways there are.
pub(super) const N_WAYS: usize = 4;

/// A way to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) bass: bool,
    /// Family and groove.
    pub(super) idea: bool,
}

impl Way {
    /// All of them, in the order of [`shares`].
    pub(super) const ALL: [Self; N_WAYS] = [
        Self::new(true, true),
        Self::new(false, true),
        Self::new(true, false),
        Self::new(false, false),
    ];

    const fn new(bass: bool, idea: bool) -> Self {
        Self { bass, idea }
    }
}

/// How much each way counts, and the one that says how a hit is played. The shares sum to 1.
///
/// At `follow` ½ the bass counts as set in the weights file, at 0 as if there were none, at 1 twice as much as at ½. Without
/// bass the idea's difference is heard without bass too.
pub(super) fn shares(
    config: &PlayerConfig,
    settings: GeneratorSettings,
    history: DrumHistory,
) -> ([f32; N_WAYS], usize) {
    if history != DrumHistory::Own {
        return ([1.0, 0.0, 0.0, 0.0], 0);
    }
    let bass = 2.0 * settings.follow.clamp(0.0, 1.0) * config.guidance;
    let idea = match settings.style {
        Some(_) => config.family_guidance,
        None => config.idea_guidance,
    };
    if bass > 0.0 {
        ([bass + idea - 1.0, 1.0 - bass, 1.0 - idea, 0.0], 0)
    } else {
        ([0.0, idea, 0.0, 1.0 - idea], 1)
    }
}

/// A measure as it is decoded in one way.
#[derive(Debug)]
pub(super) struct View {
    pub(super) share: f32,
    pub(super) heard: Vec<HeardMeasure>,
    pub(super) decoding: Decoding,
}

/// Outputs of a step: presences of all views, the rest of the first.
pub(super) fn outputs(
    brain: &Brain,
    views: &mut [View],
    step: usize,
    now: &DrumRow,
) -> Option<StepOutputs> {
    let mut seen = [0.0; N_BESIDE];
    let mut all: Option<StepOutputs> = None;
    for view in views {
        beside(&mut seen, step, &behind(&view.heard), now);
        let mut own = brain.outputs(&mut view.decoding, step, &seen);
        for presence in own.presences_mut() {
            *presence *= view.share;
        }
        match &mut all {
            Some(all) => {
                let sums = all.presences_mut().iter_mut();
                for (sum, presence) in sums.zip(own.presences_mut()) {
                    *sum += *presence;
                }
            }
            None => all = Some(own),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::PerVoice;

    fn of(follow: f32, style: Option<u8>, history: DrumHistory) -> ([f32; N_WAYS], usize) {
        let config = PlayerConfig {
            temperature: PerVoice::All(1.0),
            lean: PerVoice::All(0.0),
            looseness: 1.0,
            guidance: 1.5,
            family_guidance: 2.0,
            idea_guidance: 1.0,
            family_certainty: 0.5,
        };
        let settings = GeneratorSettings {
            follow,
            style,
            ..GeneratorSettings::default()
        };
        shares(&config, settings, history)
    }

    #[test]
    fn the_bass_counts_as_configured_twice_or_not_at_all() {
        assert_eq!(of(0.5, None, DrumHistory::Own), ([1.5, -0.5, 0.0, 0.0], 0));
        assert_eq!(of(1.0, None, DrumHistory::Own), ([3.0, -2.0, 0.0, 0.0], 0));
        assert_eq!(of(0.0, None, DrumHistory::Own), ([0.0, 1.0, 0.0, 0.0], 1));
    }

    #[test]
    fn a_family_that_is_asked_for_counts_as_configured_and_without_bass_no_bass_is_heard() {
        assert_eq!(
            of(0.5, Some(3), DrumHistory::Own),
            ([2.5, -0.5, -1.0, 0.0], 0)
        );
        assert_eq!(
            of(0.0, Some(3), DrumHistory::Own),
            ([0.0, 2.0, 0.0, -1.0], 1)
        );
        for history in [DrumHistory::People, DrumHistory::Empty] {
            assert_eq!(of(0.9, Some(3), history), ([1.0, 0.0, 0.0, 0.0], 0));
        }
    }
}
