//! Which device predicts: the CPU, which always works, or a GPU if there is one.
//!
//! The GPU code is in a library that is loaded at run time, because a plugin that links CUDA does not load without a driver.
//! [`DeviceSearch`] looks for the driver first and then for the library; [`DeviceGenerator`] is the drummer that uses it. If
//! anything fails, even mid-song, the CPU answers the same request and the player is told why. Generator thread, and a
//! short-lived thread that opens the device; never the audio thread.

mod device_generator;
mod library;

use std::ffi::OsString;
use std::path::PathBuf;

use lockstep_models::boundary::ABI;
use lockstep_models::predict::{Trunk, TrunkError, in_one_line};

pub use crate::params::DeviceChoice;
pub use device_generator::DeviceGenerator;
pub(crate) use library::stay_loaded;
use library::{GpuLibrary, own_file};

/// Environment variable with the path of the library, if it does not lie beside the plugin.
pub const LIBRARY_VARIABLE: &str = "LOCKSTEP_GPU";

/// Why there is no GPU.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No driver.
    #[error("there is no GPU driver")]
    NoDriver(#[source] libloading::Error),
    /// No library.
    #[error(
        "there is no GPU library {}: put it there, or set {LIBRARY_VARIABLE} to its path",
        .0.display()
    )]
    NoLibrary(PathBuf),
    /// The library does not load: it is damaged, for another system, or a dependency is missing.
    #[error("the GPU library {} does not load", path.display())]
    Unloadable {
        /// Which file.
        path: PathBuf,
        /// The system's error.
        source: libloading::Error,
    },
    /// A different library or version.
    #[error(
        "the GPU library {} has interface version {got}, this program needs {ABI}: use the library that came with this \
         program",
        path.display()
    )]
    Version {
        /// Which file.
        path: PathBuf,
        /// The version it reports.
        got: u32,
    },
    /// The library found no device, or cannot use the weights.
    #[error("the GPU library {} found nothing to run on: {why}", path.display())]
    Refused {
        /// Which file.
        path: PathBuf,
        /// The library's reason.
        why: String,
    },
}

impl DeviceError {
    /// Whether nothing is wrong and there is simply no GPU to use.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::NoDriver(_) | Self::NoLibrary(_))
    }
}

impl From<DeviceError> for TrunkError {
    fn from(error: DeviceError) -> Self {
        Self::Library(in_one_line(&error))
    }
}

/// Where to look for the driver and the library.
#[derive(Clone, Debug)]
pub struct DeviceSearch {
    /// Name of the driver's library as the system knows it; `None` if the system always has one.
    pub driver: Option<OsString>,
    /// Path of the library.
    pub library: PathBuf,
}

impl DeviceSearch {
    /// NVIDIA's driver, except on macOS; the library that [`LIBRARY_VARIABLE`] names, else the one beside this plugin or
    /// program.
    pub fn here() -> Self {
        let driver = if cfg!(windows) {
            Some("nvcuda.dll")
        } else if cfg!(target_os = "macos") {
            None
        } else {
            Some("libcuda.so.1")
        };
        let beside =
            |own: PathBuf| own.with_file_name(libloading::library_filename("lockstep_gpu"));
        let named = std::env::var_os(LIBRARY_VARIABLE).map(PathBuf::from);
        // If neither is known, nowhere: never load code from the host's current folder.
        let library = named.or_else(|| own_file().map(beside)).unwrap_or_default();
        Self {
            driver: driver.map(OsString::from),
            library,
        }
    }

    /// The trunk of a weights file on the GPU.
    ///
    /// # Errors
    /// [`DeviceError`]
    ///
    /// # Realtime safety
    /// Loads code and waits for the device, on first use for seconds.
    pub fn open(&self, weights: &[u8]) -> Result<Box<dyn Trunk>, DeviceError> {
        if let Some(driver) = &self.driver {
            library::find_driver(driver).map_err(DeviceError::NoDriver)?;
        }
        if !self.library.is_file() {
            return Err(DeviceError::NoLibrary(self.library.clone()));
        }
        let library = GpuLibrary::load(&self.library)?;
        let trunk = library.open(weights).map_err(|why| DeviceError::Refused {
            path: self.library.clone(),
            why,
        })?;
        Ok(Box::new(trunk))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_driver_the_library_is_not_loaded() {
        let search = DeviceSearch {
            driver: Some("lockstep-has-no-such-driver".into()),
            library: PathBuf::new(),
        };
        let error = search.open(&[]).err();
        assert!(
            error.is_some_and(
                |error| matches!(error, DeviceError::NoDriver(_)) && error.is_absence()
            )
        );
    }

    #[test]
    fn the_library_is_looked_for_beside_the_program() {
        let own = own_file();
        assert!(own.as_ref().is_some_and(|file| file.is_file()), "{own:?}");
        if std::env::var_os(LIBRARY_VARIABLE).is_none() {
            assert_eq!(
                DeviceSearch::here().library.parent(),
                own.as_deref().and_then(|file| file.parent())
            );
        }
    }
}
