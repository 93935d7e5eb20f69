//! The short sounds of the electronic kit: side stick, clap, pedal hat, tambourine and shaker.
//!
//! Each returns the body and the brightness of its voice, frame by frame, as [`super::voices`] renders them; never on the audio
//! thread.
#![allow(
    clippy::disallowed_methods,
    reason = "makes the sounds once, off the audio thread"
)]

use super::tone::{Biquad, MetalTone, Oscillator, WhiteNoise, decay};
use super::voices::LayerFn;

/// The level at a time in seconds of a sound that swells for `rise_s` and then falls to 1/e in `tau_s`; 0 before it begins.
fn swell(time_s: f64, rise_s: f64, tau_s: f64) -> f64 {
    if time_s <= 0.0 {
        0.0
    } else if time_s < rise_s {
        time_s / rise_s
    } else {
        ((rise_s - time_s) / tau_s).exp()
    }
}

/// Two short resonances, as of the rim shot in the service notes of the TR-808 (455 and 1,667 Hz), driven, and a click.
pub(super) fn side_stick(rate_hz: f64) -> LayerFn {
    let (mut low, mut high) = (Oscillator::default(), Oscillator::default());
    let mut noise = WhiteNoise::new(7, rate_hz);
    let mut low_cut = Biquad::high_pass(300.0, 0.7, rate_hz);
    let mut click = Biquad::band_pass(4_200.0, 0.8, rate_hz);
    Box::new(move |time_s| {
        let wood = 0.7 * decay(time_s, 0.016) * low.sine(455.0, rate_hz)
            + decay(time_s, 0.011) * high.sine(1_667.0, rate_hz);
        [
            low_cut.next((1.8 * wood).tanh()),
            1.1 * decay(time_s, 0.004) * click.next(noise.next()),
        ]
    })
}

/// Three short claps and a longer one, in a room.
pub(super) fn clap(rate_hz: f64) -> LayerFn {
    /// Between two claps, in seconds.
    const APART_S: f64 = 0.009;
    let mut noise = WhiteNoise::new(8, rate_hz);
    let mut palms = Biquad::band_pass(1_150.0, 1.1, rate_hz);
    let mut room = Biquad::band_pass(1_500.0, 0.6, rate_hz);
    let mut air = Biquad::high_pass(3_500.0, 0.7, rate_hz);
    Box::new(move |time_s| {
        let short: f64 = [0.0, 1.0, 2.0]
            .map(|n| swell(time_s - n * APART_S, 0.000_3, 0.003))
            .iter()
            .sum();
        let hands = short + swell(time_s - 3.0 * APART_S, 0.000_3, 0.018);
        let tail = swell(time_s - 3.0 * APART_S, 0.002, 0.075);
        let white = noise.next();
        [
            2.0 * hands * palms.next(white) + 0.45 * tail * room.next(white),
            0.35 * (hands + 0.2 * tail) * air.next(white),
        ]
    })
}

/// The hats' metal, lower and without a stick: the two cymbals meet, and stay together.
pub(super) fn pedal_hat(rate_hz: f64) -> LayerFn {
    let mut metal = MetalTone::new(1.0, rate_hz);
    let mut noise = WhiteNoise::new(9, rate_hz);
    let mut low_cut = [
        Biquad::high_pass(4_800.0, 0.8, rate_hz),
        Biquad::high_pass(4_800.0, 0.6, rate_hz),
    ];
    let mut air = Biquad::high_pass(8_500.0, 0.8, rate_hz);
    Box::new(move |time_s| {
        let white = noise.next();
        let tone = 1.6 * metal.next() + 0.35 * white;
        let tone = low_cut
            .iter_mut()
            .fold(tone, |sample, filter| filter.next(sample));
        let level = swell(time_s, 0.004, 0.022);
        [
            level * tone,
            0.14 * swell(time_s, 0.003, 0.012) * air.next(white),
        ]
    })
}

/// Jingles that are struck together and fall back on each other.
pub(super) fn tambourine(rate_hz: f64) -> LayerFn {
    /// When the jingles fall back, in seconds.
    const BACK_S: f64 = 0.026;
    let mut metal = MetalTone::new(4.3, rate_hz);
    let mut noise = WhiteNoise::new(10, rate_hz);
    let mut low_cut = [
        Biquad::high_pass(5_500.0, 0.7, rate_hz),
        Biquad::high_pass(5_500.0, 0.7, rate_hz),
    ];
    // Where the jingles ring; invented, not modelled on a particular tambourine.
    let mut rings =
        [5_900.0, 8_700.0, 11_600.0].map(|freq_hz| Biquad::band_pass(freq_hz, 9.0, rate_hz));
    let mut spray = Biquad::high_pass(9_000.0, 0.7, rate_hz);
    Box::new(move |time_s| {
        let white = noise.next();
        let clatter = low_cut
            .iter_mut()
            .fold(metal.next() + 0.3 * white, |sample, filter| {
                filter.next(sample)
            });
        let ring: f64 = rings.iter_mut().map(|ring| ring.next(white)).sum();
        let struck = decay(time_s, 0.014) + 0.35 * decay(time_s, 0.085);
        let back = 0.45 * swell(time_s - BACK_S, 0.003, 0.04);
        [
            (struck + back) * (clatter + 1.1 * ring),
            0.5 * (decay(time_s, 0.01) + 0.5 * back) * spray.next(white),
        ]
    })
}

/// Beads that swell and stop: noise around 7 kHz.
pub(super) fn shaker(rate_hz: f64) -> LayerFn {
    let mut noise = WhiteNoise::new(11, rate_hz);
    let mut beads = [
        Biquad::high_pass(4_500.0, 0.7, rate_hz),
        Biquad::band_pass(7_000.0, 0.7, rate_hz),
    ];
    let mut air = Biquad::high_pass(9_500.0, 0.7, rate_hz);
    Box::new(move |time_s| {
        let white = noise.next();
        let body = beads
            .iter_mut()
            .fold(white, |sample, filter| filter.next(sample));
        let level = swell(time_s, 0.014, 0.022);
        [
            level * body,
            0.6 * swell(time_s, 0.01, 0.014) * air.next(white),
        ]
    })
}
