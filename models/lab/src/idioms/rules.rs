//! One rule a measure for each family of grooves: what a drummer would sign as belonging to it.
//!
//! A rule knows one measure, not the song: it says whether a listener would name the family, not whether the drums are good.
//! It must hold in most of the measures that people play in the family, and in few of the others.

mod backbeat;
mod dance;
mod islands;
mod latin;
mod roots;
mod swung;
#[cfg(test)]
mod tests;

use lockstep_core::family::Family;

use super::measure::Measure;

/// Whether a measure keeps a family's rule; `None` in a meter that the rule does not speak of. What two hands cannot play keeps
/// none.
pub(crate) fn keeps(family: Family, measure: &Measure) -> Option<bool> {
    let is_in_meter = match family {
        Family::Waltz | Family::JazzWaltz => measure.is_three(),
        Family::GospelSixEight => measure.is_common() || measure.is_compound(),
        Family::March => measure.is_common() || measure.n_steps() == 8 || measure.is_compound(),
        _ => measure.is_common(),
    };
    is_in_meter.then(|| measure.is_playable() && rule(family).keeps(measure))
}

/// The rule of a family in words.
pub(crate) fn words(family: Family) -> &'static str {
    rule(family).words
}

/// A rule: the words for people, and the same as a question.
#[derive(Clone, Copy)]
struct Rule {
    words: &'static str,
    is_kept: fn(&Measure) -> bool,
}

impl Rule {
    fn keeps(self, measure: &Measure) -> bool {
        (self.is_kept)(measure)
    }
}

fn rule(family: Family) -> Rule {
    match family {
        Family::Rock => backbeat::ROCK,
        Family::HardRock => backbeat::HARD_ROCK,
        Family::Punk => backbeat::PUNK,
        Family::Pop => backbeat::POP,
        Family::Ballad => backbeat::BALLAD,
        Family::TrainBeat => roots::TRAIN_BEAT,
        Family::TwoBeat => roots::TWO_BEAT,
        Family::BluesShuffle => swung::BLUES_SHUFFLE,
        Family::Swing => swung::SWING,
        Family::JazzWaltz => swung::JAZZ_WALTZ,
        Family::Waltz => roots::WALTZ,
        Family::Funk => backbeat::FUNK,
        Family::Soul => backbeat::SOUL,
        Family::RhythmAndBlues => backbeat::RHYTHM_AND_BLUES,
        Family::Disco => dance::DISCO,
        Family::House => dance::HOUSE,
        Family::HipHop => dance::HIP_HOP,
        Family::DrumAndBass => dance::DRUM_AND_BASS,
        Family::Reggae => islands::REGGAE,
        Family::Ska => islands::SKA,
        Family::BossaNova => latin::BOSSA_NOVA,
        Family::Samba => latin::SAMBA,
        Family::Salsa => latin::SALSA,
        Family::GospelSixEight => swung::GOSPEL_SIX_EIGHT,
        Family::March => roots::MARCH,
        Family::NewOrleans => roots::NEW_ORLEANS,
    }
}
