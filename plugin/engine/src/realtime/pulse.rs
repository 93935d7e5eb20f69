//! The bassist's pulse: the actual tempo and position of the beats, estimated from the onsets of bass notes.
//!
//! Kalman filters over phase, tempo and trend of tempo, as in Cemgil, Kappen, Desain and Honing, "On tempo tracking:
//! Tempogram representation and Kalman filtering", Journal of New Music Research 29 (2000). Several filters run at once,
//! each started at a different tempo, and the one that finds the onsets most likely is used: a filter started too far off
//! locks to the wrong sixteenths and cannot tell. An onset is weighted by its place in the meter and by how near it falls
//! to where one was expected, as in Large and Kolen, "Resonance and the perception of musical meter", Connection Science 6
//! (1994). The trend is our addition: a ritardando carries on.
//!
//! Knows neither clocks nor frames: times are in beats of the set tempo, tempos are relative to it (1 is the set tempo). The
//! filters calculate with bare numbers of beats.
//! Audio thread.
//!
//! The constants below were chosen by simulating lines with 15 ms of jitter and 10 % of drift over 32 measures, including
//! those in `tests/following.rs`.

use lockstep_core::representation::{Length, Position, SwungGrid};

/// How far the estimated tempo may be from the set one, as a share of it.
pub(super) const REACH: f64 = 0.15;

/// Timing error of an onset, in seconds, root mean square.
const JITTER_S: f64 = 0.015;

/// Factor on [`JITTER_S`] for an odd sixteenth: short notes there are played less carefully.
const ODD_JITTER: f64 = 1.25;

/// Prior weight of an onset on a beat, on an off-beat eighth and on an odd sixteenth, relative to a beat.
const PRIOR: [f64; 3] = [1.0, 0.7, 0.2];

/// The same for an onset that fits no place, so that no single onset rules out a filter.
const ASTRAY: f64 = 0.01;

/// Up to this many standard deviations an error counts in full; a larger one makes the onset less certain in proportion.
const GATE: f64 = 3.0;

/// Beyond this many standard deviations an onset is ignored.
const WALL: f64 = 4.0;

/// An error below this counts as 0, in seconds: less than the jitter of MIDI drivers or of any player.
const DEAD_S: f64 = 0.001;

/// Initial phase error, in units of [`JITTER_S`], root mean square: so the first onset nearly decides the phase.
const PHASE_SPREAD: f64 = 2.0;

/// Initial tempo error of each filter, root mean square: half of [`SPACING`].
const TEMPO_SPREAD: f64 = 0.015;

/// Initial trend error, in tempo per beat, root mean square.
const TREND_SPREAD: f64 = 0.0005;

/// How much phase, tempo and trend wander per beat, root mean square.
const WANDER: [f64; 3] = [0.002, 0.0005, 0.000_09];

/// Most beats between two onsets over which certainty fades: a bassist who rests does not change tempo.
const MAX_FORGETTING: f64 = 4.0;

/// Number of filters.
const N_FILTERS: usize = 9;

/// Distance between the filters' initial tempos: nine of them cover ±12 %, and each easily finds tempos 1.5 % further.
const SPACING: f64 = 0.03;

/// Initial penalty per [`SPACING`] away from the initial tempo, in nats: the set tempo is the most likely.
const AWAY_COST: f64 = 1.0;

/// By how much another filter must score higher to be used instead, in nats.
const MARGIN: f64 = 2.0;

/// Memory of the scores, in beats: after this long they have fallen to 1/e.
const MEMORY: f64 = 32.0;

/// When an onset fell, and the measure it fell in.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnsetTime {
    /// Time since the last onset heard, at the set tempo.
    pub(super) since: Length,
    /// Beats per second of the set tempo.
    pub(super) beats_per_s: f64,
    /// Steps before the measure.
    pub(super) first_step: f64,
    /// Steps in the measure.
    pub(super) n_steps: f64,
    /// The steps as the bassist plays them.
    pub(super) grid: SwungGrid,
}

/// The estimate of the bassist's pulse.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pulse {
    filters: [KalmanFilter; N_FILTERS],
    /// Index of the filter in use.
    believed: usize,
}

impl Pulse {
    /// Starts from the assumption that the bassist is at this position and tempo.
    pub(super) fn new(position: Position, tempo: f64, beats_per_s: f64) -> Self {
        let position = position.beats();
        let believed = N_FILTERS / 2;
        let filter = |i: usize| {
            let away = i as f64 - believed as f64;
            let score = -AWAY_COST * away.abs();
            KalmanFilter::new(position, tempo + SPACING * away, beats_per_s, score)
        };
        Self {
            filters: std::array::from_fn(filter),
            believed,
        }
    }

    /// Takes in an onset. Returns where it most probably fell, and the tempo relative to the set one.
    pub(super) fn hear(&mut self, onset: &OnsetTime) -> (Position, f64) {
        for filter in &mut self.filters {
            filter.hear(onset);
        }
        let score = |i: usize| self.filters.get(i).map_or(f64::NEG_INFINITY, |f| f.score);
        let best = (0..N_FILTERS).max_by(|a, b| score(*a).total_cmp(&score(*b)));
        if let Some(best) = best.filter(|best| score(*best) > score(self.believed) + MARGIN) {
            self.believed = best;
        }
        let believed = self.filters.get(self.believed);
        believed.map_or((Position::START, 1.0), |filter| {
            (Position::at(filter.position), filter.tempo)
        })
    }
}

/// One Kalman filter.
#[derive(Clone, Copy, Debug)]
struct KalmanFilter {
    /// Of the last onset, in beats.
    position: f64,
    /// Relative to the set tempo, within [`REACH`] of 1.
    tempo: f64,
    /// Change of `tempo` per beat.
    trend: f64,
    /// Of position, tempo and trend.
    covariance: [[f64; 3]; 3],
    /// Log-likelihood of the recent onsets.
    score: f64,
}

