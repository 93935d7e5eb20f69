//! Rules of the families made for dance floors and loops: disco, house, hip-hop, drum and bass.

use lockstep_core::representation::Voice;

use super::Rule;
use crate::idioms::measure::{BACK, HATS, KICK, TIME};

pub(super) const DISCO: Rule = Rule {
    words: "kick on all four; open hat or the foot's, or else shaker or tambourine and not on \
            the beat, on at least three off-beats; snare or clap on two and four",
    is_kept: |m| {
        let hats = m.n(&[Voice::OpenHat, Voice::PedalHat], m.ands());
        let is_off_beat =
            |voice: Voice| m.n(&[voice], m.ands()) >= 3 && m.n(&[voice], m.beats()) <= 1;
        m.is_four_on_the_floor()
            && (hats >= 3 || is_off_beat(Voice::Shaker) || is_off_beat(Voice::Tambourine))
            && m.has_backbeat()
    },
};

pub(super) const HOUSE: Rule = Rule {
    words: "100 to 150 BPM; kick on all four; hat, shaker or tambourine on at least three \
            off-beats; no snare, side stick or clap on one or three",
    is_kept: |m| {
        (100.0..=150.0).contains(&m.tempo_bpm)
            && m.is_four_on_the_floor()
            && m.n(TIME, m.ands()) >= 3
            && !m.has_stroke(BACK, 0)
            && !m.has_stroke(BACK, 8)
    },
};

pub(super) const HIP_HOP: Rule = Rule {
    words: "no faster than 116 BPM; snare, side stick or clap on two and four; kick on one and \
            broken, on sixteenths or \"ands\", never on two or four; a hat in eighths or \
            sixteenths",
    is_kept: |m| {
        let n_off = m.n(KICK, m.all()) - m.n(KICK, m.beats());
        m.tempo_bpm <= 116.0
            && !m.is_swung()
            && m.has_backbeat()
            && m.has(KICK, 0)
            && n_off >= 1
            && !m.has(KICK, 4)
            && !m.has(KICK, 12)
            && m.n(HATS, m.all()) >= 6
    },
};

pub(super) const DRUM_AND_BASS: Rule = Rule {
    words: "155 BPM or faster; snare on two and on four or just beside it; kick on or after one \
            and again between two and four, off the beat; never on all four",
    is_kept: |m| {
        let has_late = (10..=14).any(|step| m.has(BACK, step));
        m.tempo_bpm >= 155.0
            && m.has(BACK, 4)
            && has_late
            && m.n(KICK, 0..4) >= 1
            && m.n(KICK, 5..12) >= 1
            && !m.is_four_on_the_floor()
    },
};
