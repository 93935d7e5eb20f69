//! The host on the audio thread: passes input to the instrument and its output on.
//!
//! A block is split wherever something changes that the instrument reads only at the start of a block: at a clock message,
//! where a clock drops out, and where a controller turns a parameter. So the drums do not depend on the block size. Never
//! allocates, locks, waits, logs or does I/O after [`Engine::new`].
#![deny(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use arrayvec::ArrayVec;
use lockstep::Lockstep;
use lockstep::params::{ParameterIdx, Parameters};
use lockstep_engine::channel::TapeReader;
use nice_plug::prelude::{Buffer, NoteEvent, Plugin as _};

use super::command::SyncChoice;
use super::instrument::{Context, MAX_BLOCK, activate, play};
use super::midi::{MAX_MESSAGES, Message, Outbox, Outgoing, Sounding, Source, Timed};
use super::midi_clock::{ClockMessage, MidiClock};
use super::song::{Following, JackFollower, JackTime, OwnTime, SongTime, transport};

/// Number of MIDI controllers; higher numbers are channel mode messages.
pub(crate) const N_CONTROLLERS: usize = 120;

/// The parameter that a controller turns, and its value at each controller position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// Which parameter.
    pub(crate) at: ParameterIdx,
    /// In `[0, 1]`.
    pub(crate) values: [f32; 128],
}

/// The mapping of each controller, by its number: [`N_CONTROLLERS`] of them.
pub(crate) type Turns = Box<[Option<Turn>]>;

/// A parameter change from the window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turned {
    /// Which parameter.
    pub(crate) at: ParameterIdx,
    /// In `[0, 1]`.
    pub(crate) value: f32,
}

/// Most parameter changes from the window per block: a person makes about ten. More are lost.
pub(crate) const MAX_TURNED: usize = 1024;

/// State shared by the audio thread and the main thread.
#[derive(Debug, Default)]
pub(crate) struct Shared {
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

impl Shared {
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
pub(crate) struct Parts {
    /// The instrument, with its parameters set.
    pub(crate) instrument: Lockstep,
    /// Its parameters.
    pub(crate) parameters: Arc<Parameters>,
    /// Which of them are free run's tempo and meter.
    pub(crate) own_time: (ParameterIdx, ParameterIdx),
    /// The controller mappings.
    pub(crate) turns: Turns,
    /// Parameter changes from the window, applied in the next block.
    pub(crate) turned: TapeReader<Turned>,
    /// The time source.
    pub(crate) sync: SyncChoice,
    /// State shared with the main thread.
    pub(crate) shared: Arc<Shared>,
}

/// Plays the instrument.
pub(crate) struct Engine {
    parts: Parts,
    sample_rate_hz: f64,
    buffer: Buffer<'static>,
    notes: ArrayVec<NoteEvent<()>, MAX_MESSAGES>,
    sounding: Sounding,
    clock: MidiClock,
    /// The port whose clock is followed: one clock on two cables must not count twice.
    clock_source: Source,
    jack: JackFollower,
    /// Frames since the start, at the first frame of the block.
    now: u64,
}

/// One block while it is being played.
struct Round<'a> {
    left: &'a mut [f32],
    right: &'a mut [f32],
    jack: Option<SongTime>,
    own: OwnTime,
    out: &'a mut Outbox,
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
    pub(crate) fn new(mut parts: Parts, sample_rate_hz: f64) -> anyhow::Result<Self> {
        let rate = sample_rate_hz as f32;
        parts.parameters.reset_smoothers(rate);
        activate(&mut parts.instrument, rate)?;
        parts.instrument.reset();
        let mut buffer = Buffer::default();
        super::instrument::reserve(&mut buffer);
        Ok(Self {
            parts,
            sample_rate_hz,
            buffer,
            notes: ArrayVec::new(),
            sounding: Sounding::default(),
            clock: MidiClock::new(sample_rate_hz),
            clock_source: Source::Bass,
            jack: JackFollower::default(),
            now: 0,
        })
    }

    /// The state shared with the main thread.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.parts.shared
    }

