//! The vocabulary: shares of measures with what drummers have names for, on the nine voices of version 1.

use std::collections::HashMap;

use lockstep_models::network::NET_STEPS;

use super::windows::{N_NINE, Window};

/// Measures that count as the commonest.
const N_COMMONEST: usize = 10;

/// Below this velocity a snare is a ghost note.
const GHOST_BELOW: u8 = 50;

/// The figures, in percent except the first; NaN where there is nothing to count.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary([f64; NAMES.len()]);

/// Names of the figures, those of `c2st.py`.
const NAMES: [&str; 20] = [
    "measures",
    "distinct measures, % of all",
    "the ten commonest, % of all",
    "hat: none %",
    "hat: eighths %",
    "hat: sixteenths %",
    "hat: quarters %",
    "open hat in measure %",
    "ride in measure %",
    "crash in measure %",
    "tom in measure %",
    "tom fill (3+ tom hits) %",
    "snare fill (6+ snares) %",
    "no snare %",
    "backbeat %",
    "plain backbeat only %",
    "four on the floor %",
    "kick on 1 %",
    "ghost snares (<50), % of snares",
    "off-16th hits, % of hits",
];

impl Vocabulary {
    /// Every figure with its name.
    pub fn named(&self) -> [(&'static str, f64); NAMES.len()] {
        std::array::from_fn(|i| (NAMES[i], self.0[i]))
    }

    pub(super) fn of(windows: &[&Window]) -> Self {
        let measures: Vec<Measure> = windows
            .iter()
            .flat_map(|window| window.measures().iter().map(Measure::of))
            .collect();
        let n = measures.len() as f64;
        let share = |is_so: &dyn Fn(&Measure) -> bool| {
            100.0 * measures.iter().filter(|m| is_so(m)).count() as f64 / n
        };
        let mut times: HashMap<&Measure, usize> = HashMap::new();
        for measure in &measures {
            *times.entry(measure).or_default() += 1;
        }
        let mut times: Vec<usize> = times.into_values().collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        let commonest: usize = times.iter().take(N_COMMONEST).sum();
        let snares = windows
            .iter()
            .flat_map(|window| window.nine.iter().map(|row| row[SNARE]))
            .filter(|velocity| *velocity > 0);
        let (n_snares, n_ghosts) = snares.fold((0.0, 0.0), |(all, ghosts), velocity| {
            let is_ghost = velocity < GHOST_BELOW;
            (all + 1.0, ghosts + f64::from(u8::from(is_ghost)))
        });
        let sum = |mask: u16| measures.iter().map(|m| m.n_hits(mask)).sum::<u32>();
        Self([
            n,
            100.0 * times.len() as f64 / n,
            100.0 * commonest as f64 / n,
            share(&|m| m.hat() == 0),
            share(&|m| m.hat() == EIGHTHS),
            share(&|m| m.hat().count_ones() >= 13),
            share(&|m| m.hat() == BEATS),
            share(&|m| m.0[OPEN_HAT] != 0),
            share(&|m| m.0[RIDE] != 0),
            share(&|m| m.0[CRASH] != 0),
            share(&|m| m.n_toms() > 0),
            share(&|m| m.n_toms() >= 3),
            share(&|m| m.0[SNARE].count_ones() >= 6),
            share(&|m| m.0[SNARE] == 0),
            share(&|m| m.0[SNARE] & BACKBEAT == BACKBEAT),
            share(&|m| m.0[SNARE] == BACKBEAT),
            share(&|m| m.0[KICK] & BEATS == BEATS),
            share(&|m| m.0[KICK] & 1 != 0),
            100.0 * n_ghosts / n_snares,
            100.0 * f64::from(sum(!EIGHTHS)) / f64::from(sum(u16::MAX).max(1)),
        ])
    }
}

/// Columns of the nine voices.
const KICK: usize = 0;
const SNARE: usize = 1;
const CLOSED_HAT: usize = 2;
const OPEN_HAT: usize = 3;
const TOMS: std::ops::Range<usize> = 4..7;
const CRASH: usize = 7;
const RIDE: usize = 8;

/// Steps as bits, the first step the lowest.
const EIGHTHS: u16 = 0b0101_0101_0101_0101;
const BEATS: u16 = 0b0001_0001_0001_0001;
const BACKBEAT: u16 = 1 << 4 | 1 << 12;

/// Where each of the nine voices plays in a measure, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Measure([u16; N_NINE]);

impl Measure {
    fn of(rows: &[[u8; N_NINE]; NET_STEPS]) -> Self {
        let steps = |voice: usize| {
            let hits = rows.iter().enumerate().filter(|(_, row)| row[voice] > 0);
            hits.fold(0, |bits, (step_idx, _)| bits | 1 << step_idx)
        };
        Self(std::array::from_fn(steps))
    }

    fn hat(&self) -> u16 {
        self.0[CLOSED_HAT] | self.0[OPEN_HAT]
    }

    fn n_toms(&self) -> u32 {
        self.0[TOMS].iter().map(|steps| steps.count_ones()).sum()
    }

    fn n_hits(&self, mask: u16) -> u32 {
        let voices = self.0.iter();
        voices.map(|steps| (steps & mask).count_ones()).sum()
    }
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::Voice;

    use super::super::windows::{tests::song, windows};
    use super::*;

    #[test]
    fn a_plain_backbeat_is_called_so() {
        let mut plain = [0; NET_STEPS];
        (plain[4], plain[12]) = (100, 100);
        let mut ghosted = plain;
        ghosted[7] = 30;
        let measures = [plain, plain, plain, plain, ghosted];
        let people = song(Voice::Snare, &measures);
        let all = windows(&[(people.clone(), people)]);
        let named = Vocabulary::of(&[&all[0]]).named();
        let value = |name| named.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        for (name, expected) in [
            ("measures", 4.0),
            ("distinct measures, % of all", 50.0),
            ("the ten commonest, % of all", 100.0),
            ("backbeat %", 100.0),
            ("plain backbeat only %", 75.0),
            ("hat: none %", 100.0),
            ("ghost snares (<50), % of snares", 100.0 / 9.0),
            ("off-16th hits, % of hits", 100.0 / 9.0),
        ] {
            let close = value(name).is_some_and(|value| (value - expected).abs() < 1e-9);
            assert!(close, "{name}: {:?}", value(name));
        }
    }
}