/// A place in the meter that an onset may have been meant for.
#[derive(Clone, Copy, Debug)]
struct MetricPosition {
    /// How far after the onset it lies, in beats.
    error: f64,
    /// Variance of onsets there.
    noise: f64,
    likelihood: f64,
}

impl MetricPosition {
    /// Less likely than any real place.
    const NOWHERE: Self = Self {
        error: 0.0,
        noise: 0.0,
        likelihood: -1.0,
    };
}

impl KalmanFilter {
    fn new(position: f64, tempo: f64, beats_per_s: f64, score: f64) -> Self {
        let phase = PHASE_SPREAD * JITTER_S * beats_per_s;
        let mut covariance = [[0.0; 3]; 3];
        let spreads = [phase, TEMPO_SPREAD, TREND_SPREAD];
        for (i, (row, spread)) in covariance.iter_mut().zip(spreads).enumerate() {
            if let Some(entry) = row.get_mut(i) {
                *entry = spread * spread;
            }
        }
        Self {
            position,
            tempo: tempo.clamp(1.0 - REACH, 1.0 + REACH),
            trend: 0.0,
            covariance,
            score,
        }
    }

    fn hear(&mut self, onset: &OnsetTime) {
        self.pass(onset.since.beats());
        let (place, total) = self.place(onset);
        self.score += (total + ASTRAY).ln();
        let [[variance, with_tempo, with_trend], ..] = self.covariance;
        let error = if place.error.abs() < DEAD_S * onset.beats_per_s {
            0.0
        } else {
            place.error
        };
        let surprise = error.abs() / (variance + place.noise).sqrt();
        if surprise > WALL {
            return;
        }
        // Half as likely to be meant for this place: allow twice the deviation.
        let doubt = (surprise / GATE).max(1.0) * total / place.likelihood;
        let noise = place.noise * doubt * doubt;
        let gain = [variance, with_tempo, with_trend].map(|c| c / (variance + noise));
        self.learn(gain);
        let [to_position, to_tempo, to_trend] = gain;
        self.position += to_position * error;
        self.tempo += to_tempo * error;
        self.trend += to_trend * error;
        self.bound();
    }

    /// The most likely of the nearby places, and the likelihood of the onset summed over all of them.
    fn place(&self, onset: &OnsetTime) -> (MetricPosition, f64) {
        let [[variance, ..], ..] = self.covariance;
        let [beat, eighth, odd] = PRIOR;
        let jitter = JITTER_S * onset.beats_per_s;
        let nearest = (self.position * 4.0).round();
        let (mut likeliest, mut total) = (MetricPosition::NOWHERE, 0.0);
        for by in [0.0, -1.0, 1.0, -2.0, 2.0] {
            let step = nearest + by;
            let in_measure = (step - onset.first_step).rem_euclid(onset.n_steps);
            let is_on = |every: f64| in_measure.rem_euclid(every) < 0.5;
            let (prior, spread) = match (is_on(4.0), is_on(2.0)) {
                (true, _) => (beat, jitter),
                (false, true) => (eighth, jitter),
                (false, false) => (odd, jitter * ODD_JITTER),
            };
            let noise = spread * spread;
            let delay = f64::from(onset.grid.delay(whole(in_measure)));
            let error = (step + delay) / 4.0 - self.position;
            let all = variance + noise;
            let likelihood = prior * (-0.5 * error * error / all).exp() / all.sqrt();
            total += likelihood;
            if likelihood > likeliest.likelihood {
                likeliest = MetricPosition {
                    error,
                    noise,
                    likelihood,
                };
            }
        }
        (likeliest, total)
    }

    /// Prediction over a time in beats of the set tempo: the tempo follows its trend, and certainty fades.
    fn pass(&mut self, beats: f64) {
        self.position += self.tempo * beats;
        let b = beats.clamp(0.0, MAX_FORGETTING);
        self.score *= (-b / MEMORY).exp();
        self.tempo += self.trend * b.min(1.0);
        self.bound();
        let [[pp, pt, pr], [_, tt, tr], [_, _, rr]] = self.covariance;
        let [phase, tempo, trend] = WANDER.map(|w| w * w * b);
        // F P Fᵀ + Q, where the position advances by b times the tempo, and the tempo by b times the trend.
        let pp = pp + 2.0 * b * pt + b * b * tt + phase;
        let pt = pt + b * (tt + pr) + b * b * tr;
        let pr = pr + b * tr;
        let tt = tt + 2.0 * b * tr + b * b * rr + tempo;
        let tr = tr + b * rr;
        let rr = rr + trend;
        self.covariance = [[pp, pt, pr], [pt, tt, tr], [pr, tr, rr]];
    }

    /// Updates the covariance with an onset: (I − K H) P, where H = (1, 0, 0).
    fn learn(&mut self, gain: [f64; 3]) {
        let [first, ..] = self.covariance;
        for (row, gain) in self.covariance.iter_mut().zip(gain) {
            for (entry, first) in row.iter_mut().zip(first) {
                *entry -= gain * first;
            }
        }
    }

    /// Keeps the tempo within [`REACH`]; at the limit the trend becomes 0.
    fn bound(&mut self) {
        let held = self.tempo.clamp(1.0 - REACH, 1.0 + REACH);
        if (held - self.tempo).abs() > 0.0 {
            (self.tempo, self.trend) = (held, 0.0);
        }
    }
}

/// The step of a measure at a number that is whole but for rounding.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-int cast saturates, and a step of a measure is small and not negative"
)]
fn whole(in_measure: f64) -> usize {
    in_measure.round() as usize
}
