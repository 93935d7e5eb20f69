//! The measure being played, and how far it has got: a cursor over half steps.
//!
//! Where the bass swings, the steps are those of its swung grid. A step begins where a swung note of it is played, and its cell
//! closes halfway to the next step as that is played, so that it always closes after its own notes. Where swing leaves the last
//! step less than a quarter of a step, the last request goes out a quarter of a step before the downbeat nevertheless, for the
//! generator needs the time; a note of the last step that comes later still is heard as one of that step, in the measure after.

use lockstep_core::representation::{Length, Meter, Position, Swing, SwungGrid};

use super::clock::{self, TOLERANCE};

/// The last cell closes at least this long before the downbeat, in steps: 31 ms at 120 BPM.
const LAST_REQUEST: f64 = 0.25;

/// A measure and the cursor in it.
///
/// The cursor counts half steps: an even one is the start of a step, an odd one the close of its cell. It only moves
/// forward, so jitter in the host's position cannot repeat anything.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    /// Counted in played measures, 0 for the first after the start.
    pub(super) serial: u64,
    /// Where it begins.
    pub(super) start: Position,
    /// Its beginning in played beats, or where that would have been; see `passage`.
    pub(super) place: Position,
    pub(super) meter: Meter,
    /// How the bass swings in it.
    pub(super) swing: Swing,
    /// Row of its first step in the listener.
    pub(super) first_row: usize,
    /// The next half step, in `0 ..= 2 * n_steps`; the last is the next measure's downbeat.
    pub(super) half_step: usize,
    /// Whether the measure after it has been requested.
    pub(super) has_asked: bool,
}

/// Where a note lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeardPlace {
    /// Row of its step.
    pub(super) row: usize,
    /// Its step, counted in its own measure.
    pub(super) step_idx: usize,
    /// How late that step is played, in steps.
    pub(super) delay: f32,
    /// How many steps after that the note comes.
    pub(super) lateness: f32,
    /// Steps since the start of the measure being played.
    pub(super) since_start: f64,
}

/// What the next half step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tick {
    /// The step begins.
    Step(usize),
    /// The cell of the step closes.
    Close(usize),
    /// The next measure begins.
    Downbeat,
}

impl Measure {
    /// A measure with the cursor at its downbeat.
    pub(super) fn new(serial: u64, start: Position, meter: Meter, first_row: usize) -> Self {
        Self {
            serial,
            start,
            place: Position::START,
            meter,
            swing: Swing::STRAIGHT,
            first_row,
            half_step: 0,
            has_asked: false,
        }
    }

    /// The measure played after this one, wherever in the song it lies.
    pub(super) fn next(&self, start: Position, meter: Meter) -> Self {
        Self {
            place: self.place + self.meter.length(),
            swing: self.swing,
            ..Self::new(self.serial + 1, start, meter, self.end_row())
        }
    }

    /// Takes a more exact start from the host; played beats keep their places.
    pub(super) fn move_start(&mut self, to: Position) {
        self.place = self.place_of(to);
        self.start = to;
    }

    /// The measure is entered at `position`, which lies at `played` in played beats.
    pub(super) fn play_from(&mut self, position: Position, played: Position) {
        self.place = played - (position - self.start);
    }

    /// A position in played beats.
    pub(super) fn place_of(&self, position: Position) -> Position {
        self.place + (position - self.start)
    }

    /// The measure played after this one, entered `rel` after its start. The row of the step that is open there follows the last
    /// one heard, so the window has no gaps.
    pub(super) fn next_from(&self, start: Position, meter: Meter, rel: Length) -> Self {
        let mut next = self.next(start, meter);
        next.enter(next.half_steps_before(rel), self.heard_row());
        next
    }

    /// The steps as they are played.
    pub(super) fn grid(&self) -> SwungGrid {
        self.swing.in_meter(self.meter)
    }

    /// Half steps before a place in the measure, less the tolerance; also the index of the first one still to come. `rel` is how
    /// far the place lies after the measure's start.
    pub(super) fn half_steps_before(&self, rel: Length) -> usize {
        if self.swing.is_straight() {
            return clock::half_steps_before(rel);
        }
        let straight = self.grid().straighten((rel - TOLERANCE).steps());
        clock::half_steps_before(Length::of_steps(straight) + TOLERANCE)
    }

