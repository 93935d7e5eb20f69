//! The window of `lockstep live` on a virtual screen: what it shows, and that its controls change the drums.
//!
//! Needs `jackd` (Debian: jackd2), `Xvfb` and Mesa's software OpenGL (`lockstep_screen::PACKAGES`). Every wait is bounded.
#![cfg(target_os = "linux")]

#[path = "window/density.rs"]
mod density;
#[path = "window/pages.rs"]
mod pages;
#[allow(dead_code, reason = "the module has more than these tests use")]
mod stage;

/// On the grid at four beats per second, following JACK's transport.
const ON_THE_GRID: [&str; 11] = [
    "--fresh",
    "--sync",
    "jack",
    "--set",
    "free_bpm=240",
    "--set",
    "swing=0",
    "--set",
    "humanise=0",
    "--set",
    "feel=0",
];

/// A sixteenth note at 240 BPM, in frames.
const STEP: u64 = stage::RATE_HZ / 16;

/// A measure of 4/4, in frames.
const MEASURE: u64 = 16 * STEP;

/// A bass line of eighths and syncopations over four roots, for some measures starting at a frame. `FIGURE` holds
/// onsets in steps and intervals above the root.
fn bass(begin: u64, n_measures: u64) -> Vec<(u64, Vec<u8>)> {
    const ROOTS: [u8; 4] = [33, 36, 31, 38];
    const FIGURE: [(u64, u8); 6] = [(0, 0), (3, 0), (6, 12), (8, 0), (11, 7), (14, 10)];
    (0..n_measures)
        .zip(ROOTS.into_iter().cycle())
        .flat_map(|(measure, root)| {
            FIGURE.into_iter().flat_map(move |(step, interval)| {
                let (at, key) = (begin + measure * MEASURE + step * STEP, root + interval);
                [
                    (at, vec![0x90, key, 100]),
                    (at + 3 * STEP / 2, vec![0x80, key, 0]),
                ]
            })
        })
        .collect()
}
