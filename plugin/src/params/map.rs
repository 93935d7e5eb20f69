//! Which notes the drums are sent on.

use std::path::PathBuf;
use std::sync::Arc;

use lockstep_core::representation::N_VOICES;
use lockstep_engine::realtime::{DrumKey, DrumMap};
use nice_plug::prelude::*;

use super::choices::{key_name, key_number};
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
    /// Whether a closed hat cuts off an open one, in the user's own map.
    #[id = "choke"]
    pub chokes: BoolParam,
    /// Note of kick, in the user's own map.
    #[id = "note_kick"]
    pub kick_note: IntParam,
    /// Channel of kick, in the user's own map.
    #[id = "chan_kick"]
    pub kick_channel: IntParam,
    /// Note of snare, in the user's own map.
    #[id = "note_snare"]
    pub snare_note: IntParam,
    /// Channel of snare, in the user's own map.
    #[id = "chan_snare"]
    pub snare_channel: IntParam,
    /// Note of closed hat, in the user's own map.
    #[id = "note_chat"]
    pub chat_note: IntParam,
    /// Channel of closed hat, in the user's own map.
    #[id = "chan_chat"]
    pub chat_channel: IntParam,
    /// Note of open hat, in the user's own map.
    #[id = "note_ohat"]
    pub ohat_note: IntParam,
    /// Channel of open hat, in the user's own map.
    #[id = "chan_ohat"]
    pub ohat_channel: IntParam,
    /// Note of low tom, in the user's own map.
    #[id = "note_ltom"]
    pub ltom_note: IntParam,
    /// Channel of low tom, in the user's own map.
    #[id = "chan_ltom"]
    pub ltom_channel: IntParam,
    /// Note of mid tom, in the user's own map.
    #[id = "note_mtom"]
    pub mtom_note: IntParam,
    /// Channel of mid tom, in the user's own map.
    #[id = "chan_mtom"]
    pub mtom_channel: IntParam,
    /// Note of high tom, in the user's own map.
    #[id = "note_htom"]
    pub htom_note: IntParam,
    /// Channel of high tom, in the user's own map.
    #[id = "chan_htom"]
    pub htom_channel: IntParam,
    /// Note of crash, in the user's own map.
    #[id = "note_crash"]
    pub crash_note: IntParam,
    /// Channel of crash, in the user's own map.
    #[id = "chan_crash"]
    pub crash_channel: IntParam,
    /// Note of ride, in the user's own map.
    #[id = "note_ride"]
    pub ride_note: IntParam,
    /// Channel of ride, in the user's own map.
    #[id = "chan_ride"]
    pub ride_channel: IntParam,
}

impl Default for MapParams {
    /// Chooses General MIDI; the user's own map starts as the file at [`own_map`], or as General MIDI if there is none.
    fn default() -> Self {
        let own = installed().unwrap_or_default();
        let keys = drum_maps::keys(&own);
        let parameter = |name: String, value: u8, min, max| {
            IntParam::new(name, i32::from(value), IntRange::Linear { min, max }).non_automatable()
        };
        let note = |name: &str, key: DrumKey| {
            parameter(format!("{name} note"), key.note, 0, 127)
                .with_value_to_string(Arc::new(key_name))
                .with_string_to_value(Arc::new(key_number))
        };
        let channel =
            |name: &str, key: DrumKey| parameter(format!("{name} channel"), key.channel + 1, 1, 16);
        Self {
            choice: EnumParam::new("Drum map", MapChoice::GeneralMidi).non_automatable(),
            chokes: BoolParam::new("Closed hat ends open hat", own.chokes).non_automatable(),
            kick_note: note("Kick", keys[0]),
            kick_channel: channel("Kick", keys[0]),
            snare_note: note("Snare", keys[1]),
            snare_channel: channel("Snare", keys[1]),
            chat_note: note("Closed hat", keys[2]),
            chat_channel: channel("Closed hat", keys[2]),
            ohat_note: note("Open hat", keys[3]),
            ohat_channel: channel("Open hat", keys[3]),
            ltom_note: note("Low tom", keys[4]),
            ltom_channel: channel("Low tom", keys[4]),
            mtom_note: note("Mid tom", keys[5]),
            mtom_channel: channel("Mid tom", keys[5]),
            htom_note: note("High tom", keys[6]),
            htom_channel: channel("High tom", keys[6]),
            crash_note: note("Crash", keys[7]),
            crash_channel: channel("Crash", keys[7]),
            ride_note: note("Ride", keys[8]),
            ride_channel: channel("Ride", keys[8]),
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
        let key = |note: &IntParam, channel: &IntParam| DrumKey {
            note: u8::try_from(note.value()).unwrap_or(0),
            channel: u8::try_from(channel.value() - 1).unwrap_or(0),
        };
        [
            key(&self.kick_note, &self.kick_channel),
            key(&self.snare_note, &self.snare_channel),
            key(&self.chat_note, &self.chat_channel),
            key(&self.ohat_note, &self.ohat_channel),
            key(&self.ltom_note, &self.ltom_channel),
            key(&self.mtom_note, &self.mtom_channel),
            key(&self.htom_note, &self.htom_channel),
            key(&self.crash_note, &self.crash_channel),
            key(&self.ride_note, &self.ride_channel),
        ]
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
