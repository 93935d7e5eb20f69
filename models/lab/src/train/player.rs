//! Training a player: its phases, one after another, with checkpoints to resume from.
//!
//! Each phase leaves `PHASE.safetensors`, weights that play (the teacher's do not, they hear ahead), and while it lasts
//! `PHASE.checkpoint.safetensors`. `log.txt` has the losses and what the audience says.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use candle_core::Device;
use lockstep_models::network::player::touch::{LEVELS, TOUCHES};
use lockstep_models::network::{NetworkParameters, STYLES};
use lockstep_models::predict::Predictor;
use lockstep_models::weights::{self, Precision, Weights};
use serde_json::json;

use super::audience::{Audience, Impression};
use crate::corpus::{Corpus, Split};
use crate::training::player::{Excerpts, Ideas, Losses, Phase, PhaseKind, PlayerRun, Teacher};
use crate::whole;

/// The weights of a phase under way, in its folder.
const PARTIAL: &str = "partial.safetensors";

/// Validation excerpts of a look.
const N_LOOKED_AT: usize = 96;

/// Trains a player as the run file says.
pub(super) fn teach(run: &PlayerRun, data: &Path, folder: &Path) -> Result<()> {
    whole::folder(folder)?;
    let device = run.device.open()?;
    let corpus = Corpus::open(data)?;
    let begun = Instant::now();
    let origin = run.from.as_deref().map(read).transpose()?;
    let ideas = match &origin {
        Some(weights) => Ideas::of_weights(weights)?,
        None => Ideas::fit(&corpus, &run.data),
    };
    let songs = Excerpts::new(&corpus, run, &ideas, Split::Train)?;
    let valid = Excerpts::new(&corpus, run, &ideas, Split::Valid)?;
    ensure!(
        songs.n_songs() > 0 && valid.n_songs() > 0,
        "{} needs songs with a bass to train on and to validate with",
        data.display()
    );
    eprintln!(
        "{} training songs, {} validation songs, read in {:.0} s",
        songs.n_songs(),
        valid.n_songs(),
        begun.elapsed().as_secs_f64()
    );
    let mut taught = Taught {
        run,
        folder,
        songs,
        valid,
        ideas: &ideas,
        device,
        audience: Audience::new(&corpus, run.data.open_only),
        player: origin.map(|weights| weights.parameters),
        teacher: None,
    };
    for kind in PhaseKind::ALL {
        taught.phase(kind)?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Weights> {
    let reading = || format!("reading {}", path.display());
    Weights::parse(&fs::read(path).with_context(reading)?).with_context(reading)
}

/// What the phases share.
struct Taught<'a> {
    run: &'a PlayerRun,
    folder: &'a Path,
    songs: Excerpts<'a>,
    valid: Excerpts<'a>,
    ideas: &'a Ideas,
    device: Device,
    audience: Audience,
    player: Option<NetworkParameters>,
    teacher: Option<NetworkParameters>,
}

impl Taught<'_> {
    /// One phase, unless it is already over or left out.
    fn phase(&mut self, kind: PhaseKind) -> Result<()> {
        let run = self.run;
        if run.schedule(kind).steps == 0 {
            return Ok(());
        }
        let over = self.folder.join(format!("{}.safetensors", kind.name()));
        let parameters = if over.exists() {
            eprintln!("{} is over: {}", kind.name(), over.display());
            read(&over)?.parameters
        } else {
            let teacher = self
                .teacher
                .as_ref()
                .filter(|_| kind == PhaseKind::Listening);
            ensure!(
                kind != PhaseKind::Listening || teacher.is_some(),
                "the phase listening needs a teacher: give the phase teacher some steps"
            );
            let teacher = teacher.map(|teacher| Teacher::new(teacher, 1, &self.device));
            let teacher = teacher.transpose()?;
            let mut phase = Phase::new(run, kind, self.player.as_ref(), teacher, &self.device)?;
            self.play(&mut phase)?
        };
        if kind == PhaseKind::Teacher {
            self.teacher = Some(parameters);
        } else {
            self.player = Some(parameters);
        }
        Ok(())
    }

    /// Steps until the phase is over; writes its weights and returns them. They are those of the end, but of the last phase
    /// those that the audience liked best.
    fn play(&self, phase: &mut Phase<'_>) -> Result<NetworkParameters> {
        let (kind, schedule) = (phase.kind(), self.run.schedule(phase.kind()));
        let checkpoint = self
            .folder
            .join(format!("{}.checkpoint.safetensors", kind.name()));
        if checkpoint.exists() {
            let saved = Weights::parse(&fs::read(&checkpoint)?)?;
            let entry = |key: &str| saved.metadata.get(key).cloned().unwrap_or_default();
            let of = PlayerRun::parse(&entry("run"))?;
            ensure!(
                of.seed == self.run.seed && of.data == self.run.data,
                "{} belongs to another run file; choose another folder with --out",
                checkpoint.display()
            );
            phase.resume(&saved.parameters.0, entry("steps").parse()?)?;
            eprintln!("{}: resumed at step {}", kind.name(), phase.n_steps());
        }
        let (begun, first) = (Instant::now(), phase.n_steps());
        let mut since = Vec::new();
        let over = self.folder.join(format!("{}.safetensors", kind.name()));
        let mut best = f64::NEG_INFINITY;
        while phase.n_steps() < schedule.steps {
            since.push(phase.step(&self.songs)?);
            let n = phase.n_steps();
            if n.is_multiple_of(schedule.look_every) || n == schedule.steps {
                let seen = phase.validate(&self.valid, N_LOOKED_AT)?;
                let pace = begun.elapsed().as_secs_f64() / (n - first) as f64;
                self.log(
                    kind,
                    n,
                    &Losses::mean(&std::mem::take(&mut since)),
                    &seen,
                    pace,
                )?;
                let heard = match kind {
                    PhaseKind::Listening => Some(self.hear(phase.average())?),
                    PhaseKind::Likelihood | PhaseKind::Teacher => None,
                };
                let score = heard.as_ref().map_or(0.0, Impression::score);
                if let Some(heard) = &heard {
                    self.say(&format!("  {}; score {score:.2}", heard.line()))?;
                }
                if heard.is_none() || score > best {
                    best = score;
                    self.save(phase, heard.as_ref(), &self.folder.join(PARTIAL))?;
                }
                let metadata = HashMap::from([
                    ("run".to_owned(), toml::to_string(self.run)?),
                    ("steps".to_owned(), n.to_string()),
                ]);
                weights::save(&checkpoint, &phase.checkpoint()?, metadata)?;
            }
        }
        let partial = self.folder.join(PARTIAL);
        ensure!(partial.exists(), "{} was taken away", partial.display());
        fs::rename(&partial, &over).with_context(|| format!("naming {}", over.display()))?;
        Ok(read(&over)?.parameters)
    }

    /// The averaged weights before the audience.
    fn hear(&self, parameters: &NetworkParameters) -> Result<Impression> {
        let parameters = self.with_ideas(parameters)?;
        let mut drummer = Predictor::player(self.run.take.clone(), &parameters)?;
        self.audience.hear(&mut drummer)
    }

    /// A line of the log.
    fn log(
        &self,
        kind: PhaseKind,
        n: u64,
        losses: &Losses,
        valid: &Losses,
        pace: f64,
    ) -> Result<()> {
        let named = |losses: &Losses, prefix: &str| {
            let each = losses
                .named()
                .into_iter()
                .filter(|(_, value)| *value != 0.0);
            let each = each.map(|(name, value)| format!("{prefix}{name} {value:.3}"));
            each.collect::<Vec<_>>().join(", ")
        };
        let line = format!(
            "{} step {n}, {pace:.3} s a step: {}; valid {}",
            kind.name(),
            named(losses, ""),
            named(valid, "")
        );
        self.say(&line)
    }

    /// Prints a line and adds it to the log.
    fn say(&self, line: &str) -> Result<()> {
        eprintln!("{line}");
        let path = self.folder.join("log.txt");
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        text += line;
        text.push('\n');
        whole::write(&path, text.as_bytes())
    }

    /// The weights file of a phase.
    fn save(&self, phase: &Phase<'_>, heard: Option<&Impression>, path: &Path) -> Result<()> {
        let card = json!({
            "run": self.run,
            "phase": phase.kind().name(),
            "steps": phase.n_steps(),
            "valid": heard.map(Impression::figures),
        });
        let metadata = HashMap::from([
            ("architecture".to_owned(), "player".to_owned()),
            ("representation".to_owned(), "2".to_owned()),
            ("config".to_owned(), serde_json::to_string(&self.run.take)?),
            ("card".to_owned(), card.to_string()),
        ]);
        let tensors = self.with_ideas(phase.average())?.0;
        weights::save_with(Precision::Half, path, &tensors, metadata)
            .with_context(|| format!("saving {}", path.display()))
    }

    /// The weights and what ideas choose from.
    fn with_ideas(&self, parameters: &NetworkParameters) -> Result<NetworkParameters> {
        let mut all = parameters.clone();
        all.0.insert(TOUCHES.to_owned(), self.ideas.touches()?);
        all.0.insert(LEVELS.to_owned(), self.ideas.levels()?);
        all.0.insert(STYLES.to_owned(), self.ideas.grooves()?);
        Ok(all)
    }
}
