//! Makes `Lockstep.clap` and `Lockstep.vst3`.
//!
//! The framework's own bundler does the work; the names of the bundles are in `bundler.toml`. The release build uses
//! the profile `bundle` and builds the library as a `cdylib` only: a build that also makes the Rust library, as `cargo
//! build` does, gets no link-time optimisation.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::library::Library;
use crate::{root, target_dir};

/// The package whose library is the plugin.
const PACKAGE: &str = "lockstep";

/// Its library on Linux.
const LIBRARY: &str = "liblockstep.so";

/// Size limit of a bundle, in bytes. It was 18.82 million on 2026-11-28, of which the weights are 8.9 and the recordings 1.3.
const MAX_BYTES: usize = 19_500_000;

/// `cargo xtask bundle …`: builds the packages named in the arguments and bundles them into `target/bundled`.
pub(crate) fn run(args: Vec<String>) -> Result<()> {
    if let Some(options) = release_options(&args) {
        return release(&options);
    }
    let args = std::iter::once("bundle".to_owned()).chain(args);
    nice_plug_xtask::main_with_args("cargo xtask", args)
}

/// The remaining options, if the arguments ask for the release build of the plugin.
fn release_options(args: &[String]) -> Option<Vec<String>> {
    let (package, options) = args.split_first()?;
    let is_release = |option: &String| matches!(option.as_str(), "--release" | "-r");
    if package != PACKAGE || !options.iter().any(is_release) {
        return None;
    }
    let others = options.iter().filter(|option| !is_release(option));
    Some(others.cloned().collect())
}

/// Builds the plugin for release, bundles it and checks its size.
fn release(options: &[String]) -> Result<()> {
    std::env::set_current_dir(root()).context("going to the workspace root")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["rustc", "--package", PACKAGE, "--lib"])
        .args(["--crate-type", "cdylib", "--profile", "bundle"])
        .args(options)
        // The profile asks for this too, but a package with its own settings does not inherit it.
        .args(["--", "-C", "strip=symbols"])
        .status()
        .context("starting cargo")?;
    ensure!(status.success(), "cargo ended with {status}");
    let bundled_as = ["--profile", "bundle"].map(str::to_owned);
    let options = [&bundled_as[..], options].concat();
    nice_plug_xtask::bundle(&target_dir(), PACKAGE, &options, false)?;
    copy_licences()?;
    if is_for_this_machine(&options) {
        weigh()?;
    }
    Ok(())
}

/// Whether the build is an ELF file for this machine, in the default place.
fn is_for_this_machine(options: &[String]) -> bool {
    cfg!(all(target_os = "linux", target_env = "gnu"))
        && !options.iter().any(|option| option.starts_with("--target"))
}

/// Puts the licences of what the bundles contain beside them.
fn copy_licences() -> Result<()> {
    let to = target_dir().join("bundled/licences");
    fs::create_dir_all(&to).with_context(|| format!("making {}", to.display()))?;
    let mut files = vec![root().join("LICENSE-MIT"), root().join("LICENSE-APACHE")];
    for entry in fs::read_dir(root().join("docs/licences"))? {
        files.push(entry?.path());
    }
    for file in files {
        let name = file.file_name().unwrap_or_default();
        fs::copy(&file, to.join(name)).with_context(|| format!("copying {}", file.display()))?;
    }
    Ok(())
}

/// Checks the release build; `None` if there is none. On Linux, where each bundle is this one file.
///
/// # Errors
/// If it is larger than [`MAX_BYTES`], or calls a function that is missing in the oldest supported glibc.
pub(crate) fn weigh() -> Result<Option<()>> {
    let path = target_dir().join("bundle").join(LIBRARY);
    if !path.exists() {
        return Ok(None);
    }
    let library = Library::read(&path)?;
    let n_bytes = library.n_bytes();
    let (newest, names) = library.newest_glibc()?;
    eprintln!(
        "{}: {:.1} MB; linked on this machine, it needs glibc {newest} ({})",
        path.display(),
        n_bytes as f64 / 1e6,
        names.join(", ")
    );
    ensure!(
        n_bytes <= MAX_BYTES,
        "it has {n_bytes} bytes, more than {MAX_BYTES}"
    );
    library.check_glibc()?;
    Ok(Some(()))
}

/// Bundles the library from the last dev build.
pub(crate) fn bundle_built() -> Result<()> {
    std::env::set_current_dir(root()).context("going to the workspace root")?;
    nice_plug_xtask::bundle(&target_dir(), PACKAGE, &[], false)
}

/// The library from the last dev build.
///
/// # Errors
/// If there has been no dev build.
pub(crate) fn built() -> Result<Library> {
    Library::read(&target_dir().join("debug").join(LIBRARY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plugin_in_release_gets_the_release_build() {
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
