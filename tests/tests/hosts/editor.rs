//! The plugin window, opened and used in a host on a virtual screen.
//!
//! The separate program `editor_rounds` does the work, so that nothing else uses its memory or its display. Skipped,
//! with a message on standard error, if Xvfb or Mesa's software OpenGL is not installed.
#![cfg(target_os = "linux")]

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use lockstep_hosts::bundle;
use lockstep_screen::ScreenServer;

/// How much more memory may be in use after the 200th round than after the 40th, in KiB: half as much again as
/// measured.
///
/// Each window leaves 81 KiB behind, 13 MiB in all: 69 KiB in Mesa's EGL display, which baseview 0.4.2 never
/// terminates, and 12 KiB in baseview's event loop (heaptrack, 2026-11-25). A leak of only the pixels of the smallest
/// picture in each round (720 x 480, 1.3 MiB) would add 210 MiB.
const MAX_KEPT_KIB: u64 = 20 * 1024;

/// The same for VST3.
///
/// FIXME: nice-plug 0.4.2 leaks a task queue of 160 KiB for each view that gets a frame: 38 MiB including the above.
const MAX_VST3_KEPT_KIB: u64 = 60 * 1024;

/// How much more memory may be resident, in KiB.
///
/// This was 4 to 41 MiB on a quiet machine and up to 128 MiB on a busy one: threads of a window that close late return
/// pages that are already fragmented. A leak of the framebuffer in each round (1920 x 1280, 9.4 MiB) would add 1500
/// MiB.
const MAX_RESIDENT_KIB: u64 = 256 * 1024;

/// Whether a window can be opened on this machine.
pub(crate) fn has_screen() -> Result<bool> {
    let has = lockstep_screen::is_installed();
    if !has {
        lockstep_hosts::skip(&format!(
            "window tests, because Xvfb or Mesa's software OpenGL is missing. On Debian: apt-get install {}",
            lockstep_screen::PACKAGES.join(" ")
        ))?;
    }
    Ok(has)
}

/// Runs `editor_rounds` and returns its output.
fn rounds(args: &[&str]) -> Result<String> {
    say(env!("CARGO_BIN_EXE_editor_rounds"), args)
}

/// Runs a program that opens windows on a virtual screen of its own, and returns its output.
pub(crate) fn say(program: &str, args: &[&str]) -> Result<String> {
    let takes = tempfile::tempdir()?;
    let bundle = bundle("Lockstep.clap")?;
    let folder = bundle.parent().context("the bundle has no folder")?;
    let server = ScreenServer::start()?;
    let mut command = Command::new(program);
    server.dress(&mut command);
    let output = command
        .args(args)
        .env("LOCKSTEP_BUNDLES", folder)
        .env("LOCKSTEP_TAKES", takes.path())
        // The folder for your own drummer, which is empty here.
        .env("XDG_DATA_HOME", takes.path().join("data"))
        .output()
        .with_context(|| format!("starting {program}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{}: {said}{complained}",
        output.status
    );
    Ok(said)
}

/// The number at the end of the line that begins with `name`.
pub(crate) fn figure(said: &str, name: &str) -> Result<u64> {
    let line = said.lines().find_map(|line| line.strip_prefix(name));
    let figure = line.with_context(|| format!("no {name:?} in {said}"))?;
    Ok(figure.trim().parse()?)
}

/// Checks that the drums are the same as without a window, every window draws at both sizes, no thread is left and
/// little memory is kept.
fn assert_harmless(format: &str, max_kept_kib: u64) -> Result<()> {
    if !has_screen()? {
        return Ok(());
    }
    let said = rounds(&[format, "--rounds", "200"])?;
    assert_eq!(figure(&said, "rounds:")?, 200, "{said}");
    let drums = figure(&said, "drum events, the same as without the window:")?;
    assert!(drums > 200, "{said}");
    let kept = figure(&said, "KiB in use, grown from round 40 to the last:")?;
    assert!(kept < max_kept_kib, "{said}");
    let resident = figure(&said, "KiB resident, grown from round 40 to the last:")?;
    assert!(resident < MAX_RESIDENT_KIB, "{said}");
    Ok(())
}

#[test]
fn using_the_clap_window_200_times_changes_no_drums_and_leaks_no_picture() -> Result<()> {
    assert_harmless("clap", MAX_KEPT_KIB)
}

#[test]
fn using_the_vst3_window_200_times_changes_no_drums_and_leaks_no_picture() -> Result<()> {
    assert_harmless("vst3", MAX_VST3_KEPT_KIB)
}

#[test]
fn a_drag_in_the_window_reaches_the_host_as_one_gesture() -> Result<()> {
    if !has_screen()? {
        return Ok(());
    }
    let said = rounds(&["clap", "--drag"])?;
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.first(), Some(&"Density: begin"), "{said}");
    assert_eq!(lines.last(), Some(&"Density: end"), "{said}");
    let values = lines[1..lines.len() - 1]
        .iter()
        .map(|line| {
            let value = line
                .strip_prefix("Density: ")
                .context("another parameter")?;
            Ok(value.parse::<f64>()?)
        })
        .collect::<Result<Vec<_>>>()?;
    assert!(values.len() >= 2 && values.is_sorted(), "{said}");
    assert!(values.last().is_some_and(|last| *last > 0.999), "{said}");
    Ok(())
}

// A host that is not told closes the project without asking to save it.
#[test]
fn a_pin_and_a_mute_tell_the_host_that_the_project_has_changed() -> Result<()> {
    if !has_screen()? {
        return Ok(());
    }
    for format in ["clap", "vst3"] {
        let said = rounds(&[format, "--settle"])?;
        let expected = [
            "Pin edits: begin",
            "Pin edits: 0.001",
            "Pin edits: end",
            "Kick mute: begin",
            "Kick mute: 1.000",
            "Kick mute: end",
        ];
        assert_eq!(said.lines().collect::<Vec<_>>(), expected, "{format}");
    }
    Ok(())
}

#[test]
fn the_button_in_the_window_saves_a_take() -> Result<()> {
    if !has_screen()? {
        return Ok(());
    }
    for format in ["clap", "vst3"] {
        assert_eq!(rounds(&[format, "--save"])?, "saved\n", "{format}");
    }
    Ok(())
}

#[test]
fn the_window_reports_a_missing_own_drummer() -> Result<()> {
    if !has_screen()? {
        return Ok(());
    }
    for format in ["clap", "vst3"] {
        let n_pixels = |drummer| {
            let said = rounds(&[format, "--drummer", drummer])?;
            figure(&said, "pixels in alarm:")
        };
        // Your own drummer, the fourth of five, and the default one.
        let (own, default) = (n_pixels("0.75")?, n_pixels("0")?);
        assert!(own > 300 && default == 0, "{format}: {own}, {default}");
    }
    Ok(())
}
