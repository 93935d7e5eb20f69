//! The last measures of one instance, and the song made of them.
//!
//! Archive thread: allocates. Positions are in beats played so far, until they become a song, which begins at its first
//! measure.

use std::collections::VecDeque;

use lockstep_core::representation::midi_velocity;
use lockstep_core::representation::{Length, Meter, Position};
use lockstep_engine::realtime::{BassEventKind, DrumEventKind, MarkKind};
use lockstep_engine::recording::{Record, RecordKind};
use lockstep_files::midi_file::{BPM_RANGE, Note, PPQ, Song, TimeSignature};

use super::N_MEASURES;

/// A tick of the MIDI file: positions closer than this are the same.
const TICK: Length = Length::of(1.0 / PPQ as f64);

/// Most notes per part: about thirty times what the drums can play in all measures. The oldest are dropped first.
const MAX_NOTES: usize = 1 << 16;

/// A measure as it was played; it ends where the next begins.
#[derive(Clone, Copy, Debug)]
struct PlayedMeasure {
    place: Position,
    meter: Meter,
}

/// One part's notes.
#[derive(Debug, Default)]
struct PartNotes {
    /// Notes that have ended.
    notes: VecDeque<Note>,
    /// Those that still sound: at most one per key.
    sounding: Vec<Note>,
    /// Number of notes begun.
    n_begun: u64,
}

impl PartNotes {
    fn begin(&mut self, place: Position, key: u8, velocity: f32) {
        self.end(place, Some(key));
        self.n_begun += 1;
        self.sounding.push(Note {
            start: place,
            end: place,
            key,
            velocity: midi_velocity(velocity),
        });
    }

    /// The note of one key becomes a note of another, at the same velocity.
    fn slide(&mut self, place: Position, from: u8, to: u8) {
        let velocity = self
            .sounding
            .iter()
            .find(|note| note.key == from)
            .map(|note| note.velocity);
        if let Some(velocity) = velocity {
            self.end(place, Some(from));
            self.begin(place, to, f32::from(velocity) / 127.0);
        }
    }

    /// Ends the note of a key, or all notes.
    fn end(&mut self, place: Position, key: Option<u8>) {
        let notes = &mut self.notes;
        self.sounding.retain(|note| {
            let goes_on = key.is_some_and(|key| key != note.key);
            if !goes_on {
                notes.push_back(ended(*note, place));
            }
            goes_on
        });
        let n_over = notes.len().saturating_sub(MAX_NOTES);
        notes.drain(..n_over);
    }

    /// Drops notes that began before a position.
    fn forget(&mut self, before: Position) {
        self.notes.retain(|note| note.start >= before);
    }

    /// Notes that began from `first` up to `now`, sorted by start and key, with times relative to `first`. Sounding notes end
    /// at `now`.
    fn since(&self, first: Position, now: Position) -> Vec<Note> {
        let sounding = self.sounding.iter().map(|note| ended(*note, now));
        let from = |at: Position| at.counted_from(first).max(Position::START);
        let mut notes: Vec<Note> = self
            .notes
            .iter()
            .copied()
            .chain(sounding)
            .filter(|note| (first - TICK * 0.5..now).contains(&note.start))
            .map(|note| Note {
                start: from(note.start),
                end: from(note.end),
                ..note
            })
            .collect();
        notes.sort_by(|a, b| a.start.total_cmp(b.start).then(a.key.cmp(&b.key)));
        notes
    }
}

/// The note, ended at a position but not before it began.
fn ended(note: Note, at: Position) -> Note {
    Note {
        end: at.max(note.start),
        ..note
    }
}

/// What is held of one instance.
#[derive(Debug, Default)]
pub(super) struct RecentMeasures {
    /// One more than [`N_MEASURES`]: the last may have only just begun.
    measures: VecDeque<PlayedMeasure>,
    tempos: VecDeque<(Position, f64)>,
    bass: PartNotes,
    drums: PartNotes,
}

