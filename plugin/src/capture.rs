//! Saves what was just played: the last measures of bass and drums are always held, and written when the player asks: all of
//! them by the save button, or some of them into a chosen folder by [`ArchiveHandle::export`].
//!
//! bass and drums of the block → [`Recorder`] (audio thread) ⇢ [`RecordReader`] → `RecentMeasures` (the last [`N_MEASURES`]
//! measures) → a MIDI file and a WAV file
//!
//! [`Record`]s, which own nothing, cross through a bounded lock-free queue that nobody waits for; records that find it full
//! are counted as lost. One thread per process, the [`Archive`], empties the tapes of all instances and makes the songs;
//! another, the `Writer`, renders and writes them. Neither affects playing, and an instance that leaves waits for no file.
//!
//! Only a person may save: by the window's button, which calls [`ArchiveHandle::save`], or by a control key, which goes through
//! the tape and is ignored while a [`SweepDetector`] of the parameters shows that a machine is at work.

mod archive;
mod export;
mod files;
mod recent_measures;
mod recorder;
mod reveal;
mod save_outcome;
mod saving;
mod sweep_detector;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use lockstep_core::representation::{Position, Voice};
use lockstep_engine::channel::{TapeReader, tape};
use lockstep_engine::realtime::{BassEventKind, DrumEventKind, Mark};
use lockstep_engine::synth::KitChoice;

pub use archive::{Archive, ArchiveHandle};
pub use export::{ExportError, Exported, PendingExport};
pub use files::{FOLDER_VARIABLE, SaveError, WriteError, folder as takes_folder};
pub use recorder::Recorder;
pub use reveal::{RevealError, reveal};
pub use save_outcome::SaveMessage;
pub use sweep_detector::SweepDetector;
pub use writer::WriterBusy;

/// Number of measures held.
pub const N_MEASURES: usize = 64;

/// Capacity of the tape, in records: more than a minute of dense playing.
const N_RECORDS: usize = 4096;

/// Slots that only a request to save may use: however full the tape is, the player can save.
const N_RESERVED: usize = 16;

/// An event, and where it happened in played time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// Where, in beats played so far.
    pub place: Position,
    /// The event.
    pub kind: RecordKind,
}

/// A recorded event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RecordKind {
    /// A measure began.
    Mark(Mark),
    /// The tempo changed to this, in BPM.
    Tempo(f32),
    /// A bass event.
    Bass(BassEventKind),
    /// A drum event.
    Drum(Voice, DrumEventKind),
    /// The player asks to save what was played up to here.
    Save,
}

/// What the archive reads beside the records.
#[derive(Debug, Default)]
struct CaptureState {
    /// Where playing has got to, in played beats, as [`Position::to_bits`]. Everything before is already on the tape.
    now: AtomicU64,
    /// Index of the current kit in [`KitChoice::ALL`].
    kit: AtomicU8,
}

/// Makes the two ends: the audio thread's and the archive's.
///
/// # Realtime safety
/// Allocates the channel, once.
pub fn capture() -> (Recorder, RecordReader) {
    let (writer, records) = tape(N_RECORDS);
    let state = Arc::<CaptureState>::default();
    let recorder = Recorder::new(writer, Arc::clone(&state));
    (recorder, RecordReader { records, state })
}

/// The archive's end.
#[derive(Debug)]
pub struct RecordReader {
    records: TapeReader<Record>,
    state: Arc<CaptureState>,
}

impl RecordReader {
    /// The next record.
    fn next(&mut self) -> Option<Record> {
        self.records.next()
    }

    /// Where playing has got to, in played beats; everything before is on the tape.
    fn now(&self) -> Position {
        Position::from_bits(self.state.now.load(Ordering::Acquire))
    }

    /// The current kit; the first one if the kit is off, so that a take always has drums.
    fn kit(&self) -> KitChoice {
        let place = usize::from(self.state.kit.load(Ordering::Relaxed));
        let kit = KitChoice::ALL.get(place).copied().unwrap_or_default();
        if kit == KitChoice::Off {
            KitChoice::default()
        } else {
            kit
        }
    }

    /// Number of records lost since the last call.
    fn n_lost(&self) -> u32 {
        self.records.take_lost()
    }
}
