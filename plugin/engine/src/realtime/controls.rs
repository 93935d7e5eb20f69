//! The musician's knobs as the performer sees them, read once per block.

use lockstep_core::generator::{FillLength, GeneratorSettings};
use lockstep_core::representation::{Meter, N_GROUPS, Voice};

use super::drum_map::DrumMap;
use super::fills::Fills;
use super::pins::Pins;

/// What the drummer does when the bassist has fallen silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SilencePolicy {
    /// Rests once a whole window is silent, until the bass comes back.
    #[default]
    LayOut,
    /// Repeats what it played last, from the first silent measure on.
    KeepTime,
}

/// What starts the drummer's own clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FreeRunStart {
    /// The first bass note: it is beat one.
    #[default]
    FirstNote,
    /// A count-in of one tap per whole quarter note of the measure: the beat after the last tap is beat one.
    Count,
}

/// Whether the drummer's own clock follows the bassist's tempo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TempoFollow {
    /// No: it keeps the set tempo, or returns to it within a few beats from the tempo it had found.
    #[default]
    Off,
    /// Yes, up to 15 % from the set tempo.
    Follow,
    /// No: it keeps the tempo it has found.
    Freeze,
}

/// The knobs of one block.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent switch"
)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    /// Whether nothing sounds. The drummer keeps listening and counting, so afterwards it plays what it would have played
    /// anyway.
    pub is_bypassed: bool,
    /// Overall density in `[0, 1]`; see [`Self::density_of`].
    pub density: f32,
    /// Density of each voice group in `[0, 1]`, in the order of `VoiceGroup`.
    pub group_density: [f32; N_GROUPS],
    /// Muted voices: bit `v` is set for the one in place `v` of [`Voice::ALL`]. The drummer still plans them, so nothing else
    /// changes.
    pub muted: u16,
    /// Pinned and forbidden cells.
    pub pins: Pins,
    /// What the generator is told; its `fill` comes from [`Self::fills`], [`Self::fill_now`] and [`Self::fill_length`], its
    /// `idea` from [`Self::new_idea`].
    pub settings: GeneratorSettings,
    /// When fills are asked for.
    pub fills: Fills,
    /// How much of its measure a fill takes that is asked for.
    pub fill_length: FillLength,
    /// Whether the button for a fill in the next measure is down.
    pub fill_now: bool,
    /// Whether the button for another idea is down: each press counts once, however long it is held.
    pub new_idea: bool,
    /// How late the bassist plays, in milliseconds, in `[0, 100]`: bass notes are moved earlier by this much.
    pub late_hands_ms: f32,
    /// Which notes the drums are sent on.
    pub map: DrumMap,
    /// How late odd sixteenths are, in half steps, in `[0, 1]`; ⅔ is a triplet feel, 1 a dotted one.
    pub swing: f32,
    /// How late off-beat eighths are, in steps, in `[0, 1]`; ⅔ is a shuffle in triplets. Sixteenths move along.
    pub shuffle: f32,
    /// How loosely hits are played, in `[0, 1]`; at 1 up to 0.12 step early or late and 15 % louder or softer.
    pub humanise: f32,
    /// How much of the drummer's own timing around the beat is heard, in `[0, 1]`; 0 is on the grid.
    pub feel: f32,
    /// Gain on every velocity, in `[0, 2]`; 1 changes nothing.
    pub velocity: f32,
    /// What happens when the bass is silent.
    pub silence: SilencePolicy,
    /// Whether the drummer plays by its own clock while the transport is stopped. It always does if there is no transport.
    pub free_run: bool,
    /// Tempo of that clock in BPM. A tapped tempo replaces it until this one is changed.
    pub free_run_tempo_bpm: f64,
    /// Meter of that clock; a change takes effect at the next downbeat.
    pub free_run_meter: Meter,
    /// What starts that clock.
    pub free_run_start: FreeRunStart,
    /// Whether that clock follows the bassist's tempo.
    pub tempo_follow: TempoFollow,
}

impl Default for Controls {
    /// Everything neutral: the plan as the drummer meant it.
    fn default() -> Self {
        Self {
            is_bypassed: false,
            density: 0.5,
            group_density: [0.5; N_GROUPS],
            muted: 0,
            pins: Pins::default(),
            settings: GeneratorSettings {
                seed: 0,
                variation: 0.5,
                ..GeneratorSettings::default()
            },
            fills: Fills::Free,
            fill_length: FillLength::Measure,
            fill_now: false,
            new_idea: false,
            late_hands_ms: 0.0,
            map: DrumMap::GENERAL_MIDI,
            swing: 0.0,
            shuffle: 0.0,
            humanise: 0.0,
            feel: 1.0,
            velocity: 1.0,
            silence: SilencePolicy::LayOut,
            free_run: false,
            free_run_tempo_bpm: 120.0,
            free_run_meter: Meter::COMMON,
            free_run_start: FreeRunStart::FirstNote,
            tempo_follow: TempoFollow::Off,
        }
    }
}

impl Controls {
    /// The density that applies to a voice, in `[0, 1]`: twice the product of the overall and the group's density.
    ///
    /// Both at ½ give ½, the plan as the drummer meant it. It rises with either, and is 0 if either is 0 or the voice is muted.
    ///
    /// ```
    /// use lockstep_core::representation::Voice;
    /// use lockstep_engine::realtime::Controls;
    ///
    /// let controls = Controls { muted: 1 << Voice::Kick.index(), ..Controls::default() };
    /// assert_eq!(controls.density_of(Voice::Kick), 0.0);
    /// assert!(controls.density_of(Voice::Snare) > 0.0);
    /// ```
    pub fn density_of(&self, voice: Voice) -> f32 {
        if self.muted >> voice.index() & 1 == 1 {
            return 0.0;
        }
        let group = self.group_density.get(voice.group().index());
        (2.0 * self.density * group.copied().unwrap_or_default()).clamp(0.0, 1.0)
    }

    /// A velocity after the gain, from 1/127 to 1.
    pub(super) fn loudness(&self, velocity: f32) -> f32 {
        let loud = velocity * self.velocity;
        if loud.is_nan() { velocity } else { loud }.clamp(1.0 / 127.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overall_and_group_density_of_one_half_give_one_half() {
        let mut controls = Controls::default();
        assert!((controls.density_of(Voice::Kick) - 0.5).abs() < 1e-6);
        controls.density = 1.0;
        assert!((controls.density_of(Voice::Kick) - 1.0).abs() < 1e-6);
        controls.group_density = [0.0; N_GROUPS];
        assert!(controls.density_of(Voice::Ride).abs() < 1e-6);
    }
}
