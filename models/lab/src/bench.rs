//! `cargo lab bench`: how fast the networks of run files train and predict, and the arithmetic they need.
//!
//! The songs are generated: no corpus is needed, and every machine measures the same work. Figures from a shared
//! machine vary; compare rows of one run, not of different runs. `prediction` times a weights file instead of run
//! files, `live` plays many instances in real time, and `editor` opens and closes the plugin window while the plugin
//! plays.

mod editor;
mod live;
mod prediction;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use cpu_time::ProcessTime;
use lockstep_core::draws;
use lockstep_core::generator::{Generator, Request};
use lockstep_core::representation::{Meter, Onset, Voice, WINDOW_STEPS, Window};
use lockstep_models::predict::Predictor;

use crate::corpus::{BassNote, Corpus, DrumHit, MeasureRecord, SongRecord, write};
use crate::training::batch::{JUDGED, Sampler};
use crate::training::constants;
use crate::training::player::PlayerRun;
use crate::training::run::{Adversary, RunFile};
use crate::training::trainer::Trainer;

use crate::root;
use crate::train::own_process;

/// What to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct Bench {
    /// Run files; all in `models/runs` if none is given
    runs: Vec<PathBuf>,
    /// Core seconds of training for each
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Predictions for each
    #[arg(long, default_value_t = 500)]
    predictions: usize,
    /// Weights file whose predictions are timed, instead of run files
    #[arg(long, conflicts_with = "runs")]
    weights: Option<PathBuf>,
    /// File for some of these predictions and all times, as safetensors, to compare with another runtime
    #[arg(long, requires = "weights")]
    case: Option<PathBuf>,
    /// How often the bundled plugin's window is opened, resized and closed while it plays, instead of run files
    #[arg(long, value_name = "ROUNDS", conflicts_with_all = ["runs", "weights", "instances"],
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    editor: Option<u32>,
    #[command(flatten)]
    live: live::Live,
}

/// Songs, and measures per song.
const N_SONGS: u64 = 40;
const N_MEASURES: u64 = 40;
/// Training steps, and predictions, that are not timed.
const WARM_UP: usize = 3;

impl Bench {
    ///
    /// # Errors
    /// Says which file or value is wrong.
    pub fn run(&self) -> Result<()> {
        ensure!(
            self.seconds > 0.0 && self.predictions > 0,
            "--seconds and --predictions must be above 0"
        );
        if let Some(n_rounds) = self.editor {
            return editor::run(n_rounds);
        }
        if self.live.is_wanted() {
            return self.live.run();
        }
        if let Some(weights) = &self.weights {
            return prediction::run(weights, self.predictions, self.case.as_deref());
        }
        // Differentiable gradients cost time and memory in every row, even if only one run needs them.
        let runs = self.runs()?;
        let needs_second_order = runs
            .iter()
            .any(|(_, run)| run.loss.adversary == Adversary::WganGp);
        if needs_second_order && runs.len() > 1 {
            return self.each_alone(&runs);
        }
        if !own_process::is_ours(needs_second_order)? {
            return Ok(());
        }
        let folder = tempfile::tempdir().context("making a folder for the generated songs")?;
        let path = folder.path().join("drawn.lockstep");
        write(&path, (0..N_SONGS).map(song))?;
        let corpus = Corpus::open(&path)?;
        for (name, run) in &runs {
            println!("{}", self.row(name, run, &corpus)?);
        }
        Ok(())
    }

    /// Benches each run file in its own process, with the environment it needs.
    fn each_alone(&self, runs: &[(String, RunFile)]) -> Result<()> {
        println!("{HEADER}");
        for (name, _) in runs {
            let status = std::process::Command::new(std::env::current_exe()?)
                .arg("bench")
                .arg(name)
                .args(["--seconds", &self.seconds.to_string()])
                .args(["--predictions", &self.predictions.to_string()])
                .status()?;
            ensure!(status.success(), "{name} ended with {status}");
        }
        Ok(())
    }

