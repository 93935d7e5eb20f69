//! Prediction: a request becomes planes, the network's outputs become a hit map.
//!
//! One thread and tensors below the size at which candle would start its process-wide pool, so that a prediction never
//! fans out beside an audio thread. Generator thread only.

use candle_core::{Device, Tensor};

use crate::generator::{Generator, PredictError, Probabilities, Request};
use crate::network::{
    Cells, GeneratorNet, N_LATENT, N_PLANES, NET_MEASURES, NET_STEPS, Parameters,
};
use crate::noise;
use crate::representation::{
    Hit, HitMap, MAX_STEPS_PER_MEASURE, Meter, N_VOICES, Presence, Voice, WINDOW_STEPS, Window,
};
use crate::weights::{Config, Weights, WeightsError};

/// The trained weights that are part of every binary.
pub const EMBEDDED_WEIGHTS: &[u8] = include_bytes!("../weights/base.safetensors");

/// A conditional GAN as a drummer.
#[derive(Debug)]
pub struct Gan {
    config: Config,
    network: GeneratorNet,
    n_parameters: usize,
    /// One thread: whatever candle or gemm would parallelise stays in it.
    pool: rayon::ThreadPool,
    card: String,
}

/// The network's answer for one measure, one value for each cell of `(T, V)`.
struct Answer {
    presence: Vec<f32>,
    velocity: Vec<f32>,
    velocity_spread: Vec<f32>,
    offset: Vec<f32>,
    offset_spread: Vec<f32>,
}

impl Gan {
    /// A drummer with the weights of a file; predicts once, so that the first measure is not late.
    ///
    /// # Errors
    /// [`WeightsError`] if the bytes are damaged, of another architecture or of another shape.
    pub fn new(bytes: &[u8]) -> Result<Self, WeightsError> {
        let weights = Weights::parse(bytes)?;
        let mut gan = Self::from_parameters(weights.config()?, &weights.parameters)?;
        gan.card = weights.metadata.get("card").cloned().unwrap_or_default();
        Ok(gan)
    }

    /// A drummer with these weights.
    ///
    /// # Errors
    /// [`WeightsError`] if the weights are of another shape than the configuration's network.
    pub fn from_parameters(config: Config, parameters: &Parameters) -> Result<Self, WeightsError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .thread_name(|_| "lockstep-predict".to_owned())
            .build()
            .map_err(std::io::Error::other)?;
        let gan = Self {
            network: GeneratorNet::new(&config.architecture, parameters)?,
            config,
            n_parameters: parameters.n_values(),
            pool,
            card: String::new(),
        };
        gan.answer(&Window::default(), Meter::COMMON, [0.0; N_LATENT])?;
        Ok(gan)
    }

    /// How the weights were made and what was measured, as JSON.
    pub fn card(&self) -> &str {
        &self.card
    }

    /// Which network it is.
    pub fn config(&self) -> &Config {
        &self.config
    }

    fn answer(
        &self,
        window: &Window,
        meter: Meter,
        latent: [f32; N_LATENT],
    ) -> candle_core::Result<Answer> {
        let bass = planes(window, meter);
        self.pool.install(|| {
            let bass =
                Tensor::from_vec(bass, (1, NET_MEASURES, NET_STEPS, N_PLANES), &Device::Cpu)?;
            let latent = latent.map(|x| self.config.truncation * x);
            let latent = Tensor::from_slice(&latent, (1, 1, N_LATENT), &Device::Cpu)?;
            let cells = Cells::new(&self.network.forward(&bass, &latent)?)?;
            let values = |tensor: &Tensor| tensor.flatten_all()?.to_vec1();
            Ok(Answer {
                presence: values(&cells.presence)?,
                velocity: values(&cells.velocity)?,
                velocity_spread: values(&cells.velocity_spread)?,
                offset: values(&cells.offset)?,
                offset_spread: values(&cells.offset_spread)?,
            })
        })
    }
}

