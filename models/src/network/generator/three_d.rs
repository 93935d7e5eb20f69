//! Kernels over measures, steps and pitches: the measure axis is kept until four heard measures become one predicted.

use candle_core::{Result, Tensor};

use super::trunk::{HeardPlayer, TRUNK_WIDTH, TrunkLayers};
use super::{N_LATENT, n_outputs};
use crate::network::architecture::Architecture;
use crate::network::hearing::Hearing;
use crate::network::{
    Layer, NET_MEASURES, NET_STEPS, NetworkParameterError, NetworkParameters, Projection,
};
use crate::voices::VoiceSet;

/// The generator with 3-D kernels.
#[derive(Clone, Debug)]
pub struct ThreeD {
    hearing: Hearing,
    trunk: TrunkLayers,
    output: Projection,
}

fn output(voices: VoiceSet) -> Layer {
    Layer::affine("drums.output", (TRUNK_WIDTH, n_outputs(voices)), NET_STEPS)
}

impl ThreeD {
    pub(super) fn layers(architecture: &Architecture) -> Vec<Layer> {
        let mut all = Hearing::layers(&architecture.bass, NET_MEASURES);
        all.extend(TrunkLayers::layers(1, N_LATENT));
        all.push(output(architecture.voices));
        all
    }

    pub(super) fn new(
        architecture: &Architecture,
        parameters: &NetworkParameters,
    ) -> std::result::Result<Self, NetworkParameterError> {
        Ok(Self {
            hearing: Hearing::new(&architecture.bass, parameters)?,
            trunk: TrunkLayers::new(parameters, 1, N_LATENT)?,
            output: parameters.projection(&output(architecture.voices))?,
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
