//! A network's answer for the next measure, read step by step.

use lockstep_core::representation::{N_VOICES, Voice};

use crate::network::{Decoder, Decoding, N_OUTPUTS};

/// An answer, to be read from the first step to the last.
#[derive(Debug)]
pub(super) enum Answer<'a> {
    /// All cells at once, `(16, N_OUTPUTS)`.
    Whole(Vec<f32>),
    /// Each cell after those before it.
    ByHit {
        decoder: &'a Decoder,
        /// Each view and how much it counts; the shares sum to 1.
        views: Vec<(f32, Decoding)>,
    },
}

impl Answer<'_> {
    /// Outputs of a step; after the end of the network's row they start over.
    pub(super) fn outputs(&self, step_idx: usize) -> [f32; N_OUTPUTS] {
        match self {
            Self::Whole(outputs) => {
                let (steps, _) = outputs.as_chunks::<N_OUTPUTS>();
                steps
                    .get(step_idx % steps.len().max(1))
                    .copied()
                    .unwrap_or([f32::NAN; N_OUTPUTS])
            }
            Self::ByHit { decoder, views } => {
                let mut outputs = [0.0; N_OUTPUTS];
                for (share, decoding) in views {
                    let own = decoder.outputs(decoding, step_idx);
                    for (output, own) in outputs.iter_mut().zip(own) {
                        *output += share * own;
                    }
                }
                outputs
            }
        }
    }

    /// Records that a voice hits; later voices at the same step take it into account.
    pub(super) fn hit(&self, outputs: &mut [f32; N_OUTPUTS], voice: Voice) {
        if let Self::ByHit { decoder, .. } = self {
            decoder.hit(outputs, voice.index());
        }
    }

    /// Records the hits of a step, once all of its voices have decided.
    pub(super) fn decided(&mut self, hits: [bool; N_VOICES]) {
        if let Self::ByHit { views, .. } = self {
            for (_, decoding) in views {
                decoding.decided(hits);
            }
        }
    }
}
