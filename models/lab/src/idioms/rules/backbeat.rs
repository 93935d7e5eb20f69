//! Rules of the families that live on the backbeat: rock, hard rock, punk, pop, ballad, funk, soul, R&B.

use lockstep_core::representation::Voice;

use super::Rule;
use crate::idioms::measure::{BACK, HAND_TIME, KICK, Measure, SNARE, TIME};

/// Tempo in BPM below which a song is slow.
const SLOW_BPM: f64 = 92.0;

/// Every step but two and four.
fn off_backbeat(m: &Measure) -> impl Iterator<Item = usize> {
    m.all().filter(|step| !matches!(step, 4 | 12))
}

pub(super) const ROCK: Rule = Rule {
    words: "straight; snare (or side stick) on two or four, or on three alone in half time; at \
            least one kick off them; a hand on hat, ride, crash or floor tom in quarters or \
            eighths, not in sixteenths",
    is_kept: |m| {
        let hand = |step: &usize| {
            m.has(HAND_TIME, *step) || m.has(&[Voice::LowTom, Voice::PedalHat], *step)
        };
        let is_half_time = m.has_stroke(SNARE, 8) && !m.has(BACK, 4) && !m.has(BACK, 12);
        !m.is_swung()
            && (m.has_stroke(BACK, 4) || m.has_stroke(BACK, 12) || is_half_time)
            && m.n(&[Voice::SideStick], off_backbeat(m)) == 0
            && m.n(KICK, off_backbeat(m)) >= 1
            && m.eighths().filter(hand).count() >= 4
            && m.n(HAND_TIME, m.odd()) <= 3
    },
};

pub(super) const HARD_ROCK: Rule = Rule {
    words: "straight and loud: snare accents on two and four, or on three; kicks on all beats, \
            four or more with one off the beat, or a run of them; no ghost notes, no side stick",
    is_kept: |m| {
        let n_kicks = m.n(KICK, m.all());
        let is_run = (0..m.n_steps().saturating_sub(2)).any(|step| m.n(KICK, step..step + 3) == 3);
        let accents = m.has_loud(SNARE, 4) && m.has_loud(SNARE, 12) || m.has_loud(SNARE, 8);
        !m.is_swung()
            && accents
            && (is_run || n_kicks >= 4)
            && m.n_ghosts(SNARE) == 0
            && m.n(&[Voice::SideStick], m.all()) == 0
            && m.n(SNARE, m.all()) <= 5
    },
};

pub(super) const PUNK: Rule = Rule {
    words: "fast and straight: from 110 BPM on kick and snare in turn, the snare on the \
            \"ands\"; from 140 BPM on the snare on two and four; a hand that drives",
    is_kept: |m| {
        let is_double_time = m.n_strokes(SNARE, m.ands()) >= 3 && m.n(KICK, m.all()) >= 2;
        let is_driving = m.tempo_bpm >= 140.0
            && m.has_stroke(SNARE, 4)
            && m.has_stroke(SNARE, 12)
            && m.n(KICK, m.all()) >= 2
            && !m.is_four_on_the_floor();
        let n_driven = m
            .all()
            .filter(|step| m.has(HAND_TIME, *step) || m.has(&[Voice::LowTom], *step))
            .count();
        m.tempo_bpm >= 110.0
            && (is_double_time || is_driving)
            && n_driven >= 3
            && m.n(TIME, m.odd()) <= 2
    },
};

pub(super) const POP: Rule = Rule {
    words: "a clear backbeat of snare, side stick or clap on two and four; a kick on one or just \
            after it and two to six in all; steady eighths or sixteenths; few ghost notes",
    is_kept: |m| {
        !m.is_swung()
            && m.has_backbeat()
            && m.n(KICK, 0..4) >= 1
            && (2..=6).contains(&m.n(KICK, m.all()))
            && m.n(TIME, m.eighths()) >= 6
            && m.n_ghosts(SNARE) <= 3
    },
};

pub(super) const BALLAD: Rule = Rule {
    words: "slow; kick on one and no more than five; snare, side stick or clap on four or on \
            three, four strokes at most; a light hand in quarters or eighths",
    is_kept: |m| {
        let accents = m.has(BACK, 12) || m.has(BACK, 8);
        m.tempo_bpm <= SLOW_BPM
            && m.has(KICK, 0)
            && m.n(KICK, m.all()) <= 5
            && accents
            && m.n(BACK, m.all()) <= 4
            && m.n(TIME, m.eighths()) >= 4
    },
};

pub(super) const FUNK: Rule = Rule {
    words: "sixteenths: at least two kicks, ghost notes or displaced snares on them, or one \
            where the hand runs in sixteenths; kick on one; an accent on two or four; a hand in \
            eighths or sixteenths",
    is_kept: |m| {
        let n_sixteenths = m.n(KICK, m.odd()) + m.n(SNARE, m.odd());
        let has_running_hand = m.n(HAND_TIME, m.odd()) >= 4;
        !m.is_swung()
            && m.has(KICK, 0)
            && (n_sixteenths >= 2 || n_sixteenths == 1 && has_running_hand)
            && (m.has_stroke(BACK, 4) || m.has_stroke(BACK, 12))
            && m.n(TIME, m.all()) >= 6
    },
};

pub(super) const SOUL: Rule = Rule {
    words: "snare on all four beats (Motown); or, straight, a backbeat with kick on one and off \
            the beat, and quarters or eighths on hat, ride or tambourine",
    is_kept: |m| {
        let is_motown = m.n_strokes(BACK, m.beats()) == 4;
        let n_off = m.n(KICK, m.all()) - m.n(KICK, m.beats());
        !m.is_swung()
            && m.n(KICK, m.all()) >= 2
            && (is_motown
                || m.has_backbeat() && m.has(KICK, 0) && n_off >= 1 && m.n(TIME, m.eighths()) >= 4)
    },
};

pub(super) const RHYTHM_AND_BLUES: Rule = Rule {
    words: "straight and no faster than 116 BPM: snare, side stick or clap on two and four; kick \
            on one, at most six in all and never on two or four; a hand on hat, ride, shaker or \
            tambourine",
    is_kept: |m| {
        m.tempo_bpm <= 116.0
            && !m.is_swung()
            && m.has_backbeat()
            && m.has(KICK, 0)
            && !m.has(KICK, 4)
            && !m.has(KICK, 12)
            && m.n(KICK, m.all()) <= 6
            && m.n(TIME, m.all()) >= 4
    },
};
