//! Rules of older dances and of the street: train beat, two-beat, waltz, march, New Orleans.

use lockstep_core::representation::Voice;

use super::Rule;
use crate::idioms::measure::{BACK, HAND_TIME, HATS, KICK, LOW, Measure, SNARE};

/// What answers the kick lightly.
const LIGHT: &[Voice] = &[
    Voice::Snare,
    Voice::SideStick,
    Voice::Clap,
    Voice::ClosedHat,
    Voice::PedalHat,
    Voice::OpenHat,
    Voice::Ride,
    Voice::Tambourine,
];

pub(super) const TRAIN_BEAT: Rule = Rule {
    words: "the snare runs in sixteenths, or in eighths from 150 BPM on; kick on one and three",
    is_kept: |m| {
        let is_running = m.n(SNARE, m.all()) >= 8 && m.n(SNARE, m.odd()) >= 3
            || m.tempo_bpm >= 150.0 && m.n(SNARE, m.eighths()) >= 6;
        is_running && m.has(KICK, 0) && m.has(KICK, 8)
    },
};

pub(super) const TWO_BEAT: Rule = Rule {
    words: "kick on one and three and not on two and four, at most four kicks; something light \
            on two and four; no sixteenths. Counted twice as fast: kick on all four and \
            something light on all \"ands\", without open hat or loud backbeat",
    is_kept: |m| {
        let is_in_two = m.has(KICK, 0)
            && m.has(KICK, 8)
            && !m.has(KICK, 4)
            && !m.has(KICK, 12)
            && m.n(KICK, m.all()) <= 4
            && m.has(LIGHT, 4)
            && m.has(LIGHT, 12);
        let is_in_four = m.is_four_on_the_floor()
            && m.n(KICK, m.all()) == 4
            && m.n(LIGHT, m.ands()) == 4
            && m.n(&[Voice::OpenHat], m.all()) == 0
            && !m.has_loud_backbeat();
        (is_in_two || is_in_four)
            && m.n(&[Voice::Snare, Voice::SideStick], m.odd()) <= 2
            && m.n(HAND_TIME, m.all()) <= 8
    },
};

pub(super) const WALTZ: Rule = Rule {
    words: "kick, or a floor tom, on one; something light on two and three (at 180 BPM on one of \
            them), and no kick there",
    is_kept: |m| {
        // Fast waltzes, felt in one, often leave a beat out.
        let n_light = usize::from(m.has(LIGHT, 4)) + usize::from(m.has(LIGHT, 8));
        m.has(LOW, 0)
            && (n_light == 2 || n_light == 1 && m.is_fast())
            && !m.has(KICK, 4)
            && !m.has(KICK, 8)
    },
};

pub(super) const MARCH: Rule = Rule {
    words: "kick, or a floor tom, on the strong beats and at most once beside them; the snare \
            twice or more off the beat, or on the strong beats, not as a backbeat; no hand keeps \
            eighths on the hat",
    is_kept: is_march,
};

fn is_march(m: &Measure) -> bool {
    let n_kicks = m.n(LOW, m.all());
    let n_snares = m.n(SNARE, m.all());
    let strong = m.n(LOW, m.beats());
    let answers = n_snares - m.n(SNARE, m.beats()) >= 2;
    // Side drums that only mark the strong beats also march; those that mark two and four are a backbeat.
    let marks_strong = m.has(SNARE, 0) && !m.has(SNARE, 4) && !m.has_loud(BACK, 12);
    n_kicks >= 1
        && n_kicks <= strong + 1
        && (answers || marks_strong)
        && !(m.is_common() && m.has_loud_backbeat() && n_snares <= 4)
        && m.n(&[Voice::ClosedHat], m.all()) <= 4
        && m.n(HAND_TIME, m.all()) <= m.n_steps() / 2
}

pub(super) const NEW_ORLEANS: Rule = Rule {
    words: "a street beat: six or more strokes of the snare, three of them off the beat; two \
            kicks or more, one of them off the beat or on four; hats by foot or few",
    is_kept: |m| {
        let off = m.n(SNARE, m.odd()) + m.n(SNARE, m.ands());
        let n_off_kicks = m.n(KICK, m.all()) - m.n(KICK, m.beats());
        m.n(SNARE, m.all()) >= 6
            && off >= 3
            && m.n(KICK, m.all()) >= 2
            && (n_off_kicks >= 1 || m.has(KICK, 12) && !m.has(KICK, 4))
            && m.n(HATS, m.odd()) <= 4
    },
};
