//! Prediction: turns a request into planes or rows, and the network's outputs into a hit map.
//!
//! Uses one thread, and tensors too small to make candle start its process-wide pool, so that a prediction never spreads over
//! cores that an audio thread needs. Generator thread only.

mod accelerator;
mod answer;
mod case;
mod context;
mod embedded;
mod network_drummer;
mod on_straight_grid;
mod parts;
mod player;
mod trunk;

use std::path::Path;
use std::time::Duration;

use lockstep_core::generator::{
    DeviceReport, DrumHistory, Generator, Hits, PredictError, Probabilities, Request,
};
use lockstep_core::representation::{HitMap, Voice};

use crate::network::NetworkParameters;
use crate::weights::{Config, PlayerConfig, Weights, WeightsError};
pub use case::CaseError;
pub use context::planes;
pub use embedded::{EMBEDDED, EMBEDDED_NAME, EMBEDDED_WEIGHTS};
use network_drummer::NetworkDrummer;
use player::Player;
pub use trunk::{NetworkTrunk, Trunk, TrunkError, TrunkInputs, in_one_line};

/// A drummer that plays from weights.
#[derive(Debug)]
pub struct Predictor {
    drummer: Drummer,
    card: String,
}

/// The drummers, by what they remember.
#[derive(Debug)]
enum Drummer {
    /// Nothing: it hears what is in the request.
    Network(Box<NetworkDrummer>),
    /// The take.
    Player(Box<Player>),
}

impl Predictor {
    /// A drummer with the weights of a file. Predicts once, so that the first measure is not late.
    ///
    /// # Errors
    /// [`WeightsError`] if the bytes are damaged or have another architecture or shape.
    pub fn new(bytes: &[u8]) -> Result<Self, WeightsError> {
        let weights = Weights::parse(bytes)?;
        let mut predictor = if weights.is_player() {
            Self::player(weights.player_config()?, &weights.parameters)?
        } else {
            Self::from_parameters(weights.config()?, &weights.parameters)?
        };
        predictor.card = weights.metadata.get("card").cloned().unwrap_or_default();
        Ok(predictor)
    }

    /// A drummer without a memory of its own, with these weights.
    ///
    /// # Errors
    /// [`WeightsError`] if the configuration is impossible, or the weights do not have the shape of its network.
    pub fn from_parameters(
        config: Config,
        parameters: &NetworkParameters,
    ) -> Result<Self, WeightsError> {
        let drummer = NetworkDrummer::new(config, parameters)?;
        Ok(Self::of(Drummer::Network(Box::new(drummer))))
    }

    /// The player with these weights.
    ///
    /// # Errors
    /// The same as those of [`Self::from_parameters`].
    pub fn player(
        config: PlayerConfig,
        parameters: &NetworkParameters,
    ) -> Result<Self, WeightsError> {
        let player = Player::new(config, parameters)?;
        Ok(Self::of(Drummer::Player(Box::new(player))))
    }

    fn of(drummer: Drummer) -> Self {
        Self {
            drummer,
            card: String::new(),
        }
    }

    fn generator(&self) -> &dyn Generator {
        match &self.drummer {
            Drummer::Network(drummer) => &**drummer,
            Drummer::Player(player) => &**player,
        }
    }

    fn generator_mut(&mut self) -> &mut dyn Generator {
        match &mut self.drummer {
            Drummer::Network(drummer) => &mut **drummer,
            Drummer::Player(player) => &mut **player,
        }
    }

    /// How the weights were made and what was measured, as JSON.
    pub fn card(&self) -> &str {
        &self.card
    }

    /// The configuration of a network without a memory of its own; `None` for the player.
    pub fn config(&self) -> Option<&Config> {
        match &self.drummer {
            Drummer::Network(drummer) => Some(&drummer.config),
            Drummer::Player(_) => None,
        }
    }

    /// How many styles it can be asked for.
    pub fn n_styles(&self) -> usize {
        match &self.drummer {
            Drummer::Network(drummer) => drummer.config.architecture.n_styles,
            Drummer::Player(_) => crate::network::player::ear::N_FAMILIES,
        }
    }

    /// Whether another device can compute part of it. True for a network that decides hit by hit: it has a trunk. The player
    /// has none.
    pub fn has_trunk(&self) -> bool {
        matches!(&self.drummer, Drummer::Network(drummer) if drummer.has_trunk())
    }

    /// Lets another device compute the trunk from now on, if its features match the CPU's. If they do not, or once it fails,
    /// the CPU takes over without a gap; [`Generator::device`] says why.
    ///
    /// # Realtime safety
    /// Waits for the device; generator thread only.
    pub fn accelerate(&mut self, trunk: Box<dyn Trunk>) {
        match &mut self.drummer {
            Drummer::Network(drummer) => drummer.accelerate(trunk),
            Drummer::Player(player) => player.refuse(&TrunkError::Family(player.name())),
        }
    }

    /// Uses the CPU from now on because no other device could be opened; [`Generator::device`] says why.
    pub fn refuse(&mut self, why: &TrunkError) {
        match &mut self.drummer {
            Drummer::Network(drummer) => drummer.refuse(why),
            Drummer::Player(player) => player.refuse(why),
        }
    }

    /// Uses the CPU from now on, by choice.
    pub fn on_cpu(&mut self) {
        match &mut self.drummer {
            Drummer::Network(drummer) => drummer.on_cpu(),
            Drummer::Player(player) => player.on_cpu(),
        }
    }

    /// Writes requests and this drummer's answers to a safetensors file, N requests of M views each, for its V voices:
    ///
    /// - `bass` `(N, M, 4, 16, P)`, `own` `(N, M, 4, 16, 2 · V + 1)`, `accents` `(N, M, 4, 16, 1)` and `given`
    ///   `(N, M, N_CONDITIONS + n_styles)`: each view's inputs;
    /// - `shares` `(N, M)`: how much each counts;
    /// - `draws` `(N, 16, V)`: the logistic draws, before temperature and lean;
    /// - `presence` `(N, 16, V)`: the log-odds with the draw added; above 0 is a hit;
    /// - `times_us` `(K,)`: `times`, the durations of predictions, in microseconds.
    ///
    /// # Errors
    /// [`CaseError`] if the network has another family or a measure another length, or the file cannot be written.
    pub fn write_case(
        &mut self,
        path: &Path,
        requests: &[Request],
        times: &[Duration],
    ) -> Result<(), CaseError> {
        match &mut self.drummer {
            Drummer::Network(drummer) => drummer.write_case(path, requests, times),
            Drummer::Player(player) => Err(CaseError::Family {
                family: player.name(),
            }),
        }
    }
}

impl Generator for Predictor {
    fn name(&self) -> &'static str {
        self.generator().name()
    }

    fn voices(&self) -> &'static [Voice] {
        self.generator().voices()
    }

    fn n_parameters(&self) -> usize {
        self.generator().n_parameters()
    }

    fn device(&self) -> DeviceReport<'_> {
        self.generator().device()
    }

    fn n_flops(&self) -> u64 {
        self.generator().n_flops()
    }

    fn probabilities(
        &mut self,
        request: &Request,
        people: &Hits,
        history: DrumHistory,
    ) -> Result<Option<Probabilities>, PredictError> {
        self.generator_mut().probabilities(request, people, history)
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        self.generator_mut().predict(request)
    }
}
