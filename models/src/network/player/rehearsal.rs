//! The player playing along with a whole song in plain numbers, for training: it hears what it played itself.
//!
//! A rehearsal has neither requests nor guidance. A drummer who plays is the prediction's.

use lockstep_core::draws;

use super::mind::{HeardMeasure, Mind, behind, first_remembered};
use super::rows::{BassRow, DrumRow, Given, N_BESIDE, beside};
use super::touch::Levels;
use super::{Brain, N_VOICES, take_turns};
use crate::network::NET_STEPS;

/// Separates the streams of draws from one another.
const CELL: u64 = 1;
const VELOCITY: u64 = 2;
const RETURN: u64 = 3;

/// A song to play along with.
#[derive(Clone, Copy, Debug)]
pub struct Rehearsal<'a> {
    /// The bass of each measure, from the first on.
    pub bass: &'a [BassRow],
    /// What is given about the measure after each.
    pub given: &'a [Given],
    /// The drums before it begins, from the first measure on. If there are none, the first measure is silent.
    pub own: &'a [DrumRow],
    /// The velocities of the voices that are played evenly.
    pub levels: Levels,
    /// Whether it hears the bass.
    pub hears_bass: bool,
    /// Scale of the draws that decide the hits of each voice: 1 plays with the network's probabilities. What comes back is
    /// always drawn with them.
    pub temperature: [f32; N_VOICES],
    /// Scale of the draw of a velocity: 1 as spread as the network says.
    pub looseness: f32,
    /// What it draws is a function of this number.
    pub key: u64,
}

impl Rehearsal<'_> {
    /// Plays the next `n` measures, or as many as have a measure of bass before them.
    pub fn play(&self, brain: &Brain, n: usize) -> Vec<DrumRow> {
        let silence = [DrumRow::default()];
        let own = if self.own.is_empty() {
            &silence
        } else {
            self.own
        };
        let mut mind = Mind::default();
        let mut heard: Vec<HeardMeasure> = Vec::with_capacity(own.len() + n);
        let mut played = Vec::with_capacity(n);
        for measure in 0..self.bass.len().min(self.given.len()) {
            if played.len() == n {
                break;
            }
            let own = own.get(measure).or_else(|| played.get(measure - own.len()));
            heard.push(self.heard(measure, own, heard.last()));
            if measure + 1 >= self.own.len().max(1) {
                let remembered = &heard[first_remembered(heard.len())..];
                let row = self.measure(brain, &mut mind, remembered, measure + 1);
                played.push(row);
            }
        }
        played
    }

    /// A measure as it is heard. Own drums are known from the first hit on.
    fn heard(
        &self,
        measure: usize,
        own: Option<&DrumRow>,
        before: Option<&HeardMeasure>,
    ) -> HeardMeasure {
        let is_known = before.is_some_and(|before| before.own.is_some());
        HeardMeasure {
            bass: self.hears_bass.then_some(self.bass[measure]),
            own: own
                .filter(|own| is_known || !own.is_empty())
                .map(DrumRow::remembered),
            given: self.given[measure].numbers(),
        }
    }

    /// Plays the measure of this index after those that are remembered.
    fn measure(
        &self,
        brain: &Brain,
        mind: &mut Mind,
        remembered: &[HeardMeasure],
        idx: usize,
    ) -> DrumRow {
        let meant = mind.meant(brain, remembered);
        let mut decoding = brain.begin(&meant);
        let mut behind = behind(remembered);
        let returns = brain.returns(&meant, &behind.own, |strand, choice, log_odds| {
            let (strand, choice) = (strand as u64, choice as u64);
            log_odds + draws::gumbel(&[RETURN, self.key, idx as u64, strand, choice])
        });
        behind.returns = Some(returns);
        let given = &self.given[idx - 1];
        let (mut now, mut seen) = (DrumRow::default(), [0.0; N_BESIDE]);
        for step in 0..given.n_steps.min(NET_STEPS) {
            beside(&mut seen, step, &behind, &now);
            let mut outputs = brain.outputs(&mut decoding, step, &seen);
            let at =
                |stream, column: usize| [stream, self.key, idx as u64, step as u64, column as u64];
            let back = returns.hits(&behind.own, step);
            let decided = take_turns(brain, &mut outputs, |column, log_odds| {
                if let Some(hits) = back[column] {
                    return if hits { 1.0 } else { -1.0 };
                }
                let u = draws::uniform(&at(CELL, column));
                log_odds + self.temperature[column] * (u / (1.0 - u)).ln()
            });
            for (column, log_odds) in decided.into_iter().enumerate() {
                if log_odds > 0.0 {
                    let cell = outputs.cell(column);
                    let velocity = if self.levels[column] > 0.0 {
                        self.levels[column]
                    } else {
                        let draw = self.looseness * draws::normal(&at(VELOCITY, column));
                        cell.velocity + cell.velocity_spread * draw
                    };
                    now.hit(step, column, velocity.clamp(SOFTEST, 1.0));
                }
            }
        }
        now
    }
}

/// MIDI velocity 1.
pub(crate) const SOFTEST: f32 = 1.0 / 127.0;
