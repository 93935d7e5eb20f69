//! Makes `Lockstep.clap` and `Lockstep.vst3`.
//!
//! The framework's own bundler does the work; which names the bundles get is in `bundler.toml`.

use anyhow::Context as _;

use crate::root;

/// `cargo xtask bundle …`: builds the packages that the arguments name and bundles them into `target/bundled`.
pub(crate) fn run(args: Vec<String>) -> anyhow::Result<()> {
    let args = std::iter::once("bundle".to_owned()).chain(args);
    nice_plug_xtask::main_with_args("cargo xtask", args)
}

/// Bundles the library that was built last in the dev profile.
pub(crate) fn bundle_built() -> anyhow::Result<()> {
    std::env::set_current_dir(root()).context("going to the workspace root")?;
    nice_plug_xtask::bundle(&crate::target_dir(), "lockstep", &[], false)
}
