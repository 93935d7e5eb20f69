//! The figures of a take, per song and over songs.
//!
//! Percentages unless said otherwise. Only the measures from the second one with something to answer to the last one
//! with bass count.

use super::{MIN_MEASURES, Sheet};
use crate::network::NET_STEPS;
use crate::representation::{N_VOICES, Voice, WINDOW_STEPS};

/// Means over songs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Hits that people played at the same step with the same voice, F1 over all voices; 100 for people themselves.
    pub f1: f64,
    /// [`Self::f1`] of the kick alone.
    pub f1_kick: f64,
    /// [`Self::f1`] of the snare alone.
    pub f1_snare: f64,
    /// Kick F1 against the song's own bass onsets minus the mean against every other song's; 0 is deaf.
    pub lock_gain: f64,
    /// Kicks that fall on a bass onset.
    pub kick_on_bass: f64,
    /// Bass onsets that a kick falls on.
    pub bass_kicked: f64,
    /// Hits a measure (a count).
    pub notes: f64,
    /// Measures without a hit.
    pub empty: f64,
    /// Hits on eighths; those off them weigh a tenth (MuseGAN's drum pattern ratio).
    pub dp8: f64,
    /// Measures with a snare on both two and four.
    pub backbeat: f64,
    /// Steps that sound or rest alike in neighbouring measures.
    pub consistency: f64,
    /// Measures identical to the one before.
    pub repeat: f64,
    /// Different voices a measure (a count).
    pub pieces: f64,
    /// Mean MIDI velocity.
    pub vel_mean: f64,
    /// Standard deviation of MIDI velocity.
    pub vel_sd: f64,
    /// Mean MIDI velocity on beats minus that off beats.
    pub vel_accent: f64,
    /// Standard deviation of the distance from the step, in steps.
    pub off_sd: f64,
}

/// Figures of the takes and of the people who played the same songs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Songs measured; those with too few measures are left out.
    pub n_songs: usize,
    /// The takes.
    pub take: Figures,
    /// People.
    pub real: Figures,
    /// Mean overlap of the takes' and people's per-song distributions of the figures, 1 = the same (Dong et al. 2018).
    pub oa: f64,
}

/// How many figures are compared as distributions.
const N_COMPARED: usize = 13;

/// The figures of one song that have a distribution over songs, in [`Figures`]' order from `kick_on_bass`.
type PerSong = [Option<f64>; N_COMPARED];

/// A window of 64 steps: kicks and bass onsets.
type KickWindow = (Vec<bool>, Vec<bool>);

/// Measures takes against people. Each pair is one song: the take, then what people played.
pub fn score(songs: &[(Sheet, Sheet)]) -> Report {
    let (mut takes, mut reals) = (Vec::new(), Vec::new());
    let (mut take_windows, mut real_windows) = (Vec::new(), Vec::new());
    let mut f1s = [const { Vec::new() }; 3];
    for (take, real) in songs {
        let bass = &real.bass;
        let onsets = || {
            bass.iter()
                .enumerate()
                .filter(|(_, b)| **b)
                .map(|(step, _)| step)
        };
        let (Some(first), Some(last)) = (onsets().next(), onsets().next_back()) else {
            continue;
        };
        let (from, to) = (
            (first / NET_STEPS + 1) * NET_STEPS,
            (last / NET_STEPS + 1) * NET_STEPS,
        );
        if to < from + MIN_MEASURES * NET_STEPS {
            continue;
        }
        let n_steps = take.bass.len().max(real.bass.len());
        let (mut take, mut real) = (take.clone(), real.clone());
        take.pad(n_steps);
        real.pad(n_steps);
        take.bass.clone_from(&real.bass);
        takes.push(describe(&take, from, to));
        reals.push(describe(&real, from, to));
        take_windows.push(kick_windows(&take, from, to));
        real_windows.push(kick_windows(&real, from, to));
        let voices: [&[Voice]; 3] = [&Voice::ALL, &[Voice::Kick], &[Voice::Snare]];
        for (values, voices) in f1s.iter_mut().zip(voices) {
            values.push(f1(&take.drums[from..to], &real.drums[from..to], voices));
        }
    }
    let mut take = figures(&takes);
    [take.f1, take.f1_kick, take.f1_snare] = f1s.map(|values| mean(values.into_iter()));
    take.lock_gain = lock_gain(&take_windows);
    let mut real = figures(&reals);
    [real.f1, real.f1_kick, real.f1_snare] = [100.0; 3];
    real.lock_gain = lock_gain(&real_windows);
    let overlaps = (0..N_COMPARED).map(|i| overlap(&column(&takes, i), &column(&reals, i)));
    Report {
        n_songs: takes.len(),
        take,
        real,
        oa: mean(overlaps),
    }
}

