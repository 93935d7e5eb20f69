//! Which MIDI note each voice is played on.

use lockstep_core::representation::{N_VOICES, Voice};

/// General MIDI's drum channel, 10, counted from 0.
const DRUM_CHANNEL: u8 = 9;

/// The MIDI note of a voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrumKey {
    /// MIDI key, 0 to 127.
    pub note: u8,
    /// MIDI channel, counted from 0.
    pub channel: u8,
}

/// The MIDI notes of all voices.
///
/// ```
/// use lockstep_core::representation::Voice;
/// use lockstep_engine::realtime::DrumMap;
///
/// let key = DrumMap::GENERAL_MIDI.key(Voice::Snare);
/// assert_eq!((key.note, key.channel), (38, 9));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrumMap {
    keys: [DrumKey; N_VOICES],
    /// Whether a closed or pedal hat ends the note of an open one.
    pub chokes: bool,
}

impl Default for DrumMap {
    /// General MIDI.
    fn default() -> Self {
        Self::GENERAL_MIDI
    }
}

impl DrumMap {
    /// General MIDI's notes on channel 10; a closed or pedal hat ends an open one.
    pub const GENERAL_MIDI: Self = {
        let mut notes = [0; N_VOICES];
        let mut i = 0;
        while i < N_VOICES {
            #[expect(
                clippy::indexing_slicing,
                reason = "in range, and checked at compile time"
            )]
            {
                notes[i] = Voice::ALL[i].gm_note();
            }
            i += 1;
        }
        Self::of_notes(notes)
    };

    /// These notes, in the order of [`Voice::ALL`], on channel 10; a closed or pedal hat ends an open one.
    pub const fn of_notes(notes: [u8; N_VOICES]) -> Self {
        let mut keys = [DrumKey {
            note: 0,
            channel: DRUM_CHANNEL,
        }; N_VOICES];
        let mut i = 0;
        while i < N_VOICES {
            #[expect(clippy::indexing_slicing, reason = "in range")]
            {
                keys[i].note = notes[i];
            }
            i += 1;
        }
        Self { keys, chokes: true }
    }

    /// These keys, in the order of [`Voice::ALL`].
    pub const fn new(keys: [DrumKey; N_VOICES], chokes: bool) -> Self {
        Self { keys, chokes }
    }

    /// The MIDI note that a voice is played on.
    pub fn key(&self, voice: Voice) -> DrumKey {
        let key = self.keys.get(voice.index()).copied();
        key.unwrap_or(DrumKey {
            note: voice.gm_note(),
            channel: DRUM_CHANNEL,
        })
    }
}
