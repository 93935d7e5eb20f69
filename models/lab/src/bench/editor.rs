//! What opening, resizing and closing the plugin's window costs the audio thread: blocks that took longer than they last,
//! with the window and without it.
//!
//! The program `editor_rounds` of the host tests plays, with the bundles in `target/bundled`, on a screen that is started for
//! it. Its audio thread has no real-time priority, so a busy machine shows.

use anyhow::Result;

/// Opens the window so many times, and prints what was missed.
///
/// # Errors
/// If there is no screen to be started, no bundle, or a window that does not open.
#[cfg(target_os = "linux")]
pub(super) fn run(n_rounds: u32) -> Result<()> {
    use std::process::Command;

    use anyhow::{Context as _, ensure};

    ensure!(
        lockstep_screen::is_installed(),
        "there is no screen for the window. On Debian: apt-get install {}",
        lockstep_screen::PACKAGES.join(" ")
    );
    let server = lockstep_screen::Server::start()?;
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

/// Windows are opened on X11 only.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub(super) fn run(_: u32) -> Result<()> {
    anyhow::bail!("the window is opened and closed on Linux only")
}