fn describe(sheet: &Sheet, from: usize, to: usize) -> PerSong {
    let drums = &sheet.drums[from..to];
    let bass = &sheet.bass[from..to];
    let measures: Vec<&[[u8; N_VOICES]]> = drums.chunks(NET_STEPS).collect();
    let n_measures = measures.len() as f64;
    let n_at = |row: &[u8; N_VOICES]| row.iter().filter(|v| **v > 0).count() as f64;
    let n_hits: f64 = drums.iter().map(n_at).sum();
    let is_kick = |row: &[u8; N_VOICES]| row[Voice::Kick.index()] > 0;
    let n_kicks = drums.iter().filter(|row| is_kick(row)).count() as f64;
    let n_bass = bass.iter().filter(|b| **b).count() as f64;
    let n_both = drums
        .iter()
        .zip(bass)
        .filter(|(row, b)| is_kick(row) && **b)
        .count() as f64;
    let on_eighths: f64 = drums
        .iter()
        .enumerate()
        .map(|(step, row)| n_at(row) * if step % 2 == 0 { 1.0 } else { 0.1 })
        .sum();
    let is_snare = |row: &[u8; N_VOICES]| row[Voice::Snare.index()] > 0;
    let n_backbeats = measures
        .iter()
        .filter(|m| is_snare(&m[4]) && is_snare(&m[12]))
        .count() as f64;
    let n_pieces: usize = measures
        .iter()
        .map(|m| {
            (0..N_VOICES)
                .filter(|v| m.iter().any(|row| row[*v] > 0))
                .count()
        })
        .sum();
    let neighbours = || measures.windows(2).map(|pair| pair[0].iter().zip(pair[1]));
    let n_alike: usize = neighbours()
        .map(|steps| {
            steps
                .filter(|(a, b)| (n_at(a) > 0.0) == (n_at(b) > 0.0))
                .count()
        })
        .sum();
    let same_hits =
        |(a, b): (&[u8; N_VOICES], &[u8; N_VOICES])| a.map(|v| v > 0) == b.map(|v| v > 0);
    let n_repeats = neighbours()
        .filter(|steps| steps.clone().all(same_hits))
        .count() as f64;
    let n_pairs = n_measures - 1.0;

    let strokes: Vec<_> = sheet
        .strokes
        .iter()
        .filter(|s| (from..to).contains(&s.step))
        .collect();
    let velocities = || strokes.iter().map(|s| s.velocity);
    let on = some_mean(
        strokes
            .iter()
            .filter(|s| s.step % 4 == 0)
            .map(|s| s.velocity),
    );
    let off = some_mean(
        strokes
            .iter()
            .filter(|s| s.step % 4 != 0)
            .map(|s| s.velocity),
    );
    [
        percent(n_both, n_kicks),
        percent(n_both, n_bass),
        Some(n_hits / n_measures),
        percent(
            measures
                .iter()
                .filter(|m| m.iter().all(|row| n_at(row) == 0.0))
                .count() as f64,
            n_measures,
        ),
        percent(on_eighths, n_hits),
        percent(n_backbeats, n_measures),
        percent(n_alike as f64, n_pairs * NET_STEPS as f64),
        percent(n_repeats, n_pairs),
        Some(n_pieces as f64 / n_measures),
        some_mean(velocities()),
        deviation(velocities()),
        on.zip(off).map(|(on, off)| on - off),
        deviation(strokes.iter().map(|s| s.offset)),
    ]
}

fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| 100.0 * part / whole)
}

fn some_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (n, sum) = values.fold((0.0, 0.0), |(n, sum), x| (n + 1.0, sum + x));
    (n > 0.0).then(|| sum / n)
}

/// Mean of what there is; NaN of nothing.
fn mean(values: impl Iterator<Item = Option<f64>>) -> f64 {
    some_mean(values.flatten()).unwrap_or(f64::NAN)
}

