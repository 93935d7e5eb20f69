//! The hits of the measure being played, in the order in which they fall.
//!
//! Holds every hit that could sound; density decides whether it does when it is due. Each is played once, whatever jitter
//! there is in the host's position and whichever knobs are turned.

use arrayvec::ArrayVec;
use lockstep_core::draws::uniform;
use lockstep_core::representation::{
    Hit, HitMap, Length, MAX_STEPS_PER_MEASURE, Meter, N_VOICES, Presence, Swing, SwungGrid, Voice,
};

use super::clock::TOLERANCE;
use super::controls::Controls;
use super::ladder::Chosen;
use super::pins::Pins;

/// Most hits in a measure.
const MAX_HITS: usize = MAX_STEPS_PER_MEASURE * N_VOICES;

/// Most that humanise moves a hit, early or late, in steps: 15 ms at 120 BPM. A choice, not a measurement.
const LOOSE_STEPS: f64 = 0.12;

/// Most that humanise changes a velocity, up or down, as a share of the planned one.
const LOOSE_VELOCITY: f32 = 0.15;

/// The last hit of a measure falls at least this many steps before its end, so that it still sounds if a loop ends there.
const LAST_STEPS: f64 = 1.0 / 64.0;

/// What moves hits away from the straight grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Feel {
    grid: SwungGrid,
    humanise: f32,
    /// Share of the plan's own offsets that is applied.
    own: f32,
    seed: u32,
    /// Serial of the measure.
    measure: u64,
    n_steps: usize,
}

impl Feel {
    /// The feel of measure number `measure`, whose plan swings by `planned`. Of each kind of swing the larger of the plan's and the
    /// knob's is played: a bass that swings already does not swing twice.
    pub(super) fn new(controls: &Controls, planned: Swing, measure: u64, meter: Meter) -> Self {
        let unit = |x: f32| if x.is_nan() { 0.0 } else { x.clamp(0.0, 1.0) };
        let knobs = Swing::new(controls.shuffle, controls.swing);
        Self {
            grid: knobs.max(planned).in_meter(meter),
            humanise: unit(controls.humanise),
            own: unit(controls.feel),
            seed: controls.settings.seed,
            measure,
            n_steps: meter.n_steps(),
        }
    }

    /// Length of the measure in steps.
    pub(super) fn n_steps(&self) -> usize {
        self.n_steps
    }

    /// How many steps after its step a hit falls.
    #[expect(clippy::cast_possible_truncation, reason = "at most two steps")]
    pub(super) fn shift(&self, step_idx: usize, voice: Voice, hit: Hit) -> f32 {
        (self.time(step_idx, voice, hit) - step_idx as f64) as f32
    }

    /// When a hit falls, in steps since the measure's start. Never outside its measure, so a hit planned before the downbeat
    /// falls on it.
    fn time(&self, step_idx: usize, voice: Voice, hit: Hit) -> f64 {
        let swung = f64::from(self.grid.delay(step_idx));
        let loose = LOOSE_STEPS * f64::from(self.humanise * self.draw(step_idx, voice, 0));
        let own = f64::from(self.own * hit.offset());
        let time = step_idx as f64 + own + swung + loose;
        time.clamp(0.0, self.n_steps as f64 - LAST_STEPS)
    }

    /// Velocity of a hit before the gain, from 1/127 to 1.
    pub(super) fn velocity(&self, step_idx: usize, voice: Voice, hit: Hit) -> f32 {
        let loose = 1.0 + LOOSE_VELOCITY * self.humanise * self.draw(step_idx, voice, 1);
        (hit.velocity() * loose).clamp(1.0 / 127.0, 1.0)
    }

    /// A pseudorandom draw from (-1, 1), always the same for this hit.
    fn draw(&self, step_idx: usize, voice: Voice, what: u64) -> f32 {
        let place = [
            u64::from(self.seed),
            self.measure,
            step_idx as u64,
            voice.draw_idx(),
            what,
        ];
        2.0 * uniform(&place) - 1.0
    }
}

/// A hit with its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    /// In steps since the measure's start.
    time: f64,
    pub(super) step_idx: usize,
    pub(super) voice: Voice,
    pub(super) presence: Presence,
    /// Before the gain, from 1/127 to 1.
    pub(super) velocity: f32,
}

impl Scored {
    /// How long after its measure's start it falls.
    pub(super) fn since_start(&self) -> Length {
        Length::of_steps(self.time)
    }
}

