//! The library's C functions. Pointers become slices here and nowhere else.

#![expect(unsafe_code, reason = "C functions take pointers")]

use std::ffi::c_void;

use lockstep_models::boundary::{ABI, FeatureBuffer, FloatSlice, RawInputs, TextBuffer};
use lockstep_models::predict::TrunkInputs;

use crate::{Handle, features, guarded, into_address, open, write_words};

/// [`Abi`](lockstep_models::boundary::Abi).
#[unsafe(no_mangle)]
pub extern "C" fn lockstep_gpu_abi() -> u32 {
    ABI
}

/// [`Open`](lockstep_models::boundary::Open).
///
/// # Safety
/// `weights` points at `n` readable bytes, and `why` at as many writable bytes as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lockstep_gpu_open(
    weights: *const u8,
    n: usize,
    why: TextBuffer,
) -> *mut c_void {
    // SAFETY: the caller's promise.
    let (weights, why) = unsafe { (std::slice::from_raw_parts(weights, n), words(why)) };
    match open(weights) {
        Ok(handle) => into_address(handle),
        Err(reason) => {
            write_words(&reason, why);
            std::ptr::null_mut()
        }
    }
}

/// [`Name`](lockstep_models::boundary::Name).
///
/// # Safety
/// `handle` is open and nobody else uses it, and `name` points at as many writable bytes as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lockstep_gpu_name(handle: *mut c_void, name: TextBuffer) {
    // SAFETY: the caller's promise.
    let (handle, name) = unsafe { (&*handle.cast::<Handle>(), words(name)) };
    write_words(handle.device(), name);
}

/// [`Evaluate`](lockstep_models::boundary::Evaluate).
///
/// # Safety
/// `handle` is open and nobody else uses it, `heard` and its arrays are readable, and `room` and `why` point at as much
/// writable memory as they say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lockstep_gpu_features(
    handle: *mut c_void,
    heard: *const RawInputs,
    room: FeatureBuffer,
    why: TextBuffer,
) -> i64 {
    // SAFETY: the caller's promise; the slices are the caller's own memory and do not overlap.
    let (handle, inputs, room, why) = unsafe {
        (
            &mut *handle.cast::<Handle>(),
            inputs(&*heard),
            std::slice::from_raw_parts_mut(room.first, room.n),
            words(why),
        )
    };
    match features(handle.as_mut(), &inputs, room) {
        Ok(n) => i64::try_from(n).unwrap_or(i64::MAX),
        Err(reason) => {
            write_words(&reason, why);
            -1
        }
    }
}

/// [`Close`](lockstep_models::boundary::Close).
///
/// # Safety
/// `handle` is open and nobody uses it, now or later.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lockstep_gpu_close(handle: *mut c_void) {
    // SAFETY: the caller's promise; it came from `into_address`.
    let handle = unsafe { Box::from_raw(handle.cast::<Handle>()) };
    // Freeing the memory of a lost device may panic, and nobody is left to report it to.
    let _ = guarded(|| {
        drop(handle);
        Ok(())
    });
}

/// Copies what crossed the boundary.
///
/// # Safety
/// The arrays of `heard` are readable.
unsafe fn inputs(heard: &RawInputs) -> TrunkInputs {
    let numbers = |floats: FloatSlice| {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(floats.first, floats.n) }.to_vec()
    };
    TrunkInputs {
        bass: numbers(heard.bass),
        own: numbers(heard.own),
        accents: numbers(heard.accents),
        given: numbers(heard.given),
    }
}

/// # Safety
/// There is as much room as `words` says, and nobody else uses it while the slice lives.
unsafe fn words<'a>(words: TextBuffer) -> &'a mut [u8] {
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts_mut(words.first, words.n) }
}
