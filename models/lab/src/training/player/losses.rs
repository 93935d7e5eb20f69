//! What the player is taught by: likelihood of people's drums, agreement with its teacher, and the ear's right answers.

use candle_core::{D, Device, Result, Tensor};
use lockstep_core::representation::Voice;
use lockstep_models::network::CellTensors;
use lockstep_models::network::player::returns::{N_CHOICES, N_STRANDS, strand};
use lockstep_models::network::player::{N_VOICES, PlayerNet};

use super::batch::{Batch, EarBatch};
use crate::training::losses::softplus;

/// What the network says of the batch's played measures.
pub(super) struct Said {
    /// `(N, 16, 5 · V)`.
    pub(super) outputs: Tensor,
    /// Logarithms of the probabilities of what each strand does, `(N, N_STRANDS, N_CHOICES)`.
    pub(super) returns: Tensor,
}

/// What a player should say: log-odds of the hits, `(N, 16, V)`, and of what comes back, `(N, N_STRANDS, N_CHOICES)`.
#[derive(Clone)]
pub(super) struct Wanted {
    hits: Tensor,
    returns: Tensor,
}

impl Said {
    /// The same as what is wanted; no gradient goes through it.
    pub(super) fn wanted(&self) -> Result<Wanted> {
        Ok(Wanted {
            hits: self.outputs.narrow(2, 0, N_VOICES)?.detach(),
            returns: self.returns.detach(),
        })
    }
}

impl Wanted {
    /// Adds the difference between `with` and `without`, times a weight for each voice. What comes back of a strand is weighted as
    /// its first voice.
    pub(super) fn beyond(
        &self,
        with: &Self,
        without: &Self,
        weights: &[f32; N_VOICES],
        device: &Device,
    ) -> Result<Self> {
        let of_strand: [f32; N_STRANDS] = std::array::from_fn(|strand_idx| {
            let voice = Voice::ALL
                .into_iter()
                .find(|voice| strand(*voice) == strand_idx);
            voice.map_or(0.0, |voice| weights[voice.index()])
        });
        let of_hits = Tensor::new(weights, device)?;
        let of_returns = Tensor::new(&of_strand, device)?.unsqueeze(1)?;
        let hits = (&with.hits - &without.hits)?.broadcast_mul(&of_hits)?;
        let returns = (&with.returns - &without.returns)?.broadcast_mul(&of_returns)?;
        Ok(Self {
            hits: (&self.hits + hits)?,
            returns: (&self.returns + returns)?,
        })
    }
}

/// What the network says.
pub(super) fn said(network: &PlayerNet, batch: &Batch) -> Result<Said> {
    let meant = network.remember(&batch.heard)?;
    let (b, m, c) = meant.dims3()?;
    let meant = meant.reshape((b * m, c))?.index_select(&batch.places, 0)?;
    let returns = network.returns(&meant, &batch.returns)?;
    let returns = returns.reshape((batch.n, N_STRANDS, N_CHOICES))?;
    Ok(Said {
        outputs: network.decode(&meant, &batch.beside, &batch.hits)?,
        returns: log_shares(&returns)?,
    })
}

/// Negative log-likelihoods a measure: what comes back, hits, velocities, offsets; each a scalar, in nats.
pub(super) fn likelihood(said: &Said, batch: &Batch) -> Result<[Tensor; 4]> {
    let outputs = &said.outputs;
    let returns = batch.returns.reshape(said.returns.shape())?;
    let returns = ((&said.returns * returns)?.sum_all()?.neg()? / batch.n.max(1) as f64)?;
    let cells = CellTensors::new(&outputs.unsqueeze(1)?)?;
    let flat = |x: &Tensor| x.squeeze(1);
    let presence = flat(&cells.presence)?;
    let n = batch.n.max(1) as f64;
    let hits = (softplus(&presence)? - (&presence * &batch.hits)?)?;
    let hits = (hits.broadcast_mul(&batch.steps)?.sum_all()? / n)?;
    let normal = |mean: &Tensor, spread: &Tensor, x: &Tensor| {
        let (mean, spread) = (flat(mean)?, flat(spread)?);
        let away = ((x - mean)? / &spread)?;
        let each = ((away.sqr()? * 0.5)? + spread.log()?)?;
        (each * &batch.hits)?.sum_all()? / n
    };
    Ok([
        returns,
        hits,
        normal(&cells.velocity, &cells.velocity_spread, &batch.velocities)?,
        normal(&cells.offset, &cells.offset_spread, &batch.offsets)?,
    ])
}

