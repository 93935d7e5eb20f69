//! Checks on the library built for the tests that also hold for the release build of the same code.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::{bundle, root};

/// Bytes in the middle of a file that identify it.
const N_SAMPLE: usize = 256;

/// Checks that every embedded file is in the library exactly once and that it needs no newer glibc than promised; also
/// checks the size of the release build if there is one. On x86-64 Linux only; prints a message elsewhere.
pub(super) fn run() -> Result<()> {
    if !cfg!(all(
        target_os = "linux",
        target_env = "gnu",
        target_arch = "x86_64"
    )) {
        eprintln!("SKIPPED: the library's imports and size are checked on x86-64 Linux only");
        return Ok(());
    }
    let library = bundle::built()?;
    let (newest, names) = library.newest_glibc()?;
    eprintln!(
        "linked on this machine, it needs glibc {newest} ({})",
        names.join(", ")
    );
    library.check_glibc()?;
    for name in ["hypot", "hypotf"] {
        ensure!(
            !library.calls(name)?,
            "it imports {name} from the C library, new in glibc 2.35, instead of the one in `plugin/src/old_glibc.rs`"
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
            "note: the size of the release build is not checked, because there is none. `cargo xtask bundle lockstep --release` builds \
             and checks it"
        );
    }
    Ok(())
}

/// The files that are embedded in the plugin, by name.
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
