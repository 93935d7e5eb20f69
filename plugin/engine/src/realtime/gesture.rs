//! What a bassist means by onsets that are closer together than the grid: one stroke, a chord, a glide into a note.
//!
//! A keyboard, a fretless bass and a pitch-to-MIDI converter all send more note-ons than a bassist plays notes. The times
//! below are choices: a rolled chord is heard as one within 30 ms, and nobody plays sixteenths 70 ms apart on purpose below
//! 200 BPM.

/// Onsets this close after the first of a gesture are one chord.
const CHORD_S: f64 = 0.030;

/// The same key this soon again is one note that was struck twice.
const DOUBLE_S: f64 = 0.030;

/// Neighbouring keys that follow each other this fast are one glide, if also within half a step.
const GLIDE_S: f64 = 0.070;

/// Semitones between neighbouring notes of a glide, at most.
const GLIDE_KEYS: u8 = 2;

/// A glide that lasts longer than this many steps is a run, and each of its steps counts.
const GLIDE_STEPS: f64 = 1.0;

/// A note let go of this soon after the next one began was not meant to sound beside it.
const OVERLAP_S: f64 = 0.060;

/// The onsets of one gesture. Times are in steps, from any origin that does not move.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gesture {
    first: f64,
    last: f64,
    last_key: u8,
}

/// What an onset is to the gesture before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Onset {
    /// A new one.
    Own,
    /// Another key of the same chord.
    Chord,
    /// The same key again, by accident.
    Double,
    /// Where a glide has got to: it takes the place of what was heard of it before.
    Glide,
}

impl Gesture {
    /// What an onset is, and the gesture that it makes or goes on with. `step_s` is how long a step lasts, in seconds.
    pub(super) fn hear(before: Option<Self>, at: f64, key: u8, step_s: f64) -> (Onset, Self) {
        let own = Self {
            first: at,
            last: at,
            last_key: key,
        };
        let Some(before) = before.filter(|before| before.last <= at) else {
            return (Onset::Own, own);
        };
        let on = Self {
            first: before.first,
            ..own
        };
        let since = |then: f64| (at - then) * step_s;
        if key == before.last_key {
            return if since(before.last) < DOUBLE_S {
                (Onset::Double, on)
            } else {
                (Onset::Own, own)
            };
        }
        let is_glide = before.last_key.abs_diff(key) <= GLIDE_KEYS
            && since(before.last) < GLIDE_S
            && at - before.last <= 0.5
            && at - before.first <= GLIDE_STEPS;
        if since(before.first) < CHORD_S {
            (Onset::Chord, on)
        } else if is_glide {
            (Onset::Glide, on)
        } else {
            (Onset::Own, own)
        }
    }

    /// Whether a key that is let go now only lapped over into this gesture.
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

    /// What onsets (seconds, key) are at 120 BPM, where a step is an eighth of a second.
    fn hear(played: &[(f64, u8)]) -> Vec<Onset> {
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
    fn notes_on_the_grid_are_each_their_own() {
        use Onset::Own;
        let line: Vec<_> = (0..8_u8)
            .map(|i| (f64::from(i) * 0.125, 40 + i % 3))
            .collect();
        assert_eq!(hear(&line), [Own; 8]);
        // Loosely played sixteenths, 20 ms late and early.
        assert_eq!(hear(&[(0.02, 40), (0.105, 42), (0.27, 41)]), [Own; 3]);
    }

    #[test]
    fn a_rolled_chord_is_one_and_so_is_a_double_strike() {
        use Onset::{Chord, Double, Own};
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
    fn a_glide_is_heard_where_it_has_got_to_and_a_run_is_not_one() {
        use Onset::{Chord, Glide, Own};
        let slide: Vec<_> = (0..4_u8).map(|i| (f64::from(i) * 0.04, 40 + i)).collect();
        assert_eq!(hear(&slide), [Own, Glide, Glide, Glide]);
        let fast: Vec<_> = (0..4_u8).map(|i| (f64::from(i) * 0.02, 40 + i)).collect();
        assert_eq!(hear(&fast), [Own, Chord, Glide, Glide]);
        // Thirty-second notes for two beats: about one in each step is its own.
        let run: Vec<_> = (0..16_u8)
            .map(|i| (f64::from(i) * 0.0625, 40 + i))
            .collect();
        let n_own = hear(&run).iter().filter(|onset| **onset == Own).count();
        assert!((5..=9).contains(&n_own), "{n_own}");
    }
}
