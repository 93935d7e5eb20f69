//! A corpus song on the step grid, in 4/4 throughout, for the quick closed loop.

use lockstep_core::representation::N_VOICES;
use lockstep_files::measured_song::MeasuredSong;
use lockstep_models::network::NET_STEPS;

use crate::corpus::SongView;

/// A bass note on the step grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridNote {
    /// Step it begins at, from the start of the song.
    pub step: u32,
    /// Steps it sounds for, at least one.
    pub n_steps: u32,
    /// MIDI key.
    pub key: u8,
    /// MIDI velocity.
    pub velocity: u8,
    /// How much later than its step it begins, in 1/254 step.
    pub offset: i8,
}

/// One song on the step grid.
#[derive(Clone, Debug)]
pub struct GridSong {
    /// Number of measures, each in 4/4.
    pub n_measures: usize,
    /// Tempo of each measure in BPM.
    pub tempos: Vec<f32>,
    /// Sorted by step.
    pub bass: Vec<GridNote>,
    /// MIDI velocity of each voice at each step, `(T, V)`; 0 where there is no hit.
    pub drums: Vec<[u8; N_VOICES]>,
}

impl GridSong {
    /// The song, or `None` if any of its measures does not have sixteen steps.
    pub fn from_view(song: SongView<'_>) -> Option<Self> {
        let n_measures = song.n_measures();
        let mut tempos = Vec::with_capacity(n_measures);
        let mut bass = Vec::new();
        let mut drums = vec![[0; N_VOICES]; n_measures * NET_STEPS];
        for idx in 0..n_measures {
            let measure = song.measure(idx);
            if measure.meter.n_steps() != NET_STEPS {
                return None;
            }
            tempos.push(measure.tempo_bpm);
            let start = idx * NET_STEPS;
            for note in measure.bass {
                bass.push(GridNote {
                    step: u32::try_from(start + usize::from(note.step_idx)).ok()?,
                    n_steps: u32::from(note.n_steps),
                    key: note.key,
                    velocity: note.velocity,
                    offset: note.offset,
                });
            }
            for hit in measure.hits {
                drums[start + usize::from(hit.step_idx)][usize::from(hit.voice)] = hit.velocity;
            }
        }
        Some(Self {
            n_measures,
            tempos,
            bass,
            drums,
        })
    }

    /// The bass of the song with these drums, `(T, V)`.
    pub fn sheet(&self, drums: &[[u8; N_VOICES]]) -> MeasuredSong {
        MeasuredSong::from_steps(self.bass.iter().map(|note| note.step as usize), drums)
    }
}
