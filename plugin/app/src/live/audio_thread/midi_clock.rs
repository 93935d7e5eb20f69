//! Follows a MIDI clock: turns jittery ticks into a smooth tempo and position.
//!
//! Pure: works on frames and ticks, without ports or threads. Audio thread.
//!
//! The filter fits a line through the ticks by least squares: an α-β tracker whose gains are those of a growing memory
//! (Brookner, "Tracking and Kalman Filtering Made Easy", 1998, §1.2.10) until it covers [`MEMORY`] ticks, and constant after
//! that, which is a second-order loop as in Adriaensen, "Using a DLL to filter time", Linux Audio Conference 2005. Corrections
//! are spread over the time until the next tick, so that the position is continuous and never runs backwards. If ticks are
//! early or late on average, the tempo has changed: then the memory is cut to a few ticks.

/// Ticks per quarter note, by the MIDI specification.
const TICKS_PER_BEAT: f64 = 24.0;

/// Ticks per sixteenth, the unit of Song Position.
const TICKS_PER_SIXTEENTH: i64 = 6;

/// Ticks that the fit covers: two beats and two thirds. Jitter of ±3 ms then moves the beat by 0.4 ms (standard deviation).
/// Fewer ticks follow a ritardando more closely, more ticks jitter less.
const MEMORY: u32 = 64;

/// Ticks that it covers after a tempo change has been detected.
const MEMORY_OF_CHANGE: u32 = 4;

/// Weight of a tick in the average lateness, which tells a tempo change from jitter.
const LEAN: f64 = 1.0 / 6.0;

/// Average lateness, in seconds, that counts as a tempo change: five standard deviations of its noise at ±3 ms jitter.
const CHANGE_S: f64 = 2.5e-3;

/// After this long without a tick, in seconds, the clock counts as stopped.
const DROP_OUT_S: f64 = 0.5;

/// Range of accepted tempos, in BPM. At the slowest a tick comes every eighth of a second.
const TEMPOS_BPM: (f64, f64) = (20.0, 400.0);

/// Range of the factor by which a correction may change the speed.
const BENDS: (f64, f64) = (0.25, 4.0);

/// A clock message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockMessage {
    /// A 24th of a quarter note has passed.
    Tick,
    /// The next tick is the beginning of the song.
    Start,
    /// The next tick continues from the song position.
    Continue,
    /// The song stops.
    Stop,
    /// The song position is this sixteenth.
    SongPosition(u16),
}

/// The position of a running clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClockTime {
    /// Quarter notes since the beginning of the song.
    pub(crate) position_beats: f64,
    /// Tempo in BPM at which the position moves until the next message.
    pub(crate) tempo_bpm: f64,
}

/// Follows one clock.
#[derive(Clone, Debug)]
pub(crate) struct MidiClock {
    sample_rate_hz: f64,
    /// The fitted line, in ticks since the first: at frame `anchor` it is at `phase` and moves by `speed` per frame.
    anchor: u64,
    phase: f64,
    speed: f64,
    /// The tempo in ticks per frame; `speed` is this times the correction.
    rate: f64,
    /// Ticks that the fit covers; 0 before the first.
    memory: u32,
    /// Average time by which ticks came early, in seconds.
    lean_s: f64,
    /// Number of the last tick, on the fitted line.
    last: i64,
    last_at: Option<u64>,
    is_rolling: bool,
    /// Tick on the fitted line at which the song begins.
    origin: i64,
    /// Song position of the next tick, if it does not simply follow the last.
    next: Option<i64>,
    /// Song position of the first tick after Continue.
    resume: i64,
}

impl MidiClock {
    /// A clock that has received nothing yet.
    pub(crate) fn new(sample_rate_hz: f64) -> Self {
        let rate = ticks_per_frame(TEMPOS_BPM.0, sample_rate_hz);
        Self {
            sample_rate_hz,
            anchor: 0,
            phase: 0.0,
            speed: rate,
            rate,
            memory: 0,
            lean_s: 0.0,
            last: 0,
            last_at: None,
            is_rolling: false,
            origin: 0,
            next: None,
            resume: 0,
        }
    }

