//! Training data of the learnt baselines: measures of bass and the drums that followed, from the train split.

use std::path::Path;

use anyhow::{Result, ensure};
use lockstep_core::representation::{Meter, N_VOICES};
use lockstep_models::network::NET_STEPS;

use crate::corpus::{Corpus, SongView, Split};
use crate::evaluation::baselines::Lesson;

/// Songs read at most, evenly spread: a marginal distribution and a nearest rhythm gain nothing from more.
const MAX_SONGS: usize = 3_000;

/// Every pair of adjacent sixteen-step measures with bass in the first.
///
/// # Errors
/// If the corpus file cannot be read, or holds no such pair.
pub(super) fn lessons(data: &Path) -> Result<Vec<Lesson>> {
    let corpus = Corpus::open(data)?;
    let songs: Vec<_> = corpus
        .songs(Split::Train)
        .filter(|song| song.has_bass)
        .collect();
    let n = MAX_SONGS.min(songs.len());
    let chosen = (0..n).map(|i| songs[i * songs.len() / n]);
    let lessons: Vec<Lesson> = chosen.flat_map(of_song).collect();
    ensure!(
        !lessons.is_empty(),
        "no song of the train split in {} can be learnt from",
        data.display()
    );
    Ok(lessons)
}

/// The lessons of one song.
fn of_song(song: SongView<'_>) -> impl Iterator<Item = Lesson> {
    (1..song.n_measures()).filter_map(move |m| {
        let (before, next) = (song.measure(m - 1), song.measure(m));
        if [before.meter, next.meter].map(Meter::n_steps) != [NET_STEPS; 2] {
            return None;
        }
        let onsets = before
            .bass
            .iter()
            .fold(0, |bits, note| bits | 1 << note.step_idx);
        let mut drums = [[0; N_VOICES]; NET_STEPS];
        for hit in next.hits {
            drums[usize::from(hit.step_idx)][usize::from(hit.voice)] = hit.velocity;
        }
        (onsets != 0).then_some((onsets, drums))
    })
}

#[cfg(test)]
mod tests {
    use crate::corpus::{BassNote, DrumHit, MeasureRecord, SongRecord, write};

    use super::*;

    #[test]
    fn a_lesson_pairs_bass_with_the_drums_of_the_next_measure() -> Result<()> {
        let measure = |bass: &[u8], hits: &[u8]| MeasureRecord {
            meter: Meter::COMMON,
            tempo_bpm: 120.0,
            swing: lockstep_core::representation::Swing::STRAIGHT,
            bass: bass
                .iter()
                .map(|step| BassNote::new(*step, 33, 90, 1))
                .collect(),
            hits: hits
                .iter()
                .map(|step_idx| DrumHit {
                    step_idx: *step_idx,
                    voice: 0,
                    velocity: 90,
                    offset: 0,
                })
                .collect(),
        };
        let song = SongRecord {
            measures: vec![
                measure(&[0, 6], &[]),
                measure(&[], &[2]),
                measure(&[1], &[]),
            ],
            ..SongRecord::default()
        };
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("one.lockstep");
        write(&path, [song])?;
        let lessons = lessons(&path)?;
        // The second measure has no bass, and no measure follows the third.
        assert_eq!(lessons.len(), 1);
        assert_eq!((lessons[0].0, lessons[0].1[2][0]), (0b100_0001, 90));
        Ok(())
    }

    #[test]
    fn the_error_names_a_missing_corpus_file() {
        let error = lessons(Path::new("no.lockstep")).map_err(|e| e.to_string());
        assert!(error.is_err_and(|text| text.contains("no.lockstep")));
    }
}
