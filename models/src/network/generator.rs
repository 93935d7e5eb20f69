//! The generator network: makes the drums of the next measure from noise and what was heard, joined at every scale.

mod autoregressive;
mod conditioning;
mod decoder;
mod three_d;
mod trunk;
mod two_d;

use candle_core::{Result, Tensor};

use super::architecture::{Architecture, Drumming};
use super::{Layer, NET_MEASURES, NetworkParameterError, NetworkParameters};
use crate::voices::VoiceSet;
pub use autoregressive::{Autoregressive, N_FEATURES, STYLES, SharedRows};
pub use conditioning::{Conditioning, N_CONDITIONS, energy, lateness};
pub use decoder::{Decoder, Decoding};
use three_d::ThreeD;
use two_d::TwoD;

/// Length of the noise vector.
pub const N_LATENT: usize = 32;

/// Outputs per cell, in this order: presence logit, velocity and its spread, offset and its spread, each before squashing;
/// see [`CellTensors`](super::CellTensors).
pub const CELL_OUTPUTS: usize = 5;

/// Outputs per step: [`CELL_OUTPUTS`] for each voice.
pub const fn n_outputs(voices: VoiceSet) -> usize {
    CELL_OUTPUTS * voices.n()
}

/// The inputs beside the bass of a generator that hears itself.
#[derive(Clone, Debug)]
pub struct Context {
    /// Its own drums in the measures heard, or people's in their place: `(B, M, 16, 2 · V + 1)`.
    pub own: Tensor,
    /// Velocity of the loudest bass note that begins at each step heard, 0 if none does: `(B, M, 16, 1)`.
    pub accents: Tensor,
    /// What is given about the predicted measures: [`Conditioning::numbers`], then one number per style, 1 for the one asked
    /// for and 0 for the others; all 0 if none is asked for: `(B, K, N_CONDITIONS + n_styles)`.
    pub given: Tensor,
}

/// Predicts drum measures from bass measures.
#[derive(Clone, Debug)]
pub enum GeneratorNet {
    /// From noise and the bass.
    FromNoise(FromNoise),
    /// From its own drums and the bass.
    Autoregressive(Box<Autoregressive>),
}

/// A generator that hears noise and the bass.
#[derive(Clone, Debug)]
pub enum FromNoise {
    /// Kernels over steps and pitches.
    TwoD(TwoD),
    /// Kernels over measures, steps and pitches.
    ThreeD(ThreeD),
}

impl FromNoise {
    /// Outputs `(B, K, 16, 5 · V)` for the `K = M − 3` measures that follow each four of `bass`, `(B, M, 16, P)`.
    ///
    /// `latent` is `(B, K, N_LATENT)`. The last of the `K` measures is predicted only from the four before it, and with 3-D
    /// kernels so are the others. With 2-D kernels the others are the earlier measures of the same row of 64 steps, so they
    /// know the bass up to the end of that row.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn forward(&self, bass: &Tensor, latent: &Tensor) -> Result<Tensor> {
        match self {
            Self::TwoD(network) => network.forward(bass, latent),
            Self::ThreeD(network) => network.forward(bass, latent),
        }
    }
}

impl GeneratorNet {
    /// Every layer of the network.
    pub fn layers(architecture: &Architecture) -> Vec<Layer> {
        match architecture.generator {
            Drumming::TwoD => TwoD::layers(),
            Drumming::ThreeD => ThreeD::layers(architecture),
            Drumming::Autoregressive => Autoregressive::layers(architecture),
        }
    }

    /// The network with these weights.
    ///
    /// # Errors
    /// [`NetworkParameterError`] if a tensor is missing or has another shape.
    pub fn new(
        architecture: &Architecture,
        parameters: &NetworkParameters,
    ) -> std::result::Result<Self, NetworkParameterError> {
        Ok(match architecture.generator {
            Drumming::TwoD => {
                Self::FromNoise(FromNoise::TwoD(TwoD::new(architecture.voices, parameters)?))
            }
            Drumming::ThreeD => {
                Self::FromNoise(FromNoise::ThreeD(ThreeD::new(architecture, parameters)?))
            }
            Drumming::Autoregressive => {
                Self::Autoregressive(Box::new(Autoregressive::new(architecture, parameters)?))
            }
        })
    }

    /// Outputs of a batch, as returned by [`FromNoise::forward`] or [`Autoregressive::forward`]; each ignores the inputs that
    /// only the other needs.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn forward(
        &self,
        bass: &Tensor,
        latent: &Tensor,
        (context, said): (&Context, &Tensor),
    ) -> Result<Tensor> {
        match self {
            Self::FromNoise(network) => network.forward(bass, latent),
            Self::Autoregressive(network) => network.forward(bass, context, said),
        }
    }

    /// Least number of floating-point operations per prediction: counts only the affine maps.
    pub fn n_flops(architecture: &Architecture) -> u64 {
        Self::layers(architecture).iter().map(Layer::n_flops).sum()
    }
}

/// `latent` `(B, K, N_LATENT)` at each of `n_positions` positions of a measure, `(B, K, n_positions, N_LATENT)`.
fn latent_at(latent: &Tensor, n_positions: usize) -> Result<Tensor> {
    let (b, k, n) = latent.dims3()?;
    latent
        .unsqueeze(2)?
        .broadcast_as((b, k, n_positions, n))?
        .contiguous()
}

const _: () = assert!(NET_MEASURES == 4, "four strides of four make a phrase");
