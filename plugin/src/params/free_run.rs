//! Playing without a host's time.

use nice_plug::prelude::*;

/// Without a host's time.
#[derive(Debug, Params)]
pub struct FreeRunParams {
    /// Whether the drummer plays while the transport is stopped.
    #[id = "free_run"]
    pub is_on: BoolParam,
    /// Tempo of free run.
    #[id = "free_bpm"]
    pub tempo: FloatParam,
    /// Quarter notes a measure in free run.
    #[id = "free_meter"]
    pub meter: IntParam,
}

impl Default for FreeRunParams {
    fn default() -> Self {
        Self {
            is_on: BoolParam::new("Free run", false),
            tempo: FloatParam::new(
                "Free-run tempo",
                120.0,
                FloatRange::Linear {
                    min: 20.0,
                    max: 400.0,
                },
            )
            .with_unit(" BPM"),
            meter: IntParam::new("Free-run meter", 4, IntRange::Linear { min: 2, max: 7 }),
        }
    }
}
