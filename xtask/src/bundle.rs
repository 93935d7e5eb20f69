//! Makes `Lockstep.clap` and `Lockstep.vst3`.
//!
//! The framework's own bundler does the work; which names the bundles get is in `bundler.toml`. What is shipped is built in the
//! profile `bundle`, alone: a library that is built beside its Rust twin, as `cargo build` does it, is not linked as one piece.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::library::Library;
use crate::{root, target_dir};

/// The package whose library is the plugin.
const PACKAGE: &str = "lockstep";

/// Its library on Linux.
const LIBRARY: &str = "liblockstep.so";

/// Most that a bundle may weigh, in bytes: 14.87 million on 2026-11-28, of which the weights are 4.7 and the recordings 1.3.
const MAX_BYTES: usize = 15_000_000;

/// `cargo xtask bundle …`: builds the packages that the arguments name and bundles them into `target/bundled`.
pub(crate) fn run(args: Vec<String>) -> Result<()> {
    if let Some(options) = release_options(&args) {
        return release(&options);
    }
    let args = std::iter::once("bundle".to_owned()).chain(args);
    nice_plug_xtask::main_with_args("cargo xtask", args)
}

/// The other options, where the arguments ask for the plugin to ship.
fn release_options(args: &[String]) -> Option<Vec<String>> {
    let (package, options) = args.split_first()?;
    let is_release = |option: &String| matches!(option.as_str(), "--release" | "-r");
    if package != PACKAGE || !options.iter().any(is_release) {
        return None;
    }
    let others = options.iter().filter(|option| !is_release(option));
    Some(others.cloned().collect())
}

/// Builds the plugin as it is shipped, bundles it and weighs it.
fn release(options: &[String]) -> Result<()> {
    std::env::set_current_dir(root()).context("going to the workspace root")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["rustc", "--package", PACKAGE, "--lib"])
        .args(["--crate-type", "cdylib", "--profile", "bundle"])
        .args(options)
        // The profile asks for it too, but a package with settings of its own does not get it.
        .args(["--", "-C", "strip=symbols"])
        .status()
        .context("starting cargo")?;
    ensure!(status.success(), "cargo ended with {status}");
    let bundled_as = ["--profile", "bundle"].map(str::to_owned);
    let options = [&bundled_as[..], options].concat();
    nice_plug_xtask::bundle(&target_dir(), PACKAGE, &options, false)?;
    if is_for_this_machine(&options) {
        weigh()?;
    }
    Ok(())
}

/// Whether what was built lies where a library for this machine does, and is an ELF file.
fn is_for_this_machine(options: &[String]) -> bool {
    cfg!(all(target_os = "linux", target_env = "gnu"))
        && !options.iter().any(|option| option.starts_with("--target"))
}

/// Checks what is to be shipped, if it was built; `None` if not. On Linux, where the bundles are this one file.
///
/// # Errors
/// If it is heavier than [`MAX_BYTES`], or calls what is not in a glibc that players have.
pub(crate) fn weigh() -> Result<Option<()>> {
    let path = target_dir().join("bundle").join(LIBRARY);
    if !path.exists() {
        return Ok(None);
    }
    let library = Library::read(&path)?;
    let n_bytes = library.n_bytes();
    let (newest, names) = library.newest_glibc()?;
    eprintln!(
        "{}: {:.1} MB; as it was linked here it needs glibc {newest} ({})",
        path.display(),
        n_bytes as f64 / 1e6,
        names.join(", ")
    );
    ensure!(
        n_bytes <= MAX_BYTES,
        "it weighs {n_bytes} bytes, more than {MAX_BYTES}"
    );
    library.check_glibc()?;
    Ok(Some(()))
}

/// Bundles the library that was built last in the dev profile.
pub(crate) fn bundle_built() -> Result<()> {
    std::env::set_current_dir(root()).context("going to the workspace root")?;
    nice_plug_xtask::bundle(&target_dir(), PACKAGE, &[], false)
}

/// The library that was built last in the dev profile.
///
/// # Errors
/// If there is none.
pub(crate) fn built() -> Result<Library> {
    Library::read(&target_dir().join("debug").join(LIBRARY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plugin_in_release_is_built_as_it_ships() {
        let asked = |args: &str| {
            let args: Vec<_> = args.split_whitespace().map(str::to_owned).collect();
            release_options(&args).map(|options| options.join(" "))
        };
        assert_eq!(asked("lockstep --release"), Some(String::new()));
        assert_eq!(
            asked("lockstep --release --target x86_64-apple-darwin"),
            Some("--target x86_64-apple-darwin".to_owned())
        );
        assert_eq!(asked("lockstep"), None);
        assert_eq!(asked("lockstep --profile dev"), None);
        assert_eq!(asked("lockstep-gpu --release"), None);
        assert_eq!(asked(""), None);
    }
}
