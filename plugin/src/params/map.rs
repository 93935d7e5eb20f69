//! Which notes the drums are sent on.

use std::path::PathBuf;
use std::sync::Arc;

use lockstep_core::representation::{N_VOICES, Voice};
use lockstep_engine::realtime::{DrumKey, DrumMap};
use nice_plug::prelude::*;

use super::choices::{key_name, key_number};
use super::per_voice::PerVoice;
use crate::drum_maps::{self, PRESETS};

/// Path of the user's own drum map: `lockstep/drum-map.txt` in the user's data folder; `None` if the system has no such
/// folder.
pub fn own_map() -> Option<PathBuf> {
    Some(dirs::data_dir()?.join("lockstep").join("drum-map.txt"))
}

/// Which map is used.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum MapChoice {
    /// General MIDI.
    #[id = "gm"]
    #[name = "General MIDI"]
    GeneralMidi,
    /// Toontrack's.
    #[id = "superior"]
    #[name = "Superior, EZdrummer"]
    Superior,
    /// XLN's.
    #[id = "ad2"]
    #[name = "Addictive Drums 2"]
    AddictiveDrums,
    /// BFD's.
    #[id = "bfd"]
    #[name = "BFD"]
    Bfd,
    /// Steven Slate's.
    #[id = "ssd"]
    #[name = "Steven Slate"]
    StevenSlate,
    /// Ableton's racks from C1 (36) up.
    #[id = "ableton"]
    #[name = "Ableton drum rack"]
    Ableton,
    /// Roland's modules.
    #[id = "td"]
    #[name = "Roland TD"]
    RolandTd,
    /// The notes and channels of the parameters.
    #[id = "own"]
    #[name = "Own"]
    Own,
}

/// The choice of drum map, and the notes and channels of the user's own map.
#[derive(Debug, Params)]
pub struct MapParams {
    /// Which map.
    #[id = "map"]
    pub choice: EnumParam<MapChoice>,
    /// Whether a closed or pedal hat cuts off an open one, in the user's own map.
    #[id = "choke"]
    pub chokes: BoolParam,
    /// The note and channel of each voice in the user's own map.
    #[nested]
    keys: PerVoice<KeyParams>,
}

/// What one voice is sent on.
#[derive(Debug, Params)]
struct KeyParams {
    /// MIDI note.
    #[id = "note"]
    note: IntParam,
    /// MIDI channel, counted from 1.
    #[id = "channel"]
    channel: IntParam,
}

impl KeyParams {
    fn new(voice: Voice, key: DrumKey) -> Self {
        let parameter = |what: &str, value: u8, min, max| {
            let name = format!("{} {what}", voice.name());
            IntParam::new(name, i32::from(value), IntRange::Linear { min, max }).non_automatable()
        };
        Self {
            note: parameter("note", key.note, 0, 127)
                .with_value_to_string(Arc::new(key_name))
                .with_string_to_value(Arc::new(key_number)),
            channel: parameter("channel", key.channel + 1, 1, 16),
        }
    }
}

impl Default for MapParams {
    /// Chooses General MIDI; the user's own map starts as the file at [`own_map`], or as General MIDI if there is none.
    fn default() -> Self {
        let own = installed().unwrap_or_default();
        Self {
            choice: EnumParam::new("Drum map", MapChoice::GeneralMidi).non_automatable(),
            chokes: BoolParam::new("Closed hat ends open hat", own.chokes).non_automatable(),
            keys: PerVoice::new(|voice| KeyParams::new(voice, own.key(voice))),
        }
    }
}

/// The map that the user installed, if there is one. Logs why it cannot be read.
fn installed() -> Option<DrumMap> {
    let path = own_map().filter(|path| path.exists())?;
    let map = std::fs::read_to_string(&path)
        .map_err(|error| error.to_string())
        .and_then(|text| drum_maps::from_text(&text).map_err(|error| error.to_string()));
    map.inspect_err(|error| nice_error!("Lockstep cannot read {}: {error}", path.display()))
        .ok()
}

impl MapParams {
    /// The chosen map.
    pub(super) fn map(&self) -> DrumMap {
        let place = MapChoice::ALL
            .iter()
            .position(|each| *each == self.choice.value());
        match place.and_then(|place| PRESETS.get(place)) {
            Some(preset) => preset.map,
            None => DrumMap::new(self.own(), self.chokes.value()),
        }
    }

    fn own(&self) -> [DrumKey; N_VOICES] {
        Voice::ALL.map(|voice| {
            let KeyParams { note, channel } = self.keys.of(voice);
            DrumKey {
                note: u8::try_from(note.value()).unwrap_or(0),
                channel: u8::try_from(channel.value() - 1).unwrap_or(0),
            }
        })
    }
}

impl MapChoice {
    /// In the order of [`PRESETS`], then the user's own.
    const ALL: [Self; PRESETS.len() + 1] = [
        Self::GeneralMidi,
        Self::Superior,
        Self::AddictiveDrums,
        Self::Bfd,
        Self::StevenSlate,
        Self::Ableton,
        Self::RolandTd,
        Self::Own,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_choice_has_the_name_of_its_preset() {
        for (choice, preset) in MapChoice::ALL.iter().zip(PRESETS) {
            assert_eq!(MapChoice::variants()[choice.to_index()], preset.name);
        }
    }
}
