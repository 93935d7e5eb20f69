//! The words that every part of Lockstep shares: steps and voices, the window of bass, requests, plans and who answers them.
//!
//! No tensor library, no files, no threads, no hosts: this crate depends on nothing of the workspace, and whatever crosses
//! from the audio thread to another is `Copy` and is defined here.

pub mod draws;
pub mod family;
pub mod generator;
pub mod representation;
pub mod rule;
