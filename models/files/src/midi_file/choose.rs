//! Which part of a file is the bass.

use super::{MidiFileError, Note, Pick};

/// Channel 10, counted from 0.
pub(super) const DRUM_CHANNEL: u8 = 9;

/// The eight basses of General MIDI, counted from 0.
const BASS_PROGRAMS: std::ops::RangeInclusive<u8> = 32..=39;

/// First program of General MIDI's percussion and effects, counted from 0.
const FIRST_EFFECT_PROGRAM: u8 = 112;

/// Parts listed in an error; more would hide the first lines.
const MAX_LISTED: usize = 24;

/// The notes of one channel in one track.
#[derive(Debug)]
pub(super) struct ChannelNotes {
    /// Track, from 0.
    pub(super) track: usize,
    /// Channel, from 0.
    pub(super) channel: u8,
    /// Program that its first note sounds with, from 0.
    pub(super) program: Option<u8>,
    /// At least one note.
    pub(super) notes: Vec<Note>,
}

/// Index of the bass among the parts.
///
/// Among the parts that match the pick: a bass program, else a track named bass, else the lowest median key. Of several, the
/// one with the most notes.
///
/// # Errors
/// [`MidiFileError::NoNotes`], [`MidiFileError::NoBass`] or [`MidiFileError::PickNotFound`].
pub(super) fn bass(
    parts: &[ChannelNotes],
    names: &[String],
    pick: Pick,
) -> Result<usize, MidiFileError> {
    if parts.is_empty() {
        return Err(MidiFileError::NoNotes);
    }
    if parts.iter().all(|part| part.channel == DRUM_CHANNEL) {
        return Err(MidiFileError::NoBass);
    }
    let candidates: Vec<usize> = (0..parts.len())
        .filter(|&index| {
            let part = &parts[index];
            part.channel != DRUM_CHANNEL
                && pick.track.is_none_or(|track| part.track + 1 == track)
                && pick
                    .channel
                    .is_none_or(|channel| part.channel + 1 == channel)
        })
        .collect();
    let mut n_in_track = vec![0_usize; names.len()];
    for part in parts.iter().filter(|part| part.channel != DRUM_CHANNEL) {
        n_in_track[part.track] += 1;
    }
    candidates
        .into_iter()
        .min_by_key(|&index| {
            let part = &parts[index];
            // The name of a track with several instruments (as in format 0) says nothing about any one of them.
            let is_named_bass = n_in_track[part.track] == 1 && names_a_bass(&names[part.track]);
            let (rank, key) = match part.program {
                Some(program) if BASS_PROGRAMS.contains(&program) => (0, 0),
                _ if is_named_bass => (1, 0),
                Some(program) if program >= FIRST_EFFECT_PROGRAM => (3, median_key(&part.notes)),
                _ => (2, median_key(&part.notes)),
            };
            (rank, key, usize::MAX - part.notes.len())
        })
        .ok_or_else(|| MidiFileError::PickNotFound {
            wanted: describe_pick(pick),
            parts: list(parts, names),
        })
}

/// A part as text: `track 2 "Fingered Bass", channel 1`.
pub(super) fn describe(part: &ChannelNotes, names: &[String]) -> String {
    let (track, channel) = (part.track + 1, part.channel + 1);
    match names.get(part.track).map_or("", String::as_str) {
        "" => format!("track {track}, channel {channel}"),
        name => format!("track {track} \"{name}\", channel {channel}"),
    }
}

fn describe_pick(pick: Pick) -> String {
    match (pick.track, pick.channel) {
        (Some(track), Some(channel)) => format!("track {track}, channel {channel}"),
        (Some(track), None) => format!("track {track}"),
        (None, Some(channel)) => format!("channel {channel}"),
        (None, None) => "any track".to_owned(),
    }
}

