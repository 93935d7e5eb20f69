//! Validation of a player: it plays validation songs closed loop, with one seed for all, as one bassist has it, and classifiers
//! try to tell its takes from people's.

use anyhow::Result;
use lockstep_core::generator::{DEFAULT_SEED, GeneratorSettings};
use lockstep_models::predict::Predictor;
use serde_json::json;

use crate::corpus::{Corpus, SongView, Split};
use crate::evaluate::VARIATION;
use crate::evaluation::{self, GridSong, Report};
use crate::realism::{Realism, View};

/// Songs that are played, at most.
const N_SONGS: usize = 100;
/// Measures of each.
const N_MEASURES: usize = 48;
/// Lock gain below which a drummer follows less than people do, and what a point less costs.
const LOCK_GAIN: f64 = 14.0;
const COST: f64 = 1.0;

/// The validation songs.
#[derive(Debug)]
pub(super) struct Audience {
    songs: Vec<GridSong>,
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Impression {
    report: Report,
    realism: Realism,
}

impl Audience {
    /// Songs with a bass of the validation split.
    pub(super) fn new(corpus: &Corpus, open_only: bool) -> Self {
        let is_heard = |song: &SongView<'_>| song.has_bass && (song.is_open || !open_only);
        let songs = corpus.songs(Split::Valid).filter(is_heard);
        let songs: Vec<_> = songs.filter_map(GridSong::from_view).collect();
        let songs = evaluation::pick(&songs, N_SONGS).into_iter().cloned();
        Self {
            songs: songs.collect(),
        }
    }

    /// Lets a drummer play to all of them.
    pub(super) fn hear(&self, drummer: &mut Predictor) -> Result<Impression> {
        let songs: Vec<&GridSong> = self.songs.iter().collect();
        let settings = GeneratorSettings {
            seed: DEFAULT_SEED,
            variation: VARIATION,
            ..GeneratorSettings::default()
        };
        let takes = evaluation::takes(drummer, &songs, N_MEASURES, |_| settings)?;
        Ok(Impression {
            report: evaluation::score(&takes),
            realism: Realism::of(&takes),
        })
    }
}

impl Impression {
    /// The score that chooses weights, the higher the better: how far classifiers are from telling every window by hits, by
    /// hits and velocities, and by figures of the hits; less what is missing of people's lock gain.
    pub(super) fn score(&self) -> f64 {
        let told = self.told();
        let mean = told.iter().map(|(_, accuracy)| accuracy).sum::<f64>() / told.len() as f64;
        100.0 - mean - COST * (LOCK_GAIN - self.report.take.lock_gain).max(0.0)
    }

    /// Views of the hits and how many windows in a hundred are told; without enough songs all are.
    fn told(&self) -> [(&'static str, f64); 3] {
        [View::Hits, View::HitsAndVelocity, View::FiguresOfHits].map(|view| {
            let place = View::ALL.iter().position(|each| *each == view);
            let verdict = place.and_then(|place| self.realism.verdicts[place]);
            (
                view.name(),
                verdict.map_or(100.0, |verdict| verdict.accuracy),
            )
        })
    }

    /// In one line.
    pub(super) fn line(&self) -> String {
        let told = self.told();
        let told = told.map(|(view, accuracy)| format!("{view} {accuracy:.1}"));
        let take = &self.report.take;
        format!(
            "told by {}; lock gain {:+.1}, repeat {:.0}, notes {:.1}, backbeat {:.0}, consistency {:.0}, overlap {:.2}",
            told.join(", "),
            take.lock_gain,
            take.repeat,
            take.notes,
            take.backbeat,
            take.consistency,
            self.report.oa
        )
    }

    /// For the weights' card.
    pub(super) fn figures(&self) -> serde_json::Value {
        let round = |x: f64| (x * 100.0).round() / 100.0;
        let told = self.told();
        let told = told.map(|(view, accuracy)| (view.to_owned(), json!(round(accuracy))));
        json!({
            "songs": self.realism.n_songs,
            "told-by": serde_json::Map::from_iter(told),
            "lock-gain": round(self.report.take.lock_gain),
            "repeat": round(self.report.take.repeat),
            "oa": round(self.report.oa),
        })
    }
}
