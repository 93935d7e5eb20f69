//! What the generator thread reports of itself, for the window: how the last prediction was made, and which drummer plays
//! instead.
//!
//! Never on the audio thread: reading and writing may wait for each other.

use lockstep_core::representation::Voice;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::drummers::Substitute;

/// How the last prediction was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prediction {
    /// How long it took; `None` before the first.
    pub took: Option<Duration>,
    /// The device that computed it, and why it is not the one that was asked for where it is not.
    pub device: String,
    /// The voices that whoever made it can play; empty before the first.
    pub voices: &'static [Voice],
}

/// One instance's status, shared by the generator thread, which writes, and a window, which reads.
#[derive(Debug, Default)]
pub struct GeneratorStatus {
    prediction: Mutex<Prediction>,
    substitute: Mutex<Option<Substitute>>,
}

impl GeneratorStatus {
    /// How the last prediction was made.
    pub fn prediction(&self) -> Prediction {
        lock(&self.prediction).clone()
    }

    /// Who plays in place of the chosen drummer; `None` where that one plays, or is still being loaded.
    pub fn substitute(&self) -> Option<Substitute> {
        lock(&self.substitute).clone()
    }

    /// Reports how a prediction was made.
    pub(super) fn report(&self, prediction: Prediction) {
        *lock(&self.prediction) = prediction;
    }

    /// Reports who plays in place of the chosen drummer, if anybody does.
    pub(super) fn set_substitute(&self, substitute: Option<Substitute>) {
        let mut current = lock(&self.substitute);
        if *current != substitute {
            *current = substitute;
        }
    }
}

fn lock<T>(report: &Mutex<T>) -> MutexGuard<'_, T> {
    // A poisoned lock still holds a complete report.
    report.lock().unwrap_or_else(PoisonError::into_inner)
}
