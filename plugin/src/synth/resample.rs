//! Brings a recording to the host's sample rate, once, when it is loaded. Never on the audio thread.

use std::f64::consts::PI;

/// Zero crossings of the sinc on either side of its middle.
const N_CROSSINGS: usize = 20;

/// Where the pass band ends, as a share of the lower of both Nyquist frequencies.
const PASS: f64 = 0.94;

/// The recording, of frames of two sides, at another rate. Both rates are in hertz and above 0.
///
/// A sinc in a Blackman window; each phase that occurs is computed once.
pub(super) fn resample(frames: &[[f32; 2]], from_hz: u32, to_hz: u32) -> Vec<[f32; 2]> {
    if from_hz == to_hz {
        return frames.to_vec();
    }
    let shared = gcd(from_hz, to_hz);
    let (up, down) = ((to_hz / shared) as usize, (from_hz / shared) as usize);
    let cutoff = PASS * (f64::from(to_hz) / f64::from(from_hz)).min(1.0);
    let reach = half_width(cutoff);
    let kernels: Vec<Box<[f32]>> = (0..up)
        .map(|phase| kernel(phase as f64 / up as f64, cutoff, reach))
        .collect();
    let n_out = frames.len() * up / down;
    (0..n_out)
        .map(|at| {
            let place = at * down;
            let kernel = &kernels[place % up];
            // The kernel's first tap lies `reach - 1` frames before the place.
            let first = place / up + 1;
            let mut sum = [0.0; 2];
            for (tap, gain) in kernel.iter().enumerate() {
                let frame = (first + tap).checked_sub(reach).and_then(|i| frames.get(i));
                if let Some(frame) = frame {
                    sum[0] += gain * frame[0];
                    sum[1] += gain * frame[1];
                }
            }
            sum
        })
        .collect()
}

/// Frames on either side that a kernel looks at.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few hundred at most"
)]
fn half_width(cutoff: f64) -> usize {
    (N_CROSSINGS as f64 / cutoff).ceil() as usize
}

/// The gains for a place `fraction` behind a frame, in `[0, 1)`; their sum is 1.
fn kernel(fraction: f64, cutoff: f64, reach: usize) -> Box<[f32]> {
    let gains: Vec<f64> = (0..2 * reach)
        .map(|tap| {
            let x = tap as f64 - (reach - 1) as f64 - fraction;
            let window_at = (x / reach as f64).clamp(-1.0, 1.0);
            let window = 0.42 + 0.5 * (PI * window_at).cos() + 0.08 * (2.0 * PI * window_at).cos();
            let angle = PI * cutoff * x;
            let sinc = if angle.abs() < 1e-9 {
                1.0
            } else {
                angle.sin() / angle
            };
            window * sinc
        })
        .collect();
    let sum: f64 = gains.iter().sum();
    #[expect(clippy::cast_possible_truncation, reason = "gains are stored as f32")]
    let narrow = |gain: f64| (gain / sum) as f32;
    gains.into_iter().map(narrow).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(freq_hz: f64, rate_hz: u32) -> Vec<[f32; 2]> {
        (0..rate_hz / 10)
            .map(|at| {
                let phase = 2.0 * PI * freq_hz * f64::from(at) / f64::from(rate_hz);
                #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                let sample = phase.sin() as f32;
                [sample, -sample]
            })
            .collect()
    }

    #[test]
    fn a_tone_stays_what_it_is_at_every_rate() {
        for to_hz in [22_050, 44_100, 48_000, 96_000, 192_000] {
            for freq_hz in [100.0, 3_000.0, 9_000.0] {
                let got = resample(&tone(freq_hz, 44_100), 44_100, to_hz);
                let want = tone(freq_hz, to_hz);
                let n = want.len();
                assert_eq!(got.len(), n);
                // The first and the last frames have silence beside them.
                for at in n / 10..n - n / 10 {
                    let error = (got[at][0] - want[at][0]).abs();
                    assert!(error < 2e-3, "{freq_hz} Hz to {to_hz}: {error} at {at}");
                    assert!((got[at][0] + got[at][1]).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone() {
        let got = resample(&tone(15_000.0, 44_100), 44_100, 22_050);
        let n = got.len();
        let loudest = got[n / 10..n - n / 10]
            .iter()
            .fold(0.0_f32, |max, frame| max.max(frame[0].abs()));
        assert!(loudest < 1e-3, "{loudest}");
    }
}
