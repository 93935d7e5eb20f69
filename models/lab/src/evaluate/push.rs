//! The push test: how soon a drummer follows another bass. After sixteen measures of one song the bass of another one goes on,
//! and the lock gain is measured measure by measure: from a cold start, before and after.
//!
//! The drums of a measure are decided by the bass of those before, so in the first measure of the new bass nobody can follow.

use anyhow::Result;
use lockstep_core::generator::DEFAULT_SEED;
use lockstep_core::representation::{Position, Voice};
use lockstep_files::measured_song::MeasuredSong;
use lockstep_files::midi_file::{Note, Song};
use lockstep_models::network::NET_STEPS;
use rayon::prelude::*;

use super::drummers::Candidate;
use super::playing::{controls, play};
use super::songs::{EvaluationSong, MEASURE, excerpt, first_measure};
use super::table::{aligned, signed};

/// Measures of each bass that are measured. Before the first there is one more, which is only heard.
const N_HALF: usize = 16;

/// Measures that are told one by one, from the start and from the splice.
const N_SINGLE: usize = 4;

/// Measures with bass that a song needs, of those that are heard.
const MIN_WITH_BASS: usize = 14;

/// Pairs of songs, at most.
const MAX_PAIRS: usize = 100;

/// Two basses whose onsets agree more than this, in percent (F1), are no push.
const SAME: f64 = 80.0;

/// How much faster or slower the second song may be.
const MAX_TEMPO_RATIO: f64 = 1.1;

/// Lock gain by measure; NaN where there are no songs to measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PushResponse {
    /// Pairs of songs.
    pub(super) n_pairs: usize,
    /// In the first measures after the one that was only heard.
    pub(super) cold: [f64; N_SINGLE],
    /// In the rest of the measures before the splice.
    pub(super) before: f64,
    /// In the first measures of the new bass.
    pub(super) after: [f64; N_SINGLE],
    /// In the rest of them.
    pub(super) later: f64,
}

/// Songs that go on as other songs, with the drums that people played to either, at the tempo of the first.
#[derive(Clone, Debug)]
pub(super) struct Spliced(Vec<Song>);

impl Spliced {
    /// Joins songs of similar tempo: each goes on as the next faster one with another rhythm.
    pub(super) fn of(pieces: &[EvaluationSong]) -> Self {
        let mut songs: Vec<(f64, Song, Vec<u16>)> = pieces
            .iter()
            .filter_map(|piece| {
                let song = excerpt(&piece.song, first_measure(&piece.song), 1 + N_HALF);
                let onsets = bass(&song, 1 + N_HALF);
                let n_with_bass = onsets.iter().filter(|bits| **bits != 0).count();
                let tempo = song.tempo_at(Position::START);
                (n_with_bass >= MIN_WITH_BASS).then_some((tempo, song, onsets))
            })
            .collect();
        songs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let pair = |i: usize| {
            let (tempo, first, onsets) = &songs[i];
            let later = songs.iter().skip(i + 1);
            let mut near = later.take_while(|other| other.0 <= tempo * MAX_TEMPO_RATIO);
            let second = near.find(|other| f1(onsets, &other.2) < SAME)?;
            Some(joined(first, &second.1))
        };
        let pairs: Vec<Song> = (0..songs.len()).filter_map(pair).collect();
        let n = MAX_PAIRS.min(pairs.len());
        let chosen = (0..n).map(|i| pairs[i * pairs.len() / n].clone());
        Self(chosen.collect())
    }

    /// How a drummer follows.
    pub(super) fn played_by(&self, drummer: &Candidate) -> Result<PushResponse> {
        let controls = controls(DEFAULT_SEED);
        let takes: Vec<Song> = (self.0.par_iter())
            .map(|song| play(drummer, drummer.generator()?.as_mut(), song, &controls))
            .collect::<Result<_>>()?;
        Ok(self.response(&takes))
    }

    /// How people follow who know both songs: they play the drums of each, without having to listen.
    pub(super) fn played_by_people(&self) -> PushResponse {
        self.response(&self.0)
    }

