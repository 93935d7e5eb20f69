//! The figures of one song.

use lockstep_core::representation::{N_VOICES, Voice, VoiceGroup};
use lockstep_files::measured_song::MeasuredSong;
use lockstep_models::network::NET_STEPS;

use super::numbers::{deviation, percent, some_mean};

/// How many figures describe a song by itself.
pub(super) const N_DESCRIBED: usize = 14;

/// The figures of one song by itself, in [`Figures`](super::Figures)' order from `kick_on_bass`; `None` where undefined,
/// such as the mean velocity of no notes.
pub(super) type PerSong = [Option<f64>; N_DESCRIBED];

/// The figures of the steps `from .. to` of a song, which are whole measures.
pub(super) fn describe(sheet: &MeasuredSong, from: usize, to: usize) -> PerSong {
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
    let is_backbeat = |row: &[u8; N_VOICES]| {
        let mut voices = Voice::ALL.into_iter();
        voices.any(|voice| voice.group() == VoiceGroup::Snare && row[voice.index()] > 0)
    };
    let n_backbeats = measures
        .iter()
        .filter(|m| is_backbeat(&m[4]) && is_backbeat(&m[12]))
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
        // Counted over the whole file, as score.py does.
        percent(sheet.n_not_gm as f64, sheet.strokes.len() as f64).filter(|_| !strokes.is_empty()),
    ]
}
