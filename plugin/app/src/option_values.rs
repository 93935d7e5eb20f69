//! Reads the values of the command line's options.

use std::fmt::Display;
use std::num::ParseFloatError;
use std::str::FromStr;

use anyhow::{Context as _, Result, ensure};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use lockstep::device::DeviceChoice;
use lockstep::params::FillLengthChoice;
use lockstep_engine::synth::KitChoice;

/// A share of the whole.
pub(crate) fn share(text: &str) -> Result<f32> {
    within(text, 0.0, 1.0)
}

/// The knob Energy.
pub(crate) fn energy(text: &str) -> Result<f32> {
    within(text, -1.0, 1.0)
}

/// A tempo in BPM.
pub(crate) fn tempo(text: &str) -> Result<f64> {
    within(text, 30.0, 300.0)
}

/// Reads a number of this range.
fn within<T>(text: &str, min: T, max: T) -> Result<T>
where
    T: FromStr<Err = ParseFloatError> + PartialOrd + Display + Copy,
{
    let value: T = text.parse()?;
    ensure!(
        min <= value && value <= max,
        "{value} is not between {min} and {max}"
    );
    Ok(value)
}

/// Reads a kit by its frozen name.
pub(crate) fn kit_parser() -> impl TypedValueParser<Value = KitChoice> {
    by_id(KitChoice::ALL, KitChoice::id)
}

/// Reads a fill's length by its frozen name.
pub(crate) fn fill_length_parser() -> impl TypedValueParser<Value = FillLengthChoice> {
    by_id(FillLengthChoice::ALL, FillLengthChoice::id)
}

/// Reads a device by its frozen name.
pub(crate) fn device_parser() -> impl TypedValueParser<Value = DeviceChoice> {
    by_id(DeviceChoice::ALL, DeviceChoice::id)
}

/// Reads one of some choices by its name.
fn by_id<T: Copy + Send + Sync + 'static, const N: usize>(
    all: [T; N],
    id: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.map(id)).try_map(move |name| {
        let chosen = all.into_iter().find(|choice| id(*choice) == name);
        chosen.context("not one of the possible values")
    })
}