    /// Handles a message that came at a frame; frames must not decrease.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub(crate) fn hear(&mut self, frame: u64, message: ClockMessage) {
        match message {
            ClockMessage::Tick => self.tick(frame),
            ClockMessage::Start => self.next = Some(0),
            ClockMessage::Continue => {
                if !self.is_rolling || self.next.is_none() {
                    self.next = Some(self.resume_at());
                }
            }
            ClockMessage::Stop => {
                self.resume = self.resume_at();
                self.is_rolling = false;
                self.next = None;
            }
            ClockMessage::SongPosition(sixteenth) => {
                let at = i64::from(sixteenth) * TICKS_PER_SIXTEENTH;
                if self.is_rolling {
                    self.next = Some(at);
                } else {
                    self.resume = at;
                }
            }
        }
    }

    /// The clock's position at a frame; `None` if it is not running.
    pub(crate) fn time(&self, frame: u64) -> Option<ClockTime> {
        if !self.is_rolling || self.lost_at().is_none_or(|lost| frame >= lost) {
            return None;
        }
        Some(ClockTime {
            position_beats: (self.phase_at(frame) - self.origin as f64) / TICKS_PER_BEAT,
            tempo_bpm: self.speed * self.sample_rate_hz * 60.0 / TICKS_PER_BEAT,
        })
    }

    /// The frame at which the clock counts as stopped, if no tick comes before it.
    pub(crate) fn lost_at(&self) -> Option<u64> {
        self.last_at
            .map(|at| at + whole_frames(DROP_OUT_S * self.sample_rate_hz))
    }

    /// Song position of the next tick, if no other message comes first.
    fn resume_at(&self) -> i64 {
        if self.is_rolling {
            self.next.unwrap_or(self.last + 1 - self.origin)
        } else {
            self.resume
        }
    }

    fn phase_at(&self, frame: u64) -> f64 {
        self.phase + frame.saturating_sub(self.anchor) as f64 * self.speed
    }

    fn tick(&mut self, frame: u64) {
        let phase = self.phase_at(frame);
        let is_new = self.lost_at().is_none_or(|lost| frame >= lost);
        if is_new {
            // A clock that drops out and returns without Stop has kept running, at its last tempo.
            self.last = self.last.max(whole_ticks(phase.round()));
            if self.last_at.is_none() {
                self.last = 0;
            }
            self.phase = self.last as f64;
            self.speed = self.rate;
            self.memory = 1;
            self.lean_s = 0.0;
        } else {
            self.last += 1;
            self.phase = phase;
            // After Start or Continue, never begin even slightly before the song position.
            if self.next.is_some() {
                self.phase = self.phase.max(self.last as f64);
            }
            self.correct(frame.saturating_sub(self.last_at.unwrap_or(frame)));
        }
        self.anchor = frame;
        self.last_at = Some(frame);
        if let Some(next) = self.next.take() {
            self.origin = self.last - next;
            self.is_rolling = true;
        }
    }

    /// Corrects the fit by a tick that came `interval` frames after the one before.
    fn correct(&mut self, interval: u64) {
        let early = self.last as f64 - self.phase;
        self.lean_s += LEAN * (early / (self.rate * self.sample_rate_hz) - self.lean_s);
        self.memory = (self.memory + 1).min(MEMORY);
        if self.memory > 2 * MEMORY_OF_CHANGE && self.lean_s.abs() > CHANGE_S {
            self.memory = MEMORY_OF_CHANGE;
            self.lean_s = 0.0;
        }
        let n = f64::from(self.memory);
        let to_phase = 2.0 * (2.0 * n - 1.0) / (n * (n + 1.0));
        let to_rate = 6.0 / (n * (n + 1.0));
        // The first interval gives the first tempo; later ones only jitter around it.
        let interval = if self.memory == 2 {
            interval.max(1) as f64
        } else {
            1.0 / self.rate
        };
        let (slowest, fastest) = TEMPOS_BPM;
        self.rate = (self.rate + to_rate * early / interval).clamp(
            ticks_per_frame(slowest, self.sample_rate_hz),
            ticks_per_frame(fastest, self.sample_rate_hz),
        );
        self.speed = self.rate * (1.0 + to_phase * early).clamp(BENDS.0, BENDS.1);
    }
}

fn ticks_per_frame(tempo_bpm: f64, sample_rate_hz: f64) -> f64 {
    tempo_bpm * TICKS_PER_BEAT / 60.0 / sample_rate_hz
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "half a second of frames"
)]
fn whole_frames(frames: f64) -> u64 {
    frames as u64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a tick number is far below 2^63"
)]
fn whole_ticks(ticks: f64) -> i64 {
    ticks as i64
}

#[cfg(test)]
#[path = "midi_clock_tests.rs"]
mod tests;
