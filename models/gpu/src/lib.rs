//! The library that lets Lockstep predict on a GPU; it exports the functions of [`lockstep_models::boundary`].
//!
//! The plugin opens it at run time, once it has found a driver, so the plugin itself starts on any machine. With the feature
//! `cuda` or `metal` it computes on that device, otherwise on the CPU, which only the tests need. It computes features and
//! nothing else; the plugin decides what they mean. Starts no thread; no panic leaves it.

mod exports;

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lockstep_models::predict::{NetworkTrunk, Trunk, TrunkInputs, in_one_line};

pub use exports::{
    lockstep_gpu_abi, lockstep_gpu_close, lockstep_gpu_features, lockstep_gpu_name,
    lockstep_gpu_open,
};

/// The type that a handle points at.
type Handle = Box<dyn Trunk>;

/// The trunk of a weights file, or why there is none.
fn open(weights: &[u8]) -> Result<Handle, String> {
    guarded(|| match NetworkTrunk::new(weights) {
        Ok(trunk) => Ok(Box::new(trunk) as Handle),
        Err(error) => Err(in_one_line(&error)),
    })
}

/// Writes the views' features and returns how many; `room` must be exactly that long.
fn features(
    trunk: &mut dyn Trunk,
    inputs: &TrunkInputs,
    room: &mut [f32],
) -> Result<usize, String> {
    guarded(|| {
        let features = trunk
            .features(inputs)
            .map_err(|error| in_one_line(&error))?;
        let (n, n_room) = (features.len(), room.len());
        if n != n_room {
            return Err(format!("there are {n} features and room for {n_room}"));
        }
        room.copy_from_slice(&features);
        Ok(n)
    })
}

/// Runs `work` and turns a panic into an error: tensor libraries and drivers panic, and a panic must not cross the boundary.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("it panicked: {}", words.unwrap_or("no message")))
    })
}

/// Writes as much of `text` as fits into `room`, followed by a zero.
fn write_words(text: &str, room: &mut [u8]) {
    let Some(n_most) = room.len().checked_sub(1) else {
        return;
    };
    let n = text.floor_char_boundary(n_most);
    room[..n].copy_from_slice(&text.as_bytes()[..n]);
    room[n] = 0;
}

/// The address of the handle; whoever holds it owns the handle.
fn into_address(handle: Handle) -> *mut c_void {
    Box::into_raw(Box::new(handle)).cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let outcome = guarded(|| -> Result<(), String> { std::panic::panic_any("lost") });
        assert_eq!(outcome, Err("it panicked: lost".to_owned()));
    }

    #[test]
    fn words_are_cut_between_characters_and_end_with_a_zero() {
        let mut room = [b'?'; 4];
        write_words("aäö", &mut room);
        assert_eq!(&room, "aä\0".as_bytes());
        write_words("a", &mut room[..2]);
        assert_eq!(&room[..2], b"a\0");
        write_words("a", &mut []);
    }

    #[test]
    fn damaged_weights_are_refused_with_a_reason() {
        let refused = open(b"no weights").err();
        assert!(refused.is_some_and(|why| why.contains("damaged")));
    }
}
