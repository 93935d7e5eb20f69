//! The drum maps of common kits by name, and a drum map as a small text file.
//!
//! The notes are from the makers' published key maps; none has been tested with its product. BFD's and Ableton's maps are only
//! partly published, and the rest follows General MIDI, as do claps and hand percussion in kits that have none. Addictive Drums 2
//! has no fixed key for these: they go to the first hits of its three flexible pieces, in the order clap, tambourine, shaker.

use std::fmt::Write as _;

use lockstep_core::representation::{N_VOICES, Voice};
use lockstep_engine::realtime::DrumMap;
use thiserror::Error;

/// A drum map that comes with the instrument.
#[derive(Clone, Copy, Debug)]
pub struct NamedMap {
    /// Its name on the command line.
    pub id: &'static str,
    /// Its display name.
    pub name: &'static str,
    /// Its notes.
    pub map: DrumMap,
}

/// Every preset; General MIDI first.
pub const PRESETS: [NamedMap; 7] = [
    NamedMap {
        id: "general-midi",
        name: "General MIDI",
        map: DrumMap::GENERAL_MIDI,
    },
    NamedMap {
        id: "superior",
        name: "Superior, EZdrummer",
        map: DrumMap::of_notes([36, 38, 37, 39, 42, 44, 46, 43, 47, 48, 49, 51, 54, 70]),
    },
    NamedMap {
        id: "addictive-drums",
        name: "Addictive Drums 2",
        map: DrumMap::of_notes([36, 38, 42, 47, 49, 48, 55, 65, 69, 71, 77, 60, 96, 100]),
    },
    NamedMap {
        id: "bfd",
        name: "BFD",
        map: DrumMap::of_notes([36, 38, 37, 39, 42, 44, 46, 43, 47, 50, 49, 51, 54, 70]),
    },
    NamedMap {
        id: "steven-slate",
        name: "Steven Slate",
        map: DrumMap::of_notes([36, 38, 37, 39, 42, 44, 46, 43, 47, 48, 57, 51, 54, 70]),
    },
    NamedMap {
        id: "ableton",
        name: "Ableton drum rack",
        map: DrumMap::of_notes([36, 38, 37, 39, 42, 44, 46, 41, 45, 48, 49, 51, 54, 70]),
    },
    NamedMap {
        id: "roland-td",
        name: "Roland TD",
        map: DrumMap::of_notes([36, 38, 37, 39, 42, 44, 46, 43, 45, 48, 49, 51, 54, 70]),
    },
];

/// The names of the voices in a file, in the order of [`Voice::ALL`].
const NAMES: [&str; N_VOICES] = [
    "kick",
    "snare",
    "side-stick",
    "clap",
    "closed-hat",
    "pedal-hat",
    "open-hat",
    "low-tom",
    "mid-tom",
    "high-tom",
    "crash",
    "ride",
    "tambourine",
    "shaker",
];

/// The map as text: a line per voice with its note and channel, and a line for whether a closed or pedal hat cuts off an open one.
pub fn to_text(map: &DrumMap) -> String {
    let mut text =
        "# Lockstep drum map: voice, MIDI note (0 to 127), MIDI channel (1 to 16)\n".to_owned();
    for (voice, name) in Voice::ALL.into_iter().zip(NAMES) {
        let key = map.key(voice);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<10} {:>3} {:>2}", key.note, key.channel + 1);
    }
    let _ = writeln!(text, "choke      {}", if map.chokes { "yes" } else { "no" });
    text
}

/// Why a text is not a drum map.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub struct MapError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong and what is expected.
    pub what: String,
}

