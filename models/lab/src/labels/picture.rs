//! What a typical measure looks like, as text.

use std::fmt::Write as _;

use lockstep_core::representation::{N_VOICES, STEPS_PER_BEAT, Voice};

/// A cell is empty below this rate.
const LEAST_RATE: f64 = 0.05;

/// A row for each voice that sounds, a cell for each step: `3` sounds in three measures of ten, `9` in nearly all of them.
///
/// The rates are by voice, then step.
pub(crate) fn of_rates(rates: &[f64]) -> String {
    let n_steps = rates.len() / N_VOICES;
    let mut text = String::new();
    for (voice, row) in Voice::ALL.iter().zip(rates.chunks(n_steps.max(1))) {
        if row.iter().all(|rate| *rate < LEAST_RATE) {
            continue;
        }
        let beats: Vec<String> = row
            .chunks(usize::from(STEPS_PER_BEAT))
            .map(|beat| beat.iter().copied().map(cell).collect())
            .collect();
        // Writing to a string never fails.
        let _ = writeln!(text, "{} |{}|", voice.label(), beats.join(" "));
    }
    text
}

fn cell(rate: f64) -> char {
    if rate < LEAST_RATE {
        return '.';
    }
    ('1'..='9')
        .take_while(|digit| f64::from(digit.to_digit(10).unwrap_or_default()) <= rate * 10.0 + 0.5)
        .last()
        .unwrap_or('.')
}