fn list(parts: &[ChannelNotes], names: &[String]) -> String {
    let mut lines: Vec<String> = parts
        .iter()
        .take(MAX_LISTED)
        .map(|part| {
            let drums = if part.channel == DRUM_CHANNEL {
                " (drums)"
            } else {
                ""
            };
            format!(
                "  {}: {} notes{drums}",
                describe(part, names),
                part.notes.len()
            )
        })
        .collect();
    if parts.len() > MAX_LISTED {
        lines.push(format!("  and {} more", parts.len() - MAX_LISTED));
    }
    lines.join("\n")
}

/// Whether a track's name means a bass guitar, and not a bassoon, a bass drum or a piano's left hand.
fn names_a_bass(name: &str) -> bool {
    const NOT: [&str; 10] = [
        "bassoon", "basset", "drum", "kick", "perc", "clarinet", "trombone", "sax", "flute", "clef",
    ];
    let name = name.to_lowercase();
    name.contains("bass") && !NOT.iter().any(|word| name.contains(word))
}

fn median_key(notes: &[Note]) -> u8 {
    let mut counts = [0_usize; 256];
    for note in notes {
        counts[usize::from(note.key)] += 1;
    }
    let mut n_below = 0;
    (0..=u8::MAX)
        .find(|&key| {
            n_below += counts[usize::from(key)];
            2 * n_below > notes.len()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::Position;

    use super::*;

    fn part(track: usize, channel: u8, program: Option<u8>, keys: &[u8]) -> ChannelNotes {
        let note = |&key: &u8| Note {
            start: Position::START,
            end: Position::at(1.0),
            key,
            velocity: 100,
        };
        ChannelNotes {
            track,
            channel,
            program,
            notes: keys.iter().map(note).collect(),
        }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_bass_program_beats_a_name_and_a_name_beats_a_low_part() {
        let names = names(&["Contrabassoon", "my BASS line", "Lead", "Drums"]);
        let mut parts = vec![
            part(0, 0, Some(70), &[20]),
            part(1, 1, None, &[60]),
            part(2, 2, Some(38), &[70]),
            part(3, DRUM_CHANNEL, Some(33), &[36]),
        ];
        assert_eq!(bass(&parts, &names, Pick::default()), Ok(2));
        parts[2].program = Some(80);
        assert_eq!(bass(&parts, &names, Pick::default()), Ok(1));
        parts[1].track = 2;
        assert_eq!(bass(&parts, &names, Pick::default()), Ok(0));
    }

    #[test]
    fn of_two_basses_the_busier_is_chosen() {
        let parts = [part(0, 0, Some(33), &[40]), part(0, 1, Some(39), &[40, 41])];
        assert_eq!(bass(&parts, &names(&[""]), Pick::default()), Ok(1));
    }

    #[test]
    fn a_pick_wins_and_a_wrong_pick_lists_the_parts() {
        let names = names(&["Bass", "Keys"]);
        let parts = [part(0, 0, Some(33), &[40]), part(1, 3, Some(0), &[60])];
        let pick = |track, channel| bass(&parts, &names, Pick { track, channel });
        assert_eq!(pick(Some(2), None), Ok(1));
        assert_eq!(pick(None, Some(4)), Ok(1));
        let error = pick(Some(2), Some(1)).map_err(|e| e.to_string());
        let text = "there is no bass part at track 2, channel 1; the file has:\n  track 1 \"Bass\", channel 1: 1 notes\n  \
                    track 2 \"Keys\", channel 4: 1 notes";
        assert_eq!(error, Err(text.to_owned()));
        assert!(pick(Some(usize::MAX), Some(u8::MAX)).is_err());
    }

    #[test]
    fn names_of_other_low_instruments_do_not_name_a_bass() {
        for name in ["Bass", "E-bass", "Fretless bass", "Double Bass", "BASSLINE"] {
            assert!(names_a_bass(name), "{name}");
        }
        for name in [
            "Bass Drum",
            "double bass drum",
            "Bassoon",
            "Bass clarinet",
            "Piano (bass clef)",
            "Lead",
        ] {
            assert!(!names_a_bass(name), "{name}");
        }
    }
}
