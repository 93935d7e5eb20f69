//! Rules of reggae and ska.

use super::Rule;
use crate::idioms::measure::{BACK, HAND_TIME, KICK, Measure};

pub(super) const REGGAE: Rule = Rule {
    words: "side stick or snare on three and no loud backbeat, with the kick on three: one-drop \
            with nothing on one, rockers with a kick there, steppers on all four; or with two \
            kicks at most. Counted twice as slow: kick and accent on two and four, none on one \
            and three",
    is_kept: |m| {
        let has_kick = m.has(KICK, 8) || m.n(KICK, m.all()) <= 2 && !m.has(KICK, 4);
        is_drop(m) && has_kick || is_slow_drop(m)
    },
};

/// Whether the accent is on three, and two and four are free of it.
fn is_drop(m: &Measure) -> bool {
    m.has_stroke(BACK, 8) && !m.has_loud_backbeat()
}

/// Whether kick and accent meet on two and four, and one and three are free.
fn is_slow_drop(m: &Measure) -> bool {
    m.has_backbeat() && m.has(KICK, 4) && m.has(KICK, 12) && !m.has(KICK, 0) && !m.has(KICK, 8)
}

pub(super) const SKA: Rule = Rule {
    words: "100 BPM or faster; hat, ride or shaker off the beat at least three times and seldom \
            on it; snare or side stick on two and four, or on three",
    is_kept: |m| {
        // The off-beat of fast ska is written as eighths, straight or swung.
        let n_off = (0..4)
            .filter(|beat| m.has(HAND_TIME, 4 * beat + 2) || m.has(HAND_TIME, 4 * beat + 3))
            .count();
        m.tempo_bpm >= 100.0
            && n_off >= 3
            && m.n(HAND_TIME, m.beats()) <= 3
            && (m.has_backbeat() || m.has_stroke(BACK, 8))
            && !m.is_four_on_the_floor()
    },
};
