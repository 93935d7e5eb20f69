//! Deciding a measure hit by hit, in plain numbers. [`Autoregressive`](super::Autoregressive) is trained on all steps at once;
//! this goes one step at a time.

use lockstep_core::representation::N_VOICES;

use super::N_OUTPUTS;
use super::trunk::TRUNK_WIDTH;
use crate::network::NET_STEPS;
use crate::network::hearing::N_OWN_PLANES;

/// How many steps back the hits are known: one measure.
pub(super) const TAPS: usize = NET_STEPS;
/// Channels.
pub(super) const WIDTH: usize = 128;

/// The decoder's weights, each row by row.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// `(TRUNK_WIDTH + TAPS · V, WIDTH)`: the step's features, then the hits of the steps before, oldest first.
    pub(super) join: Vec<f32>,
    pub(super) join_bias: Vec<f32>,
    /// `(WIDTH, WIDTH)`.
    pub(super) deepen: Vec<f32>,
    pub(super) deepen_bias: Vec<f32>,
    /// `(WIDTH, N_OUTPUTS)`.
    pub(super) output: Vec<f32>,
    pub(super) output_bias: Vec<f32>,
    /// `(V, V)`: what a hit adds to the log-odds of the voices after it.
    pub(super) within: Vec<f32>,
}

/// A measure while it is being decided.
#[derive(Clone, Debug)]
pub struct Decoding {
    /// The features' part of each step's sum, `(T, WIDTH)`.
    steps: Vec<[f32; WIDTH]>,
    /// Hits of the last `TAPS` steps, oldest first.
    before: Vec<[bool; N_VOICES]>,
}

impl Decoder {
    /// Starts a measure with nothing decided. `features` is `(16, N_FEATURES)`; `own` holds the own drums of the measures
    /// before, `(M, 16, N_OWN_PLANES)`, and the hits of the last one count.
    pub fn begin(&self, features: &[f32], own: &[f32]) -> Decoding {
        let steps = features.chunks_exact(TRUNK_WIDTH).map(|features| {
            let mut sum = start(&self.join_bias);
            add_rows(&mut sum, &self.join, features);
            sum
        });
        let (own, _) = own.as_chunks::<N_OWN_PLANES>();
        let before = &own[own.len().saturating_sub(TAPS)..];
        Decoding {
            steps: steps.collect(),
            before: before
                .iter()
                .map(|step| std::array::from_fn(|voice| step[voice] > 0.5))
                .collect(),
        }
    }

    /// Outputs of a step before any of its voices has decided. After the sixteenth step the features start over.
    pub fn outputs(&self, decoding: &Decoding, step_idx: usize) -> [f32; N_OUTPUTS] {
        let mut x = decoding.steps[step_idx % decoding.steps.len()];
        let taps = self.join[TRUNK_WIDTH * WIDTH..].chunks_exact(WIDTH);
        for (row, hit) in taps.zip(decoding.before.iter().flatten()) {
            if *hit {
                add(&mut x, row, 1.0);
            }
        }
        let x = x.map(|x| x.max(0.0));
        let mut deep: [f32; WIDTH] = start(&self.deepen_bias);
        add_rows(&mut deep, &self.deepen, &x);
        let mut outputs = start(&self.output_bias);
        for ((row, x), deep) in self.output.chunks_exact(N_OUTPUTS).zip(x).zip(deep) {
            add(&mut outputs, row, x + deep.max(0.0));
        }
        outputs
    }

    /// Tells the voices after `voice_idx` that it hits, by changing the presences, which come first in `outputs`.
    pub fn hit(&self, outputs: &mut [f32; N_OUTPUTS], voice_idx: usize) {
        if let Some(row) = self.within.chunks_exact(N_VOICES).nth(voice_idx) {
            for (presence, more) in outputs.iter_mut().zip(row) {
                *presence += more;
            }
        }
    }
}

impl Decoding {
    /// Goes on to the next step.
    pub fn decided(&mut self, hits: [bool; N_VOICES]) {
        self.before.rotate_left(1);
        if let Some(newest) = self.before.last_mut() {
            *newest = hits;
        }
    }
}

fn start<const N: usize>(bias: &[f32]) -> [f32; N] {
    std::array::from_fn(|i| bias[i])
}

fn add<const N: usize>(sum: &mut [f32; N], row: &[f32], factor: f32) {
    for (sum, weight) in sum.iter_mut().zip(row) {
        *sum += factor * weight;
    }
}

/// Adds the product of `x` and the first `x.len()` rows of `weight`.
fn add_rows<const N: usize>(sum: &mut [f32; N], weight: &[f32], x: &[f32]) {
    for (row, x) in weight.chunks_exact(N).zip(x) {
        // Rectified values are often 0.
        if *x != 0.0 {
            add(sum, row, *x);
        }
    }
}
