//! `cargo lab train RUN.toml`: trains a generator on a corpus as its run file says, with checkpoints to resume from.
//!
//! A run's folder holds `checkpoint.safetensors` (everything needed to resume), `best.safetensors` (the weights of the
//! best validation so far), `last.safetensors` (the final weights), `log.csv` and `curves.png`. Every file is written
//! whole or not at all; an interrupted run loses only what it did since its last validation.

mod audience;
mod log;
pub(crate) mod own_process;
mod player;
mod state;
pub(crate) mod tuning;
mod validation;

pub(crate) use state::BEST;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cpu_time::ProcessTime;
use indicatif::{ProgressBar, ProgressStyle};
use lockstep_models::network::BassEmbedding;
use lockstep_models::weights::Weights;
use serde_json::json;

use crate::corpus::{Corpus, Split};
use crate::evaluation::Report;
use crate::training::batch::{JUDGED, Sampler};
use crate::training::constants;
use crate::training::losses;
use crate::training::player::PlayerRun;
use crate::training::run::{Adversary, RunFile};
use crate::training::styles::Styles;
use crate::training::trainer::Trainer;
use crate::training::vocabulary;
use log::{Log, Sums};
use state::Progress;
use validation::Validation;

use crate::whole;

/// What to train, and on what data.
#[derive(Clone, Debug, clap::Args)]
pub struct Train {
    /// The run file
    run: PathBuf,
    /// The training file made by `cargo lab prepare`
    #[arg(long, default_value = "corpus.lockstep")]
    data: PathBuf,
    /// Folder of the run; a run found there is resumed. Default: `runs/` and the run file's name, with the seed if it
    /// is given
    #[arg(long)]
    out: Option<PathBuf>,
    /// A seed to use instead of the run file's
    #[arg(long)]
    seed: Option<u64>,
}

impl Train {
    /// Reads and checks everything, then trains in a separate process with the environment that candle needs.
    ///
    /// # Errors
    /// Says which file or value is wrong.
    pub fn run(&self) -> Result<()> {
        let name = self.run.display().to_string();
        let text = fs::read_to_string(&self.run).with_context(|| format!("reading {name}"))?;
        if PlayerRun::is_of_player(&text) {
            let run = PlayerRun::parse(&text).with_context(|| format!("the run file {name}"))?;
            let seed = self.seed.unwrap_or(run.seed);
            if own_process::is_ours(false)? {
                player::teach(&PlayerRun { seed, ..run }, &self.data, &self.folder())?;
            }
            return Ok(());
        }
        let mut run = RunFile::parse(&text).with_context(|| format!("the run file {name}"))?;
        run.seed = self.seed.unwrap_or(run.seed);
        let needs_second_order = run.loss.adversary == Adversary::WganGp;
        if own_process::is_ours(needs_second_order)? {
            learn(&run, &self.data, self.folder(), None)?;
        }
        Ok(())
    }

    fn folder(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| {
            let stem = self.run.file_stem().unwrap_or_default().to_string_lossy();
            let seed = self
                .seed
                .map_or(String::new(), |seed| format!("-seed{seed}"));
            Path::new("runs").join(format!("{stem}{seed}"))
        })
    }
}

/// Trains on a corpus file, from random weights or from those of a file; resumes a run that it finds in the folder.
pub(crate) fn learn(
    run: &RunFile,
    data: &Path,
    folder: PathBuf,
    origin: Option<&Weights>,
) -> Result<()> {
    whole::folder(&folder)?;
    let corpus = Corpus::open(data)?;
    let sampler = match origin {
        Some(weights) => {
            let styles = Styles::new(&weights.style_hits()?).heard_by(run.architecture.voices);
            Sampler::with_styles(&corpus, run, styles)
        }
        None => Sampler::new(&corpus, run),
    };
    let sampler = sampler.with_context(|| format!("the corpus file {}", data.display()))?;
    if run.loss.adversary == Adversary::WganGp {
        ensure!(
            losses::second_order_works()?,
            "the gradient penalty would be constant: CANDLE_GRAD_DO_NOT_DETACH=1 did not reach candle"
        );
    }
    let validation = Validation::new(&corpus, run);
    ensure!(
        validation.n_songs() > 0,
        "{} has no validation song in 4/4",
        data.display()
    );
    let facts = facts(run, &corpus, &sampler);
    eprintln!(
        "{} training songs, {} validation songs; {facts}",
        sampler.n_songs(),
        validation.n_songs()
    );
    let mut trainer = Trainer::new(run, constants(run, &corpus, &sampler)?)?;
    let mut progress = Progress::default();
    let checkpoint = folder.join(state::CHECKPOINT);
    if checkpoint.exists() {
        progress = state::resume(&mut trainer, run, &checkpoint)
            .with_context(|| format!("resuming {}", checkpoint.display()))?;
        eprintln!(
            "resumed at step {} after {:.1} core minutes",
            trainer.n_steps(),
            progress.core_seconds / 60.0
        );
    } else if let Some(weights) = origin {
        trainer.begin_from(&weights.parameters)?;
        // Only weights better than the original ones are worth keeping.
        progress.judge(validation::score(&validation.measure(run, &trainer)?));
    }
    // Detects a full disk before any time is spent.
    state::save(&trainer, run, &progress, &checkpoint)?;
    let training = Training {
        log: Log::open(&folder, trainer.n_steps())?,
        run,
        trainer,
        progress,
        folder,
        facts,
    };
    training.play(&sampler, &validation)
}

