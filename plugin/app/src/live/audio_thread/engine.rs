//! The host on the audio thread: passes input to the instrument and its output on.
//!
//! A block is split wherever something changes that the instrument reads only at the start of a block: at a clock message,
//! where a clock drops out, and where a controller turns a parameter. So the drums do not depend on the block size. Never
//! allocates, locks, waits, logs or does I/O after [`Engine::new`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use arrayvec::ArrayVec;
use lockstep::Lockstep;
use lockstep::params::{ParameterIdx, Parameters};
use lockstep_engine::channel::TapeReader;
use nice_plug::prelude::{Buffer, NoteEvent, Plugin as _};

use super::instrument::{MAX_BLOCK, PluginContext, activate, play};
use super::midi::{
    IncomingMessage, MAX_MESSAGES, MidiMessage, MidiSource, OutgoingMessages, Sounding,
};
use super::midi_clock::{ClockMessage, MidiClock};
use super::song::{Following, JackFollower, JackTime, OwnTime, SongTime, transport};
use crate::live::command::SyncChoice;

/// Number of MIDI controllers; higher numbers are channel mode messages.
pub(crate) const N_CONTROLLERS: usize = 120;

/// The parameter that a controller turns, and its value at each controller position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ControllerMapping {
    /// Which parameter.
    pub(crate) at: ParameterIdx,
    /// In `[0, 1]`.
    pub(crate) values: [f32; 128],
}

/// The mapping of each controller, by its number: [`N_CONTROLLERS`] of them.
pub(crate) type ControllerMap = Box<[Option<ControllerMapping>]>;

/// A parameter change from the window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParameterChange {
    /// Which parameter.
    pub(crate) at: ParameterIdx,
    /// In `[0, 1]`.
    pub(crate) value: f32,
}

/// Most parameter changes from the window per block: a person makes about ten. More are lost.
pub(crate) const MAX_PARAMETER_CHANGES: usize = 1024;

/// State shared by the audio thread and the main thread.
#[derive(Debug, Default)]
pub(crate) struct EngineState {
    /// Asks the audio thread to fall silent.
    pub(crate) is_stopping: AtomicBool,
    /// Every note-off has been sent.
    pub(crate) is_silent: AtomicBool,
    /// The server or device is gone.
    pub(crate) is_gone: AtomicBool,
    /// The current [`Following`].
    pub(crate) following: AtomicU8,
    /// Its tempo in hundredths of a BPM.
    pub(crate) centi_bpm: AtomicU32,
    /// Messages lost for lack of room, in or out.
    pub(crate) n_lost: AtomicU32,
    /// Late blocks (xruns).
    pub(crate) n_xruns: AtomicU32,
}

impl EngineState {
    /// Counts lost messages.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub(crate) fn lose(&self, n: u32) {
        if n > 0 {
            self.n_lost.fetch_add(n, Ordering::Relaxed);
        }
    }
}

/// What an engine is made of.
pub(crate) struct EngineSetup {
    /// The instrument, with its parameters set.
    pub(crate) instrument: Lockstep,
    /// Its parameters.
    pub(crate) parameters: Arc<Parameters>,
    /// Which of them are free run's tempo and meter.
    pub(crate) own_time: (ParameterIdx, ParameterIdx),
    /// The controller mappings.
    pub(crate) turns: ControllerMap,
    /// Parameter changes from the window, applied in the next block.
    pub(crate) turned: TapeReader<ParameterChange>,
    /// The time source.
    pub(crate) sync: SyncChoice,
    /// State shared with the main thread.
    pub(crate) shared: Arc<EngineState>,
}

/// Plays the instrument.
pub(crate) struct Engine {
    setup: EngineSetup,
    sample_rate_hz: f64,
    buffer: Buffer<'static>,
    notes: ArrayVec<NoteEvent<()>, MAX_MESSAGES>,
    sounding: Sounding,
    clock: MidiClock,
    /// The port whose clock is followed: one clock on two cables must not count twice.
    clock_source: MidiSource,
    jack: JackFollower,
    /// Frames since the start, at the first frame of the block.
    now: u64,
}

/// One block while it is being played.
struct BlockProgress<'a> {
    left: &'a mut [f32],
    right: &'a mut [f32],
    jack: Option<SongTime>,
    own: OwnTime,
    out: &'a mut OutgoingMessages,
    /// Frames played so far.
    done: u32,
}

