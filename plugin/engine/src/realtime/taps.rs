//! Tap tempo: turns taps into the set tempo of the own clock.
//!
//! Time is counted in the performer's frames. Audio thread.

use super::block::FrameOffset;
use arrayvec::ArrayVec;

/// Fastest tempo that can be tapped, in BPM. A tap that comes sooner is a bounce of the last one.
const MAX_BPM: f64 = 400.0;

/// Slowest tempo that can be tapped, in BPM: after a longer pause a new count begins.
const MIN_BPM: f64 = 20.0;

/// An interval longer or shorter than the median by more than this factor begins a new count.
const WILD: f64 = 1.5;

/// Number of intervals the tempo is taken from: those of the last measure, and one to spare.
const N_INTERVALS: usize = 5;

/// The set tempo, and the taps that may change it.
#[derive(Clone, Debug, Default)]
pub(super) struct Taps {
    /// Value of the tempo knob.
    knob_bpm: Option<f64>,
    /// The tempo tapped since the knob was last moved.
    tapped_bpm: Option<f64>,
    /// Frame of the last tap.
    last: Option<u64>,
    /// Number of taps in the current count.
    n_counted: usize,
    /// Intervals between the last taps, in seconds, newest last.
    intervals_s: ArrayVec<f64, N_INTERVALS>,
    /// Frames before the current block.
    zero: u64,
}

impl Taps {
    /// A block has passed.
    pub(super) fn pass(&mut self, n_frames: u32) {
        self.zero += u64::from(n_frames);
    }

    /// Reads the tempo knob: moving it forgets a tapped tempo.
    pub(super) fn see_knob(&mut self, bpm: f64) {
        if self.knob_bpm.map(f64::to_bits) != Some(bpm.to_bits()) {
            (self.knob_bpm, self.tapped_bpm) = (Some(bpm), None);
        }
    }

    /// The set tempo: the tapped one, else the knob's; `None` before the knob was read.
    pub(super) fn tempo_bpm(&self) -> Option<f64> {
        self.tapped_bpm.or(self.knob_bpm)
    }

    /// The tapped tempo, if there is one.
    pub(super) fn tapped_bpm(&self) -> Option<f64> {
        self.tapped_bpm
    }

    /// Takes a tap at a frame of the block. Returns how many taps the count has now, 0 for a bounce.
    pub(super) fn tap(&mut self, frame: FrameOffset, rate_hz: f64) -> usize {
        let now = self.zero + u64::from(frame.0);
        let seconds = self
            .last
            .map(|last| now.saturating_sub(last) as f64 / rate_hz);
        if seconds.is_some_and(|s| s < 60.0 / MAX_BPM) {
            return 0;
        }
        self.last = Some(now);
        let interval = seconds.filter(|s| *s <= 60.0 / MIN_BPM && !self.is_wild(*s));
        if let Some(interval) = interval {
            if self.intervals_s.is_full() {
                self.intervals_s.remove(0);
            }
            // There is room now.
            let _ = self.intervals_s.try_push(interval);
            self.n_counted += 1;
            self.tapped_bpm = self.median_s().map(|s| 60.0 / s);
        } else {
            self.intervals_s.clear();
            self.n_counted = 1;
        }
        self.n_counted
    }

    /// Ends the current count. The tempo stays.
    pub(super) fn end_count(&mut self) {
        self.n_counted = 0;
        self.last = None;
        self.intervals_s.clear();
    }

    fn is_wild(&self, interval_s: f64) -> bool {
        let is_near = |usual: f64| (1.0 / WILD..=WILD).contains(&(interval_s / usual));
        self.median_s().is_some_and(|usual| !is_near(usual))
    }

    fn median_s(&self) -> Option<f64> {
        let mut sorted = self.intervals_s.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let upper = sorted.get(sorted.len() / 2)?;
        let lower = sorted.get(sorted.len().saturating_sub(1) / 2)?;
        Some(f64::midpoint(*lower, *upper))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tempo in BPM after taps at these times in milliseconds, and the number of taps in the last count.
    fn tapped(times_ms: &[u64]) -> (Option<f64>, usize) {
        let mut taps = Taps::default();
        let mut n_taps = 0;
        for time_ms in times_ms {
            taps.zero = time_ms * 48;
            n_taps = taps.tap(FrameOffset(0), 48_000.0);
        }
        (taps.tapped_bpm().map(f64::round), n_taps)
    }

    #[test]
    fn two_taps_set_a_tempo_and_one_does_not() {
        assert_eq!(tapped(&[1000]), (None, 1));
        assert_eq!(tapped(&[1000, 1500]), (Some(120.0), 2));
        assert_eq!(tapped(&[1000, 4000]), (Some(20.0), 2));
        assert_eq!(tapped(&[1000, 1150, 1300]), (Some(400.0), 3));
    }

    #[test]
    fn one_bad_tap_of_many_changes_little() {
        // 0.5 s apart, but for one tap that comes 80 ms late.
        let (tempo, n_taps) = tapped(&[0, 500, 1080, 1500, 2000, 2500]);
        assert_eq!((tempo, n_taps), (Some(120.0), 6));
    }

    #[test]
    fn a_pause_or_a_wild_interval_begins_a_new_count() {
        assert_eq!(tapped(&[0, 500, 1000, 4100]), (Some(120.0), 1));
        assert_eq!(tapped(&[0, 500, 1000, 2000]), (Some(120.0), 1));
        assert_eq!(tapped(&[0, 500, 1000, 1300]), (Some(120.0), 1));
        assert_eq!(tapped(&[0, 500, 1000, 1300, 1600]), (Some(200.0), 2));
    }

    #[test]
    fn a_bounce_is_not_a_tap() {
        assert_eq!(tapped(&[0, 20, 500, 530, 1000]), (Some(120.0), 3));
    }

    #[test]
    fn moving_the_knob_forgets_the_tapped_tempo() {
        let mut taps = Taps::default();
        taps.see_knob(100.0);
        taps.tap(FrameOffset(0), 48_000.0);
        taps.tap(FrameOffset(24_000), 48_000.0);
        taps.see_knob(100.0);
        assert_eq!(taps.tempo_bpm(), Some(120.0));
        taps.see_knob(101.0);
        assert_eq!((taps.tempo_bpm(), taps.tapped_bpm()), (Some(101.0), None));
    }
}
