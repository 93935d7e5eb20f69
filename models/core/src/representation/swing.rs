//! Swing: how late the off-beats of a measure are played, and the way between straight and swung places.
//!
//! Swing is a quantity of the measure, apart from micro-timing: a step keeps its number, the whole grid moves, and what then
//! remains of a note's place is its offset. [`SwungGrid`] moves places both ways, [`MeasureEvidence`] and [`SwingEar`] find
//! out how a player swings. Nothing here allocates but [`swing_of_song`], so the audio thread may use the rest.

mod ear;
mod evidence;
mod smoothing;

pub use ear::SwingEar;
pub use evidence::{HeardSwing, MeasureEvidence, SwingOnset};
pub use smoothing::swing_of_song;

use super::Meter;

/// Most that an odd step is delayed by both kinds of swing together, in steps, so that it stays before the next one.
const MAX_ODD_DELAY: f32 = 0.95;

/// The last step of a measure is at least this many steps before its end.
const LAST_STEPS: f64 = 1.0 / 64.0;

/// How late off-beat notes are, in units of half their own length: 0 is straight, ⅔ a triplet, 1 dotted.
///
/// An off-beat eighth is `eighths` steps late and the sixteenths around it half of that; an odd sixteenth is late by
/// `0.5 * sixteenths` steps more.
///
/// ```
/// use lockstep_core::representation::{Meter, Swing};
///
/// let shuffle = Swing::new(2.0 / 3.0, 0.0).in_meter(Meter::COMMON);
/// assert!((shuffle.place_of(2.0) - 8.0 / 3.0).abs() < 1e-6);
/// assert!((shuffle.straighten(8.0 / 3.0) - 2.0).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Swing {
    eighths: f32,
    sixteenths: f32,
}

impl Swing {
    /// No swing.
    pub const STRAIGHT: Self = Self {
        eighths: 0.0,
        sixteenths: 0.0,
    };

    /// A swing of eighths and of sixteenths; each is limited to `[0, 1]`, and NaN is 0.
    pub fn new(eighths: f32, sixteenths: f32) -> Self {
        let unit = |x: f32| if x.is_nan() { 0.0 } else { x.clamp(0.0, 1.0) };
        Self {
            eighths: unit(eighths),
            sixteenths: unit(sixteenths),
        }
    }

    /// How many steps late an off-beat eighth is, in `[0, 1]`.
    pub fn eighths(self) -> f32 {
        self.eighths
    }

    /// How many half steps late an odd sixteenth is, in `[0, 1]`.
    pub fn sixteenths(self) -> f32 {
        self.sixteenths
    }

    /// Whether nothing is late.
    pub fn is_straight(self) -> bool {
        self == Self::STRAIGHT
    }

    /// The larger of two swings, kind by kind.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            eighths: self.eighths.max(other.eighths),
            sixteenths: self.sixteenths.max(other.sixteenths),
        }
    }

    /// The step grid of a measure with this swing. In x/8 meters the eighth is the beat, so eighths do not swing.
    pub fn in_meter(self, meter: Meter) -> SwungGrid {
        let eighths = if meter.denominator() == 8 {
            0.0
        } else {
            self.eighths
        };
        SwungGrid {
            swing: Self { eighths, ..self },
            n_steps: meter.n_steps(),
        }
    }
}

/// The steps of one measure at the places where they are played. Places are in steps since the measure's start.
///
/// Places between steps move in proportion. Before the measure and from its end on nothing moves. Going there and back gives
/// the same place up to rounding, and exactly the same at the steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SwungGrid {
    swing: Swing,
    n_steps: usize,
}

impl SwungGrid {
    /// The swing, without what the meter rules out.
    pub fn swing(&self) -> Swing {
        self.swing
    }

    /// How many steps after its straight place a step is played.
    pub fn delay(&self, step_idx: usize) -> f32 {
        let Swing {
            eighths,
            sixteenths,
        } = self.swing;
        match step_idx % 4 {
            0 => 0.0,
            2 => eighths,
            _ => (0.5 * sixteenths + 0.5 * eighths).min(MAX_ODD_DELAY),
        }
    }

    /// Where a step is played; the end of the measure and what follows it are where they are.
    pub fn step(&self, step_idx: usize) -> f64 {
        let straight = step_idx as f64;
        if step_idx >= self.n_steps {
            return straight;
        }
        let last = self.n_steps as f64 - LAST_STEPS;
        (straight + f64::from(self.delay(step_idx))).min(last)
    }

    /// Where a straight place is played.
    pub fn place_of(&self, straight: f64) -> f64 {
        let Some(step_idx) = self.step_before(straight) else {
            return straight;
        };
        let (from, to) = (self.step(step_idx), self.step(step_idx + 1));
        from + (straight - step_idx as f64) * (to - from)
    }

    /// The straight place of what is played somewhere; the inverse of [`Self::place_of`].
    pub fn straighten(&self, place: f64) -> f64 {
        // A step is never early and less than one step late, so it is this one or the one before.
        let Some(step_idx) = self.step_before(place) else {
            return place;
        };
        let step_idx = if self.step(step_idx) > place {
            step_idx.saturating_sub(1)
        } else {
            step_idx
        };
        let (from, to) = (self.step(step_idx), self.step(step_idx + 1));
        step_idx as f64 + (place - from) / (to - from)
    }

