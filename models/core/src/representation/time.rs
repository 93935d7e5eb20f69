//! Musical time: beats and the meter. Has no clock; time always comes from the host.

use super::MAX_STEPS_PER_MEASURE;

/// Steps per quarter note: a step is a sixteenth.
pub const STEPS_PER_BEAT: u8 = 4;

/// A position or length in quarter notes. May be negative (pre-roll).
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Beats(pub f64);

/// A time signature whose measure is a whole number of steps, at least one and at most [`MAX_STEPS_PER_MEASURE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    numerator: u8,
    denominator: u8,
}

impl Default for Meter {
    fn default() -> Self {
        Self::COMMON
    }
}

impl Meter {
    /// Four quarter notes.
    pub const COMMON: Self = Self {
        numerator: 4,
        denominator: 4,
    };

    /// The meter, or `None` if its measure is not 1 to [`MAX_STEPS_PER_MEASURE`] whole sixteenths (3/32, 9/4, 0/4 …).
    pub fn new(numerator: u8, denominator: u8) -> Option<Self> {
        if !matches!(denominator, 1 | 2 | 4 | 8 | 16 | 32 | 64) {
            return None;
        }
        let sixteenths = u32::from(numerator) * 16;
        let whole = sixteenths.is_multiple_of(u32::from(denominator));
        let n_steps = sixteenths / u32::from(denominator);
        (whole && n_steps >= 1 && n_steps as usize <= MAX_STEPS_PER_MEASURE).then_some(Self {
            numerator,
            denominator,
        })
    }

    /// Upper number of the time signature.
    pub fn numerator(self) -> u8 {
        self.numerator
    }

    /// Lower number of the time signature, a power of two.
    pub fn denominator(self) -> u8 {
        self.denominator
    }

    /// Steps per measure: 16 in 4/4, 12 in 3/4 and 6/8, 14 in 7/8.
    pub fn n_steps(self) -> usize {
        usize::from(self.numerator) * 16 / usize::from(self.denominator)
    }

    /// Length of a measure in quarter notes.
    pub fn length(self) -> Beats {
        Beats(self.n_steps() as f64 / f64::from(STEPS_PER_BEAT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_have_the_steps_their_meter_says() {
        let n_steps = |n, d| Meter::new(n, d).map(Meter::n_steps);
        assert_eq!(n_steps(4, 4), Some(16));
        assert_eq!(n_steps(3, 4), Some(12));
        assert_eq!(n_steps(6, 8), Some(12));
        assert_eq!(n_steps(7, 8), Some(14));
        assert_eq!(n_steps(5, 4), Some(20));
    }

    #[test]
    fn meters_off_the_step_grid_are_refused() {
        for (n, d) in [(3, 32), (9, 4), (0, 4), (4, 0), (4, 3), (1, 64)] {
            assert_eq!(Meter::new(n, d), None, "{n}/{d}");
        }
    }
}
