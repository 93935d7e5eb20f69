//! Trims a recording for a kit: starts at the onset, removes DC, fades to silence.
//!
//! A stroke that swells, as a shaker's does, starts within its swell, so that it is heard when it is played.
//!
//! Pure arithmetic on samples; never does I/O.

/// How much of a recording is kept, and how fast it decays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// Which part of the recording holds the stroke, in seconds.
    from_s: f32,
    to_s: f32,
    /// Maximum length, in seconds.
    max_s: f32,
    /// Extra decay, in dB per second.
    damping_db_per_s: f32,
    /// The onset is where this share of the peak is first reached.
    onset: f32,
    /// How much of the time before the onset is kept, in seconds: the rise of the attack.
    rise_s: f32,
    /// Whether one channel is kept although both sides differ.
    is_mono: bool,
}

/// Peak of the result.
const PEAK: f32 = 0.95;

/// The end is cut from where the sound stays below this share of the peak.
const FLOOR: f32 = 0.000_7;

/// If the sides correlate more than this, they become one channel.
const MONO: f64 = 0.995;

/// If they correlate more than this, their mean has lost no frequency.
const MUCH_ALIKE: f64 = 0.85;

impl Cut {
    /// Unchanged, up to a length in seconds.
    pub(super) const fn whole(max_s: f32) -> Self {
        Self::damped(max_s, 0.0)
    }

    /// With extra decay in dB per second, up to a length in seconds.
    pub(super) const fn damped(max_s: f32, damping_db_per_s: f32) -> Self {
        Self {
            from_s: 0.0,
            to_s: f32::INFINITY,
            max_s,
            damping_db_per_s,
            onset: 0.01,
            rise_s: 0.000_3,
            is_mono: false,
        }
    }

    /// One channel: the mean of both sides if they are much alike, else the left one, as the mean would be hollow.
    pub(super) const fn mono(self) -> Self {
        Self {
            is_mono: true,
            ..self
        }
    }

    /// Only the stroke between two times in seconds.
    pub(super) const fn between(self, from_s: f32, to_s: f32) -> Self {
        Self {
            from_s,
            to_s,
            ..self
        }
    }

    /// A stroke that swells: starts where it reaches a share of its peak, and rises to there in `rise_s` seconds.
    pub(super) const fn swelling(self, onset: f32, rise_s: f32) -> Self {
        Self {
            onset,
            rise_s,
            ..self
        }
    }

    /// Trims a recording; returns one channel if both sides are alike.
    pub(super) fn apply(self, sides: [&[f32]; 2], rate_hz: u32) -> Vec<Vec<f32>> {
        let rate = rate_hz as f32;
        let [from, to] = [self.from_s, self.to_s].map(|seconds| frames(seconds, rate));
        let sides = sides.map(|side| side.get(from..to.min(side.len())).unwrap_or_default());
        let alike = correlation(sides);
        let mut channels: Vec<Vec<f32>> = if alike > MONO || (self.is_mono && alike > MUCH_ALIKE) {
            let [left, right] = sides;
            vec![left.iter().zip(right).map(|(l, r)| 0.5 * (l + r)).collect()]
        } else if self.is_mono {
            vec![sides[0].to_vec()]
        } else {
            sides.iter().map(|side| side.to_vec()).collect()
        };
        for channel in &mut channels {
            remove_dc(channel, rate);
        }
        let peak = peak(&channels).max(1e-9);
        let onset = channels
            .iter()
            .filter_map(|channel| channel.iter().position(|x| x.abs() >= self.onset * peak))
            .min()
            .unwrap_or(0);
        let n_rise = frames(self.rise_s, rate).max(1);
        let begin = onset.saturating_sub(n_rise);
        let longest = frames(self.max_s, rate);
        let heard = channels
            .iter()
            .filter_map(|channel| channel.iter().rposition(|x| x.abs() >= FLOOR * peak))
            .max()
            .unwrap_or(0);
        let n = (heard + 1).saturating_sub(begin).min(longest);
        // A sound that is cut off gets a longer fade.
        let fade_share = if n == longest { 0.4 } else { 0.15 };
        channels
            .iter()
            .map(|channel| {
                let kept = channel.iter().skip(begin).take(n).enumerate();
                kept.map(|(at, sample)| {
                    let rise = ((at + 1) as f32 / n_rise as f32).min(1.0);
                    let left = (n - at) as f32 / (fade_share * n as f32);
                    let fade = 0.5 - 0.5 * (std::f32::consts::PI * left.min(1.0)).cos();
                    let fall_db = self.damping_db_per_s * at as f32 / rate;
                    sample * PEAK / peak * rise * fade * 10_f32.powf(-fall_db / 20.0)
                })
                .collect()
            })
            .collect()
    }
}

/// A first-order high-pass at 8 Hz.
fn remove_dc(samples: &mut [f32], rate_hz: f32) {
    let pole = (-std::f32::consts::TAU * 8.0 / rate_hz).exp();
    let (mut before, mut out) = (0.0, 0.0);
    for sample in samples {
        out = *sample - before + pole * out;
        before = *sample;
        *sample = out;
    }
}

