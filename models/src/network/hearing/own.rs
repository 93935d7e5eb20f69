//! The drummer's own past drums, heard like the bass at the scale of steps, beats and measures.

use candle_core::{Result, Tensor};

use super::{HeardFeatures, Pyramid, STEP_CHANNELS};
use crate::network::{Layer, NET_STEPS, NetworkParameterError, NetworkParameters, Projection};
use crate::voices::VoiceSet;

/// Channels of a step of the drummer's own drums: whether each voice was hit, how loud, and whether the measure is known.
///
/// A measure without a hit is unknown, so that a drummer who was silent does not go on with silence as a groove.
pub const fn n_own_planes(voices: VoiceSet) -> usize {
    2 * voices.n() + 1
}

/// Marks a measure of own drums, `(16, 2 · V + 1)`, as known if it has a hit.
pub fn mark_known(voices: VoiceSet, planes: &mut [f32]) {
    let mut steps = planes.chunks_exact(n_own_planes(voices));
    let known = f32::from(u8::from(
        steps.any(|step| step[..voices.n()].iter().any(|hit| *hit > 0.0)),
    ));
    for step in planes.chunks_exact_mut(n_own_planes(voices)) {
        step[2 * voices.n()] = known;
    }
}

/// Hears the drummer's own drums.
#[derive(Clone, Debug)]
pub(in crate::network) struct OwnDrums {
    steps: Projection,
    pyramid: Pyramid,
}

impl OwnDrums {
    fn steps(voices: VoiceSet, n_measures: usize) -> Layer {
        let size = (n_own_planes(voices), STEP_CHANNELS);
        Layer::affine("own.step", size, n_measures * NET_STEPS)
    }

    pub(in crate::network) fn layers(voices: VoiceSet, n_measures: usize) -> Vec<Layer> {
        let mut layers = vec![Self::steps(voices, n_measures)];
        layers.extend(Pyramid::layers("own", n_measures));
        layers
    }

    pub(in crate::network) fn new(
        voices: VoiceSet,
        parameters: &NetworkParameters,
    ) -> std::result::Result<Self, NetworkParameterError> {
        Ok(Self {
            steps: parameters.projection(&Self::steps(voices, 1))?,
            pyramid: Pyramid::new("own", parameters)?,
        })
    }

    /// Reads `(B, M, 16, 2 · V + 1)`.
    pub(in crate::network) fn forward(&self, own: &Tensor) -> Result<HeardFeatures> {
        self.pyramid.forward(self.steps.rectified(own, 0.0)?)
    }
}
