//! The inputs beside bass and drums, as numbers: place, tempo, meter, energy, feel and fill.

/// How many [`Conditioning::numbers`] there are; the styles' numbers come after them.
pub const N_CONDITIONS: usize = 16;

/// How many of them, from the first, are place and tempo.
pub(super) const N_PLACE: usize = 7;

/// What is known of a measure before it is played.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conditioning {
    /// Its number, counted from the start of the song.
    pub measure: u64,
    /// Tempo of the measure before it, in BPM.
    pub tempo_bpm: f32,
    /// Its length in steps.
    pub n_steps: usize,
    /// Whether its meter counts eighths and not quarters.
    pub counts_eighths: bool,
    /// Mean velocity of the bass in the measure before it and in all heard measures, in `[0, 1]`; 0 if no note begins.
    pub energy: [f32; 2],
    /// How much later than its step the bass begins its notes, in steps: the mean over all heard notes at each sixteenth of a
    /// beat; 0 if no note begins. The last is negative in a shuffle: the triplet comes before the sixteenth.
    pub lateness: [f32; 4],
    /// Whether it should be a fill; `None` leaves it to the drummer.
    pub fill: Option<bool>,
}

impl Conditioning {
    /// Which measure of a four-measure phrase it is (4 numbers), whether it is in the second half of eight measures, its
    /// number out of the first eight, tempo in octaves from 120 BPM, length in measures of sixteen steps, whether eighths are
    /// counted, energy (2), lateness in half steps (4), and fill: 1 for a fill, −1 for none, 0 if left open.
    pub fn numbers(&self) -> [f32; N_CONDITIONS] {
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

/// Mean velocity of the onsets in the newest measure, the last `newest` steps, and in all; `accents` has an entry per heard
/// step, 0 if no note begins.
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

/// Mean offset of the onsets at each sixteenth of a beat; an entry per step from a downbeat, `accents` 0 if no note begins.
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
    fn energy_is_the_mean_velocity_of_the_onsets() {
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
    fn an_open_fill_is_between_a_fill_and_none() {
        let of = |fill| {
            let given = Conditioning {
                fill,
                ..Conditioning::default()
            };
            given.numbers()[N_CONDITIONS - 1]
        };
        let heard = [of(Some(true)), of(None), of(Some(false))].map(f32::to_bits);
        assert_eq!(heard, [1.0, 0.0, -1.0].map(f32::to_bits));
    }
}
