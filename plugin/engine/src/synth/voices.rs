//! Renders each voice of the electronic kit, once per sample rate.
//!
//! Runs when the bank is filled, never on the audio thread. A voice has two layers: the body, which every hit has, and the
//! brightness that hard hits add to it.
#![allow(
    clippy::disallowed_methods,
    reason = "makes the sounds once, off the audio thread"
)]

use lockstep_core::representation::Voice;

use super::hand_voices;
use super::tone::{Biquad, MetalTone, Oscillator, WhiteNoise, decay, fade_out};

/// Length of the longest voice, the crash, in seconds.
const LONGEST_S: f64 = 2.4;

/// Frames between two checks whether the voice is still wanted; less than a millisecond of work.
const ASK_EVERY: u32 = 1_024;

/// Length, level and pan of a voice in the kit.
struct VoiceShape {
    length_s: f64,
    /// Peak of the hardest hit.
    peak: f64,
    /// From -1 (left) to 1 (right), as the drummer sees the kit.
    pan: f32,
}

fn shape(voice: Voice) -> VoiceShape {
    let (length_s, peak, pan) = match voice {
        Voice::Kick => (0.5, 0.48, 0.0),
        Voice::Snare => (0.4, 0.44, -0.08),
        Voice::SideStick => (0.14, 0.42, -0.08),
        Voice::Clap => (0.4, 0.44, 0.1),
        Voice::ClosedHat => (0.18, 0.26, -0.3),
        Voice::PedalHat => (0.16, 0.2, -0.3),
        Voice::OpenHat => (0.9, 0.24, -0.3),
        Voice::LowTom => (0.9, 0.46, 0.35),
        Voice::MidTom => (0.75, 0.45, 0.1),
        Voice::HighTom => (0.6, 0.44, -0.2),
        Voice::Crash => (LONGEST_S, 0.26, -0.45),
        Voice::Ride => (1.8, 0.24, 0.4),
        Voice::Tambourine => (0.4, 0.25, -0.35),
        Voice::Shaker => (0.14, 0.2, 0.35),
    };
    VoiceShape {
        length_s,
        peak,
        pan,
    }
}

/// A sample rate clamped to 8 to 384 kHz; 48 kHz if it is not finite.
pub(super) fn sane_rate_hz(rate_hz: f32) -> f32 {
    if rate_hz.is_finite() {
        rate_hz.clamp(8_000.0, 384_000.0)
    } else {
        48_000.0
    }
}

/// A clamped sample rate as a whole number of hertz.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within 8 and 384 kHz"
)]
pub(super) fn whole_hz(rate_hz: f32) -> u32 {
    rate_hz.round() as u32
}

/// Gains of the left and the right side for a voice's pan.
pub(super) fn gains(voice: Voice) -> [f32; 2] {
    let pan = shape(voice).pan;
    [(1.0 - pan).min(1.0), (1.0 + pan).min(1.0)]
}

/// Frames in a time in seconds, at least one.
pub(super) fn n_frames_u32(time_s: f32, rate_hz: f32) -> u32 {
    round(f64::from(time_s) * f64::from(rate_hz)).max(1)
}

/// Renders a voice: frames of body and brightness, whose sum is the hardest hit; they end in silence. `None` if it is no
/// longer wanted.
pub(super) fn render(
    voice: Voice,
    rate_hz: f32,
    is_wanted: &dyn Fn() -> bool,
) -> Option<Vec<[f32; 2]>> {
    let VoiceShape { length_s, peak, .. } = shape(voice);
    let rate_hz = f64::from(rate_hz);
    let n_frames = round(length_s * rate_hz);
    let mut layers = recipe(voice, rate_hz);
    let mut clean = [BandLimiter::new(rate_hz), BandLimiter::new(rate_hz)];
    let mut frames: Vec<[f64; 2]> = Vec::with_capacity(n_frames as usize);
    for frame in 1..=n_frames {
        if frame.is_multiple_of(ASK_EVERY) && !is_wanted() {
            return None;
        }
        let time_s = f64::from(frame) / rate_hz;
        // The last quarter fades out, so that the end is silent.
        let fade = fade_out(4.0 * time_s / length_s - 3.0);
        let [body, bright] = layers(time_s);
        frames.push([fade * clean[0].next(body), fade * clean[1].next(bright)]);
    }
    let loudest = frames
        .iter()
        .fold(1e-9, |max: f64, [a, b]| max.max((a + b).abs()));
    for sample in frames.iter_mut().flatten() {
        *sample *= peak / loudest;
    }
    Some(frames.into_iter().map(|frame| frame.map(narrow)).collect())
}

/// Removes DC and inaudible highs, so that a voice sounds the same at every sample rate.
struct BandLimiter([Biquad; 3]);

