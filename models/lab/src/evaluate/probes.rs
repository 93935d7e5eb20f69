//! How a drummer reacts: to other seeds, to a long song, to a bassist who rests, to the density knob; and how fast it
//! is.
//!
//! Uses the beginnings of a dozen songs, which is enough to tell one drummer from another.

use std::time::Instant;

use anyhow::Result;
use lockstep_core::generator::DEFAULT_SEED;
use lockstep_core::representation::{Length, Position};
use lockstep_engine::realtime::{Controls, SilencePolicy};
use lockstep_files::measured_song::MeasuredSong;
use lockstep_files::midi_file::{Note, Song};
use rayon::prelude::*;

use crate::evaluation::{RequestRecorder, agreement};

use super::drift::{Drift, drift};
use super::drummers::Candidate;
use super::playing::{controls, play};
use super::responses::{Responses, responses};
use super::songs::{EvaluationSong, MEASURE, excerpt, first_measure, measure_of};

/// Songs that are probed, evenly spread.
const N_SONGS: usize = 12;

/// Measures that are played of each song.
const N_MEASURES: usize = 32;

/// Seeds whose takes are compared.
const SEEDS: [u32; 3] = [1, 2, 3];

/// Overall densities at which hits are counted.
pub(super) const DENSITIES: [f32; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];

/// Measures in each phase: the bassist plays, rests, and plays again.
const N_PHASE: usize = 8;

/// Predictions that are timed.
const N_TIMED: usize = 256;

/// A drummer's reactions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Probes {
    /// How much takes of one song differ between seeds: mean of 100 − F1 of one take's hits against the other's.
    pub(super) diversity: f64,
    /// Change between early and late in a long song.
    pub(super) drift: Drift,
    /// Reaction to a bassist who rests, when the drummer is set to lay out.
    pub(super) lay_out: RestResponse,
    /// The same when it is set to keep time.
    pub(super) keep_time: RestResponse,
    /// Hits per measure at each of [`DENSITIES`].
    pub(super) hits: [f64; DENSITIES.len()],
    /// Reaction to each control; `None` if the drummer ignores controls.
    pub(super) responses: Option<Responses>,
    /// Median time of a prediction in one thread, in µs.
    pub(super) p50_us: f64,
    /// 99th percentile of the same.
    pub(super) p99_us: f64,
}

/// What happens during and after an eight-measure rest of the bass.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct RestResponse {
    /// Hits per measure in the last four measures of the rest.
    pub(super) hits: f64,
    /// Measures between the return of the bass and the return of the drums; eight if they do not come back.
    pub(super) back_after: f64,
}

impl Probes {
    /// Whether more density never makes fewer hits.
    pub(super) fn is_monotone(&self) -> bool {
        self.hits.is_sorted()
    }
}

/// Probes a drummer.
pub(super) fn probe(drummer: &Candidate, pieces: &[EvaluationSong]) -> Result<Probes> {
    let n = N_SONGS.min(pieces.len());
    let songs: Vec<&Song> = (0..n).map(|i| &pieces[i * pieces.len() / n].song).collect();
    let beginnings: Vec<Song> = songs
        .iter()
        .map(|song| excerpt(song, first_measure(song), N_MEASURES))
        .collect();
    let mut hits = [0.0; DENSITIES.len()];
    for (hits, density) in hits.iter_mut().zip(DENSITIES) {
        let controls = Controls {
            density,
            ..controls(DEFAULT_SEED)
        };
        *hits = mean(&beginnings, |song| {
            let take = take(drummer, song, &controls)?;
            let n_measures = measure_of(song.end).max(1);
            Ok(Some(take.drums.len() as f64 / n_measures as f64))
        })?;
    }
    let (p50_us, p99_us) = times(drummer, &beginnings)?;
    Ok(Probes {
        diversity: mean(&beginnings, |song| diversity(drummer, song))?,
        drift: drift(drummer, &beginnings)?,
        lay_out: rest(drummer, &songs, SilencePolicy::LayOut)?,
        keep_time: rest(drummer, &songs, SilencePolicy::KeepTime)?,
        hits,
        responses: responses(drummer, &beginnings)?,
        p50_us,
        p99_us,
    })
}

fn take(drummer: &Candidate, song: &Song, controls: &Controls) -> Result<Song> {
    play(drummer, drummer.generator()?.as_mut(), song, controls)
}

/// Mean over the songs that have a value; NaN if none has.
fn mean(songs: &[Song], value: impl Fn(&Song) -> Result<Option<f64>> + Send + Sync) -> Result<f64> {
    let values: Vec<Option<f64>> = songs.par_iter().map(value).collect::<Result<_>>()?;
    let values: Vec<f64> = values.into_iter().flatten().collect();
    Ok(values.iter().sum::<f64>() / values.len() as f64)
}

