//! Embeddings 1 and 4: the measure becomes one index, and the index a row of a table.
//!
//! Transposed kernels compute the features at all three scales from that one row, so anything the index leaves out is lost.

use std::collections::HashMap;

use candle_core::{Result, Tensor};

use super::{BEAT_CHANNELS, HeardFeatures, MEASURE_CHANNELS, STEP_CHANNELS, STRIDE};
use crate::network::architecture::Digits;
use crate::network::{
    Layer, N_PLANES, NET_STEPS, NetworkParameterError, NetworkParameters, Projection,
};

/// Name of the tensor with a vocabulary's words, `(n_words, 2)`: onset bits, then sounding bits, as whole numbers.
pub const WORDS: &str = "bass.words";

/// The rhythm of a measure of bass: bit s of the onsets is set where any note begins at step s, bit s of the sounding
/// steps where any note sounds. Pitches are not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word {
    /// Steps at which a note begins.
    pub onsets: u16,
    /// Steps at which a note sounds.
    pub sounding: u16,
}

impl Word {
    fn distance(self, other: Self) -> u32 {
        (self.onsets ^ other.onsets).count_ones() + (self.sounding ^ other.sounding).count_ones()
    }
}

/// Layers of an embedding of `n_rows` rows, for `n_measures` measures per prediction.
pub(super) fn layers(n_rows: usize, n_measures: usize) -> Vec<Layer> {
    let mut layers = vec![table(n_rows)];
    layers.extend(Unfold::layers(n_measures));
    layers
}

fn table(n_rows: usize) -> Layer {
    Layer::table("bass.table", n_rows, MEASURE_CHANNELS)
}

/// Embedding 1.
#[derive(Clone, Debug)]
pub(in crate::network) struct Bucket {
    digits: Digits,
    n_buckets: usize,
    table: Tensor,
    unfold: Unfold,
}

impl Bucket {
    pub(super) fn new(
        parameters: &NetworkParameters,
        digits: Digits,
        n_buckets: usize,
    ) -> std::result::Result<Self, NetworkParameterError> {
        Ok(Self {
            digits,
            n_buckets,
            table: parameters.table(&table(n_buckets))?,
            unfold: Unfold::new(parameters)?,
        })
    }

    pub(super) fn forward(&self, bass: &Tensor) -> Result<HeardFeatures> {
        let rows = rows(bass, |planes| bucket(planes, self.digits, self.n_buckets))?;
        self.unfold.forward(&self.table, &rows, bass)
    }
}

/// The bucket of a measure's planes `(16, N_PLANES)`: its digits as a binary fraction, times the number of buckets.
pub fn bucket(planes: &[f32], digits: Digits, n_buckets: usize) -> u32 {
    let mut value = 0.0_f64;
    let mut weight = 0.5_f64;
    let mut digit = |is_one: bool| {
        value += if is_one { weight } else { 0.0 };
        weight *= 0.5;
    };
    for step in planes.chunks(N_PLANES) {
        match digits {
            Digits::Onsets => digit(has_onset(step)),
            Digits::PianoRoll => step.chunks(2).for_each(|pitch| digit(pitch[1] > 0.0)),
        }
    }
    // A long run of ones can round up to 1.
    let last = n_buckets.saturating_sub(1) as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the value is in 0 to n_buckets - 1, at most 65,535"
    )]
    let bucket = (value * n_buckets as f64).floor().min(last) as u32;
    bucket
}

/// Embedding 4.
#[derive(Clone, Debug)]
pub(in crate::network) struct Vocabulary {
    words: Vec<Word>,
    rows: HashMap<Word, u32>,
    table: Tensor,
    unfold: Unfold,
}

impl Vocabulary {
    pub(super) fn new(
        parameters: &NetworkParameters,
        n_words: usize,
    ) -> std::result::Result<Self, NetworkParameterError> {
        let words: Vec<Word> = parameters
            .tensor(WORDS, &[n_words, 2])?
            .to_vec2::<f32>()?
            .iter()
            .map(|row| Word {
                onsets: bits(row[0]),
                sounding: bits(row[1]),
            })
            .collect();
        let mut rows = HashMap::new();
        for (word, row) in words.iter().zip(0..) {
            // Of two equal words the first has the row.
            rows.entry(*word).or_insert(row);
        }
        Ok(Self {
            rows,
            words,
            table: parameters.table(&table(n_words))?,
            unfold: Unfold::new(parameters)?,
        })
    }

    /// The word's row, or that of the nearest word; of equally near words the first, which is the most common.
    fn row(&self, word: Word) -> u32 {
        self.rows.get(&word).copied().unwrap_or_else(|| {
            let nearest = self.words.iter().zip(0..);
            nearest
                .min_by_key(|(other, _)| other.distance(word))
                .map_or(0, |(_, row)| row)
        })
    }

    pub(super) fn forward(&self, bass: &Tensor) -> Result<HeardFeatures> {
        let rows = rows(bass, |planes| self.row(word(planes)))?;
        self.unfold.forward(&self.table, &rows, bass)
    }
}

