//! What a host passes to the plugin in one process call.

use std::time::Duration;

/// The input of one process call.
#[derive(Clone, Debug)]
pub struct Block {
    /// Absolute frame of its first sample.
    pub first_frame: u64,
    /// Length in frames, in `1 ..= block_frames`.
    pub n_frames: u32,
    /// Transport position at its first sample, in quarter notes.
    pub beats: f64,
    /// Tempo in BPM.
    pub tempo_bpm: f64,
    /// Time signature.
    pub meter: (u16, u16),
    /// Start of the measure that contains `beats`, in quarter notes.
    pub measure_start_beats: f64,
    /// Whether the host resets the plugin before this block.
    pub is_after_reset: bool,
    /// Whether the transport is rolling.
    pub is_playing: bool,
    /// How long the host pauses before this block.
    pub rest: Duration,
    /// Sorted by offset.
    pub inputs: Vec<Input>,
}

/// An event for the plugin.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// Frames from the start of the block, less than its length.
    pub offset: u32,
    /// The kind of event.
    pub kind: InputKind,
}

/// Kinds of events. Notes are on the first channel.
#[derive(Clone, Copy, Debug)]
pub enum InputKind {
    /// A bass note begins.
    NoteOn {
        /// MIDI key.
        key: u8,
    },
    /// A bass note ends.
    NoteOff {
        /// MIDI key.
        key: u8,
    },
    /// A parameter moves.
    Set {
        /// Its name.
        name: &'static str,
        /// Its new value, in `[0, 1]`.
        value: f64,
    },
}

impl InputKind {
    /// Order of events on the same frame: parameters, then note-offs, then note-ons.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Set { .. } => 0,
            Self::NoteOff { .. } => 1,
            Self::NoteOn { .. } => 2,
        }
    }
}
