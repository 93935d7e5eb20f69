//! How a drummer that is measured plays a song: closed loop, through the plugin's engine.

use anyhow::{Context as _, Result};
use lockstep::params::LockstepParams;
use lockstep_core::generator::{Generator, GeneratorSettings};
use lockstep_engine::realtime::Controls;
use lockstep_files::midi_file::Song;

use super::drummers::Candidate;

/// The control settings while a drummer is measured: those of the plugin before a knob is turned, with this seed.
pub(crate) fn controls(seed: u32) -> Controls {
    let controls = LockstepParams::default().controls();
    Controls {
        settings: GeneratorSettings {
            seed,
            ..controls.settings
        },
        ..controls
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

#[cfg(test)]
mod tests {
    use lockstep_core::generator::DEFAULT_SEED;

    use super::super::VARIATION;
    use super::*;

    #[test]
    fn a_measured_drummer_plays_as_a_player_first_hears_it() {
        let plugin = LockstepParams::default().controls();
        assert_eq!(plugin, controls(DEFAULT_SEED));
        assert!((plugin.settings.variation - VARIATION).abs() < 1e-6);
    }
}
