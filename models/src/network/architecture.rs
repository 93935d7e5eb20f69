//! Which network: the choices in a run file, stored in the weights file.

use serde::{Deserialize, Serialize};

use crate::voices::VoiceSet;

/// How a measure of bass becomes numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum BassEmbedding {
    /// Embedding 1: the measure read as a binary number, scaled into buckets, looked up in a table.
    Bucket {
        /// What the digits are.
        digits: Digits,
        /// Rows of the table, 2 to 65,536; 1,000 in the lineage's notes.
        n_buckets: usize,
    },
    /// Embedding 2: strided convolutions over pitches, steps and beats (MuseGAN's track-conditional encoder, MidiNet's
    /// conditioner).
    Convolution,
    /// Embedding 3: self-attention over the measure's sixteen steps (Vaswani et al. 2017).
    Transformer {
        /// Number of blocks of attention and feed-forward, 1 to 8.
        n_blocks: usize,
        /// Heads of an attention; a divisor of the 32 channels of a step.
        n_heads: usize,
    },
    /// Embedding 4: the index of the measure in a vocabulary of the commonest rhythms of the training songs; any other rhythm
    /// takes the nearest word by Hamming distance.
    Vocabulary {
        /// Number of words, 2 to 65,536.
        n_words: usize,
    },
}

/// The binary digits of a measure, the first the most significant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Digits {
    /// Sixteen: whether any note begins at each step.
    Onsets,
    /// 16 × 72: whether each pitch sounds at each step, step by step, low to high.
    PianoRoll,
}

/// The axes of a network's kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kernels {
    /// Steps × pitches: four measures are one row of 64 steps.
    #[serde(rename = "2d")]
    TwoD,
    /// Measures × steps × pitches: the measure axis is kept.
    #[serde(rename = "3d")]
    ThreeD,
}

/// How a generator makes drums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Drumming {
    /// From noise, [`Kernels::TwoD`]; its output is 64 steps × 72 pitches.
    #[serde(rename = "2d")]
    TwoD,
    /// From noise, [`Kernels::ThreeD`].
    #[serde(rename = "3d")]
    ThreeD,
    /// From its own past drums, hit by hit.
    #[serde(rename = "autoregressive")]
    Autoregressive,
}

impl Drumming {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TwoD, Self::ThreeD, Self::Autoregressive];

    /// The family name in a weights file.
    pub fn family(self) -> &'static str {
        match self {
            Self::TwoD | Self::ThreeD => "conditional-gan",
            Self::Autoregressive => "autoregressive",
        }
    }
}

/// Everything that determines a generator's shape. Part of every weights file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Architecture {
    /// How the generator hears the bass.
    pub bass: BassEmbedding,
    /// How it makes drums.
    pub generator: Drumming,
    /// Whether it also hears how loud and how late the bass is, the meter, and whether a fill is asked for; only with
    /// [`Drumming::Autoregressive`]. Without, it hears only place and tempo.
    #[serde(default)]
    pub controls: bool,
    /// Number of styles that it can be asked for, 0 to 64; only with `controls`.
    #[serde(default)]
    pub n_styles: usize,
    /// The version of the representation, whose voices it hears and plays; the newest. Of a weights file the header's entry
    /// `representation` decides.
    #[serde(default, rename = "representation")]
    pub voices: VoiceSet,
}

/// Why an architecture cannot be built.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{key} = {got} is not possible: {allowed}")]
pub struct ArchitectureError {
    /// The setting.
    pub key: &'static str,
    /// Its value.
    pub got: String,
    /// What it may be.
    pub allowed: &'static str,
}

impl Architecture {
    /// Checks that a network can be built.
    ///
    /// # Errors
    /// [`ArchitectureError`] names the setting and what it may be.
    pub fn check(&self) -> Result<(), ArchitectureError> {
        let demand = |holds: bool, key, got: usize, allowed| {
            if holds {
                return Ok(());
            }
            let got = got.to_string();
            Err(ArchitectureError { key, got, allowed })
        };
        let is_table = |n: usize| (2..=65_536).contains(&n);
        match self.bass {
            BassEmbedding::Bucket { n_buckets, .. } => {
                demand(
                    is_table(n_buckets),
                    "n-buckets",
                    n_buckets,
                    "it may be 2 to 65536",
                )?;
            }
            BassEmbedding::Vocabulary { n_words } => {
                demand(
                    is_table(n_words),
                    "n-words",
                    n_words,
                    "it may be 2 to 65536",
                )?;
            }
            BassEmbedding::Transformer { n_blocks, n_heads } => {
                demand(
                    (1..=8).contains(&n_blocks),
                    "n-blocks",
                    n_blocks,
                    "it may be 1 to 8",
                )?;
                demand(
                    n_heads > 0 && super::STEP_CHANNELS.is_multiple_of(n_heads),
                    "n-heads",
                    n_heads,
                    "it must divide the 32 channels of a step",
                )?;
            }
            BassEmbedding::Convolution => {}
        }
        let n_styles = self.n_styles;
        demand(n_styles <= 64, "n-styles", n_styles, "it may be 0 to 64")?;
        demand(
            n_styles == 0 || self.controls,
            "n-styles",
            n_styles,
            "styles need controls = true",
        )?;
        if self.controls && self.generator != Drumming::Autoregressive {
            return Err(ArchitectureError {
                key: "controls",
                got: "true".to_owned(),
                allowed: "controls need generator = \"autoregressive\"",
            });
        }
        let is_2d = self.generator == Drumming::TwoD;
        if is_2d && self.bass != BassEmbedding::Convolution {
            return Err(ArchitectureError {
                key: "generator",
                got: "\"2d\"".to_owned(),
                allowed: "it needs a bass of kind \"convolution\"",
            });
        }
        Ok(())
    }
}
