//! The losses of the critic and the generator.
//!
//! All three games have the same players: a critic D that scores excerpts (bass and four measures of drums), people's
//! drums x, and a generator's drums G(z). With mismatched pairs (Reed et al. 2016) the critic also sees people's drums
//! with another song's bass, x′, and must judge them to be takes; the two kinds of take weigh one half each, written fake
//! below.
//!
//! # The original GAN (Goodfellow et al. 2014)
//! D's score is a log-odds that the excerpt is people's. The critic minimises the cross-entropy
//! −ln σ(D(x)) − ln(1 − σ(D(fake))); at its optimum the game is the Jensen-Shannon divergence of people and takes. The
//! generator minimises −ln σ(D(G(z))), the non-saturating form. If the two distributions hardly overlap, which hard hits make
//! likely, D is certain, and its slope, from which the generator learns, vanishes.
//!
//! # WGAN-GP (Gulrajani et al. 2017)
//! D's score has no fixed scale; there is no σ and no logarithm. The critic maximises the difference of its mean scores,
//! D(x) − D(fake), the generator maximises D(G(z)). That difference is the Wasserstein-1 distance only while D is
//! 1-Lipschitz, so the critic also minimises λ (‖∇D(x̂)‖₂ − 1)², λ = 10, at points x̂ = εx + (1 − ε)G(z), ε uniform in
//! (0, 1), one for each excerpt: the gradient is D's with respect to the drums, and the norm is over an excerpt. The slope
//! does not vanish however far apart people and takes are; each critic step costs a second backward pass through the
//! gradient.
//!
//! # Hinge with spectral normalisation (Lim & Ye 2017, Miyato et al. 2018)
//! The critic minimises max(0, 1 − D(x)) + max(0, 1 + D(fake)), the generator −D(G(z)). The Lipschitz bound comes from
//! dividing each weight by its largest singular value, which costs next to nothing.

use candle_core::{DType, Result, Tensor, Var};
use lockstep_models::network::{CellTensors, sigmoid};

use super::critic::{CriticNet, Verdict};

use super::batch::Batch;
use super::run::{Adversary, Critic, Loss, RunFile};

/// λ of the gradient penalty, as in the paper.
const PENALTY_WEIGHT: f64 = 10.0;

/// A generator's drums for a batch.
#[derive(Debug)]
pub(super) struct GeneratedDrums {
    pub(super) cells: CellTensors,
    /// Hard hits with soft gradients (straight-through, Bengio et al. 2013): `(B, K, 16, V)`.
    pub(super) hits: Tensor,
}

impl GeneratedDrums {
    /// The take that results from these outputs and the batch's draws.
    pub(super) fn new(outputs: &Tensor, batch: &Batch, run: &RunFile) -> Result<Self> {
        let cells = CellTensors::new(outputs)?;
        let noise = (&batch.cells * f64::from(run.critic.temperature))?;
        let lean = &run.take.lean.values()[..run.architecture.voices.n()];
        let lean = Tensor::new(lean, noise.device())?;
        let drawn = (&cells.presence + noise)?.broadcast_add(&lean)?;
        let soft = sigmoid(&drawn)?;
        let hard = drawn.gt(0.0)?.to_dtype(DType::F32)?;
        Ok(Self {
            hits: (hard + (&soft - soft.detach())?)?,
            cells,
        })
    }
}

/// The critic's loss. `between` is ε for each excerpt, `(B, 1, 1, 1)`; only the gradient penalty uses it.
pub(super) fn critic_loss(
    judge: &CriticNet,
    (critic, loss): (&Critic, &Loss),
    batch: &Batch,
    played: &Tensor,
    between: &Tensor,
) -> Result<Tensor> {
    let n = batch.n_judged;
    let bass = batch.bass.narrow(0, 0, n)?;
    let real = batch.hits.narrow(0, 0, n)?;
    let fake = played.narrow(0, 0, n)?.detach();
    let heard = judge.hear(&bass)?;
    let mut bass = vec![&heard, &heard];
    let mut drums = vec![&real, &fake];
    // Another song's bass: the batch rotated by one.
    let other = Tensor::cat(&[&heard.narrow(0, 1, n - 1)?, &heard.narrow(0, 0, 1)?], 0)?;
    if critic.mismatched {
        bass.push(&other);
        drums.push(&real);
    }
    let scores = judge
        .judge(&Tensor::cat(&bass, 0)?, &Tensor::cat(&drums, 0)?)?
        .score;
    let people = scores.narrow(0, 0, n)?;
    let takes = scores.narrow(0, n, (drums.len() - 1) * n)?;
    match loss.adversary {
        Adversary::Gan => softplus(&people.neg()?)?.mean_all()? + softplus(&takes)?.mean_all()?,
        Adversary::Hinge | Adversary::None => {
            (1.0 - people)?.relu()?.mean_all()? + (takes + 1.0)?.relu()?.mean_all()?
        }
        Adversary::WganGp => {
            let penalty = gradient_penalty(judge, &heard, (&real, &fake), between)?;
            (takes.mean_all()? - people.mean_all()?)? + (penalty * PENALTY_WEIGHT)?
        }
    }
}

