//! `cargo lab kit-samples` and `kit-sounds`: cuts the recordings of the built-in kits, and renders example sounds.
//!
//! The recordings are cut from `FluidR3` GM, a sound font under the MIT licence (Debian: fluid-soundfont-gm). `cut`
//! trims them, `flac` encodes them, `recordings` says which. The same command writes the same bytes.

mod cut;
mod flac;
mod recordings;

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use lockstep_core::representation::{Meter, Position};
use lockstep_engine::synth::KitChoice;
use lockstep_files::midi_file::{self, Pick};
use lockstep_models::predict::{EMBEDDED_WEIGHTS, Predictor};
use rustysynth::SoundFont;

use crate::evaluate::playing;
use crate::whole;
use recordings::RECORDINGS;

/// Source and destination of the recordings.
#[derive(Clone, Debug, clap::Args)]
pub struct KitSamples {
    /// `FluidR3_GM.sf2`; Debian's package fluid-soundfont-gm puts it in /usr/share/sounds/sf2
    sound_font: PathBuf,
    /// Folder for the recordings
    #[arg(long, default_value = "plugin/engine/kit")]
    out: PathBuf,
}

impl KitSamples {
    /// Cuts every recording and writes it.
    ///
    /// # Errors
    /// Says which file or value is wrong.
    pub fn run(&self) -> Result<()> {
        let name = self.sound_font.display();
        let file = File::open(&self.sound_font).with_context(|| format!("opening {name}"))?;
        let font = SoundFont::new(&mut BufReader::new(file))
            .with_context(|| format!("reading the sound font {name}"))?;
        whole::folder(&self.out)?;
        let mut n_bytes = 0;
        for recording in &RECORDINGS {
            let file = recording.file;
            let (rate_hz, sound) = recording.cut_from(&font)?;
            let bytes = flac::encode(&sound, rate_hz)?;
            whole::write(&self.out.join(format!("{file}.flac")), &bytes)?;
            println!(
                "{file}: {:.2} s, {} channels, {} bytes",
                sound[0].len() as f64 / f64::from(rate_hz),
                sound.len(),
                bytes.len()
            );
            n_bytes += bytes.len();
        }
        println!("{n_bytes} bytes in {}", self.out.display());
        Ok(())
    }
}

/// Destination of the examples.
#[derive(Clone, Debug, clap::Args)]
pub struct KitSounds {
    /// Folder for the examples
    #[arg(long, default_value = "docs/sound")]
    out: PathBuf,
    /// Measures in each example
    #[arg(long, default_value_t = 6)]
    measures: u32,
}

/// Sample rate of the examples.
const SOUND_RATE_HZ: u32 = 32_000;

impl KitSounds {
    /// Plays the example bass line with each kit and writes the sound, in mono.
    ///
    /// # Errors
    /// Says which file or value is wrong.
    pub fn run(&self) -> Result<()> {
        whole::folder(&self.out)?;
        let song = midi_file::read(lockstep_offline::EXAMPLE, Pick::default())
            .context("the example bass line")?;
        let mut drummer = Predictor::new(EMBEDDED_WEIGHTS).context("the embedded network")?;
        let mut take = lockstep_offline::play(
            &song,
            &playing::controls(lockstep_offline::EXAMPLE_SEED),
            &mut drummer,
        )
        .song;
        let end = Position::START + Meter::COMMON.length() * f64::from(self.measures);
        take.bass.retain(|note| note.start < end);
        take.drums.retain(|note| note.start < end);
        take.end = end;
        for kit in KitChoice::ALL {
            if kit == KitChoice::Off {
                continue;
            }
            let mut mono = Vec::new();
            let Ok(()) = lockstep_offline::render::<std::convert::Infallible>(
                &take,
                SOUND_RATE_HZ,
                kit,
                |[left, right]| {
                    mono.push(0.5 * (left + right));
                    Ok(())
                },
            );
            let peak = mono.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
            ensure!(peak < 1.0, "the example of {} peaks at {peak}", kit.id());
            let bytes = flac::encode(&[mono], SOUND_RATE_HZ)?;
            let path = self.out.join(format!("{}.flac", kit.id()));
            whole::write(&path, &bytes)?;
            println!("wrote {}, {} bytes", path.display(), bytes.len());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_recordings_of_the_plugin_are_those_that_are_cut() -> Result<()> {
        let folder = crate::root().join("plugin/engine/kit");
        let mut there = BTreeSet::new();
        let mut n_bytes = 0;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(name) = name.strip_suffix(".flac") {
                there.insert(name.to_owned());
                n_bytes += entry.metadata()?.len();
            }
        }
        let cut: BTreeSet<String> = RECORDINGS
            .iter()
            .map(|recording| recording.file.to_owned())
            .collect();
        assert_eq!(there, cut);
        assert!(n_bytes < 4_000_000, "{n_bytes} bytes of samples");
        Ok(())
    }
}
