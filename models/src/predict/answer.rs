//! A network's answer for the next measure, read step by step.

use lockstep_core::representation::N_VOICES;

use crate::network::{Decoder, Decoding, StepOutputs, n_outputs};
use crate::voices::VoiceSet;

/// An answer, to be read from the first step to the last.
#[derive(Debug)]
pub(super) enum Answer<'a> {
    /// All cells at once, `(16, 5 · V)`.
    Whole { voices: VoiceSet, outputs: Vec<f32> },
    /// Each cell after those before it.
    ByHit {
        decoder: &'a Decoder,
        /// Each view and how much it counts; the shares sum to 1.
        views: Vec<(f32, Decoding)>,
    },
}

impl Answer<'_> {
    /// Outputs of a step; after the end of the network's row they start over.
    pub(super) fn outputs(&self, step_idx: usize) -> StepOutputs {
        match self {
            Self::Whole { voices, outputs } => {
                let mut steps = outputs.chunks_exact(n_outputs(*voices));
                let step = steps.nth(step_idx % steps.len().max(1));
                StepOutputs::new(*voices, step.unwrap_or_default())
            }
            Self::ByHit { decoder, views } => {
                let mut outputs = StepOutputs::filled(decoder.voices(), 0.0);
                for (share, decoding) in views {
                    let own = decoder.outputs(decoding, step_idx);
                    for (output, own) in outputs.numbers_mut().iter_mut().zip(own.numbers()) {
                        *output += share * own;
                    }
                }
                outputs
            }
        }
    }

    /// Records that the voice of a column hits; later voices at the same step take it into account.
    pub(super) fn hit(&self, outputs: &mut StepOutputs, column: usize) {
        if let Self::ByHit { decoder, .. } = self {
            decoder.hit(outputs, column);
        }
    }

    /// Records the hits of a step by column, once all of its voices have decided.
    pub(super) fn decided(&mut self, hits: [bool; N_VOICES]) {
        if let Self::ByHit { views, .. } = self {
            for (_, decoding) in views {
                decoding.decided(hits);
            }
        }
    }
}
