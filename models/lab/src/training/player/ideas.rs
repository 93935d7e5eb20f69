//! The ideas of the training songs: family, groove and touch.

use candle_core::{Device, Tensor};
use lockstep_core::draws;
use lockstep_core::representation::{N_VOICES, Voice};
use lockstep_models::network::player::ear::N_GROOVES;
use lockstep_models::network::player::touch::{
    LEVELS, N_LEVELS, N_TOUCHES, TOUCH, TOUCHES, evenness,
};
use lockstep_models::network::player::{Levels, Touch};
use lockstep_models::voices::VoiceSet;
use lockstep_models::weights::{Weights, WeightsError};

use super::run::PlayerData;
use crate::corpus::{Corpus, SongView, Split};
use crate::training::styles::Styles;

/// Passes over the songs.
const N_PASSES: usize = 12;
/// Least number of hits of a song that has a touch.
const LEAST_HITS: usize = 32;

/// Share of a voice's hits that must have the same velocity for the voice to be even.
pub(super) const EVEN: f32 = 0.9;

/// What songs can have in mind.
#[derive(Clone, Debug)]
pub struct Ideas {
    grooves: Styles,
    touches: Vec<Touch>,
    /// [`N_LEVELS`] sets of each touch, one touch after another.
    levels: Vec<Levels>,
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
    /// Its own levels.
    pub levels: Levels,
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
        let all: Vec<(Touch, Levels)> = songs
            .filter_map(|song| Some((touch(song)?, levels(song))))
            .collect();
        let touches = cluster(&all.iter().map(|(touch, _)| *touch).collect::<Vec<_>>());
        Self {
            grooves,
            levels: levels_of_touches(&touches, &all),
            touches,
        }
    }

    /// Those of a weights file.
    ///
    /// # Errors
    /// Those of [`Weights::style_hits`], and of candle if the touches are missing.
    pub fn of_weights(weights: &Weights) -> Result<Self, WeightsError> {
        let touches = weights.parameters.tensor(TOUCHES, &[N_TOUCHES, TOUCH])?;
        let touches = touches.flatten_all()?.to_vec1::<f32>()?;
        let levels = weights
            .parameters
            .tensor(LEVELS, &[N_TOUCHES * N_LEVELS, N_VOICES])?;
        let levels = levels.flatten_all()?.to_vec1::<f32>()?;
        Ok(Self {
            grooves: Styles::new(&weights.style_hits()?),
            touches: touches.as_chunks::<TOUCH>().0.to_vec(),
            levels: levels.as_chunks::<N_VOICES>().0.to_vec(),
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
            levels: levels(song),
            nearest_touch: touch.and_then(|touch| nearest(&self.touches, &touch)),
            loudness: loudness.sum::<f32>() / song.n_measures().max(1) as f32,
        }
    }

    /// Index of the touch nearest to one.
    pub(super) fn nearest_touch(&self, touch: &Touch) -> Option<usize> {
        nearest(&self.touches, touch)
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

    /// The sets of levels, `(N_TOUCHES · N_LEVELS, V)`.
    ///
    /// # Errors
    /// Those of candle.
    pub fn levels(&self) -> candle_core::Result<Tensor> {
        let mut values = self.levels.as_flattened().to_vec();
        let shape = (N_TOUCHES * N_LEVELS, N_VOICES);
        values.resize(shape.0 * shape.1, 0.0);
        Tensor::from_vec(values, shape, &Device::Cpu)
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
    let even = even(song).map(|is| f64::from(u8::from(is)));
    let level = sums.iter().map(|sum| sum[1]).sum::<f64>() / n;
    let is_on_grid = (n_off as f64) < 0.02 * n;
    #[expect(clippy::cast_possible_truncation, reason = "the figures are near 1")]
    let touch = [
        f64::from(u8::from(is_on_grid)),
        (4.0 * of(3, 4)).min(2.0),
        (4.0 * of(1, 2)).min(2.0),
        level,
        even[0],
        even[1],
        even[2],
    ]
    .map(|x| x as f32);
    Some(touch)
}

/// How often each voice of a song has each MIDI velocity.
fn velocities(song: SongView<'_>) -> Vec<[u32; 128]> {
    let mut counts = vec![[0; 128]; N_VOICES];
    for hit in song.measures().flat_map(|measure| measure.hits) {
        if let Some(counts) = counts.get_mut(usize::from(hit.voice)) {
            counts[usize::from(hit.velocity.min(127))] += 1;
        }
    }
    counts
}

/// Number of hits, and the commonest velocity with how many have it.
fn commonest(counts: &[u32; 128]) -> (u32, usize, u32) {
    let most = counts.iter().copied().enumerate().max_by_key(|(_, n)| *n);
    let (velocity, same) = most.unwrap_or_default();
    (counts.iter().sum(), velocity, same)
}

fn is_even(n: u32, same: u32) -> bool {
    same as f32 >= EVEN * n as f32
}

/// Whether each voice has a velocity of its own, of those that [`evenness`] tells apart.
fn even(song: SongView<'_>) -> [bool; 3] {
    let (mut n, mut same) = ([0; 3], [0; 3]);
    for (voice, counts) in Voice::ALL.into_iter().zip(&velocities(song)) {
        let (of_voice, _, of_velocity) = commonest(counts);
        n[evenness(voice)] += of_voice;
        same[evenness(voice)] += of_velocity;
    }
    std::array::from_fn(|of| is_even(n[of], same[of]))
}

/// A song's levels. A voice that the song does not have is as even as those that [`evenness`] names with it, and as loud as the
/// commonest velocity of the song.
fn levels(song: SongView<'_>) -> Levels {
    let (counts, even) = (velocities(song), even(song));
    let mut all = [0; 128];
    for counts in &counts {
        for (all, n) in all.iter_mut().zip(counts) {
            *all += n;
        }
    }
    std::array::from_fn(|voice| {
        let (n, velocity, same) = commonest(&counts[voice]);
        if n == 0 && even[evenness(Voice::ALL[voice])] {
            commonest(&all).1 as f32 / 127.0
        } else if n > 0 && is_even(n, same) {
            velocity as f32 / 127.0
        } else {
            0.0
        }
    })
}

/// The levels of each touch: those of songs that are drawn from the ones nearest to it.
fn levels_of_touches(touches: &[Touch], songs: &[(Touch, Levels)]) -> Vec<Levels> {
    let mut own = vec![Vec::new(); touches.len()];
    for (touch, levels) in songs {
        if let Some(idx) = nearest(touches, touch) {
            own[idx].push(*levels);
        }
    }
    let pick = |(idx, own): (u64, &Vec<Levels>)| -> Vec<Levels> {
        let draw = |i| draws::hash(&[72, idx, i]) % own.len().max(1) as u64;
        let one = |i| own.get(usize::try_from(draw(i)).unwrap_or_default());
        (0..N_LEVELS as u64)
            .map(|i| one(i).copied().unwrap_or_default())
            .collect()
    };
    (0..).zip(&own).flat_map(pick).collect()
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
