//! Whether a drummer keeps playing the same way: the same bass repeated for 256 measures.
//!
//! A drummer that hears itself may amplify its own habits: play more and more, or less and less, or stop listening.

use anyhow::Result;
use lockstep_core::generator::DEFAULT_SEED;
use lockstep_core::representation::Position;
use lockstep_files::measured_song::MeasuredSong;
use lockstep_files::midi_file::{Note, Song};
use rayon::prelude::*;

use crate::evaluation::score;

use super::drummers::Candidate;
use super::playing::{controls, play};
use super::songs::{MEASURE, excerpt, measure_of};

/// Measures that are played.
const N_MEASURES: usize = 256;
/// First measure of the early and of the late stretch.
const STRETCHES: [usize; 2] = [16, 192];
/// Measures in a stretch.
const N_STRETCH: usize = 64;

/// Figures of the early and the late stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Drift {
    /// Hits per measure in measures 16 to 80 and 192 to 256.
    pub(super) notes: [f64; 2],
    /// Lock gain in the same measures; NaN for fewer than two songs.
    pub(super) lock_gain: [f64; 2],
}

/// Lets a drummer play to the beginnings of songs, each repeated.
pub(super) fn drift(drummer: &Candidate, beginnings: &[Song]) -> Result<Drift> {
    let takes: Vec<(Song, Song)> = beginnings
        .par_iter()
        .map(|song| {
            let song = repeated(song);
            let controls = controls(DEFAULT_SEED);
            let take = play(drummer, drummer.generator()?.as_mut(), &song, &controls)?;
            Ok((take, song))
        })
        .collect::<Result<_>>()?;
    let figures = STRETCHES.map(|first| {
        let sheet = |song| MeasuredSong::from_song(&excerpt(song, first, N_STRETCH));
        let pairs: Vec<_> = takes
            .iter()
            .map(|(take, song)| (sheet(take), sheet(song)))
            .collect();
        score(&pairs).take
    });
    Ok(Drift {
        notes: figures.map(|figures| figures.notes),
        lock_gain: figures.map(|figures| figures.lock_gain),
    })
}

/// Repeats the bass of a song's whole measures until [`N_MEASURES`] are full.
fn repeated(song: &Song) -> Song {
    let n = measure_of(song.end).max(1);
    let length = MEASURE * n as f64;
    let end = Position::START + length;
    let bass = (0..N_MEASURES.div_ceil(n)).flat_map(|turn| {
        let notes = song.bass.iter().filter(move |note| note.start < end);
        notes.map(move |note| Note {
            start: note.start + length * turn as f64,
            end: note.end.min(end) + length * turn as f64,
            ..*note
        })
    });
    Song {
        bass: bass.collect(),
        drums: Vec::new(),
        end: Position::START + MEASURE * N_MEASURES as f64,
        tempos: song.tempos.clone(),
        ..Song::default()
    }
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::Length;
    use lockstep_core::rule::RuleGroove;

    use super::*;

    /// Eight measures of bass on these beats.
    fn song(beats: &[f64]) -> Song {
        let bass = (0..8).flat_map(|measure| {
            beats.iter().map(move |beat| {
                let start = Position::START + MEASURE * f64::from(measure) + Length::of(*beat);
                Note {
                    start,
                    end: start + Length::of(0.25),
                    key: 33,
                    velocity: 90,
                }
            })
        });
        Song {
            bass: bass.collect(),
            end: Position::START + MEASURE * 8.0,
            ..Song::default()
        }
    }

    #[test]
    fn a_rule_does_not_drift() -> Result<()> {
        let songs = [song(&[0.0, 1.5, 2.5]), song(&[0.5, 1.0, 3.25])];
        assert_eq!(repeated(&songs[0]).bass.len(), 3 * N_MEASURES);
        let drift = drift(&Candidate::rule(RuleGroove), &songs)?;
        let is_steady = |[early, late]: [f64; 2]| early > 0.0 && (early - late).abs() < 1e-9;
        assert!(
            is_steady(drift.notes) && is_steady(drift.lock_gain),
            "{drift:?}"
        );
        Ok(())
    }
}