/// Reads a map from text; voices it leaves out are General MIDI's. Empty lines and comments after `#` are ignored.
///
/// ```
/// use lockstep::drum_maps::{PRESETS, from_text, to_text};
///
/// let text = to_text(&PRESETS[0].map);
/// assert_eq!(from_text(&text)?, PRESETS[0].map);
/// assert!(from_text("kick = loud").is_err());
/// # Ok::<(), lockstep::drum_maps::MapError>(())
/// ```
///
/// # Errors
/// [`MapError`] at the first line that cannot be read or that repeats a setting.
pub fn from_text(text: &str) -> Result<DrumMap, MapError> {
    let mut keys = Voice::ALL.map(|voice| DrumMap::GENERAL_MIDI.key(voice));
    let mut chokes = None;
    let mut is_given = [false; N_VOICES];
    for (i, line) in text.lines().enumerate() {
        let fail = |what: String| MapError { line: i + 1, what };
        let words: Vec<_> = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        match words[..] {
            [] => {}
            ["choke", answer] => {
                let answer = match answer {
                    "yes" => true,
                    "no" => false,
                    _ => return Err(fail(format!("choke is yes or no, not {answer:?}"))),
                };
                if chokes.replace(answer).is_some() {
                    return Err(fail("choke is set twice".to_owned()));
                }
            }
            [name, note, ref rest @ ..] if rest.len() <= 1 => {
                let place = NAMES.iter().position(|known| *known == name);
                let place = place.ok_or_else(|| {
                    fail(format!(
                        "there is no voice {name:?}; the voices are {}",
                        NAMES.join(", ")
                    ))
                })?;
                if std::mem::replace(&mut is_given[place], true) {
                    return Err(fail(format!("{name} is set twice")));
                }
                let note = note.parse().ok().filter(|note| *note <= 127);
                keys[place].note = note
                    .ok_or_else(|| fail(format!("the note of {name} is a number from 0 to 127")))?;
                if let [channel] = rest {
                    let channel = channel
                        .parse()
                        .ok()
                        .filter(|channel| (1..=16).contains(channel));
                    keys[place].channel =
                        channel.map(|channel: u8| channel - 1).ok_or_else(|| {
                            fail(format!("the channel of {name} is a number from 1 to 16"))
                        })?;
                }
            }
            _ => {
                let what = "a line has a voice, its note and optionally its channel: snare 38 10";
                return Err(fail(what.to_owned()));
            }
        }
    }
    Ok(DrumMap::new(keys, chokes.unwrap_or(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_survives_a_round_trip_and_has_a_different_note_for_each_voice() {
        for NamedMap { id, map, .. } in PRESETS {
            assert_eq!(from_text(&to_text(&map)).as_ref(), Ok(&map), "{id}");
            let mut notes = Voice::ALL.map(|voice| map.key(voice).note);
            notes.sort_unstable();
            assert!(
                notes.windows(2).all(|pair| pair[0] < pair[1]),
                "{id}: {notes:?}"
            );
        }
    }

    #[test]
    fn what_a_text_leaves_out_is_general_midi() {
        let map = from_text("snare 40 # rim\n\n  ride 59 1\nchoke no\n");
        let mut keys = Voice::ALL.map(|voice| DrumMap::GENERAL_MIDI.key(voice));
        keys[Voice::Snare.index()].note = 40;
        keys[Voice::Ride.index()] = lockstep_engine::realtime::DrumKey {
            note: 59,
            channel: 0,
        };
        assert_eq!(map, Ok(DrumMap::new(keys, false)));
    }

    #[test]
    fn a_map_of_nine_voices_loads_and_the_others_are_general_midi() {
        // As version 0.1 wrote it, when there were nine.
        let text = "# Lockstep drum map: voice, MIDI note (0 to 127), MIDI channel (1 to 16)\nkick        36 10\n\
                    snare       38 10\nclosed-hat  42 10\nopen-hat    46 10\nlow-tom     43 10\nmid-tom     47 10\n\
                    high-tom    48 10\ncrash       49 10\nride        51 10\nchoke      yes\n";
        let superior = PRESETS.iter().find(|preset| preset.id == "superior");
        assert_eq!(from_text(text).ok(), superior.map(|preset| preset.map));
    }

    #[test]
    fn a_damaged_text_is_refused_with_its_line() {
        for (text, line, word) in [
            ("cowbell 56", 1, "cowbell"),
            ("kick 36\nsnare", 2, "snare 38 10"),
            ("kick 36 10 1", 1, "snare 38 10"),
            ("kick 128", 1, "0 to 127"),
            ("kick C1", 1, "0 to 127"),
            ("kick 36 17", 1, "1 to 16"),
            ("kick 36\nkick 36", 2, "twice"),
            ("choke maybe", 1, "maybe"),
            ("choke yes\nchoke yes", 2, "twice"),
        ] {
            let error = from_text(text).err();
            assert!(
                error
                    .as_ref()
                    .is_some_and(|e| e.line == line && e.what.contains(word)),
                "{text:?}: {error:?}"
            );
        }
    }
}
