//! The noise that a prediction draws. It depends only on the player's taste and the measure.
//!
//! Training and prediction share these functions, so that in a song a generator gets the noise it was trained on: the same
//! from measure to measure, except for the share that `variation` renews. A cell is a step and a column of the generator's own
//! voices, so that weights draw what they always drew, however many voices the kit has.

use lockstep_core::draws;
use lockstep_core::generator::GeneratorSettings;

use crate::network::N_LATENT;

/// Separates the streams of draws from one another.
const LATENT: u64 = 1;
const CELL: u64 = 2;
const RENEW: u64 = 3;
const VELOCITY: u64 = 4;
const OFFSET: u64 = 5;
const DYNAMICS: u64 = 6;
const LOOSENESS: u64 = 7;
const LEVEL: u64 = 8;

/// Shares of a velocity's variance about its mean: between one drummer's voices, and from hit to hit. The rest is between
/// drummers; see [`DrummerTouch::level`].
const VELOCITY_SHARES: (f32, f32) = (0.25, 0.4);

/// How a drummer's touch differs from the average: drawn from the seed alone, the same for a whole take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrummerTouch {
    /// Added to every velocity; normal with a standard deviation of 0.11.
    pub level: f32,
    /// Factor for the distance of velocities from [`ORDINARY_VELOCITY`], in `[0, 2.1]`.
    pub dynamics: f32,
    /// Factor for offsets from the grid, in `[0, 2.5]`.
    pub looseness: f32,
}

impl DrummerTouch {
    /// An offset from the grid, in steps, with this touch.
    ///
    /// Small offsets scale with the looseness. A triplet (a third of a step) is intended, so every drummer plays it in
    /// full; between an eighth and a quarter of a step one blends into the other.
    pub fn place(self, offset: f32) -> f32 {
        let meant = ((offset.abs() - 0.125) / 0.125).clamp(0.0, 1.0);
        offset * (meant + (1.0 - meant) * self.looseness)
    }
}

/// The median song's mean velocity, in `[0, 1]`.
pub const ORDINARY_VELOCITY: f32 = 0.7;

/// The touch of this seed.
///
/// The distributions follow the training songs. The standard deviation of a song's velocities is uniform from 0 to twice the
/// median. Three songs in ten are on the grid; the other songs' standard deviations from it are exponentially distributed.
/// The limit of 2.5 cuts off the loosest tenth of the songs.
pub fn drummer_touch(settings: GeneratorSettings) -> DrummerTouch {
    let seed = u64::from(settings.seed);
    let beyond_the_grid = (1.0 - draws::uniform(&[LOOSENESS, seed])) / (1.0 - ON_THE_GRID);
    DrummerTouch {
        level: LEVEL_SPREAD * draws::normal(&[LEVEL, seed]),
        dynamics: 2.1 * draws::uniform(&[DYNAMICS, seed]),
        looseness: (-1.25 * beyond_the_grid.ln()).clamp(0.0, 2.5),
    }
}

/// Standard deviation of the songs' mean velocities that the bass does not explain.
const LEVEL_SPREAD: f32 = 0.11;

/// Share of the songs whose drums are on the grid.
const ON_THE_GRID: f32 = 0.3;

/// The seed of a take's draws: drummer and idea. The touch ignores the idea.
fn stream_seed(settings: GeneratorSettings) -> u64 {
    u64::from(settings.idea) << 32 | u64::from(settings.seed)
}

/// The noise vector of one measure, standard normal at every variation.
pub fn latent(settings: GeneratorSettings, measure: u64) -> [f32; N_LATENT] {
    let seed = stream_seed(settings);
    let renewed = settings.variation.clamp(0.0, 1.0);
    let kept = (1.0 - renewed * renewed).sqrt();
    std::array::from_fn(|i| {
        let own = draws::normal(&[LATENT, seed, i as u64]);
        if renewed == 0.0 {
            return own;
        }
        kept * own + renewed * draws::normal(&[LATENT, seed, i as u64, measure])
    })
}

/// The logistic draw that decides one cell of the hit map: the hit sounds if its logit plus the draw is positive, which
/// happens with the probability that the logit stands for.
pub fn cell(settings: GeneratorSettings, measure: u64, step_idx: usize, column: usize) -> f32 {
    let u = held(CELL, settings, measure, step_idx, column, draws::uniform);
    (u / (1.0 - u)).ln()
}

