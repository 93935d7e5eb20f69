//! Two functions of the C library under the plugin's own roof, so that it needs no newer one for their sake.
//!
//! glibc 2.35 has a new version of `hypot` and `hypotf`, and a library that is linked on such a system is bound to it and does
//! not load on an older one. Only the window's drawing asks for them, through dependencies. `plugin/build.rs` has the linker
//! put these in their place. No state; any thread.

#![expect(unsafe_code, reason = "symbols for the linker")]

/// What the linker puts in the place of C's `hypot`: the length of a vector, right to the last place but one or two.
#[unsafe(no_mangle)]
extern "C" fn __wrap_hypot(x: f64, y: f64) -> f64 {
    let (x, y) = (x.abs(), y.abs());
    if x.is_infinite() || y.is_infinite() {
        return f64::INFINITY;
    }
    let (long, short) = if x < y { (y, x) } else { (x, y) };
    if short == 0.0 {
        return long;
    }
    // Neither overflows nor vanishes where the result does not.
    let ratio = short / long;
    long * (1.0 + ratio * ratio).sqrt()
}

/// The same for C's `hypotf`.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn __wrap_hypotf(x: f32, y: f32) -> f32 {
    if x.is_infinite() || y.is_infinite() {
        return f32::INFINITY;
    }
    let (x, y) = (f64::from(x), f64::from(y));
    #[expect(clippy::cast_possible_truncation, reason = "rounded to a float")]
    let length = (x * x + y * y).sqrt() as f32;
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_c_library() {
        let values = [
            0.0, 1e-310, 1e-200, 1e-20, 0.3, 1.0, 3.0, 4.0, 1e10, 1e200, 1e308,
        ];
        for x in values {
            for y in values {
                for (x, y) in [(x, y), (-x, y), (x, -y)] {
                    let (got, want) = (__wrap_hypot(x, y), x.hypot(y));
                    let near = got.to_bits() == want.to_bits() || (got / want - 1.0).abs() < 1e-15;
                    assert!(near || want < 1e-300, "{x}, {y}: {got}, not {want}");
                    #[expect(clippy::cast_possible_truncation, reason = "rounded to a float")]
                    let (x, y) = (x as f32, y as f32);
                    let (got, want) = (__wrap_hypotf(x, y), x.hypot(y));
                    assert_eq!(got.to_bits(), want.to_bits(), "{x}, {y}");
                }
            }
        }
    }

    #[test]
    fn infinity_counts_more_than_what_is_no_number() {
        for (x, y) in [
            (f64::INFINITY, f64::NAN),
            (f64::NAN, f64::NEG_INFINITY),
            (1.0, f64::INFINITY),
        ] {
            assert!(__wrap_hypot(x, y).is_infinite());
        }
        assert!(__wrap_hypot(f64::NAN, 1.0).is_nan() && __wrap_hypot(0.0, f64::NAN).is_nan());
        assert!(__wrap_hypotf(f32::NAN, 1.0).is_nan());
        assert!(__wrap_hypotf(f32::NAN, f32::NEG_INFINITY).is_infinite());
    }
}
