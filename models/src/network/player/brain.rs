//! The player's weights in plain numbers, and its decoder one step at a time.
//!
//! [`PlayerNet`](super::PlayerNet) is trained on all measures and steps at once; this is what plays. What is remembered of a
//! take lies in a [`Mind`](super::Mind), of which one brain has as many as there are ways to hear.

use super::map::{Inputs, Map, rectify};
use super::plain_ear::PlainEar;
use super::returns::{N_CHOICES, N_RETURNS, N_STRANDS, Returns};
use super::rows::OwnBehind;
use super::{
    FEED_FORWARD, Layers, MEMORY, N_BESIDE, N_VOICES, NO_BASS, NO_OWN, VOICES, WIDTH,
    playing_layers,
};
use crate::network::{
    Layer, NET_STEPS, NetworkParameterError, NetworkParameters, StepOutputs, n_outputs,
};

/// Channels of own drums between their two layers.
const OWN_WIDTH: usize = 256;
/// Numbers of the decoder's answer for a step.
const N_OUTPUTS: usize = n_outputs(VOICES);

/// The weights of the player, made ready to play.
#[derive(Clone, Debug)]
pub struct Brain {
    pub(super) bass: [Map; 2],
    pub(super) own: [Map; 2],
    pub(super) given: Map,
    nothing: Vec<f32>,
    place: Vec<f32>,
    pub(super) blocks: Vec<Block>,
    returns: Map,
    /// `(N_RETURNS, N_RETURNS)`: what a strand's choice adds to the log-odds of the strands after it.
    returns_after: Vec<f32>,
    meant: Map,
    steps: Vec<f32>,
    join: Map,
    deepen: Vec<Map>,
    output: Map,
    /// `(V, V)`: what a hit adds to the log-odds of the voices after it.
    within: Vec<f32>,
    /// `(V, V)`: what a hit adds to the velocities of its step.
    within_velocity: Vec<f32>,
    ear: PlainEar,
}

/// One block of the transformer.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) attend: Map,
    pub(super) join: Map,
    pub(super) widen: Map,
    pub(super) narrow: Map,
}

/// A measure while its steps are decided.
#[derive(Clone, Debug)]
pub struct Decoding {
    /// What is meant, `(WIDTH,)`, as the decoder hears it.
    meant: [f32; WIDTH],
    inputs: Inputs,
}

impl Brain {
    /// The brain with these weights, which lie in the processor's memory.
    ///
    /// # Errors
    /// [`NetworkParameterError`] if a tensor is missing or has another shape.
    pub fn new(parameters: &NetworkParameters) -> Result<Self, NetworkParameterError> {
        let Layers {
            bass,
            own,
            given,
            nothing,
            place,
            blocks,
            returns,
            returns_after,
            meant,
            steps,
            join,
            deepen,
            output,
            within,
            within_velocity,
        } = playing_layers();
        let map = |layer: &Layer| Ok(Map::new(&parameters.projection(layer)?)?);
        let two = |[a, b]: &[Layer; 2]| Ok::<_, NetworkParameterError>([map(a)?, map(b)?]);
        let table = |layer: &Layer| {
            let values = parameters.table(layer)?.flatten_all()?.to_vec1::<f32>()?;
            Ok::<_, NetworkParameterError>(values)
        };
        let block = |[attend, join, widen, narrow]: &[Layer; 4]| {
            Ok(Block {
                attend: map(attend)?,
                join: map(join)?,
                widen: map(widen)?,
                narrow: map(narrow)?,
            })
        };
        let mut within = table(&within)?;
        for (i, more) in within.iter_mut().enumerate() {
            if i / N_VOICES >= i % N_VOICES {
                *more = 0.0;
            }
        }
        let blocks: Result<_, NetworkParameterError> = blocks.iter().map(block).collect();
        let deepen: Result<_, NetworkParameterError> = deepen.iter().map(map).collect();
        Ok(Self {
            bass: two(&bass)?,
            own: two(&own)?,
            given: map(&given)?,
            nothing: table(&nothing)?,
            place: table(&place)?,
            blocks: blocks?,
            returns: map(&returns)?,
            returns_after: table(&returns_after)?,
            meant: map(&meant)?,
            steps: table(&steps)?,
            join: map(&join)?,
            deepen: deepen?,
            output: map(&output)?,
            within,
            within_velocity: table(&within_velocity)?,
            ear: PlainEar::new(parameters)?,
        })
    }

    /// The part that hears which ideas suit the bass.
    pub fn ear(&self) -> &PlainEar {
        &self.ear
    }

    /// What stands for a bass, or for own drums, that are not heard.
    pub(super) fn nothing(&self, is_own: bool) -> &[f32] {
        let row = if is_own { NO_OWN } else { NO_BASS };
        &self.nothing[row * WIDTH..][..WIDTH]
    }

    /// The place of a remembered measure, `0 .. MEMORY`.
    pub(super) fn place(&self, of: usize) -> &[f32] {
        &self.place[of.min(MEMORY - 1) * WIDTH..][..WIDTH]
    }

