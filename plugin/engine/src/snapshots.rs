//! How an editor sees the audio thread: a queue of snapshots, one way, without waiting.
//!
//! The audio thread pushes a [`Snapshot`] if there is room; the editor pops all of them and keeps the newest. Without an
//! editor the queue stays full and nothing is copied.

use std::sync::Arc;

use crossbeam::queue::ArrayQueue;

use crate::realtime::Snapshot;

/// Slots of the queue. One always stays free, so that the writer never meets the slot being read, the only one that could
/// make it spin.
const N_SNAPSHOTS: usize = 4;

/// Shortest time between two snapshots, in seconds: two per picture at 60 pictures per second.
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
    /// Pushes the snapshot from `take` if one is due and there is room. Call it once per block, with the block's length in
    /// seconds.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn pass(&mut self, block_s: f64, take: impl FnOnce() -> Snapshot) {
        self.since_s += block_s;
        if self.since_s >= EVERY_S && self.queue.len() + 1 < self.queue.capacity() {
            self.since_s = 0.0;
            // There is room, because only this thread pushes.
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
    fn the_editor_sees_the_newest_and_without_one_none_are_made() {
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
    fn snapshots_own_no_memory() {
        fn owns_nothing<T: Copy + Send + 'static>() {}
        owns_nothing::<Snapshot>();
    }
}
