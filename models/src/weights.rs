//! Weights files: safetensors with a header that describes the tensors.
//!
//! The header's metadata holds `architecture` (the family), `representation` (its version), `config` (which network of the
//! family, as JSON: [`Config`], or [`PlayerConfig`] for the player) and `card`, a JSON object that says how the weights were
//! made and measured. A file of an older representation plays the voices that it had; one of an unknown architecture or
//! representation is refused, with a message that names it.

mod numbers;
mod per_voice;
mod player_config;
pub mod styles;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::Tensor;
use lockstep_core::family::Family;
use lockstep_core::representation::{N_VOICES, REPRESENTATION_VERSION};
use lockstep_files::whole;
use safetensors::tensor::{SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use crate::network::{
    Architecture, ArchitectureError, Drumming, NetworkParameterError, NetworkParameters, STYLES,
};
use crate::voices::VoiceSet;
pub use numbers::Precision;
pub use per_voice::PerVoice;
pub use player_config::PlayerConfig;

/// The player's entry `architecture`.
pub const PLAYER: &str = "player";

/// Which network of the family the tensors are for, and how its answers are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// The network.
    pub architecture: Architecture,
    /// Scale of the logistic draw that decides a voice's hit, in `[0, 2]`: 1 plays with the network's probabilities, 0 plays
    /// whatever is likelier than not.
    pub temperature: PerVoice,
    /// Added to all log-odds of a voice, in `[-4, 4]`: makes up for the unlikely hits that a low temperature takes away.
    pub lean: PerVoice,
    /// Scale of the differences in loudness and placement from hit to hit, in `[0, 2]`: 1 is as loose as all people in the
    /// training songs together, less is steadier, like one person.
    pub looseness: f32,
    /// Scale of the noise vector, in `[0, 2]`: 1 as in training, less makes the drums more typical (Brock et al. 2019).
    pub truncation: f32,
    /// How much its own drums count for a network that hears them, in `[0, 1]`: 0 as if it never heard them, 1 fully, in
    /// between a weighted mean of both log-odds.
    #[serde(default = "whole")]
    pub memory: f32,
    /// How much the bass counts at the default `follow`, for a network that has learnt to play without a bass, in `[0, 3]`: 1
    /// as learnt, more is classifier-free guidance (Ho & Salimans 2021).
    #[serde(default = "whole")]
    pub guidance: f32,
}

fn whole() -> f32 {
    1.0
}

impl Config {
    /// The voices that the network hears and plays.
    pub fn voices(&self) -> VoiceSet {
        self.architecture.voices
    }

    /// Checks that a network can be built and that numbers per voice are for its voices.
    ///
    /// # Errors
    /// [`ArchitectureError`] names the setting and what it may be.
    pub fn check(&self) -> Result<(), ArchitectureError> {
        self.architecture.check()?;
        self.temperature.check("temperature", self.voices())?;
        self.lean.check("lean", self.voices())
    }
}

