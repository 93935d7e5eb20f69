//! Cells of the measure that the musician has pinned or forbidden, overriding the drummer.

use lockstep_core::representation::{Hit, MAX_STEPS_PER_MEASURE, N_VOICES, Presence, Voice};

/// Velocity of a pinned hit that the drummer did not plan.
const PINNED_VELOCITY: f32 = 0.75;

/// The musician's decision about a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pin {
    /// None: the drummer and density decide.
    #[default]
    Free,
    /// Its hit sounds at every density above 0.
    Pinned,
    /// Its hit never sounds.
    Forbidden,
}

/// The pins, the same for every measure: step by step from the downbeat, voice by voice. Steps beyond a measure's end are
/// ignored. Pins add nothing to a measure in which the drummer rests.
///
/// ```
/// use lockstep_core::representation::Voice;
/// use lockstep_engine::realtime::{Pin, Pins};
///
/// let mut pins = Pins::default();
/// pins.set(0, Voice::Crash, Pin::Pinned);
/// assert_eq!(pins.at(0, Voice::Crash), Pin::Pinned);
/// let [pinned, forbidden] = pins.bits();
/// assert_eq!(Pins::from_bits(pinned, forbidden), pins);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    /// Bit `s` of entry `v`: voice `v` is pinned at step `s`.
    pinned: [u32; N_VOICES],
    /// The same for forbidden cells. Forbidden wins where both are set.
    forbidden: [u32; N_VOICES],
}

const _: () = assert!(MAX_STEPS_PER_MEASURE <= 32, "one bit per step");

impl Pins {
    /// Pins from bits: entry `v` has bit `s` set where voice `v` is pinned, or forbidden, at step `s`.
    pub fn from_bits(pinned: [u32; N_VOICES], forbidden: [u32; N_VOICES]) -> Self {
        Self { pinned, forbidden }
    }

    /// The bits, as in [`Self::from_bits`]: pinned and forbidden.
    pub fn bits(self) -> [[u32; N_VOICES]; 2] {
        [self.pinned, self.forbidden]
    }

    /// The decision about a cell.
    pub fn at(&self, step_idx: usize, voice: Voice) -> Pin {
        let is_set = |bits: &[u32; N_VOICES]| {
            let bits = bits.get(voice.index()).copied().unwrap_or_default();
            step_idx < MAX_STEPS_PER_MEASURE && bits >> step_idx & 1 == 1
        };
        if is_set(&self.forbidden) {
            Pin::Forbidden
        } else if is_set(&self.pinned) {
            Pin::Pinned
        } else {
            Pin::Free
        }
    }

    /// Sets a cell; a step beyond the longest measure is ignored.
    pub fn set(&mut self, step_idx: usize, voice: Voice, pin: Pin) {
        if step_idx >= MAX_STEPS_PER_MEASURE {
            return;
        }
        let cells = [
            (&mut self.pinned, Pin::Pinned),
            (&mut self.forbidden, Pin::Forbidden),
        ];
        for (bits, of) in cells {
            if let Some(bits) = bits.get_mut(voice.index()) {
                *bits = *bits & !(1 << step_idx) | u32::from(pin == of) << step_idx;
            }
        }
    }

    /// Whether every cell is free.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A planned hit after the pins.
    pub(super) fn apply(&self, step_idx: usize, voice: Voice, hit: Hit) -> Hit {
        let as_planned = hit.presence() != Presence::NEVER && hit.velocity() > 0.0;
        let velocity = if as_planned {
            hit.velocity()
        } else {
            PINNED_VELOCITY
        };
        let pinned_hit = match self.at(step_idx, voice) {
            Pin::Free => Some(hit),
            Pin::Forbidden => Hit::new(Presence::NEVER, hit.velocity(), hit.offset()),
            Pin::Pinned => {
                let offset = if as_planned { hit.offset() } else { 0.0 };
                Presence::new(1.0).and_then(|sure| Hit::new(sure, velocity, offset))
            }
        };
        pinned_hit.unwrap_or(hit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_one_state_and_pins_survive_a_round_trip_through_bits() {
        let mut pins = Pins::default();
        pins.set(31, Voice::Ride, Pin::Pinned);
        pins.set(0, Voice::Kick, Pin::Pinned);
        pins.set(0, Voice::Kick, Pin::Forbidden);
        pins.set(99, Voice::Kick, Pin::Pinned);
        let [pinned, forbidden] = pins.bits();
        let again = Pins::from_bits(pinned, forbidden);
        assert_eq!(again.at(31, Voice::Ride), Pin::Pinned);
        assert_eq!(again.at(0, Voice::Kick), Pin::Forbidden);
        assert_eq!(again.at(1, Voice::Kick), Pin::Free);
        pins.set(31, Voice::Ride, Pin::Free);
        pins.set(0, Voice::Kick, Pin::Free);
        assert!(pins.is_empty());
    }

    #[test]
    fn a_pinned_hit_keeps_the_planned_velocity_and_offset_if_there_is_one() {
        let mut pins = Pins::default();
        pins.set(2, Voice::Snare, Pin::Pinned);
        let planned = Presence::new(0.3).and_then(|p| Hit::new(p, 0.4, 0.1));
        let pinned_hit = pins.apply(2, Voice::Snare, planned.unwrap_or_default());
        assert!((pinned_hit.velocity() - 0.4).abs() < 1e-6 && pinned_hit.offset() > 0.0);
        assert!(pinned_hit.presence().sounds_at(0.01));
        let from_nothing = pins.apply(2, Voice::Snare, Hit::default());
        assert!((from_nothing.velocity() - PINNED_VELOCITY).abs() < 1e-6);
    }
}