    /// Decides what each strand of a measure does for which this is meant. `score` makes of a strand, a choice and its log-odds
    /// a number; of the strand's choices the one with the largest is taken. Only what is known of `own` can come back.
    pub fn returns(
        &self,
        meant: &[f32; WIDTH],
        own: &OwnBehind<'_>,
        mut score: impl FnMut(usize, usize, f32) -> f32,
    ) -> Returns {
        let mut log_odds = [0.0; N_RETURNS];
        self.returns
            .apply(meant, &mut log_odds, &mut Inputs::default());
        let mut returns = Returns::default();
        for strand_idx in 0..N_STRANDS {
            let first = strand_idx * N_CHOICES;
            let mut best = f32::NEG_INFINITY;
            for choice in 0..N_CHOICES {
                let lag = choice.checked_sub(1);
                if lag.is_some_and(|lag| own[lag].is_none()) {
                    continue;
                }
                let score = score(strand_idx, choice, log_odds[first + choice]);
                if score > best {
                    best = score;
                    returns.0[strand_idx] = lag;
                }
            }
            let row = first + returns.choice(strand_idx);
            let row = &self.returns_after[row * N_RETURNS..][..N_RETURNS];
            let later = first + N_CHOICES;
            add(&mut log_odds[later..], &row[later..]);
        }
        returns
    }

    /// Starts a measure for which this is meant.
    pub fn begin(&self, meant: &[f32; WIDTH]) -> Decoding {
        let mut decoding = Decoding {
            meant: [0.0; WIDTH],
            inputs: Inputs::default(),
        };
        let Decoding {
            meant: heard,
            inputs,
        } = &mut decoding;
        self.meant.apply(meant, heard, inputs);
        decoding
    }

    /// Outputs of a step, `0 .. 16`, before any of its voices has decided.
    pub fn outputs(
        &self,
        decoding: &mut Decoding,
        step: usize,
        beside: &[f32; N_BESIDE],
    ) -> StepOutputs {
        let Decoding { meant, inputs } = decoding;
        let (mut x, mut deep) = ([0.0; WIDTH], [0.0; WIDTH]);
        self.join.apply(beside, &mut x, inputs);
        let steps = &self.steps[step % NET_STEPS * WIDTH..][..WIDTH];
        for ((x, meant), step) in x.iter_mut().zip(meant).zip(steps) {
            *x = (*x + (*meant + step)).max(0.0);
        }
        for deepen in &self.deepen {
            deepen.apply(&x, &mut deep, inputs);
            rectify(&mut deep);
            add(&mut x, &deep);
        }
        let mut outputs = [0.0; N_OUTPUTS];
        self.output.apply(&x, &mut outputs, inputs);
        StepOutputs::new(VOICES, &outputs)
    }

    /// Tells the voices after that of `column` that it hits, by changing their presences.
    pub fn hit(&self, outputs: &mut StepOutputs, column: usize) {
        if let Some(row) = self.within.chunks_exact(N_VOICES).nth(column) {
            add(outputs.presences_mut(), row);
        }
    }

    /// Tells the velocities of a step which voices hit; once all of them have decided.
    pub fn decided(&self, outputs: &mut StepOutputs, hits: &[bool; N_VOICES]) {
        let rows = self.within_velocity.chunks_exact(N_VOICES).zip(hits);
        for (row, _) in rows.filter(|(_, hits)| **hits) {
            add(&mut outputs.numbers_mut()[N_VOICES..2 * N_VOICES], row);
        }
    }

    /// Tells the velocity of each voice that does not hit of itself, as if it hit, because more density may let it sound.
    pub fn suppose(&self, outputs: &mut StepOutputs, hits: &[bool; N_VOICES]) {
        let velocities = outputs.numbers_mut()[N_VOICES..2 * N_VOICES].iter_mut();
        let own = self.within_velocity.iter().step_by(N_VOICES + 1);
        for ((velocity, own), hits) in velocities.zip(own).zip(hits) {
            if !hits {
                *velocity += own;
            }
        }
    }
}

/// Adds numbers to as many others.
pub(super) fn add(sum: &mut [f32], more: &[f32]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

/// Numbers that a [`Mind`](super::Mind) computes with, of several measures at once; keeps its memory from call to call.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    pub(super) inputs: Inputs,
    /// What is added to `x` next, `(M, WIDTH)`.
    pub(super) more: Vec<f32>,
    /// `x` normalised, or what the heads heard, `(M, WIDTH)`.
    pub(super) calm: Vec<f32>,
    /// `(M, 3 · WIDTH)`: query, key and value, then the feed-forward layer; also what is between two layers of a row.
    pub(super) wide: Vec<f32>,
}

impl Scratch {
    /// Makes room for `n` measures.
    pub(super) fn resize(&mut self, n: usize) {
        const { assert!(FEED_FORWARD == 3 * WIDTH && OWN_WIDTH <= FEED_FORWARD) };
        self.more.resize(n * WIDTH, 0.0);
        self.calm.resize(n * WIDTH, 0.0);
        self.wide.resize(n * FEED_FORWARD, 0.0);
    }
}
