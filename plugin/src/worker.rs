//! The framework's worker thread, and how an instance leaves it in peace.
//!
//! In VST3 with an editor every automated change of a parameter becomes a task of one worker thread that all instances of
//! the process share. nice-plug 0.4.2 ends that thread when it meets a task of an instance that is gone, and the process
//! panics at the last one's end. So an instance that is put to rest first waits until the tasks it has queued are done.

use std::fmt;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use nice_plug::context::gui::AsyncExecutor;

use crate::Lockstep;

/// How often a barrier is queued at most: the queue may be full.
const MAX_TRIES: usize = 8;

/// How long each is waited for.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long the worker has to let go of the instance after its last task.
const LETTING_GO: Duration = Duration::from_millis(5);

/// A task that only tells that those before it are done.
#[derive(Debug)]
pub struct Barrier(SyncSender<()>);

impl Barrier {
    /// Tells it.
    pub(crate) fn pass(&self) {
        // Who has waited too long has gone.
        let _ = self.0.try_send(());
    }
}

/// An instance's way to the worker thread; none until the editor is made.
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

    /// Waits until what this instance has queued is done, not for long.
    ///
    /// # Realtime safety
    /// Waits; main thread.
    pub(crate) fn finish(&self) {
        let Some(executor) = &self.0 else { return };
        for _ in 0..MAX_TRIES {
            let (done, is_done) = sync_channel(1);
            executor.execute_background(Barrier(done));
            if is_done.recv_timeout(PATIENCE).is_ok() {
                break;
            }
        }
        thread::sleep(LETTING_GO);
    }
}
