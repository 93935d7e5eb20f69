//! The input of the measurement: a song's bass onsets and drums on the step grid.

use std::ops::Range;

use lockstep_core::representation::{N_VOICES, Position, Voice};

use crate::midi_file::Song;

/// The shortest song, in measures, that is measured.
pub const MIN_MEASURES: usize = 8;

/// Steps of a measure of 4/4.
const MEASURE_STEPS: usize = 16;

/// A drum note, as used by the figures on dynamics and timing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasuredNote {
    /// MIDI velocity.
    pub velocity: f64,
    /// Distance from the nearest step, in steps.
    pub offset: f64,
    /// Nearest step.
    pub step: usize,
}

/// Bass onsets and drums of a song in 4/4, in whole measures of sixteen steps.
#[derive(Clone, Debug, Default)]
pub struct MeasuredSong {
    /// Whether a bass note begins at each step.
    pub bass: Vec<bool>,
    /// MIDI velocity of each voice at each step, `(T, V)`; 0 where there is no hit.
    pub drums: Vec<[u8; N_VOICES]>,
    /// Every drum note, whether it maps to a voice or not.
    pub strokes: Vec<MeasuredNote>,
    /// Drum notes outside General MIDI's percussion, 35 to 81.
    pub n_not_gm: usize,
}

impl MeasuredSong {
    /// The sheet of a song that is in 4/4 throughout.
    pub fn from_song(song: &Song) -> Self {
        let mut sheet = Self::default();
        for note in &song.bass {
            sheet.bass_onset(nearest_step(note.start).0);
        }
        for note in &song.drums {
            let (step, offset) = nearest_step(note.start);
            sheet.stroke(step, offset, note.velocity);
            if !(35..=81).contains(&note.key) {
                sheet.n_not_gm += 1;
            }
            if let Some(voice) = Voice::from_gm_note(note.key) {
                let cell = &mut sheet.drums[step][voice.index()];
                *cell = (*cell).max(note.velocity);
            }
        }
        sheet
    }

    /// The bass of a song with these drums, which are exactly on the grid.
    pub fn from_steps(onsets: impl IntoIterator<Item = usize>, drums: &[[u8; N_VOICES]]) -> Self {
        let mut sheet = Self::default();
        for step in onsets {
            sheet.bass_onset(step);
        }
        for (step, row) in drums.iter().enumerate() {
            for velocity in row.iter().filter(|v| **v > 0) {
                sheet.stroke(step, 0.0, *velocity);
            }
            sheet.reach(step);
            sheet.drums[step] = *row;
        }
        sheet
    }

    /// The same song with the nine voices of version 1 of the representation: side stick and clap are snares, a pedal hat is a
    /// closed hat, hand percussion is left out, and of two hits that become one the louder stays. The columns of the other
    /// five voices are empty.
    #[must_use]
    pub fn in_version_1(&self) -> Self {
        let fold = |row: &[u8; N_VOICES]| {
            let mut folded = [0; N_VOICES];
            for voice in Voice::ALL {
                if let Some(old) = voice.in_version_1() {
                    let cell = &mut folded[old.index()];
                    *cell = row[voice.index()].max(*cell);
                }
            }
            folded
        };
        Self {
            drums: self.drums.iter().map(fold).collect(),
            ..self.clone()
        }
    }

    /// The measured steps, in whole measures: from the one after the first measure with bass to the last one with bass;
    /// `None` if there are fewer than [`MIN_MEASURES`].
    pub fn measured_steps(&self) -> Option<Range<usize>> {
        let first = self.bass.iter().position(|is_onset| *is_onset)?;
        let last = self.bass.iter().rposition(|is_onset| *is_onset)?;
        let steps =
            (first / MEASURE_STEPS + 1) * MEASURE_STEPS..(last / MEASURE_STEPS + 1) * MEASURE_STEPS;
        (steps.len() >= MIN_MEASURES * MEASURE_STEPS).then_some(steps)
    }

    /// Makes the sheet at least `n_steps` long.
    pub fn pad(&mut self, n_steps: usize) {
        let n_steps = n_steps.max(self.bass.len());
        self.bass.resize(n_steps, false);
        self.drums.resize(n_steps, [0; N_VOICES]);
    }

    fn reach(&mut self, step: usize) {
        self.pad((step + 1).next_multiple_of(MEASURE_STEPS));
    }

    fn bass_onset(&mut self, step: usize) {
        self.reach(step);
        self.bass[step] = true;
    }

    fn stroke(&mut self, step: usize, offset: f64, velocity: u8) {
        self.reach(step);
        self.strokes.push(MeasuredNote {
            velocity: f64::from(velocity),
            offset,
            step,
        });
    }
}

/// The nearest step, ties to the even one, and the distance from it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the reader limits positions to 100,000 measures and none is negative"
)]
fn nearest_step(at: Position) -> (usize, f64) {
    let position = at.steps();
    let nearest = position.round_ties_even();
    (nearest as usize, position - nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_keeps_the_louder_of_two_voices_that_it_could_not_tell_apart() {
        let mut row = [0; N_VOICES];
        for (voice, velocity) in [
            (Voice::Snare, 40),
            (Voice::SideStick, 90),
            (Voice::PedalHat, 30),
            (Voice::Shaker, 70),
            (Voice::Ride, 50),
        ] {
            row[voice.index()] = velocity;
        }
        let song = MeasuredSong::from_steps([0], &[row]).in_version_1();
        let heard: Vec<_> = Voice::ALL
            .into_iter()
            .map(|voice| (voice, song.drums[0][voice.index()]))
            .filter(|(_, velocity)| *velocity > 0)
            .collect();
        let expected = [
            (Voice::Snare, 90),
            (Voice::ClosedHat, 30),
            (Voice::Ride, 50),
        ];
        assert_eq!(heard, expected);
        assert_eq!(song.strokes.len(), 5, "every note still counts");
    }
}
