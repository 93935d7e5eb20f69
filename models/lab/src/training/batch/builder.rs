//! The values of a batch while it is filled: a song's bass and drums as planes and cells.

use candle_core::{Device, Result, Tensor};
use lockstep_core::representation::{LOWEST_PITCH, Voice, pitch_index};
use lockstep_models::network::{N_LATENT, N_PLANES, NET_MEASURES, NET_STEPS};
use lockstep_models::voices::VoiceSet;

use super::context::Contexts;
use super::{Batch, JUDGED, SPAN};
use crate::corpus::{BassNote, DrumHit, SongView};

/// Writes a note that begins at `start` into `(T, P)` planes, in which each measure of `n_steps` fills the start of a row of
/// sixteen steps; any part of the note outside them is cut off.
fn write_note(planes: &mut [f32], start: i64, note: BassNote, transpose: i32, n_steps: usize) {
    let key = i32::from(note.key) + transpose;
    let pitch = pitch_index(u8::try_from(key.rem_euclid(128)).unwrap_or(LOWEST_PITCH));
    let n_rows = (planes.len() / N_PLANES / NET_STEPS * n_steps) as i64;
    for step in start.max(0)..(start + i64::from(note.n_steps)).min(n_rows) {
        let Ok(row) = usize::try_from(step) else {
            continue;
        };
        let row = row / n_steps * NET_STEPS + row % n_steps;
        let cell = &mut planes[row * N_PLANES..][..N_PLANES];
        if step == start {
            cell[2 * usize::from(pitch)] = 1.0;
        }
        cell[2 * usize::from(pitch) + 1] = 1.0;
    }
}

/// The column in which a network with these voices hears a hit; `None` if it does not.
pub(super) fn column(voices: VoiceSet, hit: DrumHit) -> Option<usize> {
    voices.column(*Voice::ALL.get(usize::from(hit.voice))?)
}

/// The values of a batch while it is filled.
#[derive(Debug, Default)]
pub(super) struct BatchBuilder {
    /// The voices of the run's network.
    pub(super) voices: VoiceSet,
    /// How many measures later the heard bass is than for [`Target::Next`].
    pub(super) shift: usize,
    bass: Vec<f32>,
    hits: Vec<f32>,
    velocities: Vec<f32>,
    offsets: Vec<f32>,
    has_dynamics: Vec<f32>,
    has_timing: Vec<f32>,
    pub(super) latent: Vec<f32>,
    pub(super) cells: Vec<f32>,
    pub(super) contexts: Contexts,
}

impl BatchBuilder {
    pub(super) fn new(voices: VoiceSet) -> Self {
        Self {
            voices,
            ..Self::default()
        }
    }

    /// The bass of an excerpt. Notes that began more than four measures before it are treated as ended.
    pub(super) fn write_bass(&mut self, song: &SongView<'_>, first: usize, transpose: i32) {
        let start = self.bass.len();
        self.bass.resize(start + SPAN * NET_STEPS * N_PLANES, 0.0);
        let planes = &mut self.bass[start..];
        let n_steps = song.measure(first).meter.n_steps();
        let heard = first.saturating_sub(NET_MEASURES);
        let from = first.saturating_sub(2 * NET_MEASURES);
        // The heard measures have one length, but those before them may differ, so their real lengths count.
        let steps_of = |measure| song.measure(measure).meter.n_steps() as i64;
        let mut origin = ((heard + NET_MEASURES - first) * n_steps) as i64
            - (from..heard).map(steps_of).sum::<i64>();
        for measure in from..first + JUDGED {
            for note in song.measure(measure).bass {
                let start = origin + i64::from(note.step_idx);
                write_note(planes, start, *note, transpose, n_steps);
            }
            origin += steps_of(measure);
        }
    }

    /// Clears the bass of the last excerpt.
    pub(super) fn silence_bass(&mut self) {
        let start = self.bass.len().saturating_sub(SPAN * NET_STEPS * N_PLANES);
        self.bass[start..].fill(0.0);
    }

    pub(super) fn write_drums(&mut self, song: &SongView<'_>, first: usize) {
        let n_voices = self.voices.n();
        let n = self.hits.len() + JUDGED * NET_STEPS * n_voices;
        for values in [
            &mut self.hits,
            &mut self.velocities,
            &mut self.offsets,
            &mut self.has_dynamics,
            &mut self.has_timing,
        ] {
            values.resize(n, 0.0);
        }
        for k in 0..JUDGED {
            let origin = n - (JUDGED - k) * NET_STEPS * n_voices;
            for hit in song.measure(first + k).hits {
                let Some(column) = column(self.voices, *hit) else {
                    continue;
                };
                let cell = origin + usize::from(hit.step_idx) * n_voices + column;
                let velocity = f32::from(hit.velocity) / 127.0;
                // Of two hits that the network hears as one, the louder counts.
                if velocity <= self.velocities[cell] {
                    continue;
                }
                self.hits[cell] = 1.0;
                self.velocities[cell] = velocity;
                self.offsets[cell] = f32::from(hit.offset) / 254.0;
                self.has_dynamics[cell] = f32::from(u8::from(song.has_dynamics));
                self.has_timing[cell] = f32::from(u8::from(song.has_timing));
            }
        }
    }

