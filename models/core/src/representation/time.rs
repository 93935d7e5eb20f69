//! Musical time: positions, lengths and the meter. Has no clock; time always comes from the host.
//!
//! A place and a distance are two types, and only what makes sense compiles: the sum of two positions does not. Both count
//! quarter notes in `f64`, and every operator is exactly one operation of `f64`. `beats()` leaves the type, for what counts
//! otherwise: frames, seconds, ticks of a file, text.

use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use super::MAX_STEPS_PER_MEASURE;

/// Steps per quarter note: a step is a sixteenth.
pub const STEPS_PER_BEAT: u8 = 4;

/// Steps per quarter note, to calculate with.
const STEPS: f64 = STEPS_PER_BEAT as f64;

/// A place in the music, in quarter notes from an origin that its owner states. May be negative (pre-roll).
///
/// ```
/// use lockstep_core::representation::{Length, Meter, Position};
///
/// let (bar_line, note) = (Position::at(4.0), Position::at(5.5));
/// assert_eq!(note - bar_line, Length::of(1.5));
/// assert_eq!(bar_line + Meter::COMMON.length(), Position::at(8.0));
/// assert_eq!(note.counted_from(bar_line).steps(), 6.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Position(f64);

/// A distance in the music, in quarter notes. May be negative: backwards.
///
/// ```
/// use lockstep_core::representation::{Length, Position};
///
/// let measure = Length::of(4.0);
/// assert_eq!(measure / Length::of_steps(1.0), 16.0);
/// assert_eq!(measure.seconds(120.0), 2.0);
/// assert_eq!(Position::START + measure * 2.0 - Length::of(0.5), Position::at(7.5));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Length(f64);

impl Position {
    /// The origin.
    pub const START: Self = Self(0.0);

    /// So many quarter notes after the origin.
    pub const fn at(beats: f64) -> Self {
        Self(beats)
    }

    /// Where step number `step` of the grid begins, counted from 0 at the origin.
    pub fn at_step(step: usize) -> Self {
        Self(step as f64 / STEPS)
    }

    /// Quarter notes after the origin.
    pub const fn beats(self) -> f64 {
        self.0
    }

    /// Steps after the origin, with the part of a step.
    pub fn steps(self) -> f64 {
        self.0 * STEPS
    }

    /// The same place, counted from another one.
    #[must_use]
    pub fn counted_from(self, origin: Self) -> Self {
        Self(self.0 - origin.0)
    }

    /// Start of the quarter note around it.
    #[must_use]
    pub fn beat(self) -> Self {
        Self(self.0.floor())
    }

    /// The earlier of two; the other one if one is NaN.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The later of two; the other one if one is NaN.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// An order of all positions, NaN included, as of [`f64::total_cmp`]: for sorting.
    pub fn total_cmp(self, other: Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }

    /// The exact position as an integer, for an atomic.
    pub const fn to_bits(self) -> u64 {
        self.0.to_bits()
    }

    /// The position that [`Self::to_bits`] turned into this integer.
    pub const fn from_bits(bits: u64) -> Self {
        Self(f64::from_bits(bits))
    }
}

impl Length {
    /// No distance.
    pub const ZERO: Self = Self(0.0);

    /// So many quarter notes.
    pub const fn of(beats: f64) -> Self {
        Self(beats)
    }

    /// So many steps, or parts of one.
    pub fn of_steps(steps: f64) -> Self {
        Self(steps / STEPS)
    }

    /// How far the music gets in a time, in seconds, at a tempo in BPM.
    pub fn of_seconds(seconds: f64, bpm: f64) -> Self {
        Self(seconds * bpm / 60.0)
    }

    /// Quarter notes.
    pub const fn beats(self) -> f64 {
        self.0
    }

    /// Steps, with the part of a step.
    pub fn steps(self) -> f64 {
        self.0 * STEPS
    }

    /// How many seconds it takes at a tempo in BPM.
    pub fn seconds(self, bpm: f64) -> f64 {
        self.0 * 60.0 / bpm
    }

    /// The same distance forwards.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// The nearest whole number of quarter notes; halves away from 0.
    #[must_use]
    pub fn round(self) -> Self {
        Self(self.0.round())
    }

    /// The shorter of two; the other one if one is NaN.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The longer of two; the other one if one is NaN.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// The nearest length between two others.
    ///
    /// # Panics
    /// If `least` is longer than `most` or one of them is NaN.
    #[must_use]
    pub fn clamp(self, least: Self, most: Self) -> Self {
        Self(self.0.clamp(least.0, most.0))
    }
}

