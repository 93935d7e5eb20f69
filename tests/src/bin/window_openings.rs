//! Opens the plugin's window again and again as real hosts do, with rests between their calls, and says how often it stayed
//! blank and how often a thread of it was still there once it was closed.
//!
//! A process of its own, since it may end with a window open. Needs the bundles, a display and OpenGL on it; the host tests
//! give it all of these.
#![expect(clippy::print_stdout, reason = "a command-line program")]

#[cfg(target_os = "linux")]
#[path = "window_openings/openings.rs"]
mod openings;

/// Nothing is opened but on X11.
#[cfg(not(target_os = "linux"))]
fn main() {
    println!("windows are opened on Linux only");
}

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    <openings::Args as clap::Parser>::parse().run()
}
