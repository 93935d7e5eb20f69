//! The musician's settings: which kit, and how each voice is set. `Copy`; read once per block.

use lockstep_core::representation::N_VOICES;

/// The built-in kits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KitChoice {
    /// A recorded kit, played with sticks.
    #[default]
    Acoustic,
    /// A recorded kit, played with brushes.
    Brushes,
    /// A synthesised drum machine.
    Electronic,
    /// No sound.
    Off,
}

impl KitChoice {
    /// All of them, in the order of the parameter.
    pub const ALL: [Self; 4] = [Self::Acoustic, Self::Brushes, Self::Electronic, Self::Off];

    /// The frozen name of the kit in saved projects.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Acoustic => "acoustic",
            Self::Brushes => "brushes",
            Self::Electronic => "electronic",
            Self::Off => "off",
        }
    }
}

/// Settings of one voice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VoiceSettings {
    /// Level in dB, at most 12; at -60 and below the voice is silent.
    pub level_db: f32,
    /// Balance from -1 (left) to 1 (right), on top of the voice's pan in the kit.
    pub pan: f32,
    /// Semitones, in `[-12, 12]`; for new hits.
    pub tune_semitones: f32,
    /// How long hits ring, in `[0.1, 1]` of their own length; for new hits.
    pub decay: f32,
}

impl Default for VoiceSettings {
    fn default() -> Self {
        Self {
            level_db: 0.0,
            pan: 0.0,
            tune_semitones: 0.0,
            decay: 1.0,
        }
    }
}

/// At and below this level, in dB, a voice is silent.
pub const SILENT_DB: f32 = -60.0;

impl VoiceSettings {
    /// Gains of the left and the right side.
    pub(super) fn gains(&self) -> [f32; 2] {
        let level = if self.level_db > SILENT_DB {
            10_f32.powf(self.level_db.min(12.0) / 20.0)
        } else {
            0.0
        };
        let pan = self.pan.clamp(-1.0, 1.0);
        [level * (1.0 - pan).min(1.0), level * (1.0 + pan).min(1.0)]
    }
}

/// Settings of the whole kit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KitSettings {
    /// Which kit.
    pub choice: KitChoice,
    /// Gain of everything, in `[0, 1]`.
    pub gain: f32,
    /// Each voice, in the order of `Voice::ALL`.
    pub voices: [VoiceSettings; N_VOICES],
}

impl Default for KitSettings {
    /// The acoustic kit at full level, unchanged.
    fn default() -> Self {
        Self {
            choice: KitChoice::default(),
            gain: 1.0,
            voices: [VoiceSettings::default(); N_VOICES],
        }
    }
}

impl From<KitChoice> for KitSettings {
    /// A kit at full level, unchanged.
    fn from(choice: KitChoice) -> Self {
        Self {
            choice,
            ..Self::default()
        }
    }
}
