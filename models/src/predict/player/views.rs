//! Ways to hear a request, and how much each counts.
//!
//! What decides is a sum of the log-odds of several views. Classifier-free guidance (Ho & Salimans 2021) on the bass and on the
//! idea: the difference that each makes counts more, or less, than as learnt.

use lockstep_core::generator::{DrumHistory, GeneratorSettings};

use crate::network::StepOutputs;
use crate::network::player::{
    Behind, Brain, Decoding, DrumRow, HeardMeasure, N_BESIDE, N_VOICES, Returns, behind, beside,
};
use crate::weights::PlayerConfig;

/// Log-odds of what comes back, at least.
const SURE: f32 = 0.5;

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

/// How much a way counts, for each voice.
pub(super) type Share = [f32; N_VOICES];

/// How much each way counts, and the one that says how a hit is played. The shares sum to 1.
///
/// At `follow` ½ the bass counts as set in the weights file, at 0 as if there were none, at 1 twice as much as at ½. Without
/// bass the idea's difference is heard without bass too.
pub(super) fn shares(
    config: &PlayerConfig,
    settings: GeneratorSettings,
    history: DrumHistory,
) -> ([Share; N_WAYS], usize) {
    let even = |share: f32| [share; N_VOICES];
    if history != DrumHistory::Own {
        return ([1.0, 0.0, 0.0, 0.0].map(even), 0);
    }
    let follow = 2.0 * settings.follow.clamp(0.0, 1.0);
    let guidance = config.guidance.values();
    let idea = match settings.style {
        Some(_) => config.family_guidance,
        None => config.idea_guidance,
    };
    if follow > 0.0 {
        let bass = guidance.map(|guidance| follow * guidance);
        let heard = bass.map(|bass| bass + idea - 1.0);
        let deaf = bass.map(|bass| 1.0 - bass);
        ([heard, deaf, even(1.0 - idea), even(0.0)], 0)
    } else {
        ([0.0, idea, 0.0, 1.0 - idea].map(even), 1)
    }
}

/// A measure as it is decoded in one way.
#[derive(Debug)]
pub(super) struct View {
    pub(super) share: Share,
    pub(super) heard: Vec<HeardMeasure>,
    pub(super) decoding: Decoding,
}

/// A step before its voices decide.
#[derive(Debug)]
pub(super) struct Step {
    /// Presences of all views, the rest of the first.
    pub(super) outputs: StepOutputs,
    /// The log-odds that decide where an earlier measure comes back: how sure the player would be of the hit by itself, so that
    /// density has an order, and on the side of what comes back. `None` where something new is played.
    pub(super) brought_back: [Option<f32>; N_VOICES],
}

/// A step of a measure of which it is known what comes back, or not.
pub(super) fn step(
    brain: &Brain,
    views: &mut [View],
    (step, now): (usize, &DrumRow),
    returns: Option<Returns>,
) -> Option<Step> {
    let mut seen = [0.0; N_BESIDE];
    let mut brought_back = [None; N_VOICES];
    if let (Some(view), Some(returns)) = (views.first_mut(), returns) {
        let behind = behind(&view.heard);
        let hits = returns.hits(&behind.own, step);
        if hits.iter().any(Option::is_some) {
            beside(&mut seen, step, &behind, now);
            let alone = brain.outputs(&mut view.decoding, step, &seen);
            for (voice, hits) in hits.into_iter().enumerate() {
                let log_odds = alone.cell(voice).presence;
                brought_back[voice] = hits.map(|hits| {
                    if hits {
                        log_odds.max(SURE)
                    } else {
                        log_odds.min(-SURE)
                    }
                });
            }
        }
    }
    let outputs = outputs(brain, views, (step, now), returns)?;
    Some(Step {
        outputs,
        brought_back,
    })
}

/// Outputs of a step: presences of all views, the rest of the first.
fn outputs(
    brain: &Brain,
    views: &mut [View],
    (step, now): (usize, &DrumRow),
    returns: Option<Returns>,
) -> Option<StepOutputs> {
    let mut seen = [0.0; N_BESIDE];
    let mut all: Option<StepOutputs> = None;
    for view in views {
        let behind = Behind {
            returns,
            ..behind(&view.heard)
        };
        beside(&mut seen, step, &behind, now);
        let mut own = brain.outputs(&mut view.decoding, step, &seen);
        for (presence, share) in own.presences_mut().iter_mut().zip(view.share) {
            *presence *= share;
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

    fn config(guidance: PerVoice) -> PlayerConfig {
        PlayerConfig {
            temperature: PerVoice::All(1.0),
            lean: PerVoice::All(0.0),
            returning: [0.0; 4],
            answering: 0.0,
            least_chance: 0.0,
            looseness: 1.0,
            guidance,
            family_guidance: 2.0,
            family_temperature: 1.0,
            family_returning: [0.0; 4],
            idea_guidance: 1.0,
            idea_least_share: 0.0,
            naming: 0.0,
        }
    }

    fn of(follow: f32, style: Option<u8>, history: DrumHistory) -> ([f32; N_WAYS], usize) {
        let config = config(PerVoice::All(1.5));
        let settings = GeneratorSettings {
            follow,
            style,
            ..GeneratorSettings::default()
        };
        let (shares, first) = shares(&config, settings, history);
        (shares.map(|share| share[1]), first)
    }

    #[test]
    fn the_bass_counts_as_configured_twice_or_not_at_all() {
        assert_eq!(of(0.5, None, DrumHistory::Own), ([1.5, -0.5, 0.0, 0.0], 0));
        assert_eq!(of(1.0, None, DrumHistory::Own), ([3.0, -2.0, 0.0, 0.0], 0));
        assert_eq!(of(0.0, None, DrumHistory::Own), ([0.0, 1.0, 0.0, 0.0], 1));
    }

    #[test]
    fn the_bass_may_count_more_for_one_voice_than_for_another() {
        let mut guidance = [1.0; N_VOICES];
        guidance[0] = 2.0;
        let config = config(PerVoice::Version2(guidance));
        let ([heard, deaf, ..], _) =
            shares(&config, GeneratorSettings::default(), DrumHistory::Own);
        assert_eq!((heard[0], deaf[0]), (2.0, -1.0));
        assert_eq!((heard[1], deaf[1]), (1.0, 0.0));
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
