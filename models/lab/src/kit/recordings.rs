//! What is cut from the sound font for the built-in kits.
//!
//! The font has one recording of most strokes; its velocity layers play the same recording through other filters. Of the snare
//! and of the brushed snare it has two strokes on one drum, and of the shaker the way forth and the way back.

use anyhow::{Context as _, Result};
use rustysynth::SoundFont;

use super::cut::Cut;

/// A recording of the kits.
pub(super) struct Recording {
    /// Its file, without the extension.
    pub(super) file: &'static str,
    /// The sample of the sound font, without its side.
    sample: &'static str,
    cut: Cut,
}

const fn recording(file: &'static str, sample: &'static str, cut: Cut) -> Recording {
    Recording { file, sample, cut }
}

/// Every recording, in the order of the engine's bank.
pub(super) const RECORDINGS: [Recording; 22] = [
    recording("kick", "Std Kick", Cut::whole(0.4)),
    recording("kick-felt", "Std Kick 7", Cut::whole(0.4)),
    recording("snare", "Snr 1-1", Cut::whole(0.6)),
    recording("snare-brush", "Brush Snr 1", Cut::whole(0.6)),
    recording("snare-sweep", "Brush Swirl", Cut::whole(0.7)),
    recording("hat-closed", "Hi-Hat Closed", Cut::whole(0.5)),
    recording("hat-open", "Hi-Hat Half-Open", Cut::damped(1.8, 6.0)),
    recording("tom-low", "Flr Studio", Cut::whole(1.0)),
    recording("tom-mid", "Md Studio", Cut::whole(1.0)),
    recording("tom-high", "Hi Studio", Cut::whole(1.0)),
    recording("crash", "Crsh 1", Cut::damped(3.4, 5.0)),
    recording("crash-dark", "Crsh 2", Cut::damped(3.0, 3.0)),
    recording("ride", "Ride1", Cut::whole(2.6)),
    recording("ride-dark", "Ride2", Cut::whole(2.6)),
    recording("snare-hard", "Snr 1-2", Cut::whole(0.32).mono()),
    recording("snare-slap", "Brush Snr 2", Cut::whole(0.4).mono()),
    recording("side-stick", "Rim Tap", Cut::whole(0.36).mono()),
    recording("clap", "Clap", Cut::whole(0.3).mono()),
    recording("hat-pedal", "Hi-Hat Foot", Cut::whole(0.26).mono()),
    recording("tambourine", "Tambourine", Cut::whole(0.36).mono()),
    recording(
        "shaker",
        "Small Shaker ",
        Cut::whole(0.2)
            .mono()
            .between(0.0, 0.135)
            .swelling(0.3, 0.006),
    ),
    recording(
        "shaker-back",
        "Small Shaker ",
        Cut::whole(0.2)
            .mono()
            .between(0.168, 0.29)
            .swelling(0.3, 0.006),
    ),
];

impl Recording {
    /// Its sample rate in hertz, and its channels.
    ///
    /// # Errors
    /// If the sound font has no such sample.
    pub(super) fn cut_from(&self, font: &SoundFont) -> Result<(u32, Vec<Vec<f32>>)> {
        let [left, right] =
            ["L", "R"].map(|side| samples(font, &format!("{}({side})", self.sample)));
        let (rate_hz, left) = left?;
        Ok((rate_hz, self.cut.apply([&left, &right?.1], rate_hz)))
    }
}

/// The rate in hertz and the samples, in `[-1, 1)`, of a sample of the sound font.
fn samples(font: &SoundFont, name: &str) -> Result<(u32, Vec<f32>)> {
    let header = font
        .get_sample_headers()
        .iter()
        .find(|header| header.get_name() == name)
        .with_context(|| format!("the sound font has no sample {name:?}; is it FluidR3 GM?"))?;
    let place = |at: i32| usize::try_from(at);
    let range = place(header.get_start())?..place(header.get_end())?;
    let wave = font
        .get_wave_data()
        .get(range)
        .with_context(|| format!("the sample {name:?} lies beyond the sound font's end"))?;
    let samples = wave.iter().map(|&sample| f32::from(sample) / 32_768.0);
    Ok((u32::try_from(header.get_sample_rate())?, samples.collect()))
}
