//! What is learnt from, and what of it is kept from the learner.

use serde::{Deserialize, Serialize};

/// Which bass answers which drums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Drums at t+1 for the bass up to t: what is asked when it is played.
    Next,
    /// Drums at t for the bass up to t; played, they answer one measure late.
    Same,
}

/// Which measures are learnt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meters {
    /// Those of sixteen steps.
    Common,
    /// Those of sixteen steps and shorter ones: 2/4, 3/4, 6/8, 7/8.
    All,
}

/// What is learnt from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Data {
    /// `next`.
    pub target: Target,
    /// `common`.
    pub meters: Meters,
    /// Share of the excerpts with a measure before which no bass was heard that are kept, in `[0, 1]`; 0.02.
    pub silent: f64,
    /// Most semitones that the bass is moved by, up or down, 0 to 12; 6.
    pub transpose: i32,
    /// Excerpts of drummers without a bass that each step adds for velocity and offset, 0 to 64; 4.
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

/// How much of people's earlier drums is kept from a generator that hears its own when it plays. With all of them it
/// learns to copy and not to listen. The rest of the excerpts is remembered whole, but for slips.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Forgetting {
    /// Share of excerpts that remember nothing, in `[0, 1]`; 0.35.
    pub all: f64,
    /// Share of excerpts that remember each measure or not, as a coin falls, in `[0, 1]`; 0.35.
    pub gaps: f64,
    /// Share of remembered cells in which a hit is silence and silence a hit, in `[0, 1]`; 0.01.
    pub slips: f64,
    /// Share of excerpts that hear no bass, so that its part can be told from the rest, in `[0, 1]`; 0.
    pub bass: f64,
    /// Share of the styles, and of the fills, that the drummer is not told of, in `[0, 1]`; 0.5.
    pub given: f64,
}

impl Default for Forgetting {
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
