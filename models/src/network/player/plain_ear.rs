//! The ear in plain numbers: which ideas suit a song, for prediction.

use super::ear::{EAR_WIDTH, EarLayers, N_AROUND, N_FAMILIES, N_GROOVES, N_OPINIONS};
use super::map::{Inputs, Map, rectify};
use super::rows::{BassRow, Given, N_BASS};
use super::touch::N_TOUCHES;
use crate::network::{NetworkParameterError, NetworkParameters};

/// What the ear heard of a stretch of bass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeardBass([f32; EAR_WIDTH]);

/// The ear's weights.
#[derive(Clone, Debug)]
pub struct PlainEar {
    read: Map,
    deepen: Map,
    family: Map,
    groove: Map,
    touch: Map,
}

impl PlainEar {
    pub(super) fn new(parameters: &NetworkParameters) -> Result<Self, NetworkParameterError> {
        let layers = EarLayers::new();
        let map = |layer| {
            let map = Map::new(&parameters.projection(layer)?)?;
            Ok::<_, NetworkParameterError>(map)
        };
        Ok(Self {
            read: map(&layers.read)?,
            deepen: map(&layers.deepen)?,
            family: map(&layers.family)?,
            groove: map(&layers.groove)?,
            touch: map(&layers.touch)?,
        })
    }

    /// What is heard in some measures of bass together; of what is given, only that around them counts.
    pub fn hear<'a>(
        &self,
        measures: impl IntoIterator<Item = (&'a BassRow, &'a Given)>,
    ) -> HeardBass {
        let mut inputs = Inputs::default();
        let (mut mean, mut n) = ([0.0; EAR_WIDTH], 0_u16);
        for (bass, given) in measures {
            let mut row = [0.0; N_BASS + N_AROUND];
            row[..N_BASS].copy_from_slice(&bass.0);
            row[N_BASS..].copy_from_slice(&given.around());
            let mut x = [0.0; EAR_WIDTH];
            self.read.apply(&row, &mut x, &mut inputs);
            rectify(&mut x);
            super::brain::add(&mut mean, &x);
            n += 1;
        }
        let mean = mean.map(|sum| sum / (f32::from(n) + 1e-6));
        let mut heard = [0.0; EAR_WIDTH];
        self.deepen.apply(&mean, &mut heard, &mut inputs);
        rectify(&mut heard);
        HeardBass(heard)
    }

    /// Log-odds of each family, before normalising.
    pub fn family(&self, heard: &HeardBass) -> [f32; N_OPINIONS] {
        let mut family = [0.0; N_OPINIONS];
        self.family
            .apply(&heard.0, &mut family, &mut Inputs::default());
        family
    }

    /// The same for each groove and each touch, if the song is of a family; `None` if it is not known.
    pub fn rest(
        &self,
        heard: &HeardBass,
        family: Option<usize>,
    ) -> ([f32; N_GROOVES], [f32; N_TOUCHES]) {
        let mut row = [0.0; EAR_WIDTH + N_FAMILIES];
        row[..EAR_WIDTH].copy_from_slice(&heard.0);
        if let Some(is) = family.and_then(|family| row.get_mut(EAR_WIDTH + family)) {
            *is = 1.0;
        }
        let (mut groove, mut touch) = ([0.0; N_GROOVES], [0.0; N_TOUCHES]);
        let mut inputs = Inputs::default();
        self.groove.apply(&row, &mut groove, &mut inputs);
        self.touch.apply(&row, &mut touch, &mut inputs);
        (groove, touch)
    }
}
