//! The measure being played, and how far it has got: a cursor over half steps.

use lockstep_core::representation::{Length, Meter, Position};

use super::clock::TOLERANCE;

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
    /// Row of its first step in the listener.
    pub(super) first_row: usize,
    /// The next half step, in `0 ..= 2 * n_steps`; the last is the next measure's downbeat.
    pub(super) half_step: usize,
    /// Whether the measure after it has been requested.
    pub(super) has_asked: bool,
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
            first_row,
            half_step: 0,
            has_asked: false,
        }
    }

    /// The measure played after this one, wherever in the song it lies.
    pub(super) fn next(&self, start: Position, meter: Meter) -> Self {
        Self {
            place: self.place + self.meter.length(),
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

    /// The measure played after this one, entered at a half step. The row of the step that is open there follows the last one
    /// heard, so the window has no gaps.
    pub(super) fn next_from(&self, start: Position, meter: Meter, half_step: usize) -> Self {
        let mut next = self.next(start, meter);
        next.enter(half_step, self.heard_row());
        next
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

    /// Row of the step that a note at position `played` belongs to if it was meant to come `earlier` by that much, and by how
    /// many steps it is late for that step. With `earlier` at 0 it is the step whose cell is open.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an f32 is precise enough for a part of a step"
    )]
    pub(super) fn place(&self, played: Position, earlier: Length) -> (usize, f32) {
        let step = self.start + Length::of_steps((self.half_step / 2) as f64);
        let (mut row, mut lateness) = (self.open_row(), (played - step - earlier).steps());
        while earlier > Length::ZERO && lateness < -0.5 && row > 0 {
            (row, lateness) = (row - 1, lateness + 1.0);
        }
        (row, lateness as f32)
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
        self.start + Length::of_steps(self.half_step as f64 / 2.0)
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
