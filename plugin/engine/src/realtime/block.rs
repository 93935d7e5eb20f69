//! What goes into the performer and comes out of it, one block at a time: transport, bass notes, drum notes.

use arrayvec::ArrayVec;
use lockstep_core::representation::{Beats, Meter, Voice};

use super::drum_map::DrumKey;

/// Most drum events in one block.
///
/// Nine voices on every sixteenth, on and off, at 999 BPM in a block of 8192 frames at 44.1 kHz: 12 · 9 · 2 = 216, and
/// nine note-offs of what sounded before. Four times that leaves room for longer blocks.
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
    /// Tempo in quarter notes a minute; `None` where the host tells only positions, whose advance gives it then. What is
    /// no tempo (0, NaN, beyond 10 000) counts as a stopped transport.
    pub tempo_bpm: Option<f64>,
    /// Where the first frame lies; may be negative. What is no position (NaN) counts as a stopped transport.
    pub position: Beats,
    /// Where the host's measure began; `None` where the host does not say. Used only where the position lies in it.
    pub measure_start: Option<Beats>,
    /// The host's meter; `None` where it gives none or its measure is off the step grid. 4/4 is played then.
    pub meter: Option<Meter>,
}

/// One block of host time and what was played into it.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Length of the block. In an empty block nothing happens.
    pub n_frames: u32,
    /// Sample rate in hertz.
    pub sample_rate_hz: f64,
    /// The host's time; `None` where the host has none.
    pub transport: Option<Transport>,
    /// Bass notes and taps, sorted by frame; one beyond the block is taken at its last frame.
    pub bass: &'a [BassEvent],
}

/// Something the bassist did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BassEvent {
    /// When.
    pub frame: FrameOffset,
    /// What.
    pub kind: BassEventKind,
}

/// What a bassist does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BassEventKind {
    /// A note begins. A note-on of velocity 0 is an [`Self::Off`]: the edge translates it.
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
    /// A sounding note goes over into another without being struck again.
    Slide {
        /// MIDI key that sounded.
        from: u8,
        /// MIDI key that sounds from here on.
        to: u8,
    },
    /// A fill is asked for in the next measure.
    Fill,
    /// Another take is asked for from the next measure on.
    NewIdea,
    /// A beat is tapped, for the drummer's own clock: never heard as bass, and nothing while the host's transport rolls.
    Tap,
}

/// One drum note's beginning or end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrumEvent {
    /// When; always inside the block.
    pub frame: FrameOffset,
    /// Which drum.
    pub voice: Voice,
    /// The MIDI note that it is; a note ends on the one that it began on, whatever the map has become.
    pub key: DrumKey,
    /// What.
    pub kind: DrumEventKind,
}

/// What a drum note does.
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
