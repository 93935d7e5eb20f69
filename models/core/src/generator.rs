//! One trait, many brains: what can answer a request for the next measure.
//!
//! Runs on the generator thread, or in a program; never on the audio thread.

use std::fmt;

use crate::representation::{
    HitMap, MAX_STEPS_PER_MEASURE, Meter, N_VOICES, Plan, WINDOW_STEPS, Window,
};

/// What the drummer knows when it is asked for the next measure. Owns no heap memory: it crosses a thread.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Which playback this is: it counts the starts of the transport, so that a plan of an earlier one is known as stale.
    pub take: u32,
    /// Serial number of the measure to be predicted, t+1, counted in played measures from the start of the transport.
    pub measure: u64,
    /// Steps of measure t that have been heard; equals `meter.n_steps()` in the last request before the downbeat.
    pub heard_steps: usize,
    /// Meter of measure t, taken to hold for t+1.
    pub meter: Meter,
    /// Tempo in quarter notes a minute, when the request was made.
    pub tempo_bpm: f32,
    /// The bass up to the end of measure t.
    pub window: Window,
    /// Velocity of the drums of the take in the steps of `window`, `(T, V)`, as the drummer meant them at density ½; 0 where
    /// none was. What density added or took is not in it, so that the take is the same at every density.
    pub played: [[f32; N_VOICES]; WINDOW_STEPS],
    /// The musician's knobs that the generator hears.
    pub taste: Taste,
}

impl Default for Request {
    /// Before a song: 4/4 at 120 BPM, nothing heard and nothing played.
    fn default() -> Self {
        Self {
            take: 0,
            measure: 0,
            heard_steps: 0,
            meter: Meter::COMMON,
            tempo_bpm: 120.0,
            window: Window::default(),
            played: [[0.0; N_VOICES]; WINDOW_STEPS],
            taste: Taste::default(),
        }
    }
}

/// The seed that plays unless another is chosen: off the grid by a hair, with a backbeat and an even temper, to bass lines of
/// our own.
pub const DEFAULT_SEED: u32 = 39;

/// The knobs that a generator hears.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Taste {
    /// Which drummer of many: the same seed plays the same take.
    pub seed: u32,
    /// Which of that drummer's ideas: another number is another take by the same hand.
    pub idea: u32,
    /// How much of the drummer's mind changes from measure to measure, in `[0, 1]`; 0 answers the same bass alike.
    pub variation: f32,
    /// How much the bass counts, in `[0, 1]`: 0 plays as if there were none, ½ as learnt, 1 leans on every accent.
    pub follow: f32,
    /// Which of the network's styles is asked for; `None` leaves it to the drummer.
    pub style: Option<u8>,
    /// Whether the next measure is to be a fill; `None` leaves it to the drummer.
    pub fill: Option<bool>,
}

impl Default for Taste {
    fn default() -> Self {
        Self {
            seed: 0,
            idea: 0,
            variation: 0.0,
            follow: 0.5,
            style: None,
            fill: None,
        }
    }
}

/// How likely a person hits each voice at each step of measure t+1, `(T, V)` = `(MAX_STEPS_PER_MEASURE, N_VOICES)`.
///
/// Each entry is in `[0, 1]`; rows are in time order, columns in `Voice`'s declaration order, and rows beyond the
/// measure's length are 0. No draw is in it: that is the difference from a presence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probabilities(pub [[f32; N_VOICES]; MAX_STEPS_PER_MEASURE]);

/// Which voices hit at which steps of a measure; axes as of [`Probabilities`].
pub type Hits = [[bool; N_VOICES]; MAX_STEPS_PER_MEASURE];

/// Whose drums a generator goes by when it is asked what people play next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Its own, as far as it goes by them, and by the bass, when it plays.
    Own,
    /// People's, all that it could know, and the bass as learnt.
    People,
    /// Nobody's, and the bass as learnt.
    Nobody,
}

impl History {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Own, Self::People, Self::Nobody];
}

/// Why there is no prediction.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// The network could not be evaluated, for the reason that whatever computes it gives.
    #[error("the network could not be evaluated: {0}")]
    Network(String),
    /// The network answered with something that is no number.
    #[error("the network answered {value} for step {step_idx}")]
    NotFinite {
        /// What it answered.
        value: f32,
        /// The step it answered for.
        step_idx: usize,
    },
}

/// Which device computes the predictions, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceReport<'a> {
    /// Its name, such as `CPU` or the graphics card's.
    pub name: &'a str,
    /// Why it is not the one that was asked for, where it is not.
    pub refusal: Option<&'a str>,
}

impl fmt::Display for DeviceReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.refusal {
            Some(why) => write!(f, "{}: {why}", self.name),
            None => f.write_str(self.name),
        }
    }
}

/// Predicts the drums of the measure that follows a window of bass.
pub trait Generator: Send {
    /// Name for people, such as `conditional-gan`.
    fn name(&self) -> &'static str;

    /// The drums of measure t+1. The same request gives the same drums.
    ///
    /// # Errors
    /// [`PredictError`] if the network could not be evaluated or answered nonsense.
    ///
    /// # Realtime safety
    /// May allocate; generator thread only.
    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError>;

    /// What the generator holds for likely in measure t+1, or `None` from one that does not deal in likelihoods.
    ///
    /// `people` are the hits that were played there, and `history` says whose drums the request's are. Where a generator decides hit by hit, each cell's probability is the
    /// one after those before it: earlier steps, and at the same step the voices declared before it.
    ///
    /// # Errors
    /// Those of [`Self::predict`].
    ///
    /// # Realtime safety
    /// May allocate; measurement only.
    fn probabilities(
        &mut self,
        _request: &Request,
        _people: &Hits,
        _history: History,
    ) -> Result<Option<Probabilities>, PredictError> {
        Ok(None)
    }

    /// Which device computed the last prediction, and why not another.
    fn device(&self) -> DeviceReport<'_> {
        DeviceReport {
            name: "CPU",
            refusal: None,
        }
    }

    /// How many numbers it has learnt; 0 for a rule.
    fn n_parameters(&self) -> usize {
        0
    }

    /// Floating-point operations of one prediction, at least; 0 for a rule.
    fn n_flops(&self) -> u64 {
        0
    }

    /// [`Self::predict`], addressed to the measure the request asked for.
    ///
    /// # Errors
    /// Those of [`Self::predict`].
    fn plan(&mut self, request: &Request) -> Result<Plan, PredictError> {
        Ok(Plan {
            take: request.take,
            measure: request.measure,
            heard_steps: request.heard_steps,
            hits: self.predict(request)?,
        })
    }
}
