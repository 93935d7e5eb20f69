//! The idea of a song: a family, a groove and a touch that the ear finds to suit the bass. Drawn once and held.
//!
//! The draws depend on the seed, on the number of the idea, and on the first measure in which the bass plays: the same bass
//! gives the same idea, and another song another one. While the first measures are heard the ear's opinion changes and the
//! draws stay, so that the idea settles.

use lockstep_core::draws;
use lockstep_core::generator::GeneratorSettings;

use super::memory::OpeningRow;
use crate::network::NET_STEPS;
use crate::network::player::ear::N_FAMILIES;
use crate::network::player::touch::N_LEVELS;
use crate::network::player::{BassRow, Given, Levels, PlainEar, Touch};

/// Separates the streams of draws from one another, and from those of [`super::cells`].
const FAMILY: u64 = 41;
const GROOVE: u64 = 42;
const TOUCHES: u64 = 43;
const SONG: u64 = 44;
const LEVEL: u64 = 45;

/// What ideas choose from.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    /// What is less likely than this share of the likeliest is never chosen.
    pub(super) least_share: f32,
    /// Added to the log-odds of every family.
    pub(super) naming: f32,
    pub(super) touches: Vec<Touch>,
    /// The sets of each touch, one touch after another.
    pub(super) levels: Vec<Levels>,
}

/// What a drummer has in mind for a song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Idea {
    /// A number by which every draw differs from song to song; 0 before the bass plays.
    pub(super) song: u64,
    /// Index of the family; `None` if nothing in the bass names one.
    pub(super) family: Option<usize>,
    /// Index of the groove.
    pub(super) groove: usize,
    pub(super) touch: Touch,
    /// The velocities of the voices that are played evenly.
    pub(super) levels: Levels,
}

impl Idea {
    /// The idea for an opening. A style that is asked for is the family.
    pub(super) fn draw(
        ear: &PlainEar,
        choices: &Choices,
        settings: GeneratorSettings,
        opening: &[OpeningRow],
    ) -> Self {
        let song = opening.first().map_or(0, |open| song(&open.row.bass));
        let measures: Vec<(BassRow, Given)> = opening.iter().map(as_heard).collect();
        let heard = ear.hear(measures.iter().map(|(bass, given)| (bass, given)));
        let key = |stream| [stream, settings.seed.into(), settings.idea.into(), song];
        let asked = settings.style.map(usize::from);
        let family = asked.filter(|family| *family < N_FAMILIES).or_else(|| {
            let mut log_odds = ear.family(&heard);
            for family in &mut log_odds[..N_FAMILIES] {
                *family += choices.naming;
            }
            let drawn = choose(&log_odds, choices.least_share, key(FAMILY));
            Some(drawn).filter(|drawn| *drawn < N_FAMILIES)
        });
        let (groove, touch) = ear.rest(&heard, family);
        let touch = choose(&touch, choices.least_share, key(TOUCHES));
        let set = touch * N_LEVELS + choose(&[0.0; N_LEVELS], 0.0, key(LEVEL));
        Self {
            song,
            family,
            groove: choose(&groove, choices.least_share, key(GROOVE)),
            touch: choices.touches.get(touch).copied().unwrap_or_default(),
            levels: choices.levels.get(set).copied().unwrap_or_default(),
        }
    }
}

/// What the ear hears of a measure.
fn as_heard(open: &OpeningRow) -> (BassRow, Given) {
    let given = Given {
        tempo_bpm: open.tempo_bpm,
        n_steps: open.row.n_steps,
        counts_eighths: open.row.meter.denominator() == 8,
        swing: open.swing,
        ..Given::default()
    };
    (open.row.bass, given)
}

/// A hash of the steps at which notes begin, and of their pitch classes.
fn song(bass: &BassRow) -> u64 {
    (0..NET_STEPS).fold(SONG, |hash, step| {
        let begun = bass.begun(step);
        if begun == 0 {
            hash
        } else {
            draws::hash(&[hash, step as u64, begun])
        }
    })
}

/// Draws an index with the probabilities that these log-odds stand for, by the largest sum with Gumbel noise. What is less likely
/// than `least_share` of the likeliest is left out: an idea stays for the whole song, and an odd one spoils it.
fn choose(log_odds: &[f32], least_share: f32, [stream, seed, idea, song]: [u64; 4]) -> usize {
    let most = log_odds.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let least = most + least_share.ln();
    let sums = (0_u64..)
        .zip(log_odds)
        .enumerate()
        .filter(|(_, (_, log_odds))| **log_odds >= least)
        .map(|(idx, (i, log_odds))| {
            let sum = log_odds + draws::gumbel(&[stream, seed, idea, song, i]);
            (idx, sum)
        });
    let largest = sums.max_by(|(_, a), (_, b)| a.total_cmp(b));
    largest.map_or(0, |(idx, _)| idx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_drawn_as_often_as_its_log_odds_say() {
        let shares = [0.5_f32, 0.3, 0.2];
        let log_odds = shares.map(|share| share.ln() + 7.0);
        let mut drawn = [0; 3];
        for seed in 0..5000 {
            drawn[choose(&log_odds, 0.0, [FAMILY, seed, 0, 0])] += 1;
        }
        for (share, drawn) in shares.into_iter().zip(drawn) {
            let off = (share - drawn as f32 / 5000.0).abs();
            assert!(off < 0.03, "{drawn} of 5000 for {share}");
        }
    }

    #[test]
    fn what_is_much_less_likely_than_the_likeliest_is_never_drawn() {
        let log_odds = [0.6_f32, 0.25, 0.15].map(f32::ln);
        let mut drawn = [0; 3];
        for seed in 0..500 {
            drawn[choose(&log_odds, 0.3, [GROOVE, seed, 0, 0])] += 1;
        }
        assert!(drawn[0] > drawn[1] && drawn[1] > 50, "{drawn:?}");
        assert_eq!(drawn[2], 0);
    }

    #[test]
    fn a_song_is_known_by_where_its_notes_begin_and_by_their_pitch_classes() {
        let row = |notes: &[(usize, usize)]| {
            let mut row = BassRow::default();
            for (step, pitch) in notes {
                row.begin(*step, *pitch, 0.8, 0.0);
            }
            song(&row)
        };
        let this = row(&[(0, 5), (6, 7)]);
        assert_eq!(this, row(&[(6, 19), (0, 17)]));
        assert_ne!(this, row(&[(0, 5), (7, 7)]));
        assert_ne!(this, row(&[(0, 5), (6, 8)]));
        assert_ne!(this, row(&[(0, 5)]));
    }
}
