//! Batches: the generator's inputs, the critic's inputs, and what people played.

mod context;

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor};
use lockstep_core::draws;
use lockstep_core::generator::GeneratorSettings;
use lockstep_models::network::{Context, N_LATENT, N_PLANES, NET_MEASURES, NET_STEPS};
use lockstep_models::noise;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::run::{Meters, RunFile, Target};
use super::styles::Styles;
use crate::corpus::{BassNote, Corpus, SongView, Split};
use context::{Contexts, ExcerptContext};

use lockstep_core::representation::{LOWEST_PITCH, N_VOICES, Voice, pitch_index};

/// Measures predicted, and judged together, per excerpt.
pub const JUDGED: usize = 4;
/// Measures of an excerpt: those heard before the first predicted one, and the predicted ones.
const SPAN: usize = NET_MEASURES + JUDGED;
/// Separates the draws that choose what is forgotten from those that choose excerpts.
const FORGETTING: u64 = 78;
/// Draws after which a corpus without a usable place is given up.
const MAX_DRAWS: usize = 100_000;

/// Excerpts of songs as tensors, the ones with a bass first. K is [`JUDGED`].
#[derive(Debug)]
pub struct Batch {
    /// Number of excerpts with a bass, in `1 ..= B`.
    pub n_judged: usize,
    /// The bass heard before each predicted measure: `(B, K + 3, 16, P)`.
    pub heard: Tensor,
    /// The bass of the predicted measures: `(B, K, 16, P)`.
    pub bass: Tensor,
    /// Whether people hit: `(B, K, 16, V)`, 0 or 1.
    pub hits: Tensor,
    /// How loud, in `[0, 1]`, 0 where there is no hit: `(B, K, 16, V)`.
    pub velocities: Tensor,
    /// How far from the step, in steps, 0 where there is no hit: `(B, K, 16, V)`.
    pub offsets: Tensor,
    /// Whether the hit's velocity looks played rather than programmed: `(B, K, 16, V)`, 0 or 1.
    pub has_dynamics: Tensor,
    /// The same for its offset: `(B, K, 16, V)`.
    pub has_timing: Tensor,
    /// The noise vectors: `(B, K, N_LATENT)`.
    pub latent: Tensor,
    /// Logistic draws of the cells: `(B, K, 16, V)`.
    pub cells: Tensor,
    /// The inputs beside the bass of a generator that hears itself.
    pub context: Context,
}

/// The corpus has no song that can be trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the corpus has no usable training song of more than {JUDGED} measures{kind}; prepare a larger one"
)]
pub struct NothingToLearn {
    kind: &'static str,
}

/// Songs of one kind, drawn in proportion to their weights.
#[derive(Clone, Debug)]
struct SongPool {
    /// Indices in the corpus.
    songs: Vec<usize>,
    /// Running sums of the songs' weights.
    cumulative: Vec<f32>,
}

impl SongPool {
    fn new<'a>(songs: impl Iterator<Item = SongView<'a>>) -> Self {
        let mut sum = 0.0;
        let (songs, cumulative) = songs
            .map(|song| {
                sum += song.weight;
                (song.idx, sum)
            })
            .unzip();
        Self { songs, cumulative }
    }

    fn draw(&self, rng: &mut StdRng) -> Option<usize> {
        let total = self.cumulative.last().filter(|total| **total > 0.0)?;
        let at = rng.random_range(0.0..*total);
        let place = self.cumulative.partition_point(|sum| *sum <= at);
        self.songs.get(place.min(self.songs.len() - 1)).copied()
    }
}

/// Draws excerpts from the training songs: first a song by its weight, then a place in it.
#[derive(Clone, Debug)]
pub struct Sampler<'a> {
    corpus: &'a Corpus,
    run: &'a RunFile,
    with_bass: SongPool,
    drums_only: SongPool,
    styles: Styles,
    /// Style of each song, by index in the corpus.
    style_of: HashMap<usize, usize>,
}

impl<'a> Sampler<'a> {
    /// A sampler whose batches are a pure function of the run's seed, the training step and the replica.
    ///
    /// # Errors
    /// [`NothingToLearn`] if no training song can be used.
    pub fn new(corpus: &'a Corpus, run: &'a RunFile) -> std::result::Result<Self, NothingToLearn> {
        let styles = Styles::fit(corpus, run.architecture.n_styles, run.data.open_only);
        Self::with_styles(corpus, run, styles)
    }

