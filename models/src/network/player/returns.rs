//! What comes back: whether the next measure repeats an earlier one, strand by strand.
//!
//! People repeat themselves exactly, and then do not: of a song's measures most bring back the hats of the measure before, or
//! the snares of two measures ago. Cell by cell no drummer who draws what he plays repeats himself for long. So the player
//! first decides, for each strand of the measure, which earlier measure it brings back, and draws hits only where it brings
//! back nothing.

use lockstep_core::representation::{Voice, VoiceGroup};

use super::N_VOICES;
use super::rows::{DrumRow, LAGS, OwnBehind, OwnRow};
use crate::network::NET_STEPS;

/// Strands of a measure.
pub const N_STRANDS: usize = 4;
/// The strand of the voices that keep time.
pub const TIME: usize = 0;
const BACKBEAT: usize = 1;
const ACCENTS: usize = 2;
/// The strand of the kick. It decides last, and knows what the others bring back.
pub const FOOT: usize = 3;
/// What a strand can do: something new, or bring back the measure of one of the [`LAGS`].
pub const N_CHOICES: usize = LAGS.len() + 1;
/// Numbers that say what all strands do.
pub const N_RETURNS: usize = N_STRANDS * N_CHOICES;

/// The strand of a voice: those that keep time, those of the backbeat, accents, and the kick.
pub fn strand(voice: Voice) -> usize {
    match (voice.group(), voice) {
        (VoiceGroup::Kick, _) => FOOT,
        (VoiceGroup::Snare, _) => BACKBEAT,
        (VoiceGroup::Toms, _) | (_, Voice::Crash) => ACCENTS,
        _ => TIME,
    }
}

/// Which measure each strand brings back: an index of [`LAGS`], or `None` for something new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Returns(pub [Option<usize>; N_STRANDS]);

impl Returns {
    /// What the strands of a measure bring back of own drums, those of each lag: of the measures with the same hits the one that
    /// is first among the [`LAGS`].
    pub fn of(now: &DrumRow, own: &OwnBehind<'_>) -> Self {
        let is_same = |strand_idx, then: &OwnRow| {
            let voices = || {
                let all = Voice::ALL.into_iter();
                all.filter(move |voice| strand(*voice) == strand_idx)
            };
            (0..NET_STEPS).all(|step| {
                voices().all(|voice| {
                    let voice = voice.index();
                    (now.hits(step)[voice] > 0.0) == then.hits(step, voice)
                })
            })
        };
        Self(std::array::from_fn(|strand_idx| {
            own.iter()
                .position(|then| then.is_some_and(|then| is_same(strand_idx, then)))
        }))
    }

    /// What a strand does, `0 .. N_CHOICES`.
    pub fn choice(self, strand_idx: usize) -> usize {
        self.0[strand_idx].map_or(0, |lag| lag + 1)
    }

    /// A 1 for what each strand does.
    pub fn numbers(self) -> [f32; N_RETURNS] {
        let mut numbers = [0.0; N_RETURNS];
        for strand_idx in 0..N_STRANDS {
            numbers[strand_idx * N_CHOICES + self.choice(strand_idx)] = 1.0;
        }
        numbers
    }

    /// What the decoder is told of it: the same, but of the kick only that it comes back. Else it answers the bass, which may be
    /// what it did before.
    pub fn told(self) -> [f32; N_RETURNS] {
        let mut numbers = self.numbers();
        numbers[FOOT * N_CHOICES] = 0.0;
        numbers
    }

    /// The same, as if the kick did not come back.
    #[must_use]
    pub fn without_kick(mut self) -> Self {
        self.0[FOOT] = None;
        self
    }

    /// The hits that come back at a step from own drums of each lag: of every voice whether it hits, or `None` where the voice
    /// does something new.
    pub fn hits(self, own: &OwnBehind<'_>, step: usize) -> [Option<bool>; N_VOICES] {
        std::array::from_fn(|voice| {
            let then = own[self.0[strand(Voice::ALL[voice])]?]?;
            Some(then.hits(step, voice))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(hits: &[(usize, usize)]) -> DrumRow {
        let mut row = DrumRow::default();
        for (step, voice) in hits {
            row.hit(*step, *voice, 0.8);
        }
        row
    }

    #[test]
    fn each_strand_brings_back_the_nearest_measure_with_its_hits() {
        let [kick, snare, hat, crash] =
            [Voice::Kick, Voice::Snare, Voice::ClosedHat, Voice::Crash].map(Voice::index);
        let groove = row(&[(0, kick), (4, snare), (0, hat), (8, hat)]);
        let accent = row(&[(4, snare), (8, hat), (0, crash)]);
        let [accent, groove] = [accent, groove].map(|row| row.remembered());
        let mut own = [None; LAGS.len()];
        own[..4].copy_from_slice(&[Some(&accent), Some(&groove), None, Some(&groove)]);
        let now = row(&[(4, snare), (0, hat), (8, hat), (2, kick)]);
        let returns = Returns::of(&now, &own);
        assert_eq!(returns, Returns([Some(1), Some(0), Some(1), None]));
        let fresh = row(&[(5, snare), (0, hat), (8, hat)]);
        assert_eq!(Returns::of(&fresh, &own).0[1], None);

        let numbers = returns.numbers();
        let ones = (0..N_RETURNS).filter(|i| numbers[*i] > 0.0);
        assert_eq!(
            ones.collect::<Vec<_>>(),
            [2, N_CHOICES + 1, 2 * N_CHOICES + 2, 3 * N_CHOICES]
        );
        // Of the kick the decoder is told only that it comes back.
        let n_told = |returns: Returns| returns.told().iter().filter(|x| **x > 0.0).count();
        assert_eq!(n_told(returns), 3);
        let hits = returns.hits(&own, 0);
        assert_eq!(hits[hat], Some(true));
        assert_eq!(hits[crash], Some(false));
        assert_eq!(hits[kick], None);

        let now = row(&[(4, snare), (8, hat), (0, kick)]);
        let returns = Returns::of(&now, &own);
        assert_eq!(returns.0[FOOT], Some(1));
        assert_eq!(n_told(returns), 4);
        assert_eq!(returns.without_kick().0[FOOT], None);
        assert_eq!(returns.hits(&own, 0)[kick], Some(true));
        assert_eq!(returns.hits(&own, 1)[kick], Some(false));
    }
}