    fn response(&self, takes: &[Song]) -> PushResponse {
        let n_measures = 1 + 2 * N_HALF;
        let basses: Vec<Vec<u16>> = self.0.iter().map(|song| bass(song, n_measures)).collect();
        let kicks: Vec<Vec<u16>> = takes.iter().map(|take| kicks(take, n_measures)).collect();
        let gains: Vec<f64> = (0..n_measures)
            .map(|m| {
                let at = |song: &Vec<u16>| song[m];
                lock_gain(
                    &kicks.iter().map(at).collect::<Vec<_>>(),
                    &basses.iter().map(at).collect::<Vec<_>>(),
                )
            })
            .collect();
        let single = |first: usize| std::array::from_fn(|i| gains[first + i]);
        let rest = |first: usize| {
            let rest = &gains[first + N_SINGLE..first + N_HALF];
            rest.iter().sum::<f64>() / rest.len() as f64
        };
        PushResponse {
            n_pairs: self.0.len(),
            cold: single(1),
            before: rest(1),
            after: single(1 + N_HALF),
            later: rest(1 + N_HALF),
        }
    }
}

/// The first song, and after its measures those of the second without the first of them.
fn joined(first: &Song, second: &Song) -> Song {
    let second = excerpt(second, 1, N_HALF);
    let shift = MEASURE * (1 + N_HALF) as f64;
    let both = |first: &[Note], second: &[Note]| {
        let later = second.iter().map(|note| Note {
            start: note.start + shift,
            end: note.end + shift,
            ..*note
        });
        first.iter().copied().chain(later).collect()
    };
    Song {
        bass: both(&first.bass, &second.bass),
        drums: both(&first.drums, &second.drums),
        end: Position::START + MEASURE * (1 + 2 * N_HALF) as f64,
        ..first.clone()
    }
}

/// The bass onsets of each measure as bits.
fn bass(song: &Song, n_measures: usize) -> Vec<u16> {
    bits(n_measures, &MeasuredSong::from_song(song).bass)
}

/// The kicks of each measure as bits.
fn kicks(song: &Song, n_measures: usize) -> Vec<u16> {
    let drums = MeasuredSong::from_song(song).drums;
    let kicks = drums.iter().map(|row| row[Voice::Kick.index()] > 0);
    bits(n_measures, &kicks.collect::<Vec<_>>())
}

fn bits(n_measures: usize, steps: &[bool]) -> Vec<u16> {
    let mut measures = vec![0; n_measures];
    for (measure, steps) in measures.iter_mut().zip(steps.chunks(NET_STEPS)) {
        let played = steps
            .iter()
            .enumerate()
            .filter(|(_, is_played)| **is_played);
        *measure = played.fold(0, |bits, (step_idx, _)| bits | 1 << step_idx);
    }
    measures
}

/// F1 of two rhythms, in percent; 0 if neither plays.
fn f1(a: &[u16], b: &[u16]) -> f64 {
    let n = |bits: u16| f64::from(bits.count_ones());
    let both = a.iter().zip(b).map(|(a, b)| n(a & b)).sum::<f64>();
    let all = a.iter().chain(b).map(|bits| n(*bits)).sum::<f64>();
    200.0 * both / all.max(1.0)
}

/// Kick F1 of one measure of each song against its own bass minus the mean against the others'; songs whose bass rests there
/// are left out.
fn lock_gain(kicks: &[u16], basses: &[u16]) -> f64 {
    let sounding: Vec<usize> = (0..basses.len()).filter(|i| basses[*i] != 0).collect();
    let against = |i: usize, j: usize| f1(&kicks[i..=i], &basses[j..=j]);
    let n_others = sounding.len().saturating_sub(1) as f64;
    let gains = sounding.iter().map(|&i| {
        let others = sounding.iter().filter(|j| **j != i);
        against(i, i) - others.map(|j| against(i, *j)).sum::<f64>() / n_others
    });
    gains.sum::<f64>() / sounding.len() as f64
}

