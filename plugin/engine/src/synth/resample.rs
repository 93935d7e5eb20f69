//! Resamples a recording to the host's sample rate, once, when it is loaded. Never on the audio thread.
#![allow(
    clippy::disallowed_macros,
    clippy::indexing_slicing,
    reason = "resamples the recordings once, off the audio thread"
)]

use std::f64::consts::PI;

/// Zero crossings of the sinc on either side of its centre.
const N_CROSSINGS: usize = 20;

/// End of the pass band, as a share of the lower of the two Nyquist frequencies.
const PASS: f64 = 0.94;

/// Phases between two checks whether the sound is still wanted; each is far below a millisecond of work.
const ASK_EVERY: usize = 32;

/// The stereo recording at another rate; `None` if it is no longer wanted. Both rates are in hertz and above 0.
///
/// A sinc with a Blackman window. Output frames that share a phase of it are made together: they lie `up` apart, and their
/// inputs `down` apart. The input is stored in rows of every `down`th frame, so that one tap's inputs are adjacent and the
/// compiler can vectorise the loop. Each frame's taps are still summed in order, so the samples equal those of a plain loop.
pub(super) fn resample(
    frames: &[[f32; 2]],
    from_hz: u32,
    to_hz: u32,
    is_wanted: &dyn Fn() -> bool,
) -> Option<Vec<[f32; 2]>> {
    if from_hz == to_hz {
        return Some(frames.to_vec());
    }
    let shared = gcd(from_hz, to_hz);
    let (up, down) = ((to_hz / shared) as usize, (from_hz / shared) as usize);
    let cutoff = PASS * (f64::from(to_hz) / f64::from(from_hz)).min(1.0);
    let reach = half_width(cutoff);
    let n_out = frames.len() * up / down;
    let n_columns = n_out.div_ceil(up);
    // The recording with `reach` silent frames before it and at least as many after it.
    let width = n_columns + (2 * reach).div_ceil(down) + 1;
    let mut rows = vec![[0.0; 2]; down * width];
    for (at, frame) in (reach..).zip(frames) {
        // A few frames at the end may lie beyond the last one that a kernel reads.
        if let Some(place) = rows.get_mut(at % down * width + at / down) {
            *place = *frame;
        }
    }
    let mut out = vec![[0.0; 2]; n_out];
    let mut sums = vec![[0.0_f32; 2]; n_columns];
    for first_out in 0..up.min(n_out) {
        if first_out % ASK_EVERY == 0 && !is_wanted() {
            return None;
        }
        let place = first_out * down;
        sums.fill([0.0; 2]);
        let kernel = kernel((place % up) as f64 / up as f64, cutoff, reach);
        // The kernel's first tap lies `reach - 1` frames before the place.
        for (at, gain) in (place / up + 1..).zip(&kernel) {
            let row = &rows[at % down * width + at / down..][..n_columns];
            for (sum, frame) in sums.iter_mut().zip(row) {
                sum[0] += gain * frame[0];
                sum[1] += gain * frame[1];
            }
        }
        for (out, sum) in out[first_out..].iter_mut().step_by(up).zip(&sums) {
            *out = *sum;
        }
    }
    Some(out)
}

/// Frames that a kernel reads on either side.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most a few hundred"
)]
fn half_width(cutoff: f64) -> usize {
    (N_CROSSINGS as f64 / cutoff).ceil() as usize
}

/// The gains for a place `fraction` after a frame, in `[0, 1)`; their sum is 1.
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

    fn whole(frames: &[[f32; 2]], from_hz: u32, to_hz: u32) -> Vec<[f32; 2]> {
        resample(frames, from_hz, to_hz, &|| true).unwrap_or_default()
    }

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
    fn a_tone_is_the_same_at_every_rate() {
        for to_hz in [22_050, 44_100, 48_000, 96_000, 192_000] {
            for freq_hz in [100.0, 3_000.0, 9_000.0] {
                let got = whole(&tone(freq_hz, 44_100), 44_100, to_hz);
                let want = tone(freq_hz, to_hz);
                let n = want.len();
                assert_eq!(got.len(), n);
                // The first and the last frames are next to silence.
                for at in n / 10..n - n / 10 {
                    let error = (got[at][0] - want[at][0]).abs();
                    assert!(error < 2e-3, "{freq_hz} Hz to {to_hz}: {error} at {at}");
                    assert!((got[at][0] + got[at][1]).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn frequencies_above_the_lower_rates_nyquist_are_removed() {
        let got = whole(&tone(15_000.0, 44_100), 44_100, 22_050);
        let n = got.len();
        let loudest = got[n / 10..n - n / 10]
            .iter()
            .fold(0.0_f32, |max, frame| max.max(frame[0].abs()));
        assert!(loudest < 1e-3, "{loudest}");
    }

    /// The textbook sum: for each frame, all taps in order.
    fn plain(frames: &[[f32; 2]], from_hz: u32, to_hz: u32) -> Vec<[f32; 2]> {
        let shared = gcd(from_hz, to_hz);
        let (up, down) = ((to_hz / shared) as usize, (from_hz / shared) as usize);
        let cutoff = PASS * (f64::from(to_hz) / f64::from(from_hz)).min(1.0);
        let reach = half_width(cutoff);
        (0..frames.len() * up / down)
            .map(|at| {
                let place = at * down;
                let mut sum = [0.0; 2];
                let kernel = kernel((place % up) as f64 / up as f64, cutoff, reach);
                for (tap, gain) in kernel.iter().enumerate() {
                    let at = (place / up + 1 + tap).checked_sub(reach);
                    if let Some(frame) = at.and_then(|at| frames.get(at)) {
                        sum = [sum[0] + gain * frame[0], sum[1] + gain * frame[1]];
                    }
                }
                sum
            })
            .collect()
    }

    #[test]
    fn every_sample_is_that_of_the_plain_sum_to_the_bit() {
        // Lengths around the kernel's, and rates that go up, go down, have almost no common factor or are far apart.
        for n_frames in [0, 1, 2, 39, 40, 41, 147, 148, 1_000] {
            let frames: Vec<_> = tone(997.0, 44_100).into_iter().take(n_frames).collect();
            for to_hz in [8_000, 22_050, 44_099, 48_000, 88_200, 96_000, 384_000] {
                let (got, want) = (whole(&frames, 44_100, to_hz), plain(&frames, 44_100, to_hz));
                let bits = |frames: Vec<[f32; 2]>| {
                    let frames = frames.into_iter();
                    frames.map(|f| f.map(f32::to_bits)).collect::<Vec<_>>()
                };
                assert!(bits(got) == bits(want), "{n_frames} frames to {to_hz}");
            }
        }
    }

    #[test]
    fn a_sound_that_is_no_longer_wanted_is_abandoned() {
        let frames = tone(997.0, 44_100);
        assert!(resample(&frames, 44_100, 48_000, &|| false).is_none());
    }
}