    /// Plays a block. Overwrites the audio buffers and `out`. `inbox` must be sorted by frame.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub(crate) fn process(
        &mut self,
        (left, right): (&mut [f32], &mut [f32]),
        inbox: &[Timed],
        jack: Option<&JackTime>,
        out: &mut Outbox,
    ) {
        out.clear();
        left.fill(0.0);
        right.fill(0.0);
        let n_frames = u32::try_from(left.len().min(right.len())).unwrap_or(u32::MAX);
        if n_frames == 0 {
            return;
        }
        let shared = Arc::clone(&self.parts.shared);
        if shared.is_silent.load(Ordering::Relaxed) {
            return;
        }
        let is_stopping = shared.is_stopping.load(Ordering::Relaxed);
        self.follow_window();
        let own = self.own_time();
        let jack = self
            .jack
            .follow(jack, n_frames, own, self.sample_rate_hz)
            .filter(|_| matches!(self.parts.sync, SyncChoice::Auto | SyncChoice::Jack));
        let mut round = Round {
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
                Message::Note(note) => self.hear(note, frame - round.done),
                Message::Controller {
                    channel,
                    number,
                    value,
                } => {
                    if let Some(Some(turn)) = self.parts.turns.get(usize::from(number)).copied() {
                        self.play_to(frame, &mut round);
                        self.turn(&turn, value);
                    } else {
                        // The instrument handles it; the sustain pedal is one.
                        let controller = NoteEvent::MidiCC {
                            timing: 0,
                            channel,
                            cc: number,
                            value: f32::from(value) / 127.0,
                        };
                        self.hear(controller, frame - round.done);
                    }
                }
                Message::Clock(message) => {
                    self.play_to(frame, &mut round);
                    self.hear_clock(self.now + u64::from(frame), timed.source, message);
                }
            }
        }
        self.play_to(n_frames, &mut round);
        self.now += u64::from(n_frames);
        if is_stopping {
            fade(round.left);
            fade(round.right);
            self.sounding.end_all(n_frames - 1, round.out);
            if self.sounding.is_silent() {
                shared.is_silent.store(true, Ordering::Release);
            }
        }
    }

    fn hear(&mut self, mut note: NoteEvent<()>, timing: u32) {
        set_timing(&mut note, timing);
        if self.notes.try_push(note).is_err() {
            self.parts.shared.lose(1);
        }
    }

    fn turn(&self, turn: &Turn, value: u8) {
        if let Some(value) = turn.values.get(usize::from(value)) {
            self.set(turn.at, *value);
        }
    }

    fn hear_clock(&mut self, frame: u64, source: Source, message: ClockMessage) {
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
        while let Some(Turned { at, value }) = self.parts.turned.next() {
            self.set(at, value);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the framework's sample rate is of single precision"
    )]
    fn set(&self, at: ParameterIdx, value: f32) {
        let rate = self.sample_rate_hz as f32;
        self.parts.parameters.set(at, value, rate);
    }

    /// Plays up to a frame.
    fn play_to(&mut self, end: u32, round: &mut Round<'_>) {
        while round.done < end {
            let begin = self.now + u64::from(round.done);
            let mut stop = end.min(round.done.saturating_add(MAX_BLOCK));
            if let Some(lost) = self.clock.lost_at().filter(|lost| *lost > begin) {
                let until = u32::try_from(lost - self.now).unwrap_or(u32::MAX);
                stop = stop.min(until);
            }
            self.play_piece(stop, begin, round);
        }
    }

    /// Plays a piece of a block in which only notes arrive.
    fn play_piece(&mut self, stop: u32, begin: u64, round: &mut Round<'_>) {
        let n_frames = stop - round.done;
        let (following, song) = self.song(begin, round);
        let range = round.done as usize..stop as usize;
        let (Some(left), Some(right)) = (
            round.left.get_mut(range.clone()),
            round.right.get_mut(range),
        ) else {
            round.done = stop;
            return;
        };
        let sent = round.out.len();
        let mut context = Context {
            transport: transport(song, round.own, self.sample_rate_hz),
            notes: self.notes.iter(),
            n_frames,
            out: &mut *round.out,
            offset: round.done,
            n_lost: 0,
        };
        play(
            &mut self.parts.instrument,
            &mut self.buffer,
            (left, right),
            &mut context,
        );
        self.parts.shared.lose(context.n_lost);
        for outgoing in round.out.iter().skip(sent) {
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
        round.done = stop;
    }

    /// The time source that is followed right now, and its position.
    fn song(&self, begin: u64, round: &Round<'_>) -> (Following, Option<SongTime>) {
        if matches!(self.parts.sync, SyncChoice::Auto | SyncChoice::Clock)
            && let Some(time) = self.clock.time(begin)
        {
            let time = SongTime::of_clock(time, round.own);
            return (Following::Clock, Some(time));
        }
        match round.jack {
            Some(time) => {
                let time = time.after(round.done, self.sample_rate_hz);
                (Following::Jack, Some(time))
            }
            None => (Following::Nobody, None),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float-to-int cast saturates"
    )]
    fn show(&self, following: Following, song: Option<SongTime>) {
        let shared = &self.parts.shared;
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
        let (tempo, meter) = self.parts.own_time;
        OwnTime {
            tempo_bpm: f64::from(self.parts.parameters.plain(tempo)),
            quarters: self.parts.parameters.plain(meter).round() as i32,
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

/// The outgoing message for a note; `offset` is where its piece begins in the block.
pub(crate) fn outgoing(event: &NoteEvent<()>, offset: u32) -> Option<Outgoing> {
    let bytes = super::midi::write(event)?;
    let frame = offset + event.timing();
    Some(Outgoing { frame, bytes })
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
