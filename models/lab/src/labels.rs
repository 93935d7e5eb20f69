//! Which groove a song plays: what its source says, and a classifier for the rest.

mod calibration;
mod check;
pub(crate) mod classifier;
mod families;
mod features;
pub(crate) mod known;
mod patterns;
mod picture;

pub use check::Label;
pub use families::Families;
