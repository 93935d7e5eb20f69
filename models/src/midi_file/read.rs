//! From bytes to a song.

use midly::{EventIter, MetaMessage, MidiMessage, TrackEventKind};

use super::choose::{self, DRUM_CHANNEL, Part};
use super::chunks::{header, next_chunk, skip_meta};
use super::{
    BPM_RANGE, MAX_BEATS, MAX_NOTES, MAX_SECONDS, MidiFileError, Note, Pick, SHORTEST_NOTE, Song,
    TimeSignature,
};
use crate::representation::Beats;

/// Most characters of a track's name that are kept.
const MAX_NAME: usize = 64;

/// Reads a song from the bytes of a Standard MIDI File.
///
/// # Errors
/// [`MidiFileError`] says what is wrong with the file and what to do about it.
pub fn read(bytes: &[u8], pick: Pick) -> Result<Song, MidiFileError> {
    let (division, mut rest) = header(bytes)?;
    let mut reader = Reader::new(division);
    while let Some(chunk) = next_chunk(&mut rest) {
        if chunk.id == *b"MTrk" {
            let track = reader.names.len() + 1;
            if chunk.is_cut_off {
                let place = format!("track {track}");
                return Err(MidiFileError::Truncated { place });
            }
            reader.track(chunk.data)?;
        }
    }
    reader.into_song(pick)
}

/// A note that has begun and not ended.
#[derive(Clone, Copy)]
struct Open {
    part_idx: usize,
    note_idx: usize,
    tick: u64,
    /// Whether it cut off an older note of its key, whose note-off is still to come.
    has_cut: bool,
}

struct Reader {
    division: f64,
    max_tick: u64,
    n_notes: usize,
    names: Vec<String>,
    parts: Vec<Part>,
    /// First program of each channel in any track, for files that keep programs apart from notes.
    programs: [Option<u8>; 16],
    /// Notes of the track being read, by channel and key; all `None` between tracks.
    open: Vec<[Option<Open>; 128]>,
    tempos: Vec<(u64, f64)>,
    meters: Vec<(u64, TimeSignature)>,
}

/// What holds while one track is read.
#[derive(Default)]
struct TrackState {
    tick: u64,
    /// Index of each channel's part.
    parts: [Option<usize>; 16],
    programs: [Option<u8>; 16],
}

impl Reader {
    fn new(division: u16) -> Self {
        Self {
            division: f64::from(division),
            max_tick: 400_000 * u64::from(division),
            n_notes: 0,
            names: Vec::new(),
            parts: Vec::new(),
            programs: [None; 16],
            open: vec![[None; 128]; 16],
            tempos: Vec::new(),
            meters: Vec::new(),
        }
    }

    fn beats(&self, tick: u64) -> Beats {
        Beats(tick as f64 / self.division)
    }

    fn track(&mut self, data: &[u8]) -> Result<(), MidiFileError> {
        self.names.push(String::new());
        let mut state = TrackState::default();
        let mut events = EventIter::new(data);
        let mut status = None;
        loop {
            let at_byte = data.len() - events.unread().len();
            // Running status ends with a meta event, but files exist that carry on.
            *events.running_status_mut() = events.running_status().or(status);
            let Some(Ok(event)) = events.next() else {
                if at_byte == data.len() {
                    break;
                }
                let Some((delta, after)) = skip_meta(&data[at_byte..]) else {
                    let track = self.names.len();
                    return Err(MidiFileError::BadEvent { track, at_byte });
                };
                state.tick += u64::from(delta);
                events = EventIter::new(after);
                continue;
            };
            status = events.running_status().or(status);
            state.tick += u64::from(event.delta.as_int());
            if event.kind == TrackEventKind::Meta(MetaMessage::EndOfTrack) {
                break;
            }
            if state.tick > self.max_tick {
                let beats = self.beats(state.tick).0;
                return Err(MidiFileError::TooLong { beats });
            }
            match event.kind {
                TrackEventKind::Midi { channel, message } => {
                    self.message(&mut state, channel.as_int(), message)?;
                }
                TrackEventKind::Meta(meta) => self.meta(state.tick, meta),
                TrackEventKind::SysEx(_) | TrackEventKind::Escape(_) => {}
            }
        }
        let end = state.tick.min(self.max_tick);
        for (channel, _) in (0..16).zip(state.parts).filter(|(_, part)| part.is_some()) {
            for key in 0..128 {
                self.end_note(channel, key, end);
            }
        }
        Ok(())
    }

