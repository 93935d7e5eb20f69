//! How the audio thread passes values to other threads and back: the newest value, or every value in order.
//!
//! Both channels have one writer and one reader, made together and then moved to a thread each. What crosses is `Copy`: it
//! owns nothing, so nothing can be freed on the wrong thread. No end ever waits for the other, allocates after it was made,
//! or makes a system call; nobody is woken, so a reader polls.
//!
//! | channel | keeps | when the reader is slow | for |
//! |---|---|---|---|
//! | [`newest`] | one value | older values are replaced | requests, plans, snapshots |
//! | [`tape`] | every value, in order | values that do not fit are counted as lost | notes, records |
//!
//! [`newest`] is a triple buffer: writer and reader own a slot each, and exchange it for the third one. `cargo xtask test` runs
//! it through every interleaving of two threads (loom). [`tape`] is rtrb's ring buffer.
#![expect(
    unsafe_code,
    reason = "the slots of a triple buffer are shared by two threads"
)]

use std::fmt;
use std::sync::Arc;
#[cfg(not(loom))]
use std::sync::atomic::AtomicU8;
use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(loom)]
use loom::sync::atomic::AtomicU8;

/// The bits of [`Slots::spare`] that say which slot it is.
const INDEX: u8 = 0b011;

/// The bit of [`Slots::spare`] that is set until the reader has read the value in that slot.
const FRESH: u8 = 0b100;

/// Makes a channel that keeps the newest value.
///
/// ```
/// let (mut writer, mut reader) = lockstep_engine::channel::newest();
/// assert_eq!(reader.read(), None);
/// writer.write(1);
/// writer.write(2);
/// assert_eq!(reader.read(), Some(2));
/// assert_eq!(reader.read(), None, "each value is read once");
/// ```
///
/// # Realtime safety
/// Allocates the slots, once.
pub fn newest<T: Copy + Send>() -> (NewestWriter<T>, NewestReader<T>) {
    let slots = Arc::new(Slots {
        values: std::array::from_fn(|_| Slot::new()),
        spare: AtomicU8::new(1),
    });
    let writer = NewestWriter {
        slots: Arc::clone(&slots),
        own: 0,
    };
    (writer, NewestReader { slots, own: 2 })
}

/// Three slots: the writer's, the reader's, and the spare one that they exchange theirs for.
struct Slots<T> {
    values: [Slot<T>; 3],
    /// Which slot is the spare one, and whether it is [`FRESH`].
    spare: AtomicU8,
}

// SAFETY: a slot is touched only by the end that owns it, and ownership passes through `spare` with release and acquire.
unsafe impl<T: Copy + Send> Sync for Slots<T> {}

// SAFETY: the slots own their values, which are `Send`.
unsafe impl<T: Copy + Send> Send for Slots<T> {}

/// Writes the newest value. One writer exists per channel.
pub struct NewestWriter<T> {
    slots: Arc<Slots<T>>,
    /// The slot that only this end touches.
    own: u8,
}

impl<T: Copy + Send> NewestWriter<T> {
    /// Makes this the newest value.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn write(&mut self, value: T) {
        if let Some(slot) = self.slots.values.get(usize::from(self.own)) {
            // SAFETY: `own` is this end's slot until the exchange below.
            unsafe { slot.set(value) };
        }
        let given = self.own | FRESH;
        self.own = self.slots.spare.swap(given, Ordering::AcqRel) & INDEX;
    }

    /// Whether the reader has read the newest value; `true` before the first.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn is_read(&self) -> bool {
        self.slots.spare.load(Ordering::Relaxed) & FRESH == 0
    }
}

/// Reads the newest value. One reader exists per channel.
pub struct NewestReader<T> {
    slots: Arc<Slots<T>>,
    /// The slot that only this end touches.
    own: u8,
}

impl<T: Copy + Send> NewestReader<T> {
    /// The newest value, unless it has been read before.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn read(&mut self) -> Option<T> {
        if self.slots.spare.load(Ordering::Relaxed) & FRESH == 0 {
            return None;
        }
        self.own = self.slots.spare.swap(self.own, Ordering::AcqRel) & INDEX;
        let slot = self.slots.values.get(usize::from(self.own))?;
        // SAFETY: the writer has filled this slot and given it away; nobody else owns it now.
        unsafe { slot.get() }
    }
}

impl<T> fmt::Debug for NewestWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewestWriter").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for NewestReader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewestReader").finish_non_exhaustive()
    }
}

/// Room for one value.
#[cfg(not(loom))]
struct Slot<T>(std::cell::UnsafeCell<Option<T>>);

#[cfg(loom)]
struct Slot<T>(loom::cell::UnsafeCell<Option<T>>);

#[cfg(not(loom))]
impl<T: Copy> Slot<T> {
    fn new() -> Self {
        Self(std::cell::UnsafeCell::new(None))
    }

    /// # Safety
    /// No other thread touches the slot meanwhile.
    unsafe fn set(&self, value: T) {
        // SAFETY: as the caller promises.
        unsafe { *self.0.get() = Some(value) };
    }

    /// # Safety
    /// No other thread touches the slot meanwhile.
    unsafe fn get(&self) -> Option<T> {
        // SAFETY: as the caller promises.
        unsafe { *self.0.get() }
    }
}

#[cfg(loom)]
impl<T: Copy> Slot<T> {
    fn new() -> Self {
        Self(loom::cell::UnsafeCell::new(None))
    }

    /// # Safety
    /// No other thread touches the slot meanwhile; loom checks it.
    unsafe fn set(&self, value: T) {
        // SAFETY: as the caller promises.
        self.0.with_mut(|slot| unsafe { *slot = Some(value) });
    }

