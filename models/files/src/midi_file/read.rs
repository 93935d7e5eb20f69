//! Reads a song from bytes.

use lockstep_core::representation::Position;
use midly::{EventIter, MetaMessage, MidiMessage, TrackEventKind};

use super::choose::{self, ChannelNotes, DRUM_CHANNEL};
use super::chunks::{header, next_chunk, skip_meta};
use super::{
    BPM_RANGE, MAX_LENGTH, MAX_NOTES, MAX_SECONDS, MidiFileError, Note, Pick, SHORTEST_NOTE, Song,
    TimeSignature,
};

/// Longest track name that is kept, in characters.
const MAX_NAME: usize = 64;

/// Reads a song from the bytes of a Standard MIDI File.
///
/// ```
/// use lockstep_files::midi_file::{self, Pick};
///
/// let broken = midi_file::read(b"no MIDI file", Pick::default());
/// assert!(broken.is_err_and(|error| !error.to_string().is_empty()));
/// ```
///
/// # Errors
/// [`MidiFileError`] says what is wrong with the file and what to do about it.
pub fn read(bytes: &[u8], pick: Pick) -> Result<Song, MidiFileError> {
    Reader::of(bytes)?.into_song(pick, true)
}

/// Reads a song that may have no bass: in a file with drums only (channel 10) the bass has no notes.
///
/// # Errors
/// Those of [`read`] except [`MidiFileError::NoBass`].
pub fn read_with_or_without_bass(bytes: &[u8]) -> Result<Song, MidiFileError> {
    Reader::of(bytes)?.into_song(Pick::default(), false)
}

/// A note that has begun and not ended.
#[derive(Clone, Copy)]
struct Open {
    part_idx: usize,
    note_idx: usize,
    tick: u64,
    /// Whether it cut off an older note of the same key whose note-off is still to come.
    has_cut: bool,
}

struct Reader {
    division: f64,
    max_tick: u64,
    n_notes: usize,
    names: Vec<String>,
    parts: Vec<ChannelNotes>,
    /// First program of each channel in any track, for files with programs and notes in different tracks.
    programs: [Option<u8>; 16],
    /// Notes of the track being read, by channel and key; all `None` between tracks.
    open: Vec<[Option<Open>; 128]>,
    tempos: Vec<(u64, f64)>,
    meters: Vec<(u64, TimeSignature)>,
}

/// State while one track is read.
#[derive(Default)]
struct TrackState {
    tick: u64,
    /// Index of each channel's part.
    parts: [Option<usize>; 16],
    programs: [Option<u8>; 16],
}

impl Reader {
    /// Reads every track.
    fn of(bytes: &[u8]) -> Result<Self, MidiFileError> {
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
        Ok(reader)
    }

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

    fn position(&self, tick: u64) -> Position {
        Position::at(tick as f64 / self.division)
    }

    fn track(&mut self, data: &[u8]) -> Result<(), MidiFileError> {
        self.names.push(String::new());
        let mut state = TrackState::default();
        let mut events = EventIter::new(data);
        let mut status = None;
        loop {
            let at_byte = data.len() - events.unread().len();
            // A meta event ends running status, but some files carry on.
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
                let beats = self.position(state.tick).beats();
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
                let start = self.position(state.tick);
                let part_idx = *state.parts[channel_idx].get_or_insert_with(|| {
                    self.parts.push(ChannelNotes {
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
                    // The note-off of the previous note, written after the note-on of this one.
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

    /// Ends the open note of a key and returns whether there was one.
    fn end_note(&mut self, channel_idx: usize, key: usize, tick: u64) -> bool {
        let Some(open) = self.open[channel_idx][key].take() else {
            return false;
        };
        let end = self.position(tick);
        let note = &mut self.parts[open.part_idx].notes[open.note_idx];
        note.end = if end > note.start {
            end
        } else {
            note.start + SHORTEST_NOTE
        };
        true
    }

    fn meta(&mut self, tick: u64, meta: MetaMessage<'_>) {
        match meta {
            MetaMessage::TrackName(text) | MetaMessage::InstrumentName(text) => {
                // Keeps the first name in the track: its own, or the instrument's.
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

    fn into_song(mut self, pick: Pick, needs_bass: bool) -> Result<Song, MidiFileError> {
        for part in &mut self.parts {
            let channel_idx = usize::from(part.channel);
            part.program = part.program.or(self.programs[channel_idx]);
        }
        let bass_idx = match choose::bass(&self.parts, &self.names, pick) {
            Err(MidiFileError::NoBass) if !needs_bass => None,
            chosen => Some(chosen?),
        };
        let bass_part = bass_idx.map_or_else(String::new, |index| {
            choose::describe(&self.parts[index], &self.names)
        });
        let tempos = self.changes(&self.tempos, 120.0);
        let meters = self.changes(&self.meters, TimeSignature::COMMON);
        let (mut bass, mut drums) = (Vec::new(), Vec::new());
        for (index, part) in self.parts.into_iter().enumerate() {
            if Some(index) == bass_idx {
                bass = part.notes;
            } else if part.channel == DRUM_CHANNEL {
                drums.extend(part.notes);
            }
        }
        let mut end = Position::START;
        for notes in [&mut bass, &mut drums] {
            notes.sort_by(|a, b| a.start.total_cmp(b.start).then(a.key.cmp(&b.key)));
            end = notes.iter().fold(end, |end, note| end.max(note.end));
        }
        let song = Song {
            bass,
            drums,
            tempos,
            meters,
            bass_part,
            end,
        };
        let last = Position::START + MAX_LENGTH + SHORTEST_NOTE;
        if end > last || song.seconds_at(end) > MAX_SECONDS {
            let beats = end.beats();
            return Err(MidiFileError::TooLong { beats });
        }
        Ok(song)
    }

    /// Changes in time order, the first at 0; of several at one tick the last wins.
    fn changes<T: Copy>(&self, found: &[(u64, T)], default: T) -> Vec<(Position, T)> {
        let mut found = found.to_vec();
        found.sort_by_key(|change| change.0);
        let mut changes = vec![(Position::START, default)];
        for (tick, value) in found {
            let at = self.position(tick);
            match changes.last_mut() {
                Some(last) if last.0 >= at => last.1 = value,
                _ => changes.push((at, value)),
            }
        }
        changes
    }
}

/// A name on one line: UTF-8, else read as Latin-1, without control characters and outer blanks.
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
mod tests;
