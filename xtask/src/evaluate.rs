//! `cargo xtask evaluate`: drummers play to songs of the corpus through the plugin's own engine, and are measured.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use lockstep::jam;
use lockstep::realtime::Controls;
use lockstep_models::evaluation::{Figures, MIN_MEASURES, Report, Sheet, score};
use lockstep_models::generator::{Generator, PredictError, Request, Taste};
use lockstep_models::midi_file::{self, Pick, Song};
use lockstep_models::predict::{EMBEDDED_WEIGHTS, Gan};
use lockstep_models::representation::{Hit, HitMap, Presence, Voice, WINDOW_STEPS};
use lockstep_models::rule::RuleGroove;
use lockstep_models::training::corpus::{self, Split};
use rayon::prelude::*;

/// What to measure, and on which songs.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Evaluate {
    /// Weights files to measure beside the embedded ones and the baselines
    weights: Vec<PathBuf>,
    /// Folder of the unpacked corpus
    #[arg(long, default_value = "corpus")]
    corpus: PathBuf,
    /// `valid` to choose by, `test` to report on
    #[arg(long, default_value = "test", value_parser = ["valid", "test"])]
    split: String,
    /// Songs, evenly spread over those in 4/4 with more than eight measures
    #[arg(long, default_value_t = 200)]
    songs: usize,
    /// Folder for the takes and the real drums as MIDI files; none of it may be published
    #[arg(long)]
    takes: Option<PathBuf>,
}

/// The baselines that a network must beat.
#[derive(Clone, Copy, Debug)]
enum Baseline {
    /// Kick on 1 and 3, snare on 2 and 4, hats in eighths, whatever the bass does.
    Rock,
    /// A kick on every bass onset of the measure before, and nothing else.
    KickOnBass,
}

impl Generator for Baseline {
    fn name(&self) -> &'static str {
        match self {
            Self::Rock => "fixed rock beat",
            Self::KickOnBass => "kick = last measure's bass",
        }
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        let mut hits = HitMap::default();
        let n_steps = request.meter.n_steps();
        let certain = Presence::new(1.0)
            .and_then(|p| Hit::new(p, 0.8, 0.0))
            .unwrap_or_default();
        for step_idx in 0..n_steps {
            let mut put = |voice, is_hit| {
                if is_hit {
                    hits.set(step_idx, voice, certain);
                }
            };
            match self {
                Self::Rock => {
                    put(Voice::Kick, step_idx % 8 == 0);
                    put(Voice::Snare, step_idx % 8 == 4);
                    put(Voice::ClosedHat, step_idx % 2 == 0);
                }
                Self::KickOnBass => {
                    let row = (WINDOW_STEPS + step_idx).saturating_sub(n_steps);
                    put(Voice::Kick, !request.window.onsets(row).is_empty());
                }
            }
        }
        Ok(hits)
    }
}

/// Makes a drummer of its own for every song, so that songs can be played side by side.
type Make = Box<dyn Fn() -> Result<Box<dyn Generator>> + Sync>;

impl Evaluate {
    /// Prints the table.
    pub(crate) fn run(&self) -> Result<()> {
        let split = if self.split == "valid" {
            Split::Valid
        } else {
            Split::Test
        };
        let songs = self.songs(split)?;
        println!("{} songs of the {} split\n", songs.len(), self.split);
        let mut drummers: Vec<(String, Make)> = vec![
            (
                "fixed rock beat".into(),
                Box::new(|| Ok(Box::new(Baseline::Rock))),
            ),
            (
                "kick = last measure's bass".into(),
                Box::new(|| Ok(Box::new(Baseline::KickOnBass))),
            ),
            ("rule groove".into(), Box::new(|| Ok(Box::new(RuleGroove)))),
            (
                "embedded GAN".into(),
                Box::new(|| Ok(Box::new(Gan::new(EMBEDDED_WEIGHTS)?))),
            ),
        ];
        for path in &self.weights {
            let name = path.display().to_string();
            let bytes = fs::read(path).with_context(|| format!("reading {name}"))?;
            Gan::new(&bytes).with_context(|| format!("loading {name}"))?;
            drummers.push((name, Box::new(move || Ok(Box::new(Gan::new(&bytes)?)))));
        }
        println!("{HEADER}");
        let mut real = None;
        for (name, make) in &drummers {
            let report = self.measure(name, make, &songs)?;
            println!("{}", row(name, &report.take, Some(report.oa)));
            real = Some(report.real);
        }
        if let Some(real) = real {
            println!("{}", row("people", &real, None));
        }
        Ok(())
    }

    /// Songs in 4/4, long enough, evenly spread over the split.
    fn songs(&self, split: Split) -> Result<Vec<(String, Song)>> {
        let listed = corpus::list(&self.corpus, split)?;
        let songs: Vec<_> = listed
            .into_par_iter()
            .filter_map(|(path, _)| {
                let song =
                    midi_file::read(&fs::read(self.corpus.join(&path)).ok()?, Pick::default())
                        .ok()?;
                let is_long = song.length.0 > 4.0 * MIN_MEASURES as f64;
                (song.is_common_time() && is_long).then_some((path, song))
            })
            .collect();
        ensure!(
            !songs.is_empty(),
            "no song of the split in {}",
            self.corpus.display()
        );
        let n = self.songs.min(songs.len());
        Ok((0..n).map(|i| songs[i * songs.len() / n].clone()).collect())
    }

    fn measure(&self, name: &str, make: &Make, songs: &[(String, Song)]) -> Result<Report> {
        let takes: Vec<_> = songs
            .par_iter()
            .enumerate()
            .map(|(i, (path, song))| {
                let controls = Controls {
                    taste: Taste {
                        seed: u32::try_from(i)?,
                        variation: 0.1,
                    },
                    ..Controls::default()
                };
                let take = jam::play(song, &controls, make()?.as_mut());
                if let Some(failure) = take.failure {
                    return Err(failure).with_context(|| format!("{name} on {path}"));
                }
                if let Some(folder) = &self.takes {
                    for (kind, song) in [(name, &take.song), ("people", song)] {
                        let folder = folder.join(kind.replace(['/', ' ', '\''], "_"));
                        fs::create_dir_all(&folder)
                            .with_context(|| format!("making {}", folder.display()))?;
                        fs::write(folder.join(format!("{i:04}.mid")), midi_file::write(song))?;
                    }
                }
                Ok((Sheet::from_song(&take.song), Sheet::from_song(song)))
            })
            .collect::<Result<_>>()?;
        Ok(score(&takes))
    }
}

const HEADER: &str = "| drummer | f1 | f1 kick | f1 snare | lock gain | kick on bass | notes | backbeat | consistency | repeat | pieces | vel sd | oa |
|---|---|---|---|---|---|---|---|---|---|---|---|---|";

fn row(name: &str, f: &Figures, oa: Option<f64>) -> String {
    let oa = oa.map_or("–".to_owned(), |oa| format!("{oa:.2}"));
    format!(
        "| {name} | {:.1} | {:.1} | {:.1} | {:+.1} | {:.0} | {:.1} | {:.0} | {:.0} | {:.0} | {:.1} | {:.0} | {oa} |",
        f.f1,
        f.f1_kick,
        f.f1_snare,
        f.lock_gain,
        f.kick_on_bass,
        f.notes,
        f.backbeat,
        f.consistency,
        f.repeat,
        f.pieces,
        f.vel_sd,
    )
}
