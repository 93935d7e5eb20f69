//! What the onsets of one measure say about its swing.
//!
//! A hypothesis is a kind and an amount of swing together with a lateness of the whole player. Each has the same four places
//! in a beat, so the one whose places the onsets lie on best is the likeliest. An onset far from every place, such as a ghost
//! note, a flam or a fill, costs each hypothesis the same. Three onsets at equal distances that are a triplet hardly count:
//! a straight song may have fills in triplets.

use std::ops::RangeInclusive;

use super::{Meter, Swing, SwungGrid};

/// The amounts of swing that are distinguished; what is heard lies between and a little beyond them. A dotted eighth and a
/// sixteenth are straight.
const AMOUNTS: [f32; 6] = [0.2, 0.3, 0.4, 0.5, 0.6, 2.0 / 3.0];

/// Straight, swung sixteenths, swung eighths.
pub(super) const N_HYPOTHESES: usize = 1 + 2 * AMOUNTS.len();

/// How late the whole player may be, in steps, and what that costs.
const SHIFTS: [(f32, f32); 6] = [
    (-0.2, 2.0),
    (-0.1, 0.5),
    (0.0, 0.0),
    (0.1, 0.5),
    (0.2, 2.0),
    (0.3, 4.0),
];

/// How widely a player's notes scatter around their places, in seconds: tight, loose.
const SCATTERS_S: [f32; 2] = [0.008, 0.024];

/// What a file's resolution adds to that, in steps.
const SCATTER_STEPS: f32 = 0.04;

/// Log-likelihoods of every hypothesis.
pub(super) type Scores = [[[f32; SHIFTS.len()]; SCATTERS_S.len()]; N_HYPOTHESES];

/// Most that one onset counts against a hypothesis.
const MAX_COST: f32 = 5.0;

/// What an onset on an odd step costs: there are fewer of them.
const ODD_COST: f32 = 0.5;

/// What it costs more where eighths swing.
const ODD_IN_SHUFFLE_COST: f32 = 1.2;

/// The distances of the notes of a triplet, in steps, and how much such a note counts: of eighths, which may last a whole song
/// in which eighths then swing, and of sixteenths, which are an ornament.
const TRIPLETS: [(f64, f32); 2] = [(4.0 / 3.0, 0.1), (2.0 / 3.0, 0.0)];

/// How exactly three onsets must be a triplet, in steps.
const TRIPLET_STEPS: f64 = 0.12;

/// Onsets closer together than this, in steps, are one: several players, a chord, a flam.
const SAME_STEPS: f64 = 0.25;

/// Onsets within this many steps of a place tell the amount.
const NEAR_STEPS: f32 = 0.3;

/// Most that the exact amount differs from the nearest of [`AMOUNTS`].
const MAX_OFF: f32 = 0.2;

/// Less swing than this is a player's own timing, and more is a dotted rhythm or an ornament.
const AUDIBLE: RangeInclusive<f32> = 0.15..=0.85;

/// How much likelier a straight measure is than one with a certain swing, before anything is heard, as a natural logarithm.
const STRAIGHT: f32 = 3.0;

/// How widely notes scatter.
#[derive(Clone, Copy)]
struct Scatter {
    /// What a square step away costs.
    scale: f32,
    /// What it costs an onset to be allowed that much.
    cost: f32,
}

/// An onset as evidence of swing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SwingOnset {
    /// Where it was played, in steps since its measure's start.
    pub place: f64,
    /// How much it counts, in `(0, 1]`: less for soft notes.
    pub weight: f32,
}

impl SwingOnset {
    /// An onset of a velocity in `[0, 1]`; soft ones count less.
    pub fn new(place: f64, velocity: f32) -> Self {
        Self {
            place,
            weight: (velocity / 0.5).clamp(0.25, 1.0),
        }
    }
}

/// A swing, and how sure it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeardSwing {
    /// The swing.
    pub swing: Swing,
    /// By how much its kind (straight, eighths, sixteenths) is likelier than the next one, as a natural logarithm. What was
    /// likelier before anything was heard is part of it.
    pub certainty: f32,
}

/// What the onsets of a measure, or of several, say about swing. Evidence of several measures adds up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasureEvidence {
    pub(super) scores: Scores,
    pub(super) amounts: Amounts,
}

/// Where onsets lie around the places of each hypothesis: sums of weights, and of weights times distances in steps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Amounts {
    /// Around the beats.
    on_beat: (f32, f32),
    /// Around the places that a hypothesis delays.
    off_beat: [(f32, f32); N_HYPOTHESES],
}

impl Default for MeasureEvidence {
    fn default() -> Self {
        Self {
            scores: [[[0.0; SHIFTS.len()]; SCATTERS_S.len()]; N_HYPOTHESES],
            amounts: Amounts::default(),
        }
    }
}

