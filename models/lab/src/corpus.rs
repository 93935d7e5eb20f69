//! Songs to learn from, in one memory-mapped file: bass and drums by measure, with velocity and micro-timing,
//! and what groove each song plays.
//!
//! `cargo lab prepare` makes the file from MIDI files; training and measurement read it. Reading copies nothing: the
//! views are slices of the map. Knows the representation and MIDI songs, but not networks, training or archives.
//! Never on the audio thread.
//!
//! # The file
//! Little endian, every section aligned to its records: a header (magic, version, counts), the songs, the measures plus an
//! end record, the bass notes, the drum hits, the names as UTF-8. A measure holds the index of its first note and hit; its
//! notes and hits end where those of the next record begin. [`Corpus::open`] checks every record once, so the views need
//! no checks.

mod format;
mod grid;
mod repetition;
mod swung;
mod view;
mod write;

use std::path::PathBuf;

use bytemuck::{Pod, Zeroable};
use lockstep_core::draws;
use lockstep_core::family::Family;

pub use format::FORMAT_VERSION;
pub use grid::{PercussionMap, RejectReason, has_dynamics, has_timing, measures};
pub use repetition::{LEAST_WEIGHT, Repetition};
pub use view::{Corpus, MeasureView, SongView};
pub use write::{MeasureRecord, SongRecord, write};

/// What a song is used for. Copies of one song are never in two splits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// For training.
    Train,
    /// For choosing weights and settings.
    Valid,
    /// For reporting.
    Test,
}

impl Split {
    /// Every split, in the order of its number in the file.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// The split of a song whose source names none: 80 % train, 10 % valid, 10 % test, by the hash of its music.
    ///
    /// See [`SongRecord::music_hash`]: two copies of one song are always in the same split.
    pub fn from_hash(hash: u64) -> Self {
        match draws::hash(&[hash]) % 10 {
            0..8 => Self::Train,
            8 => Self::Valid,
            _ => Self::Test,
        }
    }
}

/// Which family of grooves a song plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GrooveLabel {
    /// The family.
    pub family: Family,
    /// How sure it is, above 0: of ten labels with 0.8, eight are right.
    pub certainty: f32,
    /// Whether the song's source says so; otherwise a classifier does.
    pub is_known: bool,
}

/// A bass note on the step grid.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct BassNote {
    /// Step it begins at, within the measure.
    pub step_idx: u8,
    /// MIDI key, 0 to 127.
    pub key: u8,
    /// MIDI velocity, 1 to 127.
    pub velocity: u8,
    /// How much later it begins than its step of the swung grid, in 1/254 step: ±127 is half a step.
    pub offset: i8,
    /// Steps it sounds for, at least one; may reach beyond the measure.
    pub n_steps: u16,
    /// Always 0.
    reserved: u16,
}

impl BassNote {
    /// A note that begins exactly on its step and lasts `n_steps`; set [`Self::offset`] to move it.
    pub fn new(step_idx: u8, key: u8, velocity: u8, n_steps: u16) -> Self {
        Self {
            step_idx,
            key,
            velocity,
            offset: 0,
            n_steps,
            reserved: 0,
        }
    }
}

/// A drum hit on the step grid.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct DrumHit {
    /// Step, within the measure.
    pub step_idx: u8,
    /// [`Voice::index`](lockstep_core::representation::Voice::index): the place in `Voice::ALL`, 0 to 13.
    pub voice: u8,
    /// MIDI velocity, 1 to 127.
    pub velocity: u8,
    /// How much later it sounds than its step of the swung grid, in 1/254 step: ±127 is half a step.
    pub offset: i8,
}

/// Why a corpus file cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The file cannot be read.
    #[error("cannot read the corpus file {path}; make it with `cargo lab prepare`")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a corpus.
    #[error(
        "{path} is not a corpus file (it does not begin with LOCKSTEP); make one with `cargo lab prepare`"
    )]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// Made by another version of Lockstep.
    #[error(
        "the corpus file {path} has format {got}, this program reads format {expected}; run `cargo lab prepare` again"
    )]
    Version {
        /// Which file.
        path: PathBuf,
        /// The file's version.
        got: u32,
        /// [`FORMAT_VERSION`].
        expected: u32,
    },
    /// The file is cut off, or a record is impossible.
    #[error("the corpus file {path} is damaged: {what}; run `cargo lab prepare` again")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What was found: `song 3: its split is 7`.
        what: String,
    },
    /// A song to be written breaks the rules of its fields, or there are too many songs.
    #[error("cannot write these songs: {0}")]
    Record(String),
    /// The file cannot be written.
    #[error("cannot write the corpus file {path}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests;
