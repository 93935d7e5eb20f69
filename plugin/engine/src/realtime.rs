//! The drummer on the audio thread: bass notes and the host's time in, drum notes out, block by block.
//!
//! bass note → `Listener` (step grid, 64-step window) → request ⇢ generator ⇢ plan → `Ladder` → `Score` → density at the
//! hit's own frame → `Gates` → drum note
//!
//! Never allocates, locks, waits, logs or does I/O, and knows nothing of the plugin framework, the networks or threads:
//! requests and plans go through [`PlanSource`]. Everything inside a block happens in time order, frame by frame, so the
//! drums do not depend on the host's block size.
//!
//! Planning by the measure sets two limits. A hit never falls before its measure's downbeat: the plan is taken there, so
//! an offset that would make step 0 early is ignored. And a hit never falls after the end of its measure.

mod bass_input;
mod block;
mod button;
mod clock;
mod controls;
mod drum_map;
mod fills;
mod follow;
mod free_run;
mod gates;
mod gesture;
mod ideas;
mod ladder;
mod listener;
mod measure;
mod next_event;
mod own_clock;
mod passage;
mod pins;
mod pulse;
mod score;
mod snapshot;
mod swing;
mod taps;
#[cfg(test)]
mod tests;

pub use bass_input::{BassInput, InputEvent, InputSettings, KeyCommand, Meaning};
pub use block::{
    BassEvent, BassEventKind, Block, DrumEvent, DrumEventKind, DrumEvents, FrameOffset,
    MAX_DRUM_EVENTS, Transport,
};
pub use button::Button;
pub use controls::{Controls, FreeRunStart, SilencePolicy, TempoFollow};
pub use drum_map::{DrumKey, DrumMap};
pub use fills::Fills;
pub use ladder::{PlanSource, Rung, Tally};
pub use passage::{Mark, MarkKind, Passage};
pub use pins::{Pin, Pins};
pub use snapshot::{Cell, Cells, ClockSource, Snapshot};

use clock::Timeline;
use fills::FillButton;
use gates::{Gates, NotStruck, Strike};
use ideas::Ideas;
use ladder::{Downbeat, Ladder};
use listener::{FIRST_ROW, Listener, NoteTime};
use lockstep_core::generator::{GeneratorSettings, Request};
use lockstep_core::representation::{Length, Meter, Position};
use measure::{Measure, Tick};
use next_event::{BlockEvent, frame_in};
use own_clock::OwnClock;
use score::{Feel, Score};
use std::slice;
use taps::Taps;

/// Density at which the plan sounds as the drummer meant it.
const OWN_TAKE: f32 = 0.5;

/// Plays the drums.
#[derive(Clone, Debug)]
pub struct Performer {
    mode: Mode,
    /// Counts playbacks. Never reset, so a plan of an earlier playback cannot be mistaken for one of this playback.
    playback: u32,
    measure: Measure,
    /// Meter of the next measure.
    next_meter: Meter,
    listener: Listener,
    ladder: Ladder,
    score: Score,
    gates: Gates,
    /// Whether the notes that sounded at the last reset have been ended.
    is_released: bool,
    fill: FillButton,
    ideas: Ideas,
    passage: Passage,
    /// The clock of [`Mode::Free`]; kept when that mode ends.
    clock: OwnClock,
    taps: Taps,
    /// Timeline of the part of a block that was played last.
    last: Option<Timeline>,
}

/// Which clock the drummer follows.
#[derive(Clone, Copy, Debug)]
enum Mode {
    /// None.
    Resting,
    /// The host's.
    Song {
        /// Timeline of the last block.
        last: Timeline,
    },
    /// The performer's own.
    Free,
}

/// Everything that playing one block needs.
struct BlockContext<'a, P> {
    block: &'a Block<'a>,
    controls: &'a Controls,
    plans: &'a mut P,
    out: &'a mut DrumEvents,
}

impl Default for Performer {
    fn default() -> Self {
        Self::new()
    }
}

impl Performer {
    /// A drummer at rest. Make one for the life of the plugin: playback numbers must not repeat for one [`PlanSource`].
    ///
    /// # Realtime safety
    /// Never allocates; about 30 KiB.
    pub fn new() -> Self {
        Self {
            mode: Mode::Resting,
            playback: 0,
            measure: Measure::new(0, Position::START, Meter::COMMON, FIRST_ROW),
            next_meter: Meter::COMMON,
            listener: Listener::new(),
            ladder: Ladder::default(),
            score: Score::new(),
            gates: Gates::default(),
            is_released: true,
            fill: FillButton::default(),
            ideas: Ideas::default(),
            passage: Passage::default(),
            clock: OwnClock::new(Position::START, 1.0, 1.0),
            taps: Taps::default(),
            last: None,
        }
    }

