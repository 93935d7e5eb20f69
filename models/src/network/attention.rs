//! Attention, as every transformer here uses it: made of operations that are differentiable on any device:
//! candle's fused ones have no gradient.

use candle_core::{D, Result, Tensor};

use super::{Layer, NetworkParameterError, NetworkParameters, Projection};

/// A pre-norm block of a transformer (Vaswani et al. 2017, Xiong et al. 2020): attention, then a feed-forward layer.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// To query, key and value.
    attend: Projection,
    join: Projection,
    widen: Projection,
    narrow: Projection,
}

impl Block {
    /// Its layers, for `channels` and those of the feed-forward layer.
    pub(super) fn layers(
        name: &str,
        (channels, wide): (usize, usize),
        n_positions: usize,
    ) -> [Layer; 4] {
        let layer = |part: &str, size| Layer::affine(format!("{name}.{part}"), size, n_positions);
        [
            layer("attend", (channels, 3 * channels)),
            layer("join", (channels, channels)),
            layer("widen", (channels, wide)),
            layer("narrow", (wide, channels)),
        ]
    }

    /// The block with these layers' weights.
    pub(super) fn new(
        parameters: &NetworkParameters,
        [attend, join, widen, narrow]: &[Layer; 4],
    ) -> std::result::Result<Self, NetworkParameterError> {
        Ok(Self {
            attend: parameters.projection(attend)?,
            join: parameters.projection(join)?,
            widen: parameters.projection(widen)?,
            narrow: parameters.projection(narrow)?,
        })
    }

    /// `(N, T, C)` to the same shape. `mask`, `(T, T)`, is 0 where the position of the first axis may hear that of the second,
    /// else −∞; without one all hear all.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        n_heads: usize,
        mask: Option<&Tensor>,
    ) -> Result<Tensor> {
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
        let mut scores = (query.matmul(&key.t()?.contiguous()?)? / (per_head as f64).sqrt())?;
        if let Some(mask) = mask {
            scores = scores.broadcast_add(mask)?;
        }
        let heard = softmax(&scores)?.matmul(&value)?;
        let heard = heard.transpose(1, 2)?.reshape((n, t, c))?;
        let x = (x + self.join.forward(&heard)?)?;
        let wide = self.widen.rectified(&normalise(&x)?, 0.0)?;
        x + self.narrow.forward(&wide)?
    }
}

/// Layer normalisation (Ba et al. 2016) without gain and bias, which the next affine map provides.
pub(super) fn normalise(x: &Tensor) -> Result<Tensor> {
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
