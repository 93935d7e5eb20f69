//! The built-in kits: fourteen drums, cymbals and hand percussion, recorded with sticks or brushes, or synthesised.
//!
//! [`Kit::new`] decodes, resamples and renders every sound once, off the audio thread; [`Kit::new_in_background`] has a
//! background thread do so. [`Kit::render`] only plays those buffers, on the audio thread. Knows nothing of plans, densities or
//! hosts: it is told which voice is hit at which frame, and never does I/O. The recordings are from the sound font `FluidR3`
//! GM; their licence is beside them in `plugin/engine/kit`.

mod bank;
mod drum;
mod glide;
mod hand_voices;
mod kit;
mod late_hit;
mod resample;
mod settings;
mod sound_maker;
mod sounding_hit;
mod strokes;
mod tone;
mod voices;

pub use kit::{Kit, LONGEST_TAIL_S, MAX_PENDING_HITS};
pub use settings::{KitChoice, KitSettings, SILENT_DB, VoiceSettings};

#[cfg(test)]
#[path = "synth/tests/late_hits.rs"]
mod late_hit_tests;
#[cfg(test)]
#[path = "synth/tests/settings.rs"]
mod settings_tests;
#[cfg(test)]
mod tests;
