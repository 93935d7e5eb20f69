//! The drummer who remembers the take and holds an idea of the song.
//!
//! Decides a measure hit by hit in plain numbers, as the network in [`crate::network::player`] has learnt to. What it remembers
//! of a take comes from the requests; the same measures give the same drums.

mod cells;
mod fill;
mod idea;
mod memory;
mod views;

use lockstep_core::generator::{
    DeviceReport, DrumHistory, Generator, Hits, PredictError, Probabilities, Request,
};
use lockstep_core::representation::{
    Hit, HitMap, MAX_STEPS_PER_MEASURE, N_VOICES, Presence, Voice,
};

use super::accelerator::Accelerator;
use super::parts::{MeasurePart, parts};
use super::trunk::TrunkError;
use crate::network::player::ear::{N_TOUCHES, TOUCH, TOUCHES};
use crate::network::player::{
    BassRow, Brain, DrumRow, Given, HeardMeasure, MEMORY, Mind, SOFTEST, first_remembered, n_flops,
    take_turns,
};
use crate::network::{NetworkParameters, StepOutputs, logistic};
use crate::noise::ORDINARY_VELOCITY;
use crate::weights::{PLAYER, PlayerConfig, WeightsError};
use cells::Cells;
use fill::Fill;
use idea::Idea;
use memory::{Memory, Owner, Row, number};
use views::{N_WAYS, View, Way, outputs, shares};

/// Measures by which a take is moved into the song: people's songs begin with intros of few drums, a drummer who joins in does
/// not. Whole phrases of eight, so that phrases end where they did.
const IN_THE_SONG: u64 = 16;

/// Takes that are remembered at a time; of more clients those forget that asked longest ago.
const MAX_TAKES: usize = 16;

