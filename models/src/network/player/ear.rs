//! The ear: which ideas suit a song, from its bass alone.
//!
//! An idea is drawn once and held: first the family of grooves, then the groove (a cluster of the training songs' mean
//! measures) and the touch (a cluster of loudness, dynamics and placement), which depend on the family.

use candle_core::{Result, Tensor};
use lockstep_core::family::Family;

use super::rows::N_BASS;
use super::touch::N_TOUCHES;
use crate::network::{Layer, NetworkParameterError, NetworkParameters, Projection};

/// Families of grooves.
pub const N_FAMILIES: usize = Family::ALL.len();
/// What the ear can say of a song's family: one of them or, last, none.
pub const N_OPINIONS: usize = N_FAMILIES + 1;
/// Grooves that an idea chooses from.
pub const N_GROOVES: usize = 128;
/// Numbers beside the bass: tempo, length, whether eighths are counted, and the two swings.
pub const N_AROUND: usize = 5;
/// Channels.
pub(crate) const EAR_WIDTH: usize = 128;

/// The layers: of each measure, of their mean, and what is said.
pub(crate) struct EarLayers {
    pub(crate) read: Layer,
    pub(crate) deepen: Layer,
    pub(crate) family: Layer,
    pub(crate) groove: Layer,
    pub(crate) touch: Layer,
}

impl EarLayers {
    pub(crate) fn new() -> Self {
        let layer = |name: &str, size| Layer::affine(format!("ear.{name}"), size, 1);
        Self {
            read: layer("read", (N_BASS + N_AROUND, EAR_WIDTH)),
            deepen: layer("deepen", (EAR_WIDTH, EAR_WIDTH)),
            family: layer("family", (EAR_WIDTH, N_OPINIONS)).scaled(0.3),
            groove: layer("groove", (EAR_WIDTH + N_FAMILIES, N_GROOVES)).scaled(0.3),
            touch: layer("touch", (EAR_WIDTH + N_FAMILIES, N_TOUCHES)).scaled(0.3),
        }
    }
}

pub(super) fn layers() -> Vec<Layer> {
    let EarLayers {
        read,
        deepen,
        family,
        groove,
        touch,
    } = EarLayers::new();
    vec![read, deepen, family, groove, touch]
}

/// The ear in tensors.
#[derive(Clone, Debug)]
pub struct Ear {
    read: Projection,
    deepen: Projection,
    family: Projection,
    groove: Projection,
    touch: Projection,
}

impl Ear {
    pub(super) fn new(
        parameters: &NetworkParameters,
    ) -> std::result::Result<Self, NetworkParameterError> {
        let layers = EarLayers::new();
        Ok(Self {
            read: parameters.projection(&layers.read)?,
            deepen: parameters.projection(&layers.deepen)?,
            family: parameters.projection(&layers.family)?,
            groove: parameters.projection(&layers.groove)?,
            touch: parameters.projection(&layers.touch)?,
        })
    }

    /// What is heard in B stretches, `(B, EAR_WIDTH)`: the mean over the measures of each that count. `bass` is
    /// `(B, M, N_BASS)`, `around` `(B, M, N_AROUND)`; `counts`, `(B, M, 1)`, is 1 for a measure that counts, else 0.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn hear(&self, bass: &Tensor, around: &Tensor, counts: &Tensor) -> Result<Tensor> {
        let x = self
            .read
            .rectified(&Tensor::cat(&[bass, around], 2)?, 0.0)?;
        let sum = x.broadcast_mul(counts)?.sum(1)?;
        let mean = sum.broadcast_div(&(counts.sum(1)? + 1e-6)?)?;
        self.deepen.rectified(&mean, 0.0)
    }

    /// Log-odds of each family and of none, `(B, N_OPINIONS)`, before normalising.
    ///
    /// # Errors
    /// Those of candle.
    pub fn family(&self, heard: &Tensor) -> Result<Tensor> {
        self.family.forward(heard)
    }

    /// The same for each groove and each touch, if the song is of a family: `(B, N_GROOVES)`, `(B, N_TOUCHES)`. `family` is
    /// `(B, N_FAMILIES)`, 1 for the family and 0 for the others; all 0 if it is not known.
    ///
    /// # Errors
    /// Those of candle.
    pub fn rest(&self, heard: &Tensor, family: &Tensor) -> Result<(Tensor, Tensor)> {
        let x = Tensor::cat(&[heard, family], 1)?;
        Ok((self.groove.forward(&x)?, self.touch.forward(&x)?))
    }
}