/// The hits of one measure, and which of them are past.
#[derive(Clone, Debug)]
pub(super) struct Score {
    hits: HitMap,
    /// How the plan swings.
    swing: Swing,
    feel: Feel,
    /// The pins in force in this measure.
    pins: Pins,
    /// Whether nothing is planned; then pins do not apply.
    is_rest: bool,
    /// The hits that were still to come when the queue was last rebuilt, in time order.
    queue: ArrayVec<Scored, MAX_HITS>,
    /// How many of `queue` are past.
    n_past: usize,
    /// Bit `v` of entry `s`: the hit of voice `v` at step `s` is past.
    past: [u16; MAX_STEPS_PER_MEASURE],
    /// The same for hits that sounded.
    struck: [u16; MAX_STEPS_PER_MEASURE],
}

impl Score {
    /// A rest.
    pub(super) fn new() -> Self {
        Self {
            hits: HitMap::default(),
            swing: Swing::STRAIGHT,
            feel: Feel::new(&Controls::default(), Swing::STRAIGHT, 0, Meter::default()),
            pins: Pins::default(),
            is_rest: true,
            queue: ArrayVec::new(),
            n_past: 0,
            past: [0; MAX_STEPS_PER_MEASURE],
            struck: [0; MAX_STEPS_PER_MEASURE],
        }
    }

    /// The hits as planned.
    pub(super) fn hits(&self) -> &HitMap {
        &self.hits
    }

    /// The drums as planned.
    pub(super) fn drums(&self) -> Chosen {
        Chosen {
            hits: self.hits,
            swing: self.swing,
        }
    }

    /// How the plan swings.
    pub(super) fn swing(&self) -> Swing {
        self.swing
    }

    /// A measure begins with these drums.
    pub(super) fn begin(&mut self, drums: &Chosen, feel: Feel, pins: Pins) {
        let Chosen { hits, swing } = drums;
        (self.hits, self.swing) = (*hits, *swing);
        self.past = [0; MAX_STEPS_PER_MEASURE];
        self.struck = [0; MAX_STEPS_PER_MEASURE];
        self.feel = feel;
        self.is_rest = hits.is_rest();
        self.pins = if self.is_rest { Pins::default() } else { pins };
        self.arrange();
    }

    /// Moves the hits still to come if the feel has changed.
    pub(super) fn follow(&mut self, feel: Feel) {
        if feel != self.feel {
            self.feel = feel;
            self.arrange();
        }
    }

    /// Adds or removes hits still to come if the pins have changed. `rel` is how far the measure has been played: a
    /// cell pinned before that counts as past.
    pub(super) fn set_pins(&mut self, pins: Pins, rel: Length) {
        if pins != self.pins && !self.is_rest {
            self.pins = pins;
            self.arrange();
            self.enter(rel, MAX_STEPS_PER_MEASURE);
        }
    }

    /// The measure is entered `rel` after its start: hits of the steps before `first_step` count as past if they
    /// fall before that. A hit due ahead of a step that is still to come falls at once.
    pub(super) fn enter(&mut self, rel: Length, first_step: usize) {
        let place = rel - TOLERANCE;
        for hit in self.queue.get(self.n_past..).unwrap_or_default() {
            if hit.step_idx < first_step
                && hit.since_start() < place
                && let Some(past) = self.past.get_mut(hit.step_idx)
            {
                *past |= 1 << hit.voice.index();
            }
        }
        self.arrange();
    }

    /// Records that a hit of this measure sounded.
    pub(super) fn note_struck(&mut self, step_idx: usize, voice: Voice) {
        if let Some(struck) = self.struck.get_mut(step_idx) {
            *struck |= 1 << voice.index();
        }
    }

    /// The voices that have sounded for a step, one bit each.
    pub(super) fn struck_at(&self, step_idx: usize) -> u16 {
        self.struck.get(step_idx).copied().unwrap_or_default()
    }

    /// Marks a step's hits of these voices as past and sounded: they sounded for the step that this one replaces.
    pub(super) fn forgo(&mut self, step_idx: usize, voices: u16) {
        if let Some((past, struck)) = self
            .past
            .get_mut(step_idx)
            .zip(self.struck.get_mut(step_idx))
        {
            *past |= voices;
            *struck |= voices;
        }
        self.arrange();
    }

    /// The next hit.
    pub(super) fn peek(&self) -> Option<&Scored> {
        self.queue.get(self.n_past)
    }

    /// Removes the next hit, which is then past.
    pub(super) fn pop(&mut self) -> Option<Scored> {
        let hit = self.queue.get(self.n_past).copied()?;
        self.n_past += 1;
        if let Some(past) = self.past.get_mut(hit.step_idx) {
            *past |= 1 << hit.voice.index();
        }
        Some(hit)
    }

