//! Windows of four measures, of the takes and of people, where both play and the bass does.

use lockstep_core::representation::{N_VOICES, Voice, WINDOW_STEPS};
use lockstep_files::measured_song::MeasuredSong;
use lockstep_models::network::NET_STEPS;

/// Measures in a window.
pub(super) const N_MEASURES: usize = WINDOW_STEPS / NET_STEPS;

/// Windows of a song, at most, from its beginning.
const MAX_WINDOWS: usize = 16;

/// Voices of version 1.
pub(super) const N_NINE: usize = Voice::VERSION_1.len();

/// Four measures of one side.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// Index of the song.
    pub(super) song: usize,
    /// Whether the drummer played, not a person.
    pub(super) is_take: bool,
    /// Whether a bass note begins.
    pub(super) bass: [bool; WINDOW_STEPS],
    /// MIDI velocity by step and voice; 0 where there is no hit.
    pub(super) drums: [[u8; N_VOICES]; WINDOW_STEPS],
    /// The same by the nine voices of version 1.
    pub(super) nine: [[u8; N_NINE]; WINDOW_STEPS],
    /// Mean distance of a step's drum notes from it, in steps; 0 without notes.
    pub(super) offsets: [f64; WINDOW_STEPS],
}

impl Window {
    /// The measures by the nine voices.
    pub(super) fn measures(&self) -> &[[[u8; N_NINE]; NET_STEPS]] {
        self.nine.as_chunks().0
    }
}

/// The windows of all songs: of each place first people's, then the take's.
pub(super) fn windows(songs: &[(MeasuredSong, MeasuredSong)]) -> Vec<Window> {
    let songs = songs.iter().enumerate();
    songs
        .flat_map(|(song, (take, real))| of_song(song, take, real))
        .collect()
}

fn of_song(song: usize, take: &MeasuredSong, real: &MeasuredSong) -> Vec<Window> {
    let mut windows = Vec::new();
    let onset = |is_onset: &bool| *is_onset;
    let (Some(first), Some(last)) = (
        real.bass.iter().position(onset),
        real.bass.iter().rposition(onset),
    ) else {
        return windows;
    };
    let measure_after = |step: usize| (step / NET_STEPS + 1) * NET_STEPS;
    let start = measure_after(first);
    let end = measure_after(last).min(start + MAX_WINDOWS * WINDOW_STEPS);
    let n_steps = real.bass.len().max(take.bass.len()).max(end);
    let sides = [real, take].map(|song| {
        let mut song = song.clone();
        song.pad(n_steps);
        let nine = song.in_version_1().drums;
        let nine: Vec<[u8; N_NINE]> = nine
            .iter()
            .map(|row| Voice::VERSION_1.map(|voice| row[voice.index()]))
            .collect();
        let offsets = mean_offsets(&song, n_steps);
        (song.drums, nine, offsets)
    });
    for start in (start..(end + 1).saturating_sub(WINDOW_STEPS)).step_by(WINDOW_STEPS) {
        let bass = std::array::from_fn(|i| real.bass.get(start + i) == Some(&true));
        let sides = [false, true].into_iter().zip(&sides);
        let both: Vec<Window> = sides
            .map(|(is_take, (drums, nine, offsets))| Window {
                song,
                is_take,
                bass,
                drums: std::array::from_fn(|i| drums[start + i]),
                nine: std::array::from_fn(|i| nine[start + i]),
                offsets: std::array::from_fn(|i| offsets[start + i]),
            })
            .collect();
        let has_hits = |window: &Window| window.nine.iter().flatten().any(|v| *v > 0);
        if bass.contains(&true) && both.iter().all(has_hits) {
            windows.extend(both);
        }
    }
    windows
}

fn mean_offsets(song: &MeasuredSong, n_steps: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); n_steps];
    for stroke in &song.strokes {
        if let Some((sum, n)) = sums.get_mut(stroke.step) {
            *sum += stroke.offset;
            *n += 1.0;
        }
    }
    sums.into_iter()
        .map(|(sum, n)| if n > 0.0 { sum / n } else { 0.0 })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A song with bass on every downbeat and these velocities of one voice, measure after measure.
    pub(in super::super) fn song(voice: Voice, hits: &[[u8; NET_STEPS]]) -> MeasuredSong {
        let rows: Vec<[u8; N_VOICES]> = hits
            .concat()
            .into_iter()
            .map(|velocity| {
                let mut row = [0; N_VOICES];
                row[voice.index()] = velocity;
                row
            })
            .collect();
        let downbeats = (0..hits.len()).map(|measure| measure * NET_STEPS);
        MeasuredSong::from_steps(downbeats, &rows)
    }

    #[test]
    fn windows_begin_after_the_first_measure_of_bass_and_end_with_the_bass() {
        let plays = [90; NET_STEPS];
        let rests = [0; NET_STEPS];
        // Nine measures: one, and two windows.
        let people = song(Voice::Snare, &[plays; 9]);
        let take = song(Voice::SideStick, &[plays; 12]);
        let all = windows(&[(take, people.clone())]);
        let sides: Vec<bool> = all.iter().map(|window| window.is_take).collect();
        assert_eq!(sides, [false, true, false, true]);
        assert_eq!(all[0].nine, all[1].nine, "a side stick was a snare");
        assert_ne!(all[0].drums, all[1].drums);
        // A window in which one side rests counts for neither.
        let mut measures = [rests; 9];
        measures[6] = plays;
        let take = song(Voice::Snare, &measures);
        assert_eq!(windows(&[(take, people)]).len(), 2);
    }

    #[test]
    fn a_song_counts_with_sixteen_windows_at_most() {
        let people = song(Voice::Kick, &[[90; NET_STEPS]; 100]);
        assert_eq!(windows(&[(people.clone(), people)]).len(), 2 * MAX_WINDOWS);
    }
}
