//! A phase of teaching, step by step, on one or more cores.
//!
//! A step's excerpts are dealt to replicas, one per core. Each computes its gradients on the shared weights, and the optimiser
//! takes one step with their mean. A step is a pure function of the run file, the corpus and the step's number.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor};
use lockstep_models::network::NetworkParameters;
use lockstep_models::network::player::{self, MEMORY, PlayerNet};

use super::batch::{Batch, EarBatch, View};
use super::excerpt::{Excerpt, Excerpts};
use super::listening::{self, Teacher};
use super::losses;
use super::run::{PhaseKind, PlayerRun};
use crate::training::adam::{self, Adam, Gradients, find, gradients_of};
use crate::training::run;

/// Weights of velocities, offsets and the ear beside the hits.
const VELOCITY: f64 = 0.3;
const OFFSET: f64 = 0.1;
const EAR: f64 = 0.5;

/// Losses of a step, mean over replicas; those that a phase does not have are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Losses {
    /// Surprise at what people bring back, in nats a measure.
    pub returns: f32,
    /// At their hits, where nothing comes back.
    pub hits: f32,
    /// At their velocities.
    pub velocities: f32,
    /// At their offsets.
    pub offsets: f32,
    /// At the songs' ideas, summed over family, groove and touch.
    pub ideas: f32,
    /// Share of the families that the ear names right.
    pub named: f32,
    /// Divergence from the teacher on own takes, in nats a measure.
    pub divergence: f32,
    /// Hits a measure of the own takes.
    pub notes: f32,
}

impl Losses {
    /// Each with its name.
    pub fn named(&self) -> [(&'static str, f32); 8] {
        [
            ("returns", self.returns),
            ("hits", self.hits),
            ("velocities", self.velocities),
            ("offsets", self.offsets),
            ("ideas", self.ideas),
            ("named", self.named),
            ("divergence", self.divergence),
            ("notes", self.notes),
        ]
    }

    /// What people's drums cost in training, in nats a measure.
    pub fn surprise(&self) -> f64 {
        let hits = f64::from(self.returns) + f64::from(self.hits);
        let [velocities, offsets] = [self.velocities, self.offsets].map(f64::from);
        hits + VELOCITY * velocities + OFFSET * offsets
    }

    /// The mean of several.
    pub fn mean(all: &[Self]) -> Self {
        let n = all.len().max(1) as f32;
        let mean = |field: fn(&Self) -> f32| all.iter().map(field).sum::<f32>() / n;
        Self {
            returns: mean(|l| l.returns),
            hits: mean(|l| l.hits),
            velocities: mean(|l| l.velocities),
            offsets: mean(|l| l.offsets),
            ideas: mean(|l| l.ideas),
            named: mean(|l| l.named),
            divergence: mean(|l| l.divergence),
            notes: mean(|l| l.notes),
        }
    }
}

/// A phase under way.
#[derive(Debug)]
pub struct Phase<'a> {
    run: &'a PlayerRun,
    kind: PhaseKind,
    network: PlayerNet,
    values: NetworkParameters,
    optimiser: Adam,
    average: NetworkParameters,
    teacher: Option<Teacher>,
    device: Device,
    n_steps: u64,
}

impl<'a> Phase<'a> {
    /// A phase from its beginning: from fresh weights, or from those of the phase before. The third needs the teacher's.
    ///
    /// # Errors
    /// Those of candle, if a tensor is missing or has another shape.
    pub fn new(
        run: &'a PlayerRun,
        kind: PhaseKind,
        origin: Option<&NetworkParameters>,
        teacher: Option<Teacher>,
        device: &Device,
    ) -> Result<Self> {
        let (values, vars) = NetworkParameters::initialise_on(&player::layers(), run.seed, device)?;
        if let Some(origin) = origin {
            for (name, var) in &vars {
                var.set(&find(&origin.0, name, var.dims())?.to_device(device)?)?;
            }
        }
        let schedule = run::Schedule {
            learning_rate: run.schedule(kind).learning_rate,
            beta1: 0.9,
            beta2: 0.98,
            clip: 2.0,
            ..run::Schedule::default()
        };
        let mut average = NetworkParameters::default();
        for (name, value) in &values.0 {
            average.0.insert(name.clone(), value.copy()?.detach());
        }
        Ok(Self {
            run,
            kind,
            network: PlayerNet::new(&values)?,
            optimiser: Adam::new(vars, &schedule)?,
            values,
            average,
            teacher,
            device: device.clone(),
            n_steps: 0,
        })
    }

