//! The GPU library as a Rust object: the only place in the plugin that calls its functions.

#![expect(unsafe_code, reason = "loading a library and calling C")]

use std::ffi::{OsStr, c_void};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Once;

use libloading::Library;
use lockstep_models::boundary::{self, ABI, FeatureBuffer, FloatSlice, RawInputs, TextBuffer};
use lockstep_models::predict::{Trunk, TrunkError, TrunkInputs};

use super::DeviceError;

/// Buffer size for a name or an error, in bytes; CUDA's errors are a line or two.
const N_WORDS: usize = 1024;

/// Checks that the system has a driver of this name.
///
/// # Errors
/// The system's, if it has none.
pub(super) fn find_driver(name: &OsStr) -> Result<(), libloading::Error> {
    // SAFETY: loading the driver runs the driver's own code, which the system trusts, as in any program that uses it.
    let driver = unsafe { Library::new(name) }?;
    // It is about to be used, and unloading drivers is risky.
    std::mem::forget(driver);
    Ok(())
}

/// A library's functions.
#[derive(Clone, Copy, Debug)]
pub(super) struct GpuLibrary {
    open: boundary::Open,
    name: boundary::Name,
    features: boundary::Evaluate,
    close: boundary::Close,
}

impl GpuLibrary {
    /// Loads a library, which then stays in memory: its own threads may run until the process exits.
    pub(super) fn load(path: &Path) -> Result<Self, DeviceError> {
        let unloadable = |source| DeviceError::Unloadable {
            path: path.to_owned(),
            source,
        };
        // SAFETY: the player put this file beside the plugin or named it, so it is trusted as the plugin is.
        let library = unsafe { Library::new(path) }.map_err(unloadable)?;
        // SAFETY: the boundary promises this function with this type in every version.
        let abi =
            unsafe { library.get::<boundary::Abi>(b"lockstep_gpu_abi") }.map_err(unloadable)?;
        // SAFETY: it takes no arguments and may always be called.
        let got = unsafe { abi() };
        if got != ABI {
            return Err(DeviceError::Version {
                path: path.to_owned(),
                got,
            });
        }
        // SAFETY: the boundary promises these functions with these types in this version.
        let functions = unsafe {
            Self {
                open: *library.get(b"lockstep_gpu_open").map_err(unloadable)?,
                name: *library.get(b"lockstep_gpu_name").map_err(unloadable)?,
                features: *library.get(b"lockstep_gpu_features").map_err(unloadable)?,
                close: *library.get(b"lockstep_gpu_close").map_err(unloadable)?,
            }
        };
        std::mem::forget(library);
        Ok(functions)
    }

    /// Opens the trunk of a weights file, or returns the library's error.
    pub(super) fn open(self, weights: &[u8]) -> Result<GpuTrunk, String> {
        let mut why = [0; N_WORDS];
        // SAFETY: both buffers have the lengths given, and outlive the call.
        let handle = unsafe { (self.open)(weights.as_ptr(), weights.len(), words(&mut why)) };
        let Some(handle) = NonNull::new(handle) else {
            return Err(text(&why));
        };
        let mut trunk = GpuTrunk {
            functions: self,
            handle,
            name: String::new(),
        };
        // SAFETY: the handle is open, and only this thread has it.
        unsafe { (self.name)(handle.as_ptr(), words(&mut why)) };
        trunk.name = text(&why);
        Ok(trunk)
    }
}

/// A network's trunk behind the library.
#[derive(Debug)]
pub(super) struct GpuTrunk {
    functions: GpuLibrary,
    /// Open until this is dropped.
    handle: NonNull<c_void>,
    name: String,
}

// SAFETY: the boundary allows calls from any thread, and `&mut self` allows one call at a time.
unsafe impl Send for GpuTrunk {}

impl Trunk for GpuTrunk {
    fn device(&self) -> &str {
        &self.name
    }

