//! The drummer who remembers the take and holds an idea of the song.
//!
//! Decides a measure hit by hit in plain numbers, as the network in [`crate::network::player`] has learnt to. What it remembers
//! of a take comes from the requests; the same measures give the same drums.

mod asked;
mod cells;
mod fill;
mod idea;
mod memory;
mod views;

use candle_core::Tensor;
use lockstep_core::generator::{
    DeviceReport, DrumHistory, Generator, Hits, PredictError, Probabilities, Request,
};
use lockstep_core::representation::{
    Hit, HitMap, MAX_STEPS_PER_MEASURE, N_VOICES, Presence, Voice,
};

use super::accelerator::Accelerator;
use super::parts::parts;
use super::trunk::TrunkError;
use crate::network::player::touch::{LEVELS, N_LEVELS, N_TOUCHES, TOUCH, TOUCHES, is_on_grid};
use crate::network::player::{Brain, DrumRow, Mind, SOFTEST, n_flops, take_turns};
use crate::network::{NetworkParameters, logistic};
use crate::noise::ORDINARY_VELOCITY;
use crate::weights::{PLAYER, PlayerConfig, WeightsError};
use asked::Asked;
use cells::{Cells, heat};
use fill::Fill;
use idea::{Choices, Idea};
use memory::{Memory, Owner};
use views::{N_WAYS, Step, shares, step};

/// Takes that are remembered at a time; of more clients those forget that asked longest ago.
const MAX_TAKES: usize = 16;

/// The drummer.
#[derive(Debug)]
pub(super) struct Player {
    config: PlayerConfig,
    brain: Brain,
    choices: Choices,
    /// The one that was asked for last comes first.
    takes: Vec<Take>,
    /// Keeps only the reason why another device is not used.
    accelerator: Accelerator,
    n_parameters: usize,
}

/// What is remembered for one client.
#[derive(Debug)]
struct Take {
    owner: Owner,
    memory: Memory,
    minds: [Mind; N_WAYS],
}

impl Player {
    /// The player with these weights. Predicts once, so that the first measure is not late.
    ///
    /// # Errors
    /// [`WeightsError`] if the configuration is impossible, or the weights do not have the shape of the network.
    pub(super) fn new(
        config: PlayerConfig,
        parameters: &NetworkParameters,
    ) -> Result<Self, WeightsError> {
        config.check()?;
        let touches = parameters.tensor(TOUCHES, &[N_TOUCHES, TOUCH])?;
        let levels = parameters.tensor(LEVELS, &[N_TOUCHES * N_LEVELS, N_VOICES])?;
        let values = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        let choices = Choices {
            least_share: config.idea_least_share,
            naming: config.naming,
            touches: values(&touches)?.as_chunks().0.to_vec(),
            levels: values(&levels)?.as_chunks().0.to_vec(),
        };
        let mut player = Self {
            config,
            brain: Brain::new(parameters)?,
            choices,
            takes: Vec::new(),
            accelerator: Accelerator::default(),
            n_parameters: parameters.n_values(),
        };
        // Whether its answer is finite shows when it is asked in earnest.
        let _ = player.predict(&Request::default());
        player.takes.clear();
        Ok(player)
    }

    /// Keeps the reason why no other device predicts.
    pub(super) fn refuse(&mut self, why: &TrunkError) {
        self.accelerator.refuse(why);
    }

    /// The CPU predicts by choice.
    pub(super) fn on_cpu(&mut self) {
        self.accelerator = Accelerator::default();
    }

    /// Goes through the steps of the measure asked. `decide` gets the step's index in the measure and its outputs, and returns
    /// the velocities of its hits, 0 where there is none.
    fn play(
        &mut self,
        request: &Request,
        history: DrumHistory,
        mut decide: impl FnMut(
            (&Brain, &Idea),
            usize,
            &mut Step,
        ) -> Result<[f32; N_VOICES], PredictError>,
    ) -> Result<(), PredictError> {
        let shares = shares(&self.config, request.settings, history);
        let take = Take::of(&mut self.takes, request, history);
        let opening = take.memory.opening();
        let idea = Idea::draw(self.brain.ear(), &self.choices, request.settings, opening);
        let mut asked = Asked::new(
            (&take.memory, &mut take.minds),
            request,
            (idea, &self.config),
            history,
        );
        let mut step_idx = 0;
        let fill = Fill::of(request, history, idea.song);
        for part in parts(request.meter) {
            asked.is_fill = fill.at(step_idx);
            let (mut views, mut returns) = asked.views(&self.brain, part, shares);
            let mut now = DrumRow::default();
            for at in 0..part.n_steps {
                if fill.at(step_idx) != asked.is_fill {
                    asked.is_fill = fill.at(step_idx);
                    (views, returns) = asked.views(&self.brain, part, shares);
                }
                let Some(mut step) = step(&self.brain, &mut views, (at, &now), returns) else {
                    break;
                };
                let played = decide((&self.brain, &idea), step_idx, &mut step)?;
                for (voice, velocity) in played.into_iter().enumerate() {
                    if velocity > 0.0 {
                        now.hit(at, voice, velocity);
                    }
                }
                step_idx += 1;
            }
            asked.pass(part, &now);
        }
        Ok(())
    }
}

