//! Named weights and the one layer that everything is built from.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};

use crate::draws;

/// Name and size of a [`Projection`]: its weight is `(n_in, n_out)`, its bias `(n_out,)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Unique within a network.
    pub name: &'static str,
    /// Channels that come in, kernel included.
    pub n_in: usize,
    /// Channels that go out, positions of a transposed kernel included.
    pub n_out: usize,
}

/// Why a network cannot be built from its weights.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// A tensor that the network needs is not there.
    #[error("the weights lack the tensor {0:?}")]
    Missing(String),
    /// A tensor has another shape than the network's.
    #[error("the tensor {name:?} has the shape {got:?}, the network needs {expected:?}")]
    Shape {
        /// Which tensor.
        name: String,
        /// What the network needs.
        expected: Vec<usize>,
        /// What the weights hold.
        got: Vec<usize>,
    },
}

/// Tensors by name, in name order, so that two runs see them alike.
#[derive(Clone, Debug, Default)]
pub struct Parameters(pub BTreeMap<String, Tensor>);

impl Parameters {
    /// Fresh trainable weights: He-initialised (He et al. 2015) from the seed, biases zero.
    ///
    /// # Errors
    /// Those of candle.
    pub fn initialise(
        layers: &[Layer],
        seed: u64,
    ) -> candle_core::Result<(Self, BTreeMap<String, Var>)> {
        let mut vars = BTreeMap::new();
        for (layer_idx, layer) in layers.iter().enumerate() {
            let deviation = (2.0 / layer.n_in as f32).sqrt();
            let weight: Vec<f32> = (0..layer.n_in * layer.n_out)
                .map(|i| deviation * draws::normal(&[seed, layer_idx as u64, i as u64]))
                .collect();
            let weight = Var::from_vec(weight, (layer.n_in, layer.n_out), &Device::Cpu)?;
            let bias = Var::from_vec(vec![0_f32; layer.n_out], layer.n_out, &Device::Cpu)?;
            vars.insert(format!("{}.weight", layer.name), weight);
            vars.insert(format!("{}.bias", layer.name), bias);
        }
        let tensors = vars
            .iter()
            .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
            .collect();
        Ok((Self(tensors), vars))
    }

    /// The same values, out of reach of gradients.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(
            self.0
                .iter()
                .map(|(name, tensor)| (name.clone(), tensor.detach()))
                .collect(),
        )
    }

    /// Number of values in all tensors.
    pub fn n_values(&self) -> usize {
        self.0.values().map(Tensor::elem_count).sum()
    }

    /// The layer's projection.
    ///
    /// # Errors
    /// [`ParameterError`] if a tensor is missing or has another shape.
    pub fn projection(&self, layer: Layer) -> Result<Projection, ParameterError> {
        let find = |kind: &str, expected: &[usize]| {
            let name = format!("{}.{kind}", layer.name);
            let tensor = self
                .0
                .get(&name)
                .ok_or_else(|| ParameterError::Missing(name.clone()))?;
            if tensor.dims() != expected {
                return Err(ParameterError::Shape {
                    name,
                    expected: expected.to_vec(),
                    got: tensor.dims().to_vec(),
                });
            }
            Ok(tensor.clone())
        };
        Ok(Projection {
            weight: find("weight", &[layer.n_in, layer.n_out])?,
            bias: find("bias", &[layer.n_out])?,
        })
    }
}

/// An affine map of the channels, the same at every position.
#[derive(Clone, Debug)]
pub struct Projection {
    weight: Tensor,
    bias: Tensor,
}

impl Projection {
    /// `(…, n_in)` to `(…, n_out)`.
    ///
    /// # Errors
    /// Those of candle, if the last axis is not `n_in` long.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let mut dims = x.dims().to_vec();
        let n_in = dims.pop().unwrap_or(1);
        let rows = x.elem_count() / n_in.max(1);
        dims.push(self.bias.elem_count());
        x.reshape((rows, n_in))?
            .matmul(&self.weight)?
            .broadcast_add(&self.bias)?
            .reshape(dims)
    }
}
