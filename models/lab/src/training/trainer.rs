//! The adversarial game: critic and generator, step by step, on one or more cores.
//!
//! A step's excerpts are dealt to replicas, one per core. Each computes its gradients on the shared weights, and the optimiser
//! then takes one step with their mean. A step is a pure function of the run file, the corpus and the step's number, and the
//! complete state is saved, so a run that was stopped and resumed gives the same bits as one that was not.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor};
use lockstep_core::draws;
use lockstep_models::network::{GeneratorNet, NetworkParameters};

use super::adam::{self, Adam, Gradients, find, gradients_of};
use super::batch::{Batch, JUDGED, Sampler};
use super::critic::CriticNet;
use super::losses::{self, GeneratedDrums, LossTerms};
use super::run::{Adversary, RunFile};
use super::spectral::SpectralNorm;

/// Separates the draws of ε from those that choose excerpts.
const BETWEEN: u64 = 77;

/// Tensors of a generator that are not trained, by name.
pub type Constants = BTreeMap<String, Tensor>;

/// Losses of one step, mean over replicas.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Losses {
    /// The critic's loss; see [`losses`]. 0 without a critic.
    pub critic: f32,
    /// The generator's loss from the critic's verdict.
    pub adversary: f32,
    /// Cross-entropy of the presences, mean over cells, in nats.
    pub likelihood: f32,
    /// Distance of the critic's mean features; 0 if the run does not use it.
    pub feature_matching: f32,
    /// Negative log-likelihood of velocity and offset.
    pub feel: f32,
}

impl Losses {
    /// Each loss with its name, in the order of the fields.
    pub fn named(&self) -> [(&'static str, f32); 5] {
        [
            ("critic", self.critic),
            ("adversary", self.adversary),
            ("likelihood", self.likelihood),
            ("feature_matching", self.feature_matching),
            ("feel", self.feel),
        ]
    }

    fn mean(replicas: &[Self]) -> Self {
        let n = replicas.len().max(1) as f32;
        let mean = |field: fn(&Self) -> f32| replicas.iter().map(field).sum::<f32>() / n;
        Self {
            critic: mean(|l| l.critic),
            adversary: mean(|l| l.adversary),
            likelihood: mean(|l| l.likelihood),
            feature_matching: mean(|l| l.feature_matching),
            feel: mean(|l| l.feel),
        }
    }
}

/// What a replica holds between the critic's and the generator's half of a step.
struct GeneratedBatch {
    batch: Batch,
    played: GeneratedDrums,
    between: Tensor,
}

/// Both networks, their optimisers and the moving average.
#[derive(Debug)]
pub struct Trainer {
    run: RunFile,
    generator: GeneratorNet,
    generator_values: NetworkParameters,
    generator_optimiser: Adam,
    critic: NetworkParameters,
    critic_optimiser: Adam,
    spectral: SpectralNorm,
    average: NetworkParameters,
    n_steps: u64,
}

impl Trainer {
    /// A new game. `constants` are the tensors of the generator that are not trained.
    ///
    /// # Errors
    /// Those of candle.
    pub fn new(run: &RunFile, constants: Constants) -> Result<Self> {
        let layers = GeneratorNet::layers(&run.architecture);
        let (mut generator_values, generator_vars) =
            NetworkParameters::initialise(&layers, run.seed)?;
        let average = copy(&generator_values)?;
        generator_values.0.extend(constants);
        let layers = match run.loss.adversary {
            Adversary::None => Vec::new(),
            _ => CriticNet::layers(run.critic.kernels, JUDGED, run.architecture.voices),
        };
        let (critic, critic_vars) = NetworkParameters::initialise(&layers, run.seed + 1)?;
        Ok(Self {
            generator: GeneratorNet::new(&run.architecture, &generator_values)?,
            generator_values,
            generator_optimiser: Adam::new(generator_vars, &run.schedule)?,
            critic,
            critic_optimiser: Adam::new(critic_vars, &run.schedule)?,
            spectral: SpectralNorm::default(),
            average,
            n_steps: 0,
            run: run.clone(),
        })
    }

