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
    let place = [
        CELL,
        u64::from(taste.seed),
        step_idx as u64,
        voice.index() as u64,
    ];
    let [stream, seed, step, column] = place;
    let renewed = draws::uniform(&[RENEW, seed, step, column, measure]) < taste.variation;
    let u = if renewed {
        draws::uniform(&[stream, seed, step, column, measure])
    } else {
        draws::uniform(&place)
    };
    (u / (1.0 - u)).ln()
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
}
