//! The host of `lockstep live` on the audio thread: what comes in goes to the instrument, what it plays goes out.
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

pub(crate) mod engine;
mod instrument;
pub(crate) mod midi;
mod midi_clock;
pub(crate) mod song;
