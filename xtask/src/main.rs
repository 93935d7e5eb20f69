//! The workspace's tasks: `cargo xtask --help` lists them.
//!
//! Runs on a developer's machine or in CI; none of it is part of what a player installs.
#![expect(clippy::print_stdout, reason = "a command-line program")]

mod bench;
mod bundle;
mod evaluate;
mod kit;
mod library;
mod listen;
mod picture;
mod prepare;
mod sources;
mod test;
mod tidy;
mod train;
mod tune;
mod whole;

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
    /// Make the training file from folders and archives of MIDI files
    Prepare(prepare::Prepare),
    /// Train the generator that a run file describes, on a prepared corpus
    Train(train::Train),
    /// Fine-tune a drummer on a folder of your own songs, and report what it learnt
    Tune(tune::Tune),
    /// Let drummers play to songs of the corpus, print the table of figures and write a report
    Evaluate(evaluate::Evaluate),
    /// Let a drummer play to the project's own bass lines: MIDI files, pictures, a page and one WAV of all takes
    Listen(listen::Listen),
    /// Cut the recordings of the built-in kits from the sound font `FluidR3_GM.sf2`
    KitSamples(kit::KitSamples),
    /// Play the example bass line with each built-in kit and write the sound
    KitSounds(kit::KitSounds),
    /// Time training and prediction for every run file, and list the arithmetic each needs
    Bench(bench::Bench),
    /// Check which modules use which, and the size and form of the files
    Tidy,
}

/// A training step allocates and frees hundreds of large tensors.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Bundle { args } => bundle::run(args),
        Task::Test => test::run(),
        Task::Prepare(task) => task.run(),
        Task::Train(task) => task.run(),
        Task::Tune(task) => task.run(),
        Task::Evaluate(task) => task.run(),
        Task::Listen(task) => task.run(),
        Task::KitSamples(task) => task.run(),
        Task::KitSounds(task) => task.run(),
        Task::Bench(task) => task.run(),
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