    fn message(
        &mut self,
        state: &mut TrackState,
        channel: u8,
        message: MidiMessage,
    ) -> Result<(), MidiFileError> {
        let channel_idx = usize::from(channel);
        match message {
            MidiMessage::NoteOn { key, vel } if vel > 0 => {
                if self.n_notes == MAX_NOTES {
                    return Err(MidiFileError::TooManyNotes);
                }
                self.n_notes += 1;
                let has_cut = self.end_note(channel_idx, key.as_int().into(), state.tick);
                let start = self.beats(state.tick);
                let part_idx = *state.parts[channel_idx].get_or_insert_with(|| {
                    self.parts.push(Part {
                        track: self.names.len() - 1,
                        channel,
                        program: state.programs[channel_idx],
                        notes: Vec::new(),
                    });
                    self.parts.len() - 1
                });
                let notes = &mut self.parts[part_idx].notes;
                self.open[channel_idx][usize::from(key.as_int())] = Some(Open {
                    part_idx,
                    note_idx: notes.len(),
                    tick: state.tick,
                    has_cut,
                });
                notes.push(Note {
                    start,
                    end: start,
                    key: key.as_int(),
                    velocity: vel.as_int(),
                });
            }
            MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => {
                let key = usize::from(key.as_int());
                match &mut self.open[channel_idx][key] {
                    // The note-off of the note before, written after the note-on of this one.
                    Some(open) if open.has_cut && open.tick == state.tick => open.has_cut = false,
                    _ => {
                        self.end_note(channel_idx, key, state.tick);
                    }
                }
            }
            MidiMessage::ProgramChange { program } => {
                let program = program.as_int();
                state.programs[channel_idx] = Some(program);
                self.programs[channel_idx].get_or_insert(program);
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends the open note of a key, if there is one.
    fn end_note(&mut self, channel_idx: usize, key: usize, tick: u64) -> bool {
        let Some(open) = self.open[channel_idx][key].take() else {
            return false;
        };
        let end = self.beats(tick);
        let note = &mut self.parts[open.part_idx].notes[open.note_idx];
        note.end = if end > note.start {
            end
        } else {
            Beats(note.start.0 + SHORTEST_NOTE.0)
        };
        true
    }

    fn meta(&mut self, tick: u64, meta: MetaMessage<'_>) {
        match meta {
            MetaMessage::TrackName(text) | MetaMessage::InstrumentName(text) => {
                // The track's own name comes first, or the instrument's where it has none.
                if let Some(name) = self.names.last_mut()
                    && name.is_empty()
                {
                    *name = printable(text);
                }
            }
            MetaMessage::Tempo(us_per_beat) if us_per_beat > 0 => {
                let bpm = 60_000_000.0 / f64::from(us_per_beat.as_int());
                self.tempos
                    .push((tick, bpm.clamp(BPM_RANGE.0, BPM_RANGE.1)));
            }
            MetaMessage::TimeSignature(numerator, power, ..) => {
                let denominator = 1 << power.min(7);
                let signature = TimeSignature {
                    numerator,
                    denominator,
                };
                self.meters.push((tick, signature));
            }
            _ => {}
        }
    }

    fn into_song(mut self, pick: Pick) -> Result<Song, MidiFileError> {
        for part in &mut self.parts {
            let channel_idx = usize::from(part.channel);
            part.program = part.program.or(self.programs[channel_idx]);
        }
        let bass_idx = choose::bass(&self.parts, &self.names, pick)?;
        let bass_part = choose::describe(&self.parts[bass_idx], &self.names);
        let tempos = self.changes(&self.tempos, 120.0);
        let meters = self.changes(&self.meters, TimeSignature::COMMON);
        let (mut bass, mut drums) = (Vec::new(), Vec::new());
        for (index, part) in self.parts.into_iter().enumerate() {
            if index == bass_idx {
                bass = part.notes;
            } else if part.channel == DRUM_CHANNEL {
                drums.extend(part.notes);
            }
        }
        let mut length = 0.0_f64;
        for notes in [&mut bass, &mut drums] {
            notes.sort_by(|a, b| a.start.0.total_cmp(&b.start.0).then(a.key.cmp(&b.key)));
            length = notes
                .iter()
                .fold(length, |length, note| length.max(note.end.0));
        }
        let song = Song {
            bass,
            drums,
            tempos,
            meters,
            bass_part,
            length: Beats(length),
        };
        if length > MAX_BEATS + SHORTEST_NOTE.0 || song.seconds_at(song.length) > MAX_SECONDS {
            return Err(MidiFileError::TooLong { beats: length });
        }
        Ok(song)
    }

    /// Changes in time order with one at 0; of several at one tick the last holds.
    fn changes<T: Copy>(&self, found: &[(u64, T)], default: T) -> Vec<(Beats, T)> {
        let mut found = found.to_vec();
        found.sort_by_key(|change| change.0);
        let mut changes = vec![(Beats(0.0), default)];
        for (tick, value) in found {
            let at = self.beats(tick);
            match changes.last_mut() {
                Some(last) if last.0 >= at => last.1 = value,
                _ => changes.push((at, value)),
            }
        }
        changes
    }
}

/// A name on one line: UTF-8, or Latin-1 where it is not; control characters and outer blanks are gone.
fn printable(text: &[u8]) -> String {
    let text = text.get(..4 * MAX_NAME).unwrap_or(text);
    let text = std::str::from_utf8(text).map_or_else(
        |_| text.iter().copied().map(char::from).collect(),
        str::to_owned,
    );
    let text: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME)
        .collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::midi_file::write;
    use crate::representation::Meter;
    use proptest::prelude::*;

    /// A file of one track whose events are given with their deltas, at 96 ticks a beat.
    fn file(track: &[u8]) -> Vec<u8> {
        let mut bytes = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk".to_vec();
        bytes.extend(u32::try_from(track.len()).unwrap_or_default().to_be_bytes());
        bytes.extend(track);
        bytes
    }

    fn bass_of(track: &[u8]) -> Vec<(f64, f64, u8)> {
        let song = read(&file(track), Pick::default()).unwrap_or_default();
        song.bass
            .iter()
            .map(|n| (n.start.0, n.end.0, n.key))
            .collect()
    }

    const END: [u8; 4] = [0x00, 0xFF, 0x2F, 0x00];

    #[test]
    fn running_status_and_silent_note_ons_are_understood() {
        let track = [
            &[0, 0x90, 40, 100, 96, 40, 0, 0, 43, 90, 48, 43, 0][..],
            &END,
        ]
        .concat();
        assert_eq!(bass_of(&track), [(0.0, 1.0, 40), (1.0, 1.5, 43)]);
    }

    #[test]
    fn running_status_survives_a_meta_event_as_some_files_have_it() {
        let track = [
            &[0, 0x90, 40, 100, 0, 0xFF, 1, 1, b'x', 96, 40, 0][..],
            &END,
        ]
        .concat();
        assert_eq!(bass_of(&track), [(0.0, 1.0, 40)]);
    }

    #[test]
    fn a_broken_meta_event_is_passed_over() {
        let key_signature = [96, 0xFF, 0x59, 1, 0];
        let track = [&key_signature[..], &[0, 0x90, 40, 100, 96, 40, 0], &END].concat();
        assert_eq!(bass_of(&track), [(1.0, 2.0, 40)]);
    }

    #[test]
    fn a_note_without_end_lasts_to_the_next_of_its_key_or_to_the_tracks_end() {
        let track = [&[0, 0x90, 40, 100, 96, 40, 100][..], &[96, 0xFF, 0x2F, 0]].concat();
        assert_eq!(bass_of(&track), [(0.0, 1.0, 40), (1.0, 2.0, 40)]);
    }

    #[test]
    fn a_note_off_written_after_the_next_note_on_ends_the_older_note() {
        let track = [
            &[0, 0x90, 40, 100, 96, 40, 100, 0, 40, 0, 96, 40, 0][..],
            &END,
        ]
        .concat();
        assert_eq!(bass_of(&track), [(0.0, 1.0, 40), (1.0, 2.0, 40)]);
    }

    #[test]
    fn a_note_of_no_length_gets_the_shortest() {
        let track = [&[0, 0x90, 40, 100, 0, 40, 0][..], &END].concat();
        assert_eq!(bass_of(&track), [(0.0, SHORTEST_NOTE.0, 40)]);
    }

    #[test]
    fn tempos_and_meters_are_read_and_nonsense_tempos_tamed() {
        let track = [
            &[
                0, 0xFF, 0x51, 3, 0x09, 0x27, 0xC0, 0, 0xFF, 0x58, 4, 7, 3, 24, 8,
            ][..],
            &[96, 0xFF, 0x51, 3, 0, 0, 0, 0, 0xFF, 0x51, 3, 0, 0, 1][..],
            &[0, 0xFF, 0x58, 4, 3, 9, 24, 8, 0, 0x90, 40, 100, 96, 40, 0],
            &END,
        ]
        .concat();
        let song = read(&file(&track), Pick::default()).unwrap_or_default();
        assert_eq!(song.tempos, [(Beats(0.0), 100.0), (Beats(1.0), 1_000.0)]);
        assert_eq!(song.meter_at(Beats(0.5)).map(Meter::n_steps), Some(14));
        assert_eq!(song.meter_at(Beats(1.0)), None);
    }

    #[test]
    fn every_kind_of_wrong_file_is_told_apart() {
        let good = file(&[&[0, 0x90, 40, 100, 96, 40, 0][..], &END].concat());
        let with = |at: usize, bytes: &[u8]| {
            let mut file = good.clone();
            file[at..at + bytes.len()].copy_from_slice(bytes);
            read(&file, Pick::default())
        };
        let track = |events: &[u8]| read(&file(events), Pick::default());
        assert!(with(0, b"MThd").is_ok());
        assert_eq!(with(0, b"RIFX"), Err(MidiFileError::NotMidi));
        assert_eq!(read(b"", Pick::default()), Err(MidiFileError::NotMidi));
        assert_eq!(with(9, &[2]), Err(MidiFileError::Format { got: 2 }));
        assert_eq!(with(12, &[0, 0]), Err(MidiFileError::ZeroDivision));
        // 0x80 is a frame rate that midly itself does not survive.
        assert_eq!(with(12, &[0x80, 4]), Err(MidiFileError::Smpte));
        let place = "track 1".to_owned();
        assert_eq!(
            read(&good[..good.len() - 3], Pick::default()),
            Err(MidiFileError::Truncated { place })
        );
        assert_eq!(track(&END), Err(MidiFileError::NoNotes));
        assert_eq!(track(&[]), Err(MidiFileError::NoNotes));
        assert_eq!(track(&[0, 0x99, 36, 100]), Err(MidiFileError::NoBass));
        let bad = MidiFileError::BadEvent {
            track: 1,
            at_byte: 4,
        };
        assert_eq!(track(&[0, 0x90, 36, 100, 0, 0xF4, 0]), Err(bad));
        let far = [0xFF, 0xFF, 0xFF, 0x7F, 0x90, 36, 100];
        assert!(matches!(track(&far), Err(MidiFileError::TooLong { .. })));
        // 350,000 beats at 3.6 BPM: fewer than the limit, but months of music.
        let slow = [
            &[0, 0xFF, 0x51, 3, 255, 255, 255][..],
            &[0x90, 0x80, 0x80, 0, 0x90, 36, 100],
        ]
        .concat();
        assert!(matches!(track(&slow), Err(MidiFileError::TooLong { .. })));
    }

    fn small_song() -> Vec<u8> {
        let note = |i: u8| Note {
            start: Beats(f64::from(i)),
            end: Beats(f64::from(i) + 0.5),
            key: 30 + i,
            velocity: 90,
        };
        write(&Song {
            bass: (0..20).map(note).collect(),
            drums: (0..20).map(note).collect(),
            ..Song::default()
        })
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes, Pick::default());
            let _ = read(&file(&bytes), Pick::default());
        }

        #[test]
        fn no_damage_makes_it_panic(
            damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
            keep in any::<proptest::sample::Index>(),
        ) {
            let mut bytes = small_song();
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = read(&bytes, Pick::default());
            let keep = keep.index(bytes.len());
            let _ = read(&bytes[..keep], Pick::default());
        }
    }
}