impl BandLimiter {
    fn new(rate_hz: f64) -> Self {
        // The two low-passes together are a fourth-order Butterworth.
        Self([
            Biquad::high_pass(25.0, 0.707, rate_hz),
            Biquad::low_pass(17_000.0, 0.541, rate_hz),
            Biquad::low_pass(17_000.0, 1.307, rate_hz),
        ])
    }

    fn next(&mut self, input: f64) -> f64 {
        self.0
            .iter_mut()
            .fold(input, |sample, filter| filter.next(sample))
    }
}

/// Returns body and brightness at a time in seconds; called frame by frame.
pub(super) type LayerFn = Box<dyn FnMut(f64) -> [f64; 2]>;

fn recipe(voice: Voice, rate_hz: f64) -> LayerFn {
    match voice {
        Voice::Kick => kick(rate_hz),
        Voice::Snare => snare(rate_hz),
        Voice::SideStick => hand_voices::side_stick(rate_hz),
        Voice::Clap => hand_voices::clap(rate_hz),
        Voice::ClosedHat => hat(rate_hz, 0.03),
        Voice::PedalHat => hand_voices::pedal_hat(rate_hz),
        Voice::OpenHat => hat(rate_hz, 0.26),
        Voice::LowTom => tom(rate_hz, 90.0, 0.26),
        Voice::MidTom => tom(rate_hz, 130.0, 0.22),
        Voice::HighTom => tom(rate_hz, 180.0, 0.18),
        Voice::Crash => crash(rate_hz),
        Voice::Ride => ride(rate_hz),
        Voice::Tambourine => hand_voices::tambourine(rate_hz),
        Voice::Shaker => hand_voices::shaker(rate_hz),
    }
}

/// A sine that falls from 150 to 50 Hz, slightly driven, so that small speakers have harmonics to play.
fn kick(rate_hz: f64) -> LayerFn {
    let (mut body, mut click) = (Oscillator::default(), Oscillator::default());
    let mut noise = WhiteNoise::new(1, rate_hz);
    let mut beater = Biquad::band_pass(2_800.0, 0.8, rate_hz);
    Box::new(move |time_s| {
        let freq_hz = 50.0 + 100.0 * (-time_s / 0.03).exp();
        let drum = 1.7 * decay(time_s, 0.15) * body.sine(freq_hz, rate_hz);
        let knock = click.sine(200.0 + 900.0 * (-time_s / 0.004).exp(), rate_hz);
        let felt = beater.next(noise.next());
        [
            drum.tanh() + 0.15 * decay(time_s, 0.006) * knock,
            0.3 * decay(time_s, 0.008) * knock + 0.9 * decay(time_s, 0.005) * felt,
        ]
    })
}

/// Two modes of the skin, and the noise of the wires.
fn snare(rate_hz: f64) -> LayerFn {
    let (mut low, mut high) = (Oscillator::default(), Oscillator::default());
    let mut noise = WhiteNoise::new(2, rate_hz);
    let mut wires = Biquad::band_pass(2_600.0, 0.55, rate_hz);
    let mut crack = Biquad::high_pass(4_500.0, 0.8, rate_hz);
    Box::new(move |time_s| {
        let bend = 1.0 + 0.25 * (-time_s / 0.012).exp();
        let skin = 0.55 * decay(time_s, 0.07) * low.sine(185.0 * bend, rate_hz)
            + 0.3 * decay(time_s, 0.045) * high.sine(331.0 * bend, rate_hz);
        let white = noise.next();
        // The wires rattle on after the stroke.
        let rattle = 0.9 * decay(time_s, 0.03) + 0.7 * decay(time_s, 0.11);
        [
            (1.3 * (skin + rattle * wires.next(white))).tanh(),
            0.5 * decay(time_s, 0.05) * crack.next(white),
        ]
    })
}

/// The 808's metal and some air, above 6.5 kHz.
fn hat(rate_hz: f64, tau_s: f64) -> LayerFn {
    let mut metal = MetalTone::new(1.0, rate_hz);
    let mut noise = WhiteNoise::new(3, rate_hz);
    let mut low_cut = [
        Biquad::high_pass(6_500.0, 0.8, rate_hz),
        Biquad::high_pass(6_500.0, 0.6, rate_hz),
    ];
    let mut air = Biquad::high_pass(9_500.0, 0.8, rate_hz);
    Box::new(move |time_s| {
        let white = noise.next();
        let tone = 1.6 * metal.next() + 0.25 * white;
        let tone = low_cut
            .iter_mut()
            .fold(tone, |sample, filter| filter.next(sample));
        // The stick, then the ring.
        let level = 0.4 * decay(time_s, 0.008) + 0.6 * decay(time_s, tau_s);
        [
            level * tone,
            0.14 * decay(time_s, 0.7 * tau_s) * air.next(white),
        ]
    })
}

