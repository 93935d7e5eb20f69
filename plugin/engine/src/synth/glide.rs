//! Gains that change without a click.
//!
//! On the audio thread; never allocates, locks, waits or logs.

/// A gain that moves smoothly to its target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glide {
    /// Its current value.
    pub(super) now: f32,
    /// The value it moves to.
    pub(super) target: f32,
}

impl Glide {
    /// A gain at rest.
    pub(super) fn at(gain: f32) -> Self {
        Self {
            now: gain,
            target: gain,
        }
    }

    /// Whether it has reached its target.
    pub(super) fn is_at_target(self) -> bool {
        self.now.to_bits() == self.target.to_bits()
    }

    /// The gain of the next frame.
    pub(super) fn next(&mut self, step: f32) -> f32 {
        /// Below this distance the jump to the target is inaudible.
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
