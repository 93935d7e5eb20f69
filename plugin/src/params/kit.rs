//! The built-in kit: which one, how loud, and the settings of each voice.

use std::sync::Arc;

use lockstep_core::representation::Voice;
use lockstep_engine::synth::{KitChoice, KitSettings, SILENT_DB, VoiceSettings};
use nice_plug::prelude::*;

use super::per_voice::PerVoice;

/// [`KitChoice`] as a host shows it.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum KitName {
    /// Recorded, played with sticks.
    #[id = "acoustic"]
    #[name = "Acoustic"]
    Acoustic,
    /// Recorded, played with brushes.
    #[id = "brushes"]
    #[name = "Brushes"]
    Brushes,
    /// Synthesised.
    #[id = "electronic"]
    #[name = "Electronic"]
    Electronic,
    /// No sound.
    #[id = "off"]
    #[name = "Off"]
    Off,
}

impl From<KitName> for KitChoice {
    fn from(name: KitName) -> Self {
        match name {
            KitName::Acoustic => Self::Acoustic,
            KitName::Brushes => Self::Brushes,
            KitName::Electronic => Self::Electronic,
            KitName::Off => Self::Off,
        }
    }
}

/// The built-in kit. Tune and decay apply from the next hit on; level and pan glide.
#[derive(Debug, Params)]
pub struct KitParams {
    /// Which kit.
    #[id = "kit"]
    pub choice: EnumParam<KitName>,
    /// Level of the built-in kit.
    #[id = "kit_level"]
    pub level: FloatParam,
    /// Each voice's knobs.
    #[nested]
    voices: PerVoice<VoiceKnobs>,
}

/// The knobs of one voice.
#[derive(Debug, Params)]
struct VoiceKnobs {
    /// Loudness.
    #[id = "level"]
    level: FloatParam,
    /// Place from left to right.
    #[id = "pan"]
    pan: FloatParam,
    /// Pitch.
    #[id = "tune"]
    tune: FloatParam,
    /// Length.
    #[id = "decay"]
    decay: FloatParam,
}

impl VoiceKnobs {
    fn new(voice: Voice) -> Self {
        let name = voice.name();
        Self {
            level: level(name),
            pan: pan(name),
            tune: tune(name),
            decay: decay(name),
        }
    }
}

impl Default for KitParams {
    fn default() -> Self {
        Self {
            choice: EnumParam::new("Kit", KitName::Acoustic),
            level: FloatParam::new("Kit level", 0.8, FloatRange::Linear { min: 0.0, max: 1.0 }),
            voices: PerVoice::new(VoiceKnobs::new),
        }
    }
}

fn level(voice: &str) -> FloatParam {
    let range = FloatRange::Linear {
        min: SILENT_DB,
        max: 12.0,
    };
    FloatParam::new(format!("{voice} level"), 0.0, range)
        .with_step_size(0.1)
        .with_unit(" dB")
        .with_value_to_string(Arc::new(|level_db| {
            if level_db <= SILENT_DB {
                "-inf".to_owned()
            } else {
                // Adding 0 turns -0 into 0.
                format!("{:.1}", level_db + 0.0)
            }
        }))
        .with_string_to_value(Arc::new(|text| {
            let text = text.trim().trim_end_matches(['d', 'D', 'b', 'B']).trim();
            let level_db: f32 = text.parse().ok()?;
            Some(level_db.max(SILENT_DB))
        }))
}

fn pan(voice: &str) -> FloatParam {
    let range = FloatRange::Linear {
        min: -100.0,
        max: 100.0,
    };
    FloatParam::new(format!("{voice} pan"), 0.0, range)
        .with_step_size(1.0)
        .with_value_to_string(Arc::new(|pan| match pan {
            pan if pan < -0.5 => format!("{:.0} L", -pan),
            pan if pan > 0.5 => format!("{pan:.0} R"),
            _ => "C".to_owned(),
        }))
        .with_string_to_value(Arc::new(|text| {
            let text = text.trim().to_uppercase();
            if text == "C" {
                return Some(0.0);
            }
            let sign = if text.ends_with('L') { -1.0 } else { 1.0 };
            let number = text.trim_end_matches(['L', 'R']).trim();
            number.parse::<f32>().ok().map(|pan| sign * pan)
        }))
}

fn tune(voice: &str) -> FloatParam {
    let range = FloatRange::Linear {
        min: -12.0,
        max: 12.0,
    };
    FloatParam::new(format!("{voice} tune"), 0.0, range)
        .with_step_size(0.1)
        .with_unit(" semitones")
        .with_value_to_string(Arc::new(|tune| format!("{:.1}", tune + 0.0)))
}

fn decay(voice: &str) -> FloatParam {
    let range = FloatRange::Linear {
        min: 10.0,
        max: 100.0,
    };
    FloatParam::new(format!("{voice} decay"), 100.0, range)
        .with_step_size(1.0)
        .with_unit(" %")
}

impl KitParams {
    /// Level, pan, tune and decay of a voice.
    pub fn knobs(&self, voice: Voice) -> [&FloatParam; 4] {
        let VoiceKnobs {
            level,
            pan,
            tune,
            decay,
        } = self.voices.of(voice);
        [level, pan, tune, decay]
    }

    /// The kit's current settings.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn settings(&self) -> KitSettings {
        KitSettings {
            choice: self.choice.value().into(),
            gain: self.level.value(),
            voices: Voice::ALL.map(|voice| {
                let [level, pan, tune, decay] = self.knobs(voice).map(FloatParam::value);
                VoiceSettings {
                    level_db: level,
                    pan: pan / 100.0,
                    tune_semitones: tune,
                    decay: decay / 100.0,
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_choice_has_the_id_of_its_kit() {
        let ids = KitName::ids().unwrap_or_default();
        let kits = KitChoice::ALL.map(KitChoice::id);
        assert_eq!(ids, kits);
        for (place, kit) in KitChoice::ALL.into_iter().enumerate() {
            assert_eq!(KitChoice::from(KitName::from_index(place)), kit);
        }
    }

    #[test]
    fn a_level_and_a_pan_are_read_as_a_musician_writes_them() {
        let (level, pan) = (level("Kick"), pan("Kick"));
        for (text, want) in [
            ("-inf dB", -60.0),
            ("-80", -60.0),
            ("+3", 3.0),
            ("-4.5 dB", -4.5),
        ] {
            let got = level.string_to_normalized_value(text);
            let got = got.map(|value| level.preview_plain(value));
            assert!(
                got.is_some_and(|got| (got - want).abs() < 1e-4),
                "{text}: {got:?}"
            );
        }
        for (text, want) in [("30 L", -30.0), ("30r", 30.0), ("c", 0.0), ("-12", -12.0)] {
            let got = pan.string_to_normalized_value(text);
            let got = got.map(|value| pan.preview_plain(value));
            assert!(
                got.is_some_and(|got| (got - want).abs() < 1e-4),
                "{text}: {got:?}"
            );
        }
    }

    #[test]
    fn untouched_parameters_leave_the_kit_as_it_is() {
        let settings = KitParams::default().settings();
        let neutral = KitSettings::default();
        assert_eq!(settings.voices, neutral.voices);
        assert_eq!(settings.choice, KitChoice::Acoustic);
        assert!((settings.gain - 0.8).abs() < 1e-6);
    }
}
