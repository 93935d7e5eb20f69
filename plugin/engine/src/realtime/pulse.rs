//! The bassist's pulse: how fast the beats really come and where they lie, found from the onsets of bass notes.
//!
//! Kalman filters over phase, tempo and trend of tempo, as in Cemgil, Kappen, Desain and Honing, "On tempo tracking:
//! Tempogram representation and Kalman filtering", Journal of New Music Research 29 (2000). Several listen at once, each
//! begun at another tempo, and the one to which the onsets are the least surprise is believed: a filter that began too
//! far off locks to the wrong sixteenths and cannot tell. An onset counts by its place in the metre and by how near it
//! falls to where one was expected, as in Large and Kolen, "Resonance and the perception of musical meter", Connection
//! Science 6 (1994). The trend is ours: a ritardando goes on.
//!
//! Knows neither clocks nor frames: times are in beats of the set tempo, tempos in shares of it. Audio thread.
//!
//! The numbers below were chosen by simulation of lines with 15 ms of jitter and 10 % of drift in 32 measures, those that
//! `tests/following.rs` plays among them.

/// How far the tempo found may be from the one that was set, as a share of it.
pub(super) const REACH: f64 = 0.15;

/// How far an onset lies from where it was meant, in seconds, root mean square.
const JITTER_S: f64 = 0.015;

/// How many times as far one on an odd sixteenth may lie: short notes there are played with less care.
const ODD_JITTER: f64 = 1.25;

/// How likely an onset is on a beat, on an off-beat eighth and on an odd sixteenth, each by itself, relative to a beat.
const PRIOR: [f64; 3] = [1.0, 0.7, 0.2];

/// How likely one is that lies nowhere, in the same measure: no single onset dooms a filter.
const ASTRAY: f64 = 0.01;

/// Up to so many standard deviations an error counts in full; one beyond makes the onset less sure by the excess.
const GATE: f64 = 3.0;

/// Beyond so many standard deviations an onset tells nothing.
const WALL: f64 = 4.0;

/// An error below this is none, in seconds: less than MIDI drivers jitter, and than anybody plays.
const DEAD_S: f64 = 0.001;

/// How far the phase is off at first, in [`JITTER_S`], root mean square: the first onset then nearly decides it.
const PHASE_SPREAD: f64 = 2.0;

/// How far the tempo of each filter is off at first, root mean square: half of [`SPACING`].
const TEMPO_SPREAD: f64 = 0.015;

/// The same of the trend, in tempo a beat.
const TREND_SPREAD: f64 = 0.0005;

/// How much phase, tempo and trend wander in a beat, root mean square.
const WANDER: [f64; 3] = [0.002, 0.0005, 0.000_09];

/// Longest time between two onsets that makes less sure, in beats: who rests does not change his mind.
const MAX_FORGETTING: f64 = 4.0;

/// Number of filters.
const N_FILTERS: usize = 9;

/// How far the tempos lie apart with which they begin: nine of them cover ±12 %, and each finds 1.5 % more with ease.
const SPACING: f64 = 0.03;

/// What each [`SPACING`] away from the tempo at the beginning costs, in nats: the set tempo is the likeliest.
const AWAY_COST: f64 = 1.0;

/// By how much another filter must have done better to be believed, in nats.
const MARGIN: f64 = 2.0;

/// For how long a surprise is remembered, in beats: it falls to 1/e.
const MEMORY: f64 = 32.0;

/// Where and when an onset fell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Onset {
    /// Time since the last one that was heard, in beats of the set tempo.
    pub(super) since: f64,
    /// Beats a second of the set tempo.
    pub(super) beats_per_s: f64,
    /// Steps before the measure.
    pub(super) first_step: f64,
    /// Steps in the measure.
    pub(super) n_steps: f64,
}

/// What has been found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pulse {
    filters: [Filter; N_FILTERS],
    /// Which of them is believed.
    believed: usize,
}

impl Pulse {
    /// An ear that takes the position for the bassist's, and the tempo for his as long as nothing speaks against it.
    pub(super) fn new(position: f64, tempo: f64, beats_per_s: f64) -> Self {
        let believed = N_FILTERS / 2;
        let filter = |i: usize| {
            let away = i as f64 - believed as f64;
            let score = -AWAY_COST * away.abs();
            Filter::new(position, tempo + SPACING * away, beats_per_s, score)
        };
        Self {
            filters: std::array::from_fn(filter),
            believed,
        }
    }

