//! Deciding a measure hit by hit, in plain numbers. [`Autoregressive`](super::Autoregressive) is trained on all steps at once;
//! this goes one step at a time.

use lockstep_core::representation::N_VOICES;

use super::n_outputs;
use super::trunk::TRUNK_WIDTH;
use crate::network::hearing::n_own_planes;
use crate::network::{NET_STEPS, StepOutputs};
use crate::voices::VoiceSet;

/// How many steps back the hits are known: one measure.
pub(super) const TAPS: usize = NET_STEPS;
/// Channels.
pub(super) const WIDTH: usize = 128;

/// The decoder's weights, each row by row.
#[derive(Clone, Debug)]
pub struct Decoder {
    pub(super) voices: VoiceSet,
    /// `(TRUNK_WIDTH + TAPS · V, WIDTH)`: the step's features, then the hits of the steps before, oldest first.
    pub(super) join: Vec<f32>,
    pub(super) join_bias: Vec<f32>,
    /// `(WIDTH, WIDTH)`.
    pub(super) deepen: Vec<f32>,
    pub(super) deepen_bias: Vec<f32>,
    /// `(WIDTH, 5 · V)`.
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
    /// Hits of the last `TAPS` steps, `(TAPS, V)`, oldest first.
    before: Vec<bool>,
}

impl Decoder {
    /// The voices it decides, in column order.
    pub fn voices(&self) -> VoiceSet {
        self.voices
    }

    /// Starts a measure with nothing decided. `features` is `(16, N_FEATURES)`; `own` holds the own drums of the measures
    /// before, `(M, 16, 2 · V + 1)`, and the hits of the last one count.
    pub fn begin(&self, features: &[f32], own: &[f32]) -> Decoding {
        let steps = features.chunks_exact(TRUNK_WIDTH).map(|features| {
            let mut sum = start(&self.join_bias);
            add_rows(&mut sum, &self.join, features);
            sum
        });
        let own = own.chunks_exact(n_own_planes(self.voices));
        let n_earlier = own.len().saturating_sub(TAPS);
        let planes = own
            .skip(n_earlier)
            .flat_map(|step| &step[..self.voices.n()]);
        Decoding {
            steps: steps.collect(),
            before: planes.map(|plane| *plane > 0.5).collect(),
        }
    }

    /// Outputs of a step before any of its voices has decided. After the sixteenth step the features start over.
    pub fn outputs(&self, decoding: &Decoding, step_idx: usize) -> StepOutputs {
        let mut x = decoding.steps[step_idx % decoding.steps.len()];
        let taps = self.join[TRUNK_WIDTH * WIDTH..].chunks_exact(WIDTH);
        for (row, hit) in taps.zip(&decoding.before) {
            if *hit {
                add(&mut x, row, 1.0);
            }
        }
        let mut x = x.map(|x| x.max(0.0));
        let mut deep: [f32; WIDTH] = start(&self.deepen_bias);
        add_rows(&mut deep, &self.deepen, &x);
        for (x, deep) in x.iter_mut().zip(deep) {
            *x += deep.max(0.0);
        }
        match self.voices {
            VoiceSet::Version1 => self.read_out::<{ n_outputs(VoiceSet::Version1) }>(&x),
            VoiceSet::Version2 => self.read_out::<{ n_outputs(VoiceSet::Version2) }>(&x),
        }
    }

    /// The last layer, `N` outputs, a number that is known when compiling: that saves a twentieth of a prediction.
    fn read_out<const N: usize>(&self, x: &[f32]) -> StepOutputs {
        let mut outputs: [f32; N] = start(&self.output_bias);
        for (row, x) in self.output.chunks_exact(N).zip(x) {
            add(&mut outputs, row, *x);
        }
        StepOutputs::new(self.voices, &outputs)
    }

    /// Tells the voices after that of `column` that it hits, by changing their presences.
    pub fn hit(&self, outputs: &mut StepOutputs, column: usize) {
        if let Some(row) = self.within.chunks_exact(self.voices.n()).nth(column) {
            for (presence, more) in outputs.presences_mut().iter_mut().zip(row) {
                *presence += more;
            }
        }
    }
}

impl Decoding {
    /// Goes on to the next step; the hits are by column.
    pub fn decided(&mut self, hits: [bool; N_VOICES]) {
        let n = self.before.len() / TAPS;
        self.before.rotate_left(n);
        let older = self.before.len() - n;
        self.before[older..].copy_from_slice(&hits[..n]);
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
