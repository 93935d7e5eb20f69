//! The figures of a take, per song and over songs.
//!
//! All fourteen voices count. The reference is `score.py`, the lab's script, which hears the nine of version 1 of the
//! representation; `tests/score.rs` compares this module's figures on songs that were folded to those with its results.
//!
//! Percentages unless stated otherwise. Only the measures after the first one with bass, up to the last one with bass, count.

mod describe;
mod lock;
mod numbers;

use std::ops::Range;

use lockstep_core::representation::{N_VOICES, Voice};
use lockstep_files::measured_song::MeasuredSong;

use super::DEAF_BELOW;

use describe::{PerSong, describe};
use lock::{kick_windows, lock_gain};
use numbers::{mean, overlap, percent};

/// Means over songs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Hits that people played at the same step with the same voice, F1 over all voices; 100 for people themselves. No measure
    /// of quality: a fixed rock beat comes close to any network.
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
    /// Hits per measure (a count).
    pub notes: f64,
    /// Measures without a hit.
    pub empty: f64,
    /// Hits on eighths; other hits count a tenth (MuseGAN's drum pattern ratio).
    pub dp8: f64,
    /// Measures with a snare, side stick or clap on both two and four.
    pub backbeat: f64,
    /// Steps that sound in both of two neighbouring measures or rest in both.
    pub consistency: f64,
    /// Measures identical to the one before.
    pub repeat: f64,
    /// Different voices per measure (a count).
    pub pieces: f64,
    /// Mean MIDI velocity.
    pub vel_mean: f64,
    /// Standard deviation of MIDI velocity.
    pub vel_sd: f64,
    /// Mean MIDI velocity on beats minus that off beats.
    pub vel_accent: f64,
    /// Standard deviation of the distance from the step, in steps.
    pub off_sd: f64,
    /// Notes outside General MIDI's percussion, 35 to 81.
    pub not_gm: f64,
}

impl Figures {
    /// Every figure with its name, in the order and by the names of the reference implementation, `score.py`.
    pub fn named(&self) -> [(&'static str, f64); 18] {
        [
            ("f1", self.f1),
            ("f1_kick", self.f1_kick),
            ("f1_snare", self.f1_snare),
            ("lock_gain", self.lock_gain),
            ("kick_on_bass", self.kick_on_bass),
            ("bass_kicked", self.bass_kicked),
            ("notes", self.notes),
            ("empty", self.empty),
            ("dp8", self.dp8),
            ("backbeat", self.backbeat),
            ("consistency", self.consistency),
            ("repeat", self.repeat),
            ("pieces", self.pieces),
            ("vel_mean", self.vel_mean),
            ("vel_sd", self.vel_sd),
            ("vel_accent", self.vel_accent),
            ("off_sd", self.off_sd),
            ("not_gm", self.not_gm),
        ]
    }

    /// Whether the drummer ignores the bass: its lock gain is below [`DEAF_BELOW`]. Means nothing for a single song.
    pub fn is_deaf(&self) -> bool {
        self.lock_gain < DEAF_BELOW
    }
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
    /// [`Self::oa`] figure by figure, from `kick_on_bass` to `off_sd`; NaN for fewer than five songs.
    pub overlaps: [f64; N_COMPARED],
}

impl Report {
    /// [`Self::overlaps`] with the names of the figures.
    pub fn named_overlaps(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let names = self.take.named();
        names
            .into_iter()
            .skip(N_ALONE)
            .map(|(name, _)| name)
            .zip(self.overlaps)
    }
}

/// How many figures are compared as distributions: the per-song ones except `not_gm`.
const N_COMPARED: usize = 13;

/// How many of [`Figures::named`] come before them.
const N_ALONE: usize = 4;

/// Measures takes against people. Each pair is one song: the take, then what people played.
pub fn score(songs: &[(MeasuredSong, MeasuredSong)]) -> Report {
    let (mut takes, mut reals) = (Vec::new(), Vec::new());
    let (mut take_windows, mut real_windows) = (Vec::new(), Vec::new());
    let mut f1s = [const { Vec::new() }; 3];
    for (take, real) in songs {
        let Some(Range {
            start: from,
            end: to,
        }) = real.measured_steps()
        else {
            continue;
        };
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
    let overlaps: [_; N_COMPARED] =
        std::array::from_fn(|i| overlap(&column(&takes, i), &column(&reals, i)));
    Report {
        n_songs: takes.len(),
        take,
        real,
        oa: mean(overlaps.into_iter()),
        overlaps: overlaps.map(|overlap| overlap.unwrap_or(f64::NAN)),
    }
}

/// How much two takes of one song agree: F1 of one's hits against the other's, over all voices, in percent.
///
/// `None` if the song is too short to measure, or neither take has a hit.
pub fn agreement(a: &MeasuredSong, b: &MeasuredSong) -> Option<f64> {
    let steps = a.measured_steps()?;
    let (mut a, mut b) = (a.clone(), b.clone());
    let n_steps = a.bass.len().max(b.bass.len());
    a.pad(n_steps);
    b.pad(n_steps);
    f1(&a.drums[steps.clone()], &b.drums[steps], &Voice::ALL)
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
        not_gm: at(13),
        ..Figures::default()
    }
}
