//! The X server: a process that is stopped when dropped.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// Large enough for a window of twice the usual size.
const SIZE: &str = "1960x1320x24";

/// Debian packages for a virtual screen and for a plugin window on it.
pub const PACKAGES: [&str; 5] = [
    "libegl1",
    "libgl1-mesa-dri",
    "libx11-xcb1",
    "libxkbcommon-x11-0",
    "xvfb",
];

/// Libraries from these packages that are loaded at run time.
const LIBRARIES: [&str; 4] = [
    "libEGL.so.1",
    "libEGL_mesa.so.0",
    "libX11-xcb.so.1",
    "libxkbcommon-x11.so.0",
];

/// Whether Xvfb and the libraries that draw on it are installed.
pub fn is_installed() -> bool {
    let said = |program: &str, arg: &str| {
        let output = Command::new(program).arg(arg).output();
        output.ok().filter(|output| output.status.success())
    };
    // A user's PATH may lack `/sbin`.
    let known = ["ldconfig", "/sbin/ldconfig"]
        .into_iter()
        .find_map(|program| said(program, "-p"))
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    said("Xvfb", "-help").is_some() && LIBRARIES.iter().all(|library| known.contains(library))
}

/// An X server without a monitor, on its own display.
#[derive(Debug)]
pub struct ScreenServer {
    xvfb: Child,
    display: String,
}

impl ScreenServer {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// If Xvfb is missing or does not start.
    pub fn start() -> Result<Self> {
        let mut xvfb = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", SIZE])
            .args(["-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting Xvfb, which is needed (Debian: apt-get install xvfb)")?;
        let mut number = String::new();
        if let Some(stdout) = xvfb.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut number)
                .context("reading the number of Xvfb's display")?;
        }
        let display = format!(":{}", number.trim());
        // From here on, dropping it stops the server.
        let server = Self { xvfb, display };
        ensure!(
            !number.trim().is_empty(),
            "Xvfb ended without a display; `Xvfb -displayfd 1` says why"
        );
        Ok(server)
    }

    /// The display's name, in the form of the environment variable `DISPLAY`.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Makes a program use the screen, and draw on it without a graphics card.
    pub fn dress(&self, program: &mut Command) {
        program
            .env("DISPLAY", &self.display)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env_remove("WAYLAND_DISPLAY");
    }
}

impl Drop for ScreenServer {
    fn drop(&mut self) {
        // Its only leftover is its lock file, which the next server with that number finds stale.
        let _ = Command::new("kill")
            .args(["-TERM", &self.xvfb.id().to_string()])
            .status();
        let _ = self.xvfb.wait();
    }
}
