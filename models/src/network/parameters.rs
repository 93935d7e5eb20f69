//! Named weights, and the two building blocks of every network: affine maps and lookup tables.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};
use lockstep_core::draws;

use super::activation::BiasRectifier;
use super::affine::Affine;

/// What a layer's weight is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Affine,
    Table,
}

/// Name and size of a [`Projection`] or a lookup table.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Unique within a network.
    pub name: String,
    /// Input channels, kernel included; rows of a table.
    pub n_in: usize,
    /// Output channels, positions of a transposed kernel included.
    pub n_out: usize,
    /// How often the layer is applied for one prediction.
    pub n_positions: usize,
    kind: Kind,
    /// Factor on the spread of the first weights.
    scale: f32,
}

impl Layer {
    /// An affine map: its weight is `(n_in, n_out)`, its bias `(n_out,)`.
    pub fn affine(
        name: impl Into<String>,
        (n_in, n_out): (usize, usize),
        n_positions: usize,
    ) -> Self {
        Self {
            name: name.into(),
            n_in,
            n_out,
            n_positions,
            kind: Kind::Affine,
            scale: 1.0,
        }
    }

    /// A lookup table of `n_rows` rows of `n_out` channels.
    pub fn table(name: impl Into<String>, n_rows: usize, n_out: usize) -> Self {
        Self {
            name: name.into(),
            n_in: n_rows,
            n_out,
            n_positions: 0,
            kind: Kind::Table,
            scale: 1.0,
        }
    }

    /// The layer with the spread of its first weights multiplied by `scale`.
    #[must_use]
    pub fn scaled(self, scale: f32) -> Self {
        Self { scale, ..self }
    }

    /// Floating-point operations of one prediction: a multiplication and an addition for each weight and position.
    pub fn n_flops(&self) -> u64 {
        2 * (self.n_in * self.n_out * self.n_positions) as u64
    }
}

/// Why a network cannot be built from its weights.
#[derive(Debug, thiserror::Error)]
pub enum NetworkParameterError {
    /// A tensor that the network needs is missing.
    #[error("the weights lack the tensor {0:?}")]
    Missing(String),
    /// A tensor has the wrong shape.
    #[error("the tensor {name:?} has the shape {got:?}, the network needs {expected:?}")]
    Shape {
        /// Which tensor.
        name: String,
        /// What the network needs.
        expected: Vec<usize>,
        /// What the weights hold.
        got: Vec<usize>,
    },
    /// A tensor's values cannot be read.
    #[error("the weights cannot be read")]
    Tensor(#[from] candle_core::Error),
}

impl From<NetworkParameterError> for candle_core::Error {
    fn from(error: NetworkParameterError) -> Self {
        Self::wrap(error)
    }
}

/// Tensors by name, in name order, so that every run sees them in the same order.
#[derive(Clone, Debug, Default)]
pub struct NetworkParameters(pub BTreeMap<String, Tensor>);

impl NetworkParameters {
    /// Fresh trainable weights: affine maps He-initialised (He et al. 2015) from the seed, their biases zero; tables
    /// standard normal.
    ///
    /// # Errors
    /// Those of candle.
    pub fn initialise(
        layers: &[Layer],
        seed: u64,
    ) -> candle_core::Result<(Self, BTreeMap<String, Var>)> {
        Self::initialise_on(layers, seed, &Device::Cpu)
    }

    /// [`Self::initialise`] on a device: the same values on each.
    ///
    /// # Errors
    /// Those of candle.
    pub fn initialise_on(
        layers: &[Layer],
        seed: u64,
        device: &Device,
    ) -> candle_core::Result<(Self, BTreeMap<String, Var>)> {
        let mut vars = BTreeMap::new();
        for (layer_idx, layer) in layers.iter().enumerate() {
            let deviation = layer.scale
                * match layer.kind {
                    Kind::Affine => (2.0 / layer.n_in as f32).sqrt(),
                    Kind::Table => 1.0,
                };
            let weight: Vec<f32> = (0..layer.n_in * layer.n_out)
                .map(|i| deviation * draws::normal(&[seed, layer_idx as u64, i as u64]))
                .collect();
            let weight = Var::from_vec(weight, (layer.n_in, layer.n_out), device)?;
            vars.insert(format!("{}.weight", layer.name), weight);
            if layer.kind == Kind::Affine {
                let bias = Var::from_vec(vec![0_f32; layer.n_out], layer.n_out, device)?;
                vars.insert(format!("{}.bias", layer.name), bias);
            }
        }
        let tensors = vars
            .iter()
            .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
            .collect();
        Ok((Self(tensors), vars))
    }

