//! Playing without a host's transport.

use nice_plug::prelude::*;

use super::choices::{FollowChoice, StartChoice};

/// Playing without a host's transport.
#[derive(Debug, Params)]
pub struct FreeRunParams {
    /// Whether the drummer plays while the transport is stopped.
    #[id = "free_run"]
    pub is_on: BoolParam,
    /// Tempo of free run, in BPM.
    #[id = "free_bpm"]
    pub tempo: FloatParam,
    /// Quarter notes per measure in free run.
    #[id = "free_meter"]
    pub meter: IntParam,
    /// What starts it.
    #[id = "free_start"]
    pub start: EnumParam<StartChoice>,
    /// Tap tempo: each press is a beat.
    #[id = "tap"]
    pub tap: BoolParam,
    /// Whether the tempo follows the bassist.
    #[id = "free_follow"]
    pub tempo_follow: EnumParam<FollowChoice>,
}

impl Default for FreeRunParams {
    fn default() -> Self {
        Self {
            is_on: BoolParam::new("Free run", true),
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
            start: EnumParam::new("Free-run start", StartChoice::FirstNote),
            // Only a person taps; automation can set the tempo itself. Fills and new ideas stay automatable.
            tap: BoolParam::new("Tap", false).non_automatable(),
            tempo_follow: EnumParam::new("Tempo follow", FollowChoice::Off),
        }
    }
}
