//! Runs the host tests with a library that aborts on any allocation on the audio thread.

use std::fs;

use anyhow::Context as _;

use super::{cargo, cargo_command, run_command};
use crate::target_dir;

/// Crates in which debug assertions turn on the framework's allocation check; normal profiles turn them off there.
const ASSERTING: [&str; 3] = ["nice-plug", "nice-plug-core", "nice-assert-no-alloc"];

/// Where each bundle keeps the library.
const PLACES: [&str; 2] = [
    "Lockstep.clap",
    "Lockstep.vst3/Contents/x86_64-linux/Lockstep.so",
];

/// Builds that library, bundles it next to the normal one and runs it in both hosts. On x86-64 Linux only, where
/// bundles are plain files; prints a message elsewhere.
pub(super) fn run() -> anyhow::Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        eprintln!(
            "SKIPPED: the check for allocations on the audio thread runs on x86-64 Linux only"
        );
        return Ok(());
    }
    let configs =
        ASSERTING.map(|package| format!("profile.dev.package.{package}.debug-assertions=true"));
    let features = ["--features", "lockstep/rt-asserts"];
    let mut build = vec!["build", "--workspace", "--lib"];
    build.extend(features);
    build.extend(configs.iter().flat_map(|config| ["--config", config]));
    cargo(&build)?;
    let library = target_dir().join("debug").join("liblockstep.so");
    let bundles = target_dir().join("asserting");
    for place in PLACES {
        let place = bundles.join(place);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        fs::copy(&library, &place)
            .with_context(|| format!("copying {} to {}", library.display(), place.display()))?;
    }
    // Skipped: tests that open instances or windows by the hundred, and Ardour; they add nothing here. All tests run in
    // one process, on many threads that outlive the plugin: that crashed the host before `plugin/build.rs` kept the
    // plugin's code in memory.
    run_command(
        cargo_command(&["test", "--workspace", "--test", "hosts", "--"])
            .args([
                "--skip",
                "lifecycle",
                "--skip",
                "200_times",
                "--skip",
                "ardour",
            ])
            .env("LOCKSTEP_BUNDLES", &bundles),
    )
}
