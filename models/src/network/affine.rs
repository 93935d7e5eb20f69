//! An affine map and its rectifier on the calling thread only, for prediction.
//!
//! candle splits every matrix product, however small, into as many parts as the machine has cores, whatever the size of its
//! thread pool; handing the parts around takes three times as long as the product. This calls the same kernels without
//! threads. It has no gradient, so training multiplies with candle.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use gemm::Parallelism;

use super::activation::contiguous;

/// `max(y, slope · y)` of `y = x · weight + bias`, for `x` `(rows, n_in)`, `weight` `(n_in, n_out)` and `bias` `(n_out,)`, all
/// contiguous.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    /// Factor for values below 0, in `[0, 1]`.
    pub(super) slope: f32,
}

impl Affine {
    pub(super) fn forward(self, x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
        x.apply_op3_no_bwd(weight, bias, &self)
    }
}

impl CustomOp3 for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (n_rows, n_in) = x_layout.shape().dims2()?;
        let (x, weight) = (contiguous(x, x_layout)?, contiguous(weight, weight_layout)?);
        let bias = contiguous(bias, bias_layout)?;
        let n_out = bias.len();
        if x.len() != n_rows * n_in || weight.len() != n_in * n_out {
            candle_core::bail!(
                "the input or the weights do not match an affine map of {n_in} to {n_out} channels"
            );
        }
        let mut y = bias.repeat(n_rows);
        #[expect(
            unsafe_code,
            reason = "the kernels take pointers, and candle only calls them with threads"
        )]
        // SAFETY: the matrices are stored row by row. The lengths of `x` and `weight` were checked above, and `y` has
        // `n_rows` rows of `n_out`.
        unsafe {
            gemm::gemm(
                n_rows,
                n_out,
                n_in,
                y.as_mut_ptr(),
                1,
                n_out.cast_signed(),
                true,
                x.as_ptr(),
                1,
                n_in.cast_signed(),
                weight.as_ptr(),
                1,
                n_out.cast_signed(),
                1.0_f32,
                1.0_f32,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
        if self.slope < 1.0 {
            for y in y.iter_mut().filter(|y| **y < 0.0) {
                *y *= self.slope;
            }
        }
        Ok((CpuStorage::F32(y), Shape::from((n_rows, n_out))))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use lockstep_core::draws;

    use super::super::activation::BiasRectifier;
    use super::*;

    #[test]
    fn it_matches_candles_product_with_bias_and_rectifier() -> Result<()> {
        let draw = |seed: u64, shape: (usize, usize)| {
            let n = (shape.0 * shape.1) as u64;
            let values: Vec<f32> = (0..n).map(|i| draws::normal(&[seed, i])).collect();
            Tensor::from_vec(values, shape, &Device::Cpu)
        };
        for (n_rows, n_in, n_out) in [(1, 3, 5), (16, 240, 128), (7, 1, 1), (4, 64, 45)] {
            let (x, weight) = (draw(1, (n_rows, n_in))?, draw(2, (n_in, n_out))?);
            let bias = draw(3, (1, n_out))?.squeeze(0)?;
            for slope in [0.0, 0.2, 1.0] {
                let own = Affine { slope }.forward(&x, &weight, &bias)?;
                let candles = BiasRectifier { slope }.forward(&x.matmul(&weight)?, &bias)?;
                let difference = (own - candles)?.abs()?.max_all()?.to_scalar::<f32>()?;
                assert!(
                    difference < 1e-4,
                    "{n_rows} × {n_in} × {n_out}: {difference}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn mismatched_sizes_are_refused() -> Result<()> {
        let zeros =
            |shape: (usize, usize)| Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu);
        let bias = zeros((1, 4))?.squeeze(0)?;
        assert!(
            Affine { slope: 0.0 }
                .forward(&zeros((2, 3))?, &zeros((4, 4))?, &bias)
                .is_err()
        );
        Ok(())
    }
}
