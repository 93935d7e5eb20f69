//! What is given beside bass and drums: place, tempo, meter, energy, feel, fill and style, as numbers.

/// Numbers of [`Given::numbers`]; those of the styles come after them.
pub const N_GIVEN: usize = 16;

/// How many of them tell place and tempo: the first.
pub(super) const N_PLACE: usize = 7;

/// What is known of a measure before it is played.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Given {
    /// Its serial number, counted from the start of the song.
    pub measure: u64,
    /// Tempo of the measure before it, in quarter notes a minute.
    pub tempo_bpm: f32,
    /// Its steps.
    pub n_steps: usize,
    /// Whether its meter counts eighths and not quarters.
    pub counts_eighths: bool,
    /// Mean velocity of the bass in the measure before it and in all that are heard, in `[0, 1]`; 0 where no note begins.
    pub energy: [f32; 2],
    /// How much later than its step the bass begins its notes, in steps, mean over all that are heard at each sixteenth of
    /// a beat; 0 where no note begins. The last is negative in a shuffle: the triplet lies before the sixteenth.
    pub lateness: [f32; 4],
    /// Whether it is to be a fill; `None` leaves it to the drummer.
    pub fill: Option<bool>,
}

impl Given {
    /// Which of four measures of a phrase it is (4), in which half of eight, how far from a start that still is to be heard,
    /// tempo in octaves from 120 BPM, length in measures of sixteen steps, whether eighths count, energy (2), lateness in
    /// half steps (4), and whether it is a fill: 1, −1 if not, 0 if that is open.
    pub fn numbers(&self) -> [f32; N_GIVEN] {
        let flag = |is: bool| f32::from(u8::from(is));
        let of_four = |place| flag(self.measure % 4 == place);
        [
            of_four(0),
            of_four(1),
            of_four(2),
            of_four(3),
            flag(self.measure / 4 % 2 == 1),
            self.measure.min(8) as f32 / 8.0,
            (self.tempo_bpm / 120.0).log2().clamp(-2.0, 2.0),
            self.n_steps as f32 / 16.0,
            flag(self.counts_eighths),
            self.energy[0],
            self.energy[1],
            2.0 * self.lateness[0],
            2.0 * self.lateness[1],
            2.0 * self.lateness[2],
            2.0 * self.lateness[3],
            self.fill.map_or(0.0, |is| 2.0 * flag(is) - 1.0),
        ]
    }
}

/// Mean velocity of the onsets in the newest measure and in all; `accents` are rows of the heard measures, 0 where no note
/// begins.
pub fn energy(accents: &[f32], newest: usize) -> [f32; 2] {
    let mean = |accents: &[f32]| {
        let (mut sum, mut n) = (0.0, 0.0);
        for accent in accents.iter().filter(|accent| **accent > 0.0) {
            sum += accent;
            n += 1.0;
        }
        if n > 0.0 { sum / n } else { 0.0 }
    };
    [
        mean(&accents[accents.len().saturating_sub(newest)..]),
        mean(accents),
    ]
}

/// Mean offset of the onsets at each sixteenth of a beat; rows of sixteen steps, `accents` 0 where no note begins.
pub fn lateness(accents: &[f32], offsets: &[f32]) -> [f32; 4] {
    std::array::from_fn(|sixteenth| {
        let heard = accents.iter().zip(offsets).skip(sixteenth).step_by(4);
        let (mut sum, mut n) = (0.0, 0.0);
        for (_, offset) in heard.filter(|(accent, _)| **accent > 0.0) {
            sum += offset;
            n += 1.0;
        }
        if n > 0.0 { sum / n } else { 0.0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_is_the_mean_of_what_begins() {
        let accents = [0.2, 0.0, 0.0, 0.0, 0.8, 0.0];
        let of = |accents: &[f32], newest| energy(accents, newest).map(f32::to_bits);
        assert_eq!(of(&accents, 3), [0.8, 0.5].map(f32::to_bits));
        assert_eq!(of(&[0.0; 4], 2), [0.0, 0.0].map(f32::to_bits));
    }

    #[test]
    fn a_shuffle_is_early_on_the_last_sixteenth() {
        let mut accents = [0.0; 16];
        let mut offsets = [0.0; 16];
        for beat in 0..4 {
            accents[4 * beat] = 0.9;
            accents[4 * beat + 3] = 0.5;
            offsets[4 * beat + 3] = -0.25;
        }
        let heard = lateness(&accents, &offsets).map(f32::to_bits);
        assert_eq!(heard, [0.0_f32, 0.0, 0.0, -0.25].map(f32::to_bits));
    }

    #[test]
    fn an_open_fill_is_neither_a_fill_nor_none() {
        let of = |fill| {
            let given = Given {
                fill,
                ..Given::default()
            };
            given.numbers()[N_GIVEN - 1]
        };
        let heard = [of(Some(true)), of(None), of(Some(false))].map(f32::to_bits);
        assert_eq!(heard, [1.0, 0.0, -1.0].map(f32::to_bits));
    }
}
