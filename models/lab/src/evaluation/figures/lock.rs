//! Lock gain: whether the kick answers the song's own bass or would fit any bass.

use lockstep_core::representation::{Voice, WINDOW_STEPS};
use lockstep_files::measured_song::MeasuredSong;

use super::numbers::{mean, some_mean};

/// A window of 64 steps: kicks and bass onsets.
pub(super) type KickWindow = (Vec<bool>, Vec<bool>);

/// The kicks and bass onsets of the steps `from .. to`, in windows of 64 steps; windows without bass are left out.
pub(super) fn kick_windows(sheet: &MeasuredSong, from: usize, to: usize) -> Vec<KickWindow> {
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

/// Steps as a bit mask: a window's 64 steps fit one word.
fn bits(steps: &[bool]) -> u64 {
    steps
        .iter()
        .fold(0, |word, step| word << 1 | u64::from(*step))
}

/// Kick F1 against the song's own bass minus the mean against every other song's; one list of windows per song.
pub(super) fn lock_gain(songs: &[Vec<KickWindow>]) -> f64 {
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
