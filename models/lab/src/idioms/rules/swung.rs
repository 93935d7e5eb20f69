//! Rules of the families in triplets: shuffle, swing, jazz waltz, gospel in 6/8.

use lockstep_core::representation::Voice;

use super::Rule;
use crate::idioms::measure::{BACK, HAND_TIME, KICK, Measure, SNARE, TIME};

/// What plays the ride pattern.
const RIDE: &[Voice] = &[Voice::Ride, Voice::ClosedHat, Voice::OpenHat, Voice::Snare];

/// What marks two and four in swing.
const TWO_AND_FOUR: &[Voice] = &[
    Voice::PedalHat,
    Voice::ClosedHat,
    Voice::OpenHat,
    Voice::SideStick,
];

pub(super) const BLUES_SHUFFLE: Rule = Rule {
    words: "swung eighths: a hand on every beat and at least two skip notes; snare, side stick \
            or clap on two and four; kick on one",
    is_kept: |m| {
        m.n(HAND_TIME, m.beats()) >= 3
            && m.n_skips(HAND_TIME).max(m.n_skips(SNARE)) >= 2
            && m.has_backbeat()
            && m.has(KICK, 0)
    },
};

pub(super) const SWING: Rule = Rule {
    words: "ride, hat or brush with at least one skip note and foot hat, or a light stroke in \
            its place, on two or four; or quarters on the ride over the foot hat on two and \
            four; no loud backbeat",
    is_kept: |m| {
        let foot = &[Voice::PedalHat];
        let n_skips = m.n_skips(RIDE);
        // Skip notes on every beat are only eighths, unless the foot says otherwise.
        let is_ride_pattern = n_skips < 4 || m.has(foot, 4) && m.has(foot, 12);
        let has_skip = n_skips >= 1
            && is_ride_pattern
            && m.n(RIDE, m.beats()) >= 2
            && (m.has(TWO_AND_FOUR, 4) || m.has(TWO_AND_FOUR, 12));
        let is_in_four = m.n(&[Voice::Ride, Voice::OpenHat], m.beats()) >= 2
            && m.n(HAND_TIME, m.ands().chain(m.odd())) == 0
            && m.has(foot, 4)
            && m.has(foot, 12)
            && !m.has(foot, 0);
        (has_skip || is_in_four) && !(m.has_loud(SNARE, 4) && m.has_loud(SNARE, 12))
    },
};

pub(super) const JAZZ_WALTZ: Rule = Rule {
    words: "ride or hat on two beats of the three, and one of: a stroke off the beat, the foot \
            hat on two, the ride on all three; no accent of the snare on two or three",
    is_kept: |m| {
        let n_off = m
            .all()
            .filter(|step| step % 4 != 0 && m.has(RIDE, *step))
            .count();
        m.n(&[Voice::Ride, Voice::ClosedHat, Voice::OpenHat], m.beats()) >= 2
            && (n_off >= 1 || m.has(&[Voice::PedalHat], 4) || m.n(&[Voice::Ride], m.beats()) == 3)
            && !m.has_loud(SNARE, 4)
            && !m.has_loud(SNARE, 8)
    },
};

pub(super) const GOSPEL_SIX_EIGHT: Rule = Rule {
    words: "three to the beat on hat, ride or shaker; kick on one; snare, side stick or clap on \
            the second beat of 6/8, on two and four of 12/8",
    is_kept: |m| {
        m.has(KICK, 0)
            && if m.is_compound() {
                is_compound(m)
            } else {
                is_in_triplets(m)
            }
    },
};

/// 6/8 or 12/8 on its own grid: an eighth is two steps.
fn is_compound(m: &Measure) -> bool {
    let eighths = m.n(TIME, m.eighths());
    let backbeat = (6..m.n_steps())
        .step_by(12)
        .all(|step| m.has_stroke(BACK, step));
    3 * eighths >= 2 * m.eighths().len() && backbeat
}

/// 12/8 counted as 4/4: the three eighths of a beat are its first three steps, or on a straight grid the nearest ones.
fn is_in_triplets(m: &Measure) -> bool {
    let last = if m.is_swung() { 2 } else { 3 };
    let is_triplet = |beat: &usize| {
        m.n(TIME, *beat..beat + 4) == 3 && m.n(TIME, [*beat, beat + 1, beat + last]) == 3
    };
    m.beats().filter(is_triplet).count() >= 3 && (m.has_backbeat() || m.has_stroke(BACK, 8))
}
