//! Repeatedly opens, resizes and closes the plugin window while the plugin plays, and prints the effect on the drums,
//! on memory and on block times.
//!
//! Runs as a separate process, so that nothing else uses its memory or its display. Needs the bundles and a display
//! with OpenGL; `cargo lab bench --editor` and the host tests provide them.
#![expect(clippy::print_stdout, reason = "a command-line program")]

#[cfg(target_os = "linux")]
#[path = "editor_rounds/player_actions.rs"]
mod player_actions;
#[cfg(target_os = "linux")]
#[path = "editor_rounds/rounds.rs"]
mod rounds;

/// Windows are opened on X11 only.
#[cfg(not(target_os = "linux"))]
fn main() {
    println!("this program runs on Linux only");
}

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    <rounds::Args as clap::Parser>::parse().run()
}
