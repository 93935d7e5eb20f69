//! The checkpoint for resuming a run, and the weights that a run writes.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use lockstep_models::weights::{self, Weights};
use serde::{Deserialize, Serialize};

use crate::training::run::{Adversary, RunFile};
use crate::training::trainer::Trainer;

/// The file that an interrupted run resumes from.
pub(super) const CHECKPOINT: &str = "checkpoint.safetensors";
/// The weights of the best validation so far.
pub(crate) const BEST: &str = "best.safetensors";

/// The weights at the end of a run.
pub(super) const LAST: &str = "last.safetensors";

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Compute time in seconds, summed over all replicas; validation is not counted.
    pub(super) core_seconds: f64,
    /// The best validation score so far.
    pub(super) best: Option<f64>,
    /// Validations since then.
    pub(super) looks_since: u64,
}

impl Progress {
    /// Share of the budget that has been spent, in `[0, 1]`.
    pub(super) fn share(&self, run: &RunFile, n_steps: u64) -> f64 {
        let by_time = self.core_seconds / (60.0 * run.budget.core_minutes);
        let by_steps = run.budget.steps.map(|steps| n_steps as f64 / steps as f64);
        // If the budget sets a number of steps, only that counts: the schedule is then the same on any machine.
        by_steps.unwrap_or(by_time).clamp(0.0, 1.0)
    }

    pub(super) fn is_over(&self, run: &RunFile, n_steps: u64) -> bool {
        let budget = &run.budget;
        self.core_seconds >= 60.0 * budget.core_minutes
            || budget.steps.is_some_and(|steps| n_steps >= steps)
            || budget
                .patience
                .is_some_and(|looks| self.looks_since >= looks)
    }

    /// Records a validation score; returns whether it is the best so far.
    pub(super) fn judge(&mut self, score: f64) -> bool {
        let is_best = self.best.is_none_or(|best| score > best);
        if is_best {
            self.best = Some(score);
            self.looks_since = 0;
        } else {
            self.looks_since += 1;
        }
        is_best
    }
}

/// Saves everything that [`resume`] needs.
pub(super) fn save(
    trainer: &Trainer,
    run: &RunFile,
    progress: &Progress,
    path: &Path,
) -> Result<()> {
    let metadata = HashMap::from([
        ("run".to_owned(), toml::to_string(run)?),
        ("steps".to_owned(), trainer.n_steps().to_string()),
        ("progress".to_owned(), serde_json::to_string(progress)?),
    ]);
    weights::save(path, &trainer.checkpoint()?, metadata).with_context(|| {
        format!(
            "saving {}; the earlier checkpoint is still there, and the run can resume from it",
            path.display()
        )
    })
}

/// Resumes from a checkpoint of the same run. Only the budget may differ and, without a critic, how takes are drawn.
pub(super) fn resume(trainer: &mut Trainer, run: &RunFile, path: &Path) -> Result<Progress> {
    let saved = Weights::parse(&fs::read(path)?)?;
    let entry = |key: &str| {
        let value = saved.metadata.get(key);
        value.with_context(|| format!("it has no {key:?}: it is not a checkpoint"))
    };
    let mut of = RunFile::parse(entry("run")?).context("the run file that it was made with")?;
    of.budget = run.budget.clone();
    if run.loss.adversary == Adversary::None {
        of.take = run.take.clone();
    }
    ensure!(
        of == *run,
        "it belongs to another run file or seed; choose another folder with --out, or move it away"
    );
    let n_steps = entry("steps")?.parse().context("its number of steps")?;
    let progress = serde_json::from_str(entry("progress")?).context("its progress")?;
    trainer.resume(&saved.parameters.0, n_steps)?;
    Ok(progress)
}

/// Saves the averaged weights for the plugin and for `cargo lab evaluate`.
pub(super) fn save_weights(
    trainer: &Trainer,
    run: &RunFile,
    card: &serde_json::Value,
    path: &Path,
) -> Result<()> {
    let metadata = HashMap::from([
        (
            "architecture".to_owned(),
            run.architecture.generator.family().to_owned(),
        ),
        (
            "representation".to_owned(),
            run.architecture.voices.version().to_string(),
        ),
        ("config".to_owned(), serde_json::to_string(&run.config())?),
        ("card".to_owned(), card.to_string()),
    ]);
    let tensors: BTreeMap<_, _> = trainer.average().0;
    weights::save(path, &tensors, metadata).with_context(|| format!("saving {}", path.display()))
}
