//! The workspace's tasks: `cargo xtask --help` lists them.
//!
//! Runs on a developer's machine or in CI; none of it is part of what a player installs.

mod bundle;
mod library;
mod test;
mod tidy;

use std::path::PathBuf;

use clap::Parser;

/// Tasks of the Lockstep workspace.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
enum Task {
    /// Build the plugin and make its bundles: `cargo xtask bundle lockstep --release`
    #[command(disable_help_flag = true)]
    Bundle {
        /// A package to bundle, and any options of `cargo build`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run every check: format, lints, docs, unit, property and host tests, doctests
    Test,
    /// Run the channels between threads through Miri, which finds undefined behaviour; needs a nightly toolchain
    Miri,
    /// Check the shape of the files, and which crates may depend on which
    Tidy,
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Bundle { args } => bundle::run(args),
        Task::Test => test::run(),
        Task::Miri => test::miri(),
        Task::Tidy => tidy::check(&root()),
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Where cargo builds: `CARGO_TARGET_DIR`, or `target` in the workspace.
fn target_dir() -> PathBuf {
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(folder)
}
