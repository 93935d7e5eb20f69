//! Measures longer than the network's row are predicted in parts: 5/4 as three and two, 12/8 as twice 6/8.
//!
//! Each part is predicted as if it were a measure, after the four parts before it. The bass of the predicted measure is not
//! known yet; for the later parts it is assumed to repeat the measure before.

use lockstep_core::generator::Request;
use lockstep_core::representation::{Meter, N_VOICES, WINDOW_STEPS};

use crate::network::{NET_MEASURES, NET_STEPS};

/// A stretch of a measure that the network predicts at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MeasurePart {
    /// Its index among the parts.
    pub(super) idx: usize,
    /// How many parts the measure has.
    pub(super) n_parts: usize,
    /// Its length in steps, at most [`NET_STEPS`].
    pub(super) n_steps: usize,
    /// Lengths in steps of the four parts before it, oldest first.
    pub(super) rows: [usize; NET_MEASURES],
}

/// The parts of a measure, in order. A measure that fits the network's row is one part.
///
/// Longer meters in eighths or shorter notes are split every six eighths, other meters every four quarters, except 5/4 (three
/// and two) and 6/4 (twice three). The remainder is its own part.
pub(super) fn parts(meter: Meter) -> impl Iterator<Item = MeasurePart> {
    let n_steps = meter.n_steps();
    let longest = match (meter.denominator(), n_steps) {
        _ if n_steps <= NET_STEPS => n_steps,
        (8.., _) | (4, 20 | 24) => 12,
        _ => NET_STEPS,
    };
    let n_parts = n_steps.div_ceil(longest);
    let length = move |idx: usize| (n_steps - idx * longest).min(longest);
    (0..n_parts).map(move |idx| MeasurePart {
        idx,
        n_parts,
        n_steps: length(idx),
        // Counts back through the parts, wrapping around.
        rows: std::array::from_fn(|row| {
            length((idx + NET_MEASURES * n_parts - (NET_MEASURES - row)) % n_parts)
        }),
    })
}

/// Moves the request past a predicted part: adds the part's drums, by voice of the kit, and a bass that repeats the measure
/// before.
pub(super) fn pass(heard: &mut Request, played: &[[f32; N_VOICES]]) {
    let n_steps = played.len().min(WINDOW_STEPS);
    heard.window.repeat(n_steps, heard.meter.n_steps());
    heard.played.rotate_left(n_steps);
    for (row, played) in heard.played[WINDOW_STEPS - n_steps..]
        .iter_mut()
        .zip(played)
    {
        *row = *played;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numerator: u8, denominator: u8) -> Vec<(usize, [usize; NET_MEASURES])> {
        let meter = Meter::new(numerator, denominator).unwrap_or_default();
        parts(meter).map(|part| (part.n_steps, part.rows)).collect()
    }

    #[test]
    fn measures_are_split_as_people_count_them() {
        assert_eq!(of(4, 4), [(16, [16; 4])]);
        assert_eq!(of(7, 8), [(14, [14; 4])]);
        assert_eq!(of(5, 4), [(12, [12, 8, 12, 8]), (8, [8, 12, 8, 12])]);
        assert_eq!(of(12, 8), [(12, [12; 4]), (12, [12; 4])]);
        assert_eq!(of(9, 8), [(12, [12, 6, 12, 6]), (6, [6, 12, 6, 12])]);
        assert_eq!(of(7, 4), [(16, [16, 12, 16, 12]), (12, [12, 16, 12, 16])]);
        assert_eq!(
            of(15, 8),
            [
                (12, [6, 12, 12, 6]),
                (12, [12, 12, 6, 12]),
                (6, [12, 6, 12, 12])
            ]
        );
    }

    #[test]
    fn the_parts_of_every_meter_fit_the_network_and_add_up_to_the_measure() {
        for denominator in [1, 2, 4, 8, 16] {
            for numerator in 1..=32 {
                let Some(meter) = Meter::new(numerator, denominator) else {
                    continue;
                };
                let lengths: Vec<usize> = parts(meter).map(|part| part.n_steps).collect();
                assert_eq!(lengths.iter().sum::<usize>(), meter.n_steps(), "{meter:?}");
                assert!(
                    lengths.iter().all(|n| (1..=NET_STEPS).contains(n)),
                    "{meter:?}"
                );
            }
        }
    }
}
