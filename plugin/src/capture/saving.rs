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
use super::outcome::{Board, Outcome};
use super::reel::Reel;
use super::writer::{Busy, Job};

/// What a save needs besides the notes.
pub(super) struct Request<'a> {
    /// Save up to here.
    pub(super) now: Position,
    /// The kit for the audio.
    pub(super) kit: KitChoice,
    /// Shows the instance the outcome.
    pub(super) board: &'a Board,
    /// The takes folder.
    pub(super) folder: &'a Arc<dyn Fn() -> Result<PathBuf, SaveError> + Send + Sync>,
    /// Also gets the outcome.
    pub(super) tell: &'a Arc<dyn Fn(Outcome) + Send + Sync>,
}

/// An instance's last save.
#[derive(Default)]
pub(super) struct Saves {
    /// Number of notes begun at the time, and the state of the save.
    last: Option<(u64, Arc<Mutex<State>>)>,
}

/// State of a save.
enum State {
    OnItsWay,
    There(PathBuf),
    Failed,
}

impl Saves {
    /// Saves what is on a reel, unless that has been done.
    pub(super) fn save(
        &mut self,
        reel: &Reel,
        n_lost: &mut u32,
        request: &Request<'_>,
        write: impl Fn(Job) -> Result<(), Busy>,
    ) {
        let Request {
            now,
            kit,
            board,
            folder,
            tell,
        } = *request;
        let say = {
            let (board, tell) = (board.clone(), Arc::clone(tell));
            move |outcome: Outcome| {
                board.show(outcome.told());
                tell(outcome);
            }
        };
        if let Some((n_begun, state)) = &self.last {
            match &*lock(state) {
                // The outcome of the running save also answers this press.
                State::OnItsWay => return,
                State::There(path) if *n_begun == reel.n_begun() && path.is_file() => {
                    say(Outcome::Again { path: path.clone() });
                    return;
                }
                State::There(_) | State::Failed => {}
            }
        }
        let Some((song, n_measures)) = reel.song(now, N_MEASURES) else {
            say(Outcome::Nothing);
            return;
        };
        let n_lost = std::mem::take(n_lost);
        let state = Arc::new(Mutex::new(State::OnItsWay));
        self.last = Some((reel.n_begun(), Arc::clone(&state)));
        let job = {
            let (folder, stem) = (Arc::clone(folder), files::stem());
            let (say, state) = (say.clone(), Arc::clone(&state));
            move || {
                let written = catch_unwind(AssertUnwindSafe(|| {
                    Ok(files::write(&folder()?, &stem, &song, kit)?)
                }));
                let outcome = match written {
                    Ok(Ok(path)) => Outcome::Saved {
                        path,
                        n_measures,
                        n_lost,
                    },
                    Ok(Err(error)) => Outcome::Failed(error),
                    Err(_) => Outcome::Panicked,
                };
                *lock(&state) = match &outcome {
                    Outcome::Saved { path, .. } => State::There(path.clone()),
                    _ => State::Failed,
                };
                say(outcome);
            }
        };
        if let Err(busy) = write(Box::new(job)) {
            *lock(&state) = State::Failed;
            say(Outcome::Failed(busy.into()));
        }
    }
}

impl fmt::Debug for Saves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saves").finish_non_exhaustive()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // States are only replaced as a whole, so a poisoned lock still holds a valid one.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