    /// Takes in an onset; gives where it most probably fell, in beats, and the tempo in shares of the set one.
    pub(super) fn hear(&mut self, onset: &Onset) -> (f64, f64) {
        for filter in &mut self.filters {
            filter.hear(onset);
        }
        let score = |i: usize| self.filters.get(i).map_or(f64::NEG_INFINITY, |f| f.score);
        let best = (0..N_FILTERS).max_by(|a, b| score(*a).total_cmp(&score(*b)));
        if let Some(best) = best.filter(|best| score(*best) > score(self.believed) + MARGIN) {
            self.believed = best;
        }
        self.filters
            .get(self.believed)
            .map_or((0.0, 1.0), |filter| (filter.position, filter.tempo))
    }
}

/// One opinion.
#[derive(Clone, Copy, Debug)]
struct Filter {
    /// Of the last onset, in beats.
    position: f64,
    /// In shares of the set tempo, within [`REACH`] of 1.
    tempo: f64,
    /// Change of `tempo` in a beat.
    trend: f64,
    /// Of position, tempo and trend.
    covariance: [[f64; 3]; 3],
    /// Logarithm of how likely it found the onsets of late.
    score: f64,
}

/// A place in the metre that an onset may have been meant for.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// How far after the onset it lies, in beats.
    error: f64,
    /// Variance of onsets there.
    noise: f64,
    likelihood: f64,
}

impl Place {
    /// Less likely than any.
    const NOWHERE: Self = Self {
        error: 0.0,
        noise: 0.0,
        likelihood: -1.0,
    };
}

impl Filter {
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

    fn hear(&mut self, onset: &Onset) {
        self.pass(onset.since);
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
        // Half as sure that it was meant for this place: twice as far that it may lie.
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

    /// The likeliest of the places around, and how likely an onset is here for whichever reason.
    fn place(&self, onset: &Onset) -> (Place, f64) {
        let [[variance, ..], ..] = self.covariance;
        let [beat, eighth, odd] = PRIOR;
        let jitter = JITTER_S * onset.beats_per_s;
        let nearest = (self.position * 4.0).round();
        let (mut likeliest, mut total) = (Place::NOWHERE, 0.0);
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
            let error = step / 4.0 - self.position;
            let all = variance + noise;
            let likelihood = prior * (-0.5 * error * error / all).exp() / all.sqrt();
            total += likelihood;
            if likelihood > likeliest.likelihood {
                likeliest = Place {
                    error,
                    noise,
                    likelihood,
                };
            }
        }
        (likeliest, total)
    }

    /// Time passes: the tempo follows its trend, and what is known grows less sure.
    fn pass(&mut self, beats: f64) {
        self.position += self.tempo * beats;
        let b = beats.clamp(0.0, MAX_FORGETTING);
        self.score *= (-b / MEMORY).exp();
        self.tempo += self.trend * b.min(1.0);
        self.bound();
        let [[pp, pt, pr], [_, tt, tr], [_, _, rr]] = self.covariance;
        let [phase, tempo, trend] = WANDER.map(|w| w * w * b);
        // F P Fᵀ + Q, where the position goes on by b times the tempo, and that by b times the trend.
        let pp = pp + 2.0 * b * pt + b * b * tt + phase;
        let pt = pt + b * (tt + pr) + b * b * tr;
        let pr = pr + b * tr;
        let tt = tt + 2.0 * b * tr + b * b * rr + tempo;
        let tr = tr + b * rr;
        let rr = rr + trend;
        self.covariance = [[pp, pt, pr], [pt, tt, tr], [pr, tr, rr]];
    }

    /// What is known grows surer: (I − K H) P, where H = (1, 0, 0).
    fn learn(&mut self, gain: [f64; 3]) {
        let [first, ..] = self.covariance;
        for (row, gain) in self.covariance.iter_mut().zip(gain) {
            for (entry, first) in row.iter_mut().zip(first) {
                *entry -= gain * first;
            }
        }
    }

    /// Holds the tempo within reach; at its end there is no trend.
    fn bound(&mut self) {
        let held = self.tempo.clamp(1.0 - REACH, 1.0 + REACH);
        if (held - self.tempo).abs() > 0.0 {
            (self.tempo, self.trend) = (held, 0.0);
        }
    }
}
