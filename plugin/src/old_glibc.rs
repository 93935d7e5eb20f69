//! Own versions of two C library functions, so that the plugin also loads on older systems.
//!
//! glibc 2.35 has a new version of `hypot` and `hypotf`. A library linked there requires it and does not load with an older
//! glibc. Only drawing the editor window calls them, through dependencies. `plugin/build.rs` makes the linker use these
//! instead. No state; any thread.

#![expect(unsafe_code, reason = "exports symbols for the linker")]

/// Replaces C's `hypot`: the length of a vector, within a relative error of 1e-15.
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
    // Avoids overflow and underflow unless the result has it.
    let ratio = short / long;
    long * (1.0 + ratio * ratio).sqrt()
}

/// Replaces C's `hypotf`.
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
    fn infinity_wins_over_nan() {
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
