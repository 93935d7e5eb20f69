//! How a drummer responds to controls: follow, variation, fills, styles, and the loudness and feel of the bass.
//!
//! Only for networks that hear controls; on the beginnings of the probed songs, closed loop, one control at a time.

use anyhow::Result;
use lockstep_core::generator::DEFAULT_SEED;
use lockstep_core::representation::{Length, N_VOICES, Voice, is_fill};
use lockstep_engine::realtime::{Controls, Fills};
use lockstep_files::measured_song::MeasuredSong;
use lockstep_files::midi_file::{Note, Song};
use lockstep_models::network::NET_STEPS;
use rayon::prelude::*;

use crate::evaluation::{Figures, score};
use crate::training::styles::Styles;

use super::drummers::Candidate;
use super::playing::{controls, play};
use super::table::NONE;

/// Settings of follow.
pub(super) const FOLLOW: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// Settings of variation.
pub(super) const VARIATION: [f32; 5] = [0.0, 0.1, 0.3, 0.6, 1.0];
/// Settings of fills.
pub(super) const FILLS: [Fills; 3] = [Fills::Never, Fills::Free, Fills::Every(4)];
/// MIDI velocities of every bass note.
pub(super) const BASS_VELOCITY: [u8; 3] = [40, 80, 120];

/// The measured responses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Responses {
    /// Lock gain at each of [`FOLLOW`].
    pub(super) lock_gain: [f64; FOLLOW.len()],
    /// Measures identical to the one before, in percent, at each of [`VARIATION`].
    pub(super) repeat: [f64; VARIATION.len()],
    /// Fills in percent of the measures that end a phrase of four, and of the others, at each of [`FILLS`].
    pub(super) fills: [[f64; 2]; FILLS.len()],
    /// Share of takes whose groove is nearest to the requested style, in percent; then the share expected by chance,
    /// 100 / n for n styles.
    pub(super) style: [f64; 2],
    /// Mean MIDI velocity and hits per measure at each of [`BASS_VELOCITY`].
    pub(super) loudness: [[f64; 2]; BASS_VELOCITY.len()],
    /// Hits in the second half of a beat that fall within a sixth of a step of its last triplet, in percent: with the
    /// bass as it is, and with its off-beat eighths moved to that triplet.
    pub(super) shuffle: [f64; 2],
}

/// Measures a drummer's responses; `None` if it ignores controls.
pub(super) fn responses(drummer: &Candidate, songs: &[Song]) -> Result<Option<Responses>> {
    if !drummer.hears_controls {
        return Ok(None);
    }
    let styles = Styles::new(&drummer.styles);
    let n_styles = drummer.styles.len() / (NET_STEPS * N_VOICES);
    let mut is_asked = Vec::new();
    for style in 0..n_styles {
        let asked = with(|controls| controls.settings.style = u8::try_from(style).ok());
        let takes = takes(drummer, songs, &asked)?;
        is_asked.extend(
            takes
                .iter()
                .map(|(take, _)| styles.of_hits(&measures(take)) == Some(style)),
        );
    }
    let usual = controls(DEFAULT_SEED);
    let follow = |follow| with(move |controls| controls.settings.follow = follow);
    let vary = |variation| with(move |controls| controls.settings.variation = variation);
    let fill = |fills| with(move |controls| controls.fills = fills);
    Ok(Some(Responses {
        lock_gain: each(FOLLOW, |x| {
            Ok(figures(drummer, songs, &follow(x))?.lock_gain)
        })?,
        repeat: each(VARIATION, |x| Ok(figures(drummer, songs, &vary(x))?.repeat))?,
        fills: each(FILLS, |x| {
            Ok(fill_shares(&takes(drummer, songs, &fill(x))?))
        })?,
        style: [share(is_asked), 100.0 / n_styles.max(1) as f64],
        loudness: each(BASS_VELOCITY, |velocity| {
            let songs: Vec<Song> = songs.iter().map(|song| as_loud(song, velocity)).collect();
            let figures = figures(drummer, &songs, &usual)?;
            Ok([figures.vel_mean, figures.notes])
        })?,
        shuffle: each([false, true], |is_shuffled| {
            let songs: Vec<Song> = songs
                .iter()
                .map(|song| {
                    if is_shuffled {
                        shuffled(song)
                    } else {
                        song.clone()
                    }
                })
                .collect();
            Ok(on_triplets(&takes(drummer, &songs, &usual)?))
        })?,
    }))
}

/// One value per setting.
fn each<T: Copy, R: Copy + Default, const N: usize>(
    settings: [T; N],
    answer: impl Fn(T) -> Result<R>,
) -> Result<[R; N]> {
    let mut answers = [R::default(); N];
    for (value, setting) in answers.iter_mut().zip(settings) {
        *value = answer(setting)?;
    }
    Ok(answers)
}

/// The usual controls with one change.
fn with(change: impl Fn(&mut Controls)) -> Controls {
    let mut controls = controls(DEFAULT_SEED);
    change(&mut controls);
    controls
}

