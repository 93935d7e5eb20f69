//! The touch of a song: how close to the grid and how evenly its drummer plays. A part of the idea, held through the song.

use lockstep_core::representation::{Voice, VoiceGroup};

use super::N_VOICES;

/// Touches that an idea chooses from.
pub const N_TOUCHES: usize = 64;
/// Numbers of a touch.
pub const TOUCH: usize = 7;
/// Name of the tensor with the touches, `(N_TOUCHES, TOUCH)`.
pub const TOUCHES: &str = "idea.touches";
/// Sets of levels that each touch can have.
pub const N_LEVELS: usize = 8;
/// Name of the tensor with the sets of all touches, `(N_TOUCHES · N_LEVELS, V)`.
pub const LEVELS: &str = "idea.levels";

/// 1 if all hits are on the grid, else 0; standard deviation of the hits' places about each voice's mean, in quarters of a
/// step; standard deviation of velocities about each voice's mean, in quarters of the scale; mean velocity; and 1 where each
/// voice has one velocity of its own, else 0: for the kick, for snare, side stick and clap, and for the others.
pub type Touch = [f32; TOUCH];

/// The one velocity of each voice that has one, in `(0, 1]`; 0 for a voice that is played with dynamics.
pub type Levels = [f32; N_VOICES];

/// Whether everything is played on the grid.
pub fn is_on_grid(touch: &Touch) -> bool {
    touch[0] > 0.5
}

/// Which of the last three numbers of a touch speaks of a voice.
pub fn evenness(voice: Voice) -> usize {
    match voice.group() {
        VoiceGroup::Kick => 0,
        VoiceGroup::Snare => 1,
        _ => 2,
    }
}
