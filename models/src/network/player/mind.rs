//! The player's memory in plain numbers: what is meant for the next measure, from the measures heard.
//!
//! Keys and values of the measures are kept, so that a new measure costs no more than itself. They are a cache and nothing
//! else: what is meant is a function of the measures alone, whatever was asked before.

use super::brain::{Block, Brain, Scratch, add};
use super::map::{normalise, product, rectify};
use super::rows::{BassRow, Behind, LAGS, N_GIVEN, OwnRow};
use super::{MEMORY, N_HEADS, WIDTH};

/// Channels of a head.
const HEAD: usize = WIDTH / N_HEADS;
/// Measures that are forgotten together.
const FORGOTTEN: usize = MEMORY / 2;

/// A measure that was heard.
#[derive(Clone, Debug, PartialEq)]
pub struct HeardMeasure {
    /// Its bass; `None` if it is not heard.
    pub bass: Option<BassRow>,
    /// The own drums; `None` if they are not known.
    pub own: Option<OwnRow>,
    /// What is given about the measure after it: [`Given::numbers`](super::Given::numbers).
    pub given: [f32; N_GIVEN],
}

/// Where the memory begins after so many measures: the index of the first one that is remembered.
///
/// Half of the memory is forgotten at a time, so that a measure keeps its place, and what was computed of it, for as long.
pub const fn first_remembered(n_heard: usize) -> usize {
    if n_heard < MEMORY {
        0
    } else {
        (n_heard / FORGOTTEN - 1) * FORGOTTEN
    }
}

/// What the decoder sees behind the measure after these.
pub fn behind(measures: &[HeardMeasure]) -> Behind<'_> {
    let before = |lag: usize| measures.len().checked_sub(lag).map(|at| &measures[at]);
    Behind {
        bass: std::array::from_fn(|i| before(i + 1)?.bass.as_ref()),
        own: LAGS.map(|lag| before(lag)?.own.as_ref()),
        returns: None,
    }
}

/// One way to hear, and what it remembers.
#[derive(Clone, Debug, Default)]
pub struct Mind {
    /// The measures of which the rest is.
    heard: Vec<HeardMeasure>,
    blocks: Vec<Remembered>,
    /// What is meant after each measure.
    meant: Vec<[f32; WIDTH]>,
    /// `(M, WIDTH)` of the measures being heard.
    x: Vec<f32>,
    scratch: Scratch,
}

/// What a block remembers: key and value of each measure.
#[derive(Clone, Debug, Default)]
struct Remembered {
    keys: Vec<[f32; WIDTH]>,
    values: Vec<[f32; WIDTH]>,
}

impl Mind {
    /// What is meant for the measure after these, of which there are at most [`MEMORY`]; of more the first count. Nothing is
    /// meant before the first measure: all numbers are 0.
    pub fn meant(&mut self, brain: &Brain, measures: &[HeardMeasure]) -> [f32; WIDTH] {
        let measures = &measures[..measures.len().min(MEMORY)];
        let known = self.heard.iter().zip(measures);
        let n_known = known.take_while(|(old, new)| old == new).count();
        if n_known < measures.len() {
            self.forget_after(n_known, brain.blocks.len());
            self.hear(brain, &measures[n_known..]);
        }
        let last = measures.len().checked_sub(1);
        let meant = last.and_then(|last| self.meant.get(last));
        meant.copied().unwrap_or([0.0; WIDTH])
    }

    fn forget_after(&mut self, n: usize, n_blocks: usize) {
        self.heard.truncate(n);
        self.meant.truncate(n);
        self.blocks.resize_with(n_blocks, Remembered::default);
        for block in &mut self.blocks {
            block.keys.truncate(n);
            block.values.truncate(n);
        }
    }

