//! The 3-D convolutional conditioner: what the bass says at the scale of steps, beats and measures.

use candle_core::{Result, Tensor};

use super::{Layer, N_PLANES, NET_STEPS, ParameterError, Parameters, Projection};

/// Pitches an octave kernel covers.
const OCTAVE: usize = 12;
/// Channels an octave is read into.
const OCTAVE_CHANNELS: usize = 16;
/// Octaves in the window.
const N_OCTAVES: usize = crate::representation::N_PITCHES / OCTAVE;
/// Steps a beat and beats a measure, of the network's 4/4 row.
pub(super) const STRIDE: usize = 4;

/// Channels of the features at each scale, finest first.
pub(super) const STEP_CHANNELS: usize = 32;
pub(super) const BEAT_CHANNELS: usize = 48;
pub(super) const MEASURE_CHANNELS: usize = 64;

/// The conditioner's layers, with the names that a network of weights gives them.
pub(super) const OCTAVES: Layer = Layer {
    name: "bass.octave",
    n_in: OCTAVE * N_PLANES / crate::representation::N_PITCHES,
    n_out: OCTAVE_CHANNELS,
};
pub(super) const STEPS: Layer = Layer {
    name: "bass.step",
    n_in: N_OCTAVES * OCTAVE_CHANNELS,
    n_out: STEP_CHANNELS,
};
pub(super) const BEATS: Layer = Layer {
    name: "bass.beat",
    n_in: STRIDE * STEP_CHANNELS,
    n_out: BEAT_CHANNELS,
};
pub(super) const MEASURES: Layer = Layer {
    name: "bass.measure",
    n_in: STRIDE * BEAT_CHANNELS,
    n_out: MEASURE_CHANNELS,
};

/// Reads steps of bass one by one: kernels `1×1×12` and `1×1×6` over measure, step and pitch, each with its kernel for
/// stride.
#[derive(Clone, Debug)]
pub(super) struct StepReader {
    octaves: Projection,
    steps: Projection,
}

impl StepReader {
    pub(super) fn new(parameters: &Parameters) -> std::result::Result<Self, ParameterError> {
        Ok(Self {
            octaves: parameters.projection(OCTAVES)?,
            steps: parameters.projection(STEPS)?,
        })
    }

    /// `(B, M, T, P)` = `(B, M, 16, N_PLANES)` to `(B, M, 16, STEP_CHANNELS)`.
    pub(super) fn forward(&self, bass: &Tensor) -> Result<Tensor> {
        let (b, m, _, _) = bass.dims4()?;
        let octaves = bass.reshape((b, m, NET_STEPS * N_OCTAVES, OCTAVES.n_in))?;
        let octaves = self.octaves.forward(&octaves)?.relu()?;
        let steps = octaves.reshape((b, m, NET_STEPS, STEPS.n_in))?;
        self.steps.forward(&steps)?.relu()
    }
}

/// Reads measures of bass at three scales; the measure axis is kept.
#[derive(Clone, Debug)]
pub(super) struct Conditioner {
    reader: StepReader,
    beats: Projection,
    measures: Projection,
}

/// What was heard, at three scales.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// `(B, M, 16, STEP_CHANNELS)`.
    pub(super) steps: Tensor,
    /// `(B, M, 4, BEAT_CHANNELS)`.
    pub(super) beats: Tensor,
    /// `(B, M, 1, MEASURE_CHANNELS)`.
    pub(super) measures: Tensor,
}

impl Conditioner {
    pub(super) fn new(parameters: &Parameters) -> std::result::Result<Self, ParameterError> {
        Ok(Self {
            reader: StepReader::new(parameters)?,
            beats: parameters.projection(BEATS)?,
            measures: parameters.projection(MEASURES)?,
        })
    }

    /// The reader's kernels, then twice `1×4×1` with a stride of four steps, then of four beats.
    pub(super) fn forward(&self, bass: &Tensor) -> Result<Heard> {
        let (b, m, _, _) = bass.dims4()?;
        let steps = self.reader.forward(bass)?;
        let beats = steps.reshape((b, m, NET_STEPS / STRIDE, BEATS.n_in))?;
        let beats = self.beats.forward(&beats)?.relu()?;
        let measures = beats.reshape((b, m, 1, MEASURES.n_in))?;
        let measures = self.measures.forward(&measures)?.relu()?;
        Ok(Heard {
            steps,
            beats,
            measures,
        })
    }
}

/// Puts `depth` neighbouring measures into the channels: `(B, M, T, C)` to `(B, M − depth + 1, T, depth · C)`, oldest
/// first. This is what a 3-D kernel over the measure axis sees.
pub(super) fn stack_measures(x: &Tensor, depth: usize) -> Result<Tensor> {
    let n_out = x.dim(1)? + 1 - depth;
    let measures: Vec<Tensor> = (0..depth)
        .map(|first| x.narrow(1, first, n_out))
        .collect::<Result<_>>()?;
    Tensor::cat(&measures, 3)
}
