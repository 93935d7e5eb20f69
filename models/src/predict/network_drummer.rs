//! The drummers whose network is asked anew for each measure: what they hear is in the request.
//!
//! Turns a request into planes, and the network's outputs into a hit map.

use candle_core::{Device, Tensor};
use lockstep_core::generator::{
    DeviceReport, DrumHistory, Generator, Hits, PredictError, Probabilities, Request,
};
use lockstep_core::representation::{
    Hit, HitMap, MAX_STEPS_PER_MEASURE, N_VOICES, Presence, Voice,
};

use super::accelerator::{Accelerator, probe};
use super::answer::Answer;
use super::context::{InputMask, planes};
use super::on_straight_grid;
use super::parts::{MeasurePart, parts, pass};
use super::trunk::{Trunk, TrunkError, TrunkInputs, in_one_line};
use crate::network::{
    Autoregressive, BassEmbedding, Decoder, FromNoise, GeneratorNet, N_FEATURES, N_LATENT,
    N_PLANES, NET_MEASURES, NET_STEPS, NetworkParameters, logistic, n_own_planes,
};
use crate::noise::{self, DrummerTouch};
use crate::voices::VoiceSet;
use crate::weights::{Config, WeightsError};

/// A drummer that plays from a network.
#[derive(Debug)]
pub(super) struct NetworkDrummer {
    pub(super) config: Config,
    pub(super) network: Network,
    /// The other device that computes the trunk, as long as it works.
    accelerator: Accelerator,
    n_parameters: usize,
    /// A pool of one thread for networks that candle would split among threads: those with a transformer's attention. Other
    /// networks run on the calling thread, because a handover costs more than a tenth of a prediction.
    pool: Option<rayon::ThreadPool>,
}

/// The families of networks.
#[derive(Debug)]
pub(super) enum Network {
    Gan(FromNoise),
    Autoregressive(Box<Autoregressive>, Decoder),
}

impl NetworkDrummer {
    /// A drummer with these weights. Predicts once, so that the first measure is not late.
    ///
    /// # Errors
    /// [`WeightsError`] if the configuration is impossible, or the weights do not have the shape of its network.
    pub(super) fn new(
        config: Config,
        parameters: &NetworkParameters,
    ) -> Result<Self, WeightsError> {
        config.check()?;
        let is_split = matches!(config.architecture.bass, BassEmbedding::Transformer { .. });
        let pool = || {
            rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .thread_name(|_| "lockstep-predict".to_owned())
                .build()
        };
        let pool = is_split.then(pool).transpose();
        let pool = pool.map_err(std::io::Error::other)?;
        let network = match GeneratorNet::new(&config.architecture, parameters)? {
            GeneratorNet::FromNoise(network) => Network::Gan(network),
            GeneratorNet::Autoregressive(network) => {
                let decoder = network.decoder()?;
                Network::Autoregressive(network, decoder)
            }
        };
        let mut predictor = Self {
            config,
            network,
            accelerator: Accelerator::default(),
            n_parameters: parameters.n_values(),
            pool,
        };
        for part in parts(Request::default().meter) {
            predictor.answer(&Request::default(), part, DrumHistory::Own)?;
        }
        Ok(predictor)
    }

    /// Runs `work` on one thread, whatever the network.
    fn on_one_thread<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// The network's answer for a part of the next measure.
    pub(super) fn answer(
        &mut self,
        request: &Request,
        part: MeasurePart,
        history: DrumHistory,
    ) -> candle_core::Result<Answer<'_>> {
        let (shares, inputs) = self.heard(request, part, history);
        match &self.network {
            Network::Gan(network) => self.on_one_thread(|| {
                let bass = planes(&request.window, part.rows);
                let shape = (1, NET_MEASURES, NET_STEPS, N_PLANES);
                let bass = Tensor::from_vec(bass, shape, &Device::Cpu)?;
                let latent = noise::latent(request.settings, request.measure);
                let latent = latent.map(|x| self.config.truncation * x);
                let latent = Tensor::from_slice(&latent, (1, 1, N_LATENT), &Device::Cpu)?;
                let outputs = network.forward(&bass, &latent)?;
                Ok(Answer::Whole {
                    voices: self.config.voices(),
                    outputs: outputs.flatten_all()?.to_vec1()?,
                })
            }),
            Network::Autoregressive(network, decoder) => {
                let features = match self.accelerator.features(&inputs) {
                    Some(features) => features,
                    None => self.on_one_thread(|| inputs.features(network, &Device::Cpu))?,
                };
                let features = features.chunks_exact(NET_STEPS * N_FEATURES);
                let n_own = n_own_planes(decoder.voices());
                let own = inputs.own.chunks_exact(NET_MEASURES * NET_STEPS * n_own);
                let begun = features
                    .zip(own)
                    .map(|(features, own)| decoder.begin(features, own));
                let views = shares.into_iter().zip(begun).collect();
                Ok(Answer::ByHit { decoder, views })
            }
        }
    }

    /// What each view hears of a request, and how much it counts.
    pub(super) fn heard(
        &self,
        request: &Request,
        part: MeasurePart,
        history: DrumHistory,
    ) -> (Vec<f32>, TrunkInputs) {
        let (mut shares, mut inputs) = (Vec::new(), TrunkInputs::default());
        if self.has_trunk() {
            for (share, mask) in self.views(request.settings.follow, history) {
                shares.push(share);
                mask.listen(request, part, &self.config.architecture, &mut inputs);
            }
        }
        (shares, inputs)
    }
}

