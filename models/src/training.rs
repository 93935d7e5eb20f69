//! Training: corpus, batches, the optimiser and the adversarial game.
//!
//! Knows the network and the representation; nothing knows training but programs.

mod adam;
pub mod batch;
pub mod corpus;
pub mod gan;
mod spectral;
