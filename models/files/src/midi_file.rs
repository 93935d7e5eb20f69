//! Reading and writing Standard MIDI Files: a song as its bass, its drums, its tempos and its meters.
//!
//! Positions are quarter notes from the start of the file, whatever its division. Nothing here knows steps, windows or
//! networks, and no file is opened: bytes come in, bytes go out. Never on the audio thread.

mod choose;
mod chunks;
mod read;
mod write;

use lockstep_core::representation::{Length, Meter, Position};

pub use read::{read, read_with_or_without_bass};
pub use write::{PPQ, write, write_on};

/// Longest music that is read: 100,000 measures of 4/4.
pub const MAX_LENGTH: Length = Length::of(400_000.0);

/// Longest music that is read, in seconds: a day.
pub const MAX_SECONDS: f64 = 86_400.0;

/// Most notes that are read from one file; a long orchestral score has a tenth of that.
pub const MAX_NOTES: usize = 1_000_000;

/// Slowest and fastest tempo, in BPM; a file's tempo is clamped to this range.
pub const BPM_RANGE: (f64, f64) = (3.5, 1_000.0);

/// Length given to a note that ends where it begins.
pub const SHORTEST_NOTE: Length = Length::of(1.0 / 32.0);

/// One note.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// Where it begins, from the start of the file.
    pub start: Position,
    /// Where it ends; after `start`.
    pub end: Position,
    /// MIDI key, 0 to 127.
    pub key: u8,
    /// MIDI velocity, 1 to 127.
    pub velocity: u8,
}

/// A time signature as a file has it, which may be off the step grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSignature {
    /// Upper number; 0 in a broken file.
    pub numerator: u8,
    /// Lower number, a power of two from 1 to 128; a larger one is read as 128.
    pub denominator: u8,
}

impl TimeSignature {
    /// Four quarter notes.
    pub const COMMON: Self = Self {
        numerator: 4,
        denominator: 4,
    };

    /// The meter, or `None` if its measure is not a whole number of steps or too long for a hit map.
    pub fn meter(self) -> Option<Meter> {
        Meter::new(self.numerator, self.denominator)
    }
}

impl From<Meter> for TimeSignature {
    fn from(meter: Meter) -> Self {
        Self {
            numerator: meter.numerator(),
            denominator: meter.denominator(),
        }
    }
}

/// What a drummer needs from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Song {
    /// The bass, by start, then key.
    pub bass: Vec<Note>,
    /// The notes of channel 10 in all tracks, by start, then key.
    pub drums: Vec<Note>,
    /// Where each tempo begins, and its BPM (in [`BPM_RANGE`]); the first at 0, ascending.
    pub tempos: Vec<(Position, f64)>,
    /// Where each time signature begins; the first at 0, ascending. Off the step grid if [`TimeSignature::meter`] is `None`.
    pub meters: Vec<(Position, TimeSignature)>,
    /// Which part the bass was read from, as text: `track 2 "Fingered Bass", channel 1`; "" if there is no bass.
    pub bass_part: String,
    /// End of the last note of bass or drums.
    pub end: Position,
}

impl Default for Song {
    /// No notes, 120 BPM, 4/4.
    fn default() -> Self {
        Self {
            bass: Vec::new(),
            drums: Vec::new(),
            tempos: vec![(Position::START, 120.0)],
            meters: vec![(Position::START, TimeSignature::COMMON)],
            bass_part: String::new(),
            end: Position::START,
        }
    }
}

impl Song {
    /// Tempo at a position, in BPM; 120 if the song has none.
    pub fn tempo_at(&self, at: Position) -> f64 {
        value_at(&self.tempos, at).unwrap_or(120.0)
    }

    /// Time signature at a position; 4/4 if the song has none.
    pub fn signature_at(&self, at: Position) -> TimeSignature {
        value_at(&self.meters, at).unwrap_or(TimeSignature::COMMON)
    }

    /// Meter at a position, or `None` if the time signature there is off the step grid.
    pub fn meter_at(&self, at: Position) -> Option<Meter> {
        self.signature_at(at).meter()
    }

    /// Whether the song is in 4/4 from beginning to end.
    pub fn is_common_time(&self) -> bool {
        self.meters
            .iter()
            .all(|(_, signature)| *signature == TimeSignature::COMMON)
    }

    /// When a position is reached, in seconds from the start of the file. Takes time linear in the tempo changes.
    pub fn seconds_at(&self, at: Position) -> f64 {
        let mut seconds = 0.0;
        let (mut from, mut bpm) = (Position::START, self.tempo_at(Position::START));
        for &(change, next) in self.tempos.iter().skip(1) {
            if change >= at {
                break;
            }
            seconds += (change - from).seconds(bpm);
            (from, bpm) = (change, next);
        }
        seconds + (at - from).seconds(bpm)
    }