    /// A sampler that uses these styles, such as those of weights that are trained further.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn with_styles(
        corpus: &'a Corpus,
        run: &'a RunFile,
        styles: Styles,
    ) -> std::result::Result<Self, NothingToLearn> {
        let data = &run.data;
        let songs = |has_bass: bool| {
            let may_use = move |song: &SongView<'_>| {
                song.has_bass == has_bass
                    && (song.is_open || !data.open_only)
                    && (0..song.n_measures().saturating_sub(JUDGED))
                        .any(|first| is_usable(song, first + 1, data.meters))
            };
            SongPool::new(corpus.songs(Split::Train).filter(may_use))
        };
        let (with_bass, drums_only) = (songs(true), songs(false));
        let is_missing = [
            (with_bass.songs.is_empty(), " with a bass"),
            (
                data.drums_only > 0 && drums_only.songs.is_empty(),
                " with drums only (data.drums-only = 0 does without)",
            ),
        ];
        if let Some((_, kind)) = is_missing.into_iter().find(|(missing, _)| *missing) {
            return Err(NothingToLearn { kind });
        }
        let style_of = corpus
            .songs(Split::Train)
            .filter_map(|song| Some((song.idx, styles.of(song)?)))
            .collect();
        Ok(Self {
            corpus,
            run,
            with_bass,
            drums_only,
            styles,
            style_of,
        })
    }

    /// The styles that its songs are sorted into.
    pub fn styles(&self) -> &Styles {
        &self.styles
    }

    /// Number of songs that can be drawn, drums-only ones included.
    pub fn n_songs(&self) -> usize {
        self.with_bass.songs.len() + self.drums_only.songs.len()
    }

    /// The batch of one training step: `n_judged` excerpts with a bass, `n_drums_only` without.
    ///
    /// # Errors
    /// Those of candle, and an error if no place with a bass is found.
    pub fn batch(&self, place: &[u64], n_judged: usize, n_drums_only: usize) -> Result<Batch> {
        let mut coordinates = vec![self.run.seed];
        coordinates.extend(place);
        let mut rng = StdRng::seed_from_u64(draws::hash(&coordinates));
        coordinates.push(FORGETTING);
        let mut forgetter = StdRng::seed_from_u64(draws::hash(&coordinates));
        let mut sheet = BatchBuilder::default();
        for (pool, n) in [
            (&self.with_bass, n_judged),
            (&self.drums_only, n_drums_only),
        ] {
            let mut n_left = n;
            let mut n_draws = 0;
            while n_left > 0 {
                n_draws += 1;
                if n_draws > MAX_DRAWS {
                    let message = "no place with a bass was found in the training songs";
                    return Err(candle_core::Error::Msg(message.to_owned()));
                }
                if self
                    .excerpt(pool, &mut rng, &mut forgetter, &mut sheet)
                    .is_some()
                {
                    n_left -= 1;
                }
            }
        }
        sheet.tensors(n_judged, n_judged + n_drums_only)
    }

    /// Adds one excerpt; `None` if the drawn place cannot be used.
    fn excerpt(
        &self,
        pool: &SongPool,
        rng: &mut StdRng,
        forgetter: &mut StdRng,
        sheet: &mut BatchBuilder,
    ) -> Option<()> {
        let data = &self.run.data;
        let song = self.corpus.song(pool.draw(rng)?);
        let last = song.n_measures().checked_sub(JUDGED).filter(|n| *n > 0)?;
        // The first predicted measure; fewer measures than a window may come before it.
        let first = rng.random_range(1..=last);
        let keeps_silence = rng.random_bool(data.silent);
        if !is_usable(&song, first, data.meters) {
            return None;
        }
        let shift = match data.target {
            Target::Next => 0,
            Target::Same => 1,
        };
        if song.has_bass && !keeps_silence {
            let is_heard = |measure: usize| {
                let from = (measure + shift).saturating_sub(NET_MEASURES);
                (from..measure + shift).any(|m| !song.measure(m).bass.is_empty())
            };
            if !(first..first + JUDGED).all(is_heard) {
                return None;
            }
        }
        let transpose = rng.random_range(-data.transpose..=data.transpose);
        sheet.write_bass(&song, first, transpose);
        sheet.write_drums(&song, first);
        let excerpt_context = ExcerptContext {
            architecture: &self.run.architecture,
            forgetting: &self.run.forgetting,
            shift,
            style: self.style_of.get(&song.idx).copied(),
        };
        if sheet
            .contexts
            .write(&song, first, excerpt_context, forgetter)
        {
            sheet.silence_bass();
        }

        // Half of the excerpts have no variation, so that the critic can demand a steady groove.
        let variation = if rng.random_bool(0.5) {
            0.0
        } else {
            rng.random_range(0.0..0.6)
        };
        let settings = GeneratorSettings {
            seed: rng.random(),
            variation,
            ..GeneratorSettings::default()
        };
        for measure in 0..JUDGED as u64 {
            sheet.latent.extend(noise::latent(settings, measure));
            for step_idx in 0..NET_STEPS {
                sheet.cells.extend(
                    Voice::ALL.map(|voice| noise::cell(settings, measure, step_idx, voice)),
                );
            }
        }
        sheet.shift = shift;
        Some(())
    }
}

