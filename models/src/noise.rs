//! The drummer's mind: the noise that a prediction draws, from the musician's taste and the measure alone.
//!
//! Training and prediction share these functions, so that a generator meets in a song the noise that it was trained on:
//! the same from measure to measure, but for the share that `variation` renews.

use crate::draws;
use crate::generator::Taste;
use crate::network::N_LATENT;
use crate::representation::Voice;

/// What separates the streams of draws from one another.
const LATENT: u64 = 1;
const CELL: u64 = 2;
const RENEW: u64 = 3;
const VELOCITY: u64 = 4;
const OFFSET: u64 = 5;

/// How the variance of a velocity about its mean divides: between drummers, between one drummer's voices, and from hit
/// to hit.
const VELOCITY_SHARES: (f32, f32, f32) = (0.35, 0.25, 0.4);

/// The noise vector of one measure, standard normal at any variation.
pub fn latent(taste: Taste, measure: u64) -> [f32; N_LATENT] {
    let seed = u64::from(taste.seed);
    let renewed = taste.variation.clamp(0.0, 1.0);
    let kept = (1.0 - renewed * renewed).sqrt();
    std::array::from_fn(|i| {
        let own = draws::normal(&[LATENT, seed, i as u64]);
        if renewed == 0.0 {
            return own;
        }
        kept * own + renewed * draws::normal(&[LATENT, seed, i as u64, measure])
    })
}

/// The logistic draw that decides one cell of the hit map: the cell's own hit sounds when its logit plus the draw is
/// positive, which happens with the probability that the logit stands for.
pub fn cell(taste: Taste, measure: u64, step_idx: usize, voice: Voice) -> f32 {
    let u = held(CELL, taste, measure, step_idx, voice, draws::uniform);
    (u / (1.0 - u)).ln()
}

/// The draw of one cell's velocity: partly the drummer's own, partly the voice's, and `looseness` times the hit's. Standard
/// normal at a looseness of 1.
pub fn velocity(
    taste: Taste,
    measure: u64,
    (step_idx, voice): (usize, Voice),
    looseness: f32,
) -> f32 {
    let seed = u64::from(taste.seed);
    let (drummers, voices, hits) = VELOCITY_SHARES;
    drummers.sqrt() * draws::normal(&[VELOCITY, seed])
        + voices.sqrt() * draws::normal(&[VELOCITY, seed, voice.index() as u64])
        + looseness * hits.sqrt() * held(VELOCITY, taste, measure, step_idx, voice, draws::normal)
}

/// The standard normal draw of one cell's offset.
pub fn offset(taste: Taste, measure: u64, step_idx: usize, voice: Voice) -> f32 {
    held(OFFSET, taste, measure, step_idx, voice, draws::normal)
}

/// A cell's draw from one of the streams, the same in every measure but for the share that the variation renews.
fn held(
    stream: u64,
    taste: Taste,
    measure: u64,
    step_idx: usize,
    voice: Voice,
    draw: impl Fn(&[u64]) -> f32,
) -> f32 {
    let (seed, step, column) = (u64::from(taste.seed), step_idx as u64, voice.index() as u64);
    let is_renewed = draws::uniform(&[RENEW, seed, step, column, measure]) < taste.variation;
    if is_renewed {
        draw(&[stream, seed, step, column, measure])
    } else {
        draw(&[stream, seed, step, column])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taste(variation: f32) -> Taste {
        Taste { seed: 3, variation }
    }

    #[test]
    fn without_variation_every_measure_is_drawn_alike() {
        let bits = |measure| latent(taste(0.0), measure).map(f32::to_bits);
        assert_eq!(bits(1), bits(9));
        let draw = |measure| cell(taste(0.0), measure, 4, Voice::Snare);
        assert!((draw(1) - draw(9)).abs() < f32::EPSILON);
    }

    #[test]
    fn variation_renews_its_share_of_the_cells() {
        let renewed = (0..1000)
            .filter(|&m| {
                (cell(taste(0.3), m, 4, Voice::Snare) - cell(taste(0.0), m, 4, Voice::Snare)).abs()
                    > 1e-6
            })
            .count();
        assert!((250..350).contains(&renewed), "{renewed} of 1000");
    }

    #[test]
    fn velocities_of_many_drummers_are_standard_normal() {
        let draw = |seed| {
            let taste = Taste {
                seed,
                variation: 0.1,
            };
            velocity(taste, 7, (4, Voice::Snare), 1.0)
        };
        let square = (0..4000).map(|seed| draw(seed).powi(2)).sum::<f32>() / 4000.0;
        assert!((square - 1.0).abs() < 0.1, "variance {square}");
    }
}
