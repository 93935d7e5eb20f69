//! Batches: what the generator hears, what the critic sees, and what people played.

use candle_core::{Device, Result, Tensor};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::corpus::{GridNote, GridSong};
use crate::draws;
use crate::generator::Taste;
use crate::network::{N_LATENT, N_PLANES, NET_MEASURES, NET_STEPS};
use crate::noise;
use crate::representation::{LOWEST_PITCH, N_VOICES, Voice, pitch_index};

/// Measures predicted, and judged together, for one excerpt.
pub const JUDGED: usize = 4;
/// Measures of bass in an excerpt: those before the first predicted one, and the predicted ones themselves.
const SPAN: usize = NET_MEASURES + JUDGED;

/// Excerpts of songs as tensors. K is [`JUDGED`].
#[derive(Debug)]
pub struct Batch {
    /// Heard before each predicted measure: `(B, K + 3, 16, P)`.
    pub heard: Tensor,
    /// Played by the bass in the predicted measures: `(B, K, 16, P)`.
    pub bass: Tensor,
    /// Whether people hit: `(B, K, 16, V)`, 0 or 1.
    pub hits: Tensor,
    /// How loud, in `[0, 1]`, 0 where there is no hit: `(B, K, 16, V)`.
    pub velocities: Tensor,
    /// `(B, K, N_LATENT)`.
    pub latent: Tensor,
    /// Logistic draws of the cells: `(B, K, 16, V)`.
    pub cells: Tensor,
}

/// Draws excerpts from songs: a song by its weight, then a place in it.
#[derive(Debug)]
pub struct Sampler<'a> {
    songs: &'a [GridSong],
    /// Running sums of the songs' weights.
    cumulative: Vec<f32>,
    seed: u64,
}

impl<'a> Sampler<'a> {
    /// A sampler whose batches are a pure function of `seed` and the step they are drawn for.
    pub fn new(songs: &'a [GridSong], seed: u64) -> Self {
        let mut sum = 0.0;
        let cumulative = songs
            .iter()
            .map(|song| {
                sum += song.weight;
                sum
            })
            .collect();
        Self {
            songs,
            cumulative,
            seed,
        }
    }

    /// The batch of one training step.
    ///
    /// # Errors
    /// Those of candle.
    pub fn batch(&self, step: u64, n_excerpts: usize) -> Result<Batch> {
        let mut rng = StdRng::seed_from_u64(draws::hash(&[self.seed, step]));
        let mut sheet = Sheet::default();
        let mut n_left = n_excerpts;
        while n_left > 0 {
            if self.excerpt(&mut rng, &mut sheet) {
                n_left -= 1;
            }
        }
        sheet.tensors(n_excerpts)
    }

    /// Adds one excerpt; `false` where the place drawn has no bass to listen to.
    fn excerpt(&self, rng: &mut StdRng, sheet: &mut Sheet) -> bool {
        let total = self.cumulative.last().copied().unwrap_or_default();
        let at = rng.random_range(0.0..total);
        let song = &self.songs[self
            .cumulative
            .partition_point(|sum| *sum <= at)
            .min(self.songs.len() - 1)];
        if song.n_measures <= JUDGED {
            return false;
        }
        // The first predicted measure; what was heard before it may be shorter than the window.
        let first = rng.random_range(1..=song.n_measures - JUDGED);
        let transpose = rng.random_range(-5_i32..=6);
        let is_heard = |m: usize| {
            has_onset(
                song,
                m.saturating_sub(NET_MEASURES) * NET_STEPS,
                m * NET_STEPS,
            )
        };
        if !(first..first + JUDGED).all(is_heard) {
            return false;
        }

        let start = sheet.bass.len();
        sheet.bass.resize(start + SPAN * NET_STEPS * N_PLANES, 0.0);
        // May be negative: the song begins inside the span.
        let origin = (first as i64 - NET_MEASURES as i64) * NET_STEPS as i64;
        for note in notes_between(&song.bass, origin, origin + (SPAN * NET_STEPS) as i64) {
            write_note(&mut sheet.bass[start..], *note, origin, transpose);
        }
        for row in &song.drums[first * NET_STEPS..(first + JUDGED) * NET_STEPS] {
            for velocity in row {
                sheet.hits.push(f32::from(u8::from(*velocity > 0)));
                sheet.velocities.push(f32::from(*velocity) / 127.0);
            }
        }

        // Half of the excerpts by a drummer who does not vary, so that the critic can ask for a groove that holds.
        let variation = if rng.random_bool(0.5) {
            0.0
        } else {
            rng.random_range(0.0..0.6)
        };
        let taste = Taste {
            seed: rng.random(),
            variation,
        };
        for measure in 0..JUDGED as u64 {
            sheet.latent.extend(noise::latent(taste, measure));
            for step_idx in 0..NET_STEPS {
                sheet
                    .cells
                    .extend(Voice::ALL.map(|voice| noise::cell(taste, measure, step_idx, voice)));
            }
        }
        true
    }
}