    /// Starts from trained weights of the same architecture; their constants are not used.
    ///
    /// # Errors
    /// Those of candle, if a tensor is missing or has another shape.
    pub fn begin_from(&mut self, weights: &NetworkParameters) -> Result<()> {
        for (name, var) in self.generator_optimiser.vars() {
            var.set(find(&weights.0, name, var.dims())?)?;
        }
        for (name, mean) in &mut self.average.0 {
            *mean = find(&weights.0, name, mean.dims())?.copy()?;
        }
        Ok(())
    }

    /// Generator steps so far, resumed ones included.
    pub fn n_steps(&self) -> u64 {
        self.n_steps
    }

    /// The moving average of the generator's weights, constants included.
    pub fn average(&self) -> NetworkParameters {
        let mut average = self.generator_values.detached();
        average.0.extend(self.average.0.clone());
        average
    }

    /// One generator step, preceded by the critic's steps. `scale` multiplies the step size.
    ///
    /// # Errors
    /// Those of candle, and an error if gradients are no longer finite; that network then stays as it was.
    pub fn step(&mut self, sampler: &Sampler<'_>, scale: f64) -> Result<Losses> {
        let mut critic_losses = Vec::new();
        let mut generated = Vec::new();
        for critic_step in 0..self.run.critic.steps {
            generated = self.replicate(|replica| self.generate(sampler, critic_step, replica))?;
            let Some(weights) = self.critic_weights()? else {
                break;
            };
            let judge = self.judge(&weights)?;
            let answers =
                self.replicate(|replica| self.critic_half(&judge, &generated[replica]))?;
            let (gradients, losses): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
            critic_losses = losses;
            let norm = self.critic_optimiser.step(&adam::mean(gradients)?, scale)?;
            self.demand_finite(norm, "critic")?;
        }
        let weights = self.critic_weights()?.map(|weights| weights.detached());
        let judge = weights.map(|weights| self.judge(&weights)).transpose()?;
        let answers =
            self.replicate(|replica| self.generator_half(judge.as_ref(), &generated[replica]))?;
        let (gradients, mut losses): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
        for (losses, critic) in losses.iter_mut().zip(critic_losses) {
            losses.critic = critic;
        }
        let norm = self
            .generator_optimiser
            .step(&adam::mean(gradients)?, scale)?;
        self.demand_finite(norm, "generator")?;
        self.follow()?;
        self.n_steps += 1;
        Ok(Losses::mean(&losses))
    }

    fn demand_finite(&self, norm: f64, network: &str) -> Result<()> {
        if norm.is_finite() {
            return Ok(());
        }
        Err(candle_core::Error::Msg(format!(
            "the {network}'s gradients are not finite at step {}: lower schedule.learning-rate",
            self.n_steps
        )))
    }

