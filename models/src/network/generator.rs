//! The generator: noise and what was heard, joined at every scale, to the drums of the next measure.

use candle_core::{Result, Tensor};

use super::conditioner::{
    self, BEAT_CHANNELS, Conditioner, MEASURE_CHANNELS, STEP_CHANNELS, STRIDE, stack_measures,
};
use super::{Layer, NET_MEASURES, NET_STEPS, ParameterError, Parameters, Projection};
use crate::representation::N_VOICES;

/// Length of the noise vector.
pub const N_LATENT: usize = 32;

/// Outputs a step: a presence logit for each voice, then a velocity logit for each voice.
pub const N_OUTPUTS: usize = 2 * N_VOICES;

/// Channels at the scale of the measure, of beats, of steps, and of the last layer before the output.
const MEASURE_WIDTH: usize = 128;
const BEAT_WIDTH: usize = 96;
const STEP_WIDTH: usize = 64;
const OUTPUT_WIDTH: usize = 96;
/// Steps that the last layer sees at once: the step itself and one neighbour on either side.
const NEIGHBOURS: usize = 3;

const MEASURE: Layer = Layer {
    name: "drums.measure",
    n_in: NET_MEASURES * MEASURE_CHANNELS + N_LATENT,
    n_out: MEASURE_WIDTH,
};
const TO_BEATS: Layer = Layer {
    name: "drums.to_beats",
    n_in: MEASURE_WIDTH + N_LATENT,
    n_out: STRIDE * BEAT_WIDTH,
};
const TO_STEPS: Layer = Layer {
    name: "drums.to_steps",
    n_in: BEAT_WIDTH + NET_MEASURES * BEAT_CHANNELS + N_LATENT,
    n_out: STRIDE * STEP_WIDTH,
};
const MIX: Layer = Layer {
    name: "drums.mix",
    n_in: NEIGHBOURS * (STEP_WIDTH + NET_MEASURES * STEP_CHANNELS) + N_LATENT,
    n_out: OUTPUT_WIDTH,
};
const OUTPUT: Layer = Layer {
    name: "drums.output",
    n_in: OUTPUT_WIDTH,
    n_out: N_OUTPUTS,
};

/// Predicts drum measures from bass measures and noise.
#[derive(Clone, Debug)]
pub struct GeneratorNet {
    conditioner: Conditioner,
    measure: Projection,
    to_beats: Projection,
    to_steps: Projection,
    mix: Projection,
    output: Projection,
}

impl GeneratorNet {
    /// Name of this architecture in a weights file.
    pub const ARCHITECTURE: &'static str = "conditional-gan-3d";

    /// Every layer of the network.
    pub const LAYERS: [Layer; 9] = [
        conditioner::OCTAVES,
        conditioner::STEPS,
        conditioner::BEATS,
        conditioner::MEASURES,
        MEASURE,
        TO_BEATS,
        TO_STEPS,
        MIX,
        OUTPUT,
    ];

    /// The network with these weights.
    ///
    /// # Errors
    /// [`ParameterError`] if a tensor is missing or has another shape.
    pub fn new(parameters: &Parameters) -> std::result::Result<Self, ParameterError> {
        Ok(Self {
            conditioner: Conditioner::new(parameters)?,
            measure: parameters.projection(MEASURE)?,
            to_beats: parameters.projection(TO_BEATS)?,
            to_steps: parameters.projection(TO_STEPS)?,
            mix: parameters.projection(MIX)?,
            output: parameters.projection(OUTPUT)?,
        })
    }

    /// Logits `(B, K, 16, N_OUTPUTS)` of the `K = M − 3` measures that follow each four of `bass`, `(B, M, 16, P)`.
    ///
    /// `latent` is `(B, K, N_LATENT)`. Each measure is predicted from the four before it alone.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn forward(&self, bass: &Tensor, latent: &Tensor) -> Result<Tensor> {
        let heard = self.conditioner.forward(bass)?;
        let (b, k, _) = latent.dims3()?;
        let latent = latent.unsqueeze(2)?;
        let latent_at = |n_positions| latent.broadcast_as((b, k, n_positions, N_LATENT));

        let measures = stack_measures(&heard.measures, NET_MEASURES)?;
        let x = self
            .measure
            .forward(&Tensor::cat(&[&measures, &latent], 3)?)?
            .relu()?;

        // Transposed convolutions with a stride of four: each position becomes four.
        let x = self
            .to_beats
            .forward(&Tensor::cat(&[&x, &latent], 3)?)?
            .relu()?;
        let x = x.reshape((b, k, STRIDE, BEAT_WIDTH))?;
        let beats = stack_measures(&heard.beats, NET_MEASURES)?;
        let x = Tensor::cat(&[&x, &beats, &latent_at(STRIDE)?.contiguous()?], 3)?;
        let x = self.to_steps.forward(&x)?.relu()?;
        let x = x.reshape((b, k, NET_STEPS, STEP_WIDTH))?;

        let steps = stack_measures(&heard.steps, NET_MEASURES)?;
        let x = Tensor::cat(&[&x, &steps], 3)?;
        let silence = x.narrow(2, 0, 1)?.zeros_like()?;
        let before = Tensor::cat(&[&silence, &x.narrow(2, 0, NET_STEPS - 1)?], 2)?;
        let after = Tensor::cat(&[&x.narrow(2, 1, NET_STEPS - 1)?, &silence], 2)?;
        let x = Tensor::cat(
            &[&before, &x, &after, &latent_at(NET_STEPS)?.contiguous()?],
            3,
        )?;
        self.output.forward(&self.mix.forward(&x)?.relu()?)
    }
}
