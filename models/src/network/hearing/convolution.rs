//! Embedding 2: strided convolutions over pitches, steps and beats.

use candle_core::{Result, Tensor};

use super::{HeardFeatures, Pyramid, STEP_CHANNELS};
use crate::network::{
    Layer, N_PLANES, NET_STEPS, NetworkParameterError, NetworkParameters, Projection,
};

/// Reads steps of bass one by one: a kernel `1×1×72` over measure, step and pitch. MidiNet's conditioner also begins with a
/// kernel as high as its roll.
#[derive(Clone, Debug)]
pub struct StepReader(Projection);

impl StepReader {
    /// Its layer, for `n_measures` measures per prediction.
    pub fn layer(n_measures: usize) -> Layer {
        let size = (N_PLANES, STEP_CHANNELS);
        Layer::affine("bass.step", size, n_measures * NET_STEPS)
    }

    /// The reader with these weights.
    ///
    /// # Errors
    /// [`NetworkParameterError`] if a tensor is missing or has another shape.
    pub fn new(parameters: &NetworkParameters) -> std::result::Result<Self, NetworkParameterError> {
        Ok(Self(parameters.projection(&Self::layer(1))?))
    }

    /// `(B, M, 16, P)` to `(B, M, 16, STEP_CHANNELS)`.
    ///
    /// # Errors
    /// Those of candle, if the shape does not fit.
    pub fn forward(&self, bass: &Tensor) -> Result<Tensor> {
        self.0.rectified(bass, 0.0)
    }
}

/// The reader's steps, gathered into beats and measures.
#[derive(Clone, Debug)]
pub(in crate::network) struct Convolution {
    reader: StepReader,
    pyramid: Pyramid,
}

impl Convolution {
    pub(super) fn layers(n_measures: usize) -> Vec<Layer> {
        let mut layers = vec![StepReader::layer(n_measures)];
        layers.extend(Pyramid::layers("bass", n_measures));
        layers
    }

    pub(super) fn new(
        parameters: &NetworkParameters,
    ) -> std::result::Result<Self, NetworkParameterError> {
        Ok(Self {
            reader: StepReader::new(parameters)?,
            pyramid: Pyramid::new("bass", parameters)?,
        })
    }

    pub(super) fn forward(&self, bass: &Tensor) -> Result<HeardFeatures> {
        self.pyramid.forward(self.reader.forward(bass)?)
    }
}
