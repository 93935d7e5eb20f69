//! How saving went, and where the player reads it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use nice_plug::prelude::{nice_error, nice_log};

use super::N_MEASURES;
use super::files::SaveError;

/// How saving went.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The take is there.
    Saved {
        /// Its MIDI file; the WAV file is beside it.
        path: PathBuf,
        n_measures: usize,
        /// Notes and measures that found no room on the tape.
        n_lost: u32,
    },
    /// It was there already: nothing has been played since it was saved.
    Again {
        /// Its MIDI file.
        path: PathBuf,
    },
    /// There was nothing to save.
    Nothing,
    /// It is not there.
    Failed(SaveError),
    /// It is not there, and the program is to blame.
    Panicked,
}

impl Outcome {
    /// What the log and the window say.
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
                    "Nothing was played since the last take was saved: {} and .wav",
                    path.display()
                ),
                false,
            ),
            Self::Nothing => (
                format!(
                    "There is nothing to save: nothing was played in the last {N_MEASURES} measures"
                ),
                false,
            ),
            Self::Failed(error) => (format!("What was played could not be saved: {error}"), true),
            Self::Panicked => (
                "What was played could not be saved: it panicked, and the log says where"
                    .to_owned(),
                true,
            ),
        };
        Told { words, is_trouble }
    }
}

/// How saving went, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// A sentence without its full stop.
    pub words: String,
    /// Whether something is missing.
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

/// Where the newest of an instance's outcomes is read: written by the threads that save, read by the window.
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