    /// Hears measures after those that it remembers.
    fn hear(&mut self, brain: &Brain, measures: &[HeardMeasure]) {
        let Self {
            heard,
            blocks,
            meant,
            x,
            scratch,
        } = self;
        x.resize(measures.len() * WIDTH, 0.0);
        scratch.resize(measures.len());
        for (i, (x, measure)) in x.chunks_exact_mut(WIDTH).zip(measures).enumerate() {
            read(brain, scratch, (measure, heard.len() + i), x);
        }
        for (block, remembered) in brain.blocks.iter().zip(blocks) {
            block.hear(x, remembered, scratch);
        }
        normalise(x, &mut scratch.calm, WIDTH);
        meant.extend(scratch.calm.as_chunks().0);
        heard.extend_from_slice(measures);
    }
}

/// The sum of a measure's parts; `place` is its index in the memory.
fn read(
    brain: &Brain,
    scratch: &mut Scratch,
    (measure, place): (&HeardMeasure, usize),
    x: &mut [f32],
) {
    let Scratch {
        inputs, more, wide, ..
    } = scratch;
    let more = &mut more[..WIDTH];
    brain.given.apply(&measure.given, x, inputs);
    let bass = measure.bass.as_ref().map(|row| row.0.as_slice());
    let own = measure.own.as_ref().map(|own| own.row.0.as_slice());
    let parts = [(bass, &brain.bass, false), (own, &brain.own, true)];
    for (row, [read, deepen], is_own) in parts {
        if let Some(row) = row {
            let between = &mut wide[..read.n_out()];
            read.apply(row, between, inputs);
            rectify(between);
            deepen.apply(between, more, inputs);
            add(x, more);
        } else {
            add(x, brain.nothing(is_own));
        }
    }
    add(x, brain.place(place));
}

impl Block {
    /// Changes `x`, `(M, WIDTH)`, of the measures after those remembered, and remembers them.
    fn hear(&self, x: &mut [f32], remembered: &mut Remembered, scratch: &mut Scratch) {
        let Scratch {
            inputs,
            more,
            calm,
            wide,
        } = scratch;
        normalise(x, calm, WIDTH);
        self.attend.apply(calm, wide, inputs);
        let parts = wide.chunks_exact(3 * WIDTH);
        for (parts, heard) in parts.zip(calm.as_chunks_mut().0) {
            let parts = parts.as_chunks::<WIDTH>().0;
            remembered.keys.push(parts[1]);
            remembered.values.push(parts[2]);
            remembered.attend(&parts[0], heard);
        }
        self.join.apply(calm, more, inputs);
        add(x, more);
        normalise(x, calm, WIDTH);
        self.widen.apply(calm, wide, inputs);
        rectify(wide);
        self.narrow.apply(wide, more, inputs);
        add(x, more);
    }
}

impl Remembered {
    /// What each head hears of all measures remembered.
    fn attend(&self, query: &[f32; WIDTH], heard: &mut [f32; WIDTH]) {
        heard.fill(0.0);
        let scale = (HEAD as f32).sqrt();
        let n = self.keys.len().min(MEMORY);
        for head in (0..WIDTH).step_by(HEAD) {
            let part = head..head + HEAD;
            let mut shares = [0.0; MEMORY];
            for (share, key) in shares.iter_mut().zip(&self.keys) {
                *share = product(&query[part.clone()], &key[part.clone()]) / scale;
            }
            let most = shares[..n]
                .iter()
                .copied()
                .fold(f32::NEG_INFINITY, f32::max);
            let mut total = 0.0;
            for share in &mut shares[..n] {
                *share = (*share - most).exp();
                total += *share;
            }
            for (share, value) in shares.iter().zip(&self.values) {
                let share = share / total;
                for (heard, value) in heard[part.clone()].iter_mut().zip(&value[part.clone()]) {
                    *heard += share * value;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_holds_sixteen_to_thirty_one_measures_after_the_first_thirty_one() {
        for n_heard in 0..200 {
            let first = first_remembered(n_heard);
            let n = n_heard - first;
            if n_heard < MEMORY {
                assert_eq!(n, n_heard);
            } else {
                assert!((FORGOTTEN..MEMORY).contains(&n), "{n} of {n_heard}");
                assert!(first.is_multiple_of(FORGOTTEN));
            }
        }
        assert_eq!([31, 32, 47, 48].map(first_remembered), [0, 16, 16, 32]);
    }
}
