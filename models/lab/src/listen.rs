//! `cargo lab listen`: the drummer plays to the project's own bass lines, so that you can read, see and hear it.
//!
//! Plays through the plugin's engine, as `evaluate` does. No song of a corpus is involved, so the results may be
//! published. `lines` reads the bass lines, `medley` joins all takes into one sound, `page` describes them. The same
//! command writes the same bytes.

pub(crate) mod lines;
mod medley;
mod page;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use lockstep_core::generator::DEFAULT_SEED;
use lockstep_engine::synth::KitChoice;
use lockstep_files::midi_file;
use lockstep_models::predict::EMBEDDED_NAME;

use crate::evaluate::{drummers, playing};
use crate::picture::{self, Roll};
use crate::whole;
use lines::Line;
use medley::Medley;
use page::{Page, PlayedLine};

/// The project's own bass lines.
const OWN_LINES: &str = include_str!("../../listening/lines.toml");

/// Name of the page and of the medley, without their extensions.
const TITLE: &str = "listening";

/// The kit that plays the takes.
const KIT: KitChoice = KitChoice::Electronic;

/// The first measure with drums, counted from 0: the drummer listens to the one before.
const FIRST_ANSWERED: usize = 1;

/// Measures of each take in the page's grids and in the medley.
const N_ANSWERED: usize = 4;

/// What to listen to.
#[derive(Clone, Debug, clap::Args)]
pub struct Listen {
    /// Weights file to play with, instead of the embedded drummer
    #[arg(long)]
    weights: Option<PathBuf>,
    /// Seed, 0 to 9999: the same seed plays the same take
    #[arg(long, default_value_t = DEFAULT_SEED, value_parser = clap::value_parser!(u32).range(0..=9999))]
    seed: u32,
    /// Folder for the takes as MIDI files and pictures, the page and the medley
    #[arg(long, default_value = "models/listening")]
    out: PathBuf,
    /// File of bass lines, instead of the project's own; models/listening/lines.toml shows the format
    #[arg(long)]
    lines: Option<PathBuf>,
    /// Also write each whole take as sound, stereo at 48 kHz
    #[arg(long)]
    wav: bool,
}

impl Listen {
    /// Plays every line and writes all files; the page, which links to the others, is written last.
    ///
    /// # Errors
    /// Says which file or value is wrong.
    pub fn run(&self) -> Result<()> {
        let lines = self.read()?;
        let weights: Vec<PathBuf> = self.weights.iter().cloned().collect();
        // The embedded drummers come first, a weights file last.
        let mut drummers = drummers::load_all(&weights)?;
        let default = drummers.iter().position(|it| it.name == EMBEDDED_NAME);
        let chosen = default.filter(|_| weights.is_empty());
        let drummer = drummers.swap_remove(chosen.unwrap_or(drummers.len() - 1));
        whole::folder(&self.out)?;
        let mut generator = drummer.generator()?;
        let controls = playing::controls(self.seed);
        let mut medley = Medley::default();
        let mut played = Vec::new();
        for line in &lines {
            let name = &line.name;
            let take = playing::play(&drummer, generator.as_mut(), &line.song, &controls)
                .with_context(|| format!("the line {name:?}"))?;
            let path = |extension: &str| self.out.join(format!("{name}.{extension}"));
            whole::write(&path("mid"), &midi_file::write(&take))?;
            if self.wav {
                whole::write(&path("wav"), &lockstep_offline::wav(&take, KIT)?)?;
            }
            let roll = Roll {
                title: &format!("{} plays to {name}, {}", drummer.name, page::how(line)),
                bass: &take.bass,
                parts: &[(&drummer.name, &take.drums)],
                meter: line.meter,
                first_measure: FIRST_ANSWERED,
                n_measures: line.n_measures - FIRST_ANSWERED,
            };
            picture::roll(&path("png"), &roll)?;
            let answered = FIRST_ANSWERED..FIRST_ANSWERED + N_ANSWERED;
            played.push(PlayedLine {
                line,
                grid: lockstep_offline::grid_of(&take, answered.clone()),
                begins_s: medley.add(&take, line.meter, answered),
            });
        }
        whole::write(&self.out.join(format!("{TITLE}.wav")), &medley.wav()?)?;
        let page = Page {
            drummer: &drummer.name,
            seed: self.seed,
            has_wavs: self.wav,
            played: &played,
        };
        let path = self.out.join(format!("{TITLE}.md"));
        whole::write(&path, page.markdown().as_bytes())?;
        println!(
            "{} takes of {}, {:.0} s of sound; wrote {}",
            played.len(),
            drummer.name,
            medley.seconds(),
            path.display()
        );
        Ok(())
    }

    fn read(&self) -> Result<Vec<Line>> {
        let Some(path) = &self.lines else {
            return lines::parse(OWN_LINES).context("models/listening/lines.toml");
        };
        let name = path.display().to_string();
        let text = fs::read_to_string(path).with_context(|| format!("reading {name}"))?;
        lines::parse(&text).with_context(|| format!("the bass lines {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_own_lines_have_the_expected_number_length_and_range() -> Result<()> {
        let lines = lines::parse(OWN_LINES)?;
        assert!((12..=14).contains(&lines.len()), "{} lines", lines.len());
        for line in &lines {
            let n = line.n_measures;
            assert!((8..=12).contains(&n), "{}: {n} measures", line.name);
            // From the lowest string, E1, to G3, an octave above the highest.
            let stray = line.song.bass.iter().find(|n| !(28..=55).contains(&n.key));
            assert_eq!(stray, None, "{}", line.name);
        }
        let longest = medley::longest_s(&lines);
        assert!(
            longest * 2.0 * f64::from(medley::RATE_HZ) < 8e6,
            "{longest} s"
        );
        Ok(())
    }

    #[test]
    fn the_same_command_twice_writes_the_same_bytes() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let lines = folder.path().join("lines.toml");
        let (begin, _) = OWN_LINES
            .match_indices("[[line]]")
            .nth(1)
            .context("a second line")?;
        fs::write(&lines, &OWN_LINES[..begin])?;
        let files = |out: &str| -> Result<BTreeMap<String, Vec<u8>>> {
            let task = Listen {
                weights: None,
                seed: 3,
                out: folder.path().join(out),
                lines: Some(lines.clone()),
                wav: true,
            };
            task.run()?;
            fs::read_dir(&task.out)?
                .map(|entry| {
                    let entry = entry?;
                    let name = entry.file_name().to_string_lossy().into_owned();
                    Ok((name, fs::read(entry.path())?))
                })
                .collect()
        };
        let (once, twice) = (files("once")?, files("twice")?);
        let names: Vec<&str> = once.keys().map(String::as_str).collect();
        let expected = [
            "listening.md",
            "listening.wav",
            "whole-notes.mid",
            "whole-notes.png",
            "whole-notes.wav",
        ];
        assert_eq!(names, expected);
        for (name, bytes) in &once {
            assert!(twice.get(name) == Some(bytes), "{name} differs");
        }
        let page = String::from_utf8_lossy(&once["listening.md"]).into_owned();
        for name in &expected[1..] {
            assert!(page.contains(&format!("({name})")), "{name} is not named");
        }
        Ok(())
    }
}
