//! Whether a classifier that has learnt other songs can tell takes from people (a classifier two-sample test; Lopez-Paz and
//! Oquab, 2017).

use super::window_figures::figures;
use super::windows::Window;
use crate::learners::{
    BoostSettings, Boosting, ExtraTrees, Logistic, Table, TreeSettings, area_under_curve,
    group_folds,
};

/// Each fold of songs is answered by what the other four have taught.
const N_FOLDS: usize = 5;

/// Share of the penalty on the weights of the logistic regression.
const C: f64 = 0.01;

/// What a classifier sees of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Which voices play at which steps, and the bass.
    Hits,
    /// The same with velocities.
    HitsAndVelocity,
    /// Rates, velocities, timing and repeats.
    Figures,
    /// The same without velocities and timing.
    FiguresOfHits,
}

impl View {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 4] = [
        Self::Hits,
        Self::HitsAndVelocity,
        Self::Figures,
        Self::FiguresOfHits,
    ];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hits => "hits",
            Self::HitsAndVelocity => "hits and velocity",
            Self::Figures => "figures of the window",
            Self::FiguresOfHits => "figures of the hits",
        }
    }

    fn row(self, window: &Window) -> Vec<f32> {
        let hits = || {
            let bass = window.bass.iter().map(|is_onset| u8::from(*is_onset));
            let drums = window.nine.iter().flatten().map(|v| u8::from(*v > 0));
            bass.chain(drums).map(f32::from)
        };
        let velocities = || {
            let drums = window.nine.iter().flatten();
            drums.map(|velocity| f32::from(*velocity) / 127.0)
        };
        match self {
            Self::Hits => hits().collect(),
            Self::HitsAndVelocity => hits().chain(velocities()).collect(),
            Self::Figures => narrow(&figures(window, false)),
            Self::FiguresOfHits => narrow(&figures(window, true)),
        }
    }
}

/// How well takes were told from people.
#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    /// Windows that were told right, in percent; 50 is chance.
    pub accuracy: f64,
    /// How often a take is called more probably one than a window of people's, in percent; 50 is chance.
    pub auc: f64,
}

/// Tells takes from people by one view; `None` for fewer songs than folds.
pub(super) fn tell_apart(windows: &[Window], view: View) -> Option<Verdict> {
    let rows: Vec<Vec<f32>> = windows.iter().map(|window| view.row(window)).collect();
    let table = Table::new(rows.first()?.len(), rows.concat());
    let is_take: Vec<bool> = windows.iter().map(|window| window.is_take).collect();
    let songs: Vec<usize> = windows.iter().map(|window| window.song).collect();
    let folds = group_folds(&songs, N_FOLDS);
    let mut scores = vec![0.0; windows.len()];
    for fold in 0..N_FOLDS {
        let (asked, known): (Vec<usize>, Vec<usize>) =
            (0..windows.len()).partition(|i| folds[*i] == fold);
        if asked.is_empty() {
            return None;
        }
        let labels: Vec<bool> = known.iter().map(|i| is_take[*i]).collect();
        let answers = answers(view, &table.select(&known), &labels, &table.select(&asked));
        for (i, answer) in asked.into_iter().zip(answers) {
            scores[i] = answer;
        }
    }
    let told = scores.iter().map(|score| *score > 0.5);
    let n_right = told.zip(&is_take).filter(|(a, b)| a == *b).count();
    Some(Verdict {
        accuracy: 100.0 * n_right as f64 / windows.len() as f64,
        auc: 100.0 * area_under_curve(&scores, &is_take),
    })
}

/// How probably each row is a take: the mean of trees and logistic regression. Many cells are answered by trees drawn at
/// random, few figures by boosting.
fn answers(view: View, known: &Table, labels: &[bool], asked: &Table) -> Vec<f32> {
    let classes: Vec<u32> = labels.iter().map(|label| u32::from(*label)).collect();
    let second = |both: Vec<f32>| both.into_iter().skip(1).step_by(2).collect::<Vec<f32>>();
    let by_trees = match view {
        View::Hits | View::HitsAndVelocity => {
            let settings = TreeSettings {
                n_trees: 400,
                min_rows_in_leaf: 2,
                ..TreeSettings::default()
            };
            second(ExtraTrees::fit(known, &classes, 2, &settings).probabilities(asked))
        }
        View::Figures | View::FiguresOfHits => {
            let settings = BoostSettings {
                n_rounds: 250,
                learning_rate: 0.06,
                l2: 1.0,
                ..BoostSettings::default()
            };
            Boosting::fit(known, labels, &settings).probabilities(asked)
        }
    };
    let by_weights = second(Logistic::fit(known, &classes, 2, C).probabilities(asked));
    let both = by_trees.into_iter().zip(by_weights);
    both.map(|(a, b)| f32::midpoint(a, b)).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the learners' tables are in f32"
)]
fn narrow(figures: &[f64]) -> Vec<f32> {
    figures.iter().map(|x| *x as f32).collect()
}
