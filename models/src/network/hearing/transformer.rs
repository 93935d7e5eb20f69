//! Embedding 3: self-attention over the sixteen steps of a measure.
//!
//! Pre-norm blocks (Xiong et al. 2020) with a learnt position for each step. Softmax and normalisation are built
//! from differentiable operations, because candle's fused ones have no gradient.

use candle_core::{D, Result, Tensor};

use super::{HeardFeatures, Pyramid, STEP_CHANNELS, StepReader};
use crate::network::{Layer, NET_STEPS, NetworkParameterError, NetworkParameters, Projection};

/// Channels of the feed-forward layer.
const FEED_FORWARD: usize = 2 * STEP_CHANNELS;

#[derive(Clone, Debug)]
struct Block {
    /// To query, key and value.
    attend: Projection,
    join: Projection,
    widen: Projection,
    narrow: Projection,
}

impl Block {
    fn layers(block_idx: usize, n_measures: usize) -> [Layer; 4] {
        let c = STEP_CHANNELS;
        let layer = |name: &str, size| {
            let name = format!("bass.block{block_idx}.{name}");
            Layer::affine(name, size, n_measures * NET_STEPS)
        };
        [
            layer("attend", (c, 3 * c)),
            layer("join", (c, c)),
            layer("widen", (c, FEED_FORWARD)),
            layer("narrow", (FEED_FORWARD, c)),
        ]
    }

    fn new(
        parameters: &NetworkParameters,
        block_idx: usize,
    ) -> std::result::Result<Self, NetworkParameterError> {
        let [attend, join, widen, narrow] = Self::layers(block_idx, 1);
        Ok(Self {
            attend: parameters.projection(&attend)?,
            join: parameters.projection(&join)?,
            widen: parameters.projection(&widen)?,
            narrow: parameters.projection(&narrow)?,
        })
    }

    /// `(N, 16, C)` to the same shape.
    fn forward(&self, x: &Tensor, n_heads: usize) -> Result<Tensor> {
        let (n, t, c) = x.dims3()?;
        let per_head = c / n_heads;
        let parts = self.attend.forward(&normalise(x)?)?;
        let heads = |part: usize| {
            parts
                .narrow(2, part * c, c)?
                .reshape((n, t, n_heads, per_head))?
                .transpose(1, 2)?
                .contiguous()
        };
        let (query, key, value) = (heads(0)?, heads(1)?, heads(2)?);
        let scores = (query.matmul(&key.t()?.contiguous()?)? / (per_head as f64).sqrt())?;
        let heard = softmax(&scores)?.matmul(&value)?;
        let heard = heard.transpose(1, 2)?.reshape((n, t, c))?;
        let x = (x + self.join.forward(&heard)?)?;
        let wide = self.widen.rectified(&normalise(&x)?, 0.0)?;
        x + self.narrow.forward(&wide)?
    }
}

/// The reader's steps, attended to, then gathered into beats and measures.
#[derive(Clone, Debug)]
pub(in crate::network) struct Transformer {
    reader: StepReader,
    positions: Tensor,
    blocks: Vec<Block>,
    n_heads: usize,
    pyramid: Pyramid,
}

impl Transformer {
    pub(super) fn layers(n_blocks: usize, n_measures: usize) -> Vec<Layer> {
        let mut layers = vec![StepReader::layer(n_measures)];
        layers.push(Self::positions());
        layers.extend((0..n_blocks).flat_map(|i| Block::layers(i, n_measures)));
        layers.extend(Pyramid::layers("bass", n_measures));
        layers
    }

    fn positions() -> Layer {
        Layer::table("bass.position", NET_STEPS, STEP_CHANNELS)
    }

    pub(super) fn new(
        parameters: &NetworkParameters,
        n_blocks: usize,
        n_heads: usize,
    ) -> std::result::Result<Self, NetworkParameterError> {
        Ok(Self {
            reader: StepReader::new(parameters)?,
            positions: parameters.table(&Self::positions())?,
            blocks: (0..n_blocks)
                .map(|i| Block::new(parameters, i))
                .collect::<std::result::Result<_, _>>()?,
            n_heads,
            pyramid: Pyramid::new("bass", parameters)?,
        })
    }

    pub(super) fn forward(&self, bass: &Tensor) -> Result<HeardFeatures> {
        let (b, m, t, _) = bass.dims4()?;
        let steps = self.reader.forward(bass)?;
        let mut x = steps
            .reshape((b * m, t, STEP_CHANNELS))?
            .broadcast_add(&self.positions)?;
        for block in &self.blocks {
            x = block.forward(&x, self.n_heads)?;
        }
        self.pyramid
            .forward(normalise(&x)?.reshape((b, m, t, STEP_CHANNELS))?)
    }
}

/// Layer normalisation (Ba et al. 2016) without gain and bias, which the next affine map provides.
fn normalise(x: &Tensor) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    centred.broadcast_div(&(variance + 1e-5)?.sqrt()?)
}

/// Over the last axis; subtracts the largest value first, so that no exponential overflows.
fn softmax(x: &Tensor) -> Result<Tensor> {
    let shifted = x.broadcast_sub(&x.detach().max_keepdim(D::Minus1)?)?;
    let powers = shifted.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)
}
