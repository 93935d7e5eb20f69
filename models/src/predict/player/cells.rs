//! The player's draws for each cell: fresh in every measure, unless the variation is turned down.

use lockstep_core::draws;
use lockstep_core::generator::Request;

/// Separates the streams of draws from one another.
const CELL: u64 = 51;
const VELOCITY: u64 = 52;
const OFFSET: u64 = 53;
const RENEW: u64 = 54;

/// The variation from which on every draw is fresh.
const ALL_FRESH: f32 = 0.1;
/// Measures of a phrase; without variation each phrase has the draws of the one before.
const PHRASE: u64 = 8;

/// The draws of a measure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells {
    seed: u64,
    idea: u64,
    measure: u64,
    variation: f32,
}

impl Cells {
    pub(super) fn new(request: &Request) -> Self {
        Self {
            seed: request.settings.seed.into(),
            idea: request.settings.idea.into(),
            measure: request.measure,
            variation: request.settings.variation.clamp(0.0, 1.0),
        }
    }

    /// Factor for temperatures: more variation than what makes every draw fresh makes the draws wider.
    pub(super) fn heat(&self) -> f32 {
        1.0 + 0.5 * (self.variation - ALL_FRESH).max(0.0)
    }

    /// The logistic draw that decides a cell.
    pub(super) fn decision(&self, step: usize, column: usize) -> f32 {
        let u = draws::uniform(&self.key(CELL, step, column));
        (u / (1.0 - u)).ln()
    }

    /// The standard normal draw of a cell's velocity.
    pub(super) fn velocity(&self, step: usize, column: usize) -> f32 {
        draws::normal(&self.key(VELOCITY, step, column))
    }

    /// The standard normal draw of a cell's offset.
    pub(super) fn offset(&self, step: usize, column: usize) -> f32 {
        draws::normal(&self.key(OFFSET, step, column))
    }

    /// Coordinates of a cell's draw.
    fn key(&self, stream: u64, step: usize, column: usize) -> [u64; 7] {
        let Self {
            seed,
            idea,
            measure,
            ..
        } = *self;
        let (step, column) = (step as u64, column as u64);
        let u = draws::uniform(&[RENEW, seed, idea, measure, step, column]);
        let is_fresh = u * ALL_FRESH < self.variation;
        let measure = if is_fresh { measure } else { measure % PHRASE };
        [stream, seed, idea, is_fresh.into(), measure, step, column]
    }
}

#[cfg(test)]
mod tests {
    use lockstep_core::generator::GeneratorSettings;

    use super::*;

    fn cells(measure: u64, variation: f32) -> Cells {
        Cells::new(&Request {
            measure,
            settings: GeneratorSettings {
                seed: 3,
                variation,
                ..GeneratorSettings::default()
            },
            ..Request::default()
        })
    }

    fn differs(a: Cells, b: Cells) -> usize {
        let cells = (0..100).flat_map(|step| (0..10).map(move |column| (step, column)));
        let draw = |of: Cells, (step, column)| of.decision(step, column).to_bits();
        cells.filter(|at| draw(a, *at) != draw(b, *at)).count()
    }

    #[test]
    fn without_variation_phrases_have_the_same_draws_and_their_measures_do_not() {
        assert_eq!(differs(cells(3, 0.0), cells(11, 0.0)), 0);
        assert_eq!(differs(cells(3, 0.0), cells(4, 0.0)), 1000);
    }

    #[test]
    fn variation_renews_its_share_of_the_cells() {
        let half = differs(cells(3, 0.05), cells(3, 0.0));
        assert!((430..570).contains(&half), "{half} of 1000");
        for variation in [0.1, 0.6, 1.0] {
            assert_eq!(differs(cells(3, variation), cells(11, variation)), 1000);
        }
    }

    #[test]
    fn only_more_variation_than_fresh_draws_need_makes_them_wider() {
        let heats = [0.0, 0.1, 0.6].map(|variation| cells(0, variation).heat());
        for (heat, expected) in heats.into_iter().zip([1.0, 1.0, 1.25]) {
            assert!((heat - expected).abs() < 1e-6, "{heat} for {expected}");
        }
    }
}
