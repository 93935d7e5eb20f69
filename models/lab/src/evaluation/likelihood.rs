//! Likelihood: how well a generator predicts what people played.
//!
//! [`RequestRecorder`] records the requests of a closed loop. The generator is then asked how likely people's next measure is,
//! after its own drums, after people's or after none. [`Likelihood`] sums over the measures.

use lockstep_core::generator::{
    DrumHistory, Generator, Hits, PredictError, Probabilities, Request,
};
use lockstep_core::representation::{HitMap, MAX_STEPS_PER_MEASURE, N_VOICES, Voice, WINDOW_STEPS};
use lockstep_files::measured_song::MeasuredSong;
use lockstep_models::network::NET_STEPS;

/// Upper limit on any probability, so that one surprise is not infinitely bad.
const CERTAIN: f64 = 0.999;

/// Records the requests to a generator.
pub struct RequestRecorder<'a> {
    generator: &'a mut dyn Generator,
    /// In order of arrival.
    pub requests: Vec<Request>,
}

impl std::fmt::Debug for RequestRecorder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestRecorder")
            .field("generator", &self.generator.name())
            .field("n_requests", &self.requests.len())
            .finish()
    }
}

impl<'a> RequestRecorder<'a> {
    /// Wraps a generator.
    pub fn new(generator: &'a mut dyn Generator) -> Self {
        Self {
            generator,
            requests: Vec::new(),
        }
    }
}

impl Generator for RequestRecorder<'_> {
    fn name(&self) -> &'static str {
        self.generator.name()
    }

    fn voices(&self) -> &'static [Voice] {
        self.generator.voices()
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        self.requests.push(*request);
        self.generator.predict(request)
    }
}

/// Summed surprise over measures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Likelihood {
    /// Negative log-likelihood of all cells of all measures, in nats.
    pub sum: f64,
    /// Measures in the sum.
    pub n_measures: usize,
    /// Cells in the sum: the steps of its measures, each with every voice that the generator plays.
    pub n_cells: usize,
}

impl Likelihood {
    /// How likely a generator finds people's drums at these requests, in a song in 4/4; `None` for a generator without
    /// likelihoods. Counts the same measures as the figures do, and the voices that the generator plays: one of version 1 is
    /// asked about people's drums in its nine.
    ///
    /// # Errors
    /// Those of the generator.
    pub fn of(
        generator: &mut dyn Generator,
        requests: &[Request],
        real: &MeasuredSong,
        history: DrumHistory,
    ) -> Result<Option<Self>, PredictError> {
        let voices = generator.voices();
        let folded = (voices == Voice::VERSION_1).then(|| real.in_version_1());
        let real = folded.as_ref().unwrap_or(real);
        let measured = real.measured_steps().unwrap_or_default();
        let mut likelihood = Self::default();
        for request in requests {
            let mut request = *request;
            let Some(start) = usize::try_from(request.measure)
                .ok()
                .and_then(|measure| measure.checked_mul(NET_STEPS))
                .filter(|start| measured.contains(start))
            else {
                continue;
            };
            let mut people = [[false; N_VOICES]; MAX_STEPS_PER_MEASURE];
            let drums = real.drums.get(start..start + NET_STEPS);
            for (row, velocities) in people.iter_mut().zip(drums.unwrap_or_default()) {
                *row = velocities.map(|velocity| velocity > 0);
            }
            match history {
                DrumHistory::Own => {}
                DrumHistory::People => request.played = played(real, start),
                DrumHistory::Empty => request.played = [[0.0; N_VOICES]; WINDOW_STEPS],
            }
            let Some(probabilities) = generator.probabilities(&request, &people, history)? else {
                return Ok(None);
            };
            likelihood.sum += nll(&probabilities, &people, voices);
            likelihood.n_measures += 1;
            likelihood.n_cells += NET_STEPS * voices.len();
        }
        Ok(Some(likelihood).filter(|likelihood| likelihood.n_measures > 0))
    }

    /// Adds two likelihoods.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            sum: self.sum + other.sum,
            n_measures: self.n_measures + other.n_measures,
            n_cells: self.n_cells + other.n_cells,
        }
    }

    /// Mean negative log-likelihood of a measure, in nats.
    pub fn nll(self) -> f64 {
        self.sum / self.n_measures as f64
    }

    /// Mean binary cross-entropy of a cell (a voice at a step), in nats.
    pub fn bce(self) -> f64 {
        self.sum / self.n_cells as f64
    }
}

/// What people played in the steps before `start`.
fn played(real: &MeasuredSong, start: usize) -> [[f32; N_VOICES]; WINDOW_STEPS] {
    let mut rows = [[0.0; N_VOICES]; WINDOW_STEPS];
    for (back, row) in rows.iter_mut().rev().enumerate() {
        let step = start.checked_sub(back + 1);
        if let Some(velocities) = step.and_then(|step| real.drums.get(step)) {
            *row = velocities.map(|velocity| f32::from(velocity) / 127.0);
        }
    }
    rows
}

/// Negative log-likelihood of some voices in a measure of 4/4, in nats.
fn nll(probabilities: &Probabilities, people: &Hits, voices: &[Voice]) -> f64 {
    let mut sum = 0.0;
    for (row, hits) in probabilities.0.iter().zip(people).take(NET_STEPS) {
        for voice in voices {
            let p = f64::from(row[voice.index()]).clamp(1.0 - CERTAIN, CERTAIN);
            sum -= if hits[voice.index()] { p } else { 1.0 - p }.ln();
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knowing_nothing_costs_one_bit_per_cell_and_a_surprise_is_bounded() {
        let all = |p| Probabilities([[p; N_VOICES]; MAX_STEPS_PER_MEASURE]);
        let silence = [[false; N_VOICES]; MAX_STEPS_PER_MEASURE];
        let n_cells = (NET_STEPS * N_VOICES) as f64;
        let close = |a: f64, b: f64| (a - b).abs() < 1e-4;
        let of_all = |p| nll(&all(p), &silence, &Voice::ALL);
        assert!(close(of_all(0.5), n_cells * 2.0_f64.ln()));
        assert!(close(of_all(1.0), n_cells * 1000.0_f64.ln()));
        assert!(close(of_all(0.0), -n_cells * 0.999_f64.ln()));
        let of_nine = nll(&all(0.5), &silence, &Voice::VERSION_1);
        assert!(close(of_nine, (NET_STEPS * 9) as f64 * 2.0_f64.ln()));
    }
}
