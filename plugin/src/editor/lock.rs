//! How well the kick locks with this bass line rather than with any bass line.
//!
//! The published measure is the lock gain: the kick's F1 score against the bassist's onsets minus its mean score against
//! other bass lines. On stage there are no others, so this uses the same line rotated by every number of steps: the same
//! notes and rhythm, in the wrong place.

use lockstep_core::representation::{Voice, WINDOW_STEPS};
use lockstep_engine::realtime::Snapshot;

/// Fewest onsets, and fewest kicks, for a meaningful score.
const FEWEST: u32 = 4;

/// The lock of the last 64 steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lock {
    /// F1 score of the kick against the bass, in percent, minus its mean over the rotated bass lines; 0 if the kick ignores
    /// the bass.
    pub(super) gain: f32,
}

impl Lock {
    /// The lock of a snapshot's window; `None` if there are too few onsets or kicks.
    pub(super) fn of(seen: &Snapshot) -> Option<Self> {
        let bits = |is_set: &dyn Fn(usize) -> bool| {
            (0..WINDOW_STEPS).fold(0_u64, |bits, step| bits | u64::from(is_set(step)) << step)
        };
        let bass = bits(&|step| !seen.window.onsets(step).is_empty());
        let kick = bits(&|step| seen.played[step][Voice::Kick.index()] > 0.0);
        Self::between(kick, bass)
    }

    fn between(kick: u64, bass: u64) -> Option<Self> {
        if kick.count_ones() < FEWEST || bass.count_ones() < FEWEST {
            return None;
        }
        let f1 = |bass: u64| {
            let hits = (kick & bass).count_ones() as f32;
            200.0 * hits / (kick.count_ones() + bass.count_ones()) as f32
        };
        let n_turns = u64::BITS - 1;
        let turned: f32 = (1..=n_turns).map(|by| f1(bass.rotate_left(by))).sum();
        Some(Self {
            gain: f1(bass) - turned / n_turns as f32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kick_on_every_bass_note_locks_and_one_anywhere_does_not() {
        let bass = 0b0000_1000_0010_0001 * 0x0001_0001_0001_0001_u64;
        let with = Lock::between(bass, bass).map_or(0.0, |lock| lock.gain);
        assert!((60.0..=100.0).contains(&with), "{with}");
        let four_to_the_floor = 0x1111_1111_1111_1111;
        let walking = 0x5555_5555_5555_5555;
        let gain = Lock::between(four_to_the_floor, walking).map_or(99.0, |lock| lock.gain);
        assert!(gain.abs() < 50.0);
        let everywhere = Lock::between(u64::MAX, bass).map_or(99.0, |lock| lock.gain);
        assert!(everywhere.abs() < 1e-3, "{everywhere}");
        assert_eq!(Lock::between(1, bass), None);
    }
}