    /// # Safety
    /// No other thread touches the slot meanwhile; loom checks it.
    unsafe fn get(&self) -> Option<T> {
        // SAFETY: as the caller promises.
        self.0.with(|slot| unsafe { *slot })
    }
}

/// Makes a channel that keeps every value, in order, up to so many that have not been read.
///
/// ```
/// let (mut writer, mut reader) = lockstep_engine::channel::tape(2);
/// assert!(writer.put('a') && writer.put('b'));
/// assert!(!writer.put('c'), "there is no room");
/// assert_eq!(reader.read(), Some('a'));
/// assert_eq!(reader.take_lost(), 1);
/// assert_eq!((reader.read(), reader.read()), (Some('b'), None));
/// ```
///
/// # Realtime safety
/// Allocates the buffer, once.
pub fn tape<T: Copy + Send>(capacity: usize) -> (TapeWriter<T>, TapeReader<T>) {
    let (producer, consumer) = rtrb::RingBuffer::new(capacity);
    let n_lost = Arc::new(AtomicU32::new(0));
    let writer = TapeWriter {
        ring: producer,
        n_lost: Arc::clone(&n_lost),
    };
    let reader = TapeReader {
        ring: consumer,
        n_lost,
    };
    (writer, reader)
}

/// Writes to a tape. One writer exists per channel.
#[derive(Debug)]
pub struct TapeWriter<T> {
    ring: rtrb::Producer<T>,
    n_lost: Arc<AtomicU32>,
}

impl<T: Copy + Send> TapeWriter<T> {
    /// Puts a value on the tape, or counts it as lost where there is no room. Says whether it is on the tape.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn put(&mut self, value: T) -> bool {
        self.put_leaving(0, value)
    }

    /// [`Self::put`], but leaves room for so many more important values: without that much the value is lost.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn put_leaving(&mut self, n_left: usize, value: T) -> bool {
        let has_room = self.ring.slots() > n_left && self.ring.push(value).is_ok();
        if !has_room {
            self.n_lost.fetch_add(1, Ordering::Relaxed);
        }
        has_room
    }

    /// How many values were lost since the reader asked last.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn n_lost(&self) -> u32 {
        self.n_lost.load(Ordering::Relaxed)
    }
}

/// Reads a tape. One reader exists per channel.
#[derive(Debug)]
pub struct TapeReader<T> {
    ring: rtrb::Consumer<T>,
    n_lost: Arc<AtomicU32>,
}

impl<T: Copy + Send> TapeReader<T> {
    /// The oldest value that has not been read.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn read(&mut self) -> Option<T> {
        self.ring.pop().ok()
    }

    /// How many values were lost since this was asked last.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn take_lost(&self) -> u32 {
        self.n_lost.swap(0, Ordering::Relaxed)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Some work for an interpreter, more for a processor.
    const N: u32 = if cfg!(miri) { 50 } else { 100_000 };

    #[test]
    fn what_is_read_is_never_older_than_what_was_read_before_and_the_last_value_arrives() {
        let (mut writer, mut reader) = newest();
        std::thread::scope(|scope| {
            // A value of many words: a torn one would not be equal in all of them.
            scope.spawn(move || (1..=N).for_each(|n| writer.write([n; 16])));
            let mut last = 0;
            while last < N {
                if let Some(value) = reader.read() {
                    assert!(value[0] > last && value == [value[0]; 16], "{value:?}");
                    last = value[0];
                }
                std::hint::spin_loop();
            }
        });
    }

    #[test]
    fn a_writer_knows_whether_the_newest_value_was_read() {
        let (mut writer, mut reader) = newest();
        assert!(writer.is_read());
        writer.write('a');
        assert!(!writer.is_read());
        writer.write('b');
        assert_eq!(reader.read(), Some('b'));
        assert!(writer.is_read());
    }

    #[test]
    fn a_tape_keeps_the_order_and_counts_what_it_loses() {
        let (mut writer, mut reader) = tape(8);
        let n_lost = std::thread::scope(|scope| {
            scope.spawn(move || {
                (1..=N).for_each(|n| {
                    writer.put(n);
                });
            });
            let (mut last, mut n_read, mut n_lost) = (0, 0, 0);
            while n_read + n_lost < N {
                n_lost += reader.take_lost();
                while let Some(value) = reader.read() {
                    assert!(value > last);
                    last = value;
                    n_read += 1;
                }
                std::hint::spin_loop();
            }
            n_lost
        });
        assert!(n_lost < N);
    }

    #[test]
    fn room_is_left_for_what_matters_more() {
        let (mut writer, mut reader) = tape(4);
        assert!(writer.put_leaving(2, 1) && writer.put_leaving(2, 2));
        assert!(!writer.put_leaving(2, 3));
        assert!(writer.put(4) && writer.put(5) && !writer.put(6));
        assert_eq!(reader.take_lost(), 2);
        let read: Vec<_> = std::iter::from_fn(|| reader.read()).collect();
        assert_eq!(read, [1, 2, 4, 5]);
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::newest;

    /// Every interleaving of a writer and a reader: no slot is touched by both, values come in order, the last one arrives.
    #[test]
    fn every_interleaving_is_sound() {
        loom::model(|| {
            let (mut writer, mut reader) = newest();
            let writing = loom::thread::spawn(move || {
                (1..=3).for_each(|n| writer.write(n));
                writer
            });
            let mut last = 0;
            for _ in 0..2 {
                if let Some(value) = reader.read() {
                    assert!(value > last);
                    last = value;
                }
            }
            let writer = writing.join().unwrap();
            if let Some(value) = reader.read() {
                assert!(value > last);
                last = value;
            }
            assert_eq!(last, 3);
            assert!(writer.is_read());
        });
    }
}