impl MeasureEvidence {
    /// The evidence of a measure's onsets, in time order. The same for bass alone and for bass and drums in one list.
    ///
    /// # Realtime safety
    /// Never allocates; its time grows with the number of onsets.
    pub fn of(onsets: &[SwingOnset], meter: Meter, tempo_bpm: f32) -> Self {
        let step_s = 15.0 / tempo_bpm.clamp(20.0, 400.0);
        let scatters = SCATTERS_S.map(|scatter_s| (scatter_s / step_s).hypot(SCATTER_STEPS));
        let tightest = scatters.into_iter().fold(f32::INFINITY, f32::min);
        let scatters = scatters.map(|steps| Scatter {
            scale: 0.5 / (steps * steps),
            cost: (steps / tightest).ln(),
        });
        let places = std::array::from_fn(|idx| Places::of(idx, meter));
        let mut evidence = Self::default();
        let mut rest = Distinct(onsets);
        let mut before = [None; 2];
        while let Some(onset) = rest.next() {
            let mut after = rest.clone();
            let neighbours = [
                before[0],
                before[1],
                Some(onset),
                after.next(),
                after.next(),
            ];
            let weight = onset.weight * triplet_weight(&neighbours);
            evidence.hear(onset.place, weight, &places, scatters);
            before = [before[1], Some(onset)];
        }
        evidence
    }

    /// Takes in one onset.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a place in a beat is precise enough as an f32"
    )]
    fn hear(
        &mut self,
        place: f64,
        weight: f32,
        places: &[Places; N_HYPOTHESES],
        scatters: [Scatter; SCATTERS_S.len()],
    ) {
        let in_beat = place.rem_euclid(4.0) as f32;
        let amounts = &mut self.amounts.off_beat;
        for ((scores, sums), places) in self.scores.iter_mut().zip(amounts).zip(places) {
            for (scores, scatter) in scores.iter_mut().zip(scatters) {
                for (score, (shift, _)) in scores.iter_mut().zip(SHIFTS) {
                    let cost = places.cost(in_beat - shift, scatter.scale) + scatter.cost;
                    *score -= weight * cost.min(MAX_COST);
                }
            }
            if let Some(distance) = places.delayed(in_beat) {
                *sums = (sums.0 + weight, sums.1 + weight * distance);
            }
        }
        let from_beat = if in_beat > 2.0 {
            in_beat - 4.0
        } else {
            in_beat
        };
        if from_beat.abs() < NEAR_STEPS {
            let sums = &mut self.amounts.on_beat;
            *sums = (sums.0 + weight, sums.1 + weight * from_beat);
        }
    }

    /// These scores on top of others.
    pub(super) fn on(&self, others: &Scores) -> Scores {
        let mut sum = self.scores;
        let others = others.iter().flatten().flatten();
        for (mine, other) in sum.iter_mut().flatten().flatten().zip(others) {
            *mine += other;
        }
        sum
    }
}

impl Amounts {
    /// These sums, and a share of others.
    pub(super) fn and(&self, other: &Self, share: f32) -> Self {
        let sum = |a: (f32, f32), b: (f32, f32)| (a.0 + share * b.0, a.1 + share * b.1);
        let mut both = *self;
        both.on_beat = sum(both.on_beat, other.on_beat);
        for (mine, other) in both.off_beat.iter_mut().zip(&other.off_beat) {
            *mine = sum(*mine, *other);
        }
        both
    }

    /// The exact swing around a hypothesis: how much later the delayed notes are than the beats.
    fn exact(&self, idx: usize) -> Swing {
        let mean = |(weight, sum): (f32, f32), prior: f32| sum / (weight + prior).max(1e-6);
        let late = mean(self.off_beat.get(idx).copied().unwrap_or_default(), 0.0);
        let own = mean(self.on_beat, 0.5);
        let swing = hypothesis(idx);
        let exact = |amount: f32, off: f32| amount + off.clamp(-MAX_OFF, MAX_OFF);
        if swing.eighths() > 0.0 {
            Swing::new(exact(swing.eighths(), late - own), 0.0)
        } else if swing.sixteenths() > 0.0 {
            Swing::new(0.0, exact(swing.sixteenths(), 2.0 * (late - own)))
        } else {
            Swing::STRAIGHT
        }
    }
}

/// The likeliest hypothesis, made exact.
pub(super) fn likeliest(scores: &Scores, amounts: &Amounts) -> HeardSwing {
    let mut best = [(f32::NEG_INFINITY, 0); 3];
    for (idx, scores) in scores.iter().enumerate() {
        let score = scores
            .iter()
            .flat_map(|shifts| shifts.iter().zip(SHIFTS))
            .map(|(score, (_, cost))| score - cost)
            .fold(f32::NEG_INFINITY, f32::max);
        if let Some(kind) = best.get_mut(kind(idx))
            && score > kind.0
        {
            *kind = (score, idx);
        }
    }
    let [straight, sixteenths, eighths] = best;
    let likelier = if eighths.0 > sixteenths.0 {
        eighths
    } else {
        sixteenths
    };
    let straight = straight.0 + STRAIGHT;
    let swing = amounts.exact(likelier.1);
    let is_audible = AUDIBLE.contains(&swing.eighths().max(swing.sixteenths()));
    if straight >= likelier.0 || !is_audible {
        return HeardSwing {
            swing: Swing::STRAIGHT,
            certainty: (straight - likelier.0).max(0.0),
        };
    }
    let next = straight.max(eighths.0.min(sixteenths.0));
    HeardSwing {
        swing,
        certainty: likelier.0 - next,
    }
}

