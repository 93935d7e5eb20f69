//! Saves what was just played: the last measures of bass and drums are always held, and written when the player asks: all of
//! them by the save button, or some of them into a chosen folder by [`ArchiveHandle::export`].
//!
//! bass and drums of the block → [`Recorder`](lockstep_engine::recording::Recorder) (audio thread) ⇢ [`RecordReader`](lockstep_engine::recording::RecordReader) → `RecentMeasures` (the last [`N_MEASURES`]
//! measures) → a MIDI file and a WAV file
//!
//! [`Record`](lockstep_engine::recording::Record)s, which own nothing, cross through a bounded lock-free queue that nobody waits for; records that find it full
//! are counted as lost. One thread per process, the [`Archive`], empties the tapes of all instances and makes the songs;
//! another, the `Writer`, renders and writes them. Neither affects playing, and an instance that leaves waits for no file.
//!
//! Only a person may save: by the window's button, which calls [`ArchiveHandle::save`], or by a control key, which goes through
//! the tape and is ignored while a [`SweepDetector`](crate::audio_thread::SweepDetector) of the parameters shows that a machine is at work.

mod archive;
mod export;
mod files;
mod recent_measures;
mod reveal;
mod save_outcome;
mod saving;
#[cfg(test)]
mod tests;
mod writer;

pub use archive::{Archive, ArchiveHandle};
pub use export::{ExportError, Exported, PendingExport};
pub use files::{FOLDER_VARIABLE, SaveError, WriteError, folder as takes_folder};
pub use reveal::{RevealError, reveal};
pub use save_outcome::SaveMessage;
pub use writer::WriterBusy;

/// Number of measures held.
pub const N_MEASURES: usize = 64;
