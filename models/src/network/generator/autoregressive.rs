//! The drummer with a memory: hears the bass and its own past drums, and decides hit by hit.
//!
//! The trunk hears four measures of bass and of own drums and computes features for each step of the next measure. A decoder
//! then goes step by step: it knows the hits of the sixteen steps before, and within a step the voices decide in their
//! declaration order, each knowing those before it. In training it gets people's drums in place of its own (teacher forcing),
//! all steps at once; [`Decoder`] does the same one step at a time.

use candle_core::{Result, Tensor};

use super::conditioning::{N_CONDITIONS, N_PLACE};
use super::decoder::{Decoder, TAPS, WIDTH};
use super::trunk::{HeardPlayer, TRUNK_WIDTH, TrunkLayers};
use super::{Context, n_outputs};
use crate::network::STEP_CHANNELS;
use crate::network::architecture::Architecture;
use crate::network::hearing::{Hearing, OwnDrums};
use crate::network::{
    Layer, NET_MEASURES, NET_STEPS, NetworkParameterError, NetworkParameters, Projection,
};
use crate::voices::VoiceSet;

/// Which rows of what was heard each of B predictions uses, as `(B,)` of `u32`; with `None` each has a row of its own. Shared
/// rows pass no gradient.
#[derive(Clone, Copy, Debug, Default)]
pub struct SharedRows<'a> {
    /// Rows of bass and accents.
    pub bass: Option<&'a Tensor>,
    /// Rows of the drummer's own drums.
    pub own: Option<&'a Tensor>,
}

/// Name of the tensor with the mean hits of each cell in each style, `(n_styles, 16 · V)`.
pub const STYLES: &str = "styles.hits";

/// Features per step that the trunk gives to the decoder.
pub const N_FEATURES: usize = TRUNK_WIDTH;

/// The generator that hears itself.
#[derive(Clone, Debug)]
pub struct Autoregressive {
    voices: VoiceSet,
    bass: Hearing,
    /// What the loudness of an onset adds to its step; `None` if the network does not hear loudness.
    accent: Option<Projection>,
    own: OwnDrums,
    trunk: TrunkLayers,
    /// How many of the given numbers it hears.
    n_given: usize,
    join: Projection,
    deepen: Projection,
    output: Projection,
    /// What a hit adds to the log-odds of each voice, `(V, V)`; the first axis is the voice that hit.
    within: Tensor,
    /// 1 where the voice of the second axis decides after that of the first, else 0.
    after: Tensor,
}

/// How many of the given numbers a network hears; place and tempo come first.
fn n_given(architecture: &Architecture) -> usize {
    if architecture.controls {
        N_CONDITIONS + architecture.n_styles
    } else {
        N_PLACE
    }
}

/// The layer that reads the loudness of the bass.
fn accent(n_measures: usize) -> Layer {
    Layer::affine("bass.accent", (1, STEP_CHANNELS), n_measures * NET_STEPS)
}

/// The decoder's layers.
fn decoder(voices: VoiceSet) -> [Layer; 4] {
    let n = voices.n();
    let layer = |name: &str, size| Layer::affine(format!("drums.{name}"), size, NET_STEPS);
    [
        layer("join", (TRUNK_WIDTH + TAPS * n, WIDTH)),
        layer("deepen", (WIDTH, WIDTH)),
        layer("output", (WIDTH, n_outputs(voices))),
        Layer::table("drums.within", n, n),
    ]
}

impl Autoregressive {
    pub(super) fn layers(architecture: &Architecture) -> Vec<Layer> {
        let mut all = Hearing::layers(&architecture.bass, NET_MEASURES);
        all.extend(OwnDrums::layers(architecture.voices, NET_MEASURES));
        all.extend(TrunkLayers::layers(2, n_given(architecture)));
        all.extend(decoder(architecture.voices));
        if architecture.controls {
            all.push(accent(NET_MEASURES));
        }
        all
    }

