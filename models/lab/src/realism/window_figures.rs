//! Figures of a window, 93 of them: how often each voice plays and in how many measures, its velocities, repeats, how the hits
//! spread over the beat, the kick on the bass, and timing. In the order of `c2st.py`.

use lockstep_core::representation::WINDOW_STEPS;
use lockstep_models::network::NET_STEPS;

use super::windows::{N_MEASURES, N_NINE, Window};

/// Columns of the nine voices.
const KICK: usize = 0;
const SNARE: usize = 1;
const HATS: [usize; 2] = [2, 3];
const TOMS: std::ops::Range<usize> = 4..7;
const CRASH: usize = 7;
const RIDE: usize = 8;

/// Below this velocity a stroke is a ghost note.
const GHOST_BELOW: u8 = 50;

/// The figures; without velocities and timing if only the hits count.
pub(super) fn figures(window: &Window, is_hits_only: bool) -> Vec<f64> {
    let is_hit = |step: usize, voice: usize| window.nine[step][voice] > 0;
    let count = |is_so: &dyn Fn(usize) -> bool, steps: std::ops::Range<usize>| {
        steps.filter(|step| is_so(*step)).count() as f64
    };
    let all = 0..WINDOW_STEPS;
    let measure = |m: usize| m * NET_STEPS..(m + 1) * NET_STEPS;
    let measures = 0..N_MEASURES;
    let mut figures = Vec::with_capacity(93);
    for voice in 0..N_NINE {
        figures.push(share(
            count(&|s| is_hit(s, voice), all.clone()),
            WINDOW_STEPS,
        ));
    }
    for voice in 0..N_NINE {
        let plays = |m: &usize| measure(*m).any(|s| is_hit(s, voice));
        figures.push(share(
            measures.clone().filter(plays).count() as f64,
            N_MEASURES,
        ));
    }
    for voice in 0..N_NINE {
        let velocities: Vec<u8> = (all.clone())
            .map(|s| window.nine[s][voice])
            .filter(|velocity| *velocity > 0)
            .map(|velocity| if is_hits_only { 100 } else { velocity })
            .collect();
        figures.extend(dynamics(&velocities));
    }
    let is_repeat = |m: usize, voices: std::ops::Range<usize>| {
        voices
            .into_iter()
            .all(|v| measure(m).all(|s| is_hit(s, v) == is_hit(s - NET_STEPS, v)))
    };
    let n_repeats = |voices: std::ops::Range<usize>| {
        (1..N_MEASURES)
            .filter(|m| is_repeat(*m, voices.clone()))
            .count() as f64
    };
    figures.push(n_repeats(0..N_NINE));
    figures.extend((0..N_NINE).map(|voice| n_repeats(voice..voice + 1)));
    for voice in [KICK, SNARE, HATS[0], HATS[1], RIDE] {
        for quarter in 0..4 {
            let steps = (quarter..WINDOW_STEPS).step_by(4);
            let n = steps.filter(|s| is_hit(*s, voice)).count();
            figures.push(share(n as f64, WINDOW_STEPS / 4));
        }
    }
    let n_kicks = count(&|s| is_hit(s, KICK), all.clone());
    let n_bass = count(&|s| window.bass[s], all.clone());
    let n_both = count(&|s| is_hit(s, KICK) && window.bass[s], all.clone());
    figures.extend([
        n_both / n_kicks.max(1.0),
        n_both / n_bass.max(1.0),
        share(n_bass, WINDOW_STEPS),
    ]);
    let offsets = (all.clone())
        .filter(|s| window.nine[*s].iter().any(|v| *v > 0))
        .map(|s| if is_hits_only { 0.0 } else { window.offsets[s] });
    figures.extend(timing(&offsets.collect::<Vec<_>>()));
    for m in measures.clone() {
        let n = count(&|s| TOMS.into_iter().any(|tom| is_hit(s, tom)), measure(m));
        figures.push(share(n, NET_STEPS));
    }
    for voice in [CRASH, KICK] {
        let downbeats = measures.clone().map(|m| is_hit(m * NET_STEPS, voice));
        figures.extend(downbeats.map(|is_hit| f64::from(u8::from(is_hit))));
    }
    figures
}

fn share(part: f64, whole: usize) -> f64 {
    part / whole as f64
}

/// Mean, standard deviation and share of ghost notes.
fn dynamics(velocities: &[u8]) -> [f64; 3] {
    let values = || velocities.iter().copied().map(f64::from);
    let n_ghosts = velocities.iter().filter(|v| **v < GHOST_BELOW).count();
    match mean(values()) {
        Some(mean) => [
            mean,
            deviation(values(), mean),
            share(n_ghosts as f64, velocities.len()),
        ],
        None => [0.0; 3],
    }
}

/// Mean, standard deviation and mean distance of the offsets.
fn timing(offsets: &[f64]) -> [f64; 3] {
    let values = || offsets.iter().copied();
    match mean(values()) {
        Some(centre) => [
            centre,
            deviation(values(), centre),
            mean(values().map(f64::abs)).unwrap_or_default(),
        ],
        None => [0.0; 3],
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (n, sum) = values.fold((0.0, 0.0), |(n, sum), x| (n + 1.0, sum + x));
    (n > 0.0).then(|| sum / n)
}

fn deviation(values: impl Iterator<Item = f64>, centre: f64) -> f64 {
    let squares = values.map(|x| (x - centre).powi(2));
    mean(squares).map_or(0.0, f64::sqrt)
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::Voice;

    use super::super::windows::{tests::song, windows};
    use super::*;

    #[test]
    fn a_backbeat_is_described() {
        let mut measure = [0; NET_STEPS];
        (measure[4], measure[12]) = (40, 100);
        let people = song(Voice::Snare, &[measure; 5]);
        let windows = windows(&[(people.clone(), people)]);
        let all = figures(&windows[0], false);
        assert_eq!(all.len(), 93);
        let close = |at: usize, value: f64| assert!((all[at] - value).abs() < 1e-9, "{at}");
        close(SNARE, 8.0 / 64.0);
        close(9 + SNARE, 1.0);
        close(18 + 3 * SNARE, 70.0);
        close(18 + 3 * SNARE + 1, 30.0);
        close(18 + 3 * SNARE + 2, 0.5);
        close(45, 3.0);
        // All on beats; the bass is on the downbeats.
        close(55 + 4, 0.5);
        close(75 + 2, 4.0 / 64.0);
        let hits = figures(&windows[0], true);
        assert!((hits[18 + 3 * SNARE] - 100.0).abs() < 1e-9);
        assert!(hits[18 + 3 * SNARE + 1].abs() < 1e-9, "all as loud");
    }
}
