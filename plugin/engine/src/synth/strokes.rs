//! How each kit plays a hit: which sound, loudness, brightness and pan, and how hits vary.
//!
//! Part of the audio thread; never allocates. The same hits give the same strokes.

use lockstep_core::draws::uniform;
use lockstep_core::representation::Voice;

use super::bank::{Recording, SoundIdx};
use super::settings::KitChoice;
use super::voices;

/// One hit as it is played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    /// Which sound it plays.
    pub(super) sound: SoundIdx,
    /// For left and right, the gains of the sound's two channels.
    pub(super) mix: [[f32; 2]; 2],
    /// Semitones above the sound's own pitch.
    pub(super) tune_semitones: f32,
    /// Cutoff of the low-pass; infinite leaves the sound as it is.
    pub(super) cutoff_hz: f32,
    /// Length of an added attack; 0 keeps the sound's own.
    pub(super) rise_s: f32,
}

/// A voice of a recorded kit.
struct Recipe {
    recording: Recording,
    /// Peak of the hardest hit.
    peak: f32,
    /// From -1 (left) to 1 (right), as the drummer sees the kit.
    pan: f32,
    tune_semitones: f32,
    /// Cutoff of the low-pass for the softest and for the hardest hit.
    cutoff_hz: [f32; 2],
    rise_s: f32,
}

/// Peak of the recordings in the files.
const RECORDED_PEAK: f32 = 0.95;

/// Brushed snares softer than this are swept, not struck.
const SWEEP_BELOW: f32 = 0.4;

/// Of two strokes on one drum, only the soft one is played up to the first velocity. Above it the hard one is played the more
/// often the harder the hit, and at the second one it would be the only one: so backbeats in a row differ at full velocity too.
const HARD_BETWEEN: [f32; 2] = [0.65, 1.1];

/// How much hits of a recorded kit vary, as a drummer's hits do.
const GAIN_SPREAD_DB: f32 = 0.9;
const TUNE_SPREAD_SEMITONES: f32 = 0.12;
const CUTOFF_SPREAD_OCTAVES: f32 = 0.25;

/// The stroke for a velocity in `(0, 1]`, after `n_hits` earlier hits of the voice. `None` if the kit is off.
pub(super) fn stroke(
    choice: KitChoice,
    voice: Voice,
    velocity: f32,
    n_hits: u32,
) -> Option<Stroke> {
    let recipe = match choice {
        KitChoice::Off => return None,
        KitChoice::Electronic => return Some(machine(voice, velocity)),
        KitChoice::Acoustic => acoustic(voice, velocity, n_hits),
        KitChoice::Brushes => brushes(voice, velocity, n_hits),
    };
    let [loudness, pitch, colour] = draws(voice, n_hits);
    let gain = recipe.peak / RECORDED_PEAK
        * loudness_of(velocity)
        * 10_f32.powf(GAIN_SPREAD_DB * loudness / 20.0);
    let [soft_hz, hard_hz] = recipe.cutoff_hz;
    let octaves = velocity * (hard_hz / soft_hz).log2() + CUTOFF_SPREAD_OCTAVES * colour;
    Some(Stroke {
        sound: recipe.recording.into(),
        mix: [
            [gain * (1.0 - recipe.pan).min(1.0), 0.0],
            [0.0, gain * (1.0 + recipe.pan).min(1.0)],
        ],
        tune_semitones: recipe.tune_semitones + TUNE_SPREAD_SEMITONES * pitch,
        cutoff_hz: soft_hz * octaves.exp2(),
        rise_s: recipe.rise_s,
    })
}

/// Twice the velocity is 9 dB louder (and the sound gets brighter as well).
fn loudness_of(velocity: f32) -> f32 {
    velocity * velocity.sqrt()
}

/// The drum machine plays every hit alike.
fn machine(voice: Voice, velocity: f32) -> Stroke {
    let body = loudness_of(velocity);
    let layers = [body, velocity * body];
    Stroke {
        sound: SoundIdx::machine(voice),
        mix: voices::gains(voice).map(|gain| layers.map(|layer| gain * layer)),
        tune_semitones: 0.0,
        cutoff_hz: f32::INFINITY,
        rise_s: 0.0,
    }
}