    pub(super) fn new(
        architecture: &Architecture,
        parameters: &NetworkParameters,
    ) -> std::result::Result<Self, NetworkParameterError> {
        let voices = architecture.voices;
        let [join, deepen, output, within] = decoder(voices);
        let n = voices.n();
        let after: Vec<f32> = (0..n * n)
            .map(|i| f32::from(u8::from(i / n < i % n)))
            .collect();
        let within = parameters.table(&within)?;
        Ok(Self {
            voices,
            bass: Hearing::new(&architecture.bass, parameters)?,
            accent: architecture
                .controls
                .then(|| parameters.projection(&accent(1)))
                .transpose()?,
            own: OwnDrums::new(voices, parameters)?,
            trunk: TrunkLayers::new(parameters, 2, n_given(architecture))?,
            n_given: n_given(architecture),
            join: parameters.projection(&join)?,
            deepen: parameters.projection(&deepen)?,
            output: parameters.projection(&output)?,
            after: Tensor::from_vec(after, (n, n), within.device())?,
            within,
        })
    }

    /// The voices it hears and plays.
    pub fn voices(&self) -> VoiceSet {
        self.voices
    }

    /// How many of the given numbers it hears.
    pub fn n_given(&self) -> usize {
        self.n_given
    }

    /// Features of each step of the next measures, `(B, K, 16, N_FEATURES)`, on the device of weights and inputs. If rows are
    /// shared, `bass` and the accents, or the own drums, hold each distinct row once.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn features(
        &self,
        bass: &Tensor,
        context: &Context,
        shared: SharedRows<'_>,
    ) -> Result<Tensor> {
        let given = context.given.narrow(2, 0, self.n_given)?;
        let mut bass = self.bass.forward(bass)?;
        if let Some(accent) = &self.accent {
            bass.steps = (bass.steps + accent.forward(&context.accents)?)?;
        }
        let own = self.own.forward(&context.own)?;
        let players = [(&bass, shared.bass), (&own, shared.own)];
        let players = players.map(|(heard, rows)| HeardPlayer { heard, rows });
        self.trunk.forward(&players, &given)
    }

    /// Outputs `(B, K, 16, 5 · V)` for the `K = M − 3` measures that follow each four of `bass`, `(B, M, 16, P)`. Each
    /// cell knows `context` and the hits before it in its own measure, which are in `said`, `(B, K, 16, V)`.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn forward(&self, bass: &Tensor, context: &Context, said: &Tensor) -> Result<Tensor> {
        let features = self.features(bass, context, SharedRows::default())?;
        let (b, k, t, v) = said.dims4()?;
        let before = context
            .own
            .narrow(1, NET_MEASURES - 1, k)?
            .narrow(3, 0, v)?;
        let hits = Tensor::cat(&[&before, said], 2)?;
        let mut parts = vec![features];
        for tap in 0..TAPS {
            parts.push(hits.narrow(2, tap, NET_STEPS)?);
        }
        let x = self.join.rectified(&Tensor::cat(&parts, 3)?, 0.0)?;
        let x = (&x + self.deepen.rectified(&x, 0.0)?)?;
        let outputs = self.output.forward(&x)?;
        let within = said
            .reshape((b * k * t, v))?
            .matmul(&(&self.within * &self.after)?)?
            .reshape((b, k, t, v))?;
        let presence = (outputs.narrow(3, 0, v)? + within)?;
        let rest = outputs.narrow(3, v, n_outputs(self.voices) - v)?;
        Tensor::cat(&[presence, rest], 3)
    }

    /// The decoder's weights as plain numbers.
    ///
    /// # Errors
    /// Those of candle.
    pub fn decoder(&self) -> Result<Decoder> {
        let (join, join_bias) = self.join.values()?;
        let (deepen, deepen_bias) = self.deepen.values()?;
        let (output, output_bias) = self.output.values()?;
        let within = (&self.within * &self.after)?.flatten_all()?.to_vec1()?;
        Ok(Decoder {
            voices: self.voices,
            join,
            join_bias,
            deepen,
            deepen_bias,
            output,
            output_bias,
            within,
        })
    }
}