fn has_onset(song: &GridSong, from: usize, to: usize) -> bool {
    let first = song
        .bass
        .partition_point(|note| (note.step as usize) < from);
    song.bass
        .get(first)
        .is_some_and(|note| (note.step as usize) < to)
}

/// Notes that may sound in `from .. to`; a note longer than four measures before it is taken to have ended.
fn notes_between(bass: &[GridNote], from: i64, to: i64) -> &[GridNote] {
    let lead = (NET_MEASURES * NET_STEPS) as i64;
    let first = bass.partition_point(|note| i64::from(note.step) < from - lead);
    let last = bass.partition_point(|note| i64::from(note.step) < to);
    &bass[first..last]
}

/// Writes a note into `(T, P)` planes whose first step is `origin`.
fn write_note(planes: &mut [f32], note: GridNote, origin: i64, transpose: i32) {
    let key = i32::from(note.key) + transpose;
    let pitch = pitch_index(u8::try_from(key.rem_euclid(128)).unwrap_or(LOWEST_PITCH));
    let n_rows = (planes.len() / N_PLANES) as i64;
    let start = i64::from(note.step) - origin;
    for row in start.max(0)..(start + i64::from(note.n_steps)).min(n_rows) {
        let Ok(at) = usize::try_from(row * N_PLANES as i64 + i64::from(2 * pitch)) else {
            continue;
        };
        if row == start {
            planes[at] = 1.0;
        }
        planes[at + 1] = 1.0;
    }
}

/// The values of a batch while it is filled.
#[derive(Debug, Default)]
struct Sheet {
    bass: Vec<f32>,
    hits: Vec<f32>,
    velocities: Vec<f32>,
    latent: Vec<f32>,
    cells: Vec<f32>,
}

impl Sheet {
    fn tensors(self, n: usize) -> Result<Batch> {
        let cells = (n, JUDGED, NET_STEPS, N_VOICES);
        let tensor = |values: Vec<f32>| Tensor::from_vec(values, cells, &Device::Cpu);
        let bass = Tensor::from_vec(self.bass, (n, SPAN, NET_STEPS, N_PLANES), &Device::Cpu)?;
        Ok(Batch {
            heard: bass.narrow(1, 0, SPAN - 1)?.contiguous()?,
            bass: bass.narrow(1, NET_MEASURES, JUDGED)?.contiguous()?,
            hits: tensor(self.hits)?,
            velocities: tensor(self.velocities)?,
            latent: Tensor::from_vec(self.latent, (n, JUDGED, N_LATENT), &Device::Cpu)?,
            cells: tensor(self.cells)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict;
    use crate::representation::{Meter, Window};

    #[test]
    fn prediction_and_training_hear_the_same_planes() {
        let mut window = Window::default();
        window.begin(17, 40);
        window.hold(18, 40);
        let mut expected = vec![0.0; NET_MEASURES * NET_STEPS * N_PLANES];
        let note = GridNote {
            step: 17,
            n_steps: 2,
            key: 40,
        };
        write_note(&mut expected, note, 0, 0);
        assert_eq!(predict::planes(&window, Meter::COMMON), expected);
    }
}
