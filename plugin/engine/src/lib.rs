//! The drummer on the audio thread: what is heard, what is played, how it sounds, and the channels to other threads.
//!
//! [`realtime`] plays, [`synth`] sounds the drums, [`handoff`] carries requests out and plans in, [`snapshots`] shows a window
//! what is played, [`recording`] keeps it for saving, and [`plan_wait`] says how long a render
//! may wait. No plugin framework, no tensor library, no command line:
//! this crate depends on none of them.
//!
//! The lints below are the audio thread's rules for the whole crate: no allocation, lock, log, I/O or panic. Modules that run
//! on other threads say so where they lift them.
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_types,
        clippy::disallowed_methods,
        clippy::disallowed_macros,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod channel;
pub mod handoff;
pub mod plan_wait;
pub mod realtime;
pub mod recording;
pub mod shared_thread;
pub mod snapshots;
pub mod synth;
