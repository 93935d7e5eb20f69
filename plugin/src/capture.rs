//! Save what was just played: the last measures of bass and drums are always held, and written when the player asks: all of
//! them by the save button, so many into a folder of one's choice by [`Place::export`].
//!
//! bass and drums of the block → [`Recorder`] (audio thread) ⇢ [`Tape`] → `Reel` (the last [`N_MEASURES`] measures) → a MIDI
//! file and a WAV file
//!
//! What crosses is [`Record`], which owns nothing, through a bounded lock-free queue that nobody waits for; what finds it full
//! is counted as lost. One thread a process, the [`Archive`], empties the tapes of all instances and makes the songs; another,
//! the `Writer`, renders and writes them. Neither has a part in what is played, and no instance that leaves waits for a file.
//!
//! Only a person saves: by the window's button, which asks at [`Place::save`], or by a control key, which goes by the tape and
//! is not believed while a [`Sweep`] of the knobs shows that a machine is at work.

mod archive;
mod export;
mod files;
mod outcome;
mod recorder;
mod reel;
mod reveal;
mod saving;
mod sweep;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use crossbeam::queue::ArrayQueue;
use lockstep_core::representation::{Beats, Voice};
use lockstep_engine::realtime::{BassEventKind, DrumEventKind, Mark};
use lockstep_engine::synth::KitChoice;

pub use archive::{Archive, Place};
pub use export::{ExportError, Exported, Exporting};
pub use files::{FOLDER_VARIABLE, SaveError, WriteError, folder as takes_folder};
pub use outcome::Told;
pub use recorder::Recorder;
pub use reveal::{RevealError, reveal};
pub use sweep::Sweep;
pub use writer::Busy;

/// How many measures are held.
pub const N_MEASURES: usize = 64;

/// Records in flight: a minute and more of dense playing, while the archive's thread renders another instance's sound.
const N_RECORDS: usize = 4096;

/// Room that only a wish to save may use. A slot that is just being read is the only thing in the queue that could make a
/// writer spin; so far from full there is none.
const N_RESERVED: usize = 16;

/// What happened, and where in the music as it was played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// Where, in played beats.
    pub place: Beats,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// A measure began.
    Mark(Mark),
    /// This tempo began, in quarter notes a minute.
    Tempo(f32),
    /// The bassist did something.
    Bass(BassEventKind),
    /// A drum did something.
    Drum(Voice, DrumEventKind),
    /// The player wants what was played up to here as files.
    Save,
}

/// What the two ends share.
#[derive(Debug)]
struct Shared {
    records: ArrayQueue<Record>,
    /// Records that found no room.
    n_lost: AtomicU32,
    /// How much has been played, in beats, as the bits of an `f64`. What was played before is on the tape.
    now: AtomicU64,
    /// Place of the kit that is heard among [`KitChoice::ALL`].
    kit: AtomicU8,
}

/// Makes the two ends: the audio thread's and the archive's.
///
/// # Realtime safety
/// Allocates the queue, once.
pub fn capture() -> (Recorder, Tape) {
    let shared = Arc::new(Shared {
        records: ArrayQueue::new(N_RECORDS),
        n_lost: AtomicU32::new(0),
        now: AtomicU64::new(0),
        kit: AtomicU8::new(0),
    });
    (Recorder::new(Arc::clone(&shared)), Tape { shared })
}

/// The end that is read.
#[derive(Debug)]
pub struct Tape {
    shared: Arc<Shared>,
}

impl Tape {
    /// The next record.
    fn next(&self) -> Option<Record> {
        self.shared.records.pop()
    }

    /// How much has been played, and is on the tape by now.
    fn now(&self) -> Beats {
        Beats(f64::from_bits(self.shared.now.load(Ordering::Acquire)))
    }

    /// The kit that is heard; the first one where it is off, for a take without drums is none.
    fn kit(&self) -> KitChoice {
        let place = usize::from(self.shared.kit.load(Ordering::Relaxed));
        let kit = KitChoice::ALL.get(place).copied().unwrap_or_default();
        if kit == KitChoice::Off {
            KitChoice::default()
        } else {
            kit
        }
    }

    /// How many records were lost since this was asked last.
    fn n_lost(&self) -> u32 {
        self.shared.n_lost.swap(0, Ordering::Relaxed)
    }
}