impl Sub for Position {
    type Output = Length;

    fn sub(self, other: Self) -> Length {
        Length(self.0 - other.0)
    }
}

impl Add<Length> for Position {
    type Output = Self;

    fn add(self, length: Length) -> Self {
        Self(self.0 + length.0)
    }
}

impl Sub<Length> for Position {
    type Output = Self;

    fn sub(self, length: Length) -> Self {
        Self(self.0 - length.0)
    }
}

impl AddAssign<Length> for Position {
    fn add_assign(&mut self, length: Length) {
        *self = *self + length;
    }
}

impl Add for Length {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Length {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for Length {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Neg for Length {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Mul<f64> for Length {
    type Output = Self;

    fn mul(self, times: f64) -> Self {
        Self(self.0 * times)
    }
}

impl Div<f64> for Length {
    type Output = Self;

    fn div(self, parts: f64) -> Self {
        Self(self.0 / parts)
    }
}

/// How many times the other fits into it.
impl Div for Length {
    type Output = f64;

    fn div(self, other: Self) -> f64 {
        self.0 / other.0
    }
}

/// A time signature whose measure is a whole number of steps, at least one and at most [`MAX_STEPS_PER_MEASURE`].
///
/// ```
/// use lockstep_core::representation::Meter;
///
/// assert_eq!(Meter::new(7, 8).map(Meter::n_steps), Some(14));
/// assert_eq!(Meter::new(3, 32), None, "it is off the step grid");
/// ```
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

    /// Length of a measure.
    pub fn length(self) -> Length {
        Length::of_steps(self.n_steps() as f64)
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

    #[test]
    fn a_measure_is_as_long_as_its_steps() {
        assert_eq!(Meter::COMMON.length(), Length::of(4.0));
        let seven_eighths = Meter::new(7, 8).map(Meter::length);
        assert_eq!(seven_eighths, Some(Length::of(3.5)));
    }

    #[test]
    fn steps_and_beats_are_the_same_places() {
        assert_eq!(Position::at_step(6), Position::at(1.5));
        assert_eq!(Length::of_steps(0.5), Length::of(0.125));
        let steps = (Position::at(-0.375).steps(), Length::of(2.25).steps());
        assert_eq!(steps, (-1.5, 9.0));
        assert_eq!(Position::at(2.75).beat(), Position::at(2.0));
        assert_eq!(Position::at(-0.25).beat(), Position::at(-1.0));
    }

    #[test]
    fn the_operators_are_those_of_the_numbers() {
        let (start, third) = (Position::at(0.1), Length::of(1.0 / 3.0));
        let mut moved = start;
        moved += third;
        assert_eq!(moved.beats().to_bits(), (0.1_f64 + 1.0 / 3.0).to_bits());
        let back = (moved - third * 5.0 - start).beats();
        let expected = 0.1_f64 + 1.0 / 3.0 - 1.0 / 3.0 * 5.0 - 0.1;
        assert_eq!(back.to_bits(), expected.to_bits());
        let mut sum = -third;
        sum += third / 2.0 - third;
        assert!((sum / third + 1.5).abs() < 1e-12);
        assert_eq!(sum.abs().round(), Length::of(1.0));
        assert_eq!(sum.clamp(Length::ZERO, third), Length::ZERO);
    }

    #[test]
    fn seconds_and_beats_convert_both_ways() {
        assert_eq!(Length::of_seconds(1.5, 80.0), Length::of(2.0));
        assert_eq!(Length::of(2.0).seconds(80.0).to_bits(), 1.5_f64.to_bits());
    }

    #[test]
    fn the_later_of_two_positions_is_never_nan() {
        let (nan, one) = (Position::at(f64::NAN), Position::at(1.0));
        assert_eq!([nan.max(one), one.max(nan), nan.min(one)], [one; 3]);
        assert_eq!(one.total_cmp(nan), Ordering::Less);
        assert_eq!(Length::of(f64::NAN).max(Length::ZERO), Length::ZERO);
        assert_eq!(Length::of(2.0).min(Length::ZERO), Length::ZERO);
    }

    #[test]
    fn a_position_crosses_an_atomic_unchanged() {
        let place = Position::at(1.0 / 3.0);
        assert_eq!(Position::from_bits(place.to_bits()), place);
    }
}
