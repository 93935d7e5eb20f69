//! The trunk as something that can be asked: what each step of the next measure is like, from what was heard.
//!
//! A [`Trunk`] is a device that computes it, for one or more minds at once. Plain numbers go in and come out, so that it may
//! lie in another library; deciding hit by hit is not its part. [`NetworkTrunk`] is the network's own, on the device that
//! this build has. Generator thread only.

use std::error::Error;
use std::fmt::{Debug, Write as _};

use candle_core::utils::{cuda_is_available, metal_is_available};
use candle_core::{Device, Tensor};

use crate::network::{
    Autoregressive, Context, GeneratorNet, N_FEATURES, N_OWN_PLANES, N_PLANES, NET_MEASURES,
    NET_STEPS, ParameterError, Parameters, Shared,
};
use crate::weights::{Weights, WeightsError};

/// Steps that are heard for one prediction.
const HEARD_STEPS: usize = NET_MEASURES * NET_STEPS;

/// What B minds hear, row by row. A mind is one way to hear a request: with or without the bass, with or without one's own
/// drums.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Minds {
    /// The bass, `(B, 4, 16, N_PLANES)`.
    pub bass: Vec<f32>,
    /// One's own drums, `(B, 4, 16, N_OWN_PLANES)`.
    pub own: Vec<f32>,
    /// Velocity of the loudest bass note that begins at each step, `(B, 4, 16)`.
    pub accents: Vec<f32>,
    /// What is given of the predicted measure, `(B, N)`, as of [`Context::given`].
    pub given: Vec<f32>,
}

impl Minds {
    /// How many they are, by the accents.
    pub fn n(&self) -> usize {
        self.accents.len() / HEARD_STEPS
    }

    /// How many features they have together, `B · 16 · N_FEATURES`.
    pub fn n_features(&self) -> usize {
        self.n() * NET_STEPS * N_FEATURES
    }

    /// Their features by a network on a device, `(B, 16, N_FEATURES)`. What several hear alike is heard once.
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
            own: steps(&self.own, &of_own, N_OWN_PLANES)?,
            accents: steps(&self.accents, &of_bass, 1)?,
            given: Tensor::from_slice(&self.given, (n, 1, self.given.len() / n.max(1)), device)?,
        };
        let bass = steps(&self.bass, &of_bass, N_PLANES)?;
        let rows = |of: Distinct| Tensor::from_vec(of.rows, n, device);
        let (of_bass, of_own) = (rows(of_bass)?, rows(of_own)?);
        let shared = Shared {
            bass: Some(&of_bass),
            own: Some(&of_own),
        };
        let features = network.features(&bass, &context, shared)?;
        features.flatten_all()?.to_vec1()
    }
}

/// Which of some rows differ.
#[derive(Debug, PartialEq, Eq)]
struct Distinct {
    /// The first row of each kind.
    first: Vec<usize>,
    /// Of which kind each row is.
    rows: Vec<u32>,
}

impl Distinct {
    /// The first rows of each kind, of `n` rows.
    fn pick(&self, n: usize, values: &[f32]) -> Vec<f32> {
        let length = values.len() / n.max(1);
        let row = |row: &usize| &values[row * length..][..length];
        self.first.iter().map(row).collect::<Vec<_>>().concat()
    }
}

/// Which of `n` rows are alike in all of these.
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

/// Why a device does not give features.
#[derive(Debug, thiserror::Error)]
pub enum TrunkError {
    /// The drummer decides all at once and has no trunk to be computed elsewhere.
    #[error("a drummer of the family {0:?} is computed on the CPU alone")]
    Family(&'static str),
    /// It answered with more or fewer numbers than were asked for.
    #[error("it answered {got} features in place of {expected}")]
    Size {
        /// As many as the minds have.
        expected: usize,
        /// As many as it said.
        got: usize,
    },
    /// It answered with something that is no number.
    #[error("it answered {0}, which is no finite number")]
    NotFinite(f32),
    /// It computes something else than this program's network.
    #[error("it answered {got} where the CPU answers {expected}: is it of another version?")]
    Deviates {
        /// The CPU's feature.
        expected: f32,
        /// The device's.
        got: f32,
    },
    /// A library's own words.
    #[error("{0}")]
    Library(String),
    /// The tensor library failed.
    #[error("the network could not be evaluated")]
    Network(#[from] candle_core::Error),
    /// The weights cannot be used.
    #[error("the weights cannot be used")]
    Weights(#[from] WeightsError),
}

impl From<ParameterError> for TrunkError {
    fn from(error: ParameterError) -> Self {
        Self::Weights(error.into())
    }
}

/// A device that computes the features of the next measure's steps.
pub trait Trunk: Send + Debug {
    /// Its name for people, such as the graphics card's.
    fn device(&self) -> &str;

    /// Features `(B, 16, N_FEATURES)` of what the minds hear, [`Minds::n_features`] of them.
    ///
    /// # Errors
    /// [`TrunkError`] if the device failed or is gone. It is not asked again then.
    ///
    /// # Realtime safety
    /// Allocates and waits for the device; generator thread only.
    fn features(&mut self, minds: &Minds) -> Result<Vec<f32>, TrunkError>;
}

/// The trunk of a network on the device that this build has: CUDA's first with the feature `cuda`, Metal's first with the
/// feature `metal`, and the CPU without either.
#[derive(Debug)]
pub struct NetworkTrunk {
    network: Box<Autoregressive>,
    device: Device,
    name: String,
}

impl NetworkTrunk {
    /// The trunk of the weights of a file; computes once, so that the device has its kernels when it is asked first.
    ///
    /// # Errors
    /// [`TrunkError`] if there is no device, or the weights are damaged or have no trunk.
    pub fn new(weights: &[u8]) -> Result<Self, TrunkError> {
        let weights = Weights::parse(weights)?;
        let config = weights.config()?;
        let (device, name) = open_device()?;
        let tensors = weights.parameters.0.into_iter();
        let tensors = tensors.map(|(name, tensor)| Ok((name, tensor.to_device(&device)?)));
        let parameters = Parameters(tensors.collect::<candle_core::Result<_>>()?);
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
        let silence = Minds {
            bass: vec![0.0; HEARD_STEPS * N_PLANES],
            own: vec![0.0; HEARD_STEPS * N_OWN_PLANES],
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

    fn features(&mut self, minds: &Minds) -> Result<Vec<f32>, TrunkError> {
        Ok(minds.features(&self.network, &self.device)?)
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

/// What the graphics card is called; nothing where it does not say.
#[cfg(feature = "cuda")]
fn card(device: &Device) -> String {
    let device = device.as_cuda_device();
    let name = device.map(|device| device.cuda_stream().context().name().ok());
    name.ok().flatten().unwrap_or_default()
}

/// There is no card to be named without CUDA.
#[cfg(not(feature = "cuda"))]
fn card(_: &Device) -> &'static str {
    ""
}

/// An error and what caused it, in one line.
pub fn in_one_line(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string does not fail.
        let _ = write!(line, ": {error}");
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_alike_only_if_they_are_in_everything() {
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
