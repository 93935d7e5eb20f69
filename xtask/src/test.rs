//! `cargo xtask test`: every check that must pass before a change goes in, the quickest to fail first.
//!
//! Needs a Rust toolchain and a C linker. Installs what else a step needs where it may (rustup components; Debian
//! packages as root under `CI=true`), and otherwise says what is missing.

mod allocations;
mod library;
mod tools;

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;

use crate::{bundle, root, target_dir, tidy};
use tools::Tools;

/// Builds the program with all its commands, as part of the whole workspace so that both builds share every dependency.
const LIVE: [&str; 3] = [
    "--workspace",
    "--features",
    "lockstep-app/live,lockstep-app/tune",
];

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
    let mut tools = Tools::default();
    step("tools of `lockstep live`, windows and Ardour", || {
        tools.prepare()
    })?;
    if tools.has_live {
        step("clippy of `lockstep live`", || {
            cargo(
                &[
                    &["clippy"],
                    &LIVE[..],
                    &["--all-targets", "--", "-D", "warnings"],
                ]
                .concat(),
            )
        })?;
    }
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
    step("model check of the channels", check_model)?;
    step("tests", run_tests)?;
    step("allocations on the audio thread", allocations::run)?;
    if tools.has_live {
        step("tests of `lockstep live`", || test_live(&tools))?;
    }
    step("doctests", || cargo(&["test", "--workspace", "--doc"]))?;
    let took_s = start.elapsed().as_secs_f32();
    eprintln!("\nall checks passed in {took_s:.0} s");
    tools.report();
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

/// Runs the channels between threads through every interleaving, in a build of the engine's own (`--cfg loom`).
fn check_model() -> anyhow::Result<()> {
    let folder = target_dir().join("loom");
    run_command(
        cargo_command(&[
            "test",
            "--package",
            "lockstep-engine",
            "--lib",
            "--target-dir",
        ])
        .arg(folder)
        .args(["--", "channel::model"])
        .env("RUSTFLAGS", "--cfg loom"),
    )
}

/// Runs the channels' unit tests through Miri.
///
/// # Errors
/// If one fails, or there is no nightly toolchain with Miri.
pub(crate) fn miri() -> anyhow::Result<()> {
    // The environment names the stable toolchain that runs this.
    let mut command = Command::new("rustup");
    command
        .args([
            "run",
            "nightly",
            "cargo",
            "miri",
            "test",
            "--package",
            "lockstep-engine",
        ])
        .args(["--lib", "--target-dir"])
        .arg(target_dir().join("miri"))
        .args(["--", "channel::"])
        .env_remove("CARGO")
        .env_remove("RUSTC")
        .env_remove("RUSTUP_TOOLCHAIN")
        .current_dir(root());
    run_command(&mut command)
        .context("Miri: rustup toolchain install nightly --component miri,rust-src")
}

/// Runs the tests of `lockstep live`, through a JACK server of their own if `jackd` is installed.
fn test_live(tools: &Tools) -> anyhow::Result<()> {
    // Only the program and its own tests; everything else has been tested without live mode.
    let mut targets = vec!["--bin", "lockstep"];
    if tools.has_jackd {
        targets.extend(["--test", "live"]);
        if tools.has_screen {
            targets.extend(["--test", "window"]);
        }
    }
    let runner: &[&str] = if answers("cargo", &["nextest", "--version"]) {
        &["nextest", "run"]
    } else {
        &["test"]
    };
    cargo(&[runner, &LIVE, &targets].concat())
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
