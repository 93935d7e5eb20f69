//! The measures of a take, put together from the windows of the requests.
//!
//! A request brings the last sixty-four steps; what is older is remembered from earlier requests. A measure is one row, or
//! several if it is longer than sixteen steps. Never computes anything from them.

use lockstep_core::generator::{DrumHistory, Request};
use lockstep_core::representation::{Meter, Swing, WINDOW_STEPS};

use crate::network::player::{BassRow, DrumRow, first_remembered};
use crate::predict::parts::{MeasurePart, parts};

/// Rows of bass from which the idea is drawn.
pub(super) const OPENING: usize = 4;

/// Whose memory it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) client: u64,
    /// Whose drums the requests hold.
    pub(super) history: DrumHistory,
}

/// A measure, or part of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Number of its measure and index among the measure's parts.
    pub(super) place: (u64, usize),
    /// Its number, counted in rows from the start of the take.
    pub(super) number: u64,
    pub(super) meter: Meter,
    pub(super) n_steps: usize,
    pub(super) bass: BassRow,
    pub(super) own: DrumRow,
}

/// One of the first measures in which the bass plays, and how it was played then.
#[derive(Clone, Debug)]
pub(super) struct OpeningRow {
    pub(super) row: Row,
    pub(super) tempo_bpm: f32,
    pub(super) swing: Swing,
}

/// What is remembered of a take.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    playback: u32,
    /// The measure that was asked for last.
    asked: u64,
    /// Whether the measure before it had been heard to its end.
    is_whole: bool,
    idea: u32,
    /// The last rows, oldest first.
    rows: Vec<Row>,
    /// How many rows there were before them.
    n_forgotten: usize,
    /// Whether a row that was forgotten had drums of this idea.
    has_forgotten_drums: bool,
    opening: Vec<OpeningRow>,
}

impl Memory {
    /// What a first request tells.
    pub(super) fn new(request: &Request) -> Self {
        let mut memory = Self {
            playback: request.playback,
            asked: request.measure,
            is_whole: false,
            idea: request.settings.idea,
            rows: Vec::new(),
            n_forgotten: 0,
            has_forgotten_drums: false,
            opening: Vec::new(),
        };
        memory.hear(request);
        memory
    }

    /// Takes in a request. One of another playback, or of an earlier measure, begins anew. After a gap longer than the window
    /// the rows begin anew; the opening stays.
    pub(super) fn take_in(&mut self, request: &Request) {
        if request.playback != self.playback || request.measure < self.asked {
            *self = Self::new(request);
            return;
        }
        // Of the rows that no window can bring any more, the last may have been heard in part.
        let known = self.asked - u64::from(!self.is_whole && self.asked > 0);
        let first = self.measures(request).last();
        if first.is_none_or(|(measure, ..)| measure > known) && known < request.measure {
            self.rows.clear();
            (self.n_forgotten, self.has_forgotten_drums) = (0, false);
        }
        if request.settings.idea != self.idea {
            self.idea = request.settings.idea;
            self.has_forgotten_drums = false;
            for row in &mut self.rows {
                row.own = DrumRow::default();
            }
        }
        self.hear(request);
    }

    /// The measures in the window, newest first: number, meter, and the step of the window where each begins. Of an earlier
    /// measure the meter is remembered, or that of the newest is assumed.
    fn measures(&self, request: &Request) -> impl Iterator<Item = (u64, Meter, usize)> {
        let newest = request.measure.checked_sub(1);
        let newest = newest.and_then(|newest| {
            let first = WINDOW_STEPS.checked_sub(request.meter.n_steps())?;
            Some((newest, request.meter, first))
        });
        std::iter::successors(newest, |(after, _, end)| {
            let measure = after.checked_sub(1)?;
            let known = self.rows.iter().rfind(|row| row.place.0 == measure);
            let meter = known.map_or(request.meter, |row| row.meter);
            Some((measure, meter, end.checked_sub(meter.n_steps())?))
        })
    }

