//! The generator thread: takes each instance's newest request, asks the network, sends the plan.
//!
//! One thread per process, whatever the number of instances: the cores belong to the audio threads. Instances take a [`Seat`]
//! in the [`Pool`]; those with the same drummer on the same device share one copy of its weights. The thread polls for
//! requests every millisecond, because waking it would be a system call on the audio thread.

mod roster;
mod status;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use lockstep_core::generator::Generator;
use lockstep_engine::handoff::GeneratorEnd;
use lockstep_engine::shared_thread::{Registration, SharedThread, SharedThreadCell};

use crate::drummers::{self, Choice, Loaded};
use roster::{Asker, Roster};
pub use status::{Prediction, Status};

/// Polling interval: far below the half step (37 ms at 200 BPM) that the thread has for an answer.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// The pool of this process.
static POOL: SharedThreadCell<Asker> = Mutex::new(Weak::new());

/// Answers the requests of many instances, in turn. The thread ends when the pool and its last seat are dropped.
#[derive(Clone, Debug)]
pub struct Pool(Arc<SharedThread<Asker>>);

impl Pool {
    /// The pool that all instances of this process share; the first starts its thread.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn of_process() -> io::Result<Self> {
        let start = || Ok(Self::with(Roster::new(drummers::load))?.0);
        SharedThread::of_process(&POOL, start).map(Self)
    }

    /// A separate pool. `load` loads a drummer: on its own thread because that may take a while, and once for all instances
    /// with the same choice.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        load: impl Fn(Choice) -> Box<dyn Generator> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::with(Roster::new(move |choice| Loaded::from(load(choice))))
    }

    fn with(roster: Roster) -> io::Result<Self> {
        SharedThread::start("lockstep-generator", POLL_INTERVAL, roster).map(Self)
    }

    /// Answers the requests at this end from now on. `choice` is read for every request and names the drummer that answers.
    pub fn seat(
        &self,
        end: GeneratorEnd,
        status: Arc<Status>,
        choice: impl Fn() -> Choice + Send + 'static,
    ) -> Seat {
        Seat(self.0.join(Asker::new(end, status, Box::new(choice))))
    }
}

/// An instance's place in the pool. Once it is dropped, nothing is answered.
pub struct Seat(#[expect(dead_code, reason = "held for its `Drop`")] Registration<Asker>);

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seat").finish_non_exhaustive()
    }
}