    fn features(&mut self, inputs: &TrunkInputs) -> Result<Vec<f32>, TrunkError> {
        let heard = RawInputs {
            bass: FloatSlice::from(&inputs.bass[..]),
            own: FloatSlice::from(&inputs.own[..]),
            accents: FloatSlice::from(&inputs.accents[..]),
            given: FloatSlice::from(&inputs.given[..]),
        };
        // NaN marks what the library leaves unwritten.
        let mut features = vec![f32::NAN; inputs.n_features()];
        let room = FeatureBuffer {
            first: features.as_mut_ptr(),
            n: features.len(),
        };
        let mut why = [0; N_WORDS];
        // SAFETY: the handle is open and `&mut self` is its only user; all buffers have the lengths given and outlive the
        // call.
        let n = unsafe {
            (self.functions.features)(
                self.handle.as_ptr(),
                &raw const heard,
                room,
                words(&mut why),
            )
        };
        match usize::try_from(n) {
            Ok(got) if got == features.len() => Ok(features),
            Ok(got) => Err(TrunkError::Size {
                expected: features.len(),
                got,
            }),
            Err(_) => Err(TrunkError::Library(text(&why))),
        }
    }
}

impl Drop for GpuTrunk {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and is not used after this.
        unsafe { (self.functions.close)(self.handle.as_ptr()) };
    }
}

fn words(room: &mut [u8]) -> TextBuffer {
    TextBuffer {
        first: room.as_mut_ptr(),
        n: room.len(),
    }
}

/// The text that the library wrote, up to its first zero byte.
fn text(room: &[u8]) -> String {
    let n = room
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(room.len());
    if n == 0 {
        return "it failed without an error message".to_owned();
    }
    String::from_utf8_lossy(&room[..n]).into_owned()
}

/// Keeps this code in memory until the process exits. Call it before starting a thread that may outlive the last instance.
///
/// On Linux the plugin is linked so that it stays (`plugin/build.rs`). Elsewhere it loads itself once more and never unloads.
pub(crate) fn stay_loaded() {
    static HELD: Once = Once::new();
    if cfg!(target_os = "linux") {
        return;
    }
    HELD.call_once(|| {
        // SAFETY: it is loaded already, so loading it again runs no new code.
        let own = own_file().and_then(|file| unsafe { Library::new(file) }.ok());
        // A program cannot be loaded this way, and stays in memory anyway.
        std::mem::forget(own);
    });
}

/// The file that this code was loaded from: the plugin in a host, else the program.
#[cfg(unix)]
pub(super) fn own_file() -> Option<PathBuf> {
    use std::ffi::CStr;
    use std::os::unix::ffi::OsStrExt as _;

    let address: fn() -> Option<PathBuf> = own_file;
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: any address is allowed, and there is room for the answer.
    let is_known = unsafe { libc::dladdr(address as *const c_void, info.as_mut_ptr()) } != 0;
    if !is_known {
        return std::env::current_exe().ok();
    }
    // SAFETY: the answer was written, and the loader keeps the name for as long as this code is loaded.
    let name = unsafe { CStr::from_ptr(info.assume_init().dli_fname) };
    let file = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
    // For a program this is the name it was started by, which may be relative.
    if file.is_absolute() {
        Some(file)
    } else {
        std::env::current_exe().ok()
    }
}

/// The file that this code was loaded from: the plugin in a host, else the program.
#[cfg(windows)]
pub(super) fn own_file() -> Option<PathBuf> {
    use std::ffi::OsString;
    use std::os::windows::ffi::OsStringExt as _;

    /// `GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS` and `…_UNCHANGED_REFCOUNT`: find the module by address, without keeping it.
    const BY_ADDRESS: u32 = 0x4 | 0x2;
    /// Longest path of Windows, in UTF-16.
    const MAX_PATH: u32 = 32_767;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
        fn GetModuleFileNameW(module: *mut c_void, name: *mut u16, n: u32) -> u32;
    }

    let address: fn() -> Option<PathBuf> = own_file;
    let mut module = std::ptr::null_mut();
    // SAFETY: any address is allowed, and there is room for the answer.
    if unsafe { GetModuleHandleExW(BY_ADDRESS, address as *const c_void, &raw mut module) } == 0 {
        return std::env::current_exe().ok();
    }
    let mut name = vec![0_u16; MAX_PATH as usize];
    // SAFETY: the module contains this code, and the buffer has the length given.
    let n = unsafe { GetModuleFileNameW(module, name.as_mut_ptr(), MAX_PATH) };
    name.truncate(n as usize);
    Some(PathBuf::from(OsString::from_wide(&name)))
}
