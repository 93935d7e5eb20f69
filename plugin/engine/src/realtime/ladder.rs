//! Chooses the drums of a measure at its downbeat: the plan if it has arrived, otherwise a fallback.
//!
//! The ladder is the fallback order, best first: a plan that heard the whole last measure, one that heard part of it, the
//! last plan varied, a groove built from the bass by rule. Silent only if the bass is silent. Every rung is counted.

use lockstep_core::draws::uniform;
use lockstep_core::generator::Request;
use lockstep_core::representation::{
    Hit, HitMap, MAX_STEPS_PER_MEASURE, Meter, Plan, Presence, STEPS_PER_BEAT, Swing, Voice,
    VoiceGroup, WINDOW_STEPS, Window,
};
use lockstep_core::rule;

use super::controls::SilencePolicy;

/// Where plans come from. `handoff` implements it for a generator on another thread.
pub trait PlanSource {
    /// Asks for a measure. The newest request for it replaces the ones before.
    ///
    /// # Realtime safety
    /// Called on the audio thread whenever a step's cell closes: never allocates, never waits.
    fn publish(&mut self, request: &Request);

    /// The newest plan for a measure of a playback, or `None` if there is none yet.
    ///
    /// Called once per measure, at its downbeat, and only if a request for it was published; a snapshot calls it too. An
    /// offline renderer waits here for the answer to the last request; a live one never waits.
    fn plan_for(&mut self, playback: u32, measure: u64) -> Option<Plan>;
}

/// Where the drums of a measure came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// A plan that heard the whole previous measure.
    Fresh,
    /// A plan that heard only part of it: the last answer was late.
    Early,
    /// No plan came in time: the last one, varied.
    Varied,
    /// No plan has come yet: a groove from the bass onsets.
    Rule,
    /// The bass is silent, and the silence policy decided. Nothing was late.
    Silent,
}

/// How often each rung was used, and what was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Measures by [`Rung::Fresh`].
    pub fresh: u32,
    /// Measures by [`Rung::Early`].
    pub early: u32,
    /// Measures by [`Rung::Varied`].
    pub varied: u32,
    /// Measures by [`Rung::Rule`].
    pub rule: u32,
    /// Measures by [`Rung::Silent`].
    pub silent: u32,
    /// Drum notes dropped because their block was full.
    pub dropped_notes: u32,
}

impl Tally {
    fn count(&mut self, rung: Rung) {
        let n = match rung {
            Rung::Fresh => &mut self.fresh,
            Rung::Early => &mut self.early,
            Rung::Varied => &mut self.varied,
            Rung::Rule => &mut self.rule,
            Rung::Silent => &mut self.silent,
        };
        *n = n.saturating_add(1);
    }
}

/// What is known at a downbeat.
#[derive(Clone, Copy, Debug)]
pub(super) struct Downbeat<'a> {
    pub(super) playback: u32,
    /// Serial of the measure that begins.
    pub(super) measure: u64,
    pub(super) seed: u32,
    /// Meter of the measure that ends.
    pub(super) meter: Meter,
    /// Meter of the measure that begins.
    pub(super) next_meter: Meter,
    /// The bass up to the end of the measure that ends.
    pub(super) window: &'a Window,
    /// How it swings.
    pub(super) swing: Swing,
    pub(super) has_asked: bool,
    pub(super) silence: SilencePolicy,
    /// The drums of the measure that ends.
    pub(super) playing: Chosen,
}

/// The drums of a measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) hits: HitMap,
    /// How late their off-beats are played.
    pub(super) swing: Swing,
}

/// The ladder: remembers the last plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    last: Option<Chosen>,
    has_heard_bass: bool,
    pub(super) tally: Tally,
}

impl Ladder {
    /// Forgets the music, not the tally.
    pub(super) fn start(&mut self) {
        self.last = None;
        self.has_heard_bass = false;
    }

    /// The drums of the measure that begins.
    pub(super) fn choose(&mut self, at: &Downbeat<'_>, plans: &mut impl PlanSource) -> Chosen {
        let (rung, chosen) = self.climb(at, plans);
        self.tally.count(rung);
        Chosen {
            hits: lengthened(&chosen.hits, at.meter.n_steps(), at.next_meter.n_steps()),
            ..chosen
        }
    }

