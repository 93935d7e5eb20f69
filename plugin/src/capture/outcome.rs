//! How saving went, and how the player is told.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use nice_plug::prelude::{nice_error, nice_log};

use super::N_MEASURES;
use super::files::SaveError;

/// How saving went.
#[derive(Debug)]
pub(super) enum Outcome {
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

impl Outcome {
    /// The text for the log and the editor window.
    pub(super) fn told(&self) -> Told {
        let (words, is_trouble) = match self {
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
                    let words = format!(
                        "{saved}, but {n_lost} notes or measures came too fast and are missing"
                    );
                    (words, true)
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
        Told { words, is_trouble }
    }
}

/// How saving went, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// A sentence without the full stop.
    pub words: String,
    /// Whether something went wrong.
    pub is_trouble: bool,
}

impl Told {
    pub(super) fn log(&self) {
        if self.is_trouble {
            nice_error!("Lockstep: {}", self.words);
        } else {
            nice_log!("Lockstep: {}", self.words);
        }
    }
}

/// An instance's newest outcome: written by the threads that save, read by the editor window.
#[derive(Clone, Debug, Default)]
pub(super) struct Board(Arc<Mutex<Option<Told>>>);

impl Board {
    pub(super) fn show(&self, told: Told) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
    }

    pub(super) fn read(&self) -> Option<Told> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
