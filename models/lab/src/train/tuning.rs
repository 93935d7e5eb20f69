//! Teaching a player somebody's own songs, without unlearning how to play.
//!
//! It learns what people play in these songs, and beside it keeps to what it would have played itself before, on takes of its
//! own: likelihood alone would teach it to listen to itself.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::Path;
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use candle_core::Device;
use lockstep_models::network::STYLES;
use lockstep_models::network::player::touch::{LEVELS, TOUCHES};
use lockstep_models::weights::{self, PerVoice, Precision, Weights};
use serde_json::json;

use crate::corpus::{Corpus, Split};
use crate::training::player::{
    ComputeDevice, Excerpts, Ideas, Phase, PhaseKind, PlayerRun, Teacher,
};

/// Steps between two looks at the songs that choose the weights.
const LOOK_EVERY: u64 = 10;
/// Looks without better weights after which it ends.
const PATIENCE: u32 = 6;
/// Excerpts of a look.
const N_LOOKED_AT: usize = 48;

/// How long somebody's own songs are taught.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Minutes, at most.
    pub(crate) minutes: f64,
    /// Steps, at most.
    pub(crate) steps: u64,
}

/// Teaches the player of `origin` the songs of a corpus file. Writes the weights that the corpus's validation songs find
/// likeliest, if they are better than those of `origin`; returns whether they are.
pub(crate) fn tune(origin: &Weights, data: &Path, output: &Path, limits: Limits) -> Result<bool> {
    let run = run_file(origin)?;
    let corpus = Corpus::open(data)?;
    let ideas = Ideas::of_weights(origin)?;
    let songs = Excerpts::new(&corpus, &run, &ideas, Split::Train)?;
    let valid = Excerpts::new(&corpus, &run, &ideas, Split::Valid)?;
    ensure!(
        songs.n_songs() > 0 && valid.n_songs() > 0,
        "there are too few songs with a bass to learn from and to choose the weights"
    );
    let cpu = &Device::Cpu;
    let before = Teacher::new(&origin.parameters, 0, cpu)?;
    let from = Some(&origin.parameters);
    let mut phase = Phase::new(&run, PhaseKind::Listening, from, Some(before), cpu)?;
    let mut least = phase.validate(&valid, N_LOOKED_AT)?.surprise();
    eprintln!("before: {least:.2} nats a measure");
    let (mut is_better, mut in_vain) = (false, 0);
    let begun = Instant::now();
    let is_over = |steps: u64| {
        steps >= limits.steps || begun.elapsed().as_secs_f64() >= 60.0 * limits.minutes
    };
    while !is_over(phase.n_steps()) && in_vain < PATIENCE {
        phase.step(&songs)?;
        if !phase.n_steps().is_multiple_of(LOOK_EVERY) && !is_over(phase.n_steps()) {
            continue;
        }
        let now = phase.validate(&valid, N_LOOKED_AT)?.surprise();
        in_vain += 1;
        if now < least {
            (least, in_vain, is_better) = (now, 0, true);
            save(origin, &phase, &run, output)?;
        }
        eprintln!("step {}: {now:.2} nats a measure", phase.n_steps());
    }
    Ok(is_better)
}

/// The run that made the weights, gentler.
fn run_file(origin: &Weights) -> Result<PlayerRun> {
    let card = origin.metadata.get("card").map_or("", String::as_str);
    let card: serde_json::Value = serde_json::from_str(card).context("the weights have no card")?;
    let run = card["run"].clone();
    let mut run: PlayerRun =
        serde_json::from_value(run).context("the card of the weights has no run file")?;
    run.from = None;
    run.device = ComputeDevice::Cpu;
    run.replicas = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(2);
    run.data.open_only = false;
    run.data.labelled = 0.0;
    run.data.drums_only = 0.0;
    run.data.spliced = 0.0;
    let listening = &mut run.listening;
    listening.learning_rate = 1e-4;
    listening.excerpts = 12;
    listening.steps = 1000;
    listening.warm_up = 10;
    listening.cool_down = 0.0;
    listening.average = 0.95;
    run.distillation.bass = PerVoice::All(1.0);
    run.distillation.idea = PerVoice::All(1.0);
    run.distillation.people = 2.0;
    // Own songs may be short.
    run.distillation.measures = 7;
    Ok(run)
}

fn save(origin: &Weights, phase: &Phase<'_>, run: &PlayerRun, path: &Path) -> Result<()> {
    let mut tensors = phase.average().0.clone();
    for name in [TOUCHES, LEVELS, STYLES] {
        let kept = origin.parameters.0.get(name);
        let kept = kept.with_context(|| format!("the weights lack the tensor {name}"))?;
        tensors.insert(name.to_owned(), kept.clone());
    }
    let card = json!({ "run": run, "phase": "tuned", "steps": phase.n_steps() });
    let metadata = origin.metadata.iter();
    let mut metadata: HashMap<_, _> = metadata.map(|(k, v)| (k.clone(), v.clone())).collect();
    metadata.insert("card".to_owned(), card.to_string());
    weights::save_with(Precision::Half, path, &tensors, metadata)
        .with_context(|| format!("saving {}", path.display()))
}