    /// The same values, detached from gradients.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(
            self.0
                .iter()
                .map(|(name, tensor)| (name.clone(), tensor.detach()))
                .collect(),
        )
    }

    /// The same values on a device, detached from gradients.
    ///
    /// # Errors
    /// Those of candle.
    pub fn on(&self, device: &Device) -> candle_core::Result<Self> {
        let tensors = self.0.iter();
        let tensors =
            tensors.map(|(name, tensor)| Ok((name.clone(), tensor.to_device(device)?.detach())));
        Ok(Self(tensors.collect::<candle_core::Result<_>>()?))
    }

    /// Number of values in all tensors.
    pub fn n_values(&self) -> usize {
        self.0.values().map(Tensor::elem_count).sum()
    }

    /// The tensor of this name and shape.
    ///
    /// # Errors
    /// [`NetworkParameterError`] if it is missing or has another shape.
    pub fn tensor(&self, name: &str, expected: &[usize]) -> Result<Tensor, NetworkParameterError> {
        let tensor = self
            .0
            .get(name)
            .ok_or_else(|| NetworkParameterError::Missing(name.to_owned()))?;
        if tensor.dims() != expected {
            return Err(NetworkParameterError::Shape {
                name: name.to_owned(),
                expected: expected.to_vec(),
                got: tensor.dims().to_vec(),
            });
        }
        Ok(tensor.clone())
    }

    /// The layer's affine map.
    ///
    /// # Errors
    /// [`NetworkParameterError`] if a tensor is missing or has another shape.
    pub fn projection(&self, layer: &Layer) -> Result<Projection, NetworkParameterError> {
        Ok(Projection {
            weight: self.tensor(
                &format!("{}.weight", layer.name),
                &[layer.n_in, layer.n_out],
            )?,
            bias: self.tensor(&format!("{}.bias", layer.name), &[layer.n_out])?,
        })
    }

    /// The layer's lookup table, `(n_rows, n_out)`.
    ///
    /// # Errors
    /// [`NetworkParameterError`] if the tensor is missing or has another shape.
    pub fn table(&self, layer: &Layer) -> Result<Tensor, NetworkParameterError> {
        self.tensor(
            &format!("{}.weight", layer.name),
            &[layer.n_in, layer.n_out],
        )
    }
}

/// `max(y, slope · y)` of `y = x + bias`, with operations that every device has; the CPU has faster ones.
fn on_any_device(x: &Tensor, bias: &Tensor, slope: f32) -> candle_core::Result<Tensor> {
    let y = x.broadcast_add(bias)?;
    if slope >= 1.0 {
        Ok(y)
    } else if slope > 0.0 {
        y.maximum(&(&y * f64::from(slope))?)
    } else {
        y.relu()
    }
}

/// An affine map of the channels, the same at every position.
#[derive(Clone, Debug)]
pub struct Projection {
    weight: Tensor,
    bias: Tensor,
}

impl Projection {
    /// Weight, row by row, and bias.
    pub(super) fn values(&self) -> candle_core::Result<(Vec<f32>, Vec<f32>)> {
        let weight = self.weight.flatten_all()?.to_vec1()?;
        Ok((weight, self.bias.to_vec1()?))
    }