    /// Which position is reached after `seconds`. Takes time linear in the tempo changes.
    pub fn position_at(&self, seconds: f64) -> Position {
        let mut left = seconds;
        let (mut from, mut bpm) = (Position::START, self.tempo_at(Position::START));
        for &(change, next) in self.tempos.iter().skip(1) {
            let lasts = (change - from).seconds(bpm);
            if lasts >= left {
                break;
            }
            left -= lasts;
            (from, bpm) = (change, next);
        }
        from + Length::of_seconds(left, bpm)
    }
}

/// The value of the last change not after `at`, or the first.
fn value_at<T: Copy>(changes: &[(Position, T)], at: Position) -> Option<T> {
    let n_begun = changes.partition_point(|(begin, _)| *begin <= at);
    changes
        .get(n_begun.saturating_sub(1))
        .map(|change| change.1)
}

/// Which part of a file is the bass; the reader chooses whatever is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pick {
    /// Track, counted from 1 in the order of the file.
    pub track: Option<usize>,
    /// Channel, 1 to 16. Channel 10 is for drums and never the bass.
    pub channel: Option<u8>,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MidiFileError {
    /// The bytes are not a MIDI file.
    #[error(
        "this is not a Standard MIDI File (it does not begin with MThd); export the song as .mid"
    )]
    NotMidi,
    /// The file ends before the end of a chunk.
    #[error("the file is cut off in {place}; copy or export it again")]
    Truncated {
        /// Where: `the header`, `track 3`.
        place: String,
    },
    /// An event cannot be read.
    #[error(
        "track {track} has an unreadable event at byte {at_byte} of the track; export the file again"
    )]
    BadEvent {
        /// Track, from 1.
        track: usize,
        /// Where in the track's bytes.
        at_byte: usize,
    },
    /// Neither format 0 nor 1.
    #[error("the file has MIDI format {got}; save it as format 0 or 1")]
    Format {
        /// The header's number.
        got: u16,
    },
    /// Time is counted in film frames.
    #[error(
        "the file counts time in SMPTE frames, not in beats; save it with ticks per quarter note"
    )]
    Smpte,
    /// A quarter note has no ticks.
    #[error("the file says that a quarter note has 0 ticks, so it has no time; export it again")]
    ZeroDivision,
    /// An event lies beyond [`MAX_LENGTH`] or the music takes more than [`MAX_SECONDS`].
    #[error(
        "the music lasts {beats:.0} beats, more than 400000 beats or 24 hours; cut the file or repair the stray event"
    )]
    TooLong {
        /// Where it would end.
        beats: f64,
    },
    /// More than [`MAX_NOTES`].
    #[error("the file has more than {MAX_NOTES} notes; split it")]
    TooManyNotes,
    /// No note at all.
    #[error("the file has no notes; is it the right file?")]
    NoNotes,
    /// Every note is on channel 10.
    #[error("the file has drums only (channel 10); a bass part on another channel is needed")]
    NoBass,
    /// No notes where the bass was expected.
    #[error("there is no bass part at {wanted}; the file has:\n{parts}")]
    PickNotFound {
        /// The track and channel that were asked for.
        wanted: String,
        /// The parts that exist, one per line.
        parts: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_beats_follow_every_tempo_change() {
        let song = Song {
            tempos: vec![
                (Position::START, 120.0),
                (Position::at(4.0), 60.0),
                (Position::at(6.0), 240.0),
            ],
            ..Song::default()
        };
        // 4 beats of ½ s, 2 of 1 s, then ¼ s each.
        for (beats, seconds) in [
            (0.0, 0.0),
            (2.0, 1.0),
            (4.0, 2.0),
            (5.0, 3.0),
            (6.0, 4.0),
            (10.0, 5.0),
        ] {
            assert!(
                (song.seconds_at(Position::at(beats)) - seconds).abs() < 1e-12,
                "{beats}"
            );
            assert!(
                (song.position_at(seconds).beats() - beats).abs() < 1e-12,
                "{seconds}"
            );
        }
        assert!((song.tempo_at(Position::at(3.9)) - 120.0).abs() < f64::EPSILON);
        assert!((song.tempo_at(Position::at(4.0)) - 60.0).abs() < f64::EPSILON);
    }

    #[test]
    fn meters_hold_until_the_next_and_may_be_off_the_grid() {
        let odd = TimeSignature {
            numerator: 5,
            denominator: 32,
        };
        let song = Song {
            meters: vec![
                (Position::START, TimeSignature::COMMON),
                (Position::at(8.0), odd),
            ],
            ..Song::default()
        };
        assert_eq!(song.meter_at(Position::at(7.9)), Some(Meter::COMMON));
        assert_eq!(song.meter_at(Position::at(8.0)), None);
        assert_eq!(song.signature_at(Position::at(9.0)), odd);
    }
}
