//! A virtual screen for tests, on Linux: an X server without a monitor, a simulated pointer, and pictures of windows.
//!
//! Speaks the X protocol itself; of the plugin it knows only the [`places`] in its window. Needs Xvfb, and Mesa's
//! software renderer for programs that draw with OpenGL: see [`PACKAGES`].
#![cfg(target_os = "linux")]

mod palette;
mod picture;
pub mod places;
mod screen;
mod server;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

pub use picture::Picture;
pub use screen::{Point, Screen, WindowId};
pub use server::{PACKAGES, ScreenServer, is_installed};

/// Time limit for anything that should happen at once.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// Polling interval.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Polls until `look` returns something.
///
/// # Errors
/// If it does not within [`TIMEOUT`], or if `look` fails.
pub fn await_some<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if begun.elapsed() > TIMEOUT {
            bail!("{what} did not come within {} s", TIMEOUT.as_secs());
        }
        thread::sleep(LOOK_EVERY);
    }
}
