//! Many takes as one sound: a few measures of each with short silences between, mono, small enough to be committed.

use std::convert::Infallible;
use std::f64::consts::PI;
use std::ops::Range;

use anyhow::Result;
use lockstep_core::representation::{Meter, Position};
use lockstep_files::midi_file::{Note, Song};

#[cfg(test)]
use super::lines::Line;

/// Sample rate, in Hz.
pub(super) const RATE_HZ: u32 = 22_050;

/// How long a take keeps ringing after its last measure while it fades out.
const RING_S: f64 = 0.5;

/// Silence between two takes.
const GAP_S: f64 = 0.4;

/// The sound so far.
#[derive(Debug, Default)]
pub(super) struct Medley {
    samples: Vec<f32>,
}

impl Medley {
    /// Adds measures of a song, counted from 0, and returns the second at which they begin.
    pub(super) fn add(&mut self, song: &Song, meter: Meter, measures: Range<usize>) -> f64 {
        if !self.samples.is_empty() {
            let n_silent = samples(GAP_S, RATE_HZ);
            self.samples.resize(self.samples.len() + n_silent, 0.0);
        }
        let begins_s = self.seconds();
        let bar_line = |measure: usize| Position::START + meter.length() * measure as f64;
        let excerpt = excerpt(song, &(bar_line(measures.start)..bar_line(measures.end)));
        let lasts_s = excerpt.seconds_at(excerpt.end);
        self.samples.extend(halved(&mono(&excerpt, lasts_s)));
        begins_s
    }

    /// Length so far.
    pub(super) fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(RATE_HZ)
    }

    /// The bytes of a WAV file.
    pub(super) fn wav(&self) -> Result<Vec<u8>> {
        Ok(lockstep_offline::mono_wav(&self.samples, RATE_HZ)?)
    }
}

/// The notes that begin in a stretch of a song with one tempo, as a song of its own.
fn excerpt(song: &Song, stretch: &Range<Position>) -> Song {
    let part = |notes: &[Note]| -> Vec<Note> {
        let within = notes.iter().filter(|note| stretch.contains(&note.start));
        let moved = within.map(|note| Note {
            start: note.start.counted_from(stretch.start),
            end: note.end.min(stretch.end).counted_from(stretch.start),
            ..*note
        });
        moved.collect()
    };
    Song {
        bass: part(&song.bass),
        drums: part(&song.drums),
        end: stretch.end.counted_from(stretch.start),
        ..song.clone()
    }
}

/// A song rendered in mono at twice the rate, up to its end and while it rings on.
fn mono(song: &Song, lasts_s: f64) -> Vec<f32> {
    let rate_hz = 2 * RATE_HZ;
    let (fades_from, n_samples) = (
        samples(lasts_s, rate_hz),
        samples(lasts_s + RING_S, rate_hz),
    );
    let mut sound = Vec::with_capacity(n_samples);
    let Ok(()) =
        lockstep_offline::render::<Infallible>(song, rate_hz, super::KIT, |[left, right]| {
            if sound.len() < n_samples {
                sound.push(0.5 * (left + right));
            }
            Ok(())
        });
    let n_fading = (n_samples - fades_from).max(1) as f32;
    for (i, sample) in sound.iter_mut().skip(fades_from).enumerate() {
        *sample *= 1.0 - i as f32 / n_fading;
    }
    sound
}

/// Every second sample, after a low-pass filter against aliasing.
fn halved(sound: &[f32]) -> Vec<f32> {
    /// Taps on either side of the middle one.
    const REACH: usize = 47;
    /// Where the filter passes half, relative to the higher rate: 10 kHz, so that little is left at 11 kHz.
    const CUT: f64 = 10_000.0 / 44_100.0;
    let taps: Vec<f64> = (0..=2 * REACH)
        .map(|i| {
            let x = i as f64 - REACH as f64;
            let sinc = if x == 0.0 {
                2.0 * CUT
            } else {
                (2.0 * PI * CUT * x).sin() / (PI * x)
            };
            // Blackman window.
            let place = PI * (x / (REACH + 1) as f64 + 1.0);
            sinc * (0.42 - 0.5 * place.cos() + 0.08 * (2.0 * place).cos())
        })
        .collect();
    let one = |middle: usize| {
        let sum: f64 = taps
            .iter()
            .enumerate()
            .filter_map(|(i, tap)| {
                let sample = sound.get((middle + i).checked_sub(REACH)?)?;
                Some(tap * f64::from(*sample))
            })
            .sum();
        narrow(sum)
    };
    (0..sound.len()).step_by(2).map(one).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a sample is at most two")]
fn narrow(sample: f64) -> f32 {
    sample as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few measures last seconds"
)]
fn samples(seconds: f64, rate_hz: u32) -> usize {
    (seconds * f64::from(rate_hz)).round() as usize
}

/// How long a medley of these lines is.
#[cfg(test)]
pub(super) fn longest_s(lines: &[Line]) -> f64 {
    let one = |line: &Line| {
        let length = line.meter.length() * super::N_ANSWERED as f64;
        length.seconds(line.tempo_bpm) + RING_S + GAP_S
    };
    lines.iter().map(one).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_begins_with_its_first_measure() {
        let note = |start, end| Note {
            start: Position::at(start),
            end: Position::at(end),
            key: 36,
            velocity: 90,
        };
        let song = Song {
            bass: vec![note(2.0, 3.5), note(3.0, 4.0), note(5.0, 9.0)],
            drums: vec![note(5.9, 6.1), note(6.0, 6.2)],
            ..Song::default()
        };
        let part = excerpt(&song, &(Position::at(3.0)..Position::at(6.0)));
        assert_eq!(part.bass, [note(0.0, 1.0), note(2.0, 3.0)]);
        assert_eq!(part.drums.len(), 1);
        assert_eq!(part.end, Position::at(3.0));
    }

    #[test]
    fn halving_keeps_low_frequencies_and_removes_high_ones() {
        let loudness = |freq_hz: f64| {
            let wave: Vec<f32> = (0..8000)
                .map(|i| (2.0 * PI * freq_hz * f64::from(i) / 44_100.0).sin())
                .map(narrow)
                .collect();
            let half = halved(&wave);
            let inside = &half[100..3900];
            (inside.iter().map(|x| f64::from(x * x)).sum::<f64>() / inside.len() as f64).sqrt()
        };
        let full = 0.5_f64.sqrt();
        assert!((loudness(1000.0) - full).abs() < 0.001);
        assert!((loudness(8000.0) - full).abs() < 0.01);
        assert!(loudness(12_000.0) < 0.001);
    }

    #[test]
    fn takes_follow_one_another_after_a_gap() -> Result<()> {
        let note = |start| Note {
            start: Position::at(start),
            end: Position::at(start + 0.5),
            key: 36,
            velocity: 120,
        };
        let song = Song {
            bass: vec![note(0.0), note(4.0)],
            drums: vec![note(4.0), note(5.0)],
            ..Song::default()
        };
        let mut medley = Medley::default();
        let first = medley.add(&song, Meter::COMMON, 1..2);
        let second = medley.add(&song, Meter::COMMON, 1..2);
        assert!(
            first.abs() < 1e-9 && (second - 2.0 - RING_S - GAP_S).abs() < 1e-3,
            "{second}"
        );
        let peak = medley
            .samples
            .iter()
            .fold(0.0_f32, |peak, x| peak.max(x.abs()));
        assert!((0.1..1.0).contains(&peak), "peak {peak}");
        assert_eq!(&medley.wav()?[..4], b"RIFF");
        Ok(())
    }
}
