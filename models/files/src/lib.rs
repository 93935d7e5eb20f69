//! Songs as Standard MIDI Files, songs on the step grid, and files that appear whole or not at all.
//!
//! Never on the audio thread. Knows musical time and voices; knows nothing of networks, threads or hosts.

pub mod measured_song;
pub mod midi_file;
pub mod whole;