/// The responses as Markdown, one row each; empty without pairs.
pub(super) fn table(rows: &[(&str, PushResponse)]) -> String {
    let Some((_, PushResponse { n_pairs, .. })) = rows.iter().find(|(_, r)| r.n_pairs > 1) else {
        return String::new();
    };
    let heading = "drummer 1 2 3 4 5–16 17 18 19 20 21–32".split(' ');
    let mut lines = vec![heading.map(str::to_owned).collect::<Vec<String>>()];
    for (name, r) in rows {
        let gains = [&r.cold[..], &[r.before], &r.after, &[r.later]].concat();
        let cells = gains.into_iter().map(signed);
        lines.push(std::iter::once((*name).to_owned()).chain(cells).collect());
    }
    format!(
        "{}\n\nThe push test: lock gain by measure, over {n_pairs} pairs of songs. Measure 0 is only heard. From measure 17 \
         on the bass is another song's, of a similar tempo; it is first heard while 17 is played, so 18 can answer it. \
         People play what they played to either song, and know it.",
        aligned(&lines)
    )
}

#[cfg(test)]
mod tests {
    use crate::evaluation::baselines::{KickOnBass, Rock};

    use super::*;

    /// Twenty measures at this tempo with bass on these beats, a kick with it, and a rest before.
    fn piece(tempo: f64, beats: &[f64]) -> EvaluationSong {
        let notes: Vec<Note> = (2..22)
            .flat_map(|measure| beats.iter().map(move |beat| (measure, *beat)))
            .map(|(measure, beat)| Note {
                start: Position::at(f64::from(measure) * 4.0 + beat),
                end: Position::at(f64::from(measure) * 4.0 + beat + 0.2),
                key: 36,
                velocity: 90,
            })
            .collect();
        EvaluationSong {
            path: String::new(),
            song: Song {
                bass: notes.clone(),
                drums: notes,
                end: Position::at(88.0),
                tempos: vec![(Position::START, tempo)],
                ..Song::default()
            },
            licence: None,
        }
    }

    /// Rhythms that have nothing in common.
    fn pieces() -> Vec<EvaluationSong> {
        vec![
            piece(120.0, &[0.0, 1.5]),
            piece(100.0, &[0.5, 2.0]),
            piece(101.0, &[0.5, 2.0]),
            piece(104.0, &[1.0, 3.5]),
            piece(112.0, &[2.5, 3.0]),
        ]
    }

    #[test]
    fn a_song_goes_on_as_a_faster_one_of_another_rhythm() {
        let spliced = Spliced::of(&pieces());
        // 100 goes on as 104 and not as 101, whose rhythm is its own; nothing is faster than 120.
        assert_eq!(spliced.0.len(), 4);
        let basses = bass(&spliced.0[0], 1 + 2 * N_HALF);
        let (slow, next) = (1 << 2 | 1 << 8, 1 << 4 | 1 << 14);
        assert!(basses[..=N_HALF].iter().all(|bits| *bits == slow));
        assert!(basses[1 + N_HALF..].iter().all(|bits| *bits == next));
    }

    #[test]
    fn who_follows_the_last_measure_answers_in_the_second_of_the_new_bass() -> Result<()> {
        let spliced = Spliced::of(&pieces());
        let follower = spliced.played_by(&Candidate::rule(KickOnBass))?;
        for gain in [
            follower.cold[0],
            follower.before,
            follower.after[1],
            follower.later,
        ] {
            assert!(gain > 60.0, "{follower:?}");
        }
        assert!(follower.after[0] < 0.0, "{follower:?}");
        let deaf = spliced.played_by(&Candidate::rule(Rock))?;
        assert!(deaf.later < 30.0, "{deaf:?}");
        let people = spliced.played_by_people();
        assert!(people.after[0] > 60.0, "people know the song: {people:?}");
        assert!(table(&[("follower", follower)]).contains("| follower |"));
        Ok(())
    }

    #[test]
    fn one_song_alone_makes_no_table() {
        let response = Spliced::of(&pieces()[..1]).played_by_people();
        assert_eq!(response.n_pairs, 0);
        assert!(table(&[("people", response)]).is_empty());
    }
}