    /// The step that is played nearest to a place, from 0 to the number of steps (the next downbeat), and by how many steps
    /// the place is later than it. A place halfway between two steps belongs to the later one.
    pub fn nearest(&self, place: f64) -> (usize, f64) {
        let nearest = (0..self.n_steps)
            .take_while(|step_idx| place >= self.close(*step_idx))
            .count();
        (nearest, place - self.step(nearest))
    }

    /// Halfway between where a step and the next one are played: from there on, a note belongs to the next one.
    pub fn close(&self, step_idx: usize) -> f64 {
        f64::midpoint(self.step(step_idx), self.step(step_idx + 1))
    }

    /// The last step whose straight place is not after this one; `None` outside the measure.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the place is at least 0 and below the number of steps"
    )]
    fn step_before(&self, place: f64) -> Option<usize> {
        let is_inside = place >= 0.0 && place < self.n_steps as f64;
        is_inside.then_some(place as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grid(eighths: f32, sixteenths: f32) -> SwungGrid {
        Swing::new(eighths, sixteenths).in_meter(Meter::COMMON)
    }

    #[test]
    fn a_shuffle_moves_eighths_to_the_triplet_and_sixteenths_half_as_far() {
        let grid = grid(2.0 / 3.0, 0.0);
        for (step_idx, place) in [(4, 4.0), (5, 5.0 + 1.0 / 3.0), (6, 6.0 + 2.0 / 3.0)] {
            assert!((grid.step(step_idx) - place).abs() < 1e-6);
        }
    }

    #[test]
    fn swung_sixteenths_leave_the_eighths_in_place() {
        let grid = grid(0.0, 2.0 / 3.0);
        let places: Vec<_> = (0..4).map(|step_idx| grid.step(step_idx)).collect();
        assert!((places[1] - 4.0 / 3.0).abs() < 1e-6 && (places[3] - 10.0 / 3.0).abs() < 1e-6);
        assert!(places[0] <= 0.0 && (places[2] - 2.0).abs() <= 0.0);
    }

    #[test]
    fn the_eighths_of_six_eight_do_not_swing() {
        let meter = Meter::new(6, 8).unwrap_or_default();
        let grid = Swing::new(1.0, 0.5).in_meter(meter);
        assert_eq!(grid.swing(), Swing::new(0.0, 0.5));
        assert!((grid.step(2) - 2.0).abs() <= 0.0 && (grid.step(3) - 3.25).abs() < 1e-6);
    }

    #[test]
    fn nan_is_straight_and_the_rest_is_limited() {
        assert!(Swing::new(f32::NAN, f32::NEG_INFINITY).is_straight());
        assert_eq!(Swing::new(f32::INFINITY, 7.0), Swing::new(1.0, 1.0));
    }

    proptest! {
        #[test]
        fn a_swung_place_comes_back_and_keeps_its_order(
            e in 0.0_f32..=1.0, s in 0.0_f32..=1.0, n in 1..=32_u8, a in -2.0_f64..34.0, b in -2.0_f64..34.0,
        ) {
            let meter = Meter::new(n, 16).unwrap_or_default();
            let grid = Swing::new(e, s).in_meter(meter);
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(grid.place_of(low) <= grid.place_of(high));
            prop_assert!(grid.straighten(low) <= grid.straighten(high));
            prop_assert!((grid.straighten(grid.place_of(a)) - a).abs() < 1e-9);
            prop_assert!((grid.place_of(grid.straighten(a)) - a).abs() < 1e-9);
        }

        #[test]
        fn steps_come_back_exactly_and_are_nearest_to_themselves(
            e in 0.0_f32..=1.0, s in 0.0_f32..=1.0, n in 1..=32_u8, step in 0..33_usize,
        ) {
            let meter = Meter::new(n, 16).unwrap_or_default();
            let grid = Swing::new(e, s).in_meter(meter);
            let step = step.min(meter.n_steps());
            let place = grid.step(step);
            prop_assert!((grid.straighten(place) - step as f64).abs() <= 0.0);
            prop_assert!((grid.place_of(step as f64) - place).abs() <= 0.0);
            prop_assert_eq!(grid.nearest(place), (step, 0.0));
        }

        #[test]
        fn the_nearest_step_is_the_nearest_one(e in 0.0_f32..=1.0, s in 0.0_f32..=1.0, place in -1.0_f64..17.0) {
            let grid = grid(e, s);
            let (nearest, lateness) = grid.nearest(place);
            let least = (0..=16).map(|step| (place - grid.step(step)).abs()).fold(f64::MAX, f64::min);
            prop_assert!((lateness.abs() - least).abs() < 1e-12);
            prop_assert!((place - grid.step(nearest) - lateness).abs() <= 0.0);
        }

        #[test]
        fn a_straight_grid_moves_nothing(place in -2.0_f64..20.0) {
            let grid = grid(0.0, 0.0);
            prop_assert!((grid.place_of(place) - place).abs() < 1e-12 && (grid.straighten(place) - place).abs() < 1e-12);
        }
    }
}
