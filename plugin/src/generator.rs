//! The generator thread: takes each instance's newest request, asks the network, sends the plan.
//!
//! One thread per process, whatever the number of instances: the cores belong to the audio threads. Instances register
//! with the [`GeneratorThread`]; those with the same drummer on the same device share one copy of its weights. The thread polls
//! for requests every millisecond, because waking it would be a system call on the audio thread.

mod plan_server;
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

use crate::drummers::{self, DrummerChoice, LoadedDrummer};
use plan_server::{GeneratorClient, PlanServer};
pub use status::{GeneratorStatus, Prediction};

/// Polling interval: far below the half step (37 ms at 200 BPM) that the thread has for an answer.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// The generator thread of this process.
static THREAD: SharedThreadCell<GeneratorClient> = Mutex::new(Weak::new());

/// Answers the requests of many instances, in turn. The thread ends when its last owner and its last client are dropped.
#[derive(Clone, Debug)]
pub struct GeneratorThread(Arc<SharedThread<GeneratorClient>>);

impl GeneratorThread {
    /// The thread that all instances of this process share; the first starts it.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn of_process() -> io::Result<Self> {
        let start = || Ok(Self::with(PlanServer::new(drummers::load))?.0);
        SharedThread::of_process(&THREAD, start).map(Self)
    }

    /// A separate thread. `load` loads a drummer: on its own thread because that may take a while, and once for all instances
    /// with the same choice.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        load: impl Fn(DrummerChoice) -> Box<dyn Generator> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::with(PlanServer::new(move |choice| {
            LoadedDrummer::from(load(choice))
        }))
    }

    fn with(server: PlanServer) -> io::Result<Self> {
        SharedThread::start("lockstep-generator", POLL_INTERVAL, server).map(Self)
    }

    /// Answers the requests at this end from now on. `choice` is read for every request and names the drummer that answers.
    pub fn register(
        &self,
        end: GeneratorEnd,
        status: Arc<GeneratorStatus>,
        choice: impl Fn() -> DrummerChoice + Send + 'static,
    ) -> GeneratorHandle {
        GeneratorHandle(
            self.0
                .join(GeneratorClient::new(end, status, Box::new(choice))),
        )
    }
}

/// Keeps an instance registered. Once it is dropped, nothing is answered.
pub struct GeneratorHandle(
    #[expect(dead_code, reason = "held for its `Drop`")] Registration<GeneratorClient>,
);

impl fmt::Debug for GeneratorHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GeneratorHandle").finish_non_exhaustive()
    }
}
