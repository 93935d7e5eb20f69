//! A measure that is asked for, with the rows that are heard before it.

use lockstep_core::generator::{DrumHistory, FillWish, Request};

use super::cells::{Cells, restlessness};
use super::idea::Idea;
use super::memory::{Memory, Row, number};
use super::views::{N_WAYS, Share, View, Way};
use crate::network::player::returns::{FOOT, N_CHOICES, N_STRANDS, TIME};
use crate::network::player::{
    BassRow, Brain, DrumRow, Given, HeardMeasure, LAGS, MEMORY, Mind, Returns, behind,
    first_remembered,
};
use crate::predict::parts::MeasurePart;
use crate::weights::PlayerConfig;

/// Measures by which a take is moved into the song: people's songs begin with intros of few drums, a drummer who joins in does
/// not. Whole phrases of eight, so that phrases end where they did.
const IN_THE_SONG: u64 = 16;

/// The rows of a take while a measure is predicted: also the parts of the measure that are already decided.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    request: &'a Request,
    idea: Idea,
    minds: &'a mut [Mind; N_WAYS],
    rows: Vec<Row>,
    /// How many rows there were, those that are forgotten included.
    n_rows: usize,
    /// What the network is told about a fill in the measure asked.
    pub(super) is_fill: Option<bool>,
    history: DrumHistory,
    /// Taken from the log-odds that the kick comes back, times how much the bass has changed.
    answering: f32,
    /// Added to the log-odds that a strand does something new.
    restlessness: [f32; N_STRANDS],
    /// Index in `rows` from which they are known, if they are.
    known_from: Option<usize>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(
        (memory, minds): (&Memory, &'a mut [Mind; N_WAYS]),
        request: &'a Request,
        (idea, config): (Idea, &PlayerConfig),
        history: DrumHistory,
    ) -> Self {
        let returning = match request.settings.style {
            Some(_) => config.family_returning,
            None => config.returning,
        };
        let rows = memory.rows().to_vec();
        // Who varies little still answers another bass.
        let restless = restlessness(request.settings.variation);
        Self {
            request,
            idea,
            minds,
            n_rows: memory.n_rows(),
            is_fill: None,
            restlessness: returning.map(|back| restless - back),
            history,
            answering: config.answering - restless.min(0.0),
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
    pub(super) fn pass(&mut self, part: MeasurePart, own: &DrumRow) {
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

    /// The views of a part, the one that says how a hit is played first; and what comes back in it, which the same one says.
    /// Where people's drums are continued, for measurement, nothing is decided about it.
    pub(super) fn views(
        &mut self,
        brain: &Brain,
        part: MeasurePart,
        (shares, first): ([Share; N_WAYS], usize),
    ) -> (Vec<View>, Option<Returns>) {
        let mut views = Vec::with_capacity(N_WAYS);
        let mut returns = None;
        let counts = |way: usize| shares[way].iter().any(|share| *share != 0.0);
        let others = (0..N_WAYS).filter(|way| *way != first && counts(*way));
        for way in std::iter::once(first).chain(others) {
            let heard = self.heard(part, Way::ALL[way]);
            let meant = self.minds[way].meant(brain, &heard);
            if way == first && self.history == DrumHistory::Own {
                let cells = Cells::new(self.request, self.idea.song);
                let own = behind(&heard).own;
                let unlike = self.unlike();
                let score = |strand, choice: usize, log_odds: f32| {
                    let more = match choice.checked_sub(1) {
                        None => self.new_in(strand),
                        Some(lag) if strand == FOOT => -self.answering * unlike[lag],
                        Some(_) => 0.0,
                    };
                    log_odds + more + cells.choice(strand, part.idx * N_CHOICES + choice)
                };
                returns = Some(brain.returns(&meant, &own, score));
            }
            views.push(View {
                share: shares[way],
                decoding: brain.begin(&meant),
                heard,
            });
        }
        (views, returns)
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
        let hears_own = self.history != DrumHistory::Empty;
        let is_known = |i| hears_own && self.known_from.is_some_and(|first| i >= first);
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

    /// Of the measure of each lag, how much the bass before it differs from the bass before the measure asked: the share of onsets
    /// that only one of them has. Where the bass has changed, the kick answers it anew.
    fn unlike(&self) -> [f32; LAGS.len()] {
        let before = |lag: usize| {
            let at = self.rows.len().checked_sub(lag + 1)?;
            self.rows.get(at).map(|row| &row.bass)
        };
        let now = before(0);
        LAGS.map(|lag| {
            let pair = now.zip(before(lag));
            pair.map_or(1.0, |(now, then)| now.unlike(then))
        })
    }

    /// Added to the log-odds that a strand does something new. A fill that is asked for is new in all but the time that is kept.
    fn new_in(&self, strand: usize) -> f32 {
        let is_asked = matches!(self.request.settings.fill, FillWish::With(_));
        if is_asked && self.is_fill == Some(true) && strand != TIME {
            f32::INFINITY
        } else {
            self.restlessness[strand]
        }
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