impl Engine {
    /// Makes the instrument ready to play.
    ///
    /// # Realtime safety
    /// Allocates; main thread.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the framework's sample rate is of single precision"
    )]
    pub(crate) fn new(mut setup: EngineSetup, sample_rate_hz: f64) -> anyhow::Result<Self> {
        let rate = sample_rate_hz as f32;
        setup.parameters.reset_smoothers(rate);
        activate(&mut setup.instrument, rate)?;
        setup.instrument.reset();
        let mut buffer = Buffer::default();
        super::instrument::reserve(&mut buffer);
        Ok(Self {
            setup,
            sample_rate_hz,
            buffer,
            notes: ArrayVec::new(),
            sounding: Sounding::default(),
            clock: MidiClock::new(sample_rate_hz),
            clock_source: MidiSource::Bass,
            jack: JackFollower::default(),
            now: 0,
        })
    }

    /// The state shared with the main thread.
    pub(crate) fn shared(&self) -> &Arc<EngineState> {
        &self.setup.shared
    }

    /// Plays a block. Overwrites the audio buffers and `out`. `inbox` must be sorted by frame.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub(crate) fn process(
        &mut self,
        (left, right): (&mut [f32], &mut [f32]),
        inbox: &[IncomingMessage],
        jack: Option<&JackTime>,
        out: &mut OutgoingMessages,
    ) {
        out.clear();
        left.fill(0.0);
        right.fill(0.0);
        let n_frames = u32::try_from(left.len().min(right.len())).unwrap_or(u32::MAX);
        if n_frames == 0 {
            return;
        }
        let shared = Arc::clone(&self.setup.shared);
        if shared.is_silent.load(Ordering::Relaxed) {
            return;
        }
        let is_stopping = shared.is_stopping.load(Ordering::Relaxed);
        self.follow_window();
        let own = self.own_time();
        let jack = self
            .jack
            .follow(jack, n_frames, own, self.sample_rate_hz)
            .filter(|_| matches!(self.setup.sync, SyncChoice::Auto | SyncChoice::Jack));
        let mut progress = BlockProgress {
            left,
            right,
            jack,
            own,
            out,
            done: 0,
        };
        for timed in inbox {
            let frame = timed.frame.min(n_frames - 1);
            match timed.message {
                MidiMessage::Note(note) => self.hear(note, frame - progress.done),
                MidiMessage::Controller {
                    channel,
                    number,
                    value,
                } => {
                    if let Some(Some(turn)) = self.setup.turns.get(usize::from(number)).copied() {
                        self.play_to(frame, &mut progress);
                        self.turn(&turn, value);
                    } else {
                        // The instrument handles it; the sustain pedal is one.
                        let controller = NoteEvent::MidiCC {
                            timing: 0,
                            channel,
                            cc: number,
                            value: f32::from(value) / 127.0,
                        };
                        self.hear(controller, frame - progress.done);
                    }
                }
                MidiMessage::Clock(message) => {
                    self.play_to(frame, &mut progress);
                    self.hear_clock(self.now + u64::from(frame), timed.source, message);
                }
            }
        }
        self.play_to(n_frames, &mut progress);
        self.now += u64::from(n_frames);
        if is_stopping {
            fade(progress.left);
            fade(progress.right);
            self.sounding.end_all(n_frames - 1, progress.out);
            if self.sounding.is_silent() {
                shared.is_silent.store(true, Ordering::Release);
            }
        }
    }

    fn hear(&mut self, mut note: NoteEvent<()>, timing: u32) {
        set_timing(&mut note, timing);
        if self.notes.try_push(note).is_err() {
            self.setup.shared.lose(1);
        }
    }

    fn turn(&self, turn: &ControllerMapping, value: u8) {
        if let Some(value) = turn.values.get(usize::from(value)) {
            self.set(turn.at, *value);
        }
    }

    fn hear_clock(&mut self, frame: u64, source: MidiSource, message: ClockMessage) {
        if source != self.clock_source {
            if self.clock.lost_at().is_some_and(|lost| frame < lost) {
                return;
            }
            self.clock_source = source;
        }
        self.clock.hear(frame, message);
    }

    /// Applies the parameter changes from the window since the last block.
    fn follow_window(&mut self) {
        while let Some(ParameterChange { at, value }) = self.setup.turned.read() {
            self.set(at, value);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the framework's sample rate is of single precision"
    )]
    fn set(&self, at: ParameterIdx, value: f32) {
        let rate = self.sample_rate_hz as f32;
        self.setup.parameters.set(at, value, rate);
    }

    /// Plays up to a frame.
    fn play_to(&mut self, end: u32, progress: &mut BlockProgress<'_>) {
        while progress.done < end {
            let begin = self.now + u64::from(progress.done);
            let mut stop = end.min(progress.done.saturating_add(MAX_BLOCK));
            if let Some(lost) = self.clock.lost_at().filter(|lost| *lost > begin) {
                let until = u32::try_from(lost - self.now).unwrap_or(u32::MAX);
                stop = stop.min(until);
            }
            self.play_piece(stop, begin, progress);
        }
    }

    /// Plays a piece of a block in which only notes arrive.
    fn play_piece(&mut self, stop: u32, begin: u64, progress: &mut BlockProgress<'_>) {
        let n_frames = stop - progress.done;
        let (following, song) = self.song(begin, progress);
        let range = progress.done as usize..stop as usize;
        let (Some(left), Some(right)) = (
            progress.left.get_mut(range.clone()),
            progress.right.get_mut(range),
        ) else {
            progress.done = stop;
            return;
        };
        let sent = progress.out.len();
        let mut context = PluginContext {
            transport: transport(song, progress.own, self.sample_rate_hz),
            notes: self.notes.iter(),
            n_frames,
            out: &mut *progress.out,
            offset: progress.done,
            n_lost: 0,
        };
        play(
            &mut self.setup.instrument,
            &mut self.buffer,
            (left, right),
            &mut context,
        );
        self.setup.shared.lose(context.n_lost);
        for outgoing in progress.out.iter().skip(sent) {
            self.sounding.note(outgoing.bytes);
        }
        // Notes on the first frame of the next piece belong to that piece.
        self.notes.retain(|note| {
            let timing = note.timing();
            if timing >= n_frames {
                set_timing(note, timing - n_frames);
            }
            timing >= n_frames
        });
        self.show(following, song);
        progress.done = stop;
    }

    /// The time source that is followed right now, and its position.
    fn song(&self, begin: u64, progress: &BlockProgress<'_>) -> (Following, Option<SongTime>) {
        if matches!(self.setup.sync, SyncChoice::Auto | SyncChoice::Clock)
            && let Some(time) = self.clock.time(begin)
        {
            let time = SongTime::of_clock(time, progress.own);
            return (Following::Clock, Some(time));
        }
        match progress.jack {
            Some(time) => {
                let time = time.after(progress.done, self.sample_rate_hz);
                (Following::Jack, Some(time))
            }
            None => (Following::Nothing, None),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float-to-int cast saturates"
    )]
    fn show(&self, following: Following, song: Option<SongTime>) {
        let shared = &self.setup.shared;
        shared.following.store(following as u8, Ordering::Relaxed);
        let tempo = song.map_or(0.0, |song| song.tempo_bpm);
        let centi_bpm = (tempo * 100.0).round() as u32;
        shared.centi_bpm.store(centi_bpm, Ordering::Relaxed);
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float-to-int cast saturates"
    )]
    fn own_time(&self) -> OwnTime {
        let (tempo, meter) = self.setup.own_time;
        OwnTime {
            tempo_bpm: f64::from(self.setup.parameters.plain(tempo)),
            quarters: self.setup.parameters.plain(meter).round() as i32,
        }
    }
}

/// Fades a block out, so that stopping does not click.
fn fade(samples: &mut [f32]) {
    let n = samples.len().max(1) as f32;
    for (place, sample) in samples.iter_mut().enumerate() {
        *sample *= 1.0 - place as f32 / n;
    }
}

/// Sets a note's frame in its block.
fn set_timing(note: &mut NoteEvent<()>, to: u32) {
    if let NoteEvent::NoteOn { timing, .. }
    | NoteEvent::NoteOff { timing, .. }
    | NoteEvent::MidiCC { timing, .. }
    | NoteEvent::MidiPitchBend { timing, .. } = note
    {
        *timing = to;
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
