//! Where a block lies in the music as it was played, so that a recorder can put notes in their places.
//!
//! Places count played beats since the performer was made. Passes of a loop follow one another, a measure cut short by a jump
//! or a stop is as long as it was played, and time in which nothing plays does not count. The drummer does not use this.

use arrayvec::ArrayVec;
use lockstep_core::representation::{Length, Meter, Position};

use super::FrameOffset;
use super::clock::Timeline;

/// Most marks in one block. Blocks longer than those of [`MAX_DRUM_EVENTS`](super::MAX_DRUM_EVENTS) drop some at tempos that
/// nobody plays.
const MAX_MARKS: usize = 64;

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// A playback begins, perhaps in mid-measure; every note of an earlier one has ended.
    Start,
    /// A measure begins, or is entered in mid-measure after a jump.
    Measure,
    /// The meter of the measure being played has changed.
    Meter,
}

/// A measure's beginning as it was played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Where it lies, in played beats.
    pub place: Position,
    /// Meter from there on.
    pub meter: Meter,
    /// What happens there.
    pub kind: MarkKind,
}

/// The time of one block as it was played.
#[derive(Clone, Debug, Default)]
pub struct Passage {
    /// Place of frame 0.
    place: Position,
    /// 0 if no time passes.
    beats_per_frame: f64,
    tempo_bpm: f32,
    marks: ArrayVec<Mark, MAX_MARKS>,
    /// Place of the frame after the last one.
    end: Position,
    /// Meter of the last mark.
    meter: Meter,
}

impl Passage {
    /// Place of a frame of the block.
    pub fn place_of(&self, frame: FrameOffset) -> Position {
        self.place + Length::of(f64::from(frame.0) * self.beats_per_frame)
    }

    /// Place of the frame after the last one.
    pub fn end(&self) -> Position {
        self.end
    }

    /// Tempo in BPM, to a hundredth; `None` if no time passes.
    pub fn tempo_bpm(&self) -> Option<f32> {
        (self.beats_per_frame > 0.0).then_some(self.tempo_bpm)
    }

    /// The marks in the block, in order.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Goes on to the next block, in which no time passes until [`Self::pass`] is called.
    pub(super) fn next(&mut self) {
        self.place = self.end;
        self.beats_per_frame = 0.0;
        self.marks.clear();
    }

    /// An empty passage that starts where this one ended.
    pub(super) fn rest(&self) -> Self {
        Self {
            place: self.end,
            end: self.end,
            ..Self::default()
        }
    }

    /// Time passes in the block, or in a part of it; the last part decides where the block's frames lie. `place` is the place
    /// of the part's first frame.
    pub(super) fn pass(&mut self, place: Position, timeline: &Timeline, sample_rate_hz: f64) {
        let length = |n_frames: u32| Length::of(f64::from(n_frames) * timeline.beats_per_frame);
        self.place = place - length(timeline.first.0);
        self.beats_per_frame = timeline.beats_per_frame;
        self.end = place + length(timeline.end.0 - timeline.first.0);
        self.tempo_bpm = timeline.tempo_bpm(sample_rate_hz);
    }

    /// No time passes from this frame of the block on.
    pub(super) fn stop(&mut self, at: FrameOffset) {
        self.end = self.place_of(at);
    }

    /// Marks the start of a measure: at its beginning, or where it is entered.
    pub(super) fn mark(&mut self, begin: Position, meter: Meter, kind: MarkKind) {
        self.meter = meter;
        let place = begin.max(self.place);
        // If full, the mark is dropped: nobody plays that fast.
        let _ = self.marks.try_push(Mark { place, meter, kind });
    }

    /// Marks a change of meter in the measure being played.
    pub(super) fn follow_meter(&mut self, meter: Meter) {
        if meter != self.meter {
            self.mark(self.place, meter, MarkKind::Meter);
        }
    }
}
