//! Bias and rectifier in one pass over memory: at these sizes memory, not arithmetic, limits a training step.
//!
//! candle's own operations give the same results, only slower; a test compares the two, gradients included.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

/// `max(y, slope · y)` of `y = x + bias`, for `x` `(rows, n)` and `bias` `(n,)`, both contiguous. A slope of 1 returns `y`
/// itself.
///
/// Twice differentiable: the slope is constant wherever `y` is not 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct BiasRectifier {
    /// Factor for values below 0, in `[0, 1]`.
    pub(super) slope: f32,
}

impl BiasRectifier {
    pub(super) fn forward(self, x: &Tensor, bias: &Tensor) -> Result<Tensor> {
        x.apply_op2(bias, self)
    }
}

impl CustomOp2 for BiasRectifier {
    fn name(&self) -> &'static str {
        "bias-rectifier"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = contiguous(x, x_layout)?;
        let bias = contiguous(bias, bias_layout)?;
        let mut y = Vec::with_capacity(x.len());
        for row in x.chunks(bias.len()) {
            y.extend(row.iter().zip(bias).map(|(x, bias)| {
                let y = x + bias;
                if y > 0.0 { y } else { self.slope * y }
            }));
        }
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        _x: &Tensor,
        _bias: &Tensor,
        y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let slopes = y.detach().apply_op1_no_bwd(&Slopes(self.slope))?;
        let gradient = (gradient * slopes)?;
        let n_rows = gradient.dim(0)?;
        let ones = Tensor::ones((1, n_rows), gradient.dtype(), gradient.device())?;
        let of_bias = ones.matmul(&gradient)?.squeeze(0)?;
        Ok((Some(gradient), Some(of_bias)))
    }
}

/// 1 above 0, the slope elsewhere.
struct Slopes(f32);

impl CustomOp1 for Slopes {
    fn name(&self) -> &'static str {
        "rectifier-slopes"
    }

    fn cpu_fwd(&self, y: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = contiguous(y, layout)?;
        let slopes = y.iter().map(|y| if *y > 0.0 { 1.0 } else { self.0 });
        Ok((CpuStorage::F32(slopes.collect()), layout.shape().clone()))
    }
}

/// The values of a tensor that is contiguous in memory.
pub(super) fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let values = storage.as_slice::<f32>()?;
    let wrong = || candle_core::Error::Msg("the operation needs contiguous values".to_owned());
    let (from, to) = layout.contiguous_offsets().ok_or_else(wrong)?;
    values.get(from..to).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    #[test]
    fn values_and_gradients_match_candles_own_operations() -> Result<()> {
        let x = Var::new(&[[0.5_f32, -1.0, 2.0], [-0.25, 3.0, -0.1]], &Device::Cpu)?;
        let bias = Var::new(&[0.1_f32, 0.2, -0.3], &Device::Cpu)?;
        let weigh = Tensor::new(&[[1.0_f32, -2.0, 3.0], [4.0, 0.5, -1.0]], &Device::Cpu)?;
        for slope in [0.0, 0.2, 1.0] {
            let own = BiasRectifier { slope }.forward(&x, &bias)?;
            let sum = x.broadcast_add(&bias)?;
            let candles = (sum.relu()? - (sum.neg()?.relu()? * f64::from(slope))?)?;
            let gradients = |y: &Tensor| -> Result<(Vec<f32>, Vec<f32>, Vec<f32>)> {
                let store = (y.sqr()? * &weigh)?.sum_all()?.backward()?;
                let of = |var: &Var| match store.get(var) {
                    Some(gradient) => gradient.flatten_all()?.to_vec1::<f32>(),
                    None => Ok(Vec::new()),
                };
                Ok((y.flatten_all()?.to_vec1()?, of(&x)?, of(&bias)?))
            };
            let (own, candles) = (gradients(&own)?, gradients(&candles)?);
            let pairs = [(own.0, candles.0), (own.1, candles.1), (own.2, candles.2)];
            for (a, b) in pairs {
                assert_eq!(a.len(), b.len());
                for (a, b) in a.iter().zip(&b) {
                    assert!((a - b).abs() < 1e-5, "{a} for {b} at slope {slope}");
                }
            }
        }
        Ok(())
    }
}