    /// Moves the cursor to a half step; `row` is the row of the step that is open there.
    pub(super) fn enter(&mut self, half_step: usize, row: usize) {
        self.half_step = half_step;
        self.first_row = row.saturating_sub(half_step / 2);
    }

    /// Where it ends.
    pub(super) fn end(&self) -> Position {
        self.start + self.meter.length()
    }

    /// Row after its last step.
    pub(super) fn end_row(&self) -> usize {
        self.first_row + self.meter.n_steps()
    }

    /// Row after the last step that has begun; [`Self::end_row`] at the downbeat.
    pub(super) fn heard_row(&self) -> usize {
        self.first_row + self.half_step.div_ceil(2)
    }

    /// Row of the step whose cell is open; [`Self::end_row`] in the last half step.
    pub(super) fn open_row(&self) -> usize {
        self.first_row + self.half_step / 2
    }

    /// The step that a note at position `played` belongs to if it was meant to come `earlier` by that much. With `earlier` at 0
    /// it is the step whose cell is open, or the last one, if its cell had to close early.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an f32 is precise enough for a part of a step"
    )]
    pub(super) fn place(&self, played: Position, earlier: Length) -> HeardPlace {
        let grid = self.grid();
        let mut step_idx = self.half_step / 2;
        let begins = self.start + Length::of_steps(grid.step(step_idx));
        let (mut row, mut lateness) = (self.open_row(), (played - begins - earlier).steps());
        let n_steps = self.meter.n_steps();
        let before = |step_idx: usize| step_idx.checked_sub(1).unwrap_or(n_steps - 1);
        let gap = |step_idx| grid.step(before(step_idx) + 1) - grid.step(before(step_idx));
        let may_be_before =
            earlier > Length::ZERO || step_idx >= n_steps && !self.swing.is_straight();
        while may_be_before && row > 0 && lateness < -0.5 * gap(step_idx) {
            lateness += gap(step_idx);
            (row, step_idx) = (row - 1, before(step_idx));
        }
        HeardPlace {
            row,
            step_idx,
            delay: grid.delay(step_idx),
            lateness: lateness as f32,
            since_start: (played - self.start - earlier).steps(),
        }
    }

    /// What comes next.
    pub(super) fn tick(&self) -> Tick {
        let step_idx = self.half_step / 2;
        if self.half_step >= 2 * self.meter.n_steps() {
            Tick::Downbeat
        } else if self.half_step.is_multiple_of(2) {
            Tick::Step(step_idx)
        } else {
            Tick::Close(step_idx)
        }
    }

    /// When it comes.
    pub(super) fn tick_at(&self) -> Position {
        let (grid, step_idx) = (self.grid(), self.half_step / 2);
        let place = if self.half_step.is_multiple_of(2) {
            grid.step(step_idx)
        } else if step_idx < self.meter.n_steps() {
            let last = self.meter.n_steps() as f64 - LAST_REQUEST;
            grid.close(step_idx).min(last)
        } else {
            grid.close(step_idx)
        };
        self.start + Length::of_steps(place)
    }

    /// Whether a beat ends with the cell that closes next.
    pub(super) fn is_end_of_beat(&self) -> bool {
        let n_closed = self.half_step / 2 + 1;
        n_closed.is_multiple_of(4) || n_closed == self.meter.n_steps()
    }

    /// Changes this measure's meter if the host says so, unless the cursor is already past the new end.
    pub(super) fn set_meter(&mut self, meter: Meter) {
        if self.half_step <= 2 * meter.n_steps() {
            self.meter = meter;
        }
    }
}

/// Whether two positions are the same place.
pub(super) fn is_same_place(a: Position, b: Position) -> bool {
    (a - b).abs() <= TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_in_the_last_half_step_belongs_to_the_next_measure() {
        let mut measure = Measure::new(0, Position::START, Meter::COMMON, 128);
        measure.half_step = 31;
        assert_eq!((measure.tick(), measure.open_row()), (Tick::Close(15), 143));
        measure.half_step = 32;
        let next = measure.next(Position::at(4.0), Meter::COMMON);
        assert_eq!(
            (measure.tick(), measure.open_row()),
            (Tick::Downbeat, next.open_row())
        );
    }
}