fn peak(channels: &[Vec<f32>]) -> f32 {
    let samples = channels.iter().flatten();
    samples.fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// In `[-1, 1]`; 1 for silence.
fn correlation([left, right]: [&[f32]; 2]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    let power = (dot(left, left) * dot(right, right)).sqrt();
    if power > 0.0 {
        dot(left, right) / power
    } else {
        1.0
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few seconds, or saturated"
)]
fn frames(seconds: f32, rate_hz: f32) -> usize {
    (seconds * rate_hz).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: u32 = 44_100;

    /// A tenth of a second of silence with DC, then a decaying tone.
    fn recorded(gain: f32) -> Vec<f32> {
        let tone = |at: usize| {
            let s = at as f32 / RATE_HZ as f32 - 0.1;
            let tone = (s * 440.0 * std::f32::consts::TAU).sin() * (-s * 9.0).exp();
            0.001 + if s > 0.0 { gain * tone } else { 0.0 }
        };
        (0..2 * RATE_HZ as usize).map(tone).collect()
    }

    #[test]
    fn a_cut_begins_at_the_onset_and_ends_in_silence_without_dc() {
        let side = recorded(0.5);
        let cut = Cut::whole(1.0).apply([&side, &side], RATE_HZ);
        assert_eq!(cut.len(), 1, "both sides are alike");
        let sound = &cut[0];
        assert!(sound.len() < RATE_HZ as usize);
        assert!((peak(&cut) - PEAK).abs() < 0.02);
        let loud = sound
            .iter()
            .position(|x| x.abs() > 0.2)
            .unwrap_or(usize::MAX);
        assert!(loud < 60, "{loud} frames before the attack");
        assert!(sound[sound.len() - 20..].iter().all(|x| x.abs() < 1e-4));
        let mean = sound.iter().sum::<f32>() / sound.len() as f32;
        assert!(mean.abs() < 2e-4, "{mean}");
    }

    #[test]
    fn sides_that_differ_stay_two_and_keep_their_balance() {
        let (left, mut right) = (recorded(0.5), recorded(0.25));
        right.rotate_right(30);
        let cut = Cut::damped(0.3, 20.0).apply([&left, &right], RATE_HZ);
        let longest = frames(0.3, RATE_HZ as f32);
        assert!(cut.len() == 2 && cut.iter().all(|side| side.len() <= longest));
        let peaks = [0, 1].map(|side| peak(&cut[side..=side]));
        assert!((peaks[0] / peaks[1] - 2.0).abs() < 0.1, "{peaks:?}");
    }

    #[test]
    fn mono_keeps_one_side_of_two_that_differ_and_the_mean_of_two_that_are_much_alike() {
        let left = recorded(0.5);
        let mut other: Vec<f32> = left.clone();
        other.rotate_right(25);
        let one = Cut::whole(1.0).mono().apply([&left, &other], RATE_HZ);
        assert_eq!(one, Cut::whole(1.0).apply([&left, &left], RATE_HZ));
        // A fifth of the sound differs: too much for one channel unless asked for.
        let near: Vec<f32> = left.iter().zip(&other).map(|(a, b)| a + 0.2 * b).collect();
        assert_eq!(Cut::whole(1.0).apply([&left, &near], RATE_HZ).len(), 2);
        let mean: Vec<f32> = left.iter().zip(&near).map(|(a, b)| 0.5 * (a + b)).collect();
        let got = Cut::whole(1.0).mono().apply([&left, &near], RATE_HZ);
        assert_eq!(got, Cut::whole(1.0).apply([&mean, &mean], RATE_HZ));
    }

    #[test]
    fn a_part_is_cut_as_if_it_were_the_whole_recording() {
        let stroke = recorded(0.5);
        let mut twice = stroke.clone();
        twice.extend(recorded(0.25));
        let seconds = stroke.len() as f32 / RATE_HZ as f32;
        let part = |from_s, to_s| {
            let cut = Cut::whole(1.0).between(from_s, to_s);
            cut.apply([&twice, &twice], RATE_HZ)
        };
        let whole = |stroke: &[f32]| Cut::whole(1.0).apply([stroke, stroke], RATE_HZ);
        assert_eq!(part(0.0, seconds), whole(&stroke));
        assert_eq!(part(seconds, 2.0 * seconds), whole(&recorded(0.25)));
        assert_eq!(part(seconds, f32::INFINITY), whole(&recorded(0.25)));
    }

    #[test]
    fn a_swelling_stroke_starts_within_its_swell() {
        let swell: Vec<f32> = (0..RATE_HZ as usize / 2)
            .map(|at| {
                let s = at as f32 / RATE_HZ as f32;
                // Its peak comes after 100 ms.
                (s * 900.0 * std::f32::consts::TAU).sin() * 10.0 * s * (1.0 - 10.0 * s).exp()
            })
            .collect();
        let half_ms = |cut: Cut| {
            let sound = cut.apply([&swell, &swell], RATE_HZ).swap_remove(0);
            let half = sound.iter().position(|x| x.abs() > 0.5 * PEAK);
            half.unwrap_or(usize::MAX) as f32 / RATE_HZ as f32 * 1e3
        };
        let (early, late) = (
            half_ms(Cut::whole(0.5)),
            half_ms(Cut::whole(0.5).swelling(0.3, 0.006)),
        );
        assert!(early > 22.0 && late < 18.0, "{early} ms, {late} ms");
    }
}
