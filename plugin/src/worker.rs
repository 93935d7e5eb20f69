//! The framework's worker thread: an instance waits for its own tasks before it goes away.
//!
//! In VST3 with an editor, every automated parameter change becomes a task for one worker thread that all instances of the
//! process share. nice-plug 0.4.2 ends that thread when it meets a task of a dropped instance, and dropping the last instance
//! then panics. So an instance that is deactivated first waits until its queued tasks are done.

use std::fmt;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use nice_plug::context::gui::AsyncExecutor;

use crate::Lockstep;

/// Most attempts to queue a barrier: the queue may be full.
const MAX_TRIES: usize = 8;

/// Wait per attempt.
const BARRIER_TIMEOUT: Duration = Duration::from_millis(100);

/// Time for the worker to release the instance after its last task.
const RELEASE_TIME: Duration = Duration::from_millis(5);

/// A task that only reports that all tasks before it are done.
#[derive(Debug)]
pub struct Barrier(SyncSender<()>);

impl Barrier {
    /// Reports it.
    pub(crate) fn pass(&self) {
        // The receiver may have timed out and gone.
        let _ = self.0.try_send(());
    }
}

/// An instance's access to the worker thread; empty until the editor is made.
#[derive(Default)]
pub(crate) struct Worker(Option<AsyncExecutor<Lockstep>>);

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Worker").finish_non_exhaustive()
    }
}

impl Worker {
    pub(crate) fn new(executor: AsyncExecutor<Lockstep>) -> Self {
        Self(Some(executor))
    }

    /// Waits until this instance's queued tasks are done, for less than a second.
    ///
    /// # Realtime safety
    /// Waits; main thread.
    pub(crate) fn finish(&self) {
        let Some(executor) = &self.0 else { return };
        for _ in 0..MAX_TRIES {
            let (done, is_done) = sync_channel(1);
            executor.execute_background(Barrier(done));
            if is_done.recv_timeout(BARRIER_TIMEOUT).is_ok() {
                break;
            }
        }
        thread::sleep(RELEASE_TIME);
    }
}
