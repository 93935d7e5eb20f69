//! What a musician or a host would notice of the built bundles. See the crate's own page for how they are found.
//!
//! Everything here renders offline, where the plugin waits for its plans, so that results do not depend on how fast
//! the machine is. The exceptions are `live_drums_never_wait_for_a_plan`, which asserts nothing about time,
//! `a_live_take_is_the_offline_render_where_no_plan_is_late`, which waits long enough,
//! `a_render_that_does_not_say_so_is_the_offline_render`, where a plan may take two seconds, and Ardour, which records as it
//! plays.

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