/// The draw of one cell's velocity: the voice's part plus `looseness` times the hit's part.
pub fn velocity(
    settings: GeneratorSettings,
    measure: u64,
    (step_idx, column): (usize, usize),
    looseness: f32,
) -> f32 {
    let seed = u64::from(settings.seed);
    let (voices, hits) = VELOCITY_SHARES;
    voices.sqrt() * draws::normal(&[VELOCITY, seed, column as u64])
        + looseness
            * hits.sqrt()
            * held(VELOCITY, settings, measure, step_idx, column, draws::normal)
}

/// The standard normal draw of one cell's offset.
pub fn offset(settings: GeneratorSettings, measure: u64, step_idx: usize, column: usize) -> f32 {
    held(OFFSET, settings, measure, step_idx, column, draws::normal)
}

/// A cell's draw from one of the streams, the same in every measure except for the share that `variation` renews.
fn held(
    stream: u64,
    settings: GeneratorSettings,
    measure: u64,
    step_idx: usize,
    column: usize,
    draw: impl Fn(&[u64]) -> f32,
) -> f32 {
    let (seed, step, column) = (stream_seed(settings), step_idx as u64, column as u64);
    let is_renewed = draws::uniform(&[RENEW, seed, step, column, measure]) < settings.variation;
    if is_renewed {
        draw(&[stream, seed, step, column, measure])
    } else {
        draw(&[stream, seed, step, column])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variation: f32) -> GeneratorSettings {
        GeneratorSettings {
            seed: 3,
            variation,
            ..GeneratorSettings::default()
        }
    }

    #[test]
    fn without_variation_every_measure_has_the_same_draws() {
        let bits = |measure| latent(settings(0.0), measure).map(f32::to_bits);
        assert_eq!(bits(1), bits(9));
        let draw = |measure| cell(settings(0.0), measure, 4, 1);
        assert!((draw(1) - draw(9)).abs() < f32::EPSILON);
    }

    #[test]
    fn variation_renews_its_share_of_the_cells() {
        let renewed = (0..1000)
            .filter(|&m| (cell(settings(0.3), m, 4, 1) - cell(settings(0.0), m, 4, 1)).abs() > 1e-6)
            .count();
        assert!((250..350).contains(&renewed), "{renewed} of 1000");
    }

    #[test]
    fn three_hands_in_ten_are_on_the_grid_and_half_are_tighter_than_average() {
        let touches = |seed| {
            drummer_touch(GeneratorSettings {
                seed,
                variation: 0.0,
                ..GeneratorSettings::default()
            })
        };
        let share =
            |is: fn(DrummerTouch) -> bool| (0..2000).filter(|&seed| is(touches(seed))).count();
        let on_the_grid = share(|touch| touch.looseness == 0.0);
        assert!((520..680).contains(&on_the_grid), "{on_the_grid} of 2000");
        let tight = share(|touch| touch.looseness < 0.42);
        assert!((920..1080).contains(&tight), "{tight} of 2000");
        let even = share(|touch| touch.dynamics < 1.05);
        assert!((920..1080).contains(&even), "{even} of 2000");
        let usual = share(|touch| touch.level.abs() < LEVEL_SPREAD);
        assert!((1300..1430).contains(&usual), "{usual} of 2000");
    }

    #[test]
    fn a_hand_on_the_grid_still_plays_triplets() {
        let tight = DrummerTouch {
            level: 0.0,
            dynamics: 1.0,
            looseness: 0.0,
        };
        assert_eq!(
            [0.05, -0.12].map(|offset| tight.place(offset).abs().to_bits()),
            [0, 0]
        );
        assert!((tight.place(-1.0 / 3.0) + 1.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn a_drummers_velocity_draws_have_the_expected_variance() {
        let draw = |seed| {
            let settings = GeneratorSettings {
                seed,
                variation: 0.1,
                ..GeneratorSettings::default()
            };
            velocity(settings, 7, (4, 1), 1.0)
        };
        let square = (0..4000).map(|seed| draw(seed).powi(2)).sum::<f32>() / 4000.0;
        assert!((square - 0.65).abs() < 0.07, "variance {square}");
    }
}
