//! The laboratory: where drummers are taught, measured, listened to and timed. Nothing here is part of what a player installs.
//!
//! The arrows point one way: [`corpus`] ← [`training`] and [`evaluation`] ← the commands, each a file of its own. A command
//! is a struct of arguments with `run`; the program `lab` and `lockstep tune` call them.
#![expect(clippy::print_stdout, reason = "commands talk to people")]

mod bench;
pub mod corpus;
mod evaluate;
pub mod evaluation;
mod kit;
mod listen;
mod picture;
mod prepare;
mod sources;
mod train;
pub mod training;
mod tune;
mod whole;

use std::path::PathBuf;

pub use bench::Bench;
pub use evaluate::Evaluate;
pub use kit::{KitSamples, KitSounds};
pub use listen::Listen;
pub use prepare::Prepare;
pub use train::Train;
pub use tune::Tune;

/// The root of the workspace.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
