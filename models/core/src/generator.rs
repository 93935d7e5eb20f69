//! The [`Generator`] trait and its request: what predicts the next measure, and from what.
//!
//! Runs on the generator thread or in a program, never on the audio thread.

use std::fmt;

use crate::representation::{
    HitMap, MAX_STEPS_PER_MEASURE, Meter, N_VOICES, Plan, Swing, Voice, WINDOW_STEPS, Window,
};

/// What the drummer knows when it is asked for the next measure. Owns no heap memory, because it crosses threads.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Which client asks, of those that share a generator: one that remembers keeps their measures apart. 0 if there is only
    /// one.
    pub client: u64,
    /// Number of this playback, counting the starts of the transport, so that plans from an earlier playback can be dropped.
    pub playback: u32,
    /// Number of the measure to predict, t+1, counted in played measures from the start of the transport.
    pub measure: u64,
    /// Steps of measure t heard so far; equals `meter.n_steps()` in the last request before the downbeat.
    pub heard_steps: usize,
    /// Meter of measure t, assumed for t+1 too.
    pub meter: Meter,
    /// Tempo in BPM when the request was made.
    pub tempo_bpm: f32,
    /// How the bass swings, as far as heard; no swing that the meter rules out.
    pub swing: Swing,
    /// The bass up to the end of measure t, on the steps of the swung grid.
    pub window: Window,
    /// Velocity of the drums in the steps of `window`, `(T, V)`, as the drummer plays them at density ½; 0 where there is no
    /// hit. Other densities do not change it, so the plans are the same at every density.
    pub played: [[f32; N_VOICES]; WINDOW_STEPS],
    /// The player's knobs that the generator takes into account.
    pub settings: GeneratorSettings,
}

impl Default for Request {
    /// Before a song: 4/4 at 120 BPM, nothing heard and nothing played.
    fn default() -> Self {
        Self {
            client: 0,
            playback: 0,
            measure: 0,
            heard_steps: 0,
            meter: Meter::COMMON,
            tempo_bpm: 120.0,
            swing: Swing::STRAIGHT,
            window: Window::default(),
            played: [[0.0; N_VOICES]; WINDOW_STEPS],
            settings: GeneratorSettings::default(),
        }
    }
}

/// The seed that plays unless another is chosen: slightly off the grid, with a backbeat and an even temper, to our own bass
/// lines.
pub const DEFAULT_SEED: u32 = 39;

/// How much of a measure a fill takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FillLength {
    /// The last beat.
    Beat,
    /// The last half.
    Half,
    /// The whole measure.
    #[default]
    Measure,
}

impl FillLength {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Beat, Self::Half, Self::Measure];
}

/// Whether the next measure should be a fill, and how much of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FillWish {
    /// As the drummer likes.
    #[default]
    Free,
    /// No fill.
    Without,
    /// A fill of this length at the end of the measure.
    With(FillLength),
}

impl FillWish {
    /// Whether it asks for a fill or for none, for a drummer that knows no lengths; `None` if it leaves it open.
    ///
    /// ```
    /// use lockstep_core::generator::{FillLength, FillWish};
    ///
    /// assert_eq!(FillWish::With(FillLength::Beat).asks_for_fill(), Some(true));
    /// assert_eq!(FillWish::Free.asks_for_fill(), None);
    /// ```
    pub fn asks_for_fill(self) -> Option<bool> {
        match self {
            Self::Free => None,
            Self::Without => Some(false),
            Self::With(_) => Some(true),
        }
    }
}

/// The knobs that a generator takes into account. One that does not know a knob plays as if it were not there.
///
/// ```
/// use lockstep_core::generator::{FillWish, GeneratorSettings};
///
/// let settings = GeneratorSettings { seed: 39, variation: 0.1, ..GeneratorSettings::default() };
/// let wishes = (settings.style, settings.energy, settings.fill);
/// assert_eq!(wishes, (None, None, FillWish::Free), "left to the drummer");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeneratorSettings {
    /// Which of many drummers plays: the same seed plays the same take.
    pub seed: u32,
    /// Which of that drummer's ideas: another number is another take with the same touch.
    pub idea: u32,
    /// How many of the random draws change from measure to measure, in `[0, 1]`; at 0 the same bass gets the same answer.
    pub variation: f32,
    /// How much the bass counts, in `[0, 1]`: 0 plays as if there were no bass, ½ as learnt, 1 leans on every accent.
    pub follow: f32,
    /// The network's style to play; `None` leaves it to the drummer.
    pub style: Option<u8>,
    /// How loud and busy to play, in `[0, 1]`: 0 is a soft verse, ½ the song's mean, 1 a loud chorus; `None` leaves it to the
    /// drummer.
    pub energy: Option<f32>,
    /// Whether the next measure should be a fill, and how much of it.
    pub fill: FillWish,
    /// How often the drummer plays fills of its own where [`Self::fill`] is free, in `[0, 1]`: 0 never, ½ as people do, 1 at
    /// the end of every phrase.
    pub fills: f32,
}