/// The drummer.
#[derive(Debug)]
pub(super) struct Player {
    config: PlayerConfig,
    brain: Brain,
    touches: Vec<[f32; TOUCH]>,
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
        let touches = touches.flatten_all()?.to_vec1::<f32>()?;
        let mut player = Self {
            config,
            brain: Brain::new(parameters)?,
            touches: touches.as_chunks().0.to_vec(),
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
            &mut StepOutputs,
        ) -> Result<[f32; N_VOICES], PredictError>,
    ) -> Result<(), PredictError> {
        let shares = shares(&self.config, request.settings, history);
        let take = Take::of(&mut self.takes, request, history);
        let opening = take.memory.opening();
        let idea = Idea::draw(
            self.brain.ear(),
            (&self.touches, self.config.family_certainty),
            request.settings,
            opening,
        );
        let mut asked = Asked::new(take, request, idea, history);
        let mut step_idx = 0;
        let fill = Fill::of(request, history);
        for part in parts(request.meter) {
            asked.is_fill = fill.at(step_idx);
            let mut views = asked.views(&self.brain, part, shares);
            let mut now = DrumRow::default();
            for step in 0..part.n_steps {
                if fill.at(step_idx) != asked.is_fill {
                    asked.is_fill = fill.at(step_idx);
                    views = asked.views(&self.brain, part, shares);
                }
                let Some(mut outputs) = outputs(&self.brain, &mut views, step, &now) else {
                    break;
                };
                let played = decide((&self.brain, &idea), step_idx, &mut outputs)?;
                for (voice, velocity) in played.into_iter().enumerate() {
                    if velocity > 0.0 {
                        now.hit(step, voice, velocity);
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

/// The rows of a take while a measure is predicted: also the parts of the measure that are already decided.
#[derive(Debug)]
struct Asked<'a> {
    request: &'a Request,
    idea: Idea,
    minds: &'a mut [Mind; N_WAYS],
    rows: Vec<Row>,
    /// How many rows there were, those that are forgotten included.
    n_rows: usize,
    /// What the network is told about a fill in the measure asked.
    is_fill: Option<bool>,
    /// Whether own drums are heard.
    hears_own: bool,
    /// Index in `rows` from which they are known, if they are.
    known_from: Option<usize>,
}

impl<'a> Asked<'a> {
    fn new(take: &'a mut Take, request: &'a Request, idea: Idea, history: DrumHistory) -> Self {
        let Take { memory, minds, .. } = take;
        let rows = memory.rows().to_vec();
        Self {
            request,
            idea,
            minds,
            n_rows: memory.n_rows(),
            is_fill: None,
            hears_own: history != DrumHistory::Empty,
            known_from: memory.known_from(),
            rows,
        }
    }

    /// The row of a part of the measure asked, with nothing in it.
    fn row(&self, part: MeasurePart) -> Row {
        let place = (self.request.measure, part.idx);
        Row {
            place,
            number: number(place, part.n_parts, self.rows.last()),
            meter: self.request.meter,
            n_steps: part.n_steps,
            bass: BassRow::default(),
            own: DrumRow::default(),
        }
    }

    /// Adds a part of the measure asked that was decided. Its bass is not known yet; it is assumed to repeat the measure
    /// before.
    fn pass(&mut self, part: MeasurePart, own: &DrumRow) {
        let before = self.request.measure.checked_sub(1);
        let repeated = before.and_then(|measure| {
            let place = (measure, part.idx);
            self.rows.iter().rfind(|row| row.place == place)
        });
        let bass = repeated.map(|row| row.bass).unwrap_or_default();
        if !own.is_empty() {
            self.known_from.get_or_insert(self.rows.len());
        }
        self.rows.push(Row {
            bass,
            own: *own,
            ..self.row(part)
        });
        self.n_rows += 1;
    }

    /// The views of a part, the one that says how a hit is played first.
    fn views(
        &mut self,
        brain: &Brain,
        part: MeasurePart,
        (shares, first): ([f32; N_WAYS], usize),
    ) -> Vec<View> {
        let mut views = Vec::with_capacity(N_WAYS);
        let others = (0..N_WAYS).filter(|way| *way != first && shares[*way] != 0.0);
        for way in std::iter::once(first).chain(others) {
            let heard = self.heard(part, Way::ALL[way]);
            let meant = self.minds[way].meant(brain, &heard);
            views.push(View {
                share: shares[way],
                decoding: brain.begin(&meant),
                heard,
            });
        }
        views
    }

    /// The measures remembered, as they are heard in one way.
    fn heard(&self, part: MeasurePart, way: Way) -> Vec<HeardMeasure> {
        let asked = self.row(part);
        if self.rows.is_empty() {
            // Before the first measure: silence.
            return vec![HeardMeasure {
                bass: way.bass.then(BassRow::default),
                own: None,
                given: self.given(&asked, way).numbers(),
            }];
        }
        let n_forgotten = self.n_rows - self.rows.len();
        let first = first_remembered(self.n_rows).saturating_sub(n_forgotten);
        let is_known = |i| self.hears_own && self.known_from.is_some_and(|first| i >= first);
        let rows = self.rows.iter().enumerate().skip(first).take(MEMORY);
        rows.map(|(i, row)| {
            let next = self.rows.get(i + 1).unwrap_or(&asked);
            HeardMeasure {
                bass: way.bass.then_some(row.bass),
                own: is_known(i).then(|| row.own.remembered()),
                given: self.given(next, way).numbers(),
            }
        })
        .collect()
    }

    /// What is given about a row.
    fn given(&self, row: &Row, way: Way) -> Given {
        let Request {
            tempo_bpm,
            swing,
            settings,
            ..
        } = *self.request;
        // What was wished of the measures before is not remembered; the drums that were played are.
        let is_asked = row.place.0 == self.request.measure;
        let energy = settings.energy.filter(|_| is_asked);
        Given {
            measure: IN_THE_SONG + row.number,
            tempo_bpm,
            n_steps: row.n_steps,
            counts_eighths: row.meter.denominator() == 8,
            swing,
            fill: self.is_fill.filter(|_| is_asked),
            energy: energy.map(|energy| 2.0 * energy.clamp(0.0, 1.0) - 1.0),
            touch: Some(self.idea.touch),
            family: self.idea.family.filter(|_| way.idea),
            // A fill leaves the book.
            is_by_the_book: settings.style.is_some() && !(is_asked && self.is_fill == Some(true)),
            groove: way.idea.then_some(self.idea.groove),
        }
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
        self.play(request, history, |(brain, _), step_idx, outputs| {
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
        let cells = Cells::new(request);
        let temperature = self.config.temperature.values().map(|of| of * cells.heat());
        let (lean, looseness) = (self.config.lean.values(), self.config.looseness);
        let mut map = HitMap::default();
        self.play(
            request,
            DrumHistory::Own,
            |(brain, idea), step_idx, outputs| {
                let decided = take_turns(brain, outputs, |column, log_odds| {
                    let draw = temperature[column] * cells.decision(step_idx, column);
                    log_odds + lean[column] + draw
                });
                brain.suppose(outputs, &decided.map(|log_odds| log_odds > 0.0));
                let even = f32::from(u8::from(!idea.is_even())) * looseness;
                let free = f32::from(u8::from(!idea.is_on_grid()));
                let mut played = [0.0; N_VOICES];
                for (column, voice) in Voice::ALL.into_iter().enumerate() {
                    let cell = outputs.cell(column);
                    let draw = even * cells.velocity(step_idx, column);
                    let velocity = cell.velocity + cell.velocity_spread * draw;
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
