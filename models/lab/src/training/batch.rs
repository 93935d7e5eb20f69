//! Batches: the generator's inputs, the critic's inputs, and what people played.

mod builder;
mod context;

use std::collections::HashMap;

use candle_core::{Result, Tensor};
use lockstep_core::draws;
use lockstep_core::generator::GeneratorSettings;
use lockstep_models::network::{Context, NET_MEASURES, NET_STEPS};
use lockstep_models::noise;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::pool::SongPool;
use super::run::{Meters, RunFile, Target};
use super::styles::Styles;
use crate::corpus::{Corpus, SongView, Split};
use builder::BatchBuilder;
use context::ExcerptContext;
pub(super) use context::plays_fill;

/// Measures predicted, and judged together, per excerpt.
pub const JUDGED: usize = 4;
/// Measures of an excerpt: those heard before the first predicted one, and the predicted ones.
const SPAN: usize = NET_MEASURES + JUDGED;
/// Separates the draws that choose what is forgotten from those that choose excerpts.
const FORGETTING: u64 = 78;
/// Draws after which a corpus without a usable place is given up.
const MAX_DRAWS: usize = 100_000;

/// Excerpts of songs as tensors, the ones with a bass first. K is [`JUDGED`], V the number of the run's voices.
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
        let styles = Styles::fit(corpus, &run.architecture, run.data.open_only);
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
            (with_bass.n() == 0, " with a bass"),
            (
                data.drums_only > 0 && drums_only.n() == 0,
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
        self.with_bass.n() + self.drums_only.n()
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
        let mut sheet = BatchBuilder::new(self.run.architecture.voices);
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
                let draw = |column| noise::cell(settings, measure, step_idx, column);
                sheet.cells.extend((0..sheet.voices.n()).map(draw));
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
