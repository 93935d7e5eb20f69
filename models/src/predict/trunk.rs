//! The trunk computes features for each step of the next measure from what was heard.
//!
//! A [`Trunk`] is a device that computes it, for one or more views at once. It takes and returns plain numbers, so that it can
//! be in another library; it does not decide hits. [`NetworkTrunk`] is the network's own trunk, on the device of this build.
//! Generator thread only.

use std::error::Error;
use std::fmt::{Debug, Write as _};

use candle_core::utils::{cuda_is_available, metal_is_available};
use candle_core::{Device, Tensor};

use crate::network::{
    Autoregressive, Context, GeneratorNet, N_FEATURES, N_PLANES, NET_MEASURES, NET_STEPS,
    NetworkParameterError, NetworkParameters, SharedRows, n_own_planes,
};
use crate::weights::{PLAYER, Weights, WeightsError};

/// Steps heard for one prediction.
const HEARD_STEPS: usize = NET_MEASURES * NET_STEPS;

/// Inputs of B views, row by row. A view is one way to hear a request: with or without the bass, with or without the
/// drummer's own drums.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrunkInputs {
    /// The bass, `(B, 4, 16, N_PLANES)`.
    pub bass: Vec<f32>,
    /// The drummer's own drums, `(B, 4, 16, 2 · V + 1)` for the V voices of its weights.
    pub own: Vec<f32>,
    /// Velocity of the loudest bass note that begins at each step, `(B, 4, 16)`.
    pub accents: Vec<f32>,
    /// What is given about the predicted measure, `(B, N)`; see [`Context::given`].
    pub given: Vec<f32>,
}

impl TrunkInputs {
    /// The number of views, from the length of the accents.
    pub fn n(&self) -> usize {
        self.accents.len() / HEARD_STEPS
    }

    /// The number of features of all views, `B · 16 · N_FEATURES`.
    pub fn n_features(&self) -> usize {
        self.n() * NET_STEPS * N_FEATURES
    }

    /// Their features, computed by a network on a device, `(B, 16, N_FEATURES)`. Inputs that several views share are read once.
    ///
    /// # Errors
    /// Those of candle.
    pub(super) fn features(
        &self,
        network: &Autoregressive,
        device: &Device,
    ) -> candle_core::Result<Vec<f32>> {
        let n = self.n();
        let of_bass = distinct(n, &[&self.bass, &self.accents]);
        let of_own = distinct(n, &[&self.own]);
        let steps = |values: &[f32], of: &Distinct, n_channels: usize| {
            let rows = of.pick(n, values);
            let shape = (of.first.len(), NET_MEASURES, NET_STEPS, n_channels);
            Tensor::from_vec(rows, shape, device)
        };
        let context = Context {
            own: steps(&self.own, &of_own, n_own_planes(network.voices()))?,
            accents: steps(&self.accents, &of_bass, 1)?,
            given: Tensor::from_slice(&self.given, (n, 1, self.given.len() / n.max(1)), device)?,
        };
        let bass = steps(&self.bass, &of_bass, N_PLANES)?;
        let rows = |of: Distinct| Tensor::from_vec(of.rows, n, device);
        let (of_bass, of_own) = (rows(of_bass)?, rows(of_own)?);
        let shared = SharedRows {
            bass: Some(&of_bass),
            own: Some(&of_own),
        };
        let features = network.features(&bass, &context, shared)?;
        features.flatten_all()?.to_vec1()
    }
}

/// Which rows are distinct.
#[derive(Debug, PartialEq, Eq)]
struct Distinct {
    /// The first row of each kind.
    first: Vec<usize>,
    /// The kind of each row, an index into `first`.
    rows: Vec<u32>,
}

impl Distinct {
    /// The first row of each kind, from the values of `n` rows.
    fn pick(&self, n: usize, values: &[f32]) -> Vec<f32> {
        let length = values.len() / n.max(1);
        let row = |row: &usize| &values[row * length..][..length];
        self.first.iter().map(row).collect::<Vec<_>>().concat()
    }
}

/// Groups `n` rows: two are of one kind if they are equal in all of these arrays.
fn distinct(n: usize, all: &[&[f32]]) -> Distinct {
    let row_of = |values: &'_ [f32], row: usize| {
        let length = values.len() / n.max(1);
        row * length..(row + 1) * length
    };
    let mut first: Vec<usize> = Vec::new();
    let mut rows = Vec::new();
    for row in 0..n {
        let is_alike = |of: &usize| {
            all.iter()
                .all(|values| values[row_of(values, *of)] == values[row_of(values, row)])
        };
        let kind = first.iter().position(is_alike).unwrap_or(first.len());
        if kind == first.len() {
            first.push(row);
        }
        rows.push(u32::try_from(kind).unwrap_or(u32::MAX));
    }
    Distinct { first, rows }
}

