//! Opens, resizes and closes the plugin's window again and again while it plays, and says what that did to the drums, to the
//! memory and to the time that blocks take.
//!
//! A process of its own, so that nothing else is in its memory and its display is nobody else's. Needs the bundles, a
//! display and OpenGL on it; `cargo lab bench --editor` and the host tests give it all of these.
#![expect(clippy::print_stdout, reason = "a command-line program")]

#[cfg(target_os = "linux")]
#[path = "editor_rounds/hand.rs"]
mod hand;
#[cfg(target_os = "linux")]
#[path = "editor_rounds/rounds.rs"]
mod rounds;

/// Nothing is opened but on X11.
#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the window is opened and closed on Linux only");
}

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    <rounds::Args as clap::Parser>::parse().run()
}