/// Mean difference between the takes of each pair of seeds, in percent.
fn diversity(drummer: &Candidate, song: &Song) -> Result<Option<f64>> {
    let mut sheets = Vec::new();
    for seed in SEEDS {
        sheets.push(MeasuredSong::from_song(&take(
            drummer,
            song,
            &controls(seed),
        )?));
    }
    let pairs = [(0, 1), (0, 2), (1, 2)];
    let differences: Vec<f64> = pairs
        .into_iter()
        .filter_map(|(a, b)| agreement(&sheets[a], &sheets[b]))
        .map(|agreement| 100.0 - agreement)
        .collect();
    Ok((!differences.is_empty())
        .then(|| differences.iter().sum::<f64>() / differences.len() as f64))
}

/// The bass plays eight measures, rests for eight, and plays the eight again.
fn with_rest(song: &Song) -> Song {
    let mut first = excerpt(song, first_measure(song), N_PHASE);
    // A later note would be heard as the first step of the rest.
    let last_cell = Position::START + MEASURE * N_PHASE as f64 - Length::of_steps(0.5);
    first.bass.retain(|note| note.start < last_cell);
    let back = MEASURE * 2.0 * N_PHASE as f64;
    let again = first.bass.iter().map(|note| Note {
        start: note.start + back,
        end: note.end + back,
        ..*note
    });
    Song {
        bass: first.bass.iter().copied().chain(again).collect(),
        drums: Vec::new(),
        end: Position::START + back * 1.5,
        ..first
    }
}

fn rest(drummer: &Candidate, songs: &[&Song], silence: SilencePolicy) -> Result<RestResponse> {
    let controls = Controls {
        silence,
        ..controls(DEFAULT_SEED)
    };
    let rests: Vec<RestResponse> = songs
        .par_iter()
        .map(|song| {
            let take = take(drummer, &with_rest(song), &controls)?;
            let measures = || take.drums.iter().map(|note| measure_of(note.start));
            let back = 2 * N_PHASE;
            let n_hits = measures().filter(|m| (back - 4..back).contains(m)).count();
            let first = measures().filter(|m| *m >= back).min();
            let back_after = first.map_or(N_PHASE, |measure| measure - back);
            Ok(RestResponse {
                hits: n_hits as f64 / 4.0,
                back_after: back_after as f64,
            })
        })
        .collect::<Result<_>>()?;
    let n = rests.len() as f64;
    Ok(RestResponse {
        hits: rests.iter().map(|rest| rest.hits).sum::<f64>() / n,
        back_after: rests.iter().map(|rest| rest.back_after).sum::<f64>() / n,
    })
}

/// Median and 99th percentile of the time per prediction, in µs. Nothing else runs meanwhile.
fn times(drummer: &Candidate, songs: &[Song]) -> Result<(f64, f64)> {
    let mut generator = drummer.generator()?;
    let mut requests = Vec::new();
    for song in songs {
        let mut overheard = RequestRecorder::new(generator.as_mut());
        play(drummer, &mut overheard, song, &controls(DEFAULT_SEED))?;
        requests.extend(overheard.requests);
        if requests.len() >= N_TIMED {
            break;
        }
    }
    let mut times_us = Vec::with_capacity(requests.len());
    for request in requests.iter().take(N_TIMED) {
        let begun = Instant::now();
        generator.predict(request)?;
        times_us.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    times_us.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let index = (times_us.len() * percent / 100).min(times_us.len().saturating_sub(1));
        times_us.get(index).copied().unwrap_or(f64::NAN)
    };
    Ok((at(50), at(99)))
}

#[cfg(test)]
mod tests {
    use lockstep_core::rule::RuleGroove;

    use crate::evaluation::baselines::Rock;

    use super::*;

    /// A bass in eighth notes on one key, twenty measures.
    fn piece() -> EvaluationSong {
        let bass: Vec<Note> = (0..160)
            .map(|i| Note {
                start: Position::at(f64::from(i) / 2.0),
                end: Position::at(f64::from(i) / 2.0 + 0.4),
                key: 33,
                velocity: 90,
            })
            .collect();
        EvaluationSong {
            path: String::new(),
            song: Song {
                bass,
                end: Position::at(80.0),
                ..Song::default()
            },
            licence: None,
        }
    }

    #[test]
    fn more_density_is_more_hits_and_the_groove_reacts_to_a_rest() -> Result<()> {
        let probes = probe(&Candidate::rule(RuleGroove), &[piece()])?;
        assert!(probes.is_monotone(), "{probes:?}");
        assert!(probes.hits[0] < probes.hits[4]);
        assert!(probes.diversity.abs() < 1e-9, "a rule ignores the seed");
        let lays_out = RestResponse {
            hits: 0.0,
            back_after: 1.0,
        };
        assert_eq!(probes.lay_out, lays_out);
        assert!(probes.keep_time.hits > 4.0);
        assert!(probes.keep_time.back_after.abs() < 1e-9);
        Ok(())
    }

    #[test]
    fn fewer_hits_at_more_density_are_noticed() -> Result<()> {
        let mut probes = probe(&Candidate::rule(Rock), &[piece()])?;
        assert!(probes.is_monotone());
        probes.hits[3] = 0.0;
        assert!(!probes.is_monotone());
        Ok(())
    }
}
