//! A hit that may come before its sound has been made.
//!
//! On the audio thread; never allocates, locks, waits or logs. Such a hit runs on silently, and fades in at its current place
//! once its sound has been made.

use super::bank::SoundIdx;
use super::sounding_hit::SoundingHit;
use super::strokes::Stroke;

/// How long a late hit takes to fade in, in seconds: long enough not to click.
const FADE_IN_S: f32 = 0.01;

/// A hit, and how long ago it was due.
#[derive(Clone, Copy, Debug)]
pub(super) struct LateHit {
    stroke: Stroke,
    tune_semitones: f32,
    /// In `(0, 1]`.
    decay: f32,
    rate_hz: f32,
    /// How long an older hit takes to give way to this one, in frames.
    steal_frames: u32,
    n_missed: usize,
}

impl LateHit {
    /// A hit due now, tuned further by `tune_semitones` and shortened to `decay` of its length.
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

    /// The sound it plays.
    pub(super) fn sound(&self) -> SoundIdx {
        self.stroke.sound
    }

    /// How long an older hit takes to give way, in frames.
    pub(super) fn steal_frames(&self) -> u32 {
        self.steal_frames
    }

    /// Its sound was missing for another `n_frames`.
    pub(super) fn miss(&mut self, n_frames: usize) {
        self.n_missed = self.n_missed.saturating_add(n_frames);
    }

    /// The hit from its beginning, on a sound of `n_frames` frames.
    pub(super) fn on_time(&self, n_frames: usize) -> SoundingHit {
        let (tune, decay) = (self.tune_semitones, self.decay);
        SoundingHit::new(&self.stroke, tune, decay, n_frames, self.rate_hz)
    }

    /// The hit from its current place, fading in.
    pub(super) fn now(&self, n_frames: usize) -> SoundingHit {
        let rise_frames = FADE_IN_S * self.rate_hz;
        self.on_time(n_frames)
            .joined_after(self.n_missed, rise_frames)
    }
}
