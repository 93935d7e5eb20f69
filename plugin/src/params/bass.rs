//! Which of the incoming MIDI is the bass, and how it is read.

use std::sync::Arc;

use lockstep_engine::realtime::InputSettings;
use nice_plug::prelude::*;

use super::choices::{key_name, key_number};

/// Highest possible first control key: all four must fit below key 128.
const MAX_CONTROL_KEY: i32 = 124;

/// How the bass is heard.
#[derive(Debug, Params)]
pub struct BassParams {
    /// MIDI channel of the bass, 1 to 16; 0 takes all.
    #[id = "bass_ch"]
    pub channel: IntParam,
    /// Lowest key that counts as bass.
    #[id = "bass_low"]
    pub lowest: IntParam,
    /// Highest key that counts as bass.
    #[id = "bass_high"]
    pub highest: IntParam,
    /// Velocity curve.
    #[id = "touch"]
    pub touch: FloatParam,
    /// Range of a full pitch bend, in semitones.
    #[id = "bend"]
    pub bend_range: FloatParam,
    /// How late the bassist's notes arrive, in milliseconds; each counts as played that much earlier.
    #[id = "late"]
    pub late_hands: FloatParam,
    /// The first of four keys: fill now, new idea, tap, save take; -1 is off.
    #[id = "ctl_key"]
    pub control_key: IntParam,
    /// Whether the bass is passed on to the MIDI output.
    #[id = "thru"]
    pub thru: BoolParam,
}

impl Default for BassParams {
    fn default() -> Self {
        let key = |name, default| {
            let keys = IntRange::Linear { min: 0, max: 127 };
            IntParam::new(name, default, keys)
                .with_value_to_string(Arc::new(key_name))
                .with_string_to_value(Arc::new(key_number))
        };
        Self {
            channel: named("Bass channel", 0, 16, 0, "All"),
            lowest: key("Lowest bass key", 0),
            highest: key("Highest bass key", 127),
            touch: FloatParam::new(
                "Touch",
                0.0,
                FloatRange::Linear {
                    min: -1.0,
                    max: 1.0,
                },
            )
            .with_unit(" %")
            .with_value_to_string(formatters::v2s_f32_percentage(0))
            .with_string_to_value(formatters::s2v_f32_percentage()),
            bend_range: FloatParam::new(
                "Bend range",
                2.0,
                FloatRange::Linear {
                    min: 0.0,
                    max: 48.0,
                },
            )
            .with_step_size(1.0)
            .with_unit(" semitones"),
            late_hands: FloatParam::new(
                "Late hands",
                0.0,
                FloatRange::Linear {
                    min: 0.0,
                    max: 100.0,
                },
            )
            .with_step_size(1.0)
            .with_unit(" ms"),
            // Set once per keyboard; and one of the keys writes files, which automation must never do.
            control_key: named("Control keys", -1, MAX_CONTROL_KEY, -1, "Off").non_automatable(),
            thru: BoolParam::new("MIDI thru", false),
        }
    }
}

/// An integer parameter whose lowest value has a name; if `min` is below 0, the others are keys.
fn named(name: &str, min: i32, max: i32, default: i32, lowest: &'static str) -> IntParam {
    IntParam::new(name, default, IntRange::Linear { min, max })
        .with_value_to_string(Arc::new(move |value| match value {
            value if value == min => lowest.to_owned(),
            value if min < 0 => key_name(value),
            value => value.to_string(),
        }))
        .with_string_to_value(Arc::new(move |text| {
            let is_lowest = text.trim().eq_ignore_ascii_case(lowest);
            if is_lowest {
                Some(min)
            } else {
                key_number(text)
            }
        }))
}

impl BassParams {
    /// The settings as the audio thread reads them.
    pub(super) fn settings(&self) -> InputSettings {
        let number = |param: &IntParam| u8::try_from(param.value());
        InputSettings {
            channel: u8::try_from(self.channel.value() - 1).ok(),
            lowest_key: number(&self.lowest).unwrap_or(0),
            highest_key: number(&self.highest).unwrap_or(127),
            touch: self.touch.value(),
            bend_range: self.bend_range.value(),
            control_key: number(&self.control_key).ok(),
        }
    }
}
