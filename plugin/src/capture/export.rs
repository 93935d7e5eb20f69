//! The last measures as files in a folder of the player's choice: how they are asked for, and what is answered.
//!
//! The thread that asks, an editor's or a program's, never waits for the archive's unless it wants to.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crossbeam::channel::{Receiver, Sender, TryRecvError, bounded};

use super::files::WriteError;

/// What the archive is asked for.
#[derive(Debug)]
pub(super) struct Wish {
    /// How many measures at most.
    pub(super) n_measures: NonZeroUsize,
    /// Where the files are to be.
    pub(super) folder: PathBuf,
    answer: Sender<Result<Exported, ExportError>>,
}

impl Wish {
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
        let wish = Wish {
            n_measures,
            folder: folder.to_owned(),
            answer,
        };
        // A wish that nobody takes is dropped, and its answer is that they are gone.
        let _ = wishes.send(wish);
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

    /// Waits for how it went: some seconds for many measures, which are rendered as sound.
    ///
    /// # Errors
    /// [`ExportError`]; then neither file is there.
    pub fn wait(self) -> Result<Exported, ExportError> {
        self.0.recv().unwrap_or(Err(ExportError::Gone))
    }
}
