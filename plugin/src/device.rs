//! Which device predicts: the CPU, which always works, or a GPU where there is one.
//!
//! A GPU is behind a library that is opened at run time, because a plugin that links CUDA does not load where there is no
//! driver. [`Search`] looks for the driver first and for the library then, [`OnDevice`] is the drummer that uses it. Whatever goes
//! wrong, then or in mid-song, the CPU answers the same request and the player is told why. Generator thread and a short-lived
//! thread of its own that opens; nothing here is ever called on the audio thread.

mod library;
mod on_device;

use std::ffi::OsString;
use std::path::PathBuf;

use lockstep_models::boundary::ABI;
use lockstep_models::predict::{Trunk, TrunkError, in_one_line};

pub use crate::params::DeviceChoice;
pub(crate) use library::stay_loaded;
use library::{GpuLibrary, own_file};
pub use on_device::OnDevice;

/// Environment variable with the path of the library, where it does not lie beside the plugin.
pub const LIBRARY_VARIABLE: &str = "LOCKSTEP_GPU";

/// Why there is no GPU.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No driver.
    #[error("there is no driver of a GPU")]
    NoDriver(#[source] libloading::Error),
    /// No library.
    #[error(
        "there is no GPU library {}: put it there, or its path into {LIBRARY_VARIABLE}",
        .0.display()
    )]
    NoLibrary(PathBuf),
    /// The library does not load: it is damaged, for another system, or what it needs is not installed.
    #[error("the GPU library {} does not load", path.display())]
    Unloadable {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        source: libloading::Error,
    },
    /// Another library, or one of another version.
    #[error(
        "the GPU library {} has version {got} of its functions, this program needs {ABI}: take the library that came with \
         this program",
        path.display()
    )]
    Version {
        /// Which file.
        path: PathBuf,
        /// What it says.
        got: u32,
    },
    /// The library found no device, or cannot use the weights.
    #[error("the GPU library {} found nothing to play on: {why}", path.display())]
    Refused {
        /// Which file.
        path: PathBuf,
        /// Its words.
        why: String,
    },
}

impl DeviceError {
    /// Whether nothing is wrong: there just is no GPU to be used.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::NoDriver(_) | Self::NoLibrary(_))
    }
}

impl From<DeviceError> for TrunkError {
    fn from(error: DeviceError) -> Self {
        Self::Library(in_one_line(&error))
    }
}

/// Where driver and library are looked for.
#[derive(Clone, Debug)]
pub struct Search {
    /// The driver's library, by the name that the system knows it by; `None` where the system has it always.
    pub driver: Option<OsString>,
    /// The library.
    pub library: PathBuf,
}

impl Search {
    /// NVIDIA's driver, but on macOS; the library that [`LIBRARY_VARIABLE`] names, else the one beside this plugin or
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
        // Nowhere where that is not known: the folder that the host happens to be in is no place to load code from.
        let library = named.or_else(|| own_file().map(beside)).unwrap_or_default();
        Self {
            driver: driver.map(OsString::from),
            library,
        }
    }

    /// The trunk of a weights file on the GPU.
    ///
    /// # Errors
    /// [`DeviceError`] in each way in which it cannot be had.
    ///
    /// # Realtime safety
    /// Loads code and waits for the device, for seconds where it is asked for the first time.
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
    fn without_a_driver_the_library_is_not_even_looked_for() {
        let search = Search {
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
                Search::here().library.parent(),
                own.as_deref().and_then(|file| file.parent())
            );
        }
    }
}