/// A drummer's takes of the songs, paired with the songs.
fn takes(drummer: &Candidate, songs: &[Song], controls: &Controls) -> Result<Vec<(Song, Song)>> {
    songs
        .par_iter()
        .map(|song| {
            let take = play(drummer, drummer.generator()?.as_mut(), song, controls)?;
            Ok((take, song.clone()))
        })
        .collect()
}

fn figures(drummer: &Candidate, songs: &[Song], controls: &Controls) -> Result<Figures> {
    let takes = takes(drummer, songs, controls)?;
    let sheets = takes
        .iter()
        .map(|(take, song)| (MeasuredSong::from_song(take), MeasuredSong::from_song(song)));
    Ok(score(&sheets.collect::<Vec<_>>()).take)
}

/// Which cells a take hits, measure by measure.
fn measures(take: &Song) -> Vec<[[bool; N_VOICES]; NET_STEPS]> {
    let drums = MeasuredSong::from_song(take).drums;
    let (measures, _) = drums.as_chunks::<NET_STEPS>();
    let measures = measures
        .iter()
        .map(|measure| measure.map(|row| row.map(|velocity| velocity > 0)));
    measures.collect()
}

/// Share of fills among the measures that end a phrase of four, and among the others; the first measure is silent.
fn fill_shares(takes: &[(Song, Song)]) -> [f64; 2] {
    let mut is_fill_at = [Vec::new(), Vec::new()];
    for (take, _) in takes {
        for (place, measure) in measures(take).iter().enumerate().skip(1) {
            let hits = measure.iter().enumerate().flat_map(|(step_idx, row)| {
                let voices = Voice::ALL
                    .into_iter()
                    .filter(move |voice| row[voice.index()]);
                voices.map(move |voice| (step_idx, voice))
            });
            let is_last = place % 4 == 3;
            is_fill_at[usize::from(!is_last)].push(is_fill(hits, NET_STEPS));
        }
    }
    is_fill_at.map(share)
}

/// The share that is true, in percent.
fn share(all: Vec<bool>) -> f64 {
    let n = all.len() as f64;
    100.0 * all.into_iter().filter(|is| *is).count() as f64 / n
}

fn as_loud(song: &Song, velocity: u8) -> Song {
    let mut song = song.clone();
    for note in &mut song.bass {
        note.velocity = velocity;
    }
    song
}

/// The song with each off-beat eighth note of the bass moved to the last triplet of its beat.
fn shuffled(song: &Song) -> Song {
    let mut song = song.clone();
    for Note { start, end, .. } in &mut song.bass {
        let off_beat = start.beat() + EIGHTH;
        if (*start - off_beat).abs() < Length::of(0.125) {
            *start = *start + TRIPLET - EIGHTH;
            *end = end.max(*start + Length::of(0.1));
        }
    }
    song
}

/// How far after a beat its off-beat eighth lies.
const EIGHTH: Length = Length::of(0.5);

/// How far after a beat its last triplet lies.
const TRIPLET: Length = Length::of(2.0 / 3.0);

/// Hits in the second half of a beat that fall near its last triplet, in percent.
fn on_triplets(takes: &[(Song, Song)]) -> f64 {
    let places = takes.iter().flat_map(|(take, _)| take.drums.iter());
    let places = places.map(|note| note.start - note.start.beat());
    let late: Vec<bool> = places
        .filter(|place| (Length::of(0.45)..Length::of(0.95)).contains(place))
        .map(|place| (place - TRIPLET).abs() < Length::of(1.0 / 24.0))
        .collect();
    share(late)
}

/// The responses as Markdown, one row per drummer; empty if no drummer hears controls.
pub(super) fn table(rows: &[(&str, Responses)]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let list = |values: &[f64]| {
        let values: Vec<String> = values.iter().map(|value| format!("{value:.0}")).collect();
        values.join(" ")
    };
    let pairs = |pairs: &[[f64; 2]]| {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|[a, b]| format!("{a:.0}/{b:.0}"))
            .collect();
        pairs.join(" ")
    };
    let mut lines = vec![
        "| drummer | follow | variation | fills | style | bass velocity | shuffle |".to_owned(),
        "| --- | --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    for (name, r) in rows {
        // The player's styles are families, which have no mean measure.
        let style = if r.style[0].is_nan() {
            NONE.to_owned()
        } else {
            list(&r.style)
        };
        lines.push(format!(
            "| {name} | {} | {} | {} | {} | {} | {} |",
            list(&r.lock_gain),
            list(&r.repeat),
            pairs(&r.fills),
            style,
            pairs(&r.loudness),
            list(&r.shuffle)
        ));
    }
    lines.push(String::new());
    lines.push(
        "What the controls do, one at a time. follow: lock gain at 0 ¼ ½ ¾ 1. variation: repeated measures at 0 .1 .3 .6 \
         1. fills: fills among fourth measures / among others, with fills set to never, free, every four. style: takes \
         nearest to the requested style, and the share expected by chance. bass velocity: mean velocity / hits per \
         measure with every bass note at 40, 80, 120. shuffle: hits in a beat's second half that fall on its last \
         triplet, with the bass as it is and with it in triplets. Shares in percent."
            .to_owned(),
    );
    lines.join("\n")
}