    pub(super) fn tensors(self, n_judged: usize, n: usize) -> Result<Batch> {
        let cells = (n, JUDGED, NET_STEPS, self.voices.n());
        let tensor = |values: Vec<f32>| Tensor::from_vec(values, cells, &Device::Cpu);
        let bass = Tensor::from_vec(self.bass, (n, SPAN, NET_STEPS, N_PLANES), &Device::Cpu)?;
        Ok(Batch {
            n_judged,
            heard: bass.narrow(1, self.shift, SPAN - 1)?.contiguous()?,
            bass: bass.narrow(1, NET_MEASURES, JUDGED)?.contiguous()?,
            hits: tensor(self.hits)?,
            velocities: tensor(self.velocities)?,
            offsets: tensor(self.offsets)?,
            has_dynamics: tensor(self.has_dynamics)?,
            has_timing: tensor(self.has_timing)?,
            latent: Tensor::from_vec(self.latent, (n, JUDGED, N_LATENT), &Device::Cpu)?,
            cells: tensor(self.cells)?,
            context: self.contexts.tensors(self.voices, n)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::{Meter, Onset, Window};
    use lockstep_models::predict;

    use super::*;
    use crate::corpus::{Corpus, MeasureRecord, SongRecord, write};

    /// A corpus of one song.
    fn corpus(measures: Vec<MeasureRecord>) -> Result<Corpus> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.lockstep");
        let song = SongRecord {
            measures,
            ..SongRecord::default()
        };
        write(&path, [song]).map_err(candle_core::Error::wrap)?;
        Corpus::open(&path).map_err(candle_core::Error::wrap)
    }

    #[test]
    fn an_older_network_learns_the_louder_of_two_voices_and_no_hand_percussion() -> Result<()> {
        let hits = [
            (Voice::Snare, 60),
            (Voice::SideStick, 90),
            (Voice::Clap, 40),
            (Voice::Tambourine, 120),
        ];
        let measure = MeasureRecord {
            meter: Meter::COMMON,
            tempo_bpm: 120.0,
            swing: lockstep_core::representation::Swing::STRAIGHT,
            bass: Vec::new(),
            hits: hits
                .map(|(voice, velocity)| DrumHit {
                    step_idx: 4,
                    voice: voice as u8,
                    velocity,
                    offset: i8::try_from(velocity).unwrap_or_default(),
                })
                .to_vec(),
        };
        let corpus = corpus(vec![measure; 5])?;
        let heard = |voices: VoiceSet| {
            let mut sheet = BatchBuilder::new(voices);
            sheet.write_drums(&corpus.song(0), 1);
            let cells = sheet.velocities.chunks(voices.n()).nth(4);
            let cells = cells.unwrap_or_default().iter();
            let cells: Vec<String> = cells.map(|v| format!("{:.0}", 127.0 * v)).collect();
            let n_hits = sheet.hits.iter().filter(|hit| **hit > 0.0).count();
            let latest = sheet.offsets.iter().fold(0.0, |a: f32, b| a.max(*b));
            (cells.join(" "), n_hits, format!("{:.0}", 254.0 * latest))
        };
        // Four measures with one hit each, as late as the louder of the two.
        let expected = ("0 90 0 0 0 0 0 0 0".to_owned(), 4, "90".to_owned());
        assert_eq!(heard(VoiceSet::Version1), expected);
        let all = "0 60 90 40 0 0 0 0 0 0 0 0 120 0".to_owned();
        assert_eq!(heard(VoiceSet::Version2), (all, 16, "120".to_owned()));
        Ok(())
    }

    #[test]
    fn a_longer_measure_before_the_excerpt_does_not_shift_its_notes() -> Result<()> {
        // A note on the last step of a measure of 8/4, then eight measures of 4/4 without a bass.
        let measure = |numerator, bass| MeasureRecord {
            meter: Meter::new(numerator, 4).unwrap_or_default(),
            tempo_bpm: 120.0,
            swing: lockstep_core::representation::Swing::STRAIGHT,
            bass,
            hits: Vec::new(),
        };
        let mut measures = vec![measure(8, vec![BassNote::new(31, 40, 100, 2)])];
        measures.extend((0..8).map(|_| measure(4, Vec::new())));
        let corpus = corpus(measures)?;
        let mut sheet = BatchBuilder::default();
        sheet.write_bass(&corpus.song(0), 5, 0);
        // The note's second step is the first step heard, as a held note.
        let is_onset = |(i, value): (usize, &f32)| i % 2 == 0 && *value > 0.0;
        assert!(!sheet.bass.iter().enumerate().any(is_onset));
        assert_eq!(sheet.bass.iter().filter(|value| **value > 0.0).count(), 1);
        Ok(())
    }

    #[test]
    fn prediction_and_training_make_the_same_planes() {
        let mut window = Window::default();
        window.begin(17, Onset::new(40, 0.8));
        window.hold(18, 40);
        let mut expected = vec![0.0; NET_MEASURES * NET_STEPS * N_PLANES];
        let note = BassNote::new(1, 40, 100, 2);
        write_note(&mut expected, 17, note, 0, NET_STEPS);
        assert_eq!(
            predict::planes(&window, [NET_STEPS; NET_MEASURES]),
            expected
        );
    }
}
