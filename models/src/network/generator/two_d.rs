//! Kernels over steps and pitches, without a measure or track axis: 64 × 72 of bass in, 64 × 72 of drums out.
//!
//! An encoder and a decoder, joined at every scale: pitches, octaves, steps, beats, measures, the phrase. Drums are at the
//! pitches of General MIDI's percussion; the columns of the voices are read. As in the lineage, the others are computed but
//! unused.

use candle_core::{Device, Result, Tensor};
use lockstep_core::representation::{LOWEST_PITCH, N_PITCHES};

use super::{CELL_OUTPUTS, N_LATENT, latent_at, n_outputs};
use crate::network::hearing::STRIDE;
use crate::network::{
    Layer, N_PLANES, NET_MEASURES, NET_STEPS, NetworkParameterError, NetworkParameters, Projection,
};
use crate::voices::VoiceSet;

const OCTAVE: usize = 12;
const N_OCTAVES: usize = N_PITCHES / OCTAVE;
const N_STEPS: usize = NET_MEASURES * NET_STEPS;

/// Channels of bass, at the scale of octaves, steps, beats, measures and the phrase.
const HEARD: [usize; 5] = [16, 32, 48, 64, 128];
/// Channels of drums at the same scales.
const DRUMS: [usize; 5] = [16, 64, 96, 128, 128];
/// Positions at the same scales.
const POSITIONS: [usize; 5] = [
    N_STEPS * N_OCTAVES,
    N_STEPS,
    N_STEPS / STRIDE,
    NET_MEASURES,
    1,
];
/// How many positions of the next finer scale make one position.
const STRIDES: [usize; 5] = [OCTAVE, N_OCTAVES, STRIDE, STRIDE, NET_MEASURES];

/// The generator with 2-D kernels.
#[derive(Clone, Debug)]
pub struct TwoD {
    /// From pitches up to the phrase.
    read: Vec<Projection>,
    /// From the phrase down to pitches: what was heard at a scale, the drums so far, and the noise.
    write: Vec<Projection>,
    voices: VoiceSet,
}

/// Encoder, fine to coarse.
fn read_layers() -> Vec<Layer> {
    let n_in = |scale: usize| match scale.checked_sub(1) {
        Some(finer) => HEARD[finer],
        None => N_PLANES / N_PITCHES,
    };
    (0..HEARD.len())
        .map(|scale| {
            let size = (STRIDES[scale] * n_in(scale), HEARD[scale]);
            Layer::affine(format!("bass.read{scale}"), size, POSITIONS[scale])
        })
        .collect()
}

/// Decoder, coarse to fine; the first layer has no drums as input.
fn write_layers() -> Vec<Layer> {
    (0..DRUMS.len())
        .rev()
        .map(|scale| {
            let coarser = DRUMS.get(scale + 1).map_or(0, |_| DRUMS[scale]);
            let n_in = HEARD[scale] + coarser + latent_channels(scale);
            let n_out = match scale.checked_sub(1) {
                Some(finer) => DRUMS[finer],
                None => CELL_OUTPUTS,
            };
            let size = (n_in, STRIDES[scale] * n_out);
            Layer::affine(format!("drums.write{scale}"), size, POSITIONS[scale])
        })
        .collect()
}

/// Channels of noise at a scale; noise joins at every scale down to steps.
fn latent_channels(scale: usize) -> usize {
    if scale == 0 { 0 } else { N_LATENT }
}

impl TwoD {
    pub(super) fn layers() -> Vec<Layer> {
        let mut layers = read_layers();
        layers.extend(write_layers());
        layers
    }

    pub(super) fn new(
        voices: VoiceSet,
        parameters: &NetworkParameters,
    ) -> std::result::Result<Self, NetworkParameterError> {
        let find = |layers: Vec<Layer>| {
            let projections = layers.iter().map(|layer| parameters.projection(layer));
            projections.collect::<std::result::Result<_, _>>()
        };
        Ok(Self {
            read: find(read_layers())?,
            write: find(write_layers())?,
            voices,
        })
    }

    /// See [`GeneratorNet::forward`](super::GeneratorNet::forward). It hears the bass of the last four measures.
    pub(super) fn forward(&self, bass: &Tensor, latent: &Tensor) -> Result<Tensor> {
        let (b, m, _, _) = bass.dims4()?;
        let k = latent.dim(1)?;
        let mut x = bass.narrow(1, m - NET_MEASURES, NET_MEASURES)?;
        let mut heard = Vec::new();
        for (scale, layer) in self.read.iter().enumerate() {
            let n_in = x.elem_count() / b / POSITIONS[scale];
            x = layer.rectified(&x.reshape((b, POSITIONS[scale], n_in))?, 0.0)?;
            heard.push(x.clone());
        }
        let mut drums: Option<Tensor> = None;
        for (layer, scale) in self.write.iter().zip((0..DRUMS.len()).rev()) {
            let mut parts = vec![heard[scale].clone()];
            if let Some(coarser) = &drums {
                parts.push(coarser.reshape((b, POSITIONS[scale], DRUMS[scale]))?);
            }
            if latent_channels(scale) > 0 {
                parts.push(noise(latent, scale)?);
            }
            // The outputs are not rectified.
            let slope = if scale == 0 { 1.0 } else { 0.0 };
            drums = Some(layer.rectified(&Tensor::cat(&parts, 2)?, slope)?);
        }
        let drums = drums.ok_or_else(|| candle_core::Error::Msg("no layers".to_owned()))?;
        let roll = drums.reshape((b, N_STEPS, N_PITCHES, CELL_OUTPUTS))?;
        let voices = roll
            .index_select(&pitches(self.voices)?, 2)?
            .transpose(2, 3)?
            .reshape((b, NET_MEASURES, NET_STEPS, n_outputs(self.voices)))?;
        voices.narrow(1, NET_MEASURES - k, k)
    }
}

/// The noise of each measure at every position of a scale; the phrase has the last measure's.
fn noise(latent: &Tensor, scale: usize) -> Result<Tensor> {
    let (b, k, n) = latent.dims3()?;
    let positions = POSITIONS[scale];
    if positions < NET_MEASURES {
        return latent.narrow(1, k - 1, 1);
    }
    // If fewer than four measures are predicted, those before have the first one's noise.
    let first = latent.narrow(1, 0, 1)?;
    let mut measures = vec![first; NET_MEASURES - k.min(NET_MEASURES)];
    measures.push(latent.clone());
    let latent = Tensor::cat(&measures, 1)?;
    latent_at(&latent, positions / NET_MEASURES)?.reshape((b, positions, n))
}

/// Columns of the voices in the roll.
fn pitches(voices: VoiceSet) -> Result<Tensor> {
    let pitch = |note: u8| u32::from(note - LOWEST_PITCH);
    let pitches = voices.voices().iter().map(|voice| pitch(voice.gm_note()));
    Tensor::from_iter(pitches, &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prediction_computes_64_steps_of_72_pitches() {
        let layers = TwoD::layers();
        let last = layers.last().map(|layer| layer.n_out * layer.n_positions);
        assert_eq!(last, Some(64 * 72 * CELL_OUTPUTS));
    }
}