/// Mean of (‖∇D‖ − 1)² over excerpts, at points between people's drums and takes.
///
/// Needs second-order gradients: see [`second_order_works`].
fn gradient_penalty(
    judge: &CriticNet,
    heard: &Tensor,
    (real, fake): (&Tensor, &Tensor),
    between: &Tensor,
) -> Result<Tensor> {
    let point = (real.broadcast_mul(between)? + fake.broadcast_mul(&(1.0 - between)?)?)?;
    let point = Var::from_tensor(&point)?;
    let score = judge.judge(heard, point.as_tensor())?.score;
    // Mean over the verdicts of an excerpt, sum over excerpts, so that each excerpt's gradient depends only on itself.
    let total = (score.sum_all()? / score.dim(1)? as f64)?;
    let gradients = total.backward()?;
    let slope = gradients
        .get(&point)
        .ok_or_else(|| candle_core::Error::Msg("the critic ignores the drums".to_owned()))?;
    let norm = (slope.sqr()?.flatten_from(1)?.sum(1)? + 1e-12)?.sqrt()?;
    (norm - 1.0)?.sqr()?.mean_all()
}

/// Whether this thread's backward passes can themselves be differentiated, tried on d²/dw² of tanh(w).
///
/// candle reads the environment variable `CANDLE_GRAD_DO_NOT_DETACH` once per thread, at the first backward pass; without it
/// the gradient penalty is silently constant.
///
/// # Errors
/// Those of candle.
pub fn second_order_works() -> Result<bool> {
    let w = Var::new(0.3_f32, &candle_core::Device::Cpu)?;
    let first = w.as_tensor().tanh()?.backward()?;
    let Some(slope) = first.get(&w) else {
        return Ok(false);
    };
    let Some(curvature) = slope.backward()?.get(&w).cloned() else {
        return Ok(false);
    };
    let t = 0.3_f32.tanh();
    let expected = -2.0 * t * (1.0 - t * t);
    Ok((curvature.to_scalar::<f32>()? - expected).abs() < 1e-4)
}

/// Terms of the generator's loss; each a scalar.
#[derive(Debug)]
pub(super) struct LossTerms {
    pub(super) adversary: Option<Tensor>,
    pub(super) likelihood: Tensor,
    pub(super) feature_matching: Option<Tensor>,
    pub(super) feel: Tensor,
}

impl LossTerms {
    /// `judge`, if given, must have detached weights: this half of a step trains only the generator.
    pub(super) fn new(
        judge: Option<&CriticNet>,
        loss: &Loss,
        batch: &Batch,
        played: &GeneratedDrums,
    ) -> Result<Self> {
        let n = batch.n_judged;
        let real = batch.hits.narrow(0, 0, n)?;
        let presence = played.cells.presence.narrow(0, 0, n)?;
        let mut terms = Self {
            adversary: None,
            likelihood: cross_entropy(&presence, &real)?,
            feature_matching: None,
            feel: feel(&played.cells, batch)?,
        };
        let Some(judge) = judge else {
            return Ok(terms);
        };
        let heard = judge.hear(&batch.bass.narrow(0, 0, n)?)?;
        let verdict = judge.judge(&heard, &played.hits.narrow(0, 0, n)?)?;
        terms.adversary = Some(match loss.adversary {
            Adversary::Gan => softplus(&verdict.score.neg()?)?.mean_all()?,
            Adversary::Hinge | Adversary::WganGp | Adversary::None => {
                verdict.score.mean_all()?.neg()?
            }
        });
        if loss.feature_matching > 0.0 {
            let people = judge.judge(&heard, &real)?;
            terms.feature_matching = Some(feature_distance(&people, &verdict)?);
        }
        Ok(terms)
    }

    /// The weighted sum.
    pub(super) fn total(&self, loss: &Loss) -> Result<Tensor> {
        let mut total = ((&self.likelihood * loss.likelihood)? + (&self.feel * loss.feel)?)?;
        if let Some(adversary) = &self.adversary {
            total = (adversary + total)?;
        }
        if let Some(distance) = &self.feature_matching {
            total = (total + (distance * loss.feature_matching)?)?;
        }
        Ok(total)
    }
}

/// MidiNet's feature matching (Yang et al. 2017, after Salimans et al. 2016): squared distance of the batch's mean
/// features.
fn feature_distance(people: &Verdict, takes: &Verdict) -> Result<Tensor> {
    let difference = (people.features.mean(0)? - takes.features.mean(0)?)?;
    difference.sqr()?.mean_all()
}