    /// `(…, n_in)` to `(…, n_out)`.
    ///
    /// # Errors
    /// Those of candle, if the last axis is not `n_in` long.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.rectified(x, 1.0)
    }

    /// [`Self::forward`] with values below 0 multiplied by `slope`, in `[0, 1]`: 0 is the rectifier, 1 changes nothing.
    ///
    /// # Errors
    /// Those of candle, if the last axis is not `n_in` long.
    pub fn rectified(&self, x: &Tensor, slope: f32) -> candle_core::Result<Tensor> {
        let mut dims = x.dims().to_vec();
        let n_in = dims.pop().unwrap_or(1);
        let rows = x.elem_count() / n_in.max(1);
        dims.push(self.bias.elem_count());
        let x = x.reshape((rows, n_in))?;
        let is_training = x.track_op() || self.weight.track_op() || self.bias.track_op();
        let y = if !x.device().is_cpu() {
            on_any_device(&x.matmul(&self.weight)?, &self.bias, slope)?
        } else if is_training {
            BiasRectifier { slope }.forward(&x.matmul(&self.weight)?, &self.bias)?
        } else {
            Affine { slope }.forward(&x, &self.weight, &self.bias)?
        };
        y.reshape(dims)
    }

    /// [`Self::rectified`] of channels that are split over several tensors. A part with row numbers, `(B,)`, has fewer rows
    /// than the others: each of its rows is multiplied once and used wherever its number occurs. It passes no gradient.
    ///
    /// # Errors
    /// Those of candle, if the parts do not have `n_in` channels together.
    pub(super) fn rectified_parts(
        &self,
        parts: &[(Tensor, Option<&Tensor>)],
        slope: f32,
    ) -> candle_core::Result<Tensor> {
        let mut sum: Option<Tensor> = None;
        let mut first = 0;
        for (x, rows) in parts {
            let n_in = x.dim(candle_core::D::Minus1)?;
            let weight = self.weight.narrow(0, first, n_in)?;
            first += n_in;
            let bias = match sum {
                None => self.bias.clone(),
                Some(_) => self.bias.zeros_like()?,
            };
            let part = Self { weight, bias }.forward(x)?;
            let part = match rows {
                Some(rows) => part.index_select(rows, 0)?,
                None => part,
            };
            sum = Some(match sum {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
        match sum {
            Some(sum) if slope == 0.0 => sum.relu(),
            Some(sum) if slope < 1.0 => sum.maximum(&(&sum * f64::from(slope))?),
            Some(sum) => Ok(sum),
            None => candle_core::bail!("an affine map needs at least one part"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_channels_give_the_same_result_as_joined_ones() -> candle_core::Result<()> {
        let draw = |seed: u64, shape: (usize, usize)| {
            let n = (shape.0 * shape.1) as u64;
            let values: Vec<f32> = (0..n).map(|i| draws::normal(&[seed, i])).collect();
            Tensor::from_vec(values, shape, &Device::Cpu)
        };
        let projection = Projection {
            weight: draw(2, (24, 32))?,
            bias: draw(3, (1, 32))?.squeeze(0)?,
        };
        let (each, once) = (draw(1, (4, 10))?, draw(4, (2, 14))?);
        let rows = Tensor::new(&[0_u32, 1, 1, 0], &Device::Cpu)?;
        let whole = Tensor::cat(&[&each, &once.index_select(&rows, 0)?], 1)?;
        for slope in [0.0, 0.2, 1.0] {
            let parts = [(each.clone(), None), (once.clone(), Some(&rows))];
            let got = projection.rectified_parts(&parts, slope)?;
            let difference = (got - projection.rectified(&whole, slope)?)?.abs()?;
            assert!(difference.max_all()?.to_scalar::<f32>()? < 1e-5);
        }
        Ok(())
    }

    #[test]
    fn operations_for_any_device_match_those_of_the_cpu() -> candle_core::Result<()> {
        let draw = |seed: u64, shape: (usize, usize)| {
            let n = (shape.0 * shape.1) as u64;
            let values: Vec<f32> = (0..n).map(|i| draws::normal(&[seed, i])).collect();
            Tensor::from_vec(values, shape, &Device::Cpu)
        };
        let (x, weight) = (draw(1, (16, 24))?, draw(2, (24, 32))?);
        let bias = draw(3, (1, 32))?.squeeze(0)?;
        for slope in [0.0, 0.2, 1.0] {
            let elsewhere = on_any_device(&x.matmul(&weight)?, &bias, slope)?;
            let here = Affine { slope }.forward(&x, &weight, &bias)?;
            let difference = (elsewhere - here)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(difference < 1e-4, "{difference} at slope {slope}");
        }
        Ok(())
    }
}
