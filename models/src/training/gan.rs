//! The adversarial game: hinge losses, a critic that rejects mismatched pairs, and a likelihood term.
//!
//! The critic's loss is the hinge loss (Lim & Ye 2017) over three kinds of excerpt: people's drums with their own bass
//! (real), the generator's drums with that bass (fake), people's drums with another song's bass (fake: Reed et al. 2016).
//! The generator's loss is the critic's verdict, plus the cross-entropy of its presences against what people played,
//! plus the squared error of its velocities. Its hits are hard, their gradient that of the soft ones (straight-through,
//! Bengio et al. 2013).

use std::collections::BTreeMap;

use candle_core::{Result, Tensor};

use super::adam::{Adam, Rates};
use super::batch::{Batch, Sampler};
use super::spectral::SpectralNorm;
use crate::network::{CriticNet, GeneratorNet, ParameterError, Parameters};
use crate::representation::N_VOICES;

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Seed of the initial weights and of the batches.
    pub seed: u64,
    /// Excerpts a step.
    pub n_excerpts: usize,
    /// Step size of the generator's and the critic's optimiser.
    pub learning_rate: f64,
    /// Weight of the cross-entropy (mean over cells) in the generator's loss.
    pub likelihood_weight: f64,
    /// Weight of the velocities' squared error in the generator's loss.
    pub velocity_weight: f64,
    /// Memory of the moving average of the generator's weights, which is what is saved.
    pub average_decay: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            n_excerpts: 64,
            learning_rate: 3e-4,
            likelihood_weight: 10.0,
            velocity_weight: 10.0,
            average_decay: 0.999,
        }
    }
}

/// Losses of one step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Losses {
    /// The critic's hinge loss; 2 when it knows nothing, 0 when it knows all.
    pub critic: f32,
    /// Mean verdict on the generator's drums.
    pub verdict: f32,
    /// Cross-entropy of the presences, mean over cells, in nats.
    pub likelihood: f32,
    /// Squared error of the velocities, mean over people's hits.
    pub velocity: f32,
}

/// Both networks, their optimisers and the moving average.
#[derive(Debug)]
pub struct Game {
    settings: Settings,
    generator: GeneratorNet,
    critic: Parameters,
    generator_optimiser: Adam,
    critic_optimiser: Adam,
    spectral: SpectralNorm,
    generator_values: Parameters,
    average: Parameters,
    n_steps: u64,
}

impl Game {
    /// A game that has not begun.
    ///
    /// # Errors
    /// Those of candle.
    pub fn new(settings: Settings) -> Result<Self> {
        let (generator_values, generator_vars) =
            Parameters::initialise(&GeneratorNet::LAYERS, settings.seed)?;
        let (critic, critic_vars) = Parameters::initialise(&CriticNet::LAYERS, settings.seed + 1)?;
        let rates = Rates {
            learning_rate: settings.learning_rate,
            beta1: 0.5,
            beta2: 0.95,
            max_norm: 5.0,
        };
        let average = copy(&generator_values)?;
        Ok(Self {
            settings,
            generator: GeneratorNet::new(&generator_values).map_err(broken)?,
            critic,
            generator_optimiser: Adam::new(generator_vars, rates)?,
            critic_optimiser: Adam::new(critic_vars, rates)?,
            spectral: SpectralNorm::default(),
            generator_values,
            average,
            n_steps: 0,
        })
    }

    /// Steps made so far, resumed ones included.
    pub fn n_steps(&self) -> u64 {
        self.n_steps
    }

    /// The moving average of the generator's weights.
    pub fn average(&self) -> &Parameters {
        &self.average
    }

    /// One step of the critic and one of the generator. `scale` multiplies the step size.
    ///
    /// # Errors
    /// Those of candle.
    pub fn step(&mut self, sampler: &Sampler<'_>, scale: f64) -> Result<Losses> {
        let batch = sampler.batch(self.n_steps, self.settings.n_excerpts)?;
        let logits = self.generator.forward(&batch.heard, &batch.latent)?;
        let played = Played::new(&logits, &batch)?;

        let normalised = self.spectral.apply(&self.critic)?;
        let judge = CriticNet::new(&normalised).map_err(broken)?;
        let real = Tensor::cat(&[&batch.hits, &batch.velocities], 3)?;
        let critic_loss = critic_loss(&judge, &batch, &real, &played.drums.detach())?;
        self.critic_optimiser
            .step(&critic_loss.backward()?, scale)?;

        let judge = CriticNet::new(&normalised.detached()).map_err(broken)?;
        let verdict = judge.forward(&batch.bass, &played.drums)?.mean_all()?;
        let likelihood = cross_entropy(&played.presence_logits, &batch.hits)?;
        let velocity = velocity_error(&played.velocities, &batch)?;
        let loss = ((&likelihood * self.settings.likelihood_weight)?
            + (&velocity * self.settings.velocity_weight)?)?;
        let loss = (loss - &verdict)?;
        self.generator_optimiser.step(&loss.backward()?, scale)?;

        self.follow()?;
        self.n_steps += 1;
        Ok(Losses {
            critic: critic_loss.to_scalar()?,
            verdict: verdict.to_scalar()?,
            likelihood: likelihood.to_scalar()?,
            velocity: velocity.to_scalar()?,
        })
    }

