//! The built-in kit: which one, how loud, and the settings of each voice.

use std::sync::Arc;

use lockstep_core::representation::Voice;
use lockstep_engine::synth::{KitChoice, KitSettings, SILENT_DB, VoiceSettings};
use nice_plug::prelude::*;

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
    #[id = "kit_gain"]
    pub level: FloatParam,
    /// Level of kick.
    #[id = "lvl_kick"]
    pub kick_level: FloatParam,
    /// Pan of kick.
    #[id = "pan_kick"]
    pub kick_pan: FloatParam,
    /// Pitch of kick.
    #[id = "tune_kick"]
    pub kick_tune: FloatParam,
    /// Length of kick.
    #[id = "dec_kick"]
    pub kick_decay: FloatParam,
    /// Level of snare.
    #[id = "lvl_snare"]
    pub snare_level: FloatParam,
    /// Pan of snare.
    #[id = "pan_snare"]
    pub snare_pan: FloatParam,
    /// Pitch of snare.
    #[id = "tune_snare"]
    pub snare_tune: FloatParam,
    /// Length of snare.
    #[id = "dec_snare"]
    pub snare_decay: FloatParam,
    /// Level of closed hat.
    #[id = "lvl_chat"]
    pub chat_level: FloatParam,
    /// Pan of closed hat.
    #[id = "pan_chat"]
    pub chat_pan: FloatParam,
    /// Pitch of closed hat.
    #[id = "tune_chat"]
    pub chat_tune: FloatParam,
    /// Length of closed hat.
    #[id = "dec_chat"]
    pub chat_decay: FloatParam,
    /// Level of open hat.
    #[id = "lvl_ohat"]
    pub ohat_level: FloatParam,
    /// Pan of open hat.
    #[id = "pan_ohat"]
    pub ohat_pan: FloatParam,
    /// Pitch of open hat.
    #[id = "tune_ohat"]
    pub ohat_tune: FloatParam,
    /// Length of open hat.
    #[id = "dec_ohat"]
    pub ohat_decay: FloatParam,
    /// Level of low tom.
    #[id = "lvl_ltom"]
    pub ltom_level: FloatParam,
    /// Pan of low tom.
    #[id = "pan_ltom"]
    pub ltom_pan: FloatParam,
    /// Pitch of low tom.
    #[id = "tune_ltom"]
    pub ltom_tune: FloatParam,
    /// Length of low tom.
    #[id = "dec_ltom"]
    pub ltom_decay: FloatParam,
    /// Level of mid tom.
    #[id = "lvl_mtom"]
    pub mtom_level: FloatParam,
    /// Pan of mid tom.
    #[id = "pan_mtom"]
    pub mtom_pan: FloatParam,
    /// Pitch of mid tom.
    #[id = "tune_mtom"]
    pub mtom_tune: FloatParam,
    /// Length of mid tom.
    #[id = "dec_mtom"]
    pub mtom_decay: FloatParam,
    /// Level of high tom.
    #[id = "lvl_htom"]
    pub htom_level: FloatParam,
    /// Pan of high tom.
    #[id = "pan_htom"]
    pub htom_pan: FloatParam,
    /// Pitch of high tom.
    #[id = "tune_htom"]
    pub htom_tune: FloatParam,
    /// Length of high tom.
    #[id = "dec_htom"]
    pub htom_decay: FloatParam,
    /// Level of crash.
    #[id = "lvl_crash"]
    pub crash_level: FloatParam,
    /// Pan of crash.
    #[id = "pan_crash"]
    pub crash_pan: FloatParam,
    /// Pitch of crash.
    #[id = "tune_crash"]
    pub crash_tune: FloatParam,
    /// Length of crash.
    #[id = "dec_crash"]
    pub crash_decay: FloatParam,
    /// Level of ride.
    #[id = "lvl_ride"]
    pub ride_level: FloatParam,
    /// Pan of ride.
    #[id = "pan_ride"]
    pub ride_pan: FloatParam,
    /// Pitch of ride.
    #[id = "tune_ride"]
    pub ride_tune: FloatParam,
    /// Length of ride.
    #[id = "dec_ride"]
    pub ride_decay: FloatParam,
}

impl Default for KitParams {
    fn default() -> Self {
        Self {
            choice: EnumParam::new("Kit", KitName::Acoustic),
            level: FloatParam::new("Kit level", 0.8, FloatRange::Linear { min: 0.0, max: 1.0 }),
            kick_level: level("Kick"),
            kick_pan: pan("Kick"),
            kick_tune: tune("Kick"),
            kick_decay: decay("Kick"),
            snare_level: level("Snare"),
            snare_pan: pan("Snare"),
            snare_tune: tune("Snare"),
            snare_decay: decay("Snare"),
            chat_level: level("Closed hat"),
            chat_pan: pan("Closed hat"),
            chat_tune: tune("Closed hat"),
            chat_decay: decay("Closed hat"),
            ohat_level: level("Open hat"),
            ohat_pan: pan("Open hat"),
            ohat_tune: tune("Open hat"),
            ohat_decay: decay("Open hat"),
            ltom_level: level("Low tom"),
            ltom_pan: pan("Low tom"),
            ltom_tune: tune("Low tom"),
            ltom_decay: decay("Low tom"),
            mtom_level: level("Mid tom"),
            mtom_pan: pan("Mid tom"),
            mtom_tune: tune("Mid tom"),
            mtom_decay: decay("Mid tom"),
            htom_level: level("High tom"),
            htom_pan: pan("High tom"),
            htom_tune: tune("High tom"),
            htom_decay: decay("High tom"),
            crash_level: level("Crash"),
            crash_pan: pan("Crash"),
            crash_tune: tune("Crash"),
            crash_decay: decay("Crash"),
            ride_level: level("Ride"),
            ride_pan: pan("Ride"),
            ride_tune: tune("Ride"),
            ride_decay: decay("Ride"),
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
        match voice {
            Voice::Kick => [
                &self.kick_level,
                &self.kick_pan,
                &self.kick_tune,
                &self.kick_decay,
            ],
            Voice::Snare => [
                &self.snare_level,
                &self.snare_pan,
                &self.snare_tune,
                &self.snare_decay,
            ],
            Voice::ClosedHat => [
                &self.chat_level,
                &self.chat_pan,
                &self.chat_tune,
                &self.chat_decay,
            ],
            Voice::OpenHat => [
                &self.ohat_level,
                &self.ohat_pan,
                &self.ohat_tune,
                &self.ohat_decay,
            ],
            Voice::LowTom => [
                &self.ltom_level,
                &self.ltom_pan,
                &self.ltom_tune,
                &self.ltom_decay,
            ],
            Voice::MidTom => [
                &self.mtom_level,
                &self.mtom_pan,
                &self.mtom_tune,
                &self.mtom_decay,
            ],
            Voice::HighTom => [
                &self.htom_level,
                &self.htom_pan,
                &self.htom_tune,
                &self.htom_decay,
            ],
            Voice::Crash => [
                &self.crash_level,
                &self.crash_pan,
                &self.crash_tune,
                &self.crash_decay,
            ],
            Voice::Ride => [
                &self.ride_level,
                &self.ride_pan,
                &self.ride_tune,
                &self.ride_decay,
            ],
        }
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
