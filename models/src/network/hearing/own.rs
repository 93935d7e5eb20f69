//! The drummer's own past drums, heard like the bass at the scale of steps, beats and measures.

use candle_core::{Result, Tensor};
use lockstep_core::representation::N_VOICES;

use super::{HeardFeatures, Pyramid, STEP_CHANNELS};
use crate::network::{Layer, NET_STEPS, NetworkParameterError, NetworkParameters, Projection};

/// Channels of a step of the drummer's own drums: whether each voice was hit, how loud, and whether the measure is known.
///
/// A measure without a hit is unknown, so that a drummer who was silent does not go on with silence as a groove.
pub const N_OWN_PLANES: usize = 2 * N_VOICES + 1;

/// Marks a measure of own drums, `(16, N_OWN_PLANES)`, as known if it has a hit.
pub fn mark_known(planes: &mut [f32]) {
    let mut steps = planes.chunks_exact(N_OWN_PLANES);
    let known = f32::from(u8::from(
        steps.any(|step| step[..N_VOICES].iter().any(|hit| *hit > 0.0)),
    ));
    for step in planes.chunks_exact_mut(N_OWN_PLANES) {
        step[2 * N_VOICES] = known;
    }
}

/// Hears the drummer's own drums.
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
        parameters: &NetworkParameters,
    ) -> std::result::Result<Self, NetworkParameterError> {
        Ok(Self {
            steps: parameters.projection(&Self::steps(1))?,
            pyramid: Pyramid::new("own", parameters)?,
        })
    }

    /// Reads `(B, M, 16, N_OWN_PLANES)`.
    pub(in crate::network) fn forward(&self, own: &Tensor) -> Result<HeardFeatures> {
        self.pyramid.forward(self.steps.rectified(own, 0.0)?)
    }
}
