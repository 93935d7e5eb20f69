//! What the library that was built for the tests tells of the one that ships: the same code, built to be small.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::{bundle, root};

/// Bytes of a file that stand for all of it.
const N_SAMPLE: usize = 256;

/// Checks that every embedded file is in the library once, and that it calls nothing that an old glibc lacks; and what is to
/// be shipped, where it was built. On x86-64 Linux; it says so elsewhere.
pub(super) fn run() -> Result<()> {
    if !cfg!(all(
        target_os = "linux",
        target_env = "gnu",
        target_arch = "x86_64"
    )) {
        eprintln!("skipped: what a library needs and weighs is read on x86-64 Linux only");
        return Ok(());
    }
    let library = bundle::built()?;
    let (newest, names) = library.newest_glibc()?;
    eprintln!(
        "as it was linked here it needs glibc {newest} ({})",
        names.join(", ")
    );
    library.check_glibc()?;
    for name in ["hypot", "hypotf"] {
        ensure!(
            !library.calls(name)?,
            "it is bound to the C library's {name}, new in glibc 2.35: `plugin/src/old_glibc.rs` has one in its place"
        );
    }
    for (name, bytes) in embedded(&root())? {
        let middle = bytes.len() / 2;
        let sample = bytes.get(middle..middle + N_SAMPLE);
        let sample = sample.with_context(|| format!("{name} is too short"))?;
        let n = library.count(sample)?;
        ensure!(n == 1, "{name} is in the library {n} times, not once");
    }
    if bundle::weigh()?.is_none() {
        eprintln!(
            "skipped: what ships is not weighed, for it was not built. `cargo xtask bundle lockstep --release` does both"
        );
    }
    Ok(())
}

/// The files that are part of the plugin, by name.
fn embedded(root: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for (folder, extension) in [
        ("models/weights", "safetensors"),
        ("plugin/engine/kit", "flac"),
    ] {
        let folder = root.join(folder);
        for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|found| found == extension) {
                files.push((path.display().to_string(), fs::read(&path)?));
            }
        }
    }
    Ok(files)
}
