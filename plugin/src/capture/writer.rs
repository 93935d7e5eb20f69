//! The thread that writes takes: for as long as there are any, and whether there still is an instance or not.
//!
//! Rendering a sound and waiting for a disk take a second, on a busy machine many; nobody who leaves waits for that. The
//! thread therefore is nobody's: what was begun when the last instance leaves, it ends. Its code stays in memory until the
//! process ends, and so [`crate::device::stay_loaded`] is called before it starts. Where the process ends first, the notes
//! of a take are there whole and of its sound nothing is (see [`lockstep_files::whole::NewFile`]).

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use nice_plug::prelude::nice_error;

use crate::device::stay_loaded;

/// Most takes that wait. An instance has one save on its way and a few exports, and each take holds its notes alone.
const MAX_WAITING: usize = 64;

/// A take to be written: renders, writes and tells how it went.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// Why a take is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// Too many are before it.
    #[error("{MAX_WAITING} takes are still to be written: wait until they are, and try again")]
    Full,
    /// The system gives no thread.
    #[error("the system gives no thread to write it: close other programs, and try again")]
    NoThread,
}

/// Writes takes, one after the other.
#[derive(Clone, Default)]
pub(super) struct Writer(Arc<Mutex<Jobs>>);

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    /// Whether the thread is there. It goes when it finds nothing waiting.
    has_thread: bool,
}

impl Writer {
    /// The one of this process.
    pub(super) fn of_process() -> Self {
        static WRITER: LazyLock<Writer> = LazyLock::new(Writer::default);
        WRITER.clone()
    }

    /// Has a take written after those before it. Never waits for one.
    ///
    /// # Errors
    /// [`Busy`]; then the take is not written.
    pub(super) fn put(&self, job: Job) -> Result<(), Busy> {
        let mut jobs = self.lock();
        if jobs.waiting.len() >= MAX_WAITING {
            return Err(Busy::Full);
        }
        if !jobs.has_thread {
            stay_loaded();
            let writer = self.clone();
            let thread = Builder::new().name("lockstep-writer".to_owned());
            thread
                .spawn(move || writer.write())
                .map_err(|_| Busy::NoThread)?;
            jobs.has_thread = true;
        }
        jobs.waiting.push_back(job);
        Ok(())
    }

    /// The thread.
    fn write(&self) {
        while let Some(job) = self.next() {
            // A job tells by itself how it went; the takes of the others are still to be written.
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                nice_error!("Lockstep could not tell how a take was written: it panicked");
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut jobs = self.lock();
        let job = jobs.waiting.pop_front();
        jobs.has_thread = job.is_some();
        job
    }

    fn lock(&self) -> MutexGuard<'_, Jobs> {
        // Nothing that is done under the lock leaves it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("n_waiting", &self.lock().waiting.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn takes_are_written_in_turn_though_one_panics_and_the_next_ones_have_a_thread_again() {
        let writer = Writer::default();
        let (told, written) = channel();
        for round in 0..3 {
            for n in 0..5 {
                let told = told.clone();
                let put = writer.put(Box::new(move || {
                    assert_ne!(n, 2, "one of them fails");
                    let _ = told.send((round, n));
                }));
                assert_eq!(put, Ok(()));
            }
            for n in [0, 1, 3, 4] {
                assert_eq!(written.recv().ok(), Some((round, n)));
            }
        }
    }

    #[test]
    fn so_many_wait_and_no_more_and_nobody_waits_to_be_told_so() {
        let writer = Writer::default();
        let (begin, may_begin) = channel::<()>();
        let (on_it, is_on_it) = channel();
        let blocking = Box::new(move || {
            let _ = on_it.send(());
            let _ = may_begin.recv();
        });
        assert_eq!(writer.put(blocking), Ok(()));
        assert!(is_on_it.recv().is_ok());
        let (told, n_written) = channel();
        for _ in 0..MAX_WAITING {
            let told = told.clone();
            let put = writer.put(Box::new(move || {
                let _ = told.send(());
            }));
            assert_eq!(put, Ok(()));
        }
        assert_eq!(writer.put(Box::new(|| {})), Err(Busy::Full));
        drop((begin, told));
        assert_eq!(n_written.iter().count(), MAX_WAITING);
    }
}
