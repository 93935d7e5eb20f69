//! Speed and memory of one weights file's predictions, and a test case for comparing another runtime.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use lockstep_core::draws;
use lockstep_core::generator::{Generator as _, Request};
use lockstep_core::representation::Voice;
use lockstep_models::predict::Predictor;

use super::{memory_mib, micros};

/// Predictions before timing starts: fills the caches and lets the processor's clock speed rise.
const WARM_UP: usize = 50;

/// Requests that go into the case.
const N_WRITTEN: u64 = 16;

/// Times predictions, prints their times and the peak memory of the process, and writes a case if one is wanted.
///
/// # Errors
/// The error names the file that cannot be read, used or written.
pub(super) fn run(weights: &Path, n_predictions: usize, case: Option<&Path>) -> Result<()> {
    let name = weights.display();
    let bytes = fs::read(weights).with_context(|| format!("reading {name}"))?;
    let mut predictor = Predictor::new(&bytes).with_context(|| format!("loading {name}"))?;
    drop(bytes);
    let mut times = Vec::with_capacity(n_predictions);
    for i in 0..WARM_UP + n_predictions {
        let request = request(i as u64 % N_WRITTEN);
        let begun = Instant::now();
        predictor
            .predict(&request)
            .with_context(|| format!("predicting with {name}"))?;
        times.push(begun.elapsed());
    }
    let times = times.split_off(WARM_UP);
    let mut sorted = times.clone();
    sorted.sort_unstable();
    let at = |percent: usize| micros(sorted[(sorted.len() - 1) * percent / 100]);
    // Read now, because writing the case takes memory too.
    let peak = memory_mib("VmHWM").map_or_else(
        || "peak resident memory unknown on this system".to_owned(),
        |mib| format!("peak resident memory {mib:.1} MiB"),
    );
    println!(
        "{name}: {n_predictions} predictions, one thread: p50 {:.0} µs, p99 {:.0} µs; {peak}",
        at(50),
        at(99)
    );
    if let Some(path) = case {
        let requests: Vec<Request> = (0..N_WRITTEN).map(request).collect();
        predictor
            .write_case(path, &requests, &times)
            .with_context(|| format!("writing {} with {name}", path.display()))?;
    }
    Ok(())
}

/// A generated bass line with drums already played: a backbeat, eighths on the hi-hat, a kick under half of the bass
/// notes.
fn request(idx: u64) -> Request {
    let mut request = super::request(idx);
    for (step_idx, row) in request.played.iter_mut().enumerate() {
        let draw = draws::hash(&[idx, step_idx as u64, 1]);
        let has_bass = request.window.accent(step_idx) > 0.0;
        let velocity = 0.5 + (draw / 2 % 50) as f32 / 100.0;
        for (voice, is_hit) in [
            (
                Voice::Kick,
                step_idx % 16 == 0 || has_bass && draw.is_multiple_of(2),
            ),
            (Voice::Snare, step_idx % 8 == 4),
            (Voice::ClosedHat, step_idx % 2 == 0),
        ] {
            if is_hit {
                row[voice.index()] = velocity;
            }
        }
    }
    request
}
