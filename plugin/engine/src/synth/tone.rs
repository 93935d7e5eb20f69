//! Building blocks of the synthesised voices: noise, sines, square waves and filters.
//!
//! Runs when the kit is made, never on the audio thread; in `f64`, so that long decays and low filters stay exact.

use std::f64::consts::{PI, TAU};

/// White noise in `[-1, 1)`, the same each time: Marsaglia's xorshift64 ("Xorshift RNGs", 2003, triple 13, 7, 17).
pub(super) struct WhiteNoise {
    state: u64,
    gain: f64,
}

impl WhiteNoise {
    /// Noise with the same level per hertz at every sample rate.
    pub(super) fn new(seed: u64, rate_hz: f64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            gain: (rate_hz / 48_000.0).sqrt(),
        }
    }

    pub(super) fn next(&mut self) -> f64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        // The upper 53 bits, as many as the mantissa has.
        let unit = (self.state >> 11) as f64 / (1_u64 << 53) as f64;
        self.gain * (2.0 * unit - 1.0)
    }
}

/// An oscillator whose frequency may change from frame to frame.
#[derive(Default)]
pub(super) struct Oscillator(f64);

impl Oscillator {
    /// Advances one frame; a sine.
    pub(super) fn sine(&mut self, freq_hz: f64, rate_hz: f64) -> f64 {
        self.0 = (self.0 + freq_hz / rate_hz).fract();
        (TAU * self.0).sin()
    }

    /// Advances one frame; a square wave, its edges rounded against aliasing (polyBLEP, Välimäki and Huovilainen, 2007).
    pub(super) fn square(&mut self, freq_hz: f64, rate_hz: f64) -> f64 {
        let advance = freq_hz / rate_hz;
        self.0 = (self.0 + advance).fract();
        let edge = |phase: f64| {
            if phase < advance {
                let x = phase / advance;
                2.0 * x - x * x - 1.0
            } else if phase > 1.0 - advance {
                let x = (phase - 1.0) / advance;
                x * x + 2.0 * x + 1.0
            } else {
                0.0
            }
        };
        let naive = if self.0 < 0.5 { 1.0 } else { -1.0 };
        naive + edge(self.0) - edge((self.0 + 0.5).fract())
    }
}

/// Several square waves that share no harmonics, which sound like metal.
pub(super) struct MetalTone {
    squares: Vec<(Oscillator, f64)>,
    rate_hz: f64,
}

impl MetalTone {
    /// The six oscillators of the TR-808's cymbal circuit, as measured by Werner, Abel and Smith ("More cowbell", 2014),
    /// with all frequencies multiplied by `ratio`.
    pub(super) fn new(ratio: f64, rate_hz: f64) -> Self {
        let freqs_hz = [205.3, 304.4, 369.6, 522.7, 540.0, 800.0];
        let square = |(index, freq_hz): (usize, f64)| {
            // Different phases, so that they do not all jump at the first frame.
            (Oscillator(0.137 * index as f64), freq_hz * ratio)
        };
        Self {
            squares: freqs_hz.into_iter().enumerate().map(square).collect(),
            rate_hz,
        }
    }

    pub(super) fn next(&mut self) -> f64 {
        let rate_hz = self.rate_hz;
        let squares = self.squares.iter_mut();
        squares
            .map(|(phase, freq_hz)| phase.square(*freq_hz, rate_hz))
            .sum::<f64>()
            / 6.0
    }
}

/// A second-order filter from Bristow-Johnson's "Audio EQ Cookbook".
pub(super) struct Biquad {
    /// b0, b1, b2, a1, a2, with a0 = 1.
    coefficients: [f64; 5],
    state: [f64; 2],
}

impl Biquad {
    pub(super) fn low_pass(freq_hz: f64, q: f64, rate_hz: f64) -> Self {
        Self::new(freq_hz, q, rate_hz, |cos, _| {
            [0.5 - 0.5 * cos, 1.0 - cos, 0.5 - 0.5 * cos]
        })
    }

    pub(super) fn high_pass(freq_hz: f64, q: f64, rate_hz: f64) -> Self {
        Self::new(freq_hz, q, rate_hz, |cos, _| {
            [0.5 + 0.5 * cos, -1.0 - cos, 0.5 + 0.5 * cos]
        })
    }

    /// Peak of 0 dB.
    pub(super) fn band_pass(freq_hz: f64, q: f64, rate_hz: f64) -> Self {
        Self::new(freq_hz, q, rate_hz, |_, alpha| [alpha, 0.0, -alpha])
    }

    fn new(freq_hz: f64, q: f64, rate_hz: f64, numerator: impl Fn(f64, f64) -> [f64; 3]) -> Self {
        let omega = TAU * (freq_hz / rate_hz).min(0.45);
        let alpha = omega.sin() / (2.0 * q);
        let [b0, b1, b2] = numerator(omega.cos(), alpha).map(|b| b / (1.0 + alpha));
        let a1 = -2.0 * omega.cos() / (1.0 + alpha);
        Self {
            coefficients: [b0, b1, b2, a1, (1.0 - alpha) / (1.0 + alpha)],
            state: [0.0; 2],
        }
    }

    pub(super) fn next(&mut self, input: f64) -> f64 {
        let [b0, b1, b2, a1, a2] = self.coefficients;
        let output = b0 * input + self.state[0];
        self.state = [
            b1 * input - a1 * output + self.state[1],
            b2 * input - a2 * output,
        ];
        output
    }
}

/// A level that falls to 1/e in `tau_s`, after a short linear attack that prevents a click.
pub(super) fn decay(time_s: f64, tau_s: f64) -> f64 {
    const ATTACK_S: f64 = 0.000_3;
    (time_s / ATTACK_S).min(1.0) * (-time_s / tau_s).exp()
}

/// Half a cosine from 1 at 0 to 0 at 1.
pub(super) fn fade_out(x: f64) -> f64 {
    0.5 + 0.5 * (PI * x.clamp(0.0, 1.0)).cos()
}
