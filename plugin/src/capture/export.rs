//! Exports the last measures as files to a folder that the player chooses: the request and its answer.
//!
//! The thread that asks, an editor's or a program's, waits for the archive only if it wants to.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use lockstep_engine::synth::KitChoice;
use lockstep_files::midi_file::Song;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};

use super::files::{self, WriteError};
use super::writer::{Job, WriterBusy};

/// A request to the archive from outside the audio thread.
#[derive(Debug)]
pub(super) enum ArchiveRequest {
    /// Save a take to the takes folder.
    Save,
    /// Export the last measures to a chosen folder.
    Export(ExportRequest),
}

/// A request to export the last measures to a chosen folder.
#[derive(Debug)]
pub(super) struct ExportRequest {
    /// Most measures to export.
    pub(super) n_measures: NonZeroUsize,
    /// The folder for the files.
    pub(super) folder: PathBuf,
    answer: SyncSender<Result<Exported, ExportError>>,
}

impl ExportRequest {
    /// Queues the measures for writing, and answers when they are written.
    pub(super) fn write(
        self,
        song: Song,
        n_measures: usize,
        n_lost: u32,
        kit: KitChoice,
        write: impl Fn(Job) -> Result<(), WriterBusy>,
    ) {
        let (answer, stem) = (self.answer.clone(), files::stem());
        let job = move || {
            let written = catch_unwind(AssertUnwindSafe(|| {
                files::write(&self.folder, &stem, &song, kit)
            }));
            self.answer(match written {
                Ok(Ok(mid)) => Ok(Exported {
                    wav: mid.with_extension("wav"),
                    mid,
                    n_measures,
                    n_lost,
                }),
                Ok(Err(error)) => Err(error.into()),
                Err(_) => Err(ExportError::Panicked),
            });
        };
        if let Err(busy) = write(Box::new(job)) {
            let _ = answer.send(Err(busy.into()));
        }
    }

    /// Sends the outcome, if the receiver still exists.
    pub(super) fn answer(self, outcome: Result<Exported, ExportError>) {
        let _ = self.answer.send(outcome);
    }
}

/// The files that were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The MIDI file: bass, and drums on General MIDI notes.
    pub mid: PathBuf,
    /// The same as audio.
    pub wav: PathBuf,
    /// Number of measures: as many as requested, or all that were held.
    pub n_measures: usize,
    /// Notes and measures since the last save that found the tape full and are missing.
    pub n_lost: u32,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The measures contain no notes.
    #[error("nothing was played in these measures: play first, or export more of them")]
    Nothing,
    /// The files could not be written.
    #[error("{0}; make room there, or choose another folder")]
    Write(#[from] WriteError),
    /// The writer's queue is full, or it has no thread.
    #[error("{0}")]
    Busy(#[from] WriterBusy),
    /// Too many exports were requested at once.
    #[error("other exports are still in progress: wait for them, then export again")]
    TooMany,
    /// Writing panicked.
    #[error("an internal error, see the log")]
    Panicked,
    /// The outcome was read already, or the instance has left the archive.
    #[error("what was played is no longer held: play, then export again")]
    Gone,
}

/// An export in progress.
#[derive(Debug)]
pub struct PendingExport(Mutex<Receiver<Result<Exported, ExportError>>>);

impl PendingExport {
    pub(super) fn request(
        requests: &SyncSender<ArchiveRequest>,
        n_measures: NonZeroUsize,
        folder: &Path,
    ) -> Self {
        let (answer, outcome) = sync_channel(1);
        let export = ExportRequest {
            n_measures,
            folder: folder.to_owned(),
            answer,
        };
        // If the archive has gone, the request and its sender are dropped, and the outcome is `Gone`.
        if let Err(TrySendError::Full(ArchiveRequest::Export(export))) =
            requests.try_send(ArchiveRequest::Export(export))
        {
            export.answer(Err(ExportError::TooMany));
        }
        Self(Mutex::new(outcome))
    }

    /// The outcome, once; `None` while the export is in progress. Never waits.
    pub fn ready(&self) -> Option<Result<Exported, ExportError>> {
        let outcome = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(ExportError::Gone)),
        }
    }

    /// Waits for the outcome: about a second for many measures, because rendering the audio takes time.
    ///
    /// # Errors
    /// [`ExportError`]; then neither file exists.
    pub fn wait(self) -> Result<Exported, ExportError> {
        let outcome = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        outcome.recv().unwrap_or(Err(ExportError::Gone))
    }
}
