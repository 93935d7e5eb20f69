//! The ideas of the training songs: family, groove and touch.

use candle_core::{Device, Tensor};
use lockstep_core::draws;
use lockstep_core::representation::{N_VOICES, Voice};
use lockstep_models::network::player::ear::{N_GROOVES, N_TOUCHES, TOUCH, TOUCHES};
use lockstep_models::voices::VoiceSet;
use lockstep_models::weights::{Weights, WeightsError};

use super::run::PlayerData;
use crate::corpus::{Corpus, SongView, Split};
use crate::training::styles::Styles;

/// Passes over the songs.
const N_PASSES: usize = 12;
/// Least number of hits of a song that has a touch.
const LEAST_HITS: usize = 32;

/// A touch: 1 if all hits are on the grid, else 0; standard deviation of the hits' places about each voice's mean, in quarters
/// of a step; standard deviation of velocities about each voice's mean, in quarters of the scale; mean velocity.
pub(super) type Touch = [f32; TOUCH];

/// What songs can have in mind.
#[derive(Clone, Debug)]
pub struct Ideas {
    grooves: Styles,
    touches: Vec<Touch>,
}

/// What one song has in mind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SongIdea {
    /// Index of its family, if it is sure enough.
    pub family: Option<usize>,
    /// Index of its groove.
    pub groove: Option<usize>,
    /// Its own touch.
    pub touch: Option<Touch>,
    /// Index of the touch nearest to it.
    pub nearest_touch: Option<usize>,
    /// Mean over its measures of the sum of velocities.
    pub loudness: f32,
}

impl Ideas {
    /// Those of the training songs.
    pub fn fit(corpus: &Corpus, data: &PlayerData) -> Self {
        let grooves = Styles::of_kit(corpus, N_GROOVES, data.open_only);
        let songs = corpus.songs(Split::Train);
        let songs = songs.filter(|song| song.is_open || !data.open_only);
        let all: Vec<Touch> = songs.filter_map(touch).collect();
        Self {
            grooves,
            touches: cluster(&all),
        }
    }

    /// Those of a weights file.
    ///
    /// # Errors
    /// Those of [`Weights::style_hits`], and of candle if the touches are missing.
    pub fn of_weights(weights: &Weights) -> Result<Self, WeightsError> {
        let touches = weights.parameters.tensor(TOUCHES, &[N_TOUCHES, TOUCH])?;
        let touches = touches.flatten_all()?.to_vec1::<f32>()?;
        Ok(Self {
            grooves: Styles::new(&weights.style_hits()?),
            touches: touches.as_chunks::<TOUCH>().0.to_vec(),
        })
    }

    /// The idea of a song.
    pub fn of(&self, song: SongView<'_>, data: &PlayerData) -> SongIdea {
        let label = song.label;
        let sure = label.filter(|label| label.is_known || label.certainty >= data.certainty);
        let touch = touch(song);
        let loudness = song.measures().map(|measure| {
            let velocities = measure
                .hits
                .iter()
                .map(|hit| f32::from(hit.velocity) / 127.0);
            velocities.sum::<f32>()
        });
        SongIdea {
            family: sure.map(|label| label.family as usize),
            groove: self.grooves.of(song),
            touch,
            nearest_touch: touch.and_then(|touch| nearest(&self.touches, &touch)),
            loudness: loudness.sum::<f32>() / song.n_measures().max(1) as f32,
        }
    }

    /// The touches, `(N_TOUCHES, TOUCH)`.
    ///
    /// # Errors
    /// Those of candle.
    pub fn touches(&self) -> candle_core::Result<Tensor> {
        let mut values = self.touches.as_flattened().to_vec();
        values.resize(N_TOUCHES * TOUCH, 0.0);
        Tensor::from_vec(values, (N_TOUCHES, TOUCH), &Device::Cpu)
    }

    /// The grooves, `(N_GROOVES, 16 · V)`.
    ///
    /// # Errors
    /// Those of candle.
    pub fn grooves(&self) -> candle_core::Result<Tensor> {
        self.grooves.rows(N_GROOVES, VoiceSet::default())
    }
}

/// A song's touch; `None` if it has few hits.
fn touch(song: SongView<'_>) -> Option<Touch> {
    let mut sums = [[0.0_f64; 5]; N_VOICES];
    let mut n_off = 0_usize;
    for hit in song.measures().flat_map(|measure| measure.hits) {
        let (velocity, offset) = (
            f64::from(hit.velocity) / 127.0,
            f64::from(hit.offset) / 254.0,
        );
        let sum = sums.get_mut(usize::from(hit.voice))?;
        let parts = [1.0, velocity, velocity * velocity, offset, offset * offset];
        for (sum, part) in sum.iter_mut().zip(parts) {
            *sum += part;
        }
        n_off += usize::from(offset.abs() > 0.012);
    }
    let n: f64 = sums.iter().map(|sum| sum[0]).sum();
    if n < LEAST_HITS as f64 {
        return None;
    }
    let of = |mean: usize, square: usize| {
        let parts = Voice::ALL.iter().map(|voice| {
            let sum = sums[voice.index()];
            sum[square] - sum[mean] * sum[mean] / sum[0].max(1.0)
        });
        (parts.sum::<f64>().max(0.0) / n).sqrt()
    };
    let level = sums.iter().map(|sum| sum[1]).sum::<f64>() / n;
    let is_on_grid = (n_off as f64) < 0.02 * n;
    #[expect(clippy::cast_possible_truncation, reason = "the figures are near 1")]
    let touch = [
        f64::from(u8::from(is_on_grid)),
        (4.0 * of(3, 4)).min(2.0),
        (4.0 * of(1, 2)).min(2.0),
        level,
    ]
    .map(|x| x as f32);
    Some(touch)
}

fn distance(a: &Touch, b: &Touch) -> f32 {
    let parts = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
    parts.sum()
}

fn nearest(touches: &[Touch], touch: &Touch) -> Option<usize> {
    let each = touches.iter().enumerate();
    let nearest = each.min_by(|a, b| distance(a.1, touch).total_cmp(&distance(b.1, touch)));
    nearest.map(|(idx, _)| idx)
}

/// Clusters by k-means (Lloyd 1982), begun with songs drawn at even chances.
fn cluster(songs: &[Touch]) -> Vec<Touch> {
    if songs.is_empty() {
        return Vec::new();
    }
    let begin = |i: u64| {
        let place = draws::hash(&[71, i]) % songs.len() as u64;
        songs[usize::try_from(place).unwrap_or_default()]
    };
    let mut touches: Vec<Touch> = (0..N_TOUCHES as u64).map(begin).collect();
    for _ in 0..N_PASSES {
        let mut sums = vec![([0.0; TOUCH], 0.0_f32); touches.len()];
        for song in songs {
            if let Some(idx) = nearest(&touches, song) {
                for (sum, x) in sums[idx].0.iter_mut().zip(song) {
                    *sum += x;
                }
                sums[idx].1 += 1.0;
            }
        }
        for (touch, (sum, n)) in touches.iter_mut().zip(sums) {
            if n > 0.0 {
                *touch = sum.map(|x| x / n);
            }
        }
    }
    touches
}
