//! Kernels over measures, steps and pitches: the measure axis is kept until four heard measures become one predicted.

use candle_core::{Result, Tensor};

use super::trunk::{Player, TRUNK_WIDTH, Trunk};
use super::{N_LATENT, N_OUTPUTS};
use crate::network::architecture::BassEmbedding;
use crate::network::hearing::Hearing;
use crate::network::{Layer, NET_MEASURES, NET_STEPS, ParameterError, Parameters, Projection};

/// The generator with 3-D kernels.
#[derive(Clone, Debug)]
pub struct ThreeD {
    hearing: Hearing,
    trunk: Trunk,
    output: Projection,
}

fn output() -> Layer {
    Layer::affine("drums.output", (TRUNK_WIDTH, N_OUTPUTS), NET_STEPS)
}

impl ThreeD {
    pub(super) fn layers(bass: &BassEmbedding) -> Vec<Layer> {
        let mut all = Hearing::layers(bass, NET_MEASURES);
        all.extend(Trunk::layers(1, N_LATENT));
        all.push(output());
        all
    }

    pub(super) fn new(
        bass: &BassEmbedding,
        parameters: &Parameters,
    ) -> std::result::Result<Self, ParameterError> {
        Ok(Self {
            hearing: Hearing::new(bass, parameters)?,
            trunk: Trunk::new(parameters, 1, N_LATENT)?,
            output: parameters.projection(&output())?,
        })
    }

    pub(super) fn forward(&self, bass: &Tensor, latent: &Tensor) -> Result<Tensor> {
        let heard = self.hearing.forward(bass)?;
        let player = Player {
            heard: &heard,
            rows: None,
        };
        self.output.forward(&self.trunk.forward(&[player], latent)?)
    }
}