fn acoustic(voice: Voice, velocity: f32, n_hits: u32) -> Recipe {
    let (recording, peak, pan, cutoff_hz) = match voice {
        Voice::Kick => (Recording::Kick, 0.72, 0.0, [700.0, 9_000.0]),
        Voice::Snare => {
            let recording = if is_hard(voice, velocity, n_hits) {
                Recording::HardSnare
            } else {
                Recording::Snare
            };
            (recording, 0.66, -0.05, [1_200.0, 18_000.0])
        }
        Voice::SideStick => (Recording::SideStick, 0.5, -0.05, [1_500.0, 14_000.0]),
        Voice::Clap => (Recording::Clap, 0.6, 0.1, [1_500.0, 16_000.0]),
        Voice::ClosedHat => (Recording::ClosedHat, 0.34, -0.25, [3_000.0, 20_000.0]),
        Voice::PedalHat => (Recording::PedalHat, 0.28, -0.25, [3_000.0, 18_000.0]),
        Voice::OpenHat => (Recording::OpenHat, 0.36, -0.25, [3_000.0, 20_000.0]),
        Voice::LowTom => (Recording::LowTom, 0.6, 0.35, [500.0, 9_000.0]),
        Voice::MidTom => (Recording::MidTom, 0.6, 0.1, [600.0, 10_000.0]),
        Voice::HighTom => (Recording::HighTom, 0.6, -0.2, [700.0, 11_000.0]),
        Voice::Crash => (Recording::Crash, 0.36, -0.25, [2_000.0, 20_000.0]),
        Voice::Ride => (Recording::Ride, 0.36, 0.25, [3_000.0, 20_000.0]),
        Voice::Tambourine => (Recording::Tambourine, 0.3, -0.35, [4_000.0, 20_000.0]),
        Voice::Shaker => (shaker(n_hits), 0.38, 0.35, [4_000.0, 20_000.0]),
    };
    Recipe {
        recording,
        peak,
        pan,
        // At its recorded pitch the high tom is too close to the mid tom.
        tune_semitones: if voice == Voice::HighTom { 2.0 } else { 0.0 },
        cutoff_hz,
        rise_s: 0.0,
    }
}

/// The brush kit, panned and tuned like the acoustic one. Recordings made with sticks get a slower attack and fewer highs.
fn brushes(voice: Voice, velocity: f32, n_hits: u32) -> Recipe {
    let (recording, peak, cutoff_hz, rise_s) = match voice {
        Voice::Kick => (Recording::FeltKick, 0.72, [400.0, 3_500.0], 0.0),
        Voice::Snare if velocity < SWEEP_BELOW => {
            (Recording::SweptSnare, 0.8, [2_500.0, 18_000.0], 0.0)
        }
        Voice::Snare if is_hard(voice, velocity, n_hits) => {
            (Recording::SlappedSnare, 0.7, [1_500.0, 16_000.0], 0.0)
        }
        Voice::Snare => (Recording::BrushedSnare, 0.74, [1_500.0, 16_000.0], 0.0),
        Voice::SideStick => (Recording::SideStick, 0.52, [1_200.0, 8_000.0], 0.001),
        Voice::Clap => (Recording::Clap, 0.58, [1_200.0, 9_000.0], 0.001),
        Voice::ClosedHat => (Recording::ClosedHat, 0.44, [1_800.0, 9_000.0], 0.002),
        Voice::PedalHat => (Recording::PedalHat, 0.36, [1_800.0, 9_000.0], 0.002),
        Voice::OpenHat => (Recording::OpenHat, 0.44, [1_800.0, 9_000.0], 0.003),
        Voice::LowTom => (Recording::LowTom, 0.6, [350.0, 2_500.0], 0.003),
        Voice::MidTom => (Recording::MidTom, 0.6, [400.0, 2_800.0], 0.003),
        Voice::HighTom => (Recording::HighTom, 0.6, [450.0, 3_200.0], 0.003),
        Voice::Crash => (Recording::DarkCrash, 0.4, [1_200.0, 8_000.0], 0.008),
        Voice::Ride => (Recording::DarkRide, 0.46, [1_800.0, 9_000.0], 0.002),
        Voice::Tambourine => (Recording::Tambourine, 0.37, [3_000.0, 12_000.0], 0.002),
        Voice::Shaker => (shaker(n_hits), 0.46, [3_000.0, 12_000.0], 0.0),
    };
    Recipe {
        recording,
        peak,
        cutoff_hz,
        rise_s,
        ..acoustic(voice, velocity, n_hits)
    }
}

