//! The boundary between the plugin and the GPU library: plain C and plain floats.
//!
//! The library is opened at run time, so that the plugin starts where there is no driver; it may be older or newer than the
//! plugin, or made by another compiler. So no Rust type crosses, only pointers with lengths. The plugin checks [`ABI`] first.
//! This module calls nothing; `gpu/` exports these functions and the plugin loads them.

use std::ffi::c_void;

/// Version of these functions and of what they compute. Raise it with any change to them or to a network's trunk.
pub const ABI: u32 = 2;

/// Numbers that the callee only reads, and only during the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FloatSlice {
    /// The first of them; not null, even if `n` is 0.
    pub first: *const f32,
    /// How many.
    pub n: usize,
}

impl From<&[f32]> for FloatSlice {
    fn from(numbers: &[f32]) -> Self {
        Self {
            first: numbers.as_ptr(),
            n: numbers.len(),
        }
    }
}

/// [`TrunkInputs`](crate::predict::TrunkInputs) as they cross.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RawInputs {
    /// `(B, 4, 16, N_PLANES)`.
    pub bass: FloatSlice,
    /// `(B, 4, 16, 2 · V + 1)`, where V is how many voices the weights have.
    pub own: FloatSlice,
    /// `(B, 4, 16)`.
    pub accents: FloatSlice,
    /// `(B, N)`.
    pub given: FloatSlice,
}

/// Room for features, `(B, 16, N_FEATURES)`, which the callee writes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FeatureBuffer {
    /// The first of them.
    pub first: *mut f32,
    /// How many features there is room for; the callee must write exactly as many.
    pub n: usize,
}

/// Room for a message, which the callee writes in UTF-8 and ends with a zero byte; a message that is too long is cut off.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TextBuffer {
    /// The first byte.
    pub first: *mut u8,
    /// How many bytes there is room for, including the zero.
    pub n: usize,
}

/// `lockstep_gpu_abi`: returns the library's [`ABI`]. If it differs, no other function may be called.
pub type Abi = unsafe extern "C" fn() -> u32;

/// `lockstep_gpu_open`: puts the trunk of a weights file of `n` bytes on the GPU; null on failure, with the reason in `why`.
pub type Open = unsafe extern "C" fn(weights: *const u8, n: usize, why: TextBuffer) -> *mut c_void;

/// `lockstep_gpu_name`: writes the name of the handle's device.
pub type Name = unsafe extern "C" fn(handle: *mut c_void, name: TextBuffer);

/// `lockstep_gpu_features`: returns how many features it wrote, or a negative number with the reason in `why`. Any thread may
/// call it, but only one at a time.
pub type Evaluate = unsafe extern "C" fn(
    handle: *mut c_void,
    heard: *const RawInputs,
    features: FeatureBuffer,
    why: TextBuffer,
) -> i64;

/// `lockstep_gpu_close`: frees the handle, which must not be used again. The library must stay loaded: its threads may run on.
pub type Close = unsafe extern "C" fn(handle: *mut c_void);
