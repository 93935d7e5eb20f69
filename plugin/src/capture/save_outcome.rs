//! How saving went, and how the player is told.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use nice_plug::prelude::{nice_error, nice_log};

use super::N_MEASURES;
use super::files::SaveError;

/// How saving went.
#[derive(Debug)]
pub(super) enum SaveOutcome {
    /// The take was written.
    Saved {
        /// Its MIDI file; the WAV file is beside it.
        path: PathBuf,
        n_measures: usize,
        /// Notes and measures that found the tape full.
        n_lost: u32,
    },
    /// The take was saved before, and nothing has been played since.
    Again {
        /// Its MIDI file.
        path: PathBuf,
    },
    /// Nothing has been played.
    Nothing,
    /// The take could not be written.
    Failed(SaveError),
    /// Writing the take panicked.
    Panicked,
}

impl SaveOutcome {
    /// The text for the log and the editor window.
    pub(super) fn message(&self) -> SaveMessage {
        let (text, is_problem) = match self {
            Self::Saved {
                path,
                n_measures,
                n_lost,
            } => {
                let saved = format!(
                    "Saved the last {n_measures} measures: {} and .wav",
                    path.display()
                );
                if *n_lost == 0 {
                    (saved, false)
                } else {
                    let text = format!(
                        "{saved}, but {n_lost} notes or measures came too fast and are missing"
                    );
                    (text, true)
                }
            }
            Self::Again { path } => (
                format!(
                    "Nothing new since the last take: {} and .wav",
                    path.display()
                ),
                false,
            ),
            Self::Nothing => (
                format!("Nothing to save: nothing was played in the last {N_MEASURES} measures"),
                false,
            ),
            Self::Failed(error) => (format!("The take could not be saved: {error}"), true),
            Self::Panicked => (
                "The take could not be saved: an internal error, see the log".to_owned(),
                true,
            ),
        };
        SaveMessage { text, is_problem }
    }
}

/// How saving went, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaveMessage {
    /// A sentence without the full stop.
    pub text: String,
    /// Whether something went wrong.
    pub is_problem: bool,
}

impl SaveMessage {
    pub(super) fn log(&self) {
        if self.is_problem {
            nice_error!("Lockstep: {}", self.text);
        } else {
            nice_log!("Lockstep: {}", self.text);
        }
    }
}

/// An instance's newest outcome: written by the threads that save, read by the editor window.
#[derive(Clone, Debug, Default)]
pub(super) struct SaveStatus(Arc<Mutex<Option<SaveMessage>>>);

impl SaveStatus {
    pub(super) fn show(&self, message: SaveMessage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
    }

    pub(super) fn read(&self) -> Option<SaveMessage> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
