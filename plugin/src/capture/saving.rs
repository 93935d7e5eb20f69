//! At most one save per take: what happens when *Save take* is pressed.
//!
//! A press during a save is ignored, and a press with nothing new played since the last save reports the existing files. So
//! however often the button is pressed, the same notes are saved once, and an instance has at most one save in progress.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lockstep_core::representation::Position;
use lockstep_engine::synth::KitChoice;

use super::N_MEASURES;
use super::files::{self, SaveError};
use super::recent_measures::RecentMeasures;
use super::save_outcome::{SaveOutcome, SaveStatus};
use super::writer::{Job, WriterBusy};

/// What a save needs besides the notes.
pub(super) struct SaveContext<'a> {
    /// Save up to here.
    pub(super) now: Position,
    /// The kit for the audio.
    pub(super) kit: KitChoice,
    /// Shows the instance the outcome.
    pub(super) save_status: &'a SaveStatus,
    /// The takes folder.
    pub(super) folder: &'a Arc<dyn Fn() -> Result<PathBuf, SaveError> + Send + Sync>,
    /// Also gets the outcome.
    pub(super) log: &'a Arc<dyn Fn(SaveOutcome) + Send + Sync>,
}

/// An instance's last save.
#[derive(Default)]
pub(super) struct TakeSaver {
    /// Number of notes begun at the time, and the state of the save.
    last: Option<(u64, Arc<Mutex<SaveState>>)>,
}

/// State of a save.
enum SaveState {
    InProgress,
    Written(PathBuf),
    Failed,
}

impl TakeSaver {
    /// Saves the recent measures, unless that has been done.
    pub(super) fn save(
        &mut self,
        recent: &RecentMeasures,
        n_lost: &mut u32,
        context: &SaveContext<'_>,
        write: impl Fn(Job) -> Result<(), WriterBusy>,
    ) {
        let SaveContext {
            now,
            kit,
            save_status,
            folder,
            log,
        } = *context;
        let report = {
            let (save_status, log) = (save_status.clone(), Arc::clone(log));
            move |outcome: SaveOutcome| {
                save_status.show(outcome.message());
                log(outcome);
            }
        };
        if let Some((n_begun, state)) = &self.last {
            match &*lock(state) {
                // The outcome of the running save also answers this press.
                SaveState::InProgress => return,
                SaveState::Written(path) if *n_begun == recent.n_begun() && path.is_file() => {
                    report(SaveOutcome::Again { path: path.clone() });
                    return;
                }
                SaveState::Written(_) | SaveState::Failed => {}
            }
        }
        let Some((song, n_measures)) = recent.song(now, N_MEASURES) else {
            report(SaveOutcome::Nothing);
            return;
        };
        let n_lost = std::mem::take(n_lost);
        let state = Arc::new(Mutex::new(SaveState::InProgress));
        self.last = Some((recent.n_begun(), Arc::clone(&state)));
        let job = {
            let (folder, stem) = (Arc::clone(folder), files::stem());
            let (report, state) = (report.clone(), Arc::clone(&state));
            move || {
                let written = catch_unwind(AssertUnwindSafe(|| {
                    Ok(files::write(&folder()?, &stem, &song, kit)?)
                }));
                let outcome = match written {
                    Ok(Ok(path)) => SaveOutcome::Saved {
                        path,
                        n_measures,
                        n_lost,
                    },
                    Ok(Err(error)) => SaveOutcome::Failed(error),
                    Err(_) => SaveOutcome::Panicked,
                };
                *lock(&state) = match &outcome {
                    SaveOutcome::Saved { path, .. } => SaveState::Written(path.clone()),
                    _ => SaveState::Failed,
                };
                report(outcome);
            }
        };
        if let Err(busy) = write(Box::new(job)) {
            *lock(&state) = SaveState::Failed;
            report(SaveOutcome::Failed(busy.into()));
        }
    }
}

impl fmt::Debug for TakeSaver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TakeSaver").finish_non_exhaustive()
    }
}

fn lock(state: &Mutex<SaveState>) -> MutexGuard<'_, SaveState> {
    // States are only replaced as a whole, so a poisoned lock still holds a valid one.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