impl Generator for Gan {
    fn name(&self) -> &'static str {
        "gan"
    }

    fn n_parameters(&self) -> usize {
        self.n_parameters
    }

    fn n_flops(&self) -> u64 {
        GeneratorNet::n_flops(&self.config.architecture)
    }

    fn probabilities(&mut self, request: &Request) -> Result<Option<Probabilities>, PredictError> {
        let latent = noise::latent(request.taste, request.measure);
        let answer = self.answer(&request.window, request.meter, latent)?;
        let mut rows = [[0.0; N_VOICES]; MAX_STEPS_PER_MEASURE];
        for (step_idx, row) in rows.iter_mut().take(request.meter.n_steps()).enumerate() {
            let first = step_idx % NET_STEPS * N_VOICES;
            for (probability, logit) in row.iter_mut().zip(&answer.presence[first..]) {
                *probability = logistic(*logit);
            }
        }
        Ok(Some(Probabilities(rows)))
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        let Request { taste, measure, .. } = *request;
        let Config {
            temperature,
            lean,
            looseness,
            ..
        } = self.config;
        let answer = self.answer(
            &request.window,
            request.meter,
            noise::latent(taste, measure),
        )?;
        let mut hits = HitMap::default();
        for step_idx in 0..request.meter.n_steps().min(MAX_STEPS_PER_MEASURE) {
            for voice in Voice::ALL {
                // A measure longer than the network's row begins the row anew.
                let cell = step_idx % NET_STEPS * N_VOICES + voice.index();
                let at = |values: &[f32]| values.get(cell).copied().unwrap_or(f32::NAN);
                let draw = noise::cell(taste, measure, step_idx, voice);
                let presence = at(&answer.presence) + lean + temperature * draw;
                let velocity = at(&answer.velocity)
                    + at(&answer.velocity_spread)
                        * noise::velocity(taste, measure, (step_idx, voice), looseness);
                let offset = at(&answer.offset)
                    + looseness
                        * at(&answer.offset_spread)
                        * noise::offset(taste, measure, step_idx, voice);
                let hit = Presence::new(logistic(presence))
                    .and_then(|p| Hit::new(p, velocity.max(SOFTEST), offset))
                    .ok_or(PredictError::NotFinite {
                        value: presence + velocity + offset,
                        step_idx,
                    })?;
                hits.set(step_idx, voice, hit);
            }
        }
        Ok(hits)
    }
}

/// MIDI velocity 1.
const SOFTEST: f32 = 1.0 / 127.0;

fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The window as the network's planes, `(M, T, P)` = `(4, 16, N_PLANES)`: one measure a row, the newest last.
///
/// In 4/4 that is the window itself. A shorter measure leaves the end of its row empty; of a longer one the first
/// sixteen steps are heard. Measures that the window does not hold whole are not heard.
pub(crate) fn planes(window: &Window, meter: Meter) -> Vec<f32> {
    let mut planes = vec![0.0; NET_MEASURES * NET_STEPS * N_PLANES];
    let n_steps = meter.n_steps();
    for row in 0..NET_MEASURES {
        let Some(first) = WINDOW_STEPS.checked_sub((NET_MEASURES - row) * n_steps) else {
            continue;
        };
        for step_idx in 0..n_steps.min(NET_STEPS) {
            let cell = &mut planes[(row * NET_STEPS + step_idx) * N_PLANES..][..N_PLANES];
            for pitch in window.onsets(first + step_idx).indices() {
                cell[2 * pitch] = 1.0;
            }
            for pitch in window.sounding(first + step_idx).indices() {
                cell[2 * pitch + 1] = 1.0;
            }
        }
    }
    planes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_of_three_is_the_start_of_its_row() {
        let mut window = Window::default();
        window.begin(WINDOW_STEPS - 12, 40);
        let planes = planes(&window, Meter::new(3, 4).unwrap_or_default());
        let first_set = planes.iter().position(|x| *x > 0.0);
        assert_eq!(first_set, Some(3 * NET_STEPS * N_PLANES + 2 * 16));
    }
}