impl NetworkDrummer {
    /// Whether another device can compute part of it. True for a drummer that decides hit by hit: it has a trunk.
    pub(super) fn has_trunk(&self) -> bool {
        matches!(self.network, Network::Autoregressive(..))
    }

    /// Lets another device compute the trunk from now on, if its features match the CPU's. If they do not, or once it fails,
    /// the CPU takes over without a gap; [`Generator::device`] says why.
    ///
    /// # Realtime safety
    /// Waits for the device; generator thread only.
    pub(super) fn accelerate(&mut self, trunk: Box<dyn Trunk>) {
        let Network::Autoregressive(network, _) = &self.network else {
            return self.refuse(&TrunkError::Family(self.name()));
        };
        let request = probe();
        let Some(part) = parts(request.meter).next() else {
            return;
        };
        let (_, inputs) = self.heard(&request, part, DrumHistory::Own);
        match self.on_one_thread(|| inputs.features(network, &Device::Cpu)) {
            Ok(expected) => self.accelerator.take(trunk, &inputs, &expected),
            Err(error) => self.refuse(&error.into()),
        }
    }

    /// Uses the CPU from now on because no other device could be opened; [`Generator::device`] says why.
    pub(super) fn refuse(&mut self, why: &TrunkError) {
        self.accelerator.refuse(why);
    }

    /// Uses the CPU from now on, by choice.
    pub(super) fn on_cpu(&mut self) {
        self.accelerator = Accelerator::default();
    }
}

impl NetworkDrummer {
    /// The views whose log-odds an answer averages, and the weight of each; the weights sum to 1.
    ///
    /// `follow` is classifier-free guidance (Ho & Salimans 2021) on the bass: at ½ as set in the weights file, at 0 as if there
    /// were no bass, at 1 the difference that the bass makes counts twice as much as at ½.
    fn views(&self, follow: f32, history: DrumHistory) -> impl Iterator<Item = (f32, InputMask)> {
        let (memory, guidance) = match history {
            DrumHistory::Own => (self.config.memory, self.config.guidance),
            DrumHistory::People => (1.0, 1.0),
            DrumHistory::Empty => (0.0, 1.0),
        };
        // A network without controls was never trained without a bass.
        let heard = if self.config.architecture.controls {
            2.0 * follow.clamp(0.0, 1.0) * guidance
        } else {
            1.0
        };
        [true, false]
            .into_iter()
            .flat_map(|bass| [true, false].map(|own| InputMask { bass, own }))
            .map(move |mask| {
                let of_bass = if mask.bass { heard } else { 1.0 - heard };
                // If the bass counts more than once, the views without it are subtracted. Only the one without memory is
                // used then, which saves a view.
                let memory = if heard > 1.0 && !mask.bass {
                    0.0
                } else {
                    memory
                };
                let of_own = if mask.own { memory } else { 1.0 - memory };
                (of_bass * of_own, mask)
            })
            .filter(|(share, _)| *share != 0.0)
    }
}