    /// Forgets everything, the tally included, except the playback number and how much has been played. Notes that still sound
    /// end at the first frame of the next block: the instrument that plays them may not have been reset.
    ///
    /// # Realtime safety
    /// Never allocates.
    pub fn reset(&mut self) {
        let gates = std::mem::take(&mut self.gates);
        *self = Self {
            playback: self.playback.wrapping_add(1),
            gates,
            is_released: false,
            passage: self.passage.rest(),
            ..Self::new()
        };
    }

    /// Ends every sounding note at a frame and rests.
    fn rest(&mut self, frame: FrameOffset, out: &mut DrumEvents) {
        self.gates.end_all(frame, out);
        self.mode = Mode::Resting;
    }

    /// How often each source of drums was used since the last reset.
    ///
    /// # Realtime safety
    /// Never allocates.
    pub fn tally(&self) -> Tally {
        self.ladder.tally
    }

    /// Whether the drummer's time is running.
    ///
    /// # Realtime safety
    /// Never allocates.
    pub fn is_playing(&self) -> bool {
        !matches!(self.mode, Mode::Resting)
    }

    /// Where the last block lies in the music as it was played.
    ///
    /// # Realtime safety
    /// Never allocates.
    pub fn passage(&self) -> &Passage {
        &self.passage
    }

    /// Tempo of the drummer's own clock in BPM: the one that it runs at or is moving to or, before it has started, the tapped
    /// one. `None` if there is neither, and while the host's time is followed.
    ///
    /// # Realtime safety
    /// Never allocates.
    pub fn free_tempo_bpm(&self) -> Option<f64> {
        match self.mode {
            Mode::Song { .. } => None,
            Mode::Free => Some(self.taps.tempo_bpm()? * self.clock.tempo()),
            Mode::Resting => self.taps.tapped_bpm(),
        }
    }

    /// Plays one block. Clears `out` first.
    ///
    /// # Realtime safety
    /// Never allocates, never waits unless `plans` does.
    pub fn perform(
        &mut self,
        block: &Block<'_>,
        controls: &Controls,
        plans: &mut impl PlanSource,
        out: &mut DrumEvents,
    ) {
        out.clear();
        self.passage.next();
        if block.n_frames == 0 {
            return;
        }
        if !self.is_released || controls.is_bypassed {
            self.gates.end_all(FrameOffset(0), out);
            self.is_released = true;
        }
        self.fill.hold(controls.fill_now);
        self.ideas.hold(controls.new_idea);
        let mut context = BlockContext {
            block,
            controls,
            plans,
            out,
        };
        if let Some(timeline) = self.follow(&mut context) {
            self.play(&timeline, &mut block.bass.iter(), &mut context);
        } else {
            self.run_free(&mut context);
        }
        self.gates.pass(block.n_frames);
        self.taps.pass(block.n_frames);
    }

    /// The downbeat of a measure: chooses its drums, which do not change after that.
    fn begin<P: PlanSource>(&mut self, next: Measure, context: &mut BlockContext<'_, P>) {
        let downbeat = Downbeat {
            playback: self.playback,
            measure: next.serial,
            seed: context.controls.settings.seed,
            meter: self.measure.meter,
            next_meter: next.meter,
            window: &self.listener.window(self.measure.heard_row()),
            swing: self.listener.swing.now(),
            has_asked: self.measure.has_asked,
            silence: context.controls.silence,
            playing: self.score.drums(),
        };
        let drums = self.ladder.choose(&downbeat, context.plans);
        self.fill.begin_measure();
        self.listener.swing.end_measure(self.measure.meter);
        self.measure = next;
        self.measure.swing = self.listener.swing.now();
        self.passage.mark(next.place, next.meter, MarkKind::Measure);
        self.listener.begin_measure(next.open_row());
        let (serial, meter) = (next.serial, next.meter);
        let feel = Feel::new(context.controls, drums.swing, serial, meter);
        self.score.begin(&drums, feel, context.controls.pins);
    }

    /// Plays everything that happens in a block, or a part of it, in time order. Returns the frame it has played up to: the
    /// end, unless the own clock stopped.
    fn play<P: PlanSource>(
        &mut self,
        timeline: &Timeline,
        bass: &mut slice::Iter<'_, BassEvent>,
        context: &mut BlockContext<'_, P>,
    ) -> FrameOffset {
        let place = self.measure.place_of(timeline.position);
        self.passage
            .pass(place, timeline, context.block.sample_rate_hz);
        self.passage.follow_meter(self.measure.meter);
        self.score.follow(self.feel(context.controls));
        let rel = timeline.position - self.measure.start;
        self.score.set_pins(context.controls.pins, rel);
        self.last = Some(*timeline);
        let mut now = timeline.first;
        while let Some((frame, what)) =
            self.next_event(timeline, context.block, bass.as_slice().first())
        {
            // A late event is played now; the order stays.
            now = now.max(frame);
            match what {
                BlockEvent::Close => self.close_cell(timeline, context),
                BlockEvent::Bass => {
                    if let Some(event) = bass.next()
                        && self.heed(event.kind, frame, timeline, context)
                    {
                        self.hear(event.kind, frame, timeline, context);
                    }
                }
                BlockEvent::End(voice) => self.gates.end(voice, now, context.out),
                BlockEvent::Hit => self.strike(now, context),
                BlockEvent::Step if self.is_over(context.controls) => {
                    self.rest(now, context.out);
                    self.passage.stop(now);
                    return now;
                }
                BlockEvent::Step => self.step(context),
            }
        }
        timeline.end
    }