impl RecentMeasures {
    /// Adds a record.
    pub(super) fn hold(&mut self, record: &Record) {
        let place = record.place;
        match record.kind {
            RecordKind::Mark(mark) => self.mark(mark.place, mark.meter, mark.kind),
            RecordKind::Tempo(bpm) => {
                // A gliding tempo changes every block, but the file only resolves ticks.
                if self.tempos.back().is_some_and(|(at, _)| place - *at < TICK) {
                    self.tempos.pop_back();
                }
                let bpm = f64::from(bpm).clamp(BPM_RANGE.0, BPM_RANGE.1);
                self.tempos.push_back((place, bpm));
            }
            RecordKind::Bass(BassEventKind::On { key, velocity }) => {
                self.bass.begin(place, key, velocity);
            }
            RecordKind::Bass(BassEventKind::Off { key }) => self.bass.end(place, Some(key)),
            RecordKind::Bass(BassEventKind::AllOff) => self.bass.end(place, None),
            RecordKind::Bass(BassEventKind::Slide { from, to }) => self.bass.slide(place, from, to),
            RecordKind::Drum(voice, DrumEventKind::On { velocity }) => {
                self.drums.begin(place, voice.gm_note(), velocity);
            }
            RecordKind::Drum(voice, DrumEventKind::Off) => {
                self.drums.end(place, Some(voice.gm_note()));
            }
            RecordKind::Bass(BassEventKind::Fill | BassEventKind::NewIdea | BassEventKind::Tap)
            | RecordKind::Save => {}
        }
    }

    fn mark(&mut self, place: Position, meter: Meter, kind: MarkKind) {
        match (kind, self.measures.back_mut()) {
            (MarkKind::Meter, Some(last)) => {
                last.meter = meter;
                return;
            }
            (MarkKind::Start, _) => {
                self.bass.end(place, None);
                self.drums.end(place, None);
            }
            _ => {}
        }
        // Drop a measure shorter than a tick.
        if self
            .measures
            .back()
            .is_some_and(|last| place - last.place < TICK)
        {
            self.measures.pop_back();
        }
        self.measures.push_back(PlayedMeasure { place, meter });
        while self.measures.len() > N_MEASURES + 1 {
            self.measures.pop_front();
        }
        let Some(first) = self.measures.front().map(|first| first.place) else {
            return;
        };
        self.bass.forget(first - TICK);
        self.drums.forget(first - TICK);
        while self.tempos.get(1).is_some_and(|(at, _)| *at <= first) {
            self.tempos.pop_front();
        }
    }

    /// Number of bass and drum notes begun; it grows when something new is played.
    pub(super) fn n_begun(&self) -> u64 {
        self.bass.n_begun + self.drums.n_begun
    }

    /// Up to `n_measures` of the last measures before `now`, as a song, and how many they are; `None` if they have no notes.
    pub(super) fn song(&self, now: Position, n_measures: usize) -> Option<(Song, usize)> {
        let begun = self.measures.iter().copied();
        let mut measures: Vec<PlayedMeasure> =
            begun.filter(|each| now - each.place >= TICK).collect();
        let n_measures = n_measures.min(N_MEASURES);
        let measures = measures.split_off(measures.len().saturating_sub(n_measures));
        let first = measures.first()?.place;
        let (bass, drums) = (self.bass.since(first, now), self.drums.since(first, now));
        if bass.is_empty() && drums.is_empty() {
            return None;
        }
        let ends = bass.iter().chain(&drums).map(|note| note.end);
        let song = Song {
            end: ends.fold(Position::START, Position::max),
            tempos: self.tempos_since(first),
            meters: meters(&measures),
            bass,
            drums,
            bass_part: String::new(),
        };
        Some((song, measures.len()))
    }

    fn tempos_since(&self, first: Position) -> Vec<(Position, f64)> {
        let n_before = self
            .tempos
            .partition_point(|(at, _)| *at <= first + TICK * 0.5);
        let at_first = self.tempos.get(n_before.saturating_sub(1));
        let later = self.tempos.iter().skip(n_before.max(1));
        let later = later.map(|(at, bpm)| (at.counted_from(first), *bpm));
        let bpm = at_first.map_or(120.0, |(_, bpm)| *bpm);
        std::iter::once((Position::START, bpm))
            .chain(later)
            .collect()
    }
}

/// Where meters begin. The meter is repeated after a measure that was cut short, to restart the count there.
fn meters(measures: &[PlayedMeasure]) -> Vec<(Position, TimeSignature)> {
    let first = measures
        .first()
        .map_or(Position::START, |measure| measure.place);
    let mut due = None;
    let mut meters = Vec::new();
    for PlayedMeasure { place, meter } in measures {
        let is_due = due
            .is_some_and(|(at, of): (Position, Meter)| of == *meter && (at - *place).abs() < TICK);
        if !is_due {
            meters.push((place.counted_from(first), TimeSignature::from(*meter)));
        }
        due = Some((*place + meter.length(), *meter));
    }
    meters
}