/// Why a device returns no features.
#[derive(Debug, thiserror::Error)]
pub enum TrunkError {
    /// The drummer decides the whole measure at once and has no trunk.
    #[error("a drummer of the family {0:?} runs on the CPU only")]
    Family(&'static str),
    /// It returned the wrong number of features.
    #[error("it returned {got} features instead of {expected}")]
    Size {
        /// How many the views have.
        expected: usize,
        /// How many it returned.
        got: usize,
    },
    /// It returned a feature that is infinite or NaN.
    #[error("it returned {0}, which is not a finite number")]
    NotFinite(f32),
    /// It computes a different network.
    #[error("it returned {got} where the CPU returns {expected}: is it another version?")]
    Deviates {
        /// The CPU's feature.
        expected: f32,
        /// The device's.
        got: f32,
    },
    /// The library's own message.
    #[error("{0}")]
    Library(String),
    /// The tensor library failed.
    #[error("the network could not be evaluated")]
    Network(#[from] candle_core::Error),
    /// The weights cannot be used.
    #[error("the weights cannot be used")]
    Weights(#[from] WeightsError),
}

impl From<NetworkParameterError> for TrunkError {
    fn from(error: NetworkParameterError) -> Self {
        Self::Weights(error.into())
    }
}

/// A device that computes the features of the next measure's steps.
pub trait Trunk: Send + Debug {
    /// Its name to display, such as that of the graphics card.
    fn device(&self) -> &str;

    /// Features `(B, 16, N_FEATURES)` of what the views hear, [`TrunkInputs::n_features`] of them.
    ///
    /// # Errors
    /// [`TrunkError`] if the device failed or is gone. It is not used again after that.
    ///
    /// # Realtime safety
    /// Allocates and waits for the device; generator thread only.
    fn features(&mut self, inputs: &TrunkInputs) -> Result<Vec<f32>, TrunkError>;
}

/// The trunk of a network on the device of this build: the first CUDA device with the feature `cuda`, the first Metal device
/// with `metal`, else the CPU.
#[derive(Debug)]
pub struct NetworkTrunk {
    network: Box<Autoregressive>,
    device: Device,
    name: String,
}

impl NetworkTrunk {
    /// The trunk of a weights file. Computes once, so that the device has loaded its kernels before the first request.
    ///
    /// # Errors
    /// [`TrunkError`] if there is no device, or the weights are damaged or have no trunk.
    pub fn new(weights: &[u8]) -> Result<Self, TrunkError> {
        let weights = Weights::parse(weights)?;
        if weights.is_player() {
            return Err(TrunkError::Family(PLAYER));
        }
        let config = weights.config()?;
        let (device, name) = open_device()?;
        let tensors = weights.parameters.0.into_iter();
        let tensors = tensors.map(|(name, tensor)| Ok((name, tensor.to_device(&device)?)));
        let parameters = NetworkParameters(tensors.collect::<candle_core::Result<_>>()?);
        let GeneratorNet::Autoregressive(network) =
            GeneratorNet::new(&config.architecture, &parameters)?
        else {
            return Err(TrunkError::Family(config.architecture.generator.family()));
        };
        let mut trunk = Self {
            network,
            device,
            name,
        };
        let silence = TrunkInputs {
            bass: vec![0.0; HEARD_STEPS * N_PLANES],
            own: vec![0.0; HEARD_STEPS * n_own_planes(trunk.network.voices())],
            accents: vec![0.0; HEARD_STEPS],
            given: vec![0.0; trunk.network.n_given()],
        };
        trunk.features(&silence)?;
        Ok(trunk)
    }
}

impl Trunk for NetworkTrunk {
    fn device(&self) -> &str {
        &self.name
    }

    fn features(&mut self, inputs: &TrunkInputs) -> Result<Vec<f32>, TrunkError> {
        Ok(inputs.features(&self.network, &self.device)?)
    }
}

/// The device of this build and its name.
fn open_device() -> candle_core::Result<(Device, String)> {
    if cuda_is_available() {
        let device = Device::new_cuda(0)?;
        let name = format!("GPU, CUDA {}", card(&device));
        Ok((device, name.trim_end().to_owned()))
    } else if metal_is_available() {
        Ok((Device::new_metal(0)?, "GPU, Metal".to_owned()))
    } else {
        let name = "CPU, in a GPU library built without cuda or metal";
        Ok((Device::Cpu, name.to_owned()))
    }
}

/// The name of the graphics card, or nothing if it has none.
#[cfg(feature = "cuda")]
fn card(device: &Device) -> String {
    let device = device.as_cuda_device();
    let name = device.map(|device| device.cuda_stream().context().name().ok());
    name.ok().flatten().unwrap_or_default()
}

/// Without CUDA there is no card to name.
#[cfg(not(feature = "cuda"))]
fn card(_: &Device) -> &'static str {
    ""
}

/// An error and its causes, in one line.
pub fn in_one_line(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        let _ = write!(line, ": {error}");
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_of_one_kind_only_if_equal_in_every_array() {
        let (bass, accents) = (
            [1.0, 2.0, 1.0, 2.0, 0.0, 0.0, 1.0, 2.0],
            [0.5, 0.5, 0.0, 0.1],
        );
        let of = distinct(4, &[&bass, &accents]);
        let expected = Distinct {
            first: vec![0, 2, 3],
            rows: vec![0, 0, 1, 2],
        };
        assert_eq!(of, expected);
        assert_eq!(of.pick(4, &bass), [1.0, 2.0, 0.0, 0.0, 1.0, 2.0]);
    }
}
