//! A hit that may be too early for its sound: the kit is played while its sounds are still being made.
//!
//! On the audio thread; never allocates, locks, waits or logs. Such a hit runs on unheard and fades in where it is by then.

use super::bank::SoundIdx;
use super::player::Player;
use super::strokes::Stroke;

/// How long a late hit takes to fade in, in seconds: too long to click.
const FADE_IN_S: f32 = 0.01;

/// A hit as it is meant, and how long ago it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    stroke: Stroke,
    tune_semitones: f32,
    /// In `(0, 1]`.
    decay: f32,
    rate_hz: f32,
    /// How long an older hit takes to give way to this one.
    steal_frames: u32,
    n_missed: usize,
}

impl Late {
    /// A hit of now, tuned further and shortened to `decay` of its length.
    pub(super) fn new(
        stroke: Stroke,
        tune_semitones: f32,
        decay: f32,
        rate_hz: f32,
        steal_frames: u32,
    ) -> Self {
        Self {
            stroke,
            tune_semitones,
            decay,
            rate_hz,
            steal_frames,
            n_missed: 0,
        }
    }

    /// What it wants to play.
    pub(super) fn sound(&self) -> SoundIdx {
        self.stroke.sound
    }

    /// How long an older hit takes to give way, in frames.
    pub(super) fn steal_frames(&self) -> u32 {
        self.steal_frames
    }

    /// Its sound is still missing for so many frames.
    pub(super) fn miss(&mut self, n_frames: usize) {
        self.n_missed = self.n_missed.saturating_add(n_frames);
    }

    /// The hit from its beginning, on a sound of so many frames.
    pub(super) fn on_time(&self, n_frames: usize) -> Player {
        let (tune, decay) = (self.tune_semitones, self.decay);
        Player::new(&self.stroke, tune, decay, n_frames, self.rate_hz)
    }

    /// The hit as it is by now, fading in.
    pub(super) fn now(&self, n_frames: usize) -> Player {
        let rise_frames = FADE_IN_S * self.rate_hz;
        self.on_time(n_frames)
            .joined_after(self.n_missed, rise_frames)
    }
}