    /// Reads the rows of the window.
    fn hear(&mut self, request: &Request) {
        let mut measures: Vec<_> = self.measures(request).collect();
        measures.reverse();
        // The opening holds a measure as it was heard at its end, whatever the bass does later.
        let ended = (request.measure > self.asked).then_some(self.asked);
        for (measure, meter, mut first) in measures {
            let is_ending = [Some(request.measure), ended].contains(&Some(measure + 1));
            for part in parts(meter) {
                let place = (measure, part.idx);
                let is_new = self.write(request, place, (meter, part), first);
                if is_new || is_ending {
                    self.open(request, place);
                }
                first += part.n_steps;
            }
        }
        self.asked = request.measure;
        self.is_whole = request.heard_steps >= request.meter.n_steps();
        let first = first_remembered(self.n_rows());
        let n_forgotten = first.saturating_sub(self.n_forgotten).min(self.rows.len());
        let mut forgotten = self.rows.drain(..n_forgotten);
        self.has_forgotten_drums |= forgotten.any(|row| !row.own.is_empty());
        drop(forgotten);
        self.n_forgotten += n_forgotten;
    }

    /// Writes a row from the steps of the window from `first` on. Returns whether there was none yet.
    fn write(
        &mut self,
        request: &Request,
        place: (u64, usize),
        (meter, part): (Meter, MeasurePart),
        first: usize,
    ) -> bool {
        let (bass, own) = read(request, first..first + part.n_steps);
        let mut row = Row {
            place,
            number: number(place, part.n_parts, self.rows.last()),
            meter,
            n_steps: part.n_steps,
            bass,
            own,
        };
        if let Some(known) = self.rows.iter_mut().find(|row| row.place == place) {
            row.number = known.number;
            *known = row;
            return false;
        }
        let is_forgotten = self.rows.last().is_some_and(|last| last.place > place);
        if !is_forgotten {
            self.rows.push(row);
        }
        !is_forgotten
    }

    /// Keeps a row as part of the opening, if the bass plays in it and the opening is not complete.
    fn open(&mut self, request: &Request, place: (u64, usize)) {
        self.opening.retain(|open| open.row.place != place);
        let row = self.rows.iter().rfind(|row| row.place == place);
        let Some(row) = row.filter(|row| !row.bass.is_empty()) else {
            return;
        };
        let later = self.opening.iter().position(|open| open.row.place > place);
        let open = OpeningRow {
            row: row.clone(),
            tempo_bpm: request.tempo_bpm,
            swing: request.swing,
        };
        self.opening
            .insert(later.unwrap_or(self.opening.len()), open);
        self.opening.truncate(OPENING);
    }

    /// How many rows there were.
    pub(super) fn n_rows(&self) -> usize {
        self.n_forgotten + self.rows.len()
    }

    /// The rows that are remembered, oldest first.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Index in [`Self::rows`] from which the own drums are known: the first row of this idea that has any; `None` if none has.
    pub(super) fn known_from(&self) -> Option<usize> {
        if self.has_forgotten_drums {
            return Some(0);
        }
        self.rows.iter().position(|row| !row.own.is_empty())
    }

    /// The first rows in which the bass plays, at most [`OPENING`].
    pub(super) fn opening(&self) -> &[OpeningRow] {
        &self.opening
    }
}

/// Number of the row at a place, after the last one.
pub(super) fn number(place: (u64, usize), n_parts: usize, last: Option<&Row>) -> u64 {
    match last {
        Some(last) => last.number + 1,
        None => place.0 * n_parts as u64 + place.1 as u64,
    }
}

/// Bass and drums of some steps of the window.
fn read(request: &Request, steps: std::ops::Range<usize>) -> (BassRow, DrumRow) {
    let (mut bass, mut own) = (BassRow::default(), DrumRow::default());
    let window = &request.window;
    for (step, at) in steps.enumerate() {
        for pitch in window.onsets(at).indices() {
            bass.begin(step, pitch, window.accent(at), window.lateness(at));
        }
        if !window.sounding(at).is_empty() {
            bass.hold(step);
        }
        for (voice, velocity) in request.played[at].iter().enumerate() {
            if *velocity > 0.0 {
                own.hit(step, voice, *velocity);
            }
        }
    }
    (bass, own)
}
