//! A GPU library that fails in the way and at the call a test chooses; until then it works as `lockstep-gpu` does.
//!
//! It covers every failure that can cross the boundary without ending the process. Each test loads its own copy and calls
//! [`lockstep_stand_in_fail`] first; everyone who loads that file shares the copy's memory.

#![expect(unsafe_code, reason = "C functions take pointers")]

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};

use lockstep_models::boundary::{ABI, FeatureBuffer, FloatSlice, RawInputs, TextBuffer};
use lockstep_models::predict::{NetworkTrunk, Trunk, TrunkInputs};

/// [`lockstep_gpu_abi`] returns another version.
pub const ABI_DIFFERS: u32 = 1;
/// Opening fails.
pub const OPEN_FAILS: u32 = 2;
/// A prediction fails, with a reason.
pub const PREDICTION_FAILS: u32 = 3;
/// A prediction fails without a reason.
pub const FAILS_WITHOUT_A_WORD: u32 = 4;
/// A feature is infinite.
pub const NOT_FINITE: u32 = 5;
/// A prediction reports success but writes only half of the features.
pub const WRITES_HALF: u32 = 6;
/// A prediction reports one feature fewer than it wrote.
pub const SAYS_FEWER: u32 = 7;
/// A prediction reports one feature more than it wrote.
pub const SAYS_MORE: u32 = 8;
/// A prediction returns a wrong feature, as if it computed another network.
pub const DEVIATES: u32 = 9;

/// How it fails; 0 means not at all.
static MODE: AtomicU32 = AtomicU32::new(0);
/// Predictions left that succeed.
static N_GOOD_CALLS: AtomicU32 = AtomicU32::new(0);

/// Makes it fail in the given way after `n_good_calls` good predictions.
#[unsafe(no_mangle)]
pub extern "C" fn lockstep_stand_in_fail(mode: u32, n_good_calls: u32) {
    N_GOOD_CALLS.store(n_good_calls, Ordering::SeqCst);
    MODE.store(mode, Ordering::SeqCst);
}

fn mode() -> u32 {
    MODE.load(Ordering::SeqCst)
}

/// [`Abi`](lockstep_models::boundary::Abi).
#[unsafe(no_mangle)]
pub extern "C" fn lockstep_gpu_abi() -> u32 {
    if mode() == ABI_DIFFERS { ABI + 1 } else { ABI }
}

/// [`Open`](lockstep_models::boundary::Open).
///
/// # Safety
/// As the boundary requires.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lockstep_gpu_open(
    weights: *const u8,
    n: usize,
    why: TextBuffer,
) -> *mut c_void {
    if mode() == OPEN_FAILS {
        // SAFETY: the caller's promise.
        unsafe { say("no device is free", why) };
        return std::ptr::null_mut();
    }
    // SAFETY: the caller's promise.
    match NetworkTrunk::new(unsafe { std::slice::from_raw_parts(weights, n) }) {
        Ok(trunk) => Box::into_raw(Box::new(trunk)).cast(),
        Err(_) => std::ptr::null_mut(),
    }
}

/// [`Name`](lockstep_models::boundary::Name).
///
/// # Safety
/// As the boundary requires.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lockstep_gpu_name(_handle: *mut c_void, name: TextBuffer) {
    // SAFETY: the caller's promise.
    unsafe { say("stand-in", name) };
}

/// [`Evaluate`](lockstep_models::boundary::Evaluate).
///
/// # Safety
/// As the boundary requires.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lockstep_gpu_features(
    handle: *mut c_void,
    heard: *const RawInputs,
    room: FeatureBuffer,
    why: TextBuffer,
) -> i64 {
    // SAFETY: the caller's promise.
    let (trunk, inputs, room) = unsafe {
        (
            &mut *handle.cast::<NetworkTrunk>(),
            inputs(&*heard),
            std::slice::from_raw_parts_mut(room.first, room.n),
        )
    };
    let Ok(features) = trunk.features(&inputs) else {
        return -1;
    };
    let count_down = |n: u32| n.checked_sub(1);
    let is_good = N_GOOD_CALLS
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, count_down)
        .is_ok();
    let mode = if is_good { 0 } else { mode() };
    let n = i64::try_from(features.len()).unwrap_or(i64::MAX);
    let n_written = if mode == WRITES_HALF {
        room.len() / 2
    } else {
        room.len()
    };
    room[..n_written].copy_from_slice(&features[..n_written]);
    match mode {
        PREDICTION_FAILS => {
            // SAFETY: the caller's promise.
            unsafe { say("the device is lost", why) };
            -1
        }
        FAILS_WITHOUT_A_WORD => -1,
        SAYS_FEWER => n - 1,
        SAYS_MORE => n + 1,
        NOT_FINITE => {
            room[7] = f32::INFINITY;
            n
        }
        DEVIATES => {
            room[7] += 0.5;
            n
        }
        _ => n,
    }
}

/// [`Close`](lockstep_models::boundary::Close).
///
/// # Safety
/// As the boundary requires.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lockstep_gpu_close(handle: *mut c_void) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(handle.cast::<NetworkTrunk>()) });
}

/// # Safety
/// The arrays of `heard` are readable.
unsafe fn inputs(heard: &RawInputs) -> TrunkInputs {
    // SAFETY: the caller's promise.
    let numbers =
        |floats: FloatSlice| unsafe { std::slice::from_raw_parts(floats.first, floats.n) };
    TrunkInputs {
        bass: numbers(heard.bass).to_vec(),
        own: numbers(heard.own).to_vec(),
        accents: numbers(heard.accents).to_vec(),
        given: numbers(heard.given).to_vec(),
    }
}

/// # Safety
/// There is as much room as `room` says, and more than the text needs.
unsafe fn say(text: &str, room: TextBuffer) {
    // SAFETY: the caller's promise.
    let room = unsafe { std::slice::from_raw_parts_mut(room.first, room.n) };
    room[..text.len()].copy_from_slice(text.as_bytes());
    room[text.len()] = 0;
}
