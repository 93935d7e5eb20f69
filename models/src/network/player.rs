//! The player: remembers up to thirty-one measures of bass and of its own drums, holds an idea of the song, and decides hit by hit.
//!
//! A causal transformer (Vaswani et al. 2017, pre-norm as in Xiong et al. 2020) goes over measures: at each it hears the bass,
//! its own drums and what is wanted of the next measure, and says in [`WIDTH`] numbers what is meant for it. A decoder plays
//! the next measure step by step: it sees the hits of the sixteen steps before, the bass of the last four measures at that
//! step, what it played there one, two, four and eight measures before, and which of that [comes back](returns), which is
//! decided first. Within a step the voices decide in turn, each knowing those before it. The [`ear`] says from the bass alone
//! which ideas suit the song.
//!
//! The teacher of the player is the same network whose bass is moved by one measure: it hears the measure that it accompanies.
//!
//! Rows: a measure of at most sixteen steps is a row of sixteen; the end of a shorter one stays empty. [`rows`] turns music
//! into the numbers of a row, for training and prediction alike.

mod brain;
pub mod ear;
mod map;
mod mind;
mod plain_ear;
mod rehearsal;
pub mod returns;
pub mod rows;
pub mod touch;
mod turn;

use candle_core::{Device, Result, Tensor};

use super::attention::{Block, normalise};
use super::{Layer, NET_STEPS, NetworkParameterError, NetworkParameters, Projection, n_outputs};
use crate::voices::VoiceSet;
pub use brain::{Brain, Decoding};
pub use ear::Ear;
pub use mind::{HeardMeasure, Mind, behind, first_remembered};
pub use plain_ear::{HeardBass, PlainEar};
pub use rehearsal::Rehearsal;
pub(crate) use rehearsal::SOFTEST;
pub use returns::Returns;
use returns::{N_CHOICES, N_RETURNS};
pub use rows::{BassRow, Behind, DrumRow, Given, LAGS, N_BASS, N_BESIDE, N_GIVEN, N_OWN, beside};
pub use touch::{Levels, Touch};
pub use turn::take_turns;

/// Measures that it remembers, at most.
pub const MEMORY: usize = 32;
/// Channels of the transformer and of the decoder.
pub const WIDTH: usize = 192;
/// Blocks of attention and feed-forward.
pub const N_BLOCKS: usize = 4;
/// Heads of an attention.
pub const N_HEADS: usize = 6;
/// Channels of the feed-forward layer.
const FEED_FORWARD: usize = 3 * WIDTH;
/// Hidden layers of the decoder after its first.
const N_DEEP: usize = 2;
/// The voices of the player: all fourteen.
const VOICES: VoiceSet = VoiceSet::Version2;
/// How many voices it plays.
pub const N_VOICES: usize = VOICES.n();
/// Spread of tables at the start of training, and of layers that add to what is there.
const SMALL: f32 = 0.02;
const ADDED: f32 = 0.4;

/// Rows of the table of what stands for something that is not heard.
const NO_BASS: usize = 0;
const NO_OWN: usize = 1;

/// What the player hears of B stretches of M measures.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Rows of bass, `(B, M, N_BASS)`.
    pub bass: Tensor,
    /// Rows of own drums, `(B, M, N_OWN)`.
    pub own: Tensor,
    /// What is given about the measure after each, `(B, M, N_GIVEN)`.
    pub given: Tensor,
    /// 1 where the bass is not heard, else 0: `(B, M, 1)`.
    pub no_bass: Tensor,
    /// 1 where the own drums are not known, else 0: `(B, M, 1)`.
    pub no_own: Tensor,
}

/// The network in tensors, for training and for other devices.
#[derive(Clone, Debug)]
pub struct PlayerNet {
    bass: [Projection; 2],
    own: [Projection; 2],
    given: Projection,
    nothing: Tensor,
    place: Tensor,
    blocks: Vec<Block>,
    returns: Projection,
    returns_after: Tensor,
    earlier_strands: Tensor,
    meant: Projection,
    steps: Tensor,
    join: Projection,
    deepen: Vec<Projection>,
    output: Projection,
    within: Tensor,
    within_velocity: Tensor,
    after: Tensor,
    ear: Ear,
}