fn deviation(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let centre = some_mean(values.clone())?;
    some_mean(values.map(|x| (x - centre).powi(2))).map(f64::sqrt)
}

fn f1(a: &[[u8; N_VOICES]], b: &[[u8; N_VOICES]], voices: &[Voice]) -> Option<f64> {
    let (mut n_both, mut n_each) = (0_u32, 0_u32);
    for (a, b) in a.iter().zip(b) {
        for voice in voices {
            let (a, b) = (a[voice.index()] > 0, b[voice.index()] > 0);
            n_both += u32::from(a && b);
            n_each += u32::from(a) + u32::from(b);
        }
    }
    percent(2.0 * f64::from(n_both), f64::from(n_each))
}

fn column(songs: &[PerSong], i: usize) -> Vec<f64> {
    songs.iter().filter_map(|song| song[i]).collect()
}

fn figures(songs: &[PerSong]) -> Figures {
    let at = |i| mean(songs.iter().map(|song: &PerSong| song[i]));
    Figures {
        kick_on_bass: at(0),
        bass_kicked: at(1),
        notes: at(2),
        empty: at(3),
        dp8: at(4),
        backbeat: at(5),
        consistency: at(6),
        repeat: at(7),
        pieces: at(8),
        vel_mean: at(9),
        vel_sd: at(10),
        vel_accent: at(11),
        off_sd: at(12),
        ..Figures::default()
    }
}

fn kick_windows(sheet: &Sheet, from: usize, to: usize) -> Vec<KickWindow> {
    (from..=to.saturating_sub(WINDOW_STEPS))
        .step_by(WINDOW_STEPS)
        .map(|start| start..start + WINDOW_STEPS)
        .filter(|steps| sheet.bass[steps.clone()].contains(&true))
        .map(|steps| {
            let kicks = sheet.drums[steps.clone()]
                .iter()
                .map(|row| row[Voice::Kick.index()] > 0);
            (kicks.collect(), sheet.bass[steps].to_vec())
        })
        .collect()
}

/// Windows as bit masks: 64 steps fit one word.
fn bits(steps: &[bool]) -> u64 {
    steps
        .iter()
        .fold(0, |word, step| word << 1 | u64::from(*step))
}

fn lock_gain(songs: &[Vec<KickWindow>]) -> f64 {
    let words: Vec<Vec<(u64, u64)>> = songs
        .iter()
        .map(|song| {
            song.iter()
                .map(|(kick, bass)| (bits(kick), bits(bass)))
                .collect()
        })
        .collect();
    let f1 = |kick: u64, bass: u64| {
        200.0 * f64::from((kick & bass).count_ones())
            / f64::from((kick.count_ones() + bass.count_ones()).max(1))
    };
    mean(words.iter().enumerate().map(|(i, song)| {
        let gains = song.iter().filter_map(|&(kick, own)| {
            let others = words
                .iter()
                .enumerate()
                .filter(|(j, _)| *j != i)
                .flat_map(|(_, other)| other);
            some_mean(others.map(|&(_, bass)| f1(kick, bass))).map(|other| f1(kick, own) - other)
        });
        some_mean(gains)
    }))
}

/// Overlap of two histograms of twenty bins over the common range; `None` of fewer than five values.
fn overlap(a: &[f64], b: &[f64]) -> Option<f64> {
    const N_BINS: usize = 20;
    if a.len() < 5 || b.len() < 5 {
        return None;
    }
    let low = a.iter().chain(b).copied().fold(f64::INFINITY, f64::min);
    let high = a.iter().chain(b).copied().fold(f64::NEG_INFINITY, f64::max);
    if high <= low {
        return Some(1.0);
    }
    let shares = |values: &[f64]| {
        let mut shares = [0.0; N_BINS];
        for x in values {
            let place = (x - low) / (high - low) * N_BINS as f64;
            let bin = (0..N_BINS - 1)
                .find(|bin| place < (bin + 1) as f64)
                .unwrap_or(N_BINS - 1);
            shares[bin] += 1.0 / values.len() as f64;
        }
        shares
    };
    Some(shares(a).iter().zip(shares(b)).map(|(a, b)| a.min(b)).sum())
}
