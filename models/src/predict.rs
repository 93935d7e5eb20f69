//! Prediction: a request becomes planes, the network's logits become a hit map.
//!
//! One thread and tensors below the size at which candle would start its process-wide pool, so that a prediction never
//! fans out beside an audio thread. Generator thread only.

use candle_core::{Device, Tensor};

use crate::generator::{Generator, PredictError, Request};
use crate::network::{GeneratorNet, N_LATENT, N_OUTPUTS, N_PLANES, NET_MEASURES, NET_STEPS};
use crate::noise;
use crate::representation::{
    Hit, HitMap, MAX_STEPS_PER_MEASURE, Meter, N_VOICES, Presence, Voice, WINDOW_STEPS, Window,
};
use crate::weights::{Weights, WeightsError};

/// The trained weights that are part of every binary.
pub const EMBEDDED_WEIGHTS: &[u8] = include_bytes!("../weights/gan.safetensors");

/// The conditional GAN as a drummer.
#[derive(Debug)]
pub struct Gan {
    network: GeneratorNet,
    /// One thread: whatever candle or gemm would parallelise stays in it.
    pool: rayon::ThreadPool,
    card: String,
}

impl Gan {
    /// A drummer with the weights of a file; predicts once, so that the first measure is not late.
    ///
    /// # Errors
    /// [`WeightsError`] if the bytes are damaged, of another architecture or of another shape.
    pub fn new(bytes: &[u8]) -> Result<Self, WeightsError> {
        let weights = Weights::parse(bytes)?;
        weights.check(GeneratorNet::ARCHITECTURE)?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .thread_name(|_| "lockstep-predict".to_owned())
            .build()
            .map_err(std::io::Error::other)?;
        let gan = Self {
            network: GeneratorNet::new(&weights.parameters)?,
            pool,
            card: weights.metadata.get("card").cloned().unwrap_or_default(),
        };
        gan.logits(&Window::default(), Meter::COMMON, [0.0; N_LATENT])?;
        Ok(gan)
    }

    /// How the weights were made and what was measured, as JSON.
    pub fn card(&self) -> &str {
        &self.card
    }

    fn logits(
        &self,
        window: &Window,
        meter: Meter,
        latent: [f32; N_LATENT],
    ) -> candle_core::Result<Vec<f32>> {
        let bass = planes(window, meter);
        self.pool.install(|| {
            let bass =
                Tensor::from_vec(bass, (1, NET_MEASURES, NET_STEPS, N_PLANES), &Device::Cpu)?;
            let latent = Tensor::from_slice(&latent, (1, 1, N_LATENT), &Device::Cpu)?;
            self.network
                .forward(&bass, &latent)?
                .flatten_all()?
                .to_vec1()
        })
    }
}

impl Generator for Gan {
    fn name(&self) -> &'static str {
        "gan"
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        let latent = noise::latent(request.taste, request.measure);
        let logits = self.logits(&request.window, request.meter, latent)?;
        let mut hits = HitMap::default();
        for step_idx in 0..request.meter.n_steps().min(MAX_STEPS_PER_MEASURE) {
            // A measure longer than the network's row begins the row anew.
            let row = step_idx % NET_STEPS * N_OUTPUTS;
            for voice in Voice::ALL {
                let column = row + voice.index();
                let draw = noise::cell(request.taste, request.measure, step_idx, voice);
                let values = logits.get(column).zip(logits.get(column + N_VOICES));
                let (presence, velocity) =
                    values.map_or((f32::NAN, f32::NAN), |(p, v)| (p + draw, *v));
                let hit = Presence::new(logistic(presence))
                    .and_then(|p| Hit::new(p, logistic(velocity), 0.0));
                let hit = hit.ok_or(PredictError::NotFinite {
                    value: presence + velocity,
                    step_idx,
                })?;
                hits.set(step_idx, voice, hit);
            }
        }
        Ok(hits)
    }
}

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
