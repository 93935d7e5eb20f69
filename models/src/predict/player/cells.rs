//! The player's draws for each cell: fresh in every measure, unless the variation is turned down.

use lockstep_core::draws;
use lockstep_core::generator::Request;

/// Separates the streams of draws from one another.
const CELL: u64 = 51;
const VELOCITY: u64 = 52;
const OFFSET: u64 = 53;
const RENEW: u64 = 54;
const RETURN: u64 = 55;

/// The variation from which on every draw is fresh.
const ALL_FRESH: f32 = 0.1;
/// Measures of a phrase; without variation each phrase has the draws of the one before.
const PHRASE: u64 = 8;

/// Factor for temperatures at a variation: more than what makes every draw fresh makes the draws wider.
pub(super) fn heat(variation: f32) -> f32 {
    1.0 + 0.5 * (variation.clamp(0.0, 1.0) - ALL_FRESH).max(0.0)
}

/// Added to the log-odds of doing something new: less than the default variation brings back more, and none all that it can;
/// more brings back less.
pub(super) fn restlessness(variation: f32) -> f32 {
    let beyond = variation.clamp(0.0, 1.0) - ALL_FRESH;
    if beyond < 0.0 {
        -1000.0 * beyond * beyond
    } else {
        3.0 * beyond
    }
}

/// The draws of a measure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells {
    seed: u64,
    idea: u64,
    song: u64,
    measure: u64,
    variation: f32,
}

impl Cells {
    /// Those of the measure asked, of a song known by [`super::idea::Idea::song`].
    pub(super) fn new(request: &Request, song: u64) -> Self {
        Self {
            seed: request.settings.seed.into(),
            idea: request.settings.idea.into(),
            song,
            measure: request.measure,
            variation: request.settings.variation.clamp(0.0, 1.0),
        }
    }

    /// The Gumbel draw that decides whether a strand does something new or brings back an earlier measure, and which.
    pub(super) fn choice(&self, strand: usize, choice: usize) -> f32 {
        draws::gumbel(&self.key(RETURN, strand, choice))
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
    fn key(&self, stream: u64, step: usize, column: usize) -> [u64; 8] {
        let Self {
            seed,
            idea,
            song,
            measure,
            ..
        } = *self;
        let (step, column) = (step as u64, column as u64);
        let u = draws::uniform(&[RENEW, seed, idea, song, measure, step, column]);
        let is_fresh = u * ALL_FRESH < self.variation;
        let measure = if is_fresh { measure } else { measure % PHRASE };
        let is_fresh = u64::from(is_fresh);
        [stream, seed, idea, song, is_fresh, measure, step, column]
    }
}

#[cfg(test)]
mod tests {
    use lockstep_core::generator::GeneratorSettings;

    use super::*;

    fn cells(measure: u64, variation: f32) -> Cells {
        of_song(0, measure, variation)
    }

    fn of_song(song: u64, measure: u64, variation: f32) -> Cells {
        let request = Request {
            measure,
            settings: GeneratorSettings {
                seed: 3,
                variation,
                ..GeneratorSettings::default()
            },
            ..Request::default()
        };
        Cells::new(&request, song)
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
    fn every_song_has_draws_of_its_own() {
        for variation in [0.0, 0.1] {
            let [a, b] = [1, 2].map(|song| of_song(song, 3, variation));
            assert_eq!(differs(a, b), 1000);
        }
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
    fn variation_asks_for_something_new() {
        let asked = [0.0, 0.05, 0.1, 0.5, 1.0].map(restlessness);
        assert!(asked.is_sorted_by(|a, b| a < b), "{asked:?}");
        assert!(asked[2].abs() < 1e-6);
    }

    #[test]
    fn only_more_variation_than_fresh_draws_need_makes_them_wider() {
        let heats = [0.0, 0.1, 0.6].map(heat);
        for (heat, expected) in heats.into_iter().zip([1.0, 1.0, 1.25]) {
            assert!((heat - expected).abs() < 1e-6, "{heat} for {expected}");
        }
    }
}
