//! Embedding 3: self-attention over the sixteen steps of a measure.
//!
//! Pre-norm blocks (Xiong et al. 2020) with a learnt position for each step.

use candle_core::{Result, Tensor};

use super::{HeardFeatures, Pyramid, STEP_CHANNELS, StepReader};
use crate::network::attention::{Block, normalise};
use crate::network::{Layer, NET_STEPS, NetworkParameterError, NetworkParameters};

/// Channels of the feed-forward layer.
const FEED_FORWARD: usize = 2 * STEP_CHANNELS;

/// The layers of a block.
fn block(block_idx: usize, n_measures: usize) -> [Layer; 4] {
    let name = format!("bass.block{block_idx}");
    Block::layers(&name, (STEP_CHANNELS, FEED_FORWARD), n_measures * NET_STEPS)
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
        layers.extend((0..n_blocks).flat_map(|i| block(i, n_measures)));
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
                .map(|i| Block::new(parameters, &block(i, 1)))
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
            x = block.forward(&x, self.n_heads, None)?;
        }
        self.pyramid
            .forward(normalise(&x)?.reshape((b, m, t, STEP_CHANNELS))?)
    }
}
