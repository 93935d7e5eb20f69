//! Opening and closing the plugin window as real hosts do: with pauses between their calls, on busy machines, and up to
//! the end of the process.
//!
//! The separate program `window_openings` does the work. Skipped, with a message on standard error, if Xvfb or Mesa's
//! software OpenGL is not installed.
#![cfg(target_os = "linux")]

use anyhow::Result;

use crate::editor::{figure, has_screen, say};

/// Opens at least this many windows with these arguments, and checks that each is drawn and each thread ends.
fn assert_drawn(n_windows: u64, args: &[&str]) -> Result<()> {
    if !has_screen()? {
        return Ok(());
    }
    // Each round opens the first and the second window of an instance.
    let rounds = n_windows.div_ceil(2).to_string();
    let args = [args, &["--rounds", &rounds]].concat();
    let said = say(env!("CARGO_BIN_EXE_window_openings"), &args)?;
    assert!(figure(&said, "opened:")? >= n_windows, "{args:?}: {said}");
    assert_eq!(figure(&said, "blank:")?, 0, "{args:?}: {said}");
    let n_left = figure(&said, "closed with OpenGL's threads left:")?;
    assert_eq!(n_left, 0, "{args:?}: {said}");
    Ok(())
}

#[test]
fn the_window_draws_however_long_a_host_pauses_between_calls() -> Result<()> {
    for (gap_ms, n_windows) in [("0", 20), ("5", 20), ("50", 20), ("1000", 3)] {
        assert_drawn(n_windows, &["clap", "--gap-ms", gap_ms])?;
    }
    assert_drawn(20, &["vst3"])
}

#[test]
fn the_window_draws_in_a_host_that_shows_its_own_window_last() -> Result<()> {
    for format in ["clap", "vst3"] {
        for gap_ms in ["0", "50"] {
            assert_drawn(10, &[format, "--gap-ms", gap_ms, "--parent-last"])?;
        }
    }
    Ok(())
}

#[test]
fn the_window_draws_on_a_busy_machine() -> Result<()> {
    for format in ["clap", "vst3"] {
        for gap_ms in ["0", "50"] {
            assert_drawn(10, &[format, "--gap-ms", gap_ms, "--busy", "2"])?;
        }
    }
    Ok(())
}

#[test]
fn a_host_that_ends_with_the_window_open_ends_well() -> Result<()> {
    for format in ["clap", "vst3"] {
        for busy in ["0", "2"] {
            for _ in 0..5 {
                assert_drawn(1, &[format, "--leave-open", "--busy", busy])?;
            }
        }
    }
    Ok(())
}