impl Default for GeneratorSettings {
    fn default() -> Self {
        Self {
            seed: 0,
            idea: 0,
            variation: 0.0,
            follow: 0.5,
            style: None,
            energy: None,
            fill: FillWish::Free,
            fills: 0.5,
        }
    }
}

/// How likely a person hits each voice at each step of measure t+1, `(T, V)` = `(MAX_STEPS_PER_MEASURE, N_VOICES)`.
///
/// Each entry is in `[0, 1]`; rows are in time order, columns in `Voice`'s declaration order, and rows beyond the
/// measure's length are 0, and so are the columns of voices that the generator does not play. Unlike a presence, it contains no
/// random draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probabilities(pub [[f32; N_VOICES]; MAX_STEPS_PER_MEASURE]);

/// Which voices hit at which steps of a measure; the same axes as [`Probabilities`].
pub type Hits = [[bool; N_VOICES]; MAX_STEPS_PER_MEASURE];

/// Whose drums are the history when a generator is asked what people play next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrumHistory {
    /// Its own. They and the bass count as much as when it plays.
    Own,
    /// People's. They count fully, and the bass as learnt.
    People,
    /// Nobody's: no drums. The bass counts as learnt.
    Empty,
}

impl DrumHistory {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Own, Self::People, Self::Empty];
}

/// Why there is no prediction.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// The tensor library failed.
    #[error("the network could not be evaluated: {0}")]
    Network(String),
    /// The network's answer is infinite or NaN.
    #[error("the network answered {value} for step {step_idx}")]
    NotFinite {
        /// What it answered.
        value: f32,
        /// The step it answered for.
        step_idx: usize,
    },
}

/// Which device computes the predictions, as text for the player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceReport<'a> {
    /// Its name, such as `CPU` or that of the graphics card.
    pub name: &'a str,
    /// Why it is not the device that was asked for; `None` if it is.
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
///
/// ```
/// use lockstep_core::generator::{Generator, PredictError, Request};
/// use lockstep_core::representation::{Hit, HitMap, Presence, Voice};
///
/// /// A kick on beat one, whatever the bass does.
/// struct One;
///
/// impl Generator for One {
///     fn name(&self) -> &'static str {
///         "one"
///     }
///
///     fn voices(&self) -> &'static [Voice] {
///         &[Voice::Kick]
///     }
///
///     fn predict(&mut self, _request: &Request) -> Result<HitMap, PredictError> {
///         let kick = Presence::new(1.0).and_then(|presence| Hit::new(presence, 0.8, 0.0));
///         let mut hits = HitMap::default();
///         hits.set(0, Voice::Kick, kick.unwrap_or_default());
///         Ok(hits)
///     }
/// }
///
/// let plan = One.plan(&Request::default())?;
/// assert!(!plan.hits.is_rest());
/// # Ok::<(), PredictError>(())
/// ```
pub trait Generator: Send {
    /// Name to display, such as `conditional-gan`.
    fn name(&self) -> &'static str;

    /// The voices that it may play; there may be fewer than the kit has.
    fn voices(&self) -> &'static [Voice];

    /// The drums of measure t+1. The same request gives the same drums; if the generator remembers, after the same measures.
    ///
    /// # Errors
    /// [`PredictError`] if the network could not be evaluated or its answer is not finite.
    ///
    /// # Realtime safety
    /// May allocate; generator thread only.
    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError>;

    /// How likely the generator finds each hit of measure t+1; `None` if it has no likelihoods.
    ///
    /// `people` are the hits that were played there, and `history` says whose drums the request holds. If a generator decides
    /// hit by hit, each cell's probability is conditional on people's hits before it: in earlier steps, and at the same step
    /// in the voices declared before it.
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
        _history: DrumHistory,
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

    /// Number of learnt parameters; 0 for a rule.
    fn n_parameters(&self) -> usize {
        0
    }

    /// Least number of floating-point operations per prediction; 0 for a rule.
    fn n_flops(&self) -> u64 {
        0
    }

    /// [`Self::predict`] as a [`Plan`] for the measure that the request asked for, with the swing of its bass.
    ///
    /// # Errors
    /// Those of [`Self::predict`].
    fn plan(&mut self, request: &Request) -> Result<Plan, PredictError> {
        Ok(Plan {
            playback: request.playback,
            measure: request.measure,
            heard_steps: request.heard_steps,
            swing: request.swing,
            hits: self.predict(request)?,
        })
    }
}