/// The rhythm of a measure's planes, `(16, N_PLANES)`.
pub fn word(planes: &[f32]) -> Word {
    let steps = planes.chunks(N_PLANES);
    let sounding = steps.map(|step| step.chunks(2).any(|pitch| pitch[1] > 0.0));
    Word {
        onsets: onset_bits(planes),
        sounding: gather(sounding),
    }
}

/// Bit s is set where any note begins at step s of a measure's planes, `(16, N_PLANES)`.
pub fn onset_bits(planes: &[f32]) -> u16 {
    gather(planes.chunks(N_PLANES).map(has_onset))
}

fn has_onset(step: &[f32]) -> bool {
    step.chunks(2).any(|pitch| pitch[0] > 0.0)
}

fn gather(steps: impl Iterator<Item = bool>) -> u16 {
    steps.zip(0_u32..16).fold(
        0,
        |bits, (is_set, s)| {
            if is_set { bits | 1 << s } else { bits }
        },
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 16 bits first"
)]
fn bits(value: f32) -> u16 {
    value.round().clamp(0.0, 65_535.0) as u16
}

/// The index of every measure of `(B, M, 16, P)`.
fn rows(bass: &Tensor, row_of: impl Fn(&[f32]) -> u32) -> Result<Vec<u32>> {
    let planes = bass.flatten_all()?.to_vec1::<f32>()?;
    Ok(planes.chunks(NET_STEPS * N_PLANES).map(row_of).collect())
}

/// Expands a measure's row into beats and steps, with transposed kernels and a stride of four.
#[derive(Clone, Debug)]
struct Unfold {
    beats: Projection,
    steps: Projection,
}

impl Unfold {
    fn layers(n_measures: usize) -> Vec<Layer> {
        vec![Self::beats(n_measures), Self::steps(n_measures)]
    }

    fn beats(n_measures: usize) -> Layer {
        let size = (MEASURE_CHANNELS, STRIDE * BEAT_CHANNELS);
        Layer::affine("bass.to_beats", size, n_measures)
    }

    fn steps(n_measures: usize) -> Layer {
        let size = (BEAT_CHANNELS, STRIDE * STEP_CHANNELS);
        Layer::affine("bass.to_steps", size, n_measures * NET_STEPS / STRIDE)
    }

    fn new(parameters: &NetworkParameters) -> std::result::Result<Self, NetworkParameterError> {
        Ok(Self {
            beats: parameters.projection(&Self::beats(1))?,
            steps: parameters.projection(&Self::steps(1))?,
        })
    }

    fn forward(&self, table: &Tensor, rows: &[u32], bass: &Tensor) -> Result<HeardFeatures> {
        let (b, m, _, _) = bass.dims4()?;
        let rows = Tensor::from_slice(rows, b * m, table.device())?;
        let measures = table
            .index_select(&rows, 0)?
            .reshape((b, m, 1, MEASURE_CHANNELS))?;
        let beats = self.beats.rectified(&measures, 0.0)?;
        let beats = beats.reshape((b, m, NET_STEPS / STRIDE, BEAT_CHANNELS))?;
        let steps = self.steps.rectified(&beats, 0.0)?;
        let steps = steps.reshape((b, m, NET_STEPS, STEP_CHANNELS))?;
        Ok(HeardFeatures {
            steps,
            beats,
            measures,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn planes(onsets: &[usize]) -> Vec<f32> {
        let mut planes = vec![0.0; NET_STEPS * N_PLANES];
        for step in onsets {
            planes[step * N_PLANES + 2 * 9] = 1.0;
            planes[step * N_PLANES + 2 * 9 + 1] = 1.0;
        }
        planes
    }

    #[test]
    fn a_bucket_is_the_leading_digits_of_the_measure() {
        let onsets = |steps| bucket(&planes(steps), Digits::Onsets, 1000);
        assert_eq!(onsets(&[]), 0);
        assert_eq!(onsets(&[0]), 500);
        assert_eq!(onsets(&[0, 1]), 750);
        // Late steps weigh less than one bucket, so these measures collide.
        assert_eq!(onsets(&[0, 12]), onsets(&[0, 15]));
        let all: Vec<usize> = (0..16).collect();
        assert_eq!(onsets(&all), 999);
        // In the piano roll only the first ten pitches of the first step decide.
        let roll = |steps| bucket(&planes(steps), Digits::PianoRoll, 1000);
        assert_eq!(roll(&[0, 3]), roll(&[0, 8]));
    }

    #[test]
    fn a_word_outside_the_vocabulary_takes_the_nearest() -> Result<()> {
        let words = [[0.0_f32, 0.0], [1.0, 1.0], [257.0, 257.0]];
        let n = words.len();
        let (mut parameters, _) = NetworkParameters::initialise(&layers(n, 4), 1)?;
        let words = Tensor::new(&words, &Device::Cpu)?;
        parameters.0.insert(WORDS.to_owned(), words);
        let vocabulary = Vocabulary::new(&parameters, n)?;
        assert_eq!(vocabulary.row(word(&planes(&[0, 8]))), 2);
        assert_eq!(vocabulary.row(word(&planes(&[0, 8, 15]))), 2);
        assert_eq!(vocabulary.row(word(&planes(&[3]))), 0);
        Ok(())
    }
}
