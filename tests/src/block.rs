//! What a host hands to the plugin in one process call.

use std::time::Duration;

/// What one process call gets.
#[derive(Clone, Debug)]
pub struct Block {
    /// Absolute frame of its first sample.
    pub first_frame: u64,
    /// How long it is, in `1 ..= block_frames`.
    pub n_frames: u32,
    /// Where the transport stands at its first sample, in quarter notes.
    pub beats: f64,
    /// Quarter notes a minute.
    pub tempo_bpm: f64,
    /// Time signature.
    pub meter: (u16, u16),
    /// Where the measure around `beats` begins, in quarter notes.
    pub measure_start_beats: f64,
    /// Whether the player resets the plugin before it.
    pub is_after_reset: bool,
    /// Whether the transport runs.
    pub is_playing: bool,
    /// How long the host rests before it.
    pub rest: Duration,
    /// Sorted by offset.
    pub inputs: Vec<Input>,
}

/// An event for the plugin.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// Frames from the start of the block, less than its length.
    pub offset: u32,
    /// What it is.
    pub kind: InputKind,
}

/// What the plugin is told. Notes are on the first channel.
#[derive(Clone, Copy, Debug)]
pub enum InputKind {
    /// The bass begins a note.
    NoteOn {
        /// MIDI key.
        key: u8,
    },
    /// The bass ends a note.
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
    /// Order on one frame: knobs, then ends, then beginnings.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Set { .. } => 0,
            Self::NoteOff { .. } => 1,
            Self::NoteOn { .. } => 2,
        }
    }
}
