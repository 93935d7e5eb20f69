//! Training: run files, batches, losses, the optimiser and the adversarial game.
//!
//! Knows the network, the representation and the corpus; only programs use it.

mod adam;
pub mod batch;
mod constants;
pub mod critic;
pub mod losses;
pub mod player;
mod pool;
pub mod run;
mod spectral;
pub mod styles;
pub mod trainer;
pub mod vocabulary;

pub use constants::constants;
