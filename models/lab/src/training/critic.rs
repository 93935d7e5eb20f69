//! The critic judges whether people played these drums to this bass.
//!
//! It can be matching-aware (Reed et al. 2016): it also sees real drums with another song's bass and must reject them, which
//! forces the generator to listen.

use candle_core::{Result, Tensor};
use lockstep_models::network::{
    Kernels, Layer, NET_STEPS, NetworkParameterError, NetworkParameters, Projection, STEP_CHANNELS,
    STRIDE, StepReader, stack_measures,
};
use lockstep_models::voices::VoiceSet;

/// Measures that the depth kernel joins: with 3-D kernels the critic judges each measure together with the one before.
const DEPTH: usize = 2;
/// Slope of the leaky rectifier below 0, as in GAN critics since DCGAN (Radford et al. 2016).
const LEAK: f32 = 0.2;
const STEP_WIDTH: usize = 64;
const BEAT_WIDTH: usize = 96;
const MEASURE_WIDTH: usize = 128;

/// The critic's answer.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Higher is more like people. `(B, K − 1, 1)` with 3-D kernels, one for each pair of neighbouring measures;
    /// `(B, 1, 1)` with 2-D kernels.
    pub score: Tensor,
    /// The features before the score, `(B, …, C)`, for feature matching.
    pub features: Tensor,
}

/// Judges bass and drums together.
#[derive(Clone, Debug)]
pub struct CriticNet {
    kernels: Kernels,
    reader: StepReader,
    bass: Projection,
    step: Projection,
    beat: Projection,
    measure: Projection,
    phrase: Projection,
    score: Projection,
}

/// The critic's own layers for `k` measures of these voices; none takes part in a prediction, so they count no operations.
fn layers(kernels: Kernels, k: usize, voices: VoiceSet) -> [Layer; 6] {
    let joined = match kernels {
        Kernels::ThreeD => DEPTH,
        Kernels::TwoD => k,
    };
    let layer = |name: &str, size| Layer::affine(format!("critic.{name}"), size, 0);
    [
        // One kernel over bass and drums in two parts, so that the bass is read once for any number of drummers.
        layer("bass", (STEP_CHANNELS, STEP_WIDTH)),
        layer("step", (voices.n(), STEP_WIDTH)),
        layer("beat", (STRIDE * STEP_WIDTH, BEAT_WIDTH)),
        layer("measure", (STRIDE * BEAT_WIDTH, MEASURE_WIDTH)),
        layer("phrase", (joined * MEASURE_WIDTH, MEASURE_WIDTH)),
        layer("score", (MEASURE_WIDTH, 1)),
    ]
}

impl CriticNet {
    /// Every layer of a critic of `k` measures of these voices.
    pub fn layers(kernels: Kernels, k: usize, voices: VoiceSet) -> Vec<Layer> {
        let mut all = vec![StepReader::layer(0)];
        all.extend(layers(kernels, k, voices));
        all
    }

    /// The network with these weights.
    ///
    /// # Errors
    /// [`NetworkParameterError`] if a tensor is missing or has another shape.
    pub fn new(
        kernels: Kernels,
        k: usize,
        voices: VoiceSet,
        parameters: &NetworkParameters,
    ) -> std::result::Result<Self, NetworkParameterError> {
        let [bass, step, beat, measure, phrase, score] = layers(kernels, k, voices);
        Ok(Self {
            kernels,
            reader: StepReader::new(parameters)?,
            bass: parameters.projection(&bass)?,
            step: parameters.projection(&step)?,
            beat: parameters.projection(&beat)?,
            measure: parameters.projection(&measure)?,
            phrase: parameters.projection(&phrase)?,
            score: parameters.projection(&score)?,
        })
    }

    /// Reads the bass, `(B, K, 16, P)`, once for any number of drummers.
    ///
    /// # Errors
    /// Those of candle, if the shape does not fit.
    pub fn hear(&self, bass: &Tensor) -> Result<Tensor> {
        self.bass.forward(&self.reader.forward(bass)?)
    }

    /// Judges `drums`, hits of shape `(B, K, 16, V)`, to the bass in `heard`, which [`Self::hear`] returned.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn judge(&self, heard: &Tensor, drums: &Tensor) -> Result<Verdict> {
        let (b, k, _, _) = drums.dims4()?;
        let x = leaky_relu(&(self.step.forward(drums)? + heard)?)?;
        let x = x.reshape((b, k, NET_STEPS / STRIDE, STRIDE * STEP_WIDTH))?;
        let x = self.beat.rectified(&x, LEAK)?;
        let x = x.reshape((b, k, 1, STRIDE * BEAT_WIDTH))?;
        let x = self.measure.rectified(&x, LEAK)?;
        let x = match self.kernels {
            // Kernels of two measures, moved along the measure axis.
            Kernels::ThreeD => stack_measures(&x, DEPTH)?,
            // One row of 64 steps: the last stride takes all of it.
            Kernels::TwoD => x.reshape((b, 1, 1, k * MEASURE_WIDTH))?,
        };
        let features = self.phrase.rectified(&x, LEAK)?;
        let n_verdicts = features.dim(1)?;
        Ok(Verdict {
            score: self.score.forward(&features)?.reshape((b, n_verdicts, 1))?,
            features,
        })
    }
}

/// Uses only operations whose second derivative candle knows.
fn leaky_relu(x: &Tensor) -> Result<Tensor> {
    (x.relu()? * f64::from(1.0 - LEAK))? + (x * f64::from(LEAK))?
}
