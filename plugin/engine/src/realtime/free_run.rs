//! Playing without a host's time: how the own clock starts, finds its tempo and stops.
//!
//! A block is cut where the clock starts, updates its speed or stops, and played part by part. Audio thread.

use std::slice;

use lockstep_core::representation::{Length, Meter, Position, WINDOW_STEPS};

use super::block::{BassEvent, BassEventKind, FrameOffset};
use super::clock::{Timeline, beats_per_frame};
use super::controls::{Controls, FreeRunStart, SilencePolicy, TempoFollow};
use super::ladder::PlanSource;
use super::listener::FIRST_ROW;
use super::measure::Tick;
use super::own_clock::{Moment, OwnClock};
use super::{BlockContext, Mode, Performer, frame_in};

impl Performer {
    /// Plays a block without a rolling transport.
    pub(super) fn run_free<P: PlanSource>(&mut self, context: &mut BlockContext<'_, P>) {
        let (block, controls) = (context.block, context.controls);
        let rate_hz = block.sample_rate_hz;
        self.taps.see_knob(controls.free_run_tempo_bpm);
        let may_run = block.transport.is_none() || controls.free_run;
        let set = self.set_speed(rate_hz).filter(|_| may_run);
        if set.is_none() || matches!(self.mode, Mode::Song { .. }) {
            self.rest(FrameOffset(0), context.out);
            self.taps.end_count();
        }
        let Some(set) = set else { return };
        self.next_meter = controls.free_run_meter;
        if self.is_playing() {
            self.clock.set(set);
        }
        let mut bass = block.bass.iter();
        let (mut now, end) = (FrameOffset(0), FrameOffset(block.n_frames));
        while now < end {
            if !self.is_playing() {
                let Some(start) = self.wait(&mut bass, context) else {
                    return;
                };
                now = now.max(start);
            }
            let timeline = self.clock.timeline(now, end, rate_hz);
            now = self.play(&timeline, &mut bass, context);
            if self.is_playing() {
                self.clock.pass(&timeline, controls.tempo_follow, rate_hz);
            } else {
                self.taps.end_count();
            }
        }
    }

    /// Waits for the note or count that starts the clock. Returns the frame of the start, or `None` if there is none in this
    /// block.
    fn wait<P>(
        &mut self,
        bass: &mut slice::Iter<'_, BassEvent>,
        context: &BlockContext<'_, P>,
    ) -> Option<FrameOffset> {
        let rate_hz = context.block.sample_rate_hz;
        while let Some(event) = bass.as_slice().first() {
            let frame = frame_in(context.block, *event);
            match (event.kind, context.controls.free_run_start) {
                (BassEventKind::On { .. }, FreeRunStart::FirstNote) => {
                    // The note stays in the queue, to be heard as bass.
                    self.start_clock(Position::START, context)?;
                    return Some(frame);
                }
                (BassEventKind::Tap, start) => {
                    let n_taps = self.taps.tap(frame, rate_hz);
                    let is_counted = n_taps >= n_beats(self.next_meter);
                    bass.next();
                    if is_counted && start == FreeRunStart::Count {
                        self.start_clock(Position::at(-1.0), context)?;
                        return Some(frame);
                    }
                }
                _ => {
                    bass.next();
                }
            }
        }
        None
    }

    /// Starts the clock at a position, at the set tempo or, if frozen, at the tempo it had found.
    fn start_clock<P>(&mut self, position: Position, context: &BlockContext<'_, P>) -> Option<()> {
        let set = self.set_speed(context.block.sample_rate_hz)?;
        let is_kept =
            context.controls.tempo_follow == TempoFollow::Freeze && self.clock.is_set_to(set);
        let tempo = if is_kept { self.clock.tempo() } else { 1.0 };
        self.start(Position::START, position, self.next_meter);
        self.clock = OwnClock::new(position, set, tempo);
        self.mode = Mode::Free;
        Some(())
    }

    /// Passes a bass event to the own clock. Returns whether the drummer should hear it too.
    pub(super) fn heed<P>(
        &mut self,
        kind: BassEventKind,
        frame: FrameOffset,
        timeline: &Timeline,
        context: &BlockContext<'_, P>,
    ) -> bool {
        if !matches!(self.mode, Mode::Free) {
            return true;
        }
        let rate_hz = context.block.sample_rate_hz;
        let at = Moment {
            n_ahead: frame.0.saturating_sub(timeline.first.0),
            rate_hz,
            measure_start: self.measure.start,
            meter: self.measure.meter,
            swing: self.measure.swing,
        };
        match kind {
            BassEventKind::Tap => {
                // A single tap is ignored: it may be a slip.
                if self.taps.tap(frame, rate_hz) >= 2
                    && let Some(set) = self.set_speed(rate_hz)
                {
                    self.clock.tap(set, &at);
                }
                false
            }
            BassEventKind::On { .. } => {
                // Notes before the first cell opens fall in the count-in.
                let position = self.clock.position_at(at.n_ahead);
                if self.measure.serial == 0 && position < self.measure.start - Length::of_steps(0.5)
                {
                    return false;
                }
                if context.controls.tempo_follow == TempoFollow::Follow {
                    self.clock.hear(&at);
                }
                true
            }
            _ => true,
        }
    }

    /// Whether the own clock stops at the coming downbeat: the policy is to lay out, and a whole window was silent. The drummer
    /// then waits for a new start.
    pub(super) fn is_over(&self, controls: &Controls) -> bool {
        let end_row = self.measure.end_row();
        matches!(self.mode, Mode::Free)
            && controls.silence == SilencePolicy::LayOut
            && self.measure.tick() == Tick::Downbeat
            && end_row >= FIRST_ROW + WINDOW_STEPS
            && self.listener.window(end_row).is_silent()
            && self.listener.is_silent_at(end_row)
    }

    /// Beats per frame at the set tempo; `None` if it is invalid.
    fn set_speed(&self, rate_hz: f64) -> Option<f64> {
        beats_per_frame(self.taps.tempo_bpm()?, rate_hz)
    }
}

/// Taps in a count-in: one per whole quarter note of the measure, but at least the two that a tempo needs.
fn n_beats(meter: Meter) -> usize {
    (meter.n_steps() / 4).max(2)
}
