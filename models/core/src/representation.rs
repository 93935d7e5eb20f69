//! The shared vocabulary: steps, voices, the window of bass, the hit map and the plan.
//!
//! Knows nothing of networks, files, threads or plugins. Every type is `Copy` and owns no heap memory, so each of them
//! can cross from the audio thread to the generator thread and back.

mod fill;
mod hit_map;
mod swing;
mod time;
mod voice;
mod window;

pub use fill::is_fill;
pub use hit_map::{Hit, HitMap, MAX_STEPS_PER_MEASURE, Plan, Presence, midi_velocity};
pub use swing::{
    HeardSwing, MeasureEvidence, Swing, SwingEar, SwingOnset, SwungGrid, swing_of_song,
};
pub use time::{Length, Meter, Position, STEPS_PER_BEAT};
pub use voice::{Limb, N_GROUPS, N_VOICES, Voice, VoiceGroup, is_impossible};
pub use window::{LOWEST_PITCH, N_PITCHES, Onset, PitchSet, WINDOW_STEPS, Window, pitch_index};

/// Version of this representation; see `lockstep_models::weights` for how files of version 1 are read.
pub const REPRESENTATION_VERSION: u32 = 2;
