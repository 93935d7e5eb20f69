//! Untrained players, and songs made of draws for them.

use candle_core::{DType, Device, Tensor};
use lockstep_core::draws;
use lockstep_core::generator::{Generator as _, Request};
use lockstep_core::representation::{
    HitMap, MAX_STEPS_PER_MEASURE, Meter, N_VOICES, Onset, Swing, Voice, WINDOW_STEPS, Window,
};
use lockstep_models::network::player::ear::N_GROOVES;
use lockstep_models::network::player::touch::{LEVELS, N_LEVELS, N_TOUCHES, TOUCH, TOUCHES};
use lockstep_models::network::player::{Levels, Touch, layers};
use lockstep_models::network::{NET_STEPS, NetworkParameters, STYLES};
use lockstep_models::predict::Predictor;
use lockstep_models::weights::{PerVoice, PlayerConfig};

use super::TestResult;

/// The touch of all ideas in these tests: off the grid, with dynamics.
pub(super) const LOOSE: Touch = [0.0, 0.4, 0.3, 0.1, 0.0, 0.0, 0.0];

pub(super) fn config() -> PlayerConfig {
    PlayerConfig {
        temperature: PerVoice::All(1.0),
        lean: PerVoice::All(0.0),
        returning: [0.0; 4],
        answering: 0.0,
        least_chance: 0.0,
        looseness: 1.0,
        guidance: PerVoice::All(1.4),
        family_guidance: 1.8,
        family_temperature: 1.0,
        family_returning: [0.0; 4],
        idea_guidance: 1.0,
        idea_least_share: 0.0,
        naming: 0.0,
    }
}

/// Untrained weights with one touch, of which every voice is played with dynamics.
pub(super) fn parameters(touch: Touch) -> TestResult<NetworkParameters> {
    parameters_with(touch, [0.0; N_VOICES])
}

/// Untrained weights with one touch and one set of levels.
pub(super) fn parameters_with(touch: Touch, levels: Levels) -> TestResult<NetworkParameters> {
    let (NetworkParameters(mut tensors), _) = NetworkParameters::initialise(&layers(), 7)?;
    let touches = Tensor::from_slice(
        &[touch; N_TOUCHES].concat(),
        (N_TOUCHES, TOUCH),
        &Device::Cpu,
    );
    tensors.insert(TOUCHES.to_owned(), touches?);
    let n = N_TOUCHES * N_LEVELS;
    let levels = Tensor::from_vec(levels.repeat(n), (n, N_VOICES), &Device::Cpu);
    tensors.insert(LEVELS.to_owned(), levels?);
    let styles = Tensor::zeros((N_GROOVES, NET_STEPS * N_VOICES), DType::F32, &Device::Cpu);
    tensors.insert(STYLES.to_owned(), styles?);
    Ok(NetworkParameters(tensors))
}

pub(super) fn player() -> TestResult<Predictor> {
    Ok(Predictor::player(config(), &parameters(LOOSE)?)?)
}

/// A song in one meter, made of draws.
#[derive(Clone, Copy)]
pub(super) struct Song {
    pub(super) meter: Meter,
    pub(super) seed: u64,
    /// A step at which the bass rests, although it would play.
    pub(super) without: Option<usize>,
    /// Whether every measure of the bass is the first.
    pub(super) repeats: bool,
    /// A measure of which the drums are others.
    pub(super) other_drums: Option<usize>,
}

impl Default for Song {
    fn default() -> Self {
        Self {
            meter: Meter::COMMON,
            seed: 1,
            without: None,
            repeats: false,
            other_drums: None,
        }
    }
}

impl Song {
    pub(super) fn onset(&self, step: usize) -> Option<Onset> {
        let step = if self.repeats {
            step % self.meter.n_steps()
        } else {
            step
        };
        let at = |stream| draws::uniform(&[stream, self.seed, step as u64]);
        let is_note = at(1) < 0.4 && self.without != Some(step);
        is_note.then(|| Onset {
            key: [36, 40, 43, 45, 50][step % 5],
            velocity: 0.3 + 0.7 * at(2),
            lateness: at(3) - 0.5,
        })
    }

    /// Velocity of a hit, 0 without one; the first measure is silent.
    pub(super) fn drums(&self, step: usize, voice: usize) -> f32 {
        let measure = step / self.meter.n_steps();
        let other = u64::from(self.other_drums == Some(measure));
        let at = |stream| draws::uniform(&[stream, self.seed, step as u64, voice as u64, other]);
        let hits = measure > 0 && at(4) < 0.12;
        if hits { 0.2 + 0.8 * at(5) } else { 0.0 }
    }

    /// The request for a measure after so many steps of the one before it.
    pub(super) fn request_after(&self, measure: u64, heard_steps: usize) -> Request {
        let n_steps = self.meter.n_steps();
        let end = usize::try_from(measure).unwrap_or(0) * n_steps;
        let mut request = Request {
            playback: 1,
            measure,
            heard_steps,
            meter: self.meter,
            tempo_bpm: 103.0,
            swing: Swing::new(0.2, 0.0),
            window: Window::default(),
            ..Request::default()
        };
        let heard = (end + heard_steps).saturating_sub(n_steps);
        for at in 0..WINDOW_STEPS {
            let Some(step) = (end + at)
                .checked_sub(WINDOW_STEPS)
                .filter(|step| *step < heard)
            else {
                continue;
            };
            if let Some(onset) = self.onset(step) {
                request.window.begin(at, onset);
            }
            if let Some(onset) = step.checked_sub(1).and_then(|step| self.onset(step)) {
                request.window.hold(at, onset.key);
            }
            request.played[at] = std::array::from_fn(|voice| self.drums(step, voice));
        }
        request
    }

    pub(super) fn request(&self, measure: u64) -> Request {
        self.request_after(measure, self.meter.n_steps())
    }
}

pub(super) fn plans(predictor: &mut Predictor, requests: &[Request]) -> TestResult<Vec<HitMap>> {
    let plans = requests.iter().map(|request| predictor.predict(request));
    Ok(plans.collect::<Result<_, _>>()?)
}

pub(super) fn last_plan(requests: &[Request]) -> TestResult<HitMap> {
    Ok(plans(&mut player()?, requests)?
        .pop()
        .ok_or("no requests")?)
}

pub(super) fn measures(song: &Song, measures: impl Iterator<Item = u64>) -> Vec<Request> {
    measures.map(|measure| song.request(measure)).collect()
}

pub(super) fn hits(map: &HitMap) -> Vec<Vec<bool>> {
    let of_step = |step| Voice::ALL.map(|voice| map.hit(step, voice).presence().sounds_at(0.5));
    (0..MAX_STEPS_PER_MEASURE)
        .map(|step| of_step(step).to_vec())
        .collect()
}
