//! The voices of a step decide in turn.

use lockstep_core::representation::{Limb, Voice, is_impossible};

use super::{Brain, N_VOICES};
use crate::network::StepOutputs;

/// The voices decide in their declaration order, each knowing those before it. `outputs` are those of the step and learn what
/// is decided. `draw` makes of a column and its log-odds the log-odds that decide: the voice hits if they are above 0.
///
/// Two hands hold two sticks: of more voices played with a stick, those that the network finds least likely lose their hit, so
/// that their log-odds are below 0 by as much as they were above. Returns what decided.
pub fn take_turns(
    brain: &Brain,
    outputs: &mut StepOutputs,
    mut draw: impl FnMut(usize, f32) -> f32,
) -> [f32; N_VOICES] {
    let (mut likely, mut decided) = ([0.0; N_VOICES], [0.0; N_VOICES]);
    for column in 0..N_VOICES {
        likely[column] = outputs.cell(column).presence;
        decided[column] = draw(column, likely[column]);
        if decided[column] > 0.0 {
            brain.hit(outputs, column);
        }
    }
    let hits = |decided: &[f32; N_VOICES]| decided.map(|log_odds| log_odds > 0.0);
    while is_impossible(voices(hits(&decided))) {
        let sticks = voices(hits(&decided)).filter(|voice| voice.limb() == Limb::Stick);
        let least = sticks
            .map(Voice::index)
            .min_by(|a, b| likely[*a].total_cmp(&likely[*b]));
        let Some(least) = least else {
            break;
        };
        decided[least] = -decided[least];
    }
    brain.decided(outputs, &hits(&decided));
    decided
}

/// The voices that hit.
fn voices(hits: [bool; N_VOICES]) -> impl Iterator<Item = Voice> {
    let voices = Voice::ALL.into_iter().zip(hits);
    voices.filter_map(|(voice, hits)| hits.then_some(voice))
}
