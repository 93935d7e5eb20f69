//! How the whole kit is used: measures with each of the five voices that version 1 did not have, and steps that two hands
//! cannot play.

use lockstep_core::representation::{N_VOICES, Voice, is_impossible};
use lockstep_models::network::NET_STEPS;

use super::windows::Window;

/// The figures, in percent; NaN where there is nothing to count.
#[derive(Clone, Copy, Debug)]
pub struct KitUse([f64; NAMES.len()]);

/// Names of the figures.
const NAMES: [&str; 8] = [
    "side stick in measure %",
    "clap in measure %",
    "pedal hat in measure %",
    "tambourine in measure %",
    "shaker in measure %",
    "any of these five in measure %",
    "distinct on fourteen voices, % of all",
    "impossible steps, % of steps with hits",
];

/// The voices that version 1 merged or left out.
const NEW: [Voice; 5] = [
    Voice::SideStick,
    Voice::Clap,
    Voice::PedalHat,
    Voice::Tambourine,
    Voice::Shaker,
];

impl KitUse {
    /// Every figure with its name.
    pub fn named(&self) -> [(&'static str, f64); NAMES.len()] {
        std::array::from_fn(|i| (NAMES[i], self.0[i]))
    }

    /// Steps at which more sticks strike than a drummer has hands, in percent of the steps with hits.
    pub fn impossible(&self) -> f64 {
        self.0[7]
    }

    pub(super) fn of(windows: &[&Window]) -> Self {
        let rows = || windows.iter().flat_map(|window| &window.drums);
        let measures = || {
            let windows = windows.iter();
            windows.flat_map(|window| window.drums.as_chunks::<NET_STEPS>().0)
        };
        let n = measures().count() as f64;
        let plays = |measure: &[[u8; N_VOICES]; NET_STEPS], voice: Voice| {
            measure.iter().any(|row| row[voice.index()] > 0)
        };
        let share = |is_so: &dyn Fn(&[[u8; N_VOICES]; NET_STEPS]) -> bool| {
            100.0 * measures().filter(|m| is_so(m)).count() as f64 / n
        };
        let mut distinct: Vec<_> = measures().map(|m| m.map(bits)).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let n_sounding = rows().filter(|row| row.iter().any(|v| *v > 0)).count();
        let n_impossible = rows().filter(|row| is_impossible(struck(row))).count();
        let [side, clap, pedal, tambourine, shaker] = NEW.map(|voice| share(&|m| plays(m, voice)));
        Self([
            side,
            clap,
            pedal,
            tambourine,
            shaker,
            share(&|m| NEW.into_iter().any(|voice| plays(m, voice))),
            100.0 * distinct.len() as f64 / n,
            100.0 * n_impossible as f64 / n_sounding as f64,
        ])
    }
}

/// Which voices play at a step.
fn struck(row: &[u8; N_VOICES]) -> impl Iterator<Item = Voice> {
    Voice::ALL
        .into_iter()
        .filter(|voice| row[voice.index()] > 0)
}

/// The same as bits.
fn bits(row: [u8; N_VOICES]) -> u16 {
    struck(&row).fold(0, |bits, voice| bits | 1 << voice.index())
}

#[cfg(test)]
mod tests {
    use lockstep_files::measured_song::MeasuredSong;

    use super::super::windows::windows;
    use super::*;

    #[test]
    fn feet_and_claps_are_free_but_a_third_stick_is_impossible() {
        let row = |voices: &[Voice]| {
            let mut row = [0; N_VOICES];
            for voice in voices {
                row[voice.index()] = 90;
            }
            row
        };
        let possible = [
            Voice::Kick,
            Voice::PedalHat,
            Voice::Clap,
            Voice::Shaker,
            Voice::Ride,
            Voice::Snare,
        ];
        let two = row(&possible);
        let three = row(&[&possible[..], &[Voice::HighTom]].concat());
        assert!(!is_impossible(struck(&two)) && is_impossible(struck(&three)));
        let mut rows = vec![row(&[]); 5 * NET_STEPS];
        (rows[16], rows[32], rows[48], rows[64]) = (two, two, two, three);
        let song = MeasuredSong::from_steps([0, 16, 32, 48, 64], &rows);
        let all = windows(&[(song.clone(), song)]);
        let kit = KitUse::of(&[&all[1]]);
        assert!((kit.impossible() - 25.0).abs() < 1e-9);
        let [side, clap, pedal, tambourine, shaker, any, distinct, _] =
            kit.named().map(|(_, value)| value);
        let expected = [0.0, 100.0, 100.0, 0.0, 100.0, 100.0, 50.0];
        let ours = [side, clap, pedal, tambourine, shaker, any, distinct];
        for (ours, expected) in ours.into_iter().zip(expected) {
            assert!((ours - expected).abs() < 1e-9, "{:?}", kit.named());
        }
    }
}
