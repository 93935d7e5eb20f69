//! How an editor sees the audio thread: copies of what there is to see, one way, and nobody waits.
//!
//! The audio thread puts a [`Snapshot`] down where there is room and goes on; the editor takes all that lie there and
//! keeps the newest. Without an editor nothing is taken, so there is no room and nothing is copied.

use std::sync::Arc;

use crossbeam::queue::ArrayQueue;

use crate::realtime::Snapshot;

/// Snapshots that lie there at most, and one slot that stays free: the slot that is being taken from is the only thing
/// that could make the writer spin.
const N_SNAPSHOTS: usize = 4;

/// How often one is put down at most, in seconds: twice for every picture at 60 a second.
const EVERY_S: f64 = 1.0 / 120.0;

/// Makes the two ends.
///
/// # Realtime safety
/// Allocates the queue, once.
pub fn snapshots() -> (SnapshotSender, SnapshotReceiver) {
    let queue = Arc::new(ArrayQueue::new(N_SNAPSHOTS));
    let sender = SnapshotSender {
        queue: Arc::clone(&queue),
        since_s: EVERY_S,
    };
    (sender, SnapshotReceiver { queue })
}

/// The audio thread's end.
#[derive(Debug)]
pub struct SnapshotSender {
    queue: Arc<ArrayQueue<Snapshot>>,
    /// Seconds since the last one.
    since_s: f64,
}

impl SnapshotSender {
    /// Puts down what `take` gives, if it is time and somebody has looked. A block has passed, of so many seconds.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn pass(&mut self, block_s: f64, take: impl FnOnce() -> Snapshot) {
        self.since_s += block_s;
        if self.since_s >= EVERY_S && self.queue.len() + 1 < self.queue.capacity() {
            self.since_s = 0.0;
            // There is room: nobody else puts anything down.
            let _ = self.queue.push(take());
        }
    }
}

/// The editor's end.
#[derive(Debug)]
pub struct SnapshotReceiver {
    queue: Arc<ArrayQueue<Snapshot>>,
}

impl SnapshotReceiver {
    /// The newest since the last call.
    pub fn newest(&mut self) -> Option<Snapshot> {
        std::iter::from_fn(|| self.queue.pop()).last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_measure(measure: u64) -> Snapshot {
        Snapshot {
            measure,
            ..Snapshot::default()
        }
    }

    #[test]
    fn the_newest_is_seen_and_without_an_editor_none_is_made() {
        let (mut sender, mut receiver) = snapshots();
        let mut n_made = 0;
        for measure in 0..1000 {
            sender.pass(0.01, || {
                n_made += 1;
                of_measure(measure)
            });
        }
        assert_eq!(n_made, N_SNAPSHOTS - 1);
        assert!(receiver.newest().is_some());
        assert!(receiver.newest().is_none());
        sender.pass(0.01, || of_measure(7));
        sender.pass(0.001, || of_measure(8));
        assert_eq!(receiver.newest().map(|seen| seen.measure), Some(7));
    }

    #[test]
    fn what_crosses_the_thread_owns_nothing() {
        fn owns_nothing<T: Copy + Send + 'static>() {}
        owns_nothing::<Snapshot>();
    }
}
