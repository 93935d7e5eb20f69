//! `cargo xtask test`: every check that must pass before a change goes in, the quickest to fail first.
//!
//! Needs a Rust toolchain and a C linker. Installs what else a step needs where it may (rustup components; Debian
//! packages as root under `CI=true`), and otherwise says what is missing.

mod allocations;
mod library;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;

use crate::{bundle, root, tidy};

/// Debian packages needed to build and run `lockstep live`.
const LIVE_PACKAGES: [&str; 4] = [
    "jackd2",
    "libasound2-dev",
    "libjack-jackd2-dev",
    "pkg-config",
];

/// Builds the program with its live mode, as part of the whole workspace so that both builds share every dependency.
const LIVE: [&str; 3] = ["--workspace", "--features", "lockstep-app/live"];

/// Runs and times every step, and stops at the first that fails.
pub(crate) fn run() -> anyhow::Result<()> {
    let start = Instant::now();
    step("tools", install_components)?;
    step("format", || cargo(&["fmt", "--all", "--check"]))?;
    step("tidy", || tidy::check(&root()))?;
    step("clippy", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])
    })?;
    let mut has_live = false;
    step("clippy of `lockstep live`", || {
        has_live = prepare_live()?;
        if has_live {
            cargo(
                &[
                    &["clippy"],
                    &LIVE[..],
                    &["--all-targets", "--", "-D", "warnings"],
                ]
                .concat(),
            )?;
        }
        Ok(())
    })?;
    step("docs", || {
        run_command(
            cargo_command(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"),
        )
    })?;
    // One build of the whole workspace, so that the bundled library and all tests share every dependency. `cargo xtask
    // bundle lockstep` would build them again with the features of one package alone.
    step("build", || {
        cargo(&["build", "--workspace", "--lib", "--tests"])
    })?;
    step("bundle", bundle::bundle_built)?;
    step("imports and embedded files of the library", library::run)?;
    let mut has_screen = false;
    step("screen", || {
        has_screen = prepare_screen()?;
        Ok(())
    })?;
    step("tests", run_tests)?;
    step("allocations on the audio thread", allocations::run)?;
    if has_live {
        step("tests of `lockstep live`", || test_live(has_screen))?;
    }
    step("doctests", || cargo(&["test", "--workspace", "--doc"]))?;
    eprintln!(
        "\nall checks passed in {:.0} s",
        start.elapsed().as_secs_f32()
    );
    Ok(())
}

/// Prints a step's name, runs it and prints how long it took.
fn step(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    eprintln!("\n== {name}");
    let start = Instant::now();
    let outcome = work();
    let how = if outcome.is_ok() { "done" } else { "FAILED" };
    eprintln!("== {name}: {how}, {:.1} s", start.elapsed().as_secs_f32());
    outcome.with_context(|| format!("the step `{name}` failed"))
}

/// Unit, property and host tests, with nextest where it is installed.
fn run_tests() -> anyhow::Result<()> {
    if !answers("ardour7-lua", &["--version"]) {
        eprintln!(
            "skipped: the Ardour recordings, because Ardour is not installed. On Debian: apt-get install ardour"
        );
    }
    if answers("cargo", &["nextest", "--version"]) {
        cargo(&["nextest", "run", "--workspace"])
    } else {
        eprintln!(
            "cargo-nextest is not installed: `cargo test` runs the same tests, one test program at a time"
        );
        cargo(&["test", "--workspace", "--lib", "--bins", "--tests"])
    }
}

/// Installs rustfmt and clippy, which a minimal toolchain lacks.
fn install_components() -> anyhow::Result<()> {
    if answers("cargo", &["fmt", "--version"]) && answers("cargo", &["clippy", "--version"]) {
        return Ok(());
    }
    run_command(Command::new("rustup").args(["component", "add", "rustfmt", "clippy"]))
        .context("rustfmt and clippy are needed: `rustup component add rustfmt clippy`")
}

/// Whether `lockstep live` can be built here. Installs the headers and the JACK server first if they are missing and
/// may be installed.
fn prepare_live() -> anyhow::Result<bool> {
    if cfg!(target_os = "linux") && !(has_live_headers() && has_jackd()) && may_install_packages() {
        install_packages(&LIVE_PACKAGES)?;
    }
    if cfg!(not(target_os = "linux")) || has_live_headers() {
        return Ok(true);
    }
    eprintln!(
        "skipped: `lockstep live` (feature `live`) is neither checked nor played, for the headers of ALSA or JACK are \
         missing. On Debian: apt-get install {}",
        LIVE_PACKAGES.join(" ")
    );
    Ok(false)
}

/// Whether the tests can open windows on a virtual screen. Installs what that needs first if it may.
#[cfg(target_os = "linux")]
fn prepare_screen() -> anyhow::Result<bool> {
    if !lockstep_screen::is_installed() && may_install_packages() {
        install_packages(&lockstep_screen::PACKAGES)?;
    }
    let has_screen = lockstep_screen::is_installed();
    if !has_screen {
        eprintln!(
            "skipped: window tests, because Xvfb or Mesa's software OpenGL is missing. On Debian: apt-get install {}",
            lockstep_screen::PACKAGES.join(" ")
        );
    }
    Ok(has_screen)
}

/// The tests open windows on Linux only.
#[cfg(not(target_os = "linux"))]
fn prepare_screen() -> anyhow::Result<bool> {
    eprintln!("skipped: window tests run on Linux only");
    Ok(false)
}

/// Runs the tests of `lockstep live`, through a JACK server of their own if `jackd` is installed.
fn test_live(has_screen: bool) -> anyhow::Result<()> {
    // Only the program and its own tests; everything else has been tested without live mode.
    let mut targets = vec!["--bin", "lockstep"];
    if has_jackd() {
        targets.extend(["--test", "live"]);
        if has_screen {
            targets.extend(["--test", "window"]);
        }
    } else {
        eprintln!(
            "skipped: `lockstep live` is not run, because `jackd` is not installed (Debian: jackd2)"
        );
    }
    let runner: &[&str] = if answers("cargo", &["nextest", "--version"]) {
        &["nextest", "run"]
    } else {
        &["test"]
    };
    cargo(&[runner, &LIVE, &targets].concat())
}

/// Whether a JACK server can be started.
fn has_jackd() -> bool {
    answers("jackd", &["--version"])
}

fn has_live_headers() -> bool {
    answers("pkg-config", &["--exists", "alsa", "jack"])
}

/// Whether this is an unattended Debian machine: root under `CI=true`.
fn may_install_packages() -> bool {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let is_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    is_root && is_ci && Path::new("/etc/debian_version").exists()
}

/// Tries to install what a step needs. Failing to do so is not an error: the step is then skipped with a message.
fn install_packages(packages: &[&str]) -> anyhow::Result<()> {
    let apt_get = |args: &[&str]| {
        Command::new("apt-get")
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .status()
            .context("calling apt-get")
    };
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    // A fresh machine may have no package lists.
    if !apt_get(&install)?.success() && apt_get(&["update"])?.success() {
        apt_get(&install)?;
    }
    Ok(())
}

/// Whether a program is installed and succeeds with these arguments.
fn answers(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn cargo(args: &[&str]) -> anyhow::Result<()> {
    run_command(&mut cargo_command(args))
}

fn cargo_command(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

fn run_command(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("starting {command:?}"))?;
    anyhow::ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