    /// Moves the average towards the weights; faster while there are few steps to average over.
    fn follow(&mut self) -> Result<()> {
        let decay = self
            .settings
            .average_decay
            .min((1.0 + self.n_steps as f64) / (10.0 + self.n_steps as f64));
        for (name, mean) in &mut self.average.0 {
            if let Some(value) = self.generator_values.0.get(name) {
                *mean = ((&*mean * decay)? + (value.detach() * (1.0 - decay))?)?;
            }
        }
        Ok(())
    }

    /// Everything a resumed run needs, by name.
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
        for (name, mean) in &self.average.0 {
            state.insert(format!("average.{name}"), mean.clone());
        }
        Ok(state)
    }

    /// Goes on from a checkpoint that was made after `n_steps` steps.
    ///
    /// # Errors
    /// Those of candle, if a tensor is missing or of another shape.
    pub fn resume(&mut self, state: &BTreeMap<String, Tensor>, n_steps: u64) -> Result<()> {
        self.generator_optimiser.restore("generator", state)?;
        self.critic_optimiser.restore("critic", state)?;
        for (name, mean) in &mut self.average.0 {
            if let Some(saved) = state.get(&format!("average.{name}")) {
                *mean = saved.clone();
            }
        }
        self.n_steps = n_steps;
        Ok(())
    }
}

/// The generator's drums for a batch.
struct Played {
    presence_logits: Tensor,
    /// In `[0, 1]`, whether hit or not.
    velocities: Tensor,
    /// What the critic sees: hard hits and their velocities, with soft gradients.
    drums: Tensor,
}

impl Played {
    fn new(logits: &Tensor, batch: &Batch) -> Result<Self> {
        let presence_logits = logits.narrow(3, 0, N_VOICES)?.contiguous()?;
        let velocities = sigmoid(&logits.narrow(3, N_VOICES, N_VOICES)?.contiguous()?)?;
        let drawn = (&presence_logits + &batch.cells)?;
        let soft = sigmoid(&drawn)?;
        let hard = drawn.gt(0.0)?.to_dtype(candle_core::DType::F32)?;
        let hits = (hard + (&soft - soft.detach())?)?;
        let loud = (&hits * &velocities)?;
        Ok(Self {
            drums: Tensor::cat(&[&hits, &loud], 3)?,
            presence_logits,
            velocities,
        })
    }
}

/// Hinge loss; the two kinds of fake weigh one half each.
fn critic_loss(judge: &CriticNet, batch: &Batch, real: &Tensor, fake: &Tensor) -> Result<Tensor> {
    let n = batch.bass.dim(0)?;
    // Another song's bass: the batch turned by one.
    let other_bass = Tensor::cat(
        &[
            &batch.bass.narrow(0, 1, n - 1)?,
            &batch.bass.narrow(0, 0, 1)?,
        ],
        0,
    )?;
    let bass = Tensor::cat(&[&batch.bass, &batch.bass, &other_bass], 0)?;
    let drums = Tensor::cat(&[real, fake, real], 0)?;
    let verdicts = judge.forward(&bass, &drums)?;
    let matched = (1.0 - verdicts.narrow(0, 0, n)?)?.relu()?.mean_all()?;
    let rejected = (verdicts.narrow(0, n, 2 * n)? + 1.0)?.relu()?.mean_all()?;
    matched + rejected
}

/// Cross-entropy of logits against 0 or 1, mean over cells, in the form that cannot overflow.
fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let softplus = ((logits.abs()?.neg()?.exp()? + 1.0)?.log()? + logits.relu()?)?;
    (softplus - (logits * targets)?)?.mean_all()
}

/// Squared error of the velocities where people hit.
fn velocity_error(velocities: &Tensor, batch: &Batch) -> Result<Tensor> {
    let error = ((velocities - &batch.velocities)?.sqr()? * &batch.hits)?.sum_all()?;
    error / (f64::from(batch.hits.sum_all()?.to_scalar::<f32>()?) + 1.0)
}

/// Logistic function with a gradient in this version of candle.
fn sigmoid(x: &Tensor) -> Result<Tensor> {
    (x.neg()?.exp()? + 1.0)?.recip()
}

fn copy(parameters: &Parameters) -> Result<Parameters> {
    let copied = parameters
        .0
        .iter()
        .map(|(name, tensor)| Ok((name.clone(), tensor.copy()?.detach())));
    Ok(Parameters(copied.collect::<Result<_>>()?))
}

fn broken(error: ParameterError) -> candle_core::Error {
    candle_core::Error::wrap(error)
}
