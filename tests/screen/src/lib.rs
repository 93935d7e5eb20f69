//! A screen of a test's own, on Linux: an X server without a monitor, the hands that use it and the pictures taken of it.
//!
//! Speaks the X protocol itself; all it knows of the plugin are the [`places`] in its window. Needs Xvfb, and Mesa's software renderer for who draws on it with OpenGL: [`PACKAGES`].
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
pub use screen::{Place, Screen, WindowId};
pub use server::{PACKAGES, Server, is_installed};

/// Longest wait for anything that should happen at once.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long is waited before the next look.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until something is there.
///
/// # Errors
/// If it does not come within [`PATIENCE`], or `look` fails.
pub fn await_some<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if begun.elapsed() > PATIENCE {
            bail!("{what} does not come within {} s", PATIENCE.as_secs());
        }
        thread::sleep(LOOK_EVERY);
    }
}
