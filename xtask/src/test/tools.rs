//! The programs that some tests need: whether they are here, and what is left out where they are not.
//!
//! As root under `CI=true` on Debian they are installed. Under `CI=true` nothing may be left out.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::answers;

/// Debian packages needed to build and run `lockstep live`.
const LIVE_PACKAGES: [&str; 4] = [
    "jackd2",
    "libasound2-dev",
    "libjack-jackd2-dev",
    "pkg-config",
];

/// The Debian package of Ardour, which records the drums.
const ARDOUR_PACKAGES: [&str; 1] = ["ardour"];

/// What is here, and what is left out.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// `lockstep live` can be built.
    pub(super) has_live: bool,
    /// A JACK server can be started.
    pub(super) has_jackd: bool,
    /// Windows can be opened on a virtual screen.
    pub(super) has_screen: bool,
    /// What is left out, and what would bring it.
    skipped: Vec<String>,
}

impl Tools {
    /// Looks for everything, and installs what is missing if that may be done.
    ///
    /// # Errors
    /// If something is missing under `CI=true`.
    pub(super) fn prepare(&mut self) -> Result<()> {
        if !cfg!(target_os = "linux") {
            self.has_live = true;
            eprintln!("JACK, windows and Ardour are tested on Linux only");
            return Ok(());
        }
        let has_live = || has_live_headers() && has_jackd();
        if !found(has_live, &LIVE_PACKAGES)? {
            self.skip("all or some tests of `lockstep live`", &LIVE_PACKAGES)?;
        }
        (self.has_live, self.has_jackd) = (has_live_headers(), has_jackd());
        if !found(has_ardour, &ARDOUR_PACKAGES)? {
            self.skip("the recordings in Ardour", &ARDOUR_PACKAGES)?;
        }
        self.prepare_screen()
    }

    #[cfg(target_os = "linux")]
    fn prepare_screen(&mut self) -> Result<()> {
        let packages = &lockstep_screen::PACKAGES;
        self.has_screen = found(lockstep_screen::is_installed, packages)?;
        if !self.has_screen {
            self.skip("the tests that open windows", packages)?;
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn prepare_screen(&mut self) -> Result<()> {
        Ok(())
    }

    fn skip(&mut self, what: &str, packages: &[&str]) -> Result<()> {
        let cure = format!("on Debian: apt-get install {}", packages.join(" "));
        if is_ci() {
            bail!("under CI nothing is left out, and the programs for {what} are missing; {cure}");
        }
        self.skipped.push(format!("{what}; {cure}"));
        Ok(())
    }

    /// Says at the end what was left out.
    pub(super) fn report(&self) {
        for skipped in &self.skipped {
            eprintln!("SKIPPED: {skipped}");
        }
    }
}

/// Whether something is here, after its packages were installed if it was not and they may be.
fn found(is_here: impl Fn() -> bool, packages: &[&str]) -> Result<bool> {
    if !is_here() && may_install_packages() {
        install_packages(packages)?;
    }
    Ok(is_here())
}

fn has_jackd() -> bool {
    answers("jackd", &["--version"])
}

fn has_live_headers() -> bool {
    answers("pkg-config", &["--exists", "alsa", "jack"])
}

fn has_ardour() -> bool {
    answers("ardour7-lua", &["--version"])
}

fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// Whether this is an unattended Debian machine: root under `CI=true`.
fn may_install_packages() -> bool {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    is_root && is_ci() && Path::new("/etc/debian_version").exists()
}

/// Tries to install packages. Whether that helped is for the caller to see.
fn install_packages(packages: &[&str]) -> Result<()> {
    let apt_get = |args: &[&str]| {
        Command::new("apt-get")
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .status()
            .context("calling apt-get")
    };
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    // A fresh machine may have no package lists.
    if !apt_get(&install)?.success() && apt_get(&["update"])?.success() {
        apt_get(&install)?;
    }
    Ok(())
}
