//! The last measures as files in a folder of the player's choice: how they are asked for, and what is answered.
//!
//! The thread that asks, an editor's or a program's, never waits for the archive's unless it wants to.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crossbeam::channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};
use lockstep_engine::synth::KitChoice;
use lockstep_files::midi_file::Song;

use super::files::{self, WriteError};
use super::writer::{Busy, Job};

/// What the archive is asked for by a thread that may wait.
#[derive(Debug)]
pub(super) enum Wish {
    /// A take in the folder of takes.
    Save,
    /// The last measures in a folder of one's choice.
    Export(Export),
}

/// The last measures in a folder of one's choice.
#[derive(Debug)]
pub(super) struct Export {
    /// How many measures at most.
    pub(super) n_measures: NonZeroUsize,
    /// Where the files are to be.
    pub(super) folder: PathBuf,
    answer: Sender<Result<Exported, ExportError>>,
}

impl Export {
    /// Has the measures written, and tells how that went.
    pub(super) fn write(
        self,
        song: Song,
        n_measures: usize,
        n_lost: u32,
        kit: KitChoice,
        write: impl Fn(Job) -> Result<(), Busy>,
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

    /// Tells how it went, if anyone still wants to know.
    pub(super) fn answer(self, outcome: Result<Exported, ExportError>) {
        let _ = self.answer.send(outcome);
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Bass and drums, on the notes of General MIDI.
    pub mid: PathBuf,
    /// The same as sound.
    pub wav: PathBuf,
    /// How many measures they hold: as many as were wished, or all that there were.
    pub n_measures: usize,
    /// Notes and measures that came too fast to be held and are missing, of what was played since the last save.
    pub n_lost: u32,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There are no notes.
    #[error("nothing was played in these measures: play first, or take more of them")]
    Nothing,
    /// The files were not written.
    #[error("{0}; make room there, or choose another folder")]
    Write(#[from] WriteError),
    /// The files have to wait for others.
    #[error("{0}")]
    Busy(#[from] Busy),
    /// Too many exports were asked for at once.
    #[error("other exports are still on their way: wait until they are there, and export again")]
    TooMany,
    /// The program is to blame.
    #[error("it panicked: the log says where")]
    Panicked,
    /// The answer was given already, or nobody holds what was played any more.
    #[error("what was played is not held any more: play, and export again")]
    Gone,
}

/// Files on their way.
#[derive(Debug)]
pub struct Exporting(Receiver<Result<Exported, ExportError>>);

impl Exporting {
    pub(super) fn ask(wishes: &Sender<Wish>, n_measures: NonZeroUsize, folder: &Path) -> Self {
        let (answer, outcome) = bounded(1);
        let export = Export {
            n_measures,
            folder: folder.to_owned(),
            answer,
        };
        // A wish that nobody takes is dropped, and its answer is that they are gone.
        if let Err(TrySendError::Full(Wish::Export(export))) = wishes.try_send(Wish::Export(export))
        {
            export.answer(Err(ExportError::TooMany));
        }
        Self(outcome)
    }

    /// How it went, once; `None` as long as they are on their way. Never waits.
    pub fn ready(&self) -> Option<Result<Exported, ExportError>> {
        match self.0.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(ExportError::Gone)),
        }
    }

    /// Waits for how it went: about a second for many measures, which are rendered as sound.
    ///
    /// # Errors
    /// [`ExportError`]; then neither file is there.
    pub fn wait(self) -> Result<Exported, ExportError> {
        self.0.recv().unwrap_or(Err(ExportError::Gone))
    }
}