/// How far the player's answers are from the teacher's, a measure: forward divergence of the hits, cell by cell, and of what
/// comes back, strand by strand; and distance of the velocities in spreads.
pub(super) fn agreement(
    said: &Said,
    wanted: &Wanted,
    teacher: &Said,
    batch: &Batch,
) -> Result<[Tensor; 2]> {
    let outputs = &said.outputs;
    let n = batch.n.max(1) as f64;
    let says = outputs.narrow(2, 0, N_VOICES)?;
    let chance = lockstep_models::network::sigmoid(&wanted.hits)?;
    let cross = |logits: &Tensor| softplus(logits)? - (logits * &chance)?;
    let divergence = (cross(&says)? - cross(&wanted.hits)?)?;
    let divergence = (divergence.broadcast_mul(&batch.steps)?.sum_all()? / n)?;
    let sure = log_shares(&wanted.returns)?;
    let away = ((&sure - &said.returns)? * sure.exp()?)?;
    let divergence = (divergence + (away.sum_all()? / n)?)?;
    let cells = CellTensors::new(&outputs.unsqueeze(1)?)?;
    let theirs = CellTensors::new(&teacher.outputs.detach().unsqueeze(1)?)?;
    let away = ((&cells.velocity - &theirs.velocity)? / &theirs.velocity_spread)?;
    let spread = (cells.velocity_spread.log()? - theirs.velocity_spread.log()?)?;
    let far = ((away.sqr()? * 0.5)? + spread.sqr()?)?.squeeze(1)?;
    let far = ((far * &batch.hits)?.sum_all()? / n)?;
    Ok([divergence, far])
}

/// The ear's surprise at family, groove and touch, mean over the excerpts that have them; and the share of families that it
/// names right.
pub(super) fn ear(network: &PlayerNet, batch: &EarBatch) -> Result<(Tensor, f32)> {
    let ear = network.ear();
    let heard = ear.hear(&batch.bass, &batch.around, &batch.counts)?;
    let family = ear.family(&heard)?;
    let (groove, touch) = ear.rest(&heard, &batch.family)?;
    let mut total = Tensor::new(0.0_f32, family.device())?;
    let named = right_share(&family, &batch.right[0])?;
    for (logits, right) in [family, groove, touch].iter().zip(&batch.right) {
        total = (total + surprise(logits, right)?)?;
    }
    Ok((total, named))
}

/// Mean cross-entropy over the rows with a right answer.
fn surprise(logits: &Tensor, right: &[u32]) -> Result<Tensor> {
    let (b, n) = logits.dims2()?;
    let mut target = vec![0.0_f32; b * n];
    let mut known = 0.0;
    for (row, right) in right.iter().enumerate() {
        if (*right as usize) < n {
            target[row * n + *right as usize] = 1.0;
            known += 1.0;
        }
    }
    let target = Tensor::from_vec(target, (b, n), logits.device())?;
    (log_shares(logits)? * target)?.sum_all()?.neg()? / f64::max(known, 1.0)
}

/// Logarithms of the probabilities that these log-odds stand for, over the last dimension.
fn log_shares(logits: &Tensor) -> Result<Tensor> {
    let shifted = logits.broadcast_sub(&logits.detach().max_keepdim(D::Minus1)?)?;
    shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)
}

/// Share of the rows with a right answer whose likeliest is right.
fn right_share(logits: &Tensor, right: &[u32]) -> Result<f32> {
    let likeliest = logits.detach().argmax(D::Minus1)?.to_vec1::<u32>()?;
    let known = right
        .iter()
        .zip(&likeliest)
        .filter(|(right, _)| **right != u32::MAX);
    let (mut n, mut hits) = (0.0, 0.0);
    for (right, likeliest) in known {
        n += 1.0;
        hits += f32::from(u8::from(right == likeliest));
    }
    Ok(hits / f32::max(n, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_bass_changes_counts_more_for_the_voices_that_have_a_weight() -> Result<()> {
        let says = |x: f32| -> Result<Wanted> {
            let fill = |shape| Tensor::full(x, shape, &Device::Cpu);
            Ok(Wanted {
                hits: fill((1, 16, N_VOICES))?,
                returns: fill((1, N_STRANDS, N_CHOICES))?,
            })
        };
        let kick = Voice::Kick.index();
        let mut weights = [0.0; N_VOICES];
        weights[kick] = 0.5;
        let (with, without) = (says(3.0)?, says(1.0)?);
        let wanted = with.beyond(&with, &without, &weights, &Device::Cpu)?;
        let hits = &wanted.hits.to_vec3::<f32>()?[0][7];
        for (voice, log_odds) in hits.iter().enumerate() {
            let expected = if voice == kick { 4.0 } else { 3.0 };
            assert!((log_odds - expected).abs() < 1e-6, "{voice}: {log_odds}");
        }
        for (idx, log_odds) in wanted.returns.to_vec3::<f32>()?[0].iter().enumerate() {
            let is_kick = idx == strand(Voice::Kick);
            let expected = if is_kick { 4.0 } else { 3.0 };
            assert!((log_odds[2] - expected).abs() < 1e-6, "{idx}: {log_odds:?}");
        }
        Ok(())
    }
}
