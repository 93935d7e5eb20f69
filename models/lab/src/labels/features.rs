//! What a song's bass and drums look like as numbers: what the classifier of grooves compares.
//!
//! Averages over measures. Measures of two and four beats are laid over one another on sixteen steps, those of three beats
//! and of six or twelve eighths on twelve; others (5/4, 7/8) count only where steps do not matter. A measure without drums
//! says nothing about a groove and is left out.

use std::collections::HashSet;

use lockstep_core::representation::{N_VOICES, STEPS_PER_BEAT, Voice};

use super::patterns::{N_PATTERNS, patterns};
use crate::corpus::{BassNote, MeasureView};

/// Steps of the grid of twos and fours, and of the grid of threes.
const GRIDS: [usize; 2] = [16, 12];

/// Longest leap that has a feature of its own, in semitones: an octave.
const OCTAVE: usize = 12;

/// How far after a sixteenth the middle of a triplet is: a third of a step, give or take a sixth.
const MIDDLE_TRIPLET: std::ops::RangeInclusive<i8> = 42..=127;

/// How many features there are.
pub(crate) const N_FEATURES: usize =
    (N_VOICES + 1) * (GRIDS[0] + GRIDS[1]) + 2 * N_VOICES + 2 * N_PATTERNS + OCTAVE + 18;

/// The sums from which the features of some measures are made.
#[derive(Clone, Debug)]
pub(crate) struct Features {
    grids: [Grid; 2],
    n_measures: usize,
    n_beats: f64,
    tempo: f64,
    swing: [f64; 2],
    n_hits: [f64; N_VOICES],
    velocity: [f64; N_VOICES],
    velocity_squared: [f64; N_VOICES],
    n_middle_triplets: f64,
    distinct: HashSet<Vec<(u8, u8)>>,
    /// Measures of which something is true, by length, then what.
    said: [[f64; N_PATTERNS]; 2],
    bass: BassSums,
}

/// Measures laid over one another.
#[derive(Clone, Debug)]
struct Grid {
    n_measures: f64,
    /// By voice, then step.
    hits: Vec<f64>,
    bass: Vec<f64>,
}

/// Sums over the bass notes.
#[derive(Clone, Debug, Default)]
struct BassSums {
    n_notes: f64,
    with_kick: f64,
    n_kicks: f64,
    n_steps: f64,
    key: f64,
    n_keys: f64,
    n_leaps: f64,
    /// By size in semitones; larger ones count as an octave.
    leaps: [f64; OCTAVE + 1],
    upwards: f64,
    last_key: Option<u8>,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            grids: GRIDS.map(|n_steps| Grid {
                n_measures: 0.0,
                hits: vec![0.0; N_VOICES * n_steps],
                bass: vec![0.0; n_steps],
            }),
            n_measures: 0,
            n_beats: 0.0,
            tempo: 0.0,
            swing: [0.0; 2],
            n_hits: [0.0; N_VOICES],
            velocity: [0.0; N_VOICES],
            velocity_squared: [0.0; N_VOICES],
            n_middle_triplets: 0.0,
            distinct: HashSet::new(),
            said: [[0.0; N_PATTERNS]; 2],
            bass: BassSums::default(),
        }
    }
}

