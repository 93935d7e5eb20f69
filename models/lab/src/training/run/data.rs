//! The training data, and what the generator is made to forget of it.

use serde::{Deserialize, Serialize};

/// Which drums answer the bass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Drums at t+1 for the bass up to t, as in playing.
    Next,
    /// Drums at t for the bass up to t; in playing, they are one measure late.
    Same,
}

/// Which measures are trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meters {
    /// Those of sixteen steps.
    Common,
    /// Those of sixteen steps and shorter ones: 2/4, 3/4, 6/8, 7/8.
    All,
}

/// The training data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Data {
    /// Which drums answer the bass; `next`.
    pub target: Target,
    /// Which measures are trained on; `common`.
    pub meters: Meters,
    /// Share that is kept of the excerpts in which some measure has no bass before it, in `[0, 1]`; 0.02.
    pub silent: f64,
    /// Most semitones that the bass is transposed, up or down, 0 to 12; 6.
    pub transpose: i32,
    /// Excerpts per step of drummers without a bass, which teach velocity and offset, 0 to 64; 4.
    pub drums_only: usize,
    /// Whether only songs of the openly licensed tier are used; `false`.
    pub open_only: bool,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            target: Target::Next,
            meters: Meters::Common,
            silent: 0.02,
            transpose: 6,
            drums_only: 4,
            open_only: false,
        }
    }
}

/// How much of people's earlier drums is hidden from a generator that hears its own in playing. If it heard all of them it
/// would learn to copy rather than to listen. The remaining excerpts are remembered completely, except for slips.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct HistoryDropout {
    /// Share of excerpts that remember nothing, in `[0, 1]`; 0.35.
    pub all: f64,
    /// Share of excerpts that forget each measure with probability ½, in `[0, 1]`; 0.35.
    pub gaps: f64,
    /// Share of remembered cells that are flipped, from hit to no hit and back, in `[0, 1]`; 0.01.
    pub slips: f64,
    /// Share of excerpts that hear no bass, which guidance on the bass needs, in `[0, 1]`; 0.
    pub bass: f64,
    /// Share of the styles, and of the fills, that the drummer is not told, in `[0, 1]`; 0.5.
    pub given: f64,
}

impl Default for HistoryDropout {
    fn default() -> Self {
        Self {
            all: 0.35,
            gaps: 0.35,
            slips: 0.01,
            bass: 0.0,
            given: 0.5,
        }
    }
}
