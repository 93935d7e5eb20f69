//! The bass measures of a corpus as words and buckets: which occur, and how many an embedding can tell apart.

use std::collections::{HashMap, HashSet};

use candle_core::{Device, Result, Tensor};
use lockstep_core::representation::pitch_index;
use lockstep_models::network::{Digits, N_PLANES, NET_STEPS, Word, bucket, word};

use crate::corpus::{Corpus, Split};

/// How well buckets tell the distinct bass measures of a split apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collisions {
    /// Measures that differ in onsets or sounding pitches.
    pub n_distinct: usize,
    /// Distinct measures that share their bucket with another one.
    pub n_colliding: usize,
    /// Buckets in use.
    pub n_used: usize,
}

/// How many distinct bass measures of a split share a bucket. Measures of another length than sixteen steps and silent ones
/// do not count.
pub fn collisions(corpus: &Corpus, split: Split, digits: Digits, n_buckets: usize) -> Collisions {
    let mut seen = HashSet::new();
    let mut n_in = HashMap::<u32, usize>::new();
    each_measure(corpus, split, |planes| {
        let bits: Vec<u8> = planes
            .chunks(8)
            .map(|eight| eight.iter().fold(0, |b, x| b << 1 | u8::from(*x > 0.0)))
            .collect();
        if seen.insert(bits) {
            *n_in.entry(bucket(planes, digits, n_buckets)).or_default() += 1;
        }
    });
    Collisions {
        n_distinct: seen.len(),
        n_colliding: n_in.values().filter(|n| **n > 1).sum(),
        n_used: n_in.len(),
    }
}

/// The `n_words` commonest words of the training songs, the commonest first; fewer if the corpus has fewer.
pub fn commonest(corpus: &Corpus, n_words: usize) -> Vec<Word> {
    let mut counted: Vec<_> = count(corpus, Split::Train).into_iter().collect();
    counted.sort_by_key(|(word, n)| (std::cmp::Reverse(*n), *word));
    counted
        .into_iter()
        .map(|(word, _)| word)
        .take(n_words)
        .collect()
}

/// Share of a split's bass measures whose word is in the vocabulary, in `[0, 1]`.
pub fn coverage(corpus: &Corpus, split: Split, words: &[Word]) -> f64 {
    let known: HashSet<_> = words.iter().collect();
    let (mut n_known, mut n_all) = (0, 0);
    for (word, n) in count(corpus, split) {
        n_all += n;
        n_known += if known.contains(&word) { n } else { 0 };
    }
    f64::from(n_known) / f64::from(n_all).max(1.0)
}

/// The words as a generator's tensor, `(n_words, 2)`; if there are fewer, the last is repeated.
///
/// # Errors
/// Those of candle.
pub fn tensor(words: &[Word], n_words: usize) -> Result<Tensor> {
    let fill = words.last().copied().unwrap_or(Word {
        onsets: 0,
        sounding: 0,
    });
    let values: Vec<f32> = (0..n_words)
        .map(|i| words.get(i).copied().unwrap_or(fill))
        .flat_map(|word| [f32::from(word.onsets), f32::from(word.sounding)])
        .collect();
    Tensor::from_vec(values, (n_words, 2), &Device::Cpu)
}

fn count(corpus: &Corpus, split: Split) -> HashMap<Word, u32> {
    let mut n_of = HashMap::new();
    each_measure(corpus, split, |planes| {
        *n_of.entry(word(planes)).or_default() += 1;
    });
    n_of
}

/// Calls `see` with the planes of every measure of sixteen steps in which any bass sounds, including notes held over from
/// before.
fn each_measure(corpus: &Corpus, split: Split, mut see: impl FnMut(&[f32])) {
    let mut planes = vec![0.0; NET_STEPS * N_PLANES];
    for song in corpus.songs(split) {
        // Notes held into the next measure: plane, and steps left.
        let mut held: Vec<(usize, usize)> = Vec::new();
        for measure in (0..song.n_measures()).map(|m| song.measure(m)) {
            let n_steps = measure.meter.n_steps();
            planes.fill(0.0);
            for &(plane, n_left) in &held {
                sound(&mut planes, plane, 0, n_left);
            }
            held.retain_mut(|(_, n_left)| {
                *n_left = n_left.saturating_sub(n_steps);
                *n_left > 0
            });
            for note in measure.bass {
                let plane = 2 * usize::from(pitch_index(note.key));
                let (first, n) = (usize::from(note.step_idx), usize::from(note.n_steps));
                if let Some(onset) = planes.get_mut(first * N_PLANES + plane) {
                    *onset = 1.0;
                }
                sound(&mut planes, plane, first, first + n);
                if first + n > n_steps {
                    held.push((plane, first + n - n_steps));
                }
            }
            if n_steps == NET_STEPS && planes.iter().any(|x| *x > 0.0) {
                see(&planes);
            }
        }
    }
}

fn sound(planes: &mut [f32], plane: usize, from: usize, to: usize) {
    for step in from..to.min(NET_STEPS) {
        planes[step * N_PLANES + plane + 1] = 1.0;
    }
}