    /// Does the work of every replica, each on its own thread if there are several.
    fn replicate<T: Send>(&self, work: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
        let n = self.run.budget.replicas;
        if n == 1 {
            return Ok(vec![work(0)?]);
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..n)
                .map(|replica| {
                    let work = &work;
                    scope.spawn(move || work(replica))
                })
                .collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, Result<T>>| {
                let panicked = || candle_core::Error::Msg("a replica panicked".to_owned());
                thread.join().map_err(|_| panicked())?
            };
            threads.into_iter().map(join).collect()
        })
    }

    /// A replica's share of the step's excerpts, played by the generator.
    fn generate(
        &self,
        sampler: &Sampler<'_>,
        critic_step: usize,
        replica: usize,
    ) -> Result<GeneratedBatch> {
        let n_replicas = self.run.budget.replicas;
        let share = |n: usize| n / n_replicas + usize::from(replica < n % n_replicas);
        let n_judged = share(self.run.schedule.excerpts);
        let place = [self.n_steps, critic_step as u64, replica as u64];
        let batch = sampler.batch(&place, n_judged, share(self.run.data.drums_only))?;
        let remembered = (&batch.context, &batch.hits);
        let outputs = self
            .generator
            .forward(&batch.heard, &batch.latent, remembered)?;
        let between: Vec<f32> = (0..n_judged as u64)
            .map(|i| draws::uniform(&[BETWEEN, place[0], place[1], place[2], i]))
            .collect();
        Ok(GeneratedBatch {
            played: GeneratedDrums::new(&outputs, &batch, &self.run)?,
            batch,
            between: Tensor::from_vec(between, (n_judged, 1, 1, 1), &Device::Cpu)?,
        })
    }

    /// The critic's weights as used for judging; `None` without a critic.
    fn critic_weights(&mut self) -> Result<Option<NetworkParameters>> {
        Ok(match self.run.loss.adversary {
            Adversary::Hinge => Some(self.spectral.apply(&self.critic)?),
            Adversary::Gan | Adversary::WganGp => Some(self.critic.clone()),
            Adversary::None => None,
        })
    }

    /// The critic with these weights.
    fn judge(&self, weights: &NetworkParameters) -> Result<CriticNet> {
        let (kernels, voices) = (self.run.critic.kernels, self.run.architecture.voices);
        Ok(CriticNet::new(kernels, JUDGED, voices, weights)?)
    }

    fn critic_half(
        &self,
        judge: &CriticNet,
        generated: &GeneratedBatch,
    ) -> Result<(Gradients, f32)> {
        let settings = (&self.run.critic, &self.run.loss);
        let played = &generated.played.hits;
        let loss = losses::critic_loss(
            judge,
            settings,
            &generated.batch,
            played,
            &generated.between,
        )?;
        let store = loss.backward()?;
        let gradients = gradients_of(self.critic_optimiser.vars(), &store);
        Ok((gradients, loss.to_scalar()?))
    }

    fn generator_half(
        &self,
        judge: Option<&CriticNet>,
        generated: &GeneratedBatch,
    ) -> Result<(Gradients, Losses)> {
        let terms = LossTerms::new(judge, &self.run.loss, &generated.batch, &generated.played)?;
        let store = terms.total(&self.run.loss)?.backward()?;
        let or_zero = |term: &Option<Tensor>| term.as_ref().map_or(Ok(0.0), Tensor::to_scalar);
        let losses = Losses {
            critic: 0.0,
            adversary: or_zero(&terms.adversary)?,
            likelihood: terms.likelihood.to_scalar()?,
            feature_matching: or_zero(&terms.feature_matching)?,
            feel: terms.feel.to_scalar()?,
        };
        Ok((
            gradients_of(self.generator_optimiser.vars(), &store),
            losses,
        ))
    }

    /// Moves the average towards the weights; faster while there are few steps to average over.
    fn follow(&mut self) -> Result<()> {
        let n = self.n_steps as f64;
        let decay = self.run.schedule.average.min((1.0 + n) / (10.0 + n));
        for (name, mean) in &mut self.average.0 {
            if let Some(value) = self.generator_values.0.get(name) {
                *mean = ((&*mean * decay)? + (value.detach() * (1.0 - decay))?)?;
            }
        }
        Ok(())
    }

    /// Everything that a resumed run needs, by name.
    ///
    /// # Errors
    /// Those of candle.
    pub fn checkpoint(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut state: BTreeMap<_, _> = self
            .generator_optimiser
            .state("generator")?
            .into_iter()
            .collect();
        state.extend(self.critic_optimiser.state("critic")?);
        state.extend(self.spectral.state("spectral"));
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
        self.generator_optimiser.restore("generator", state)?;
        self.critic_optimiser.restore("critic", state)?;
        self.spectral.restore("spectral", state);
        for (name, mean) in &mut self.average.0 {
            *mean = find(state, &format!("average.{name}"), mean.dims())?.clone();
        }
        self.n_steps = n_steps;
        Ok(())
    }
}

fn copy(parameters: &NetworkParameters) -> Result<NetworkParameters> {
    let copied = parameters
        .0
        .iter()
        .map(|(name, tensor)| Ok((name.clone(), tensor.copy()?.detach())));
    Ok(NetworkParameters(copied.collect::<Result<_>>()?))
}