/// Whether all measures of the excerpt that predicts from measure `first` on have the same length, one that is trained on.
fn is_usable(song: &SongView<'_>, first: usize, meters: Meters) -> bool {
    let n_steps = song.measure(first).meter.n_steps();
    let is_learnt = match meters {
        Meters::Common => n_steps == NET_STEPS,
        Meters::All => n_steps <= NET_STEPS,
    };
    is_learnt
        && (first.saturating_sub(NET_MEASURES)..first + JUDGED)
            .all(|m| song.measure(m).meter.n_steps() == n_steps)
}

/// Writes a note that begins at `start` into `(T, P)` planes, in which each measure of `n_steps` fills the start of a row of
/// sixteen steps; any part of the note outside them is cut off.
fn write_note(planes: &mut [f32], start: i64, note: BassNote, transpose: i32, n_steps: usize) {
    let key = i32::from(note.key) + transpose;
    let pitch = pitch_index(u8::try_from(key.rem_euclid(128)).unwrap_or(LOWEST_PITCH));
    let n_rows = (planes.len() / N_PLANES / NET_STEPS * n_steps) as i64;
    for step in start.max(0)..(start + i64::from(note.n_steps)).min(n_rows) {
        let Ok(row) = usize::try_from(step) else {
            continue;
        };
        let row = row / n_steps * NET_STEPS + row % n_steps;
        let cell = &mut planes[row * N_PLANES..][..N_PLANES];
        if step == start {
            cell[2 * usize::from(pitch)] = 1.0;
        }
        cell[2 * usize::from(pitch) + 1] = 1.0;
    }
}

/// The values of a batch while it is filled.
#[derive(Debug, Default)]
struct BatchBuilder {
    /// How many measures later the heard bass is than for [`Target::Next`].
    shift: usize,
    bass: Vec<f32>,
    hits: Vec<f32>,
    velocities: Vec<f32>,
    offsets: Vec<f32>,
    has_dynamics: Vec<f32>,
    has_timing: Vec<f32>,
    latent: Vec<f32>,
    cells: Vec<f32>,
    contexts: Contexts,
}

impl BatchBuilder {
    /// The bass of an excerpt. Notes that began more than four measures before it are treated as ended.
    fn write_bass(&mut self, song: &SongView<'_>, first: usize, transpose: i32) {
        let start = self.bass.len();
        self.bass.resize(start + SPAN * NET_STEPS * N_PLANES, 0.0);
        let planes = &mut self.bass[start..];
        let n_steps = song.measure(first).meter.n_steps();
        let heard = first.saturating_sub(NET_MEASURES);
        let from = first.saturating_sub(2 * NET_MEASURES);
        // The heard measures have one length, but those before them may differ, so their real lengths count.
        let steps_of = |measure| song.measure(measure).meter.n_steps() as i64;
        let mut origin = ((heard + NET_MEASURES - first) * n_steps) as i64
            - (from..heard).map(steps_of).sum::<i64>();
        for measure in from..first + JUDGED {
            for note in song.measure(measure).bass {
                let start = origin + i64::from(note.step_idx);
                write_note(planes, start, *note, transpose, n_steps);
            }
            origin += steps_of(measure);
        }
    }

