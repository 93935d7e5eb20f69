//! Encodes sound as FLAC, 16 bits per sample.
//!
//! Never does I/O.

use anyhow::{Context as _, Result, anyhow};
use flacenc::bitsink::ByteSink;
use flacenc::component::BitRepr as _;
use flacenc::error::Verify as _;
use flacenc::source::MemSource;

/// The bytes of a FLAC file with these channels, which have equal length and samples in `[-1, 1]`.
pub(super) fn encode(channels: &[Vec<f32>], rate_hz: u32) -> Result<Vec<u8>> {
    let n_frames = channels.iter().map(Vec::len).min().unwrap_or(0);
    let frames = (0..n_frames).flat_map(|at| channels.iter().map(move |channel| channel[at]));
    let samples: Vec<i32> = frames.map(pcm).collect();
    let config = flacenc::config::Encoder::default()
        .into_verified()
        .map_err(|(_, error)| anyhow!("the encoder's settings: {error}"))?;
    let source = MemSource::from_samples(&samples, channels.len(), 16, usize::try_from(rate_hz)?);
    let stream = flacenc::encode_with_fixed_block_size(&config, source, config.block_size)
        .map_err(|error| anyhow!("encoding FLAC: {error}"))?;
    let mut sink = ByteSink::new();
    stream.write(&mut sink).context("writing FLAC")?;
    Ok(sink.into_inner())
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits first")]
fn pcm(sample: f32) -> i32 {
    (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i32
}
