//! The generator thread: takes each instance's newest request, asks the network, sends the plan.
//!
//! One thread a process, whatever the number of instances: the cores belong to the audio threads. Instances take a [`Seat`]
//! in the [`Pool`]; those that chose the same drummer on the same device share one copy of its weights. The thread looks for
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
use lockstep_engine::shared_thread::{Membership, Shared, SharedThread};

use crate::drummers::{self, Choice, Loaded};
use roster::{Asker, Roster};
pub use status::{Prediction, Status};

/// How long the thread sleeps between two looks: far below the half step (37 ms at 200 BPM) that it has for an answer.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// The pool of this process.
static POOL: Shared<Asker> = Mutex::new(Weak::new());

/// Answers the requests of many instances, in turn. Ends when it and the last seat in it are dropped.
#[derive(Clone, Debug)]
pub struct Pool(Arc<SharedThread<Asker>>);

impl Pool {
    /// The pool that all instances of this process share; the first starts its thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn of_process() -> io::Result<Self> {
        let start = || Ok(Self::with(Roster::new(drummers::load))?.0);
        SharedThread::shared(&POOL, start).map(Self)
    }

    /// A pool of its own, with what loads a drummer: on a thread of its own, for that may take a while, and once for all who
    /// want the same.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        load: impl Fn(Choice) -> Box<dyn Generator> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::with(Roster::new(move |choice| Loaded::from(load(choice))))
    }

    fn with(roster: Roster) -> io::Result<Self> {
        SharedThread::start("lockstep-generator", LOOK_EVERY, roster).map(Self)
    }

    /// Answers what comes in at this end from now on, by the drummer that `choice` names when a request is taken up, and
    /// reports to `status`.
    pub fn seat(
        &self,
        end: GeneratorEnd,
        status: Arc<Status>,
        choice: impl Fn() -> Choice + Send + 'static,
    ) -> Seat {
        Seat(self.0.join(Asker::new(end, status, Box::new(choice))))
    }
}

/// An instance's place in the pool; nothing is answered once it is dropped.
pub struct Seat(#[expect(dead_code, reason = "held for what its drop does")] Membership<Asker>);

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seat").finish_non_exhaustive()
    }
}
