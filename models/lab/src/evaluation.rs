//! Measurement: how a take compares with what people played to the same bass.
//!
//! [`score`] measures [`MeasuredSong`]s. [`audition`] is the quick way to a take without a host: the drummer hears the bass
//! measure by measure and none of the real drums. The [`baselines`] show what a figure is worth.

pub mod baselines;
mod figures;
mod grid_song;
mod likelihood;

pub use figures::{Figures, Report, agreement, score};
pub use grid_song::{GridNote, GridSong};
pub use likelihood::{Likelihood, RequestRecorder};

use lockstep_core::generator::{Generator, GeneratorSettings, PredictError, Request};
use lockstep_core::representation::{N_VOICES, Onset, Voice, WINDOW_STEPS, Window, midi_velocity};
use lockstep_files::measured_song::{MIN_MEASURES, MeasuredSong};
use lockstep_models::network::NET_STEPS;

/// Below this lock gain a drummer counts as deaf. People have 16 to 17, networks that heard the bass through a bottleneck -2
/// to +1; half of people's is the least that can be called listening.
pub const DEAF_BELOW: f64 = 8.0;

/// `n` songs, evenly spread over those that are long enough; all of those if there are fewer.
pub fn pick(songs: &[GridSong], n: usize) -> Vec<&GridSong> {
    let long: Vec<_> = songs
        .iter()
        .filter(|song| song.n_measures > MIN_MEASURES)
        .collect();
    let n = n.min(long.len());
    (0..n).map(|i| long[i * long.len() / n]).collect()
}

/// Lets a generator play to the first `max_measures` of every song and measures the takes. Each song gets its own seed.
///
/// Songs with fewer than [`MIN_MEASURES`] measurable measures are left out, so `max_measures` should be at least 16.
///
/// # Errors
/// Those of the generator.
pub fn audition(
    generator: &mut dyn Generator,
    songs: &[&GridSong],
    max_measures: usize,
) -> Result<Report, PredictError> {
    let of = |seed: usize| GeneratorSettings {
        seed: u32::try_from(seed).unwrap_or_default(),
        variation: 0.1,
        ..GeneratorSettings::default()
    };
    Ok(score(&takes(generator, songs, max_measures, of)?))
}

/// Takes of the first `max_measures` of every song, each beside what people played; `settings` are those of a song's index.
///
/// # Errors
/// Those of the generator.
pub fn takes(
    generator: &mut dyn Generator,
    songs: &[&GridSong],
    max_measures: usize,
    settings: impl Fn(usize) -> GeneratorSettings,
) -> Result<Vec<(MeasuredSong, MeasuredSong)>, PredictError> {
    let songs = songs.iter().enumerate();
    let takes = songs.map(|(idx, song)| {
        let song = first_measures(song, max_measures);
        let take = play(generator, &song, settings(idx), idx)?;
        Ok((take, song.sheet(&song.drums)))
    });
    takes.collect()
}

/// The first `max_measures` of a song, or all of a shorter one.
fn first_measures(song: &GridSong, max_measures: usize) -> GridSong {
    let n_measures = song.n_measures.min(max_measures);
    let n_steps = n_measures * NET_STEPS;
    let mut song = song.clone();
    song.n_measures = n_measures;
    song.bass.retain(|note| (note.step as usize) < n_steps);
    song.drums.truncate(n_steps);
    song.tempos.truncate(n_measures);
    song
}

/// One song's drums, from a silent start, at density ½. Each song is a playback of its own.
fn play(
    generator: &mut dyn Generator,
    song: &GridSong,
    settings: GeneratorSettings,
    playback: usize,
) -> Result<MeasuredSong, PredictError> {
    let mut drums = vec![[0; N_VOICES]; song.n_measures * NET_STEPS];
    let mut window = Window::default();
    let mut played = [[0.0; N_VOICES]; WINDOW_STEPS];
    let mut notes = song.bass.iter().peekable();
    for measure in 0..song.n_measures.saturating_sub(1) {
        window.advance(NET_STEPS);
        played.rotate_left(NET_STEPS);
        for (row, velocities) in played[WINDOW_STEPS - NET_STEPS..]
            .iter_mut()
            .zip(&drums[measure * NET_STEPS..])
        {
            *row = velocities.map(|v| f32::from(v) / 127.0);
        }
        let start = measure * NET_STEPS;
        while let Some(note) = notes.next_if(|note| (note.step as usize) < start + NET_STEPS) {
            let row = WINDOW_STEPS - NET_STEPS + note.step as usize - start;
            let onset = Onset {
                key: note.key,
                velocity: f32::from(note.velocity) / 127.0,
                lateness: f32::from(note.offset) / 254.0,
            };
            window.begin(row, onset);
            for held in row + 1..(row + note.n_steps as usize).min(WINDOW_STEPS) {
                window.hold(held, note.key);
            }
        }
        if window.is_silent() {
            continue;
        }
        let hits = generator.predict(&Request {
            playback: u32::try_from(playback).unwrap_or_default(),
            measure: measure as u64 + 1,
            heard_steps: NET_STEPS,
            tempo_bpm: song.tempos[measure],
            window,
            played,
            settings,
            ..Request::default()
        })?;
        for step_idx in 0..NET_STEPS {
            for voice in Voice::ALL {
                let hit = hits.hit(step_idx, voice);
                if hit.presence().sounds_at(0.5) {
                    drums[start + NET_STEPS + step_idx][voice.index()] =
                        midi_velocity(hit.velocity());
                }
            }
        }
    }
    Ok(song.sheet(&drums))
}