    /// The bassist does something.
    fn hear<P>(
        &mut self,
        kind: BassEventKind,
        frame: FrameOffset,
        timeline: &Timeline,
        context: &BlockContext<'_, P>,
    ) {
        let beats_per_s = timeline.beats_per_frame * context.block.sample_rate_hz;
        let late_hands_s = f64::from(context.controls.late_hands_ms.clamp(0.0, 100.0)) / 1000.0;
        let earlier = Length::of(late_hands_s * beats_per_s);
        match kind {
            BassEventKind::Fill => self.fill.press(),
            BassEventKind::NewIdea => self.ideas.press(),
            _ => {
                let heard = NoteTime {
                    place: self.measure.place(timeline.position_of(frame), earlier),
                    step_s: 0.25 / beats_per_s,
                };
                self.listener.hear(kind, heard);
            }
        }
    }

    /// A step's cell closes: everything that belongs to it has been heard, so the next measure can be requested.
    fn close_cell<P: PlanSource>(
        &mut self,
        timeline: &Timeline,
        context: &mut BlockContext<'_, P>,
    ) {
        let (meter, ends_beat) = (self.measure.meter, self.measure.is_end_of_beat());
        if ends_beat && self.listener.swing.end_beat(meter) {
            self.measure.swing = self.listener.swing.now();
            let open_row = self.measure.open_row();
            self.listener.follow_swing(&self.measure.grid(), open_row);
        }
        self.measure.half_step += 1;
        let end_row = self.measure.end_row();
        let window = self.listener.window(end_row);
        if window.is_silent() {
            return;
        }
        if self.ideas.ask() {
            self.listener.begin_idea(end_row);
        }
        let measure = self.measure.serial + 1;
        let Controls {
            fills, fill_length, ..
        } = *context.controls;
        context.plans.publish(&Request {
            client: 0,
            playback: self.playback,
            measure,
            heard_steps: self.measure.half_step / 2,
            meter: self.measure.meter,
            tempo_bpm: timeline.tempo_bpm(context.block.sample_rate_hz),
            swing: self.measure.grid().swing(),
            window,
            played: self.listener.played(end_row),
            settings: GeneratorSettings {
                idea: self.ideas.current(),
                fill: self.fill.ask(fills, measure, fill_length),
                ..context.controls.settings
            },
        });
        self.measure.has_asked = true;
    }

    /// A step begins; the next measure too, if it is its first step.
    fn step<P: PlanSource>(&mut self, context: &mut BlockContext<'_, P>) {
        if self.measure.tick() == Tick::Downbeat {
            self.begin(
                self.measure.next(self.measure.end(), self.next_meter),
                context,
            );
        }
        self.listener.begin_step(self.measure.open_row());
        self.measure.half_step += 1;
    }

    /// The next hit is due: density decides whether it sounds.
    fn strike<P>(&mut self, frame: FrameOffset, context: &mut BlockContext<'_, P>) {
        let Some(hit) = self.score.pop() else { return };
        // The generator hears the drums before density and gain. So it predicts the same at every density, and more density
        // only adds hits.
        if hit.presence.sounds_at(OWN_TAKE) {
            self.listener.note_played(
                self.measure.first_row + hit.step_idx,
                hit.voice,
                hit.velocity,
            );
        }
        let density = context.controls.density_of(hit.voice);
        if !hit.presence.sounds_at(density) || context.controls.is_bypassed {
            return;
        }
        let strike = Strike {
            frame,
            voice: hit.voice,
            velocity: context.controls.loudness(hit.velocity),
            map: context.controls.map,
            sample_rate_hz: context.block.sample_rate_hz,
        };
        match self.gates.strike(strike, context.out) {
            Ok(()) => self.score.note_struck(hit.step_idx, hit.voice),
            Err(NotStruck::Already) => {}
            Err(NotStruck::NoRoom) => {
                let n = &mut self.ladder.tally.dropped_notes;
                *n = n.saturating_add(1);
            }
        }
    }

    fn feel(&self, controls: &Controls) -> Feel {
        let (serial, meter) = (self.measure.serial, self.measure.meter);
        Feel::new(controls, self.score.swing(), serial, meter)
    }
}
