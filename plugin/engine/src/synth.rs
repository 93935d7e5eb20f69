//! The built-in kits: nine drums and cymbals, recorded with sticks or brushes, or synthesised.
//!
//! [`Kit::new`] decodes, resamples and renders every sound once, off the audio thread; [`Kit::soon`] has a background thread
//! do so. [`Kit::render`] only plays those buffers, on the audio thread. Knows nothing of plans, densities or hosts: it is
//! told which voice is hit at which frame, and never does I/O. The recordings are from the sound font `FluidR3` GM; their
//! licence is beside them in `plugin/engine/kit`.

mod bank;
mod drum;
mod glide;
mod kit;
mod late;
mod making;
mod player;
mod resample;
mod settings;
mod strokes;
mod tone;
mod voices;

pub use kit::{Kit, LONGEST_TAIL_S, MAX_PENDING_HITS};
pub use settings::{KitChoice, KitSettings, SILENT_DB, VoiceSettings};

#[cfg(test)]
#[path = "synth/tests/arriving.rs"]
mod arriving;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[path = "synth/tests/turning.rs"]
mod turning;