/// Why weights cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The bytes are not a safetensors file, or a damaged one.
    #[error("the weights are damaged or not a safetensors file")]
    Damaged(#[from] safetensors::SafeTensorError),
    /// The header names another architecture, or none.
    #[error("the weights have the architecture {got:?}, which this program does not know")]
    Architecture {
        /// The header's entry.
        got: String,
    },
    /// The header names an unknown version of the representation, or none.
    #[error(
        "the weights are for version {got:?} of the representation, this program has 1 to {REPRESENTATION_VERSION}"
    )]
    Representation {
        /// The header's entry.
        got: String,
    },
    /// The header's configuration cannot be read.
    #[error("the weights' configuration is damaged or from another version of this program")]
    Config(#[from] serde_json::Error),
    /// The header's configuration describes an impossible network.
    #[error("the weights' configuration cannot be used")]
    Impossible(#[from] ArchitectureError),
    /// A value is NaN, infinite or too large, or not a float of 32 or 16 bits.
    #[error("the tensor {0:?} holds values that are not finite floats of 32 or 16 bits")]
    Values(String),
    /// The tensors do not match the network.
    #[error(transparent)]
    NetworkParameters(#[from] NetworkParameterError),
    /// The tensor library failed.
    #[error("the tensors cannot be built")]
    Tensor(#[from] candle_core::Error),
    /// The file cannot be written or read.
    #[error("cannot access the weights file")]
    File(#[from] std::io::Error),
}

/// Tensors and the header's metadata.
#[derive(Debug)]
pub struct Weights {
    /// The tensors.
    pub parameters: NetworkParameters,
    /// The metadata, `architecture` and `representation` included.
    pub metadata: HashMap<String, String>,
}

impl Weights {
    /// Reads weights of any architecture.
    ///
    /// # Errors
    /// [`WeightsError`] for damaged bytes and values that are not finite.
    pub fn parse(bytes: &[u8]) -> Result<Self, WeightsError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let mut tensors = BTreeMap::new();
        for (name, view) in SafeTensors::deserialize(bytes)?.tensors() {
            let Some(tensor) = numbers::tensor(&view) else {
                return Err(WeightsError::Values(name));
            };
            tensors.insert(name, tensor?);
        }
        Ok(Self {
            parameters: NetworkParameters(tensors),
            metadata,
        })
    }

    /// A name for each style of the network, which says what is played; empty for a network without styles. The player's styles
    /// are the families.
    ///
    /// # Errors
    /// Those of candle.
    pub fn styles(&self) -> Result<Vec<String>, WeightsError> {
        if self.is_player() {
            return Ok(Family::ALL.map(|family| family.name().to_owned()).into());
        }
        Ok(styles::names(&self.style_hits()?))
    }

    /// Whether these are the player's.
    pub fn is_player(&self) -> bool {
        self.entry("architecture") == PLAYER
    }

    /// Whether the network hears the player's controls: style, fill, follow.
    ///
    /// # Errors
    /// The same as those of [`Self::config`].
    pub fn hears_controls(&self) -> Result<bool, WeightsError> {
        Ok(self.is_player() || self.config()?.architecture.controls)
    }

    /// How the player plays.
    ///
    /// # Errors
    /// The same as those of [`Self::config`].
    pub fn player_config(&self) -> Result<PlayerConfig, WeightsError> {
        let (got, version) = (self.entry("architecture"), self.entry("representation"));
        if got != PLAYER {
            return Err(WeightsError::Architecture { got });
        }
        if self.voices()? != VoiceSet::Version2 {
            return Err(WeightsError::Representation { got: version });
        }
        let config: PlayerConfig = serde_json::from_str(&self.entry("config"))?;
        config.check()?;
        Ok(config)
    }

    /// Mean hits of each cell of a measure in each style, `(n_styles, 16, N_VOICES)` in one row: by
    /// [`Voice::index`](lockstep_core::representation::Voice::index), 0 for voices that the weights do not play. The player's
    /// are those of its grooves.
    ///
    /// # Errors
    /// [`WeightsError::Representation`] and those of candle.
    pub fn style_hits(&self) -> Result<Vec<f32>, WeightsError> {
        let hits = self.parameters.0.get(STYLES).map(Tensor::flatten_all);
        let Some(hits) = hits.transpose()? else {
            return Ok(Vec::new());
        };
        let hits = hits.to_vec1::<f32>()?;
        let voices = self.voices()?;
        let mut all = vec![0.0; hits.len() / voices.n() * N_VOICES];
        let steps = hits.chunks_exact(voices.n());
        for (step, row) in steps.zip(all.chunks_exact_mut(N_VOICES)) {
            for (mean, voice) in step.iter().zip(voices.voices()) {
                row[voice.index()] = *mean;
            }
        }
        Ok(all)
    }

    /// The voices that the weights are for.
    ///
    /// # Errors
    /// [`WeightsError::Representation`] if this program does not know the version.
    pub fn voices(&self) -> Result<VoiceSet, WeightsError> {
        let got = self.entry("representation");
        let voices = got.parse().ok().and_then(VoiceSet::of_version);
        voices.ok_or(WeightsError::Representation { got })
    }

    fn entry(&self, key: &str) -> String {
        self.metadata.get(key).cloned().unwrap_or_default()
    }

    /// The configuration of the network; refuses weights of an unknown family or representation, and the player's.
    ///
    /// # Errors
    /// [`WeightsError::Architecture`], [`WeightsError::Representation`], [`WeightsError::Config`] and
    /// [`WeightsError::Impossible`].
    pub fn config(&self) -> Result<Config, WeightsError> {
        let got = self.entry("architecture");
        if !Drumming::ALL
            .iter()
            .any(|drumming| drumming.family() == got)
        {
            return Err(WeightsError::Architecture { got });
        }
        let voices = self.voices()?;
        let mut config: Config = serde_json::from_str(&self.entry("config"))?;
        // Files of version 1 do not say it here.
        config.architecture.voices = voices;
        config.check()?;
        Ok(config)
    }
}

/// Writes tensors and metadata as one file, which appears complete or not at all.
///
/// # Errors
/// [`WeightsError`] if the file cannot be written.
#[expect(clippy::implicit_hasher, reason = "safetensors' type for metadata")]
pub fn save(
    path: &Path,
    tensors: &BTreeMap<String, Tensor>,
    metadata: HashMap<String, String>,
) -> Result<(), WeightsError> {
    save_with(Precision::Whole, path, tensors, metadata)
}

/// [`save`] with the numbers written so precisely.
///
/// # Errors
/// [`WeightsError`] if the file cannot be written, or a number is too large to be written so.
#[expect(clippy::implicit_hasher, reason = "safetensors' type for metadata")]
pub fn save_with(
    precision: Precision,
    path: &Path,
    tensors: &BTreeMap<String, Tensor>,
    metadata: HashMap<String, String>,
) -> Result<(), WeightsError> {
    let mut bytes = BTreeMap::new();
    for (name, tensor) in tensors {
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        let values = precision.bytes(&values);
        let values = values.ok_or_else(|| WeightsError::Values(name.clone()))?;
        bytes.insert(name.clone(), (values, tensor.dims().to_vec()));
    }
    let views: BTreeMap<_, _> = bytes
        .iter()
        .map(|(name, (values, shape))| {
            let view = TensorView::new(precision.dtype(), shape.clone(), values)?;
            Ok((name.clone(), view))
        })
        .collect::<Result<_, WeightsError>>()?;
    let file = safetensors::serialize(views, Some(metadata))?;
    whole::write(path, &file)?;
    Ok(())
}