impl Features {
    /// The sums over some measures.
    pub(crate) fn of<'a>(measures: impl IntoIterator<Item = MeasureView<'a>>) -> Self {
        let mut features = Self::default();
        for measure in measures {
            features.add(measure);
        }
        features
    }

    /// How many measures have drums.
    pub(crate) fn n_measures(&self) -> usize {
        self.n_measures
    }

    /// How often each voice sounds at each step, by voice, then step: on sixteen steps, or on twelve if those are more.
    pub(crate) fn hit_rates(&self) -> Vec<f64> {
        let [twos, threes] = &self.grids;
        let grid = if threes.n_measures > twos.n_measures {
            threes
        } else {
            twos
        };
        grid.hits
            .iter()
            .map(|n| n / grid.n_measures.max(1.0))
            .collect()
    }

    fn add(&mut self, measure: MeasureView<'_>) {
        if measure.hits.is_empty() {
            self.bass.last_key = None;
            return;
        }
        let n_steps = measure.meter.n_steps();
        self.n_measures += 1;
        self.n_beats += n_steps as f64 / f64::from(STEPS_PER_BEAT);
        self.tempo += f64::from(measure.tempo_bpm);
        self.swing[0] += f64::from(measure.swing.eighths());
        self.swing[1] += f64::from(measure.swing.sixteenths());
        for hit in measure.hits {
            let velocity = f64::from(hit.velocity) / 127.0;
            let voice = usize::from(hit.voice);
            self.n_hits[voice] += 1.0;
            self.velocity[voice] += velocity;
            self.velocity_squared[voice] += velocity * velocity;
            if hit.step_idx % STEPS_PER_BEAT == 1 && MIDDLE_TRIPLET.contains(&hit.offset) {
                self.n_middle_triplets += 1.0;
            }
        }
        let cells = measure.hits.iter().map(|hit| (hit.step_idx, hit.voice));
        self.distinct.insert(cells.collect());
        if let Some(said) = patterns(measure) {
            let sums = &mut self.said[usize::from(n_steps == GRIDS[1])];
            for (sum, is_true) in sums.iter_mut().zip(said) {
                *sum += f64::from(u8::from(is_true));
            }
        }
        self.lay_over(measure, n_steps);
        self.bass.add(measure);
    }

    /// Adds a measure to the grid of its length, if there is one.
    fn lay_over(&mut self, measure: MeasureView<'_>, n_steps: usize) {
        // The grid, and how often the measure fits into it or it into the measure.
        let (grid, n_times) = match n_steps {
            8 => (0, 2),
            16 | 32 => (0, 1),
            6 => (1, 2),
            12 | 24 => (1, 1),
            _ => return,
        };
        let length = GRIDS[grid];
        let grid = &mut self.grids[grid];
        grid.n_measures += (n_steps as f64 / length as f64).max(1.0);
        for time in 0..n_times {
            let at = |step_idx: u8| (usize::from(step_idx) + time * n_steps) % length;
            for hit in measure.hits {
                grid.hits[usize::from(hit.voice) * length + at(hit.step_idx)] += 1.0;
            }
            for note in measure.bass {
                grid.bass[at(note.step_idx)] += 1.0;
            }
        }
    }

    /// The numbers; `None` if there are no drums, or no measure fits a grid.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "f32 is precise enough for a feature"
    )]
    pub(crate) fn numbers(&self) -> Option<Vec<f32>> {
        if self.grids.iter().all(|grid| grid.n_measures == 0.0) {
            return None;
        }
        let mut numbers = Vec::with_capacity(N_FEATURES);
        for grid in &self.grids {
            let share = 1.0 / grid.n_measures.max(1.0);
            numbers.extend(grid.hits.iter().chain(&grid.bass).map(|n| n * share));
        }
        let per_measure = 1.0 / self.n_measures.max(1) as f64;
        numbers.extend(self.said.iter().flatten().map(|n| n * per_measure));
        numbers.extend(self.n_hits.iter().map(|n| n / self.n_beats));
        numbers
            .extend((0..N_VOICES).map(|voice| self.velocity[voice] / self.n_hits[voice].max(1.0)));
        numbers.extend([Voice::Snare, Voice::ClosedHat].map(|voice| self.deviation(voice)));
        numbers.push((self.tempo * per_measure / 120.0).log2());
        numbers.extend(self.swing.map(|swing| swing * per_measure));
        numbers.push(self.n_middle_triplets / self.n_beats);
        numbers.push(self.distinct.len() as f64 * per_measure);
        numbers
            .push(self.grids[1].n_measures / (self.grids[0].n_measures + self.grids[1].n_measures));
        self.bass
            .numbers(self.n_measures as f64, self.n_beats, &mut numbers);
        Some(numbers.into_iter().map(|number| number as f32).collect())
    }

    /// How much the velocities of a voice differ.
    fn deviation(&self, voice: Voice) -> f64 {
        let n = self.n_hits[voice.index()].max(1.0);
        let mean = self.velocity[voice.index()] / n;
        (self.velocity_squared[voice.index()] / n - mean * mean)
            .max(0.0)
            .sqrt()
    }
}

impl BassSums {
    fn add(&mut self, measure: MeasureView<'_>) {
        let is_kick = |step_idx: u8| {
            let mut hits = measure.hits.iter();
            hits.any(|hit| {
                hit.step_idx == step_idx && usize::from(hit.voice) == Voice::Kick.index()
            })
        };
        let kicks = measure
            .hits
            .iter()
            .filter(|hit| usize::from(hit.voice) == Voice::Kick.index());
        self.n_kicks += kicks.count() as f64;
        let mut keys = HashSet::new();
        for note in measure.bass {
            keys.insert(note.key);
            self.note(*note, is_kick(note.step_idx));
        }
        self.n_keys += keys.len() as f64;
    }

    fn note(&mut self, note: BassNote, is_with_kick: bool) {
        self.n_notes += 1.0;
        self.with_kick += f64::from(u8::from(is_with_kick));
        // Held notes count as two measures at most.
        self.n_steps += f64::from(note.n_steps.min(32));
        self.key += f64::from(note.key);
        if let Some(last) = self.last_key.replace(note.key) {
            self.n_leaps += 1.0;
            self.leaps[usize::from(last.abs_diff(note.key)).min(OCTAVE)] += 1.0;
            self.upwards += f64::from(u8::from(note.key > last));
        }
    }

    fn numbers(&self, n_measures: f64, n_beats: f64, numbers: &mut Vec<f64>) {
        let (n_notes, n_leaps) = (self.n_notes.max(1.0), self.n_leaps.max(1.0));
        numbers.push(self.n_notes / n_beats);
        numbers.push(self.with_kick / n_notes);
        numbers.push(self.with_kick / self.n_kicks.max(1.0));
        // Of two notes at one step both may fall on the kick.
        numbers.push(self.n_steps / n_notes / f64::from(STEPS_PER_BEAT));
        numbers.push(self.n_steps / (n_beats * f64::from(STEPS_PER_BEAT)));
        numbers.push(self.key / n_notes / 127.0);
        numbers.push(self.n_keys / n_measures);
        numbers.push(self.upwards / n_leaps);
        numbers.extend(self.leaps.iter().map(|n| n / n_leaps));
        numbers.push(f64::from(u8::from(self.n_notes == 0.0)));
    }
}
