//! What this crate runs on the audio thread besides `process`: events to and from the framework.
//!
//! The lints are the audio thread's rules, as in `lockstep_engine`: nothing here allocates, locks, waits, logs or does I/O, except
//! where a function says that another thread calls it.
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

pub(crate) mod note_out;
mod sweep_detector;
pub(crate) mod wire;

pub use sweep_detector::SweepDetector;
