//! What opening, resizing and closing the plugin window costs the audio thread: blocks that missed their deadline, with
//! the window open and without it.
//!
//! Runs the program `editor_rounds` of the host tests with the bundles in `target/bundled`, on a virtual screen started
//! for it. Its audio thread has no real-time priority, so a busy machine affects the result.

use anyhow::Result;

/// Opens the window this many times, and prints the missed deadlines.
///
/// # Errors
/// If no virtual screen can be started, there is no bundle, or a window does not open.
#[cfg(target_os = "linux")]
pub(super) fn run(n_rounds: u32) -> Result<()> {
    use std::process::Command;

    use anyhow::{Context as _, ensure};

    ensure!(
        lockstep_screen::is_installed(),
        "Xvfb or Mesa's software OpenGL is missing. On Debian: apt-get install {}",
        lockstep_screen::PACKAGES.join(" ")
    );
    let server = lockstep_screen::ScreenServer::start()?;
    let mut program = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    program
        .args(["run", "--quiet", "--package", "lockstep-hosts"])
        .args(["--bin", "editor_rounds", "--", "clap", "--live"])
        .args(["--rounds", &n_rounds.to_string()])
        .current_dir(crate::root());
    server.dress(&mut program);
    let status = program.status().context("starting editor_rounds")?;
    ensure!(status.success(), "editor_rounds ended with {status}");
    Ok(())
}

/// Windows are opened on Linux only.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub(super) fn run(_: u32) -> Result<()> {
    anyhow::bail!("this benchmark runs on Linux only")
}
