//! The GPU library as a Rust object: the only place of the plugin where its functions are called.

#![expect(unsafe_code, reason = "loading a library and calling C")]

use std::ffi::{OsStr, c_void};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Once;

use libloading::Library;
use lockstep_models::boundary::{self, ABI, Features, Floats, Heard, Words};
use lockstep_models::predict::{Minds, Trunk, TrunkError};

use super::DeviceError;

/// Room for a name or a reason; CUDA's errors are a line or two.
const N_WORDS: usize = 1024;

/// Whether the system has a driver of this name.
///
/// # Errors
/// The system's, if it has not.
pub(super) fn find_driver(name: &OsStr) -> Result<(), libloading::Error> {
    // SAFETY: what the system's driver runs when it is loaded is the system's affair, as for any program that uses it.
    let driver = unsafe { Library::new(name) }?;
    // It is about to be used, and drivers do not like to be unloaded.
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
    /// Loads a library that stays in memory from then on: threads of its own may run in it for as long as the process does.
    pub(super) fn load(path: &Path) -> Result<Self, DeviceError> {
        let unloadable = |source| DeviceError::Unloadable {
            path: path.to_owned(),
            source,
        };
        // SAFETY: the player put this file beside the plugin or named it; it runs no other code than the plugin itself may.
        let library = unsafe { Library::new(path) }.map_err(unloadable)?;
        // SAFETY: every version of the library has this function with this type; the boundary promises it.
        let abi =
            unsafe { library.get::<boundary::Abi>(b"lockstep_gpu_abi") }.map_err(unloadable)?;
        // SAFETY: it takes nothing and may always be called.
        let got = unsafe { abi() };
        if got != ABI {
            return Err(DeviceError::Version {
                path: path.to_owned(),
                got,
            });
        }
        // SAFETY: a library of this version has these functions with these types.
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

    /// The trunk of a weights file, or the library's reason why not.
    pub(super) fn open(self, weights: &[u8]) -> Result<GpuTrunk, String> {
        let mut why = [0; N_WORDS];
        // SAFETY: the bytes and the room are what their lengths say, and outlive the call.
        let handle = unsafe { (self.open)(weights.as_ptr(), weights.len(), words(&mut why)) };
        let Some(handle) = NonNull::new(handle) else {
            return Err(text(&why));
        };
        let mut trunk = GpuTrunk {
            functions: self,
            handle,
            name: String::new(),
        };
        // SAFETY: the handle is open, and only this thread knows it.
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

// SAFETY: the boundary leaves free which thread calls, and `&mut self` lets one call at a time.
unsafe impl Send for GpuTrunk {}

impl Trunk for GpuTrunk {
    fn device(&self) -> &str {
        &self.name
    }

    fn features(&mut self, minds: &Minds) -> Result<Vec<f32>, TrunkError> {
        let heard = Heard {
            bass: Floats::from(&minds.bass[..]),
            own: Floats::from(&minds.own[..]),
            accents: Floats::from(&minds.accents[..]),
            given: Floats::from(&minds.given[..]),
        };
        // What a library leaves unwritten is then no finite number.
        let mut features = vec![f32::NAN; minds.n_features()];
        let room = Features {
            first: features.as_mut_ptr(),
            n: features.len(),
        };
        let mut why = [0; N_WORDS];
        // SAFETY: the handle is open and `&mut self` is its only user; the numbers and the rooms are what their lengths say,
        // and outlive the call.
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
        // SAFETY: the handle is open, and nobody uses it after this.
        unsafe { (self.functions.close)(self.handle.as_ptr()) };
    }
}

fn words(room: &mut [u8]) -> Words {
    Words {
        first: room.as_mut_ptr(),
        n: room.len(),
    }
}

/// What the library wrote.
fn text(room: &[u8]) -> String {
    let n = room
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(room.len());
    if n == 0 {
        return "it failed without a word".to_owned();
    }
    String::from_utf8_lossy(&room[..n]).into_owned()
}

/// Keeps this code in memory until the process ends, for a thread that outlives the last instance. Call it before one starts.
///
/// On Linux the plugin is linked so that it stays (`plugin/build.rs`). Elsewhere it holds on to itself, as another user of it
/// would.
pub(crate) fn stay_loaded() {
    static HELD: Once = Once::new();
    if cfg!(target_os = "linux") {
        return;
    }
    HELD.call_once(|| {
        // SAFETY: it is loaded, so nothing of it runs that has not run.
        let own = own_file().and_then(|file| unsafe { Library::new(file) }.ok());
        // Of a program there is nothing to hold on to: it stays by itself.
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
    // SAFETY: any address may be asked for, and there is room for the answer.
    let is_known = unsafe { libc::dladdr(address as *const c_void, info.as_mut_ptr()) } != 0;
    if !is_known {
        return std::env::current_exe().ok();
    }
    // SAFETY: the answer was written, and its name is a string of the loader's that lives as long as this code is loaded.
    let name = unsafe { CStr::from_ptr(info.assume_init().dli_fname) };
    let file = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
    // A program is known by the name it was started with, which may be one for the shell.
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

    /// `GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS` and `…_UNCHANGED_REFCOUNT`: whose code is this, without holding on to it.
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
    // SAFETY: any address may be asked for, and there is room for the answer.
    if unsafe { GetModuleHandleExW(BY_ADDRESS, address as *const c_void, &raw mut module) } == 0 {
        return std::env::current_exe().ok();
    }
    let mut name = vec![0_u16; MAX_PATH as usize];
    // SAFETY: the module is the one this code is in, and there is as much room as is said.
    let n = unsafe { GetModuleFileNameW(module, name.as_mut_ptr(), MAX_PATH) };
    name.truncate(n as usize);
    Some(PathBuf::from(OsString::from_wide(&name)))
}
