//! Coarse to fine: joins what was heard with the other inputs at the scale of the measure, of beats and of steps, with
//! kernels over measures and steps. The measure axis is kept until four heard measures become one predicted.

use candle_core::{Result, Tensor};

use super::latent_at;
use crate::network::hearing::{HeardFeatures, STRIDE, stack_measures};
use crate::network::{
    BEAT_CHANNELS, Layer, MEASURE_CHANNELS, NET_MEASURES, NET_STEPS, NetworkParameterError,
    NetworkParameters, Projection, STEP_CHANNELS,
};

/// Channels at the scale of the measure, of beats, of steps, and of the output.
const MEASURE_WIDTH: usize = 128;
const BEAT_WIDTH: usize = 96;
const STEP_WIDTH: usize = 64;
pub(super) const TRUNK_WIDTH: usize = 96;
/// Steps that the last layer sees at once: the step itself and one neighbour on either side.
const NEIGHBOURS: usize = 3;

/// A player that the network hears.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeardPlayer<'a> {
    /// Features of what it played.
    pub(super) heard: &'a HeardFeatures,
    /// Which row of `heard` each prediction uses, `(B,)`, if several share rows; with `None` each has its own.
    pub(super) rows: Option<&'a Tensor>,
}

/// Turns what was heard into features of each step of the next measure.
#[derive(Clone, Debug)]
pub(super) struct TrunkLayers {
    measure: Projection,
    to_beats: Projection,
    to_steps: Projection,
    mix: Projection,
    mix_beside: Projection,
}

impl TrunkLayers {
    /// Its layers, coarse to fine, for `n_heard` players and `n_beside` other input numbers.
    pub(super) fn layers(n_heard: usize, n_beside: usize) -> [Layer; 5] {
        let layer = |name: &str, size, n_positions| {
            Layer::affine(format!("drums.{name}"), size, n_positions)
        };
        let n = n_heard * NET_MEASURES;
        let measure = (n * MEASURE_CHANNELS + n_beside, MEASURE_WIDTH);
        let to_beats = (MEASURE_WIDTH + n_beside, STRIDE * BEAT_WIDTH);
        let beats = BEAT_WIDTH + n * BEAT_CHANNELS + n_beside;
        let steps = STEP_WIDTH + n * STEP_CHANNELS;
        [
            layer("measure", measure, 1),
            layer("to_beats", to_beats, 1),
            layer("to_steps", (beats, STRIDE * STEP_WIDTH), STRIDE),
            // One kernel over three steps, split into each step's part in the next step, in itself and in the one before.
            layer("mix", (steps, NEIGHBOURS * TRUNK_WIDTH), NET_STEPS),
            layer("mix_latent", (n_beside, TRUNK_WIDTH), 1),
        ]
    }

    pub(super) fn new(
        parameters: &NetworkParameters,
        n_heard: usize,
        n_beside: usize,
    ) -> std::result::Result<Self, NetworkParameterError> {
        let [measure, to_beats, to_steps, mix, mix_beside] = Self::layers(n_heard, n_beside);
        Ok(Self {
            measure: parameters.projection(&measure)?,
            to_beats: parameters.projection(&to_beats)?,
            to_steps: parameters.projection(&to_steps)?,
            mix: parameters.projection(&mix)?,
            mix_beside: parameters.projection(&mix_beside)?,
        })
    }

    /// Features `(B, K, 16, TRUNK_WIDTH)`, all at least 0, of the measures that follow each four heard ones.
    ///
    /// `beside` is `(B, K, n_beside)`.
    pub(super) fn forward(&self, players: &[HeardPlayer<'_>], beside: &Tensor) -> Result<Tensor> {
        let (b, k, _) = beside.dims3()?;
        // All players at one scale, four measures deep, between `before` and `after`.
        let join = |before: Option<&Tensor>,
                    scale: fn(&HeardFeatures) -> &Tensor,
                    after: Option<&Tensor>| {
            let mut parts: Vec<_> = before.map(|x| (x.clone(), None)).into_iter().collect();
            for player in players {
                let deep = stack_measures(scale(player.heard), NET_MEASURES)?;
                parts.push((deep, player.rows));
            }
            parts.extend(after.map(|x| (x.clone(), None)));
            Ok::<_, candle_core::Error>(parts)
        };
        let project = |to: &Projection, parts: &[(Tensor, Option<&Tensor>)], slope| {
            if parts.iter().any(|(_, rows)| rows.is_some()) {
                return to.rectified_parts(parts, slope);
            }
            let whole: Vec<&Tensor> = parts.iter().map(|(x, _)| x).collect();
            to.rectified(&Tensor::cat(&whole, 3)?, slope)
        };
        let whole = latent_at(beside, 1)?;

        let parts = join(None, |heard| &heard.measures, Some(&whole))?;
        let x = project(&self.measure, &parts, 0.0)?;

        // Transposed convolutions with a stride of four: each position becomes four.
        let x = self
            .to_beats
            .rectified(&Tensor::cat(&[&x, &whole], 3)?, 0.0)?;
        let x = x.reshape((b, k, STRIDE, BEAT_WIDTH))?;
        let beside = latent_at(beside, STRIDE)?;
        let parts = join(Some(&x), |heard| &heard.beats, Some(&beside))?;
        let x = project(&self.to_steps, &parts, 0.0)?;
        let x = x.reshape((b, k, NET_STEPS, STEP_WIDTH))?;

        let parts = join(Some(&x), |heard| &heard.steps, None)?;
        let parts = project(&self.mix, &parts, 1.0)?;
        let part = |i: usize| parts.narrow(3, i * TRUNK_WIDTH, TRUNK_WIDTH);
        let silence = part(0)?.narrow(2, 0, 1)?.zeros_like()?;
        let from_before = Tensor::cat(&[&silence, &part(0)?.narrow(2, 0, NET_STEPS - 1)?], 2)?;
        let from_after = Tensor::cat(&[&part(2)?.narrow(2, 1, NET_STEPS - 1)?, &silence], 2)?;
        let x = ((from_before + from_after)? + part(1)?)?;
        x.broadcast_add(&self.mix_beside.forward(&whole)?)?.relu()
    }
}
