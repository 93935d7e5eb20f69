//! The networks: generators that hear the bass in one of four ways.
//!
//! The lineage is MuseGAN's track-conditional generator (Dong et al. 2018) and MidiNet's conditioner (Yang et al. 2017):
//! the features of the conditioner are joined to the generator at each of its scales, not only at the bottleneck.
//! [`Architecture`] selects the network. The critic, which only training needs, is the lab's.
//!
//! Axes, everywhere in this crate: B batch, M measures heard, K measures predicted, T steps of a measure (or beats, or
//! one, at coarser scales), P pitch planes, V voices of the network's [`VoiceSet`](crate::voices::VoiceSet), C channels.
//! Tensors are channels-last, so a convolution whose kernel equals its stride is a reshape and a matrix product, which is
//! fast and differentiable in candle.
//!
//! Knows the representation's sizes, not its types, and nothing of threads. Generator thread and training only.

mod activation;
mod affine;
mod architecture;
mod attention;
mod cell;
mod generator;
mod hearing;
mod parameters;
pub mod player;

pub use architecture::{Architecture, ArchitectureError, BassEmbedding, Digits, Drumming, Kernels};
pub use cell::{CellOutputs, CellTensors, StepOutputs, logistic, sigmoid};
pub use generator::{
    Autoregressive, CELL_OUTPUTS, Conditioning, Context, Decoder, Decoding, FromNoise,
    GeneratorNet, N_CONDITIONS, N_FEATURES, N_LATENT, STYLES, SharedRows, energy, lateness,
    n_outputs,
};
pub use hearing::{
    STRIDE, StepReader, WORDS, Word, bucket, mark_known, n_own_planes, onset_bits, stack_measures,
    word,
};
pub use parameters::{Layer, NetworkParameterError, NetworkParameters, Projection};

/// Steps of a measure in the network: one row of the window.
pub const NET_STEPS: usize = 16;

/// Measures heard for one prediction.
pub const NET_MEASURES: usize = 4;

/// Channels of a step of bass. Two for each pitch: whether it begins there and whether it sounds.
pub const N_PLANES: usize = 2 * lockstep_core::representation::N_PITCHES;

/// Channels of the features at each scale, finest first.
pub const STEP_CHANNELS: usize = 32;
const BEAT_CHANNELS: usize = 48;
const MEASURE_CHANNELS: usize = 64;
