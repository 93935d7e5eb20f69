//! The drummer with a memory: hears the bass and its own past drums, and decides hit by hit.
//!
//! The trunk hears four measures of bass and of own drums and says for each step of the next measure what it is like
//! there. A decoder then goes step by step: it knows the hits of the sixteen steps before, and within a step the voices
//! decide in their declaration order, each knowing those before it. Trained with people's drums in place of its own
//! (teacher forcing), all steps at once; [`Decoder`] goes the same way one step at a time.

use candle_core::{Device, Result, Tensor};

use super::decoder::{Decoder, Decoding, TAPS, WIDTH};
use super::trunk::{TRUNK_WIDTH, Trunk};
use super::{Memory, N_OUTPUTS};
use crate::network::architecture::BassEmbedding;
use crate::network::hearing::{Hearing, OwnDrums};
use crate::network::{Layer, NET_MEASURES, NET_STEPS, ParameterError, Parameters, Projection};
use crate::representation::N_VOICES;

/// Numbers that tell where in the song a measure is, and how fast: see [`place`].
pub const N_PLACE: usize = 7;

/// Where a measure, counted from the start, is in its phrase: which of four, in which half of eight, and how far from a
/// start that still is to be heard; and its tempo, in octaves from 120 BPM.
pub fn place(measure: u64, tempo_bpm: f32) -> [f32; N_PLACE] {
    let mut numbers = [0.0; N_PLACE];
    for (of_four, number) in (0..4).zip(&mut numbers) {
        *number = f32::from(u8::from(measure % 4 == of_four));
    }
    numbers[4] = f32::from(u8::from(measure / 4 % 2 == 1));
    numbers[5] = measure.min(8) as f32 / 8.0;
    numbers[6] = (tempo_bpm / 120.0).log2().clamp(-2.0, 2.0);
    numbers
}

/// The generator that hears itself.
#[derive(Clone, Debug)]
pub struct Autoregressive {
    bass: Hearing,
    own: OwnDrums,
    trunk: Trunk,
    join: Projection,
    deepen: Projection,
    output: Projection,
    /// What a hit adds to the log-odds of each voice, `(V, V)`, voice that hit first.
    within: Tensor,
    /// 1 where the second voice decides after the first.
    after: Tensor,
}

/// The decoder's layers.
fn decoder() -> [Layer; 4] {
    let layer = |name: &str, size| Layer::affine(format!("drums.{name}"), size, NET_STEPS);
    [
        layer("join", (TRUNK_WIDTH + TAPS * N_VOICES, WIDTH)),
        layer("deepen", (WIDTH, WIDTH)),
        layer("output", (WIDTH, N_OUTPUTS)),
        Layer::table("drums.within", N_VOICES, N_VOICES),
    ]
}

impl Autoregressive {
    pub(super) fn layers(bass: &BassEmbedding) -> Vec<Layer> {
        let mut all = Hearing::layers(bass, NET_MEASURES);
        all.extend(OwnDrums::layers(NET_MEASURES));
        all.extend(Trunk::layers(2, N_PLACE));
        all.extend(decoder());
        all
    }

    pub(super) fn new(
        bass: &BassEmbedding,
        parameters: &Parameters,
    ) -> std::result::Result<Self, ParameterError> {
        let [join, deepen, output, within] = decoder();
        let after: Vec<f32> = (0..N_VOICES * N_VOICES)
            .map(|i| f32::from(u8::from(i / N_VOICES < i % N_VOICES)))
            .collect();
        Ok(Self {
            bass: Hearing::new(bass, parameters)?,
            own: OwnDrums::new(parameters)?,
            trunk: Trunk::new(parameters, 2, N_PLACE)?,
            join: parameters.projection(&join)?,
            deepen: parameters.projection(&deepen)?,
            output: parameters.projection(&output)?,
            within: parameters.table(&within)?,
            after: Tensor::from_vec(after, (N_VOICES, N_VOICES), &Device::Cpu)?,
        })
    }

    /// What each step of the next measure is like: `(B, K, 16, TRUNK_WIDTH)`.
    fn features(&self, bass: &Tensor, memory: &Memory) -> Result<Tensor> {
        let bass = self.bass.forward(bass)?;
        let own = self.own.forward(&memory.own)?;
        self.trunk.forward(&[&bass, &own], &memory.place)
    }

    /// Outputs `(B, K, 16, N_OUTPUTS)` for the `K = M − 3` measures that follow each four of `bass`, `(B, M, 16, P)`. Each
    /// cell knows `memory` and the hits of its own measure before it, which `said` holds, `(B, K, 16, V)`.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn forward(&self, bass: &Tensor, memory: &Memory, said: &Tensor) -> Result<Tensor> {
        let features = self.features(bass, memory)?;
        let k = said.dim(1)?;
        let before = memory
            .own
            .narrow(1, NET_MEASURES - 1, k)?
            .narrow(3, 0, N_VOICES)?;
        let hits = Tensor::cat(&[&before, said], 2)?;
        let mut parts = vec![features];
        for tap in 0..TAPS {
            parts.push(hits.narrow(2, tap, NET_STEPS)?);
        }
        let x = self.join.rectified(&Tensor::cat(&parts, 3)?, 0.0)?;
        let x = (&x + self.deepen.rectified(&x, 0.0)?)?;
        let outputs = self.output.forward(&x)?;
        let (b, k, t, v) = said.dims4()?;
        let within = said
            .reshape((b * k * t, v))?
            .matmul(&(&self.within * &self.after)?)?
            .reshape((b, k, t, v))?;
        let presence = (outputs.narrow(3, 0, N_VOICES)? + within)?;
        let rest = outputs.narrow(3, N_VOICES, N_OUTPUTS - N_VOICES)?;
        Tensor::cat(&[presence, rest], 3)
    }

    /// The decoder in plain numbers.
    ///
    /// # Errors
    /// Those of candle.
    pub fn decoder(&self) -> Result<Decoder> {
        let (join, join_bias) = self.join.values()?;
        let (deepen, deepen_bias) = self.deepen.values()?;
        let (output, output_bias) = self.output.values()?;
        let within = (&self.within * &self.after)?.flatten_all()?.to_vec1()?;
        Ok(Decoder {
            join,
            join_bias,
            deepen,
            deepen_bias,
            output,
            output_bias,
            within,
        })
    }

    /// The next measure, undecided: `bass` is `(1, 4, 16, P)`.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn begin(&self, decoder: &Decoder, bass: &Tensor, memory: &Memory) -> Result<Decoding> {
        let features = self.features(bass, memory)?.flatten_all()?.to_vec1()?;
        let before = memory
            .own
            .narrow(1, NET_MEASURES - 1, 1)?
            .narrow(3, 0, N_VOICES)?;
        let before = before.flatten_all()?.to_vec1()?;
        Ok(decoder.begin(&features, &before))
    }
}
