//! Kernels over measures, steps and pitches: the measure axis is kept until four heard measures meet in one predicted.

use candle_core::{Result, Tensor};

use super::{N_LATENT, N_OUTPUTS, latent_at};
use crate::network::architecture::BassEmbedding;
use crate::network::hearing::{
    BEAT_CHANNELS, Hearing, MEASURE_CHANNELS, STEP_CHANNELS, STRIDE, stack_measures,
};
use crate::network::{Layer, NET_MEASURES, NET_STEPS, ParameterError, Parameters, Projection};

/// Channels at the scale of the measure, of beats, of steps, and of the last layer before the output.
const MEASURE_WIDTH: usize = 128;
const BEAT_WIDTH: usize = 96;
const STEP_WIDTH: usize = 64;
const OUTPUT_WIDTH: usize = 96;
/// Steps that the last layer sees at once: the step itself and one neighbour on either side.
const NEIGHBOURS: usize = 3;

/// The generator with 3-D kernels.
#[derive(Clone, Debug)]
pub struct ThreeD {
    hearing: Hearing,
    measure: Projection,
    to_beats: Projection,
    to_steps: Projection,
    mix: Projection,
    mix_latent: Projection,
    output: Projection,
}

/// The drums' own layers, coarse to fine.
fn layers() -> [Layer; 6] {
    let layer =
        |name: &str, size, n_positions| Layer::affine(format!("drums.{name}"), size, n_positions);
    let measure = (NET_MEASURES * MEASURE_CHANNELS + N_LATENT, MEASURE_WIDTH);
    let to_beats = (MEASURE_WIDTH + N_LATENT, STRIDE * BEAT_WIDTH);
    let beats = BEAT_WIDTH + NET_MEASURES * BEAT_CHANNELS + N_LATENT;
    let steps = STEP_WIDTH + NET_MEASURES * STEP_CHANNELS;
    [
        layer("measure", measure, 1),
        layer("to_beats", to_beats, 1),
        layer("to_steps", (beats, STRIDE * STEP_WIDTH), STRIDE),
        // One kernel of three steps, as what each step gives to the next, to itself and to the one before.
        layer("mix", (steps, NEIGHBOURS * OUTPUT_WIDTH), NET_STEPS),
        layer("mix_latent", (N_LATENT, OUTPUT_WIDTH), 1),
        layer("output", (OUTPUT_WIDTH, N_OUTPUTS), NET_STEPS),
    ]
}

impl ThreeD {
    pub(super) fn layers(bass: &BassEmbedding) -> Vec<Layer> {
        let mut all = Hearing::layers(bass, NET_MEASURES);
        all.extend(layers());
        all
    }

    pub(super) fn new(
        bass: &BassEmbedding,
        parameters: &Parameters,
    ) -> std::result::Result<Self, ParameterError> {
        let [measure, to_beats, to_steps, mix, mix_latent, output] = layers();
        Ok(Self {
            hearing: Hearing::new(bass, parameters)?,
            measure: parameters.projection(&measure)?,
            to_beats: parameters.projection(&to_beats)?,
            to_steps: parameters.projection(&to_steps)?,
            mix: parameters.projection(&mix)?,
            mix_latent: parameters.projection(&mix_latent)?,
            output: parameters.projection(&output)?,
        })
    }

    pub(super) fn forward(&self, bass: &Tensor, latent: &Tensor) -> Result<Tensor> {
        let heard = self.hearing.forward(bass)?;
        let (b, k, _) = latent.dims3()?;

        let noise = latent_at(latent, 1)?;

        let measures = stack_measures(&heard.measures, NET_MEASURES)?;
        let x = Tensor::cat(&[&measures, &noise], 3)?;
        let x = self.measure.rectified(&x, 0.0)?;

        // Transposed convolutions with a stride of four: each position becomes four.
        let x = self
            .to_beats
            .rectified(&Tensor::cat(&[&x, &noise], 3)?, 0.0)?;
        let x = x.reshape((b, k, STRIDE, BEAT_WIDTH))?;
        let beats = stack_measures(&heard.beats, NET_MEASURES)?;
        let x = Tensor::cat(&[&x, &beats, &latent_at(latent, STRIDE)?], 3)?;
        let x = self.to_steps.rectified(&x, 0.0)?;
        let x = x.reshape((b, k, NET_STEPS, STEP_WIDTH))?;

        let steps = stack_measures(&heard.steps, NET_MEASURES)?;
        let parts = self.mix.forward(&Tensor::cat(&[&x, &steps], 3)?)?;
        let part = |i: usize| parts.narrow(3, i * OUTPUT_WIDTH, OUTPUT_WIDTH);
        let silence = part(0)?.narrow(2, 0, 1)?.zeros_like()?;
        let from_before = Tensor::cat(&[&silence, &part(0)?.narrow(2, 0, NET_STEPS - 1)?], 2)?;
        let from_after = Tensor::cat(&[&part(2)?.narrow(2, 1, NET_STEPS - 1)?, &silence], 2)?;
        let x = ((from_before + from_after)? + part(1)?)?;
        let x = x.broadcast_add(&self.mix_latent.forward(&noise)?)?;
        self.output.forward(&x.relu()?)
    }
}
