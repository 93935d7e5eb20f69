//! Hearing: turns the bass into features at the scale of steps, beats and measures, with any of the four embeddings.
//!
//! Each embedding reads measure by measure and keeps the measure axis; the generator joins the features at each of its scales.

mod convolution;
mod index;
mod own;
mod transformer;

use candle_core::{Result, Tensor};

use super::architecture::BassEmbedding;
use super::{
    BEAT_CHANNELS, Layer, MEASURE_CHANNELS, NET_STEPS, NetworkParameterError, NetworkParameters,
    Projection, STEP_CHANNELS,
};
use convolution::Convolution;
pub use convolution::StepReader;
use index::{Bucket, Vocabulary};
pub use index::{WORDS, Word, bucket, onset_bits, word};
pub(super) use own::OwnDrums;
pub use own::{mark_known, n_own_planes};
use transformer::Transformer;

/// Steps per beat, and beats per measure, of the network's 4/4 row.
pub const STRIDE: usize = 4;

/// Features of what was heard, at three scales.
#[derive(Clone, Debug)]
pub(super) struct HeardFeatures {
    /// `(B, M, 16, STEP_CHANNELS)`.
    pub(super) steps: Tensor,
    /// `(B, M, 4, BEAT_CHANNELS)`.
    pub(super) beats: Tensor,
    /// `(B, M, 1, MEASURE_CHANNELS)`.
    pub(super) measures: Tensor,
}

/// One of the four embeddings.
#[derive(Clone, Debug)]
pub(super) enum Hearing {
    Convolution(Convolution),
    Transformer(Transformer),
    Bucket(Bucket),
    Vocabulary(Vocabulary),
}

impl Hearing {
    /// Every layer, for `n_measures` measures per prediction.
    pub(super) fn layers(embedding: &BassEmbedding, n_measures: usize) -> Vec<Layer> {
        match embedding {
            BassEmbedding::Convolution => Convolution::layers(n_measures),
            BassEmbedding::Transformer { n_blocks, .. } => {
                Transformer::layers(*n_blocks, n_measures)
            }
            BassEmbedding::Bucket { n_buckets: n, .. }
            | BassEmbedding::Vocabulary { n_words: n } => index::layers(*n, n_measures),
        }
    }

    pub(super) fn new(
        embedding: &BassEmbedding,
        parameters: &NetworkParameters,
    ) -> std::result::Result<Self, NetworkParameterError> {
        Ok(match *embedding {
            BassEmbedding::Convolution => Self::Convolution(Convolution::new(parameters)?),
            BassEmbedding::Transformer { n_blocks, n_heads } => {
                Self::Transformer(Transformer::new(parameters, n_blocks, n_heads)?)
            }
            BassEmbedding::Bucket { digits, n_buckets } => {
                Self::Bucket(Bucket::new(parameters, digits, n_buckets)?)
            }
            BassEmbedding::Vocabulary { n_words } => {
                Self::Vocabulary(Vocabulary::new(parameters, n_words)?)
            }
        })
    }

    /// Reads `(B, M, 16, P)`.
    pub(super) fn forward(&self, bass: &Tensor) -> Result<HeardFeatures> {
        match self {
            Self::Convolution(embedding) => embedding.forward(bass),
            Self::Transformer(embedding) => embedding.forward(bass),
            Self::Bucket(embedding) => embedding.forward(bass),
            Self::Vocabulary(embedding) => embedding.forward(bass),
        }
    }
}

/// From steps to beats and measures: kernels `1×4` with a stride of four steps, then of four beats.
#[derive(Clone, Debug)]
struct Pyramid {
    beats: Projection,
    measures: Projection,
}

impl Pyramid {
    /// Its layers for `player`, which is `bass` or `own`.
    fn layers(player: &str, n_measures: usize) -> [Layer; 2] {
        let beat = (STRIDE * STEP_CHANNELS, BEAT_CHANNELS);
        let measure = (STRIDE * BEAT_CHANNELS, MEASURE_CHANNELS);
        [
            Layer::affine(
                format!("{player}.beat"),
                beat,
                n_measures * NET_STEPS / STRIDE,
            ),
            Layer::affine(format!("{player}.measure"), measure, n_measures),
        ]
    }

    fn new(
        player: &str,
        parameters: &NetworkParameters,
    ) -> std::result::Result<Self, NetworkParameterError> {
        let [beats, measures] = Self::layers(player, 1);
        Ok(Self {
            beats: parameters.projection(&beats)?,
            measures: parameters.projection(&measures)?,
        })
    }

    /// Gathers steps, `(B, M, 16, STEP_CHANNELS)`, into beats and measures.
    fn forward(&self, steps: Tensor) -> Result<HeardFeatures> {
        let (b, m, _, _) = steps.dims4()?;
        let beats = steps.reshape((b, m, NET_STEPS / STRIDE, STRIDE * STEP_CHANNELS))?;
        let beats = self.beats.rectified(&beats, 0.0)?;
        let measures = beats.reshape((b, m, 1, STRIDE * BEAT_CHANNELS))?;
        let measures = self.measures.rectified(&measures, 0.0)?;
        Ok(HeardFeatures {
            steps,
            beats,
            measures,
        })
    }
}

/// Puts `depth` neighbouring measures into the channels: `(B, M, T, C)` to `(B, M − depth + 1, T, depth · C)`, oldest
/// first. This is what a 3-D kernel over the measure axis sees.
///
/// # Errors
/// Those of candle, if there are fewer measures.
pub fn stack_measures(x: &Tensor, depth: usize) -> Result<Tensor> {
    let n_out = x.dim(1)? + 1 - depth;
    let measures: Vec<Tensor> = (0..depth)
        .map(|first| x.narrow(1, first, n_out))
        .collect::<Result<_>>()?;
    Tensor::cat(&measures, 3)
}