    fn climb(&mut self, at: &Downbeat<'_>, plans: &mut impl PlanSource) -> (Rung, Chosen) {
        let as_heard = |hits| Chosen {
            hits,
            swing: at.swing,
        };
        let keeps_time = self.has_heard_bass && at.silence == SilencePolicy::KeepTime;
        // Keeping time starts with the first silent measure: a network plays less and less as bass leaves the window.
        let rests_from = if keeps_time {
            WINDOW_STEPS.saturating_sub(at.meter.n_steps())
        } else {
            0
        };
        if at.window.is_silent_from(rests_from) {
            let drums = if keeps_time {
                self.last.unwrap_or(at.playing)
            } else {
                as_heard(HitMap::default())
            };
            return (Rung::Silent, drums);
        }
        self.has_heard_bass = true;
        let plan = at
            .has_asked
            .then(|| plans.plan_for(at.playback, at.measure))
            .flatten();
        if let Some(plan) =
            plan.filter(|plan| (plan.playback, plan.measure) == (at.playback, at.measure))
        {
            let drums = Chosen {
                hits: plan.hits,
                swing: plan.swing,
            };
            self.last = Some(drums);
            let is_fresh = plan.heard_steps >= at.meter.n_steps();
            return (if is_fresh { Rung::Fresh } else { Rung::Early }, drums);
        }
        match &self.last {
            Some(last) => {
                let hits = varied(&last.hits, at.seed, at.measure);
                (Rung::Varied, Chosen { hits, ..*last })
            }
            None => (Rung::Rule, as_heard(rule::groove(at.window, at.meter))),
        }
    }
}

/// Drums planned for a measure of `from` steps, for one of `to` steps: if it is longer, the last beat repeats.
fn lengthened(hits: &HitMap, from: usize, to: usize) -> HitMap {
    let mut longer = *hits;
    let beat = usize::from(STEPS_PER_BEAT).min(from).max(1);
    for step_idx in from..to {
        for voice in Voice::ALL {
            longer.set(step_idx, voice, longer.hit(step_idx - beat, voice));
        }
    }
    longer
}

/// The same drums with some doubtful hits decided the other way: presences near ½ are mirrored about ½.
///
/// The backbone stays: the kick always, a snare, side stick or clap unless it is a ghost note. A pure function of its arguments.
fn varied(hits: &HitMap, seed: u32, measure: u64) -> HitMap {
    /// How far from ½ a presence may lie and still be doubtful.
    const DOUBT: f32 = 0.3;
    /// Below this velocity a snare is a ghost note.
    const GHOST: f32 = 0.4;
    /// Share of the doubtful hits that change.
    const SHARE: f32 = 0.2;
    let mut varied = *hits;
    for step_idx in 0..MAX_STEPS_PER_MEASURE {
        for voice in Voice::ALL {
            let hit = hits.hit(step_idx, voice);
            let presence = hit.presence().value();
            let is_snare = voice.group() == VoiceGroup::Snare;
            let is_backbone = voice == Voice::Kick || is_snare && hit.velocity() >= GHOST;
            let place = [
                u64::from(seed),
                measure,
                step_idx as u64,
                voice.draw_idx(),
                2,
            ];
            if is_backbone || (presence - 0.5).abs() > DOUBT || uniform(&place) > SHARE {
                continue;
            }
            let other = Presence::new(1.0 - presence)
                .and_then(|p| Hit::new(p, hit.velocity(), hit.offset()));
            varied.set(step_idx, voice, other.unwrap_or(hit));
        }
    }
    varied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_that_grew_has_no_hole_at_its_end() {
        let sure = Presence::new(1.0).and_then(|p| Hit::new(p, 0.9, 0.0));
        let mut three = HitMap::default();
        for (step_idx, voice) in [
            (0, Voice::Kick),
            (4, Voice::Snare),
            (8, Voice::Snare),
            (10, Voice::Kick),
        ] {
            three.set(step_idx, voice, sure.unwrap_or_default());
        }
        let five = lengthened(&three, 12, 20);
        let struck = |voice| {
            let is_struck = |step: &usize| five.hit(*step, voice).presence() != Presence::NEVER;
            (0..32).filter(is_struck).collect::<Vec<_>>()
        };
        assert_eq!(struck(Voice::Kick), [0, 10, 14, 18]);
        assert_eq!(struck(Voice::Snare), [4, 8, 12, 16]);
        assert_eq!(lengthened(&three, 12, 8), three);
    }

    #[test]
    fn a_varied_plan_keeps_its_backbone_and_differs_elsewhere() {
        let hit = |presence, velocity| {
            Presence::new(presence)
                .and_then(|p| Hit::new(p, velocity, 0.0))
                .unwrap_or_default()
        };
        let mut plan = HitMap::default();
        for step_idx in 0..16 {
            plan.set(step_idx, Voice::Kick, hit(0.6, 0.9));
            plan.set(step_idx, Voice::Snare, hit(0.6, 0.9));
            plan.set(step_idx, Voice::ClosedHat, hit(0.6, 0.5));
        }
        let once = varied(&plan, 1, 5);
        let same = |voice| (0..16).all(|s| once.hit(s, voice) == plan.hit(s, voice));
        assert!(same(Voice::Kick) && same(Voice::Snare) && !same(Voice::ClosedHat));
        assert_eq!(varied(&plan, 1, 5), once);
        assert_ne!(varied(&plan, 1, 6), once);
    }
}