    fn runs(&self) -> Result<Vec<(String, RunFile)>> {
        let mut paths = self.runs.clone();
        if paths.is_empty() {
            let folder = root().join("models/runs");
            for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
                let path = entry?.path();
                // A player's phases say their pace in the log.
                if !PlayerRun::is_of_player(&fs::read_to_string(&path)?) {
                    paths.push(path);
                }
            }
            paths.sort();
        }
        let read = |path: &PathBuf| {
            let name = path.display().to_string();
            let text = fs::read_to_string(path).with_context(|| format!("reading {name}"))?;
            let run = RunFile::parse(&text).with_context(|| format!("the run file {name}"))?;
            Ok((name, run))
        };
        paths.iter().map(read).collect()
    }

    fn row(&self, name: &str, run: &RunFile, corpus: &Corpus) -> Result<String> {
        let mut run = run.clone();
        run.data.drums_only = 0;
        run.data.open_only = false;
        let sampler = Sampler::new(corpus, &run)?;
        let mut trainer = Trainer::new(&run, constants(&run, corpus, &sampler)?)?;
        for _ in 0..WARM_UP {
            trainer.step(&sampler, 1.0)?;
        }
        let (begun, from) = (ProcessTime::now(), trainer.n_steps());
        while begun.elapsed().as_secs_f64() < self.seconds {
            trainer.step(&sampler, 1.0)?;
        }
        let n_steps = (trainer.n_steps() - from) as f64;
        let measures = n_steps * (run.schedule.excerpts * JUDGED) as f64;
        let rate = measures / begun.elapsed().as_secs_f64();

        let mut predictor = Predictor::from_parameters(run.config(), &trainer.average())?;
        let mut times = Vec::new();
        for i in 0..WARM_UP + self.predictions {
            let request = request(i as u64);
            let begun = Instant::now();
            predictor.predict(&request)?;
            times.push(begun.elapsed());
        }
        let mut times = times.split_off(WARM_UP);
        times.sort_unstable();
        let at = |percent: usize| micros(times[(times.len() - 1) * percent / 100]);
        let mflop = predictor.n_flops() as f64 / 1e6;
        let stem = PathBuf::from(name);
        Ok(format!(
            "| {} | {rate:.0} | {:.0} | {:.0} | {mflop:.2} | {:.1} | {:.2} |",
            stem.file_stem().unwrap_or_default().to_string_lossy(),
            at(50),
            at(99),
            mflop * 1e3 / at(50),
            predictor.n_parameters() as f64 / 1e6,
        ))
    }
}

const HEADER: &str = "\
| run file | training, measures per core second | prediction p50, µs | p99, µs | floor, MFLOP | GFLOP/s at p50 | M parameters |
|---|---|---|---|---|---|---|";

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// A memory figure of this process by its Linux name, in MiB: `VmRSS` is current, `VmHWM` the peak; `None` elsewhere.
fn memory_mib(name: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line
        .trim_start_matches(':')
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    Some(kib / 1024.0)
}

/// A generated song: bass in eighths and sixteenths, and a beat with a kick on each bass note.
fn song(idx: u64) -> SongRecord {
    let draw = |i: u64, n: u64| draws::hash(&[idx, i]) % n;
    let measure = |m: u64| {
        let mut bass = Vec::new();
        let mut hits = Vec::new();
        for step in 0..16_u8 {
            let place = m * 16 + u64::from(step);
            let has_bass = draw(place, 5) < 2;
            if has_bass {
                let key = 28 + u8::try_from(draw(place + 7, 24)).unwrap_or_default();
                bass.push(BassNote::new(step, key, 90, 2));
            }
            for (i, voice, is_hit) in [
                (0, Voice::Kick, has_bass),
                (1, Voice::Snare, step % 8 == 4),
                (2, Voice::ClosedHat, step % 2 == 0),
            ] {
                if is_hit {
                    let velocity = 60 + u8::try_from(draw(place + i, 60)).unwrap_or_default();
                    hits.push(DrumHit {
                        step_idx: step,
                        voice: voice as u8,
                        velocity,
                        offset: 0,
                    });
                }
            }
        }
        MeasureRecord {
            meter: Meter::COMMON,
            tempo_bpm: 120.0,
            swing: lockstep_core::representation::Swing::STRAIGHT,
            bass,
            hits,
        }
    };
    SongRecord {
        name: format!("drawn {idx}"),
        has_dynamics: true,
        has_timing: true,
        measures: (0..N_MEASURES).map(measure).collect(),
        ..SongRecord::default()
    }
}

fn request(idx: u64) -> Request {
    let mut window = Window::default();
    for step in 0..WINDOW_STEPS {
        let draw = draws::hash(&[idx, step as u64]);
        if draw.is_multiple_of(3) {
            let key = 30 + u8::try_from(draw / 3 % 20).unwrap_or_default();
            window.begin(step, Onset::new(key, 0.8));
        }
    }
    Request {
        measure: idx,
        heard_steps: 16,
        window,
        ..Request::default()
    }
}
