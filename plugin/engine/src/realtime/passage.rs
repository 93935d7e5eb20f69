//! Where a block lies in the music as it was played: what a recorder needs to put notes in their places.
//!
//! Places count played beats since the performer was made. A loop's passes follow one another, a measure that is cut short by
//! a jump or a stop is as long as it was played, and time in which nothing plays does not count. Never heard by the drummer.

use arrayvec::ArrayVec;
use lockstep_core::representation::{Beats, Meter};

use super::FrameOffset;
use super::clock::Timeline;

/// Most marks of one block. Longer blocks than those of [`MAX_DRUM_EVENTS`](super::MAX_DRUM_EVENTS) leave some out at tempos
/// that nobody plays.
const MAX_MARKS: usize = 64;

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// A playback begins, perhaps in the middle of a measure; what still sounds of an earlier one has ended.
    Start,
    /// A measure begins, or goes on after a jump in the middle of another.
    Measure,
    /// The measure that is being played has another meter than it was begun with.
    Meter,
}

/// A measure's beginning as it was played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Where.
    pub place: Beats,
    /// Meter from there on.
    pub meter: Meter,
    /// What begins.
    pub kind: MarkKind,
}

/// The time of one block as it was played.
#[derive(Clone, Debug, Default)]
pub struct Passage {
    /// Place of frame 0.
    place: Beats,
    /// 0 where no time passes.
    beats_per_frame: f64,
    tempo_bpm: f32,
    marks: ArrayVec<Mark, MAX_MARKS>,
    /// Place of the frame after the last.
    end: Beats,
    /// What the last mark said.
    meter: Meter,
}

impl Passage {
    /// Place of a frame of the block.
    pub fn place_of(&self, frame: FrameOffset) -> Beats {
        Beats(self.place.0 + f64::from(frame.0) * self.beats_per_frame)
    }

    /// Place of the frame after the last.
    pub fn end(&self) -> Beats {
        self.end
    }

    /// Tempo in quarter notes a minute, to a hundredth; `None` where no time passes.
    pub fn tempo_bpm(&self) -> Option<f32> {
        (self.beats_per_frame > 0.0).then_some(self.tempo_bpm)
    }

    /// The measures that begin in the block, in order.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The block after this one, in which no time passes unless it [`pass`](Self::pass)es.
    pub(super) fn next(&mut self) {
        self.place = self.end;
        self.beats_per_frame = 0.0;
        self.marks.clear();
    }

    /// Nothing played, from where this one ended.
    pub(super) fn rest(&self) -> Self {
        Self {
            place: self.end,
            end: self.end,
            ..Self::default()
        }
    }

    /// Time passes in the block, or in a part of it: the last part tells where its frames lie. `place` is that of its first
    /// frame.
    pub(super) fn pass(&mut self, place: Beats, timeline: &Timeline, sample_rate_hz: f64) {
        let beats = |n_frames: u32| f64::from(n_frames) * timeline.beats_per_frame;
        self.place = Beats(place.0 - beats(timeline.first.0));
        self.beats_per_frame = timeline.beats_per_frame;
        self.end = Beats(place.0 + beats(timeline.end.0 - timeline.first.0));
        self.tempo_bpm = timeline.tempo_bpm(sample_rate_hz);
    }

    /// From a frame of the block on no time passes.
    pub(super) fn stop(&mut self, at: FrameOffset) {
        self.end = self.place_of(at);
    }

    /// A measure begins: at its own beginning, or where it is entered.
    pub(super) fn mark(&mut self, begin: Beats, meter: Meter, kind: MarkKind) {
        self.meter = meter;
        let place = Beats(begin.0.max(self.place.0));
        // Full: nobody plays that fast.
        let _ = self.marks.try_push(Mark { place, meter, kind });
    }

    /// The measure that is being played has this meter.
    pub(super) fn follow_meter(&mut self, meter: Meter) {
        if meter != self.meter {
            self.mark(self.place, meter, MarkKind::Meter);
        }
    }
}
