//! The thread that writes takes. It runs while there are takes to write, whether or not any instance still exists.
//!
//! Rendering audio and waiting for the disk take a second, many on a busy machine, and no instance should wait for that when
//! it leaves. So no instance owns the thread: it finishes all queued takes. Its code must stay in memory until then, which is
//! why [`crate::device::stay_loaded`] is called before it starts. If the process exits first, a take has its complete MIDI file
//! and no WAV file (see [`lockstep_models::whole::NewFile`]).

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use nice_plug::prelude::nice_error;

use crate::device::stay_loaded;

/// Most takes in the queue. An instance has at most one save and a few exports in progress, and a take is only its notes.
const MAX_WAITING: usize = 64;

/// Renders and writes a take, and reports the outcome.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// Why a take was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriterBusy {
    /// The queue is full.
    #[error("{MAX_WAITING} takes are waiting to be written: wait for them, then try again")]
    Full,
    /// The thread cannot be started.
    #[error("the writer thread cannot be started: close other programs, then try again")]
    NoThread,
}

/// Writes takes, one after the other.
#[derive(Clone, Default)]
pub(super) struct Writer(Arc<Mutex<JobQueue>>);

#[derive(Default)]
struct JobQueue {
    waiting: VecDeque<Job>,
    /// Whether the thread is running. It ends when the queue is empty.
    has_thread: bool,
}

impl Writer {
    /// The writer of this process.
    pub(super) fn of_process() -> Self {
        static WRITER: LazyLock<Writer> = LazyLock::new(Writer::default);
        WRITER.clone()
    }

    /// Queues a take. Never waits for it to be written.
    ///
    /// # Errors
    /// [`WriterBusy`]; then the take will not be written.
    pub(super) fn put(&self, job: Job) -> Result<(), WriterBusy> {
        let mut jobs = self.lock();
        if jobs.waiting.len() >= MAX_WAITING {
            return Err(WriterBusy::Full);
        }
        if !jobs.has_thread {
            stay_loaded();
            let writer = self.clone();
            let thread = Builder::new().name("lockstep-writer".to_owned());
            thread
                .spawn(move || writer.write())
                .map_err(|_| WriterBusy::NoThread)?;
            jobs.has_thread = true;
        }
        jobs.waiting.push_back(job);
        Ok(())
    }

    /// The thread's loop.
    fn write(&self) {
        while let Some(job) = self.next() {
            // Jobs report their own outcome; a panic must not stop the takes after it.
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                nice_error!("Lockstep could not report the outcome of a take: it panicked");
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut jobs = self.lock();
        let job = jobs.waiting.pop_front();
        jobs.has_thread = job.is_some();
        job
    }

    fn lock(&self) -> MutexGuard<'_, JobQueue> {
        // Nothing under the lock leaves the queue half changed, so a poisoned lock is still valid.
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
    fn takes_are_written_in_turn_even_if_one_panics_and_later_ones_start_a_new_thread() {
        let writer = Writer::default();
        let (report, written) = channel();
        for round in 0..3 {
            for n in 0..5 {
                let report = report.clone();
                let put = writer.put(Box::new(move || {
                    assert_ne!(n, 2, "one of them fails");
                    let _ = report.send((round, n));
                }));
                assert_eq!(put, Ok(()));
            }
            for n in [0, 1, 3, 4] {
                assert_eq!(written.recv().ok(), Some((round, n)));
            }
        }
    }

    #[test]
    fn a_full_queue_refuses_the_next_take_at_once() {
        let writer = Writer::default();
        let (begin, may_begin) = channel::<()>();
        let (on_it, is_on_it) = channel();
        let blocking = Box::new(move || {
            let _ = on_it.send(());
            let _ = may_begin.recv();
        });
        assert_eq!(writer.put(blocking), Ok(()));
        assert!(is_on_it.recv().is_ok());
        let (report, n_written) = channel();
        for _ in 0..MAX_WAITING {
            let report = report.clone();
            let put = writer.put(Box::new(move || {
                let _ = report.send(());
            }));
            assert_eq!(put, Ok(()));
        }
        assert_eq!(writer.put(Box::new(|| {})), Err(WriterBusy::Full));
        drop((begin, report));
        assert_eq!(n_written.iter().count(), MAX_WAITING);
    }
}