impl Take {
    /// The take of the client that asks, with what the request tells.
    fn of<'a>(takes: &'a mut Vec<Self>, request: &Request, history: DrumHistory) -> &'a mut Self {
        let client = request.client;
        let owner = Owner { client, history };
        let known = takes.iter().position(|take| take.owner == owner);
        let take = match known.map(|at| takes.remove(at)) {
            Some(mut take) => {
                take.memory.take_in(request);
                take
            }
            None => Self {
                owner,
                memory: Memory::new(request),
                minds: Default::default(),
            },
        };
        takes.truncate(MAX_TAKES - 1);
        takes.insert(0, take);
        &mut takes[0]
    }
}

impl Generator for Player {
    fn name(&self) -> &'static str {
        PLAYER
    }

    fn voices(&self) -> &'static [Voice] {
        &Voice::ALL
    }

    fn n_parameters(&self) -> usize {
        self.n_parameters
    }

    fn device(&self) -> DeviceReport<'_> {
        self.accelerator.report()
    }

    fn n_flops(&self) -> u64 {
        n_flops()
    }

    fn probabilities(
        &mut self,
        request: &Request,
        people: &Hits,
        history: DrumHistory,
    ) -> Result<Option<Probabilities>, PredictError> {
        let mut rows = [[0.0; N_VOICES]; MAX_STEPS_PER_MEASURE];
        self.play(request, history, |(brain, _), step_idx, step| {
            let outputs = &mut step.outputs;
            let hits = &people[step_idx];
            for (column, hit) in hits.iter().enumerate() {
                rows[step_idx][column] = logistic(outputs.cell(column).presence);
                if *hit {
                    brain.hit(outputs, column);
                }
            }
            Ok(hits.map(|hit| ORDINARY_VELOCITY * f32::from(u8::from(hit))))
        })?;
        Ok(Some(Probabilities(rows)))
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        let heat = heat(request.settings.variation)
            * match request.settings.style {
                Some(_) => self.config.family_temperature,
                None => 1.0,
            };
        let temperature = self.config.temperature.values().map(|of| of * heat);
        let (lean, looseness) = (self.config.lean.values(), self.config.looseness);
        let least = self.config.least_chance;
        let sure = ((1.0 - least) / least).ln();
        let mut map = HitMap::default();
        self.play(
            request,
            DrumHistory::Own,
            |(brain, idea), step_idx, step| {
                let Step {
                    outputs,
                    brought_back,
                } = step;
                let cells = Cells::new(request, idea.song);
                let decided = take_turns(brain, outputs, |column, log_odds| {
                    let log_odds = log_odds + lean[column];
                    let draw = temperature[column] * cells.decision(step_idx, column);
                    let drawn = if log_odds.abs() < sure {
                        log_odds + draw
                    } else {
                        log_odds
                    };
                    brought_back[column].unwrap_or(drawn)
                });
                brain.suppose(outputs, &decided.map(|log_odds| log_odds > 0.0));
                let free = f32::from(u8::from(!is_on_grid(&idea.touch)));
                let mut played = [0.0; N_VOICES];
                for (column, voice) in Voice::ALL.into_iter().enumerate() {
                    let cell = outputs.cell(column);
                    let velocity = match idea.levels[column] {
                        0.0 => {
                            let draw = looseness * cells.velocity(step_idx, column);
                            cell.velocity + cell.velocity_spread * draw
                        }
                        // Who asks for an energy wants it louder or softer than its level.
                        _ if request.settings.energy.is_some() => cell.velocity,
                        held => held,
                    };
                    let draw = looseness * cells.offset(step_idx, column);
                    let offset = free * (cell.offset + cell.offset_spread * draw);
                    let hit = Presence::new(logistic(decided[column]))
                        .and_then(|presence| Hit::new(presence, velocity.max(SOFTEST), offset))
                        .ok_or(PredictError::NotFinite {
                            value: decided[column] + velocity + offset,
                            step_idx,
                        })?;
                    map.set(step_idx, voice, hit);
                    if decided[column] > 0.0 {
                        played[column] = hit.velocity();
                    }
                }
                Ok(played)
            },
        )?;
        Ok(map)
    }
}
