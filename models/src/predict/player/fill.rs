//! Where a fill begins, and whether there is one where the player is left free.
//!
//! A free drummer decides at the start of each measure, with a draw of its own, so that fills end phrases and are not left to
//! chance cell by cell: mostly in the last measure of eight, less often of four, seldom elsewhere.

use lockstep_core::draws;
use lockstep_core::generator::{DrumHistory, FillLength, FillWish, GeneratorSettings, Request};
use lockstep_core::representation::STEPS_PER_BEAT;

/// Separates the draw from those of [`super::cells`] and [`super::idea`].
const FREE: u64 = 61;

/// How often people fill the last measure of eight, that of four, and any other; at `fills` ½.
const CHANCES: [f32; 3] = [0.5, 0.22, 0.02];

/// The fill of a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fill {
    /// Whether the measure has one; `None` leaves it to the network.
    pub(super) is_fill: Option<bool>,
    /// The step of the measure from which on it is played.
    pub(super) from_step: usize,
}

impl Fill {
    /// The fill of the measure asked. When people's drums are continued, for measurement, it is not known.
    pub(super) fn of(request: &Request, history: DrumHistory, song: u64) -> Self {
        let n_steps = request.meter.n_steps();
        let begin = |length| match length {
            FillLength::Beat => n_steps.saturating_sub(STEPS_PER_BEAT as usize),
            FillLength::Half => n_steps / 2,
            FillLength::Measure => 0,
        };
        let (is_fill, from_step) = match request.settings.fill {
            FillWish::With(length) => (Some(true), begin(length)),
            FillWish::Without => (Some(false), 0),
            FillWish::Free if history != DrumHistory::Own => (None, 0),
            FillWish::Free => (Some(plays(request.settings, song, request.measure)), 0),
        };
        Self { is_fill, from_step }
    }

    /// What the network is told of it at a step of the measure.
    pub(super) fn at(self, step_idx: usize) -> Option<bool> {
        self.is_fill
            .map(|is_fill| is_fill && step_idx >= self.from_step)
    }
}

/// Whether a free drummer fills a measure.
fn plays(settings: GeneratorSettings, song: u64, measure: u64) -> bool {
    let ends = |n: u64| (measure + 1).is_multiple_of(n);
    let place = if ends(8) {
        0
    } else if ends(4) {
        1
    } else {
        2
    };
    // From never over people's chance to always, where a phrase ends; elsewhere at most twice as often as people.
    let (amount, chance) = (settings.fills.clamp(0.0, 1.0), CHANCES[place]);
    let most = if place < 2 { 1.0 } else { 2.0 * chance };
    let chance = if amount <= 0.5 {
        2.0 * amount * chance
    } else {
        chance + (2.0 * amount - 1.0) * (most - chance)
    };
    let (seed, idea) = (settings.seed.into(), settings.idea.into());
    draws::uniform(&[FREE, seed, idea, song, measure]) < chance
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 800 measures have a fill, and how many of these end a phrase of four.
    fn count(fills: f32) -> (usize, usize) {
        let filled = |measure: &u64| {
            let settings = GeneratorSettings {
                fills,
                ..GeneratorSettings::default()
            };
            plays(settings, 0, *measure)
        };
        let filled: Vec<u64> = (0..800).filter(filled).collect();
        let ends = filled.iter().filter(|m| (*m + 1).is_multiple_of(4)).count();
        (filled.len(), ends)
    }

    #[test]
    fn free_fills_mostly_end_phrases() {
        let (n, ends) = count(0.5);
        assert!((60..110).contains(&n), "{n} of 800");
        assert!(4 * ends >= 3 * n, "{ends} of {n}");
        assert_eq!(count(0.0), (0, 0));
        let (n, ends) = count(1.0);
        assert_eq!(ends, 200);
        assert!(n > ends);
    }

    #[test]
    fn a_fill_takes_as_much_of_the_measure_as_is_asked_for() {
        let begins = FillLength::ALL.map(|length| {
            let request = Request {
                settings: GeneratorSettings {
                    fill: FillWish::With(length),
                    ..GeneratorSettings::default()
                },
                ..Request::default()
            };
            let fill = Fill::of(&request, DrumHistory::Own, 0);
            (0..16).position(|step| fill.at(step) == Some(true))
        });
        assert_eq!(begins, [Some(12), Some(8), Some(0)]);
        let free = Fill::of(&Request::default(), DrumHistory::People, 0);
        assert_eq!(free.at(3), None);
    }
}
