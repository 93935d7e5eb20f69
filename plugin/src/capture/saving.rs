//! At most one save a take: what a press of *Save take* asks for, and what it is answered with.
//!
//! A press while a save is on its way adds none, and one after which nothing new has been played is answered with the files
//! that are there. So however often a button is pressed, by whom or what, there are no two files of the same notes, and an
//! instance has one save on its way at most.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lockstep_core::representation::Beats;
use lockstep_engine::synth::KitChoice;

use super::N_MEASURES;
use super::files::{self, SaveError};
use super::outcome::{Board, Outcome};
use super::reel::Reel;
use super::writer::{Busy, Job};

/// What a save is made of beside its notes.
pub(super) struct Request<'a> {
    /// Up to where.
    pub(super) now: Beats,
    /// The kit that it sounds by.
    pub(super) kit: KitChoice,
    /// Where the instance is told.
    pub(super) board: &'a Board,
    /// The folder for takes.
    pub(super) folder: &'a Arc<dyn Fn() -> Result<PathBuf, SaveError> + Send + Sync>,
    /// Who else is told.
    pub(super) tell: &'a Arc<dyn Fn(Outcome) + Send + Sync>,
}

/// An instance's saves: the last one.
#[derive(Default)]
pub(super) struct Saves {
    /// How many notes had begun, and where they are.
    last: Option<(u64, Arc<Mutex<State>>)>,
}

/// Where a save is.
enum State {
    OnItsWay,
    There(PathBuf),
    Failed,
}

impl Saves {
    /// Saves what is on a reel, if that has not been done.
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
                // Its outcome is told when it is there, and answers this press too.
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
    // A state is replaced as a whole.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
