//! What the learnt baselines learn from: measures of bass and the drums that followed, of the train split.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use lockstep_models::evaluation::baselines::Lesson;
use lockstep_models::midi_file::{self, Pick};
use lockstep_models::network::NET_STEPS;
use lockstep_models::representation::N_VOICES;
use lockstep_models::training::corpus::{self, GridSong, Split};
use rayon::prelude::*;

/// Songs read at most, evenly spread: a marginal and a nearest rhythm gain nothing from more, and reading them all
/// takes minutes.
const MAX_SONGS: usize = 3_000;

/// Every pair of measures with bass in the first.
///
/// # Errors
/// If the corpus cannot be read, or holds no such pair.
pub(super) fn lessons(folder: &Path, data: Option<&Path>) -> Result<Vec<Lesson>> {
    if let Some(path) = data {
        ensure!(
            path.exists(),
            "there is no prepared corpus at {}",
            path.display()
        );
        bail!(
            "{} cannot be read: this version knows no prepared corpus; leave --data out",
            path.display()
        );
    }
    let listed = corpus::list(folder, Split::Train)?;
    let n = MAX_SONGS.min(listed.len());
    let lessons: Vec<Lesson> = (0..n)
        .into_par_iter()
        .filter_map(|i| {
            let (path, source) = &listed[i * listed.len() / n];
            let bytes = fs::read(folder.join(path)).ok()?;
            let song = midi_file::read(&bytes, Pick::default()).ok()?;
            corpus::to_grid(path.clone(), source, &song)
        })
        .flat_map_iter(|song| of_song(&song))
        .collect();
    ensure!(
        !lessons.is_empty(),
        "no song of the train split in {} can be learnt from",
        folder.display()
    );
    Ok(lessons)
}

/// The lessons of one song.
fn of_song(song: &GridSong) -> Vec<Lesson> {
    let mut onsets = vec![0_u16; song.n_measures];
    for note in &song.bass {
        let step = note.step as usize;
        if let Some(bits) = onsets.get_mut(step / NET_STEPS) {
            *bits |= 1 << (step % NET_STEPS);
        }
    }
    let followed = song.drums.chunks_exact(NET_STEPS).skip(1);
    onsets
        .into_iter()
        .zip(followed)
        .filter(|(bits, _)| *bits != 0)
        .map(|(bits, drums)| {
            let mut measure = [[0; N_VOICES]; NET_STEPS];
            measure.copy_from_slice(drums);
            (bits, measure)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockstep_models::training::corpus::GridNote;

    #[test]
    fn a_lesson_pairs_bass_with_the_drums_of_the_next_measure() {
        let bass = [0, 6, 33].map(|step| GridNote {
            step,
            n_steps: 1,
            key: 33,
        });
        let mut drums = vec![[0; N_VOICES]; 3 * NET_STEPS];
        drums[18][0] = 90;
        let song = GridSong {
            path: String::new(),
            weight: 1.0,
            n_measures: 3,
            bass: bass.to_vec(),
            drums,
        };
        let lessons = of_song(&song);
        assert_eq!(
            lessons.len(),
            1,
            "the second measure has no bass, the third no next"
        );
        assert_eq!((lessons[0].0, lessons[0].1[2][0]), (0b100_0001, 90));
    }

    #[test]
    fn data_that_is_not_known_is_an_error_that_names_it() {
        let error = lessons(Path::new("corpus"), Some(Path::new("no.lockstep")));
        assert!(error.is_err_and(|e| e.to_string().contains("no.lockstep")));
    }
}
