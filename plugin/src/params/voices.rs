//! Mute and solo for each voice, and pins for each cell.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use lockstep_core::representation::{N_VOICES, Voice};
use lockstep_engine::realtime::Pins;
use nice_plug::params::persist::PersistentField;
use nice_plug::prelude::*;
use serde::{Deserialize, Serialize};

use super::per_voice::PerVoice;

/// Mute and solo of one voice.
#[derive(Debug, Params)]
pub struct VoiceSwitches {
    /// Silences the voice.
    #[id = "mute"]
    pub mute: BoolParam,
    /// Only soloed voices sound.
    #[id = "solo"]
    pub solo: BoolParam,
}

impl VoiceSwitches {
    fn new(voice: Voice) -> Self {
        let name = |what| format!("{} {what}", voice.name());
        Self {
            mute: BoolParam::new(name("mute"), false),
            solo: BoolParam::new(name("solo"), false),
        }
    }
}

/// Mute and solo of every voice.
#[derive(Debug, Params)]
pub struct VoiceParams {
    #[nested]
    switches: PerVoice<VoiceSwitches>,
}

impl Default for VoiceParams {
    fn default() -> Self {
        Self {
            switches: PerVoice::new(VoiceSwitches::new),
        }
    }
}

impl VoiceParams {
    /// The switches of a voice.
    pub fn of(&self, voice: Voice) -> &VoiceSwitches {
        self.switches.of(voice)
    }

    /// Voices that are silenced, one bit each in the order of [`Voice::ALL`]: those muted and, if any is soloed, all that are
    /// not.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn muted(&self) -> u16 {
        let bits = |is_set: fn(&VoiceSwitches) -> bool| {
            let set = Voice::ALL
                .into_iter()
                .filter(|voice| is_set(self.of(*voice)));
            set.fold(0_u16, |bits, voice| bits | 1 << voice.index())
        };
        let soloed = bits(|switches| switches.solo.value());
        bits(|switches| switches.mute.value()) | if soloed == 0 { 0 } else { !soloed }
    }
}

/// [`Pins`] that the editor writes, the audio thread reads and the project saves.
///
/// The audio thread sees an edit of one cell whole; an edit of several may arrive in parts.
#[derive(Default)]
pub struct StoredPins {
    pinned: [AtomicU32; N_VOICES],
    forbidden: [AtomicU32; N_VOICES],
}

impl StoredPins {
    /// The current pins.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn load(&self) -> Pins {
        let bits = |cells: &[AtomicU32; N_VOICES]| {
            cells.each_ref().map(|bits| bits.load(Ordering::Relaxed))
        };
        Pins::from_bits(bits(&self.pinned), bits(&self.forbidden))
    }

    /// Replaces the pins.
    pub fn store(&self, pins: Pins) {
        for (cells, bits) in [&self.pinned, &self.forbidden].into_iter().zip(pins.bits()) {
            for (cell, bits) in cells.iter().zip(bits) {
                cell.store(bits, Ordering::Relaxed);
            }
        }
    }
}

impl fmt::Debug for StoredPins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load().fmt(f)
    }
}

/// Pins as a project saves them: pinned and forbidden, each with a number for every voice and in it a bit for every step.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SavedPins {
    /// In the order of [`Voice::ALL`].
    Today([[u32; N_VOICES]; 2]),
    /// In the order of [`Voice::VERSION_1`], as version 0.1 saved them.
    Version1([[u32; Voice::VERSION_1.len()]; 2]),
}

impl From<Pins> for SavedPins {
    fn from(pins: Pins) -> Self {
        Self::Today(pins.bits())
    }
}

impl From<&SavedPins> for Pins {
    fn from(saved: &SavedPins) -> Self {
        let [pinned, forbidden] = match saved {
            SavedPins::Today(bits) => *bits,
            SavedPins::Version1(bits) => bits.map(|bits| {
                let mut all = [0; N_VOICES];
                for (voice, bits) in Voice::VERSION_1.into_iter().zip(bits) {
                    all[voice.index()] = bits;
                }
                all
            }),
        };
        Self::from_bits(pinned, forbidden)
    }
}

impl PersistentField<'_, SavedPins> for StoredPins {
    fn set(&self, saved: SavedPins) {
        self.store(Pins::from(&saved));
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&SavedPins) -> R,
    {
        f(&self.load().into())
    }
}

#[cfg(test)]
mod tests {
    use lockstep_engine::realtime::Pin;

    use super::*;
    use crate::params::LockstepParams;

    #[test]
    fn a_project_keeps_the_pins() {
        let (kept, loaded) = (LockstepParams::default(), LockstepParams::default());
        let mut pins = Pins::default();
        pins.set(3, Voice::Snare, Pin::Pinned);
        pins.set(31, Voice::Ride, Pin::Forbidden);
        kept.pins.store(pins);
        loaded.deserialize_fields(&kept.serialize_fields());
        assert_eq!(loaded.pins.load(), pins);
        assert_eq!(loaded.controls().pins, pins);
    }

    #[test]
    fn pins_of_nine_voices_stay_on_their_voices() {
        let params = LockstepParams::default();
        let saved = "[[1,2,4,8,16,32,64,128,256],[0,0,0,0,0,0,0,0,3]]";
        params.deserialize_fields(&[("pins".to_owned(), saved.to_owned())].into());
        let pins = params.pins.load();
        for (step_idx, voice) in Voice::VERSION_1.into_iter().enumerate() {
            assert_eq!(pins.at(step_idx, voice), Pin::Pinned, "{voice:?}");
        }
        assert_eq!(pins.at(0, Voice::Ride), Pin::Forbidden);
        assert_eq!(pins.at(1, Voice::SideStick), Pin::Free);
        let again = LockstepParams::default();
        again.deserialize_fields(&params.serialize_fields());
        assert_eq!(again.pins.load(), pins);
    }

    #[test]
    fn nothing_is_muted_at_first() {
        assert_eq!(VoiceParams::default().muted(), 0);
    }
}
