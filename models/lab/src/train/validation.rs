//! Validation while a run trains: closed loop, the drummer hears only the bass.

use anyhow::Result;
use lockstep_models::predict::Predictor;
use serde_json::json;

use crate::corpus::{Corpus, SongView, Split};
use crate::evaluation::{self, GridSong, Report};
use crate::training::run::RunFile;
use crate::training::trainer::Trainer;

/// Songs per validation, at most.
const N_SONGS: usize = 80;
/// Measures of each song that are played.
const N_MEASURES: usize = 40;
/// Lock gain of people on the held-out songs; more than that is no better.
const PEOPLES_LOCK_GAIN: f64 = 16.0;

/// The validation songs.
#[derive(Debug)]
pub(super) struct Validation {
    songs: Vec<GridSong>,
}

impl Validation {
    /// Picks songs with bass from the validation split; only open ones if the run trains on open songs only.
    pub(super) fn new(corpus: &Corpus, run: &RunFile) -> Self {
        let is_looked_at =
            |song: &SongView<'_>| song.has_bass && (song.is_open || !run.data.open_only);
        let songs = corpus.songs(Split::Valid).filter(is_looked_at);
        let songs: Vec<_> = songs.filter_map(GridSong::from_view).collect();
        let songs = evaluation::pick(&songs, N_SONGS).into_iter().cloned();
        Self {
            songs: songs.collect(),
        }
    }

    pub(super) fn n_songs(&self) -> usize {
        self.songs.len()
    }

    /// Plays with the averaged weights.
    pub(super) fn measure(&self, run: &RunFile, trainer: &Trainer) -> Result<Report> {
        let mut predictor = Predictor::from_parameters(run.config(), &trainer.average())?;
        let songs: Vec<&GridSong> = self.songs.iter().collect();
        Ok(evaluation::audition(&mut predictor, &songs, N_MEASURES)?)
    }
}

/// The score that chooses the best weights: F1, plus the lock gain up to that of people.
pub(super) fn score(report: &Report) -> f64 {
    let value = |x: f64| if x.is_finite() { x } else { 0.0 };
    value(report.take.f1) + value(report.take.lock_gain).min(PEOPLES_LOCK_GAIN)
}

/// The figures that go into a weights file's card.
pub(super) fn figures(report: &Report) -> serde_json::Value {
    let round = |x: f64| (x * 100.0).round() / 100.0;
    json!({
        "songs": report.n_songs,
        "f1": round(report.take.f1),
        "lock-gain": round(report.take.lock_gain),
        "oa": round(report.oa),
    })
}
