//! A generator's answer for one measure, and the plan that carries it across the threads.

use super::{N_VOICES, Swing, Voice};

/// Longest measure, in steps: two measures of 4/4, enough for 8/4, 15/8 and 4/2.
pub const MAX_STEPS_PER_MEASURE: usize = 32;

/// How readily a hit sounds: it sounds if its presence exceeds 1 − density.
///
/// ```
/// use lockstep_core::representation::Presence;
///
/// let presence = Presence::new(0.3).expect("it is between 0 and 1");
/// assert!(presence.sounds_at(0.8) && !presence.sounds_at(0.6));
/// assert_eq!(Presence::new(1.5), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Presence(f32);

impl Presence {
    /// Sounds at no density.
    pub const NEVER: Self = Self(0.0);

    /// The presence, or `None` if the value is not in `[0, 1]` (NaN is not).
    pub fn new(value: f32) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// The value, in `[0, 1]`.
    pub fn value(self) -> f32 {
        self.0
    }

    /// Whether the hit sounds at a density in `[0, 1]`. More density only ever adds hits; at 0 nothing sounds.
    pub fn sounds_at(self, density: f32) -> bool {
        density > 0.0 && self.0 > 1.0 - density
    }
}

/// One voice at one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hit {
    presence: Presence,
    velocity: f32,
    offset: f32,
}

impl Hit {
    /// A hit of `velocity` in `[0, 1]`, `offset` steps after its step, in `[-½, ½)`.
    ///
    /// Values out of range are clamped. `None` if one of them is NaN or infinite, so that nothing from a broken network reaches
    /// the audio thread.
    pub fn new(presence: Presence, velocity: f32, offset: f32) -> Option<Self> {
        (velocity.is_finite() && offset.is_finite()).then(|| Self {
            presence,
            velocity: velocity.clamp(0.0, 1.0),
            // The largest f32 below one half.
            offset: offset.clamp(-0.5, 0.499_999_97),
        })
    }

    /// How readily the hit sounds.
    pub fn presence(self) -> Presence {
        self.presence
    }

    /// Loudness in `[0, 1]`; MIDI velocity is 127 times that.
    pub fn velocity(self) -> f32 {
        self.velocity
    }

    /// Micro-timing in steps, in `[-½, ½)`; positive is late. Swing is not part of it.
    pub fn offset(self) -> f32 {
        self.offset
    }
}

/// The drums of one measure: each voice at each step, `(T, V)` = `(MAX_STEPS_PER_MEASURE, N_VOICES)`.
///
/// Rows are in time order, columns in [`Voice`]'s declaration order. Rows beyond the measure's length are empty.
///
/// ```
/// use lockstep_core::representation::{Hit, HitMap, Presence, Voice};
///
/// let sure = Presence::new(1.0).and_then(|presence| Hit::new(presence, 0.8, 0.0));
/// let mut hits = HitMap::default();
/// assert!(hits.is_rest());
/// hits.set(4, Voice::Snare, sure.expect("velocity and offset are in range"));
/// assert!(hits.hit(4, Voice::Snare).presence().sounds_at(0.1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HitMap([[Hit; N_VOICES]; MAX_STEPS_PER_MEASURE]);

impl Default for HitMap {
    fn default() -> Self {
        Self([[Hit::default(); N_VOICES]; MAX_STEPS_PER_MEASURE])
    }
}

impl HitMap {
    /// Whether it is a rest: no hit was planned.
    pub fn is_rest(&self) -> bool {
        *self == Self::default()
    }

    /// The hit of a voice at a step; beyond the last row, one that never sounds.
    pub fn hit(&self, step_idx: usize, voice: Voice) -> Hit {
        self.0
            .get(step_idx)
            .and_then(|row| row.get(voice.index()))
            .copied()
            .unwrap_or_default()
    }

    /// Sets a hit; does nothing beyond the last row.
    pub fn set(&mut self, step_idx: usize, voice: Voice, hit: Hit) {
        if let Some(cell) = self
            .0
            .get_mut(step_idx)
            .and_then(|row| row.get_mut(voice.index()))
        {
            *cell = hit;
        }
    }
}

/// A hit map, how it swings, and the measure it is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// The playback it is for; a plan for another playback is stale.
    pub playback: u32,
    /// Number of the measure it is for, counted in played measures; see [`Request`](crate::generator::Request).
    pub measure: u64,
    /// How many steps of the measure before it the generator had heard; a plan with more is newer.
    pub heard_steps: usize,
    /// How late its off-beats are played; a hit's own offset comes on top.
    pub swing: Swing,
    /// The drums.
    pub hits: HitMap,
}

/// Velocity in `[0, 1]` as MIDI's, at least 1.
///
/// ```
/// use lockstep_core::representation::midi_velocity;
///
/// assert_eq!((midi_velocity(0.0), midi_velocity(0.5), midi_velocity(1.0)), (1, 64, 127));
/// ```
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is clamped to 1 to 127 first"
)]
pub fn midi_velocity(velocity: f32) -> u8 {
    (velocity * 127.0).round().clamp(1.0, 127.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nan_and_infinity_cannot_become_a_hit() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(Presence::new(bad), None);
            assert_eq!(Hit::new(Presence::NEVER, bad, 0.0), None);
            assert_eq!(Hit::new(Presence::NEVER, 0.5, bad), None);
        }
        assert_eq!(Presence::new(1.5), None);
    }

    #[test]
    fn density_zero_is_silence_and_one_half_is_what_the_network_decided() {
        let presence = |x| Presence::new(x).unwrap_or_default();
        assert!(!presence(1.0).sounds_at(0.0));
        assert!(presence(0.51).sounds_at(0.5));
        assert!(!presence(0.49).sounds_at(0.5));
        assert!(presence(0.01).sounds_at(1.0));
        assert!(!Presence::NEVER.sounds_at(1.0));
    }

    proptest! {
        #[test]
        fn raising_density_never_removes_a_hit(p in 0.0_f32..=1.0, a in 0.0_f32..=1.0, b in 0.0_f32..=1.0) {
            let presence = Presence::new(p).unwrap_or_default();
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            prop_assert!(!presence.sounds_at(low) || presence.sounds_at(high));
        }

        #[test]
        fn hits_stay_in_their_ranges(v in -10.0_f32..10.0, o in -10.0_f32..10.0) {
            let hit = Hit::new(Presence::NEVER, v, o).unwrap_or_default();
            prop_assert!((0.0..=1.0).contains(&hit.velocity()));
            prop_assert!((-0.5..0.5).contains(&hit.offset()));
        }
    }
}
