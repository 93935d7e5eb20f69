//! How a drummer that is measured plays a song: closed loop, through the plugin's engine.

use anyhow::{Context as _, Result};
use lockstep_core::generator::{Generator, GeneratorSettings};
use lockstep_engine::realtime::Controls;
use lockstep_files::midi_file::Song;

use super::VARIATION;
use super::drummers::Candidate;

/// The control settings while a drummer is measured.
pub(crate) fn controls(seed: u32) -> Controls {
    Controls {
        settings: GeneratorSettings {
            seed,
            variation: VARIATION,
            ..GeneratorSettings::default()
        },
        ..Controls::default()
    }
}

/// Plays a song; the error names the drummer that failed.
pub(crate) fn play(
    drummer: &Candidate,
    generator: &mut dyn Generator,
    song: &Song,
    controls: &Controls,
) -> Result<Song> {
    let take = lockstep_offline::play(song, controls, generator);
    match take.failure {
        Some(failure) => Err(failure).with_context(|| format!("{} playing", drummer.name)),
        None => Ok(take.song),
    }
}
