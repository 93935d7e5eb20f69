//! Kernels over measures, steps and pitches: the measure axis is kept until four heard measures become one predicted.

use candle_core::{Result, Tensor};

use super::trunk::{HeardPlayer, TRUNK_WIDTH, TrunkLayers};
use super::{N_LATENT, N_OUTPUTS};
use crate::network::architecture::BassEmbedding;
use crate::network::hearing::Hearing;
use crate::network::{
    Layer, NET_MEASURES, NET_STEPS, NetworkParameterError, NetworkParameters, Projection,
};

/// The generator with 3-D kernels.
#[derive(Clone, Debug)]
pub struct ThreeD {
    hearing: Hearing,
    trunk: TrunkLayers,
    output: Projection,
}

fn output() -> Layer {
    Layer::affine("drums.output", (TRUNK_WIDTH, N_OUTPUTS), NET_STEPS)
}

impl ThreeD {
    pub(super) fn layers(bass: &BassEmbedding) -> Vec<Layer> {
        let mut all = Hearing::layers(bass, NET_MEASURES);
        all.extend(TrunkLayers::layers(1, N_LATENT));
        all.push(output());
        all
    }

    pub(super) fn new(
        bass: &BassEmbedding,
        parameters: &NetworkParameters,
    ) -> std::result::Result<Self, NetworkParameterError> {
        Ok(Self {
            hearing: Hearing::new(bass, parameters)?,
            trunk: TrunkLayers::new(parameters, 1, N_LATENT)?,
            output: parameters.projection(&output())?,
        })
    }

    pub(super) fn forward(&self, bass: &Tensor, latent: &Tensor) -> Result<Tensor> {
        let heard = self.hearing.forward(bass)?;
        let player = HeardPlayer {
            heard: &heard,
            rows: None,
        };
        self.output.forward(&self.trunk.forward(&[player], latent)?)
    }
}
