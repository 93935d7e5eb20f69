//! The laboratory: where drummers are taught, measured, listened to and timed. Nothing here is part of what a player installs.
//!
//! The arrows point one way: [`corpus`] ← [`training`] and [`evaluation`] ← the commands, each a file of its own, and
//! [`learners`] ← [`realism`] ← the commands. A command is a struct of arguments with `run`; the program `lab` and
//! `lockstep tune` call them.
#![expect(clippy::print_stdout, reason = "commands talk to people")]

mod bench;
pub mod corpus;
mod evaluate;
pub mod evaluation;
mod idioms;
mod kit;
mod labels;
pub mod learners;
mod listen;
mod picture;
mod prepare;
pub mod realism;
mod sources;
mod train;
pub mod training;
mod tune;
mod whole;

use std::path::PathBuf;

pub use bench::Bench;
pub use evaluate::Evaluate;
pub use idioms::Idioms;
pub use kit::{KitSamples, KitSounds};
pub use labels::{Families, Label};
pub use listen::Listen;
pub use prepare::Prepare;
pub use train::Train;
pub use tune::Tune;

/// The root of the workspace.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
