//! Repeatedly opens the plugin window as real hosts do, with pauses between their calls, and prints how often it stayed
//! blank and how often one of its threads was still running after it was closed.
//!
//! Runs as a separate process, because it may end with a window open. Needs the bundles and a display with OpenGL; the
//! host tests provide them.
#![expect(clippy::print_stdout, reason = "a command-line program")]

#[cfg(target_os = "linux")]
#[path = "window_openings/openings.rs"]
mod openings;

/// Windows are opened on X11 only.
#[cfg(not(target_os = "linux"))]
fn main() {
    println!("windows are opened on Linux only");
}

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    <openings::Args as clap::Parser>::parse().run()
}