/// A sine that falls to the skin's pitch, its second mode, and the stick noise.
fn tom(rate_hz: f64, freq_hz: f64, tau_s: f64) -> LayerFn {
    let (mut low, mut high) = (Oscillator::default(), Oscillator::default());
    let mut noise = WhiteNoise::new(4, rate_hz);
    let mut skin = Biquad::band_pass(7.0 * freq_hz, 0.7, rate_hz);
    let mut stick = Biquad::band_pass(3_000.0, 0.7, rate_hz);
    Box::new(move |time_s| {
        let bend = 1.0 + 0.45 * (-time_s / 0.045).exp();
        let tone = 1.2 * decay(time_s, tau_s) * low.sine(freq_hz * bend, rate_hz);
        // 1.59 is the ratio of a circular membrane's first two modes.
        let second = 0.25 * decay(time_s, 0.3 * tau_s) * high.sine(1.59 * freq_hz * bend, rate_hz);
        let white = noise.next();
        [
            (tone + second).tanh() + 0.25 * decay(time_s, 0.03) * skin.next(white),
            0.5 * decay(time_s, 0.006) * stick.next(white),
        ]
    })
}

/// Two sets of metal that beat against each other, and a wash of noise that darkens as it decays.
fn crash(rate_hz: f64) -> LayerFn {
    let mut metals = [MetalTone::new(1.32, rate_hz), MetalTone::new(2.17, rate_hz)];
    let mut noise = WhiteNoise::new(5, rate_hz);
    let mut low_cut = Biquad::high_pass(2_800.0, 0.7, rate_hz);
    let mut wash = Biquad::band_pass(5_200.0, 0.5, rate_hz);
    let mut spray = Biquad::high_pass(7_500.0, 0.7, rate_hz);
    Box::new(move |time_s| {
        let white = noise.next();
        let metal = low_cut.next(metals.iter_mut().map(MetalTone::next).sum());
        let swell = 0.55 * decay(time_s, 0.12) + 0.45 * decay(time_s, 0.62);
        let body = swell * (0.7 * metal + 0.6 * wash.next(white));
        let bright = 0.35 * decay(time_s, 0.05) + 0.3 * decay(time_s, 0.3);
        [body, bright * spray.next(white)]
    })
}

/// A bell's inharmonic partials struck by a stick, over a quiet wash of metal.
fn ride(rate_hz: f64) -> LayerFn {
    // Frequency in Hz, level, time to 1/e in seconds: invented, not modelled on a particular ride.
    const PARTIALS: [(f64, f64, f64); 7] = [
        (617.0, 0.10, 0.30),
        (1_103.0, 0.16, 0.34),
        (1_931.0, 0.18, 0.32),
        (3_067.0, 0.22, 0.30),
        (4_421.0, 0.26, 0.26),
        (5_879.0, 0.22, 0.22),
        (7_643.0, 0.16, 0.18),
    ];
    let mut bell: [Oscillator; 7] = Default::default();
    let mut metal = MetalTone::new(1.61, rate_hz);
    let mut noise = WhiteNoise::new(6, rate_hz);
    let mut low_cut = [
        Biquad::high_pass(5_000.0, 0.7, rate_hz),
        Biquad::high_pass(5_000.0, 0.7, rate_hz),
    ];
    let mut stick = Biquad::band_pass(6_500.0, 0.9, rate_hz);
    Box::new(move |time_s| {
        let ping: f64 = PARTIALS
            .iter()
            .zip(&mut bell)
            .filter(|((freq_hz, ..), _)| *freq_hz < 0.45 * rate_hz)
            .map(|(&(freq_hz, level, tau_s), phase)| {
                level * decay(time_s, tau_s) * phase.sine(freq_hz, rate_hz)
            })
            .sum();
        let white = noise.next();
        let wash = metal.next() + 0.3 * white;
        let wash = low_cut
            .iter_mut()
            .fold(wash, |sample, filter| filter.next(sample));
        let level = 0.5 * decay(time_s, 0.06) + 0.5 * decay(time_s, 0.5);
        [
            0.55 * ping + 0.9 * level * wash,
            0.35 * decay(time_s, 0.008) * stick.next(white) + 0.3 * decay(time_s, 0.1) * ping,
        ]
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "frames of at most 2.4 s at a clamped rate"
)]
fn round(value: f64) -> u32 {
    value.round() as u32
}

#[expect(clippy::cast_possible_truncation, reason = "samples are stored as f32")]
fn narrow(value: f64) -> f32 {
    value as f32
}