/// The layers, by part.
pub(super) struct Layers {
    pub(super) bass: [Layer; 2],
    pub(super) own: [Layer; 2],
    pub(super) given: Layer,
    pub(super) nothing: Layer,
    pub(super) place: Layer,
    pub(super) blocks: Vec<[Layer; 4]>,
    pub(super) returns: Layer,
    pub(super) returns_after: Layer,
    pub(super) meant: Layer,
    pub(super) steps: Layer,
    pub(super) join: Layer,
    pub(super) deepen: Vec<Layer>,
    pub(super) output: Layer,
    pub(super) within: Layer,
    pub(super) within_velocity: Layer,
}

/// The layers that play, of which [`layers`] is the whole list. A prediction computes one new measure, the others are
/// remembered.
pub(super) fn playing_layers() -> Layers {
    let affine = |name: &str, size, n| Layer::affine(name, size, n);
    let block = |i: usize| {
        let [attend, join, widen, narrow] =
            Block::layers(&format!("block{i}"), (WIDTH, FEED_FORWARD), 1);
        [attend, join.scaled(ADDED), widen, narrow.scaled(ADDED)]
    };
    let deepen =
        |i: usize| affine(&format!("drums.deepen{i}"), (WIDTH, WIDTH), NET_STEPS).scaled(ADDED);
    let n = N_VOICES;
    Layers {
        bass: [
            affine("bass.read", (N_BASS, WIDTH), 1),
            affine("bass.deepen", (WIDTH, WIDTH), 1),
        ],
        own: [
            affine("own.read", (N_OWN, 256), 1),
            affine("own.deepen", (256, WIDTH), 1),
        ],
        given: affine("given", (N_GIVEN, WIDTH), 1).scaled(ADDED),
        nothing: Layer::table("nothing", 2, WIDTH).scaled(SMALL),
        place: Layer::table("place", MEMORY, WIDTH).scaled(SMALL),
        blocks: (0..N_BLOCKS).map(block).collect(),
        returns: affine("returns", (WIDTH, N_RETURNS), 1).scaled(ADDED),
        returns_after: Layer::table("returns.after", N_RETURNS, N_RETURNS).scaled(SMALL),
        meant: affine("drums.meant", (WIDTH, WIDTH), 1),
        steps: Layer::table("drums.steps", NET_STEPS, WIDTH).scaled(0.3),
        join: affine("drums.join", (N_BESIDE, WIDTH), NET_STEPS),
        deepen: (0..N_DEEP).map(deepen).collect(),
        output: affine("drums.output", (WIDTH, n_outputs(VOICES)), NET_STEPS).scaled(ADDED),
        within: Layer::table("drums.within", n, n).scaled(SMALL),
        within_velocity: Layer::table("drums.within_velocity", n, n).scaled(SMALL),
    }
}

/// Every layer of the network.
pub fn layers() -> Vec<Layer> {
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
    let mut all: Vec<Layer> = bass.into_iter().chain(own).collect();
    all.extend([given, nothing, place]);
    all.extend(blocks.into_iter().flatten());
    all.extend([returns, returns_after, meant, steps, join]);
    all.extend(deepen);
    all.extend([output, within, within_velocity]);
    all.extend(ear::layers());
    all
}

/// Least number of floating-point operations of a prediction.
pub(crate) fn n_flops() -> u64 {
    layers().iter().map(Layer::n_flops).sum()
}

/// A 1 where a strand's choice comes before another strand's, else 0.
fn earlier_strands(device: &Device) -> Result<Tensor> {
    let strand = |i: usize| i / N_CHOICES;
    let cells = (0..N_RETURNS * N_RETURNS)
        .map(|i| f32::from(u8::from(strand(i / N_RETURNS) < strand(i % N_RETURNS))));
    Tensor::from_vec(cells.collect(), (N_RETURNS, N_RETURNS), device)
}