/// Whether a hit is played as the harder of two strokes.
fn is_hard(voice: Voice, velocity: f32, n_hits: u32) -> bool {
    let [from, to] = HARD_BETWEEN;
    let draw = uniform(&[u64::from(n_hits), voice.draw_idx(), 3]);
    velocity > from + (to - from) * draw
}

/// Forth and back in turn.
fn shaker(n_hits: u32) -> Recording {
    if n_hits.is_multiple_of(2) {
        Recording::Shaker
    } else {
        Recording::ShakerBack
    }
}

/// Variation of loudness, pitch and brightness of a hit, each in `[-1, 1]`.
///
/// The first alternates in sign, so that no two hits in a row are equally loud.
fn draws(voice: Voice, n_hits: u32) -> [f32; 3] {
    let draw = |what: u64| uniform(&[u64::from(n_hits), voice.draw_idx(), what]);
    let sign = if n_hits.is_multiple_of(2) { 1.0 } else { -1.0 };
    [sign * draw(0), 2.0 * draw(1) - 1.0, 2.0 * draw(2) - 1.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_in_a_row_differ_on_a_recorded_kit_but_not_on_the_drum_machine() {
        for voice in Voice::ALL {
            for choice in [
                KitChoice::Acoustic,
                KitChoice::Brushes,
                KitChoice::Electronic,
            ] {
                let level = |n_hits| stroke(choice, voice, 0.8, n_hits).map(|s| s.mix[1][1]);
                let differ = (0..40).filter(|n| level(*n) != level(n + 1)).count();
                let want = if choice == KitChoice::Electronic {
                    0
                } else {
                    40
                };
                assert_eq!(differ, want, "{voice:?} of {choice:?}");
            }
        }
    }

    #[test]
    fn the_variation_of_hits_stays_in_range() {
        for n_hits in 0..1_000 {
            let draws = draws(Voice::Snare, n_hits);
            assert!(draws.iter().all(|draw| draw.abs() <= 1.0), "{draws:?}");
        }
        let mean = (0..1_000).map(|n| draws(Voice::Kick, n)[1]).sum::<f32>() / 1_000.0;
        assert!(mean.abs() < 0.1, "{mean}");
    }

    /// How many of a hundred snares play a recording.
    fn n_snares_of(recording: Recording, choice: KitChoice, velocity: f32) -> usize {
        let strokes = (0..100).filter_map(|n| stroke(choice, Voice::Snare, velocity, n));
        strokes
            .filter(|stroke| stroke.sound == recording.into())
            .count()
    }

    #[test]
    fn soft_brushed_snares_are_swept() {
        let n_swept = [0.1, 0.39, 0.4, 0.65, 1.0]
            .map(|velocity| n_snares_of(Recording::SweptSnare, KitChoice::Brushes, velocity));
        assert_eq!(n_swept, [100, 100, 0, 0, 0]);
        let n_tapped = n_snares_of(Recording::BrushedSnare, KitChoice::Brushes, 0.65);
        assert_eq!(n_tapped, 100);
    }

    #[test]
    fn the_harder_a_snare_is_hit_the_more_often_it_is_the_hard_stroke() {
        for (choice, hard) in [
            (KitChoice::Acoustic, Recording::HardSnare),
            (KitChoice::Brushes, Recording::SlappedSnare),
        ] {
            let n_hard =
                [0.65, 0.75, 0.85, 0.95, 1.0].map(|velocity| n_snares_of(hard, choice, velocity));
            assert!(n_hard.is_sorted(), "{choice:?}: {n_hard:?}");
            assert!(n_hard[0] == 0 && n_hard[1] > 10, "{choice:?}: {n_hard:?}");
            // Backbeats alternate even at full velocity.
            assert!((60..90).contains(&n_hard[4]), "{choice:?}: {n_hard:?}");
        }
    }

    #[test]
    fn a_shaker_moves_forth_and_back() {
        for choice in [KitChoice::Acoustic, KitChoice::Brushes] {
            let sounds = [0, 1, 2].map(|n_hits| stroke(choice, Voice::Shaker, 0.7, n_hits));
            let sounds = sounds.map(|stroke| stroke.map(|stroke| stroke.sound));
            assert!(sounds[0] == sounds[2] && sounds[0] != sounds[1]);
        }
    }
}