    /// Steps so far.
    pub fn n_steps(&self) -> u64 {
        self.n_steps
    }

    /// Which phase.
    pub fn kind(&self) -> PhaseKind {
        self.kind
    }

    /// The moving average of the weights.
    pub fn average(&self) -> &NetworkParameters {
        &self.average
    }

    /// One step.
    ///
    /// # Errors
    /// Those of candle, and an error if gradients are no longer finite.
    pub fn step(&mut self, excerpts: &Excerpts<'_>) -> Result<Losses> {
        let n = self.run.replicas;
        let this = &*self;
        let answers: Vec<(Gradients, Losses)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..n)
                .map(|replica| scope.spawn(move || this.replica(excerpts, replica)))
                .collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, Result<_>>| {
                let panicked = || candle_core::Error::Msg("a replica panicked".to_owned());
                thread.join().map_err(|_| panicked())?
            };
            threads.into_iter().map(join).collect::<Result<_>>()
        })?;
        let (gradients, losses): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
        let norm = self.optimiser.step(&adam::mean(gradients)?, self.scale())?;
        if !norm.is_finite() {
            return Err(candle_core::Error::Msg(format!(
                "the gradients are not finite at step {} of {}: lower its learning-rate",
                self.n_steps,
                self.kind.name()
            )));
        }
        self.follow()?;
        self.n_steps += 1;
        Ok(Losses::mean(&losses))
    }

    /// Factor on the step size: rises, stays, falls.
    fn scale(&self) -> f64 {
        let schedule = self.run.schedule(self.kind);
        let up = (self.n_steps + 1) as f64 / schedule.warm_up.max(1) as f64;
        let left = 1.0 - self.n_steps as f64 / schedule.steps.max(1) as f64;
        let down = (left / schedule.cool_down.max(1e-9)).clamp(0.0, 1.0);
        up.min(1.0) * (0.03 + 0.97 * down)
    }

    /// A replica's share of a step.
    fn replica(&self, excerpts: &Excerpts<'_>, replica: usize) -> Result<(Gradients, Losses)> {
        let n = self.run.schedule(self.kind).excerpts;
        let share = n / self.run.replicas + usize::from(replica < n % self.run.replicas);
        let place = |i: usize| [self.kind as u64, self.n_steps, replica as u64, i as u64];
        let drawn: Option<Vec<Excerpt>> = (0..share).map(|i| excerpts.draw(&place(i))).collect();
        let none = || candle_core::Error::Msg("the corpus has no song of use".to_owned());
        let drawn = drawn.ok_or_else(none)?;
        let view = View {
            ahead: self.kind.ahead(),
            ..View::default()
        };
        let batch = Batch::new(&drawn, None, MEMORY, view, &self.device)?;
        let said = losses::said(&self.network, &batch)?;
        let [returns, hits, velocities, offsets] = losses::likelihood(&said, &batch)?;
        let mut losses = Losses {
            returns: returns.to_scalar()?,
            hits: hits.to_scalar()?,
            velocities: velocities.to_scalar()?,
            offsets: offsets.to_scalar()?,
            ..Losses::default()
        };
        let mut total = (((returns + hits)? + (velocities * VELOCITY)?)? + (offsets * OFFSET)?)?;
        if self.kind != PhaseKind::Teacher {
            let n: Vec<usize> = (0..drawn.len()).map(|i| 1 + (replica + i) % 4).collect();
            let (ideas, named) =
                losses::ear(&self.network, &EarBatch::new(&drawn, &n, &self.device)?)?;
            (losses.ideas, losses.named) = (ideas.to_scalar()?, named);
            total = (total + (ideas * EAR)?)?;
        }
        if let Some(teacher) = &self.teacher {
            let place = [self.n_steps, replica as u64];
            let lesson = listening::lesson(
                (&self.network, &self.values),
                teacher,
                (self.run, excerpts),
                &place,
                (share, &self.device),
            )?;
            total = (total * self.run.distillation.people)?;
            if let Some(lesson) = lesson {
                losses.divergence = lesson.divergence.to_scalar()?;
                losses.notes = lesson.notes;
                total = ((total + lesson.divergence)? + (lesson.velocities * VELOCITY)?)?;
            }
        }
        let store = total.backward()?;
        Ok((gradients_of(self.optimiser.vars(), &store), losses))
    }

    /// Surprise at people's drums of validation songs, heard as in training, in nats a measure.
    ///
    /// # Errors
    /// Those of candle.
    pub fn validate(&self, excerpts: &Excerpts<'_>, n: usize) -> Result<Losses> {
        let network = PlayerNet::new(&self.average)?;
        let mut all = Vec::new();
        for part in 0..n.div_ceil(16) {
            let drawn: Vec<Excerpt> = (0..16)
                .filter_map(|i| excerpts.draw(&[99, part as u64, i]))
                .collect();
            let view = View {
                ahead: self.kind.ahead(),
                ..View::default()
            };
            let batch = Batch::new(&drawn, None, MEMORY, view, &self.device)?;
            let said = losses::said(&network, &batch)?;
            let [returns, hits, velocities, offsets] = losses::likelihood(&said, &batch)?;
            let (ideas, named) =
                losses::ear(&network, &EarBatch::new(&drawn, &[4; 16], &self.device)?)?;
            all.push(Losses {
                returns: returns.to_scalar()?,
                hits: hits.to_scalar()?,
                velocities: velocities.to_scalar()?,
                offsets: offsets.to_scalar()?,
                ideas: ideas.to_scalar()?,
                named,
                ..Losses::default()
            });
        }
        Ok(Losses::mean(&all))
    }

    /// Moves the average towards the weights; faster while there are few steps to average over.
    fn follow(&mut self) -> Result<()> {
        let n = self.n_steps as f64;
        let decay = self
            .run
            .schedule(self.kind)
            .average
            .min((1.0 + n) / (20.0 + n));
        for (name, mean) in &mut self.average.0 {
            if let Some(value) = self.values.0.get(name) {
                *mean = ((&*mean * decay)? + (value.detach() * (1.0 - decay))?)?;
            }
        }
        Ok(())
    }

    /// Everything that a resumed phase needs, by name.
    ///
    /// # Errors
    /// Those of candle.
    pub fn checkpoint(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut state: BTreeMap<_, _> = self.optimiser.state("player")?.into_iter().collect();
        for (name, mean) in &self.average.0 {
            state.insert(format!("average.{name}"), mean.clone());
        }
        Ok(state)
    }

    /// Resumes from a checkpoint that was made after `n_steps` steps.
    ///
    /// # Errors
    /// Those of candle, if a tensor is missing or has another shape.
    pub fn resume(&mut self, state: &BTreeMap<String, Tensor>, n_steps: u64) -> Result<()> {
        self.optimiser.restore("player", state)?;
        for (name, mean) in &mut self.average.0 {
            let saved = find(state, &format!("average.{name}"), mean.dims())?;
            *mean = saved.to_device(&self.device)?;
        }
        self.n_steps = n_steps;
        Ok(())
    }
}
