//! The marginal: hits each cell as often as people do, whatever the bass does.

use lockstep_core::generator::{
    DrumHistory, Generator, Hits, PredictError, Probabilities, Request,
};
use lockstep_core::representation::{
    Hit, HitMap, MAX_STEPS_PER_MEASURE, N_VOICES, Presence, Voice,
};
use lockstep_models::network::NET_STEPS;
use lockstep_models::noise;

use super::Lesson;

/// Draws every cell independently, with its frequency in people's measures.
#[derive(Clone, Debug)]
pub struct Marginal {
    /// In (0, 1), `(T, V)`.
    probability: [[f32; N_VOICES]; NET_STEPS],
    /// Mean velocity of the hits in `[0, 1]`, `(T, V)`.
    velocity: [[f32; N_VOICES]; NET_STEPS],
}

impl Marginal {
    /// Counts people's hits. Half a hit in one extra measure is added to every cell, so that no cell is certain
    /// (Krichevsky and Trofimov, 1981).
    pub fn fit(lessons: impl Iterator<Item = Lesson>) -> Self {
        let mut n_measures = 0.0;
        let mut n_hits = [[0.0; N_VOICES]; NET_STEPS];
        let mut loudness = [[0.0; N_VOICES]; NET_STEPS];
        for (_, drums) in lessons {
            n_measures += 1.0;
            for (step_idx, row) in drums.iter().enumerate() {
                for (voice_idx, velocity) in row.iter().enumerate().filter(|(_, v)| **v > 0) {
                    n_hits[step_idx][voice_idx] += 1.0;
                    loudness[step_idx][voice_idx] += f64::from(*velocity) / 127.0;
                }
            }
        }
        let cells = |of: &dyn Fn(usize, usize) -> f64| {
            std::array::from_fn(|s| std::array::from_fn(|v| narrow(of(s, v))))
        };
        Self {
            probability: cells(&|s, v| (n_hits[s][v] + 0.5) / (n_measures + 1.0)),
            velocity: cells(&|s, v| loudness[s][v] / f64::max(n_hits[s][v], 1.0)),
        }
    }
}

impl Generator for Marginal {
    fn name(&self) -> &'static str {
        "marginal of each cell"
    }

    fn voices(&self) -> &'static [Voice] {
        &Voice::ALL
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        let mut hits = HitMap::default();
        for step_idx in 0..request.meter.n_steps().min(MAX_STEPS_PER_MEASURE) {
            // After sixteen steps the pattern starts over.
            let row = step_idx % NET_STEPS;
            for voice in Voice::ALL {
                let p = self.probability[row][voice.index()];
                let logit = (p / (1.0 - p)).ln()
                    + noise::cell(request.settings, request.measure, step_idx, voice.index());
                let value = 1.0 / (1.0 + (-logit).exp());
                let hit = Presence::new(value)
                    .and_then(|p| Hit::new(p, self.velocity[row][voice.index()], 0.0))
                    .ok_or(PredictError::NotFinite { value, step_idx })?;
                hits.set(step_idx, voice, hit);
            }
        }
        Ok(hits)
    }

    fn probabilities(
        &mut self,
        request: &Request,
        _people: &Hits,
        _history: DrumHistory,
    ) -> Result<Option<Probabilities>, PredictError> {
        let mut rows = [[0.0; N_VOICES]; MAX_STEPS_PER_MEASURE];
        let n_steps = request.meter.n_steps();
        for (step_idx, row) in rows.iter_mut().enumerate().take(n_steps) {
            *row = self.probability[step_idx % NET_STEPS];
        }
        Ok(Some(Probabilities(rows)))
    }

    fn n_parameters(&self) -> usize {
        2 * NET_STEPS * N_VOICES
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "shares and loudness are in [0, 1], where f32 is precise enough"
)]
fn narrow(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use super::super::tests::{request, steps};
    use super::*;

    #[test]
    fn a_cell_is_hit_as_often_as_people_hit_it() -> Result<(), PredictError> {
        let mut with = [[0; N_VOICES]; NET_STEPS];
        with[5][Voice::Snare.index()] = 127;
        let without = [[0; N_VOICES]; NET_STEPS];
        let lessons = (0..100).map(|i| (1, if i % 4 == 0 { with } else { without }));
        let mut marginal = Marginal::fit(lessons);
        let p = marginal.probabilities(
            &request(&[0], 0),
            &[[false; N_VOICES]; MAX_STEPS_PER_MEASURE],
            DrumHistory::Own,
        )?;
        let p = p.map(|p| p.0[5][Voice::Snare.index()]);
        assert!(p.is_some_and(|p| (p - 25.5 / 101.0).abs() < 1e-6), "{p:?}");
        let mut n_takes = 0;
        for seed in 0..400 {
            let hits = marginal.predict(&request(&[0], seed))?;
            n_takes += usize::from(steps(&hits, Voice::Snare).contains(&5));
        }
        assert!((75..130).contains(&n_takes), "{n_takes} of 400");
        Ok(())
    }
}
