//! The critic: whether these drums were played to this bass by people.

use candle_core::{Result, Tensor};

use super::conditioner::{self, STEP_CHANNELS, STRIDE, StepReader, stack_measures};
use super::{Layer, NET_STEPS, ParameterError, Parameters, Projection};
use crate::representation::N_VOICES;

/// Channels of a step of drums as the critic sees it: whether each voice is hit, then how loud.
pub const CRITIC_CHANNELS: usize = 2 * N_VOICES;

/// Measures that the depth kernel joins: the critic judges each measure together with the one before.
const DEPTH: usize = 2;
const STEP_WIDTH: usize = 96;
const BEAT_WIDTH: usize = 96;
const MEASURE_WIDTH: usize = 128;

const STEP: Layer = Layer {
    name: "critic.step",
    n_in: STEP_CHANNELS + CRITIC_CHANNELS,
    n_out: STEP_WIDTH,
};
const BEAT: Layer = Layer {
    name: "critic.beat",
    n_in: STRIDE * STEP_WIDTH,
    n_out: BEAT_WIDTH,
};
const MEASURE: Layer = Layer {
    name: "critic.measure",
    n_in: STRIDE * BEAT_WIDTH,
    n_out: MEASURE_WIDTH,
};
const PHRASE: Layer = Layer {
    name: "critic.phrase",
    n_in: DEPTH * MEASURE_WIDTH,
    n_out: MEASURE_WIDTH,
};
const VERDICT: Layer = Layer {
    name: "critic.verdict",
    n_in: MEASURE_WIDTH,
    n_out: 1,
};

/// Judges bass and drums together, with 3-D kernels over measures, steps and pitches or voices.
#[derive(Clone, Debug)]
pub struct CriticNet {
    reader: StepReader,
    step: Projection,
    beat: Projection,
    measure: Projection,
    phrase: Projection,
    verdict: Projection,
}

impl CriticNet {
    /// Every layer of the network.
    pub const LAYERS: [Layer; 7] = [
        conditioner::OCTAVES,
        conditioner::STEPS,
        STEP,
        BEAT,
        MEASURE,
        PHRASE,
        VERDICT,
    ];

    /// The network with these weights.
    ///
    /// # Errors
    /// [`ParameterError`] if a tensor is missing or has another shape.
    pub fn new(parameters: &Parameters) -> std::result::Result<Self, ParameterError> {
        Ok(Self {
            reader: StepReader::new(parameters)?,
            step: parameters.projection(STEP)?,
            beat: parameters.projection(BEAT)?,
            measure: parameters.projection(MEASURE)?,
            phrase: parameters.projection(PHRASE)?,
            verdict: parameters.projection(VERDICT)?,
        })
    }

    /// Verdicts `(B, K − 1, 1)`, one for each two neighbouring measures; higher is more like people.
    ///
    /// `bass` is `(B, K, 16, P)` and `drums` `(B, K, 16, CRITIC_CHANNELS)`: the same measures.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn forward(&self, bass: &Tensor, drums: &Tensor) -> Result<Tensor> {
        let heard = self.reader.forward(bass)?;
        let (b, k, _, _) = drums.dims4()?;
        let x = leaky_relu(&self.step.forward(&Tensor::cat(&[&heard, drums], 3)?)?)?;
        let x = x.reshape((b, k, NET_STEPS / STRIDE, STRIDE * STEP_WIDTH))?;
        let x = leaky_relu(&self.beat.forward(&x)?)?;
        let x = x.reshape((b, k, 1, STRIDE * BEAT_WIDTH))?;
        let x = leaky_relu(&self.measure.forward(&x)?)?;
        let x = leaky_relu(&self.phrase.forward(&stack_measures(&x, DEPTH)?)?)?;
        self.verdict.forward(&x)?.reshape((b, k + 1 - DEPTH, 1))
    }
}

/// Leaky rectifier with the slope 0.2 that GAN critics have used since DCGAN (Radford et al. 2016).
fn leaky_relu(x: &Tensor) -> Result<Tensor> {
    x.maximum(&(x * 0.2)?)
}