impl PlayerNet {
    /// The network with these weights.
    ///
    /// # Errors
    /// [`NetworkParameterError`] if a tensor is missing or has another shape.
    pub fn new(parameters: &NetworkParameters) -> std::result::Result<Self, NetworkParameterError> {
        let layers = playing_layers();
        let two = |[a, b]: &[Layer; 2]| {
            Ok::<_, NetworkParameterError>([parameters.projection(a)?, parameters.projection(b)?])
        };
        let n = N_VOICES;
        let after = (0..n * n).map(|i| f32::from(u8::from(i / n < i % n)));
        let within = parameters.table(&layers.within)?;
        let returns_after = parameters.table(&layers.returns_after)?;
        let blocks = layers.blocks.iter();
        let deepen = layers.deepen.iter();
        Ok(Self {
            bass: two(&layers.bass)?,
            own: two(&layers.own)?,
            given: parameters.projection(&layers.given)?,
            nothing: parameters.table(&layers.nothing)?,
            place: parameters.table(&layers.place)?,
            blocks: blocks
                .map(|block| Block::new(parameters, block))
                .collect::<std::result::Result<_, _>>()?,
            returns: parameters.projection(&layers.returns)?,
            earlier_strands: earlier_strands(returns_after.device())?,
            returns_after,
            meant: parameters.projection(&layers.meant)?,
            steps: parameters.table(&layers.steps)?,
            join: parameters.projection(&layers.join)?,
            deepen: deepen
                .map(|layer| parameters.projection(layer))
                .collect::<std::result::Result<_, _>>()?,
            output: parameters.projection(&layers.output)?,
            after: Tensor::from_vec(after.collect(), (n, n), within.device())?,
            within,
            within_velocity: parameters.table(&layers.within_velocity)?,
            ear: Ear::new(parameters)?,
        })
    }

    /// The part that hears which ideas suit the bass.
    pub fn ear(&self) -> &Ear {
        &self.ear
    }

    /// What is meant for the measure after each, `(B, M, WIDTH)`; each knows the measures up to its own.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn remember(&self, heard: &Heard) -> Result<Tensor> {
        let m = heard.bass.dim(1)?;
        let read = |[read, deepen]: &[Projection; 2], x: &Tensor, hidden: &Tensor, row: usize| {
            let x = deepen.forward(&read.rectified(x, 0.0)?)?;
            let nothing = self.nothing.narrow(0, row, 1)?.unsqueeze(0)?;
            x.broadcast_mul(&(1.0 - hidden)?)? + hidden.broadcast_mul(&nothing)?
        };
        let bass = read(&self.bass, &heard.bass, &heard.no_bass, NO_BASS)?;
        let own = read(&self.own, &heard.own, &heard.no_own, NO_OWN)?;
        let place = self.place.narrow(0, 0, m)?;
        let mut x = ((bass + own)? + self.given.forward(&heard.given)?)?.broadcast_add(&place)?;
        let mask = (0..m * m).map(|i| {
            if i % m > i / m {
                f32::NEG_INFINITY
            } else {
                0.0
            }
        });
        let mask = Tensor::from_vec(mask.collect(), (m, m), x.device())?;
        for block in &self.blocks {
            x = block.forward(&x, N_HEADS, Some(&mask))?;
        }
        normalise(&x)
    }

    /// Log-odds `(N, N_RETURNS)` of what each strand of N measures does, before normalising each strand's choices. `meant` is
    /// `(N, WIDTH)`, `said` what they do, `(N, N_RETURNS)`: each strand knows those before it.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn returns(&self, meant: &Tensor, said: &Tensor) -> Result<Tensor> {
        self.returns.forward(meant)?
            + said.matmul(&(&self.returns_after * &self.earlier_strands)?)?
    }

    /// Outputs `(N, 16, 5 · V)` of N measures. `meant` is `(N, WIDTH)`, `beside` `(N, 16, N_BESIDE)`, and `said` the hits that
    /// are played, `(N, 16, V)`: each cell knows those before it.
    ///
    /// # Errors
    /// Those of candle, if the shapes do not fit.
    pub fn decode(&self, meant: &Tensor, beside: &Tensor, said: &Tensor) -> Result<Tensor> {
        let (n, t, v) = said.dims3()?;
        let meant = self.meant.forward(meant)?.unsqueeze(1)?;
        let meant = meant.broadcast_add(&self.steps.unsqueeze(0)?)?;
        let mut x = (self.join.forward(beside)? + meant)?.relu()?;
        for deepen in &self.deepen {
            x = (&x + deepen.rectified(&x, 0.0)?)?;
        }
        let outputs = self.output.forward(&x)?;
        let said = said.reshape((n * t, v))?;
        let presence = said.matmul(&(&self.within * &self.after)?)?;
        let velocity = said.matmul(&self.within_velocity)?;
        let more = Tensor::cat(&[presence, velocity], 1)?.reshape((n, t, 2 * v))?;
        let first = (outputs.narrow(2, 0, 2 * v)? + more)?;
        let rest = outputs.narrow(2, 2 * v, n_outputs(VOICES) - 2 * v)?;
        Tensor::cat(&[first, rest], 2)
    }
}
