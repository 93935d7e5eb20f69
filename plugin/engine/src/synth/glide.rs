//! Gains that turn without a click.
//!
//! On the audio thread; never allocates, locks, waits or logs.

/// A gain on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glide {
    /// What it is.
    pub(super) now: f32,
    /// What it comes to be.
    pub(super) target: f32,
}

impl Glide {
    /// A gain that stands still.
    pub(super) fn at(gain: f32) -> Self {
        Self {
            now: gain,
            target: gain,
        }
    }

    /// Whether every next gain is this one.
    pub(super) fn is_settled(self) -> bool {
        self.now.to_bits() == self.target.to_bits()
    }

    /// The gain of the next frame.
    pub(super) fn next(&mut self, step: f32) -> f32 {
        /// So near nobody hears the rest of the way.
        const NEAR: f32 = 1e-5;
        let way = self.target - self.now;
        self.now = if way.abs() < NEAR {
            self.target
        } else {
            self.now + step * way
        };
        self.now
    }
}
