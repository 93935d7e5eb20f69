//! Hearing and predicting: what a Lockstep drummer knows about music.
//!
//! The arrows point one way: [`representation`] ← [`network`] ← [`predict`] ← [`training`]. This crate is the only one
//! that knows candle, the tensor library; it knows nothing of plugins, audio threads or hosts.

pub mod boundary;
pub mod corpus;
pub mod evaluation;
pub mod network;
pub mod noise;
pub mod predict;
pub mod training;
pub mod weights;