/// Cross-entropy of logits against 0 or 1, mean over cells, in nats.
fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    (softplus(logits)? - (logits * targets)?)?.mean_all()
}

/// Negative log-likelihood of velocities and offsets under normal distributions, mean over people's hits that were played
/// rather than programmed, in nats without the constant.
fn feel(cells: &CellTensors, batch: &Batch) -> Result<Tensor> {
    let normal = |mean: &Tensor, spread: &Tensor, value: &Tensor, counts: &Tensor| {
        let distance = ((value - mean)? / spread)?;
        let nats = ((distance.sqr()? * 0.5)? + spread.log()?)?;
        let n = f64::from(counts.sum_all()?.to_scalar::<f32>()?) + 1.0;
        (nats * counts)?.sum_all()? / n
    };
    normal(
        &cells.velocity,
        &cells.velocity_spread,
        &batch.velocities,
        &batch.has_dynamics,
    )? + normal(
        &cells.offset,
        &cells.offset_spread,
        &batch.offsets,
        &batch.has_timing,
    )?
}

/// ln(1 + eˣ), in the form that cannot overflow.
pub(super) fn softplus(x: &Tensor) -> Result<Tensor> {
    (x.abs()?.neg()?.exp()? + 1.0)?.log()? + x.relu()?
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use lockstep_core::representation::N_VOICES;
    use lockstep_models::network::{Kernels, NetworkParameters};
    use lockstep_models::voices::VoiceSet;

    use super::*;

    #[test]
    fn second_order_gradients_are_on_in_tests() -> Result<()> {
        assert!(second_order_works()?);
        Ok(())
    }

    #[test]
    fn softplus_and_cross_entropy_have_their_known_values() -> Result<()> {
        let x = Tensor::new(&[0.0_f32, 100.0, -100.0], &Device::Cpu)?;
        let y = softplus(&x)?.to_vec1::<f32>()?;
        assert!((y[0] - 2.0_f32.ln()).abs() < 1e-6 && (y[1] - 100.0).abs() < 1e-4 && y[2] < 1e-6);
        let loss = cross_entropy(&x, &Tensor::new(&[1.0_f32, 1.0, 0.0], &Device::Cpu)?)?;
        assert!((loss.to_scalar::<f32>()? - 2.0_f32.ln() / 3.0).abs() < 1e-6);
        Ok(())
    }

    /// Compares the penalty's gradient with respect to a weight with a finite difference.
    #[test]
    fn the_penaltys_gradient_matches_finite_differences() -> Result<()> {
        let layers = CriticNet::layers(Kernels::ThreeD, 4, VoiceSet::default());
        let (parameters, vars) = NetworkParameters::initialise(&layers, 5)?;
        let draw = |seed: u64, n: usize| -> Vec<f32> {
            (0..n as u64)
                .map(|i| lockstep_core::draws::uniform(&[seed, i]))
                .collect()
        };
        let shape = (2, 4, 16, N_VOICES);
        let n = 2 * 4 * 16 * N_VOICES;
        let real = Tensor::from_vec(draw(1, n), shape, &Device::Cpu)?;
        let fake = Tensor::from_vec(draw(2, n), shape, &Device::Cpu)?;
        let between = Tensor::from_vec(draw(3, 2), (2, 1, 1, 1), &Device::Cpu)?;
        let heard = Tensor::from_vec(draw(4, 2 * 64 * 64), (2, 4, 16, 64), &Device::Cpu)?;
        let penalty = |parameters: &NetworkParameters| {
            let judge = CriticNet::new(Kernels::ThreeD, 4, VoiceSet::default(), parameters)?;
            gradient_penalty(&judge, &heard, (&real, &fake), &between)
        };
        let gradients = penalty(&parameters)?.backward()?;
        let name = "critic.measure.weight";
        let var = &vars[name];
        let slope = gradients
            .get(var)
            .ok_or(candle_core::Error::Msg("none".into()))?;
        let direction = slope
            .broadcast_div(&slope.sqr()?.sum_all()?.sqrt()?)?
            .detach();
        let expected = (slope * &direction)?.sum_all()?.to_scalar::<f32>()?;
        let at = |step: f64| -> Result<f32> {
            let mut moved = parameters.detached();
            moved.0.insert(
                name.to_owned(),
                (var.as_tensor().detach() + (&direction * step)?)?,
            );
            penalty(&moved)?.to_scalar()
        };
        let measured = (at(1e-3)? - at(-1e-3)?) / 2e-3;
        assert!(
            (measured - expected).abs() < 0.02 * expected.abs().max(0.01),
            "{measured} for {expected}"
        );
        Ok(())
    }
}
