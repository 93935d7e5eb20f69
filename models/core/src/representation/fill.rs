//! What counts as a fill.

use super::{STEPS_PER_BEAT, Voice};

/// Least number of tom hits that make a measure a fill, and of snare hits in its last four steps that do.
const FILL: (usize, usize) = (2, 3);

/// Whether a measure of `n_steps` with hits at these steps is a fill: toms, or a busy snare towards its end.
///
/// This project's own rule, used to label training songs and to count fills in takes.
///
/// ```
/// use lockstep_core::representation::{Voice, is_fill};
///
/// let toms = (8..16).map(|step_idx| (step_idx, Voice::HighTom));
/// assert!(is_fill(toms, 16));
/// assert!(!is_fill([(4, Voice::Snare), (12, Voice::Snare)], 16));
/// ```
pub fn is_fill(hits: impl IntoIterator<Item = (usize, Voice)>, n_steps: usize) -> bool {
    let (mut n_toms, mut n_snares) = (0, 0);
    for (step_idx, voice) in hits {
        match voice {
            Voice::LowTom | Voice::MidTom | Voice::HighTom => n_toms += 1,
            Voice::Snare if step_idx + STEPS_PER_BEAT as usize >= n_steps => n_snares += 1,
            _ => {}
        }
    }
    n_toms >= FILL.0 || n_snares >= FILL.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toms_and_a_busy_end_make_a_fill_and_a_backbeat_does_not() {
        assert!(!is_fill([(4, Voice::Snare), (12, Voice::Snare)], 16));
        assert!(is_fill([(8, Voice::HighTom), (10, Voice::LowTom)], 16));
        assert!(is_fill([12, 13, 14].map(|step| (step, Voice::Snare)), 16));
        assert!(!is_fill([8, 9, 10].map(|step| (step, Voice::Snare)), 16));
    }
}
