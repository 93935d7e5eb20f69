//! `cargo xtask test`: everything that must hold before a change goes in, in the order in which it fails fastest.
//!
//! Needs a Rust toolchain and a C linker. What else a step needs is installed where that is this program's to decide
//! (rustup components; Debian packages as root under `CI=true`), and else named.

mod allocations;
mod library;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;

use crate::{bundle, root, tidy};

/// What `lockstep live` needs on Debian to be compiled and played.
const LIVE_PACKAGES: [&str; 4] = [
    "jackd2",
    "libasound2-dev",
    "libjack-jackd2-dev",
    "pkg-config",
];

/// Lets the program have its live mode, in a build of the whole workspace: so both share every dependency.
const LIVE: [&str; 3] = ["--workspace", "--features", "lockstep-app/live"];

/// Runs every step, each with its time, and stops at the first that fails.
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
    // One build of the whole workspace: the bundled library and all tests share every dependency that way, which
    // `cargo xtask bundle lockstep`, with the features of one package alone, would build again.
    step("build", || {
        cargo(&["build", "--workspace", "--lib", "--tests"])
    })?;
    step("bundle", bundle::bundle_built)?;
    step("what the library needs and holds", library::run)?;
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
        "\nall is well, after {:.0} s",
        start.elapsed().as_secs_f32()
    );
    Ok(())
}

/// Announces a step, runs it and says how long it took.
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
            "skipped: nothing is recorded in Ardour, for it is not installed. On Debian: apt-get install ardour"
        );
    }
    if answers("cargo", &["nextest", "--version"]) {
        cargo(&["nextest", "run", "--workspace"])
    } else {
        eprintln!(
            "cargo-nextest is not installed: `cargo test` does the same, one test program after another"
        );
        cargo(&["test", "--workspace", "--lib", "--bins", "--tests"])
    }
}

/// Sees to rustfmt and clippy, which a minimal toolchain lacks.
fn install_components() -> anyhow::Result<()> {
    if answers("cargo", &["fmt", "--version"]) && answers("cargo", &["clippy", "--version"]) {
        return Ok(());
    }
    run_command(Command::new("rustup").args(["component", "add", "rustfmt", "clippy"]))
        .context("rustfmt and clippy are needed: `rustup component add rustfmt clippy`")
}

/// Whether the program can be built with its live mode here, and played: headers and server are there or were installed.
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

/// Whether windows can be opened here, on a screen of the tests' own: what that needs is there or was installed.
#[cfg(target_os = "linux")]
fn prepare_screen() -> anyhow::Result<bool> {
    if !lockstep_screen::is_installed() && may_install_packages() {
        install_packages(&lockstep_screen::PACKAGES)?;
    }
    let has_screen = lockstep_screen::is_installed();
    if !has_screen {
        eprintln!(
            "skipped: no window is opened, for Xvfb or Mesa's software OpenGL is missing. On Debian: apt-get install {}",
            lockstep_screen::PACKAGES.join(" ")
        );
    }
    Ok(has_screen)
}

/// Windows are opened on Linux only.
#[cfg(not(target_os = "linux"))]
fn prepare_screen() -> anyhow::Result<bool> {
    eprintln!("skipped: windows are opened on Linux only");
    Ok(false)
}

/// Plays `lockstep live` through a JACK server of its own where there is one to be started, else only in parts.
fn test_live(has_screen: bool) -> anyhow::Result<()> {
    // The program and its own test alone: everything else has been tested without live.
    let mut targets = vec!["--bin", "lockstep"];
    if has_jackd() {
        targets.extend(["--test", "live"]);
        if has_screen {
            targets.extend(["--test", "window"]);
        }
    } else {
        eprintln!(
            "skipped: `lockstep live` is not played, for there is no `jackd` (Debian: jackd2)"
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

/// Whether this is a Debian machine that nobody works at.
fn may_install_packages() -> bool {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let is_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    is_root && is_ci && Path::new("/etc/debian_version").exists()
}

/// Tries to install what a step needs. That it could not is no failure: the step is then skipped, aloud.
fn install_packages(packages: &[&str]) -> anyhow::Result<()> {
    let apt_get = |args: &[&str]| {
        Command::new("apt-get")
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .status()
            .context("calling apt-get")
    };
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    // A fresh machine has no package lists yet.
    if !apt_get(&install)?.success() && apt_get(&["update"])?.success() {
        apt_get(&install)?;
    }
    Ok(())
}

/// Whether a program is there and content with these arguments.
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