/// A run in progress.
#[derive(Debug)]
struct Training<'a> {
    run: &'a RunFile,
    trainer: Trainer,
    progress: Progress,
    log: Log,
    folder: PathBuf,
    /// Facts about the embedding and the styles, for the weights' card.
    facts: serde_json::Value,
}

impl Training<'_> {
    /// Trains and validates until the budget is spent.
    fn play(mut self, sampler: &Sampler<'_>, validation: &Validation) -> Result<()> {
        let run = self.run;
        let budget = Duration::from_secs_f64(run.budget.core_minutes * 60.0);
        let bar = ProgressBar::new(budget.as_secs()).with_style(ProgressStyle::with_template(
            "{bar:30} {pos}/{len} core s, {msg}",
        )?);
        let mut sums = Sums::default();
        let from = (self.trainer.n_steps(), self.progress.core_seconds);
        while !self.progress.is_over(run, self.trainer.n_steps()) {
            let begun = ProcessTime::now();
            let scale = cool_down(run, self.progress.share(run, self.trainer.n_steps()));
            sums.add(&self.trainer.step(sampler, scale)?);
            self.progress.core_seconds += begun.elapsed().as_secs_f64();
            bar.set_position(Duration::from_secs_f64(self.progress.core_seconds).as_secs());
            bar.set_message(self.pace(from));
            let n_steps = self.trainer.n_steps();
            let is_over = self.progress.is_over(run, n_steps);
            if n_steps.is_multiple_of(run.budget.look_every) || is_over {
                let line = self.validate(validation, &std::mem::take(&mut sums))?;
                bar.suspend(|| eprintln!("{line}"));
            }
        }
        bar.finish();
        let report = validation.measure(run, &self.trainer)?;
        let last = self.folder.join(state::LAST);
        state::save_weights(&self.trainer, run, &self.card(&report), &last)
    }

    /// Speed since the step and core second at which the run started or resumed, and the time left.
    fn pace(&self, (step, core_seconds): (u64, f64)) -> String {
        let n_steps = self.trainer.n_steps();
        let spent = self.progress.core_seconds;
        let replicas = self.run.budget.replicas as f64;
        let per_step = (self.run.schedule.excerpts * JUDGED) as f64;
        let rate = (n_steps - step) as f64 / (spent - core_seconds).max(1e-9);
        let share = self.progress.share(self.run, n_steps).max(1e-9);
        format!(
            "step {n_steps}, {:.0} measures/s, {:.0} min left",
            rate * replicas * per_step,
            (1.0 - share) / share * spent / replicas / 60.0
        )
    }

    /// Plays the validation songs; saves the checkpoint, and the weights if they are the best so far.
    fn validate(&mut self, validation: &Validation, sums: &Sums) -> Result<String> {
        let (run, n_steps) = (self.run, self.trainer.n_steps());
        let report = validation.measure(run, &self.trainer)?;
        let is_best = self.progress.judge(validation::score(&report));
        let mut line = self.log.add(n_steps, &self.progress, sums, &report);
        if is_best {
            line += "  best";
            state::save_weights(
                &self.trainer,
                run,
                &self.card(&report),
                &self.folder.join(BEST),
            )?;
        }
        self.log.save(&self.folder)?;
        state::save(
            &self.trainer,
            run,
            &self.progress,
            &self.folder.join(state::CHECKPOINT),
        )?;
        Ok(line)
    }
}

impl Training<'_> {
    /// The record in a weights file of how it was made.
    fn card(&self, report: &Report) -> serde_json::Value {
        json!({
            "run": self.run,
            "steps": self.trainer.n_steps(),
            "core-minutes": (self.progress.core_seconds / 6.0).round() / 10.0,
            "embedding": self.facts,
            "valid": validation::figures(report),
        })
    }
}

/// Factor on the learning rate after this share of the budget: 1, then falling to a tenth.
fn cool_down(run: &RunFile, share: f64) -> f64 {
    let left = (1.0 - share) / run.schedule.cool_down.max(1e-9);
    left.clamp(0.1, 1.0)
}

/// Facts about the embedding and the styles.
fn facts(run: &RunFile, corpus: &Corpus, sampler: &Sampler<'_>) -> serde_json::Value {
    let mut facts = match run.architecture.bass {
        BassEmbedding::Vocabulary { n_words } => {
            let words = vocabulary::commonest(corpus, n_words);
            let share = |split| vocabulary::coverage(corpus, split, &words);
            json!({
                "words": words.len(),
                "coverage-train": share(Split::Train),
                "coverage-test": share(Split::Test),
            })
        }
        BassEmbedding::Bucket { digits, n_buckets } => {
            let c = vocabulary::collisions(corpus, Split::Train, digits, n_buckets);
            json!({
                "distinct-measures": c.n_distinct,
                "colliding": c.n_colliding,
                "buckets-used": c.n_used,
            })
        }
        BassEmbedding::Convolution | BassEmbedding::Transformer { .. } => json!({}),
    };
    let styles = sampler.styles().names();
    if !styles.is_empty() {
        facts["styles"] = json!(styles);
    }
    facts
}