/// 0 for straight, 1 for swung sixteenths, 2 for swung eighths.
fn kind(idx: usize) -> usize {
    idx.div_ceil(AMOUNTS.len())
}

/// The swing of a hypothesis.
pub(super) fn hypothesis(idx: usize) -> Swing {
    let amount = |idx: usize| AMOUNTS.get(idx).copied().unwrap_or_default();
    match (kind(idx), idx.saturating_sub(1) % AMOUNTS.len()) {
        (0, _) => Swing::STRAIGHT,
        (1, idx) => Swing::new(0.0, amount(idx)),
        (_, idx) => Swing::new(amount(idx), 0.0),
    }
}

/// The places of a beat under a hypothesis, in steps.
struct Places {
    odd: f32,
    off_beat: f32,
    /// What an onset on an odd step costs.
    odd_cost: f32,
    /// Whether the meter allows it.
    is_possible: bool,
    swing: Swing,
}

impl Places {
    fn of(idx: usize, meter: Meter) -> Self {
        let swing = hypothesis(idx);
        let grid: SwungGrid = swing.in_meter(meter);
        Self {
            odd: grid.delay(1),
            off_beat: grid.delay(2),
            odd_cost: if swing.eighths() > 0.0 {
                ODD_COST + ODD_IN_SHUFFLE_COST
            } else {
                ODD_COST
            },
            is_possible: grid.swing() == swing,
            swing,
        }
    }

    /// What an onset costs this hypothesis.
    fn cost(&self, in_beat: f32, scale: f32) -> f32 {
        if !self.is_possible {
            return f32::INFINITY;
        }
        let to = |place: f32| (in_beat - place).abs();
        let even = to(0.0).min(to(4.0)).min(to(2.0 + self.off_beat));
        let odd = to(1.0 + self.odd)
            .min(to(3.0 + self.odd))
            .min(to(self.odd - 1.0));
        (scale * even * even).min(scale * odd * odd + self.odd_cost)
    }

    /// How far an onset is from the nearest place that this hypothesis delays, if it is near one.
    fn delayed(&self, in_beat: f32) -> Option<f32> {
        let nearest = |places: [f32; 2]| {
            let [a, b] = places.map(|place| in_beat - place);
            if a.abs() < b.abs() { a } else { b }
        };
        let distance = if self.swing.eighths() > 0.0 {
            in_beat - 2.0 - self.off_beat
        } else if self.swing.sixteenths() > 0.0 {
            nearest([1.0 + self.odd, 3.0 + self.odd])
        } else {
            return None;
        };
        (distance.abs() < NEAR_STEPS).then_some(distance)
    }
}

/// The distinct onsets of a list: those closer together than [`SAME_STEPS`] are one, at their mean.
#[derive(Clone)]
struct Distinct<'a>(&'a [SwingOnset]);

impl Iterator for Distinct<'_> {
    type Item = SwingOnset;

    fn next(&mut self) -> Option<SwingOnset> {
        let first = self.0.first()?;
        let is_same = |onset: &&SwingOnset| onset.place - first.place < SAME_STEPS;
        let (same, rest) = self
            .0
            .split_at_checked(self.0.iter().take_while(is_same).count().max(1))?;
        self.0 = rest;
        let (mut total, mut moment, mut weight) = (0.0, 0.0, 0.0_f32);
        for onset in same {
            total += f64::from(onset.weight);
            moment += f64::from(onset.weight) * (onset.place - first.place);
            weight = weight.max(onset.weight);
        }
        let place = first.place + moment / total.max(1e-6);
        Some(SwingOnset { place, weight })
    }
}

/// How much the middle one of five neighbouring onsets counts: less if it is one of three that make a triplet.
fn triplet_weight(neighbours: &[Option<SwingOnset>; 5]) -> f32 {
    let is_triplet = |distance: f64| {
        neighbours.windows(3).any(|three| {
            let [Some(a), Some(b), Some(c)] = three else {
                return false;
            };
            let is_so_far = |gap: f64| (gap - distance).abs() < TRIPLET_STEPS;
            is_so_far(b.place - a.place) && is_so_far(c.place - b.place)
        })
    };
    TRIPLETS
        .into_iter()
        .filter(|(distance, _)| is_triplet(*distance))
        .map(|(_, weight)| weight)
        .fold(1.0, f32::min)
}
