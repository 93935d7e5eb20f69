//! Groups onsets that are closer together than the grid into what the bassist meant: one note, a chord, a glide.
//!
//! A keyboard, a fretless bass and a pitch-to-MIDI converter all send more note-ons than the bassist plays notes. The times
//! below are choices: a rolled chord is heard as one within 30 ms, and sixteenths 70 ms apart mean a tempo above 200 BPM.

/// Onsets within this time after the first of a gesture are one chord.
const CHORD_S: f64 = 0.030;

/// The same key again within this time is an accidental double strike.
const DOUBLE_S: f64 = 0.030;

/// Neighbouring keys within this time of each other are one glide, if also within half a step.
const GLIDE_S: f64 = 0.070;

/// Most semitones between neighbouring notes of a glide.
const GLIDE_KEYS: u8 = 2;

/// A glide longer than this many steps is a run: its next note begins a new gesture.
const GLIDE_STEPS: f64 = 1.0;

/// A note released within this time after the next one began was not meant to sound with it.
const OVERLAP_S: f64 = 0.060;

/// The onsets of one gesture. Times are in steps from any fixed origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gesture {
    first: f64,
    last: f64,
    last_key: u8,
}

/// How an onset relates to the gesture before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnsetKind {
    /// It begins a new gesture.
    Own,
    /// Another key of the same chord.
    Chord,
    /// The same key again, by accident.
    Double,
    /// The next note of a glide: it replaces the one before.
    Glide,
}

impl Gesture {
    /// Classifies an onset and returns the gesture it begins or continues. `step_s` is the length of a step in seconds.
    pub(super) fn hear(before: Option<Self>, at: f64, key: u8, step_s: f64) -> (OnsetKind, Self) {
        let own = Self {
            first: at,
            last: at,
            last_key: key,
        };
        let Some(before) = before.filter(|before| before.last <= at) else {
            return (OnsetKind::Own, own);
        };
        let on = Self {
            first: before.first,
            ..own
        };
        let since = |then: f64| (at - then) * step_s;
        if key == before.last_key {
            return if since(before.last) < DOUBLE_S {
                (OnsetKind::Double, on)
            } else {
                (OnsetKind::Own, own)
            };
        }
        let is_glide = before.last_key.abs_diff(key) <= GLIDE_KEYS
            && since(before.last) < GLIDE_S
            && at - before.last <= 0.5
            && at - before.first <= GLIDE_STEPS;
        if since(before.first) < CHORD_S {
            (OnsetKind::Chord, on)
        } else if is_glide {
            (OnsetKind::Glide, on)
        } else {
            (OnsetKind::Own, own)
        }
    }

    /// Whether a key released now only overlapped the start of this gesture.
    pub(super) fn is_overlapped_by(&self, key: u8, at: f64, step_s: f64) -> bool {
        key != self.last_key && (0.0..OVERLAP_S).contains(&((at - self.last) * step_s))
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests run on no audio thread"
)]
mod tests {
    use super::*;

    /// Classifies onsets (seconds, key) at 120 BPM, where a step is an eighth of a second.
    fn hear(played: &[(f64, u8)]) -> Vec<OnsetKind> {
        let mut gesture = None;
        played
            .iter()
            .map(|(at, key)| {
                let (onset, now) = Gesture::hear(gesture, at / 0.125, *key, 0.125);
                gesture = Some(now);
                onset
            })
            .collect()
    }

    #[test]
    fn notes_on_the_grid_are_separate_onsets() {
        use OnsetKind::Own;
        let line: Vec<_> = (0..8_u8)
            .map(|i| (f64::from(i) * 0.125, 40 + i % 3))
            .collect();
        assert_eq!(hear(&line), [Own; 8]);
        // Loosely played sixteenths, 20 ms late and early.
        assert_eq!(hear(&[(0.02, 40), (0.105, 42), (0.27, 41)]), [Own; 3]);
    }

    #[test]
    fn a_rolled_chord_is_one_gesture_and_so_is_a_double_strike() {
        use OnsetKind::{Chord, Double, Own};
        assert_eq!(
            hear(&[(0.0, 40), (0.012, 47), (0.025, 52), (0.5, 40)]),
            [Own, Chord, Chord, Own]
        );
        assert_eq!(
            hear(&[(0.0, 40), (0.015, 40), (0.125, 40)]),
            [Own, Double, Own]
        );
    }

    #[test]
    fn a_glide_counts_where_it_arrives_and_a_run_is_not_a_glide() {
        use OnsetKind::{Chord, Glide, Own};
        let slide: Vec<_> = (0..4_u8).map(|i| (f64::from(i) * 0.04, 40 + i)).collect();
        assert_eq!(hear(&slide), [Own, Glide, Glide, Glide]);
        let fast: Vec<_> = (0..4_u8).map(|i| (f64::from(i) * 0.02, 40 + i)).collect();
        assert_eq!(hear(&fast), [Own, Chord, Glide, Glide]);
        // Thirty-second notes for two beats: about one per step counts as an onset.
        let run: Vec<_> = (0..16_u8)
            .map(|i| (f64::from(i) * 0.0625, 40 + i))
            .collect();
        let n_own = hear(&run).iter().filter(|onset| **onset == Own).count();
        assert!((5..=9).contains(&n_own), "{n_own}");
    }
}
