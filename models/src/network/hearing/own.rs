//! The drummer's own past drums, heard as the bass is: steps, beats, measures.

use candle_core::{Result, Tensor};
use lockstep_core::representation::N_VOICES;

use super::{Heard, Pyramid, STEP_CHANNELS};
use crate::network::{Layer, NET_STEPS, ParameterError, Parameters, Projection};

/// Channels of a step of one's own drums: whether each voice was hit, how loud, and whether the measure is known at all.
///
/// A measure without a hit is not known: who was silent must not take silence for a groove that goes on.
pub const N_OWN_PLANES: usize = 2 * N_VOICES + 1;

/// Marks a measure of one's own drums, `(16, N_OWN_PLANES)`, as known, if there is a hit in it.
pub fn know(planes: &mut [f32]) {
    let mut steps = planes.chunks_exact(N_OWN_PLANES);
    let known = f32::from(u8::from(
        steps.any(|step| step[..N_VOICES].iter().any(|hit| *hit > 0.0)),
    ));
    for step in planes.chunks_exact_mut(N_OWN_PLANES) {
        step[2 * N_VOICES] = known;
    }
}

/// Hears one's own drums.
#[derive(Clone, Debug)]
pub(in crate::network) struct OwnDrums {
    steps: Projection,
    pyramid: Pyramid,
}

impl OwnDrums {
    fn steps(n_measures: usize) -> Layer {
        let size = (N_OWN_PLANES, STEP_CHANNELS);
        Layer::affine("own.step", size, n_measures * NET_STEPS)
    }

    pub(in crate::network) fn layers(n_measures: usize) -> Vec<Layer> {
        let mut layers = vec![Self::steps(n_measures)];
        layers.extend(Pyramid::layers("own", n_measures));
        layers
    }

    pub(in crate::network) fn new(
        parameters: &Parameters,
    ) -> std::result::Result<Self, ParameterError> {
        Ok(Self {
            steps: parameters.projection(&Self::steps(1))?,
            pyramid: Pyramid::new("own", parameters)?,
        })
    }

    /// `(B, M, 16, N_OWN_PLANES)` to what was heard.
    pub(in crate::network) fn forward(&self, own: &Tensor) -> Result<Heard> {
        self.pyramid.forward(self.steps.rectified(own, 0.0)?)
    }
}
