//! How an editor sees the audio thread: snapshots, one way, without waiting.
//!
//! The audio thread writes a [`Snapshot`] at most 120 times per second. If nobody reads them it stops after a few, so without an
//! editor nothing is copied.

use crate::channel::{NewestReader, NewestWriter, newest};
use crate::realtime::Snapshot;

/// Shortest time between two snapshots, in seconds: two per picture at 60 pictures per second.
const EVERY_S: f64 = 1.0 / 120.0;

/// How many are written without being read: as many as an editor misses that draws 30 pictures per second.
const MAX_UNREAD: u32 = 4;

/// Makes the two ends.
///
/// # Realtime safety
/// Allocates the channel, once.
pub fn snapshots() -> (SnapshotSender, SnapshotReceiver) {
    let (writer, reader) = newest();
    let sender = SnapshotSender {
        writer,
        since_s: EVERY_S,
        n_unread: 0,
    };
    (sender, SnapshotReceiver { reader })
}

/// The audio thread's end.
#[derive(Debug)]
pub struct SnapshotSender {
    writer: NewestWriter<Snapshot>,
    /// Seconds since the last one.
    since_s: f64,
    /// Snapshots written since the editor was last known to have read one, at most [`MAX_UNREAD`].
    n_unread: u32,
}

impl SnapshotSender {
    /// Writes the snapshot from `take` if one is due and somebody reads them. Call it once per block, with the block's
    /// length in seconds.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn pass(&mut self, block_s: f64, take: impl FnOnce() -> Snapshot) {
        self.since_s += block_s;
        if self.writer.is_read() {
            self.n_unread = 0;
        }
        if self.since_s >= EVERY_S && self.n_unread < MAX_UNREAD {
            self.since_s = 0.0;
            self.n_unread += 1;
            self.writer.write(take());
        }
    }
}

/// The editor's end.
#[derive(Debug)]
pub struct SnapshotReceiver {
    reader: NewestReader<Snapshot>,
}

impl SnapshotReceiver {
    /// The newest since the last call.
    pub fn newest(&mut self) -> Option<Snapshot> {
        self.reader.read()
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
        let mut n_made = 0_u32;
        for measure in 0..1000 {
            sender.pass(0.01, || {
                n_made += 1;
                of_measure(measure)
            });
        }
        assert_eq!(n_made, MAX_UNREAD);
        assert!(receiver.newest().is_some());
        assert!(receiver.newest().is_none());
        sender.pass(0.01, || of_measure(7));
        sender.pass(0.001, || of_measure(8));
        assert_eq!(receiver.newest().map(|seen| seen.measure), Some(7));
        for measure in 9..12 {
            sender.pass(0.01, || of_measure(measure));
        }
        assert_eq!(receiver.newest().map(|seen| seen.measure), Some(11));
    }

    #[test]
    fn snapshots_own_no_memory() {
        fn owns_nothing<T: Copy + Send + 'static>() {}
        owns_nothing::<Snapshot>();
    }
}