    /// Clears the bass of the last excerpt.
    fn silence_bass(&mut self) {
        let start = self.bass.len().saturating_sub(SPAN * NET_STEPS * N_PLANES);
        self.bass[start..].fill(0.0);
    }

    fn write_drums(&mut self, song: &SongView<'_>, first: usize) {
        let n = self.hits.len() + JUDGED * NET_STEPS * N_VOICES;
        for values in [
            &mut self.hits,
            &mut self.velocities,
            &mut self.offsets,
            &mut self.has_dynamics,
            &mut self.has_timing,
        ] {
            values.resize(n, 0.0);
        }
        for k in 0..JUDGED {
            let origin = n - (JUDGED - k) * NET_STEPS * N_VOICES;
            for hit in song.measure(first + k).hits {
                let cell = origin + usize::from(hit.step_idx) * N_VOICES + usize::from(hit.voice);
                self.hits[cell] = 1.0;
                self.velocities[cell] = f32::from(hit.velocity) / 127.0;
                self.offsets[cell] = f32::from(hit.offset) / 254.0;
                self.has_dynamics[cell] = f32::from(u8::from(song.has_dynamics));
                self.has_timing[cell] = f32::from(u8::from(song.has_timing));
            }
        }
    }

    fn tensors(self, n_judged: usize, n: usize) -> Result<Batch> {
        let cells = (n, JUDGED, NET_STEPS, N_VOICES);
        let tensor = |values: Vec<f32>| Tensor::from_vec(values, cells, &Device::Cpu);
        let bass = Tensor::from_vec(self.bass, (n, SPAN, NET_STEPS, N_PLANES), &Device::Cpu)?;
        Ok(Batch {
            n_judged,
            heard: bass.narrow(1, self.shift, SPAN - 1)?.contiguous()?,
            bass: bass.narrow(1, NET_MEASURES, JUDGED)?.contiguous()?,
            hits: tensor(self.hits)?,
            velocities: tensor(self.velocities)?,
            offsets: tensor(self.offsets)?,
            has_dynamics: tensor(self.has_dynamics)?,
            has_timing: tensor(self.has_timing)?,
            latent: Tensor::from_vec(self.latent, (n, JUDGED, N_LATENT), &Device::Cpu)?,
            cells: tensor(self.cells)?,
            context: self.contexts.tensors(n)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::{Meter, Onset, Window};

    use lockstep_models::predict;

    use super::*;
    use crate::corpus::{MeasureRecord, SongRecord, write};

    #[test]
    fn a_longer_measure_before_the_excerpt_does_not_shift_its_notes() -> Result<()> {
        // A note on the last step of a measure of 8/4, then eight measures of 4/4 without a bass.
        let measure = |numerator, bass| MeasureRecord {
            meter: Meter::new(numerator, 4).unwrap_or_default(),
            tempo_bpm: 120.0,
            bass,
            hits: Vec::new(),
        };
        let mut measures = vec![measure(8, vec![BassNote::new(31, 40, 100, 2)])];
        measures.extend((0..8).map(|_| measure(4, Vec::new())));
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.lockstep");
        let song = SongRecord {
            measures,
            ..SongRecord::default()
        };
        write(&path, [song]).map_err(candle_core::Error::wrap)?;
        let corpus = Corpus::open(&path).map_err(candle_core::Error::wrap)?;
        let mut sheet = BatchBuilder::default();
        sheet.write_bass(&corpus.song(0), 5, 0);
        // The note's second step is the first step heard, as a held note.
        let is_onset = |(i, value): (usize, &f32)| i % 2 == 0 && *value > 0.0;
        assert!(!sheet.bass.iter().enumerate().any(is_onset));
        assert_eq!(sheet.bass.iter().filter(|value| **value > 0.0).count(), 1);
        Ok(())
    }

    #[test]
    fn prediction_and_training_make_the_same_planes() {
        let mut window = Window::default();
        window.begin(17, Onset::new(40, 0.8));
        window.hold(18, 40);
        let mut expected = vec![0.0; NET_MEASURES * NET_STEPS * N_PLANES];
        let note = BassNote::new(1, 40, 100, 2);
        write_note(&mut expected, 17, note, 0, NET_STEPS);
        assert_eq!(
            predict::planes(&window, [NET_STEPS; NET_MEASURES]),
            expected
        );
    }
}
