//! Following the host: the time of a block, and what to do about a start, a stop, a jump, a loop or a change of meter.
//!
//! Small differences between the host's position and the expected one are jitter; the performer simply follows them.

use lockstep_core::representation::{Length, Meter, Position};

use super::clock::{self, RollingTransport, TOLERANCE, Timeline};
use super::ladder::PlanSource;
use super::listener::{FIRST_ROW, Listener};
use super::measure::{Measure, is_same_place};
use super::passage::MarkKind;
use super::score::Score;
use super::{BlockContext, FrameOffset, Mode, Performer};

impl Performer {
    /// Finds the block's place in the song and handles starts and jumps. `None` if the transport does not roll.
    pub(super) fn follow<P: PlanSource>(
        &mut self,
        context: &mut BlockContext<'_, P>,
    ) -> Option<Timeline> {
        let block = context.block;
        let transport = block.transport.as_ref()?;
        let advance = || self.advance(transport.position, context);
        let song = RollingTransport::new(transport, block.sample_rate_hz, advance)?;
        self.next_meter = song.meter;
        if let Mode::Song { last } = self.mode {
            let expected = last.position_of(last.end);
            self.continue_song(&song, expected, context);
        } else {
            self.gates.end_all(FrameOffset(0), context.out);
            self.start(song.measure_start_or_counted(), song.position, song.meter);
        }
        let timeline = Timeline {
            first: FrameOffset(0),
            end: FrameOffset(block.n_frames),
            position: song.position,
            beats_per_frame: song.beats_per_frame,
            tempo_per_frame: song.beats_per_frame,
        };
        self.mode = Mode::Song { last: timeline };
        Some(timeline)
    }

    /// Beats per frame of a host that does not say its tempo: from how far its position moved; at first, the free-run tempo.
    fn advance<P>(&self, position: Position, context: &BlockContext<'_, P>) -> Option<f64> {
        let rate = context.block.sample_rate_hz;
        let Mode::Song { last } = self.mode else {
            return clock::beats_per_frame(context.controls.free_run_tempo_bpm, rate);
        };
        let n_frames = last.end.0 - last.first.0;
        let moved = clock::advance(last.position, position, n_frames, rate);
        moved.or(Some(last.beats_per_frame))
    }

    /// A playback begins, perhaps in mid-measure. The same playback always gives the same drums.
    pub(super) fn start(&mut self, measure_start: Position, position: Position, meter: Meter) {
        self.playback = self.playback.wrapping_add(1);
        self.measure = Measure::new(0, measure_start, meter, FIRST_ROW);
        self.measure.half_step = clock::half_steps_before(position - measure_start);
        let played = self.passage.end();
        self.measure.play_from(position, played);
        self.passage.mark(played, meter, MarkKind::Start);
        self.listener = Listener::new();
        self.ladder.start();
        self.ideas.start();
        self.score = Score::new();
    }

    /// The transport rolled before this block and still does.
    fn continue_song<P: PlanSource>(
        &mut self,
        song: &RollingTransport,
        expected: Position,
        context: &mut BlockContext<'_, P>,
    ) {
        let (start, end) = (self.measure.start, self.measure.end());
        if is_same_place(song.position, expected) {
            match song.measure_start {
                // The downbeat comes next anyway.
                None if is_same_place(song.position, end) => {}
                Some(told) if is_same_place(told, end) => {}
                None => self.measure.set_meter(song.meter),
                Some(told) if is_same_place(told, start) => {
                    self.measure.move_start(told);
                    self.measure.set_meter(song.meter);
                }
                // The host's measures have changed length.
                Some(told) => self.land(told, song, context),
            }
            return;
        }
        self.gates.end_all(FrameOffset(0), context.out);
        let landed = song.measure_start_or_counted();
        let rel = song.position - landed;
        let expected_rel = expected - start;
        if song.meter == self.measure.meter && (rel - expected_rel).abs() <= TOLERANCE {
            // A loop of whole measures: the same place in its measure.
            self.measure.start = landed;
            self.measure.play_from(song.position, self.passage.end());
        } else if song.meter == self.measure.meter
            && is_same_place(landed, start)
            && rel > expected_rel
        {
            // A jump forward within this measure: what lies between is neither heard nor played.
            let ahead = self.struck_ahead();
            let half_step = self
                .measure
                .half_steps_before(rel)
                .max(self.measure.half_step);
            self.measure.enter(half_step, self.measure.heard_row());
            self.measure.play_from(song.position, self.passage.end());
            self.listener.begin_measure(self.measure.open_row());
            self.enter(rel, ahead);
        } else {
            self.land(landed, song, context);
        }
    }

    /// Enters another measure, at its downbeat or further in. Its drums come from the newest plan, as at any downbeat, from
    /// here on.
    fn land<P: PlanSource>(
        &mut self,
        measure_start: Position,
        song: &RollingTransport,
        context: &mut BlockContext<'_, P>,
    ) {
        let rel = song.position - measure_start;
        let ahead = self.struck_ahead();
        let mut next = self.measure.next_from(measure_start, song.meter, rel);
        next.play_from(song.position, self.passage.end());
        self.begin(next, context);
        self.enter(rel, ahead);
    }

    /// The voices that have already sounded for the next step, ahead of it; one bit each.
    fn struck_ahead(&self) -> u16 {
        self.score.struck_at(self.measure.half_step.div_ceil(2))
    }

    /// Moves to the current place in the hits of a measure that is entered further in. `ahead` are the voices already struck
    /// for the step that the jump cut off; they count as struck for the step entered instead.
    fn enter(&mut self, rel: Length, ahead: u16) {
        let first_step = self.measure.half_step.div_ceil(2);
        self.score.enter(rel, first_step);
        self.score.forgo(first_step, ahead);
    }
}