impl Generator for NetworkDrummer {
    fn name(&self) -> &'static str {
        self.config.architecture.generator.family()
    }

    fn voices(&self) -> &'static [Voice] {
        self.config.voices().voices()
    }

    fn n_parameters(&self) -> usize {
        self.n_parameters
    }

    fn device(&self) -> DeviceReport<'_> {
        self.accelerator.report()
    }

    fn n_flops(&self) -> u64 {
        GeneratorNet::n_flops(&self.config.architecture)
    }

    fn probabilities(
        &mut self,
        request: &Request,
        people: &Hits,
        history: DrumHistory,
    ) -> Result<Option<Probabilities>, PredictError> {
        let voices = self.config.voices();
        let mut rows = [[0.0; N_VOICES]; MAX_STEPS_PER_MEASURE];
        let mut heard = *request;
        let mut steps = rows.iter_mut().zip(people);
        for part in parts(request.meter) {
            let mut answer = self.answer(&heard, part, history).map_err(failed)?;
            let mut played = Vec::with_capacity(part.n_steps);
            for (step_idx, (row, people)) in steps.by_ref().take(part.n_steps).enumerate() {
                let mut outputs = answer.outputs(step_idx);
                let hits = voices.fold(people);
                for (column, voice) in voices.voices().iter().enumerate() {
                    row[voice.index()] = logistic(outputs.cell(column).presence);
                    if hits[column] {
                        answer.hit(&mut outputs, column);
                    }
                }
                answer.decided(hits);
                played.push(people.map(|hit| noise::ORDINARY_VELOCITY * f32::from(u8::from(hit))));
            }
            pass(&mut heard, &played);
        }
        Ok(Some(Probabilities(rows)))
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        if self.config.voices() != VoiceSet::Version1 || request.swing.is_straight() {
            return self.predict_on_its_grid(request);
        }
        let straight = self.predict_on_its_grid(&on_straight_grid::request(request))?;
        let grid = request.swing.in_meter(request.meter);
        Ok(on_straight_grid::plan(
            &straight,
            &grid,
            request.meter.n_steps(),
        ))
    }
}

impl NetworkDrummer {
    /// The drums of measure t+1 on the grid that the network learnt on, as is the request.
    fn predict_on_its_grid(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        let sampling = Sampling {
            voices: self.config.voices(),
            temperature: self.config.temperature.values(),
            lean: self.config.lean.values(),
            looseness: self.config.looseness,
            touch: noise::drummer_touch(request.settings),
        };
        let mut map = HitMap::default();
        let mut heard = *request;
        let mut first = 0;
        for part in parts(request.meter) {
            let mut answer = self
                .answer(&heard, part, DrumHistory::Own)
                .map_err(failed)?;
            let mut played = Vec::with_capacity(part.n_steps);
            for step_idx in 0..part.n_steps {
                played.push(sampling.decide(
                    &mut answer,
                    request,
                    (step_idx, first + step_idx),
                    &mut map,
                )?);
            }
            pass(&mut heard, &played);
            first += part.n_steps;
        }
        Ok(map)
    }
}

/// How an answer's cells are drawn; the numbers per voice are by column.
#[derive(Clone, Copy, Debug)]
struct Sampling {
    voices: VoiceSet,
    temperature: [f32; N_VOICES],
    lean: [f32; N_VOICES],
    looseness: f32,
    touch: DrummerTouch,
}

impl Sampling {
    /// Decides the voices of a step and returns the velocities of the kit's, 0 for no hit. The step is given by its index in
    /// the answer and in the measure.
    fn decide(
        &self,
        answer: &mut Answer<'_>,
        request: &Request,
        (place, step_idx): (usize, usize),
        map: &mut HitMap,
    ) -> Result<[f32; N_VOICES], PredictError> {
        let Request {
            settings, measure, ..
        } = *request;
        let Self {
            looseness, touch, ..
        } = *self;
        let mut outputs = answer.outputs(place);
        let (mut hits, mut played) = ([false; N_VOICES], [0.0; N_VOICES]);
        for (column, voice) in self.voices.voices().iter().enumerate() {
            let cell = outputs.cell(column);
            let draw = noise::cell(settings, measure, step_idx, column);
            let presence = cell.presence + self.lean[column] + self.temperature[column] * draw;
            let velocity = cell.velocity
                + cell.velocity_spread
                    * noise::velocity(settings, measure, (step_idx, column), looseness);
            let velocity = noise::ORDINARY_VELOCITY
                + touch.dynamics * (velocity - noise::ORDINARY_VELOCITY)
                + touch.level;
            let offset = touch.place(cell.offset)
                + touch.looseness
                    * looseness
                    * cell.offset_spread
                    * noise::offset(settings, measure, step_idx, column);
            let hit = Presence::new(logistic(presence))
                .and_then(|p| Hit::new(p, velocity.max(SOFTEST), offset))
                .ok_or(PredictError::NotFinite {
                    value: presence + velocity + offset,
                    step_idx,
                })?;
            map.set(step_idx, *voice, hit);
            if presence > 0.0 {
                hits[column] = true;
                played[voice.index()] = hit.velocity();
                answer.hit(&mut outputs, column);
            }
        }
        answer.decided(hits);
        Ok(played)
    }
}

/// MIDI velocity 1.
const SOFTEST: f32 = 1.0 / 127.0;

/// The tensor library failed.
#[expect(
    clippy::needless_pass_by_value,
    reason = "`map_err` passes it by value"
)]
fn failed(error: candle_core::Error) -> PredictError {
    PredictError::Network(in_one_line(&error))
}
