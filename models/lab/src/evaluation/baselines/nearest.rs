//! The nearest neighbour: plays what people played after the most similar bass measure.

use std::collections::BTreeMap;
use std::sync::Arc;

use lockstep_core::draws;
use lockstep_core::generator::{Generator, PredictError, Request};
use lockstep_core::representation::{HitMap, N_VOICES, Voice};
use lockstep_models::network::NET_STEPS;

use super::{Lesson, certain, onset_bits};

/// Measures kept per bass rhythm: enough for seeds to differ, few enough for 1.4 million lessons to fit in memory.
const MAX_KEPT: usize = 64;

/// Separates this module's draws from all others.
const STREAM: u64 = 11;

/// A measure of people's drums.
type Drums = [[u8; N_VOICES]; NET_STEPS];

/// Finds the training measure whose bass onsets differ from the heard ones in the fewest of the sixteen steps, and plays the
/// drums that followed it.
///
/// Of several equally near bass rhythms it takes the one with the lowest bits; of several measures that followed it, the seed
/// chooses one. Clones share the measures.
#[derive(Clone, Debug)]
pub struct Nearest {
    by_onsets: Arc<BTreeMap<u16, Vec<Drums>>>,
}

impl Nearest {
    /// Remembers people's measures; of a rhythm with more than 64, a uniform sample that is the same every time.
    ///
    /// Without any lesson it never plays.
    pub fn fit(lessons: impl Iterator<Item = Lesson>) -> Self {
        let mut by_onsets: BTreeMap<u16, (u64, Vec<Drums>)> = BTreeMap::new();
        for (onsets, drums) in lessons {
            let (n_seen, kept) = by_onsets.entry(onsets).or_default();
            *n_seen += 1;
            if kept.len() < MAX_KEPT {
                kept.push(drums);
                continue;
            }
            // Reservoir sampling (Vitter's algorithm R, 1985).
            let place = draws::hash(&[STREAM, u64::from(onsets), *n_seen]) % *n_seen;
            if let Some(old) = usize::try_from(place).ok().and_then(|i| kept.get_mut(i)) {
                *old = drums;
            }
        }
        let by_onsets = by_onsets
            .into_iter()
            .map(|(onsets, (_, kept))| (onsets, kept))
            .collect();
        Self {
            by_onsets: Arc::new(by_onsets),
        }
    }
}

impl Generator for Nearest {
    fn name(&self) -> &'static str {
        "nearest bass measure"
    }

    fn voices(&self) -> &'static [Voice] {
        &Voice::ALL
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        let heard = onset_bits(&request.window, request.meter);
        let nearest = self
            .by_onsets
            .iter()
            .min_by_key(|(onsets, _)| (**onsets ^ heard).count_ones());
        let mut hits = HitMap::default();
        let Some((onsets, measures)) = nearest else {
            return Ok(hits);
        };
        let draw = draws::hash(&[STREAM, u64::from(request.settings.seed), u64::from(*onsets)]);
        let choice = usize::try_from(draw % measures.len() as u64).unwrap_or_default();
        for step_idx in 0..request.meter.n_steps() {
            // After sixteen steps the pattern starts over.
            let row = measures[choice][step_idx % NET_STEPS];
            for voice in Voice::ALL {
                let velocity = row[voice.index()];
                if velocity > 0 {
                    hits.set(step_idx, voice, certain(f32::from(velocity) / 127.0));
                }
            }
        }
        Ok(hits)
    }

    fn n_parameters(&self) -> usize {
        let n_measures: usize = self.by_onsets.values().map(Vec::len).sum();
        n_measures * NET_STEPS * N_VOICES
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{request, steps};
    use super::*;

    /// A measure with one kick.
    fn kick_at(step_idx: usize) -> Drums {
        let mut drums = [[0; N_VOICES]; NET_STEPS];
        drums[step_idx][Voice::Kick.index()] = 100;
        drums
    }

    #[test]
    fn the_drums_are_those_that_followed_the_nearest_bass() -> Result<(), PredictError> {
        let lessons = [(0b1, kick_at(1)), (0b1_0001_0001, kick_at(2))];
        let mut nearest = Nearest::fit(lessons.into_iter());
        for (bass, kick) in [
            (&[0][..], 1),
            (&[0, 4], 1),
            (&[0, 4, 8], 2),
            (&[4, 8, 9], 2),
        ] {
            let hits = nearest.predict(&request(bass, 0))?;
            assert_eq!(steps(&hits, Voice::Kick), [kick], "bass at {bass:?}");
        }
        Ok(())
    }

    #[test]
    fn a_seed_always_chooses_the_same_of_many_answers() -> Result<(), PredictError> {
        let lessons = (0..1000).map(|i| (0b1, kick_at(i % NET_STEPS)));
        let mut nearest = Nearest::fit(lessons);
        assert!(nearest.n_parameters() <= MAX_KEPT * NET_STEPS * N_VOICES);
        let mut all = Vec::new();
        for seed in 0..20 {
            let hits = nearest.predict(&request(&[0], seed))?;
            assert_eq!(hits, nearest.predict(&request(&[0], seed))?);
            all.extend(steps(&hits, Voice::Kick));
        }
        all.sort_unstable();
        all.dedup();
        assert!(all.len() > 3, "{all:?}");
        Ok(())
    }
}
