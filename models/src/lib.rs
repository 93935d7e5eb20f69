//! Predicting: the networks of Lockstep's drummers, their weights, and how they answer a request.
//!
//! The arrows point one way: [`voices`] ← [`network`] ← [`weights`] ← [`predict`]. This is the only crate of the product that
//! knows candle, the tensor library; it knows nothing of plugins, audio threads or hosts, and nothing of how a drummer is
//! taught.

pub mod boundary;
pub mod network;
pub mod noise;
pub mod predict;
pub mod voices;
pub mod weights;
