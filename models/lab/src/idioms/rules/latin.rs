//! Rules of the families of Brazil and Cuba.

use lockstep_core::representation::Voice;

use super::Rule;
use crate::idioms::measure::{BACK, HAND_TIME, KICK, LOW, Measure, SNARE, TIME};

/// The strokes of a clave or a partido alto: side stick, or a soft snare.
fn n_clave(m: &Measure, steps: impl IntoIterator<Item = usize>) -> usize {
    steps
        .into_iter()
        .filter(|step| {
            m.has(&[Voice::SideStick], *step) || m.has(SNARE, *step) && !m.has_loud(SNARE, *step)
        })
        .count()
}

pub(super) const BOSSA_NOVA: Rule = Rule {
    words: "kick on one and three and not on two; side stick or soft snare at two or more \
            places, not all on two and four; steady eighths; no loud backbeat",
    is_kept: |m| {
        m.has(KICK, 0)
            && m.has(KICK, 8)
            && !m.has(KICK, 4)
            && n_clave(m, m.all().filter(|step| !matches!(step, 4 | 12))) >= 1
            && n_clave(m, m.all()) >= 2
            && m.n(TIME, m.eighths()) >= 6
            && !m.has_loud_backbeat()
            && !m.is_swung()
    },
};

pub(super) const SAMBA: Rule = Rule {
    words: "kick on one and three; running eighths or sixteenths; and one of: kicks just before \
            the beats, a floor tom as surdo on two or four, side stick or snare at two or more \
            places off the beat; no loud backbeat",
    is_kept: |m| {
        let n_running = m.n(HAND_TIME, m.all()).max(m.n(SNARE, m.all()));
        let n_pick_ups = m.n(KICK, (3..16).step_by(4));
        let n_off = m.n(&[Voice::SideStick, Voice::Snare], m.odd().chain(m.ands()));
        let has_surdo = m.has(&[Voice::LowTom], 4) || m.has(&[Voice::LowTom], 12);
        m.has(KICK, 0)
            && m.has(KICK, 8)
            && n_running >= 7
            && (n_pick_ups >= 2 || has_surdo || n_off >= 2)
            && !m.has_loud_backbeat()
    },
};

pub(super) const SALSA: Rule = Rule {
    words: "no loud backbeat; a bell, hat or cascara partly off the beat; and of four things \
            one: a kick on the \"and\" of two, strokes of a clave off the beat, toms on the \
            pick-up as congas play it, a lone slap on two; not the kicks of a bossa",
    is_kept: |m| {
        let n_off = m.n(HAND_TIME, m.ands()) + m.n(HAND_TIME, m.odd());
        let has_bombo = m.has(LOW, 3) || m.has(KICK, 6) && !m.has(KICK, 4);
        let has_conga = m.has(&[Voice::LowTom, Voice::MidTom], 14);
        let has_slap = m.has(BACK, 4) && !m.has(BACK, 12);
        let is_bossa = m.has(KICK, 0) && m.has(KICK, 8) && m.n(KICK, m.odd()) == 0;
        !m.has_loud_backbeat()
            && !m.is_swung()
            && n_off >= 2
            && (has_bombo || n_clave(m, m.ands().chain(m.odd())) >= 2 || has_conga || has_slap)
            && !is_bossa
            && m.n(BACK, m.beats()) <= 2
    },
};
