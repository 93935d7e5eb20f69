//! An affine map in plain numbers, on the calling thread.
//!
//! Every sum adds its terms in the order of the inputs, whatever else is computed with it: a row's outputs have the same bits
//! alone and among others, so it does not matter what was computed before. Inputs that are 0 are left out.

use crate::network::Projection;

/// Outputs that are summed together; as many as fit into registers.
const TILE: usize = 32;

/// The map's weights.
#[derive(Clone, Debug)]
pub(super) struct Map {
    n_in: usize,
    n_out: usize,
    /// `(n_tiles, n_in, TILE)`: of each tile the weights, row by row; those beyond the last output are 0.
    weight: Vec<[f32; TILE]>,
    /// `(n_tiles, TILE)`.
    bias: Vec<[f32; TILE]>,
}

/// The inputs of some rows that are not 0, row by row; keeps its memory from call to call.
#[derive(Clone, Debug, Default)]
pub(super) struct Inputs {
    /// Index and value.
    all: Vec<(usize, f32)>,
    /// Where each row ends in `all`.
    ends: Vec<usize>,
}

impl Inputs {
    /// The inputs of rows of `n_in` numbers.
    fn gather(&mut self, rows: &[f32], n_in: usize) {
        self.all.clear();
        self.ends.clear();
        for row in rows.chunks_exact(n_in) {
            let inputs = row.iter().copied().enumerate();
            self.all.extend(inputs.filter(|(_, x)| *x != 0.0));
            self.ends.push(self.all.len());
        }
    }

    fn rows(&self) -> impl Iterator<Item = &[(usize, f32)]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.all[*start..*end])
    }
}

impl Map {
    pub(super) fn new(projection: &Projection) -> candle_core::Result<Self> {
        let (weight, bias) = projection.values()?;
        let n_out = bias.len();
        let n_in = weight.len() / n_out.max(1);
        let tile = |values: &[f32], first: usize| {
            let mut tile = [0.0; TILE];
            for (to, from) in tile.iter_mut().zip(&values[first..]) {
                *to = *from;
            }
            tile
        };
        let firsts = || (0..n_out).step_by(TILE);
        let rows = |first| weight.chunks_exact(n_out).map(move |row| tile(row, first));
        Ok(Self {
            n_in,
            n_out,
            weight: firsts().flat_map(rows).collect(),
            bias: firsts().map(|first| tile(&bias, first)).collect(),
        })
    }

    /// How many numbers a row of outputs has.
    pub(super) fn n_out(&self) -> usize {
        self.n_out
    }

    /// Rows of `n_in` numbers `x` to rows of `n_out` numbers `y`, which are overwritten.
    pub(super) fn apply(&self, x: &[f32], y: &mut [f32], inputs: &mut Inputs) {
        inputs.gather(x, self.n_in);
        let tiles = self.weight.chunks_exact(self.n_in).zip(&self.bias);
        for (tile, (weight, bias)) in tiles.enumerate() {
            let first = tile * TILE;
            let n = TILE.min(self.n_out - first);
            for (inputs, y) in inputs.rows().zip(y.chunks_exact_mut(self.n_out)) {
                let sums = sums(weight, *bias, inputs);
                y[first..first + n].copy_from_slice(&sums[..n]);
            }
        }
    }
}

/// The bias and the weights of each input times its value.
#[inline]
fn sums(weight: &[[f32; TILE]], bias: [f32; TILE], inputs: &[(usize, f32)]) -> [f32; TILE] {
    let mut sums = bias;
    for (row, x) in inputs {
        for (sum, weight) in sums.iter_mut().zip(&weight[*row]) {
            *sum += x * weight;
        }
    }
    sums
}

/// Sets what is below 0 to 0.
pub(super) fn rectify(x: &mut [f32]) {
    for x in x {
        *x = x.max(0.0);
    }
}

/// Layer normalisation of each row of `n` numbers, as of the tensors' `normalise`.
pub(super) fn normalise(x: &[f32], y: &mut [f32], n: usize) {
    let n_numbers = n as f32;
    for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
        let mean = sum(x, |x| x) / n_numbers;
        let variance = sum(x, |x| (x - mean) * (x - mean)) / n_numbers;
        let scale = 1.0 / (variance + 1e-5).sqrt();
        for (x, y) in x.iter().zip(y) {
            *y = (x - mean) * scale;
        }
    }
}

/// The sum of what is made of each number, as many partial sums at a time as a register holds. The length must be a multiple
/// of eight, else the rest does not count.
fn sum(x: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut parts = [0.0; 8];
    for x in x.as_chunks::<8>().0 {
        for (part, x) in parts.iter_mut().zip(x) {
            *part += of(*x);
        }
    }
    parts.iter().sum()
}

/// The sum of the products of two rows; the same holds for their length.
pub(super) fn product(x: &[f32], y: &[f32]) -> f32 {
    let mut parts = [0.0; 8];
    for (x, y) in x.as_chunks::<8>().0.iter().zip(y.as_chunks::<8>().0) {
        for (part, (x, y)) in parts.iter_mut().zip(x.iter().zip(y)) {
            *part += x * y;
        }
    }
    parts.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Layer, NetworkParameters};

    #[test]
    fn a_row_has_the_same_bits_alone_and_among_others() -> Result<(), Box<dyn std::error::Error>> {
        let layer = Layer::affine("map", (40, 70), 1);
        let (parameters, _) = NetworkParameters::initialise(std::slice::from_ref(&layer), 3)?;
        let map = Map::new(&parameters.projection(&layer)?)?;
        let x: Vec<f32> = (0..5 * 40_u8)
            .map(|i| (f32::from(i) * 0.7).sin().max(0.0))
            .collect();
        let (mut together, mut alone) = (vec![f32::NAN; 5 * 70], vec![f32::NAN; 5 * 70]);
        let mut inputs = Inputs::default();
        map.apply(&x, &mut together, &mut inputs);
        for (x, y) in x.chunks_exact(40).zip(alone.chunks_exact_mut(70)) {
            map.apply(x, y, &mut inputs);
        }
        assert!(alone.iter().all(|y| y.is_finite()));
        let bits = |y: &[f32]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&together), bits(&alone));
        Ok(())
    }
}