    fn arrange(&mut self) {
        self.n_past = 0;
        self.queue.clear();
        for (step_idx, past) in self.past.iter().enumerate().take(self.feel.n_steps) {
            for voice in Voice::ALL {
                let planned = self.hits.hit(step_idx, voice);
                let hit = self.pins.apply(step_idx, voice, planned);
                if hit.presence() == Presence::NEVER || past >> voice.index() & 1 == 1 {
                    continue;
                }
                // The queue has room for every hit of the map.
                let _ = self.queue.try_push(Scored {
                    time: self.feel.time(step_idx, voice, hit),
                    step_idx,
                    voice,
                    presence: hit.presence(),
                    velocity: self.feel.velocity(step_idx, voice, hit),
                });
            }
        }
        self.queue.sort_unstable_by(|a, b| {
            let place = |hit: &Scored| (hit.step_idx, hit.voice.index());
            a.time.total_cmp(&b.time).then(place(a).cmp(&place(b)))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn feel(swing: f32, humanise: f32) -> Feel {
        let controls = Controls {
            swing,
            humanise,
            ..Controls::default()
        };
        Feel::new(&controls, Swing::STRAIGHT, 3, Meter::COMMON)
    }

    #[test]
    fn swing_of_two_thirds_is_a_triplet() {
        let time = feel(2.0 / 3.0, 0.0).time(5, Voice::Kick, Hit::default());
        assert!((time - (4.0 + 4.0 / 3.0)).abs() < 1e-6, "{time}");
        let time = feel(2.0 / 3.0, 0.0).time(4, Voice::Kick, Hit::default());
        assert!((time - 4.0).abs() < 1e-6, "{time}");
    }

    #[test]
    fn a_shuffle_of_two_thirds_puts_off_beats_on_the_last_triplet() {
        let controls = Controls {
            shuffle: 2.0 / 3.0,
            ..Controls::default()
        };
        let time = |step| {
            Feel::new(&controls, Swing::STRAIGHT, 3, Meter::COMMON).time(
                step,
                Voice::Kick,
                Hit::default(),
            )
        };
        for (step, expected) in [(4, 4.0), (5, 5.0 + 1.0 / 3.0), (6, 6.0 + 2.0 / 3.0)] {
            let time = time(step);
            assert!((time - expected).abs() < 1e-6, "{time} for step {step}");
        }
    }

    #[test]
    fn feel_scales_the_drummers_own_placement_down_to_the_grid() {
        let late = Hit::new(Presence::NEVER, 0.5, 0.25).unwrap_or_default();
        for (feel, expected) in [(0.0, 4.0), (0.5, 4.125), (1.0, 4.25), (f32::NAN, 4.0)] {
            let controls = Controls {
                feel,
                ..Controls::default()
            };
            let time =
                Feel::new(&controls, Swing::STRAIGHT, 3, Meter::COMMON).time(4, Voice::Snare, late);
            assert!((time - expected).abs() < 1e-6, "{time} at a feel of {feel}");
        }
    }

    proptest! {
        #[test]
        fn no_hit_leaves_its_measure(
            step_idx in 0..16_usize,
            offset in -0.5_f32..0.5,
            knobs in (0.0_f32..=1.0, 0.0_f32..=1.0),
            planned in (0.0_f32..=1.0, 0.0_f32..=1.0),
            humanise in 0.0_f32..=1.0,
        ) {
            let hit = Hit::new(Presence::NEVER, 0.5, offset).unwrap_or_default();
            let (swing, shuffle) = knobs;
            let controls = Controls { swing, shuffle, humanise, ..Controls::default() };
            let feel = Feel::new(&controls, Swing::new(planned.0, planned.1), 3, Meter::COMMON);
            let time = feel.time(step_idx, Voice::Snare, hit);
            prop_assert!((0.0..16.0).contains(&time));
        }

        #[test]
        fn turning_a_knob_repeats_no_hit(n_before in 0..40_usize, swing in 0.0_f32..=1.0) {
            let mut hits = HitMap::default();
            let sure = Presence::new(1.0).and_then(|p| Hit::new(p, 0.5, 0.0)).unwrap_or_default();
            for step_idx in 0..16 {
                for voice in [Voice::Kick, Voice::ClosedHat, Voice::Ride] {
                    hits.set(step_idx, voice, sure);
                }
            }
            let mut score = Score::new();
            let drums = Chosen { hits, swing: Swing::STRAIGHT };
            score.begin(&drums, feel(0.0, 0.0), Pins::default());
            let mut seen: Vec<_> = (0..n_before).filter_map(|_| score.pop()).collect();
            score.follow(feel(swing, 1.0));
            seen.extend(std::iter::from_fn(|| score.pop()));
            let mut places: Vec<_> = seen.iter().map(|s| (s.step_idx, s.voice.index())).collect();
            places.sort_unstable();
            places.dedup();
            prop_assert_eq!((seen.len(), places.len()), (48, 48));
        }
    }
}
