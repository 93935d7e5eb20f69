//! What goes into and comes out of the performer, one block at a time: transport, bass notes, drum notes.

use arrayvec::ArrayVec;
use lockstep_core::representation::{Meter, Position, Voice};

use super::drum_map::DrumKey;

/// Most drum events in one block.
///
/// Fourteen voices on every sixteenth, on and off, at 999 BPM in a block of 8192 frames at 44.1 kHz: 12 · 14 · 2 = 336, plus
/// fourteen note-offs for notes that sounded before. Nearly three times that leaves room for longer blocks.
pub const MAX_DRUM_EVENTS: usize = 1024;

/// The drum notes of one block: in time order, at the same frame note-offs before note-ons.
pub type DrumEvents = ArrayVec<DrumEvent, MAX_DRUM_EVENTS>;

/// Frames since the start of the block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FrameOffset(pub u32);

/// What the host says about time at the first frame of a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transport {
    /// Whether the transport rolls.
    pub is_playing: bool,
    /// Tempo in BPM; `None` if the host gives only positions, from whose advance it is then derived. An invalid tempo
    /// (0, NaN, above 10 000) counts as a stopped transport.
    pub tempo_bpm: Option<f64>,
    /// Where the first frame lies; may be negative. An invalid position (NaN) counts as a stopped transport.
    pub position: Position,
    /// Where the host's measure began; `None` if the host does not say. Ignored unless the position lies in that measure.
    pub measure_start: Option<Position>,
    /// The host's meter; `None` if it gives none or its measure is off the step grid, in which case 4/4 is used.
    pub meter: Option<Meter>,
}

/// One block of host time and what was played into it.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Length of the block. Nothing happens in an empty block.
    pub n_frames: u32,
    /// Sample rate in hertz.
    pub sample_rate_hz: f64,
    /// The host's time; `None` if the host has none.
    pub transport: Option<Transport>,
    /// Bass notes and taps, sorted by frame; one beyond the block counts as at its last frame.
    pub bass: &'a [BassEvent],
}

/// Something the bassist did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BassEvent {
    /// When it happens.
    pub frame: FrameOffset,
    /// What the bassist did.
    pub kind: BassEventKind,
}

/// What a bassist does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BassEventKind {
    /// A note begins. A note-on of velocity 0 is an [`Self::Off`]: the caller translates it.
    On {
        /// MIDI key, 0 to 127.
        key: u8,
        /// Loudness, in `(0, 1]`.
        velocity: f32,
    },
    /// A note ends.
    Off {
        /// MIDI key, 0 to 127.
        key: u8,
    },
    /// Every note ends.
    AllOff,
    /// A sounding note changes into another without being struck again.
    Slide {
        /// MIDI key that sounded.
        from: u8,
        /// MIDI key that sounds from here on.
        to: u8,
    },
    /// Asks for a fill in the next measure.
    Fill,
    /// Asks for another idea from the next measure on.
    NewIdea,
    /// A tapped beat for the drummer's own clock. Never heard as bass, and ignored while the host's transport rolls.
    Tap,
}

/// One drum note's beginning or end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrumEvent {
    /// When; always inside the block.
    pub frame: FrameOffset,
    /// Which drum it is for.
    pub voice: Voice,
    /// The MIDI note. A note ends on the key it began on, even if the map has changed.
    pub key: DrumKey,
    /// Whether the note begins or ends.
    pub kind: DrumEventKind,
}

/// Whether a drum note begins or ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DrumEventKind {
    /// It is struck.
    On {
        /// Loudness, from 1/127 to 1.
        velocity: f32,
    },
    /// It ends.
    Off,
}
