//! Tests of what a musician or a host would notice about the built bundles. See the crate's documentation for how the
//! bundles are found.
//!
//! Most tests render offline, where the plugin waits for its plans, so results do not depend on the machine's speed.
//! Live tests either do not depend on plans being in time or leave them plenty of time; Ardour records in real time.

#[path = "hosts/activation.rs"]
mod activation;
#[path = "hosts/ardour.rs"]
mod ardour;
#[path = "hosts/density.rs"]
mod density;
#[path = "hosts/editor.rs"]
mod editor;
#[cfg(target_os = "linux")]
#[path = "hosts/floods.rs"]
mod floods;
#[path = "hosts/lifecycle.rs"]
mod lifecycle;
#[path = "hosts/notes.rs"]
mod notes;
#[path = "hosts/other_hosts.rs"]
mod other_hosts;
#[path = "hosts/parameters.rs"]
mod parameters;
#[path = "hosts/players.rs"]
mod players;
#[path = "hosts/scenarios.rs"]
mod scenarios;
#[path = "hosts/sound.rs"]
mod sound;
#[path = "hosts/state.rs"]
mod state;
#[path = "hosts/takes.rs"]
mod takes;
#[path = "hosts/timing.rs"]
mod timing;
#[path = "hosts/vst3.rs"]
mod vst3;
#[path = "hosts/window.rs"]
mod window;
