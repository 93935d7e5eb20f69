//! The performer's own clock, for free run: counts beats without a host, and changes tempo smoothly.
//!
//! Piecewise linear, continuous and always forward. Its speed is updated every 10 ms, counted in its own frames, and only
//! then, so nothing depends on the host's block size. It never jumps to correct a phase error: it runs faster or slower
//! until it has caught up.

use lockstep_core::representation::{Length, Meter, Position, Swing};

use super::block::FrameOffset;
use super::clock::{Timeline, whole_frames};
use super::controls::TempoFollow;
use super::pulse::{OnsetTime, Pulse};

/// Time between two updates of the speed, in seconds: short enough to sound immediate, long enough that blocks are seldom
/// cut.
const UPDATE_S: f64 = 0.01;

/// A phase error falls to 1/e over this; 2 % is left after one beat.
const SLEW: Length = Length::of(0.25);

/// Most that the clock speeds up or slows down to correct an error, as a share of its pace. An error of a sixteenth of a
/// beat takes one beat; half a beat, the most that a tap may ask for, takes two.
const MAX_BEND: f64 = 0.25;

/// The pace closes in on the tempo to 1/e over this.
const PACE: Length = Length::of(0.25);

/// When it does not follow, the tempo returns to the set one to 1/e over this.
const RETURN: Length = Length::of(2.0);

/// Tempos closer than this share count as the same: 0.001 BPM at 100.
const SAME_TEMPO: f64 = 1e-5;

/// A smaller error counts as none: about a fortieth of a frame at 120 BPM and 48 kHz.
const SAME_PLACE: Length = Length::of(1e-6);

/// Notes that begin within this many seconds are one chord.
const CHORD_S: f64 = 0.03;

/// When a bass event happens, and in which measure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Frames after the last one the clock has passed.
    pub(super) n_ahead: u32,
    /// Frames per second.
    pub(super) rate_hz: f64,
    pub(super) measure_start: Position,
    pub(super) meter: Meter,
    /// How the bass swings in it.
    pub(super) swing: Swing,
}

/// Counts beats since the first note, or since the end of the count-in.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnClock {
    /// Position at the last change of speed.
    anchor: Position,
    /// Frames since then.
    n_frames: u64,
    /// Current speed in beats per frame, above 0.
    speed: f64,
    /// Set tempo in beats per frame.
    set: f64,
    /// Target tempo, relative to `set`.
    tempo: f64,
    /// Current tempo without the correction of the phase, relative to `set`.
    pace: f64,
    /// How far it was behind its target at the last update.
    behind: Length,
    /// Frames since the last update of the speed.
    since_update: u32,
    /// Frames that have passed in all.
    age: u64,
    /// `age` at the last onset that counted.
    onset_age: Option<u64>,
    /// The bassist's pulse since the clock last began to follow.
    pulse: Option<Pulse>,
}

impl OwnClock {
    /// A clock at a position. `set` is in beats per frame, above 0; `tempo` is relative to it.
    pub(super) fn new(position: Position, set: f64, tempo: f64) -> Self {
        Self {
            anchor: position,
            n_frames: 0,
            speed: set * tempo,
            set,
            tempo,
            pace: tempo,
            behind: Length::ZERO,
            since_update: 0,
            age: 0,
            onset_age: None,
            pulse: None,
        }
    }

    /// The tempo that it runs at or is moving to, relative to the set one.
    pub(super) fn tempo(&self) -> f64 {
        self.tempo
    }

    /// Whether the set tempo is `set`, in beats per frame.
    pub(super) fn is_set_to(&self, set: f64) -> bool {
        (set - self.set).abs() <= 0.0
    }

    /// The timeline from a frame of a block until the block ends or the clock updates its speed.
    pub(super) fn timeline(&self, first: FrameOffset, end: FrameOffset, rate_hz: f64) -> Timeline {
        let n_frames = update_frames(rate_hz)
            .saturating_sub(self.since_update)
            .max(1);
        Timeline {
            first,
            end: end.min(FrameOffset(first.0.saturating_add(n_frames))),
            position: self.position_at(0),
            beats_per_frame: self.speed,
            tempo_per_frame: self.set * self.tempo,
        }
    }

    /// Moves on by a [`Self::timeline`].
    pub(super) fn pass(&mut self, timeline: &Timeline, follow: TempoFollow, rate_hz: f64) {
        let n_frames = timeline.end.0 - timeline.first.0;
        self.n_frames += u64::from(n_frames);
        self.since_update += n_frames;
        self.age += u64::from(n_frames);
        if self.since_update >= update_frames(rate_hz) {
            self.update(follow, rate_hz);
        }
    }

    /// Takes a new set tempo or sample rate and forgets the tempo it had found.
    pub(super) fn set(&mut self, set: f64) {
        if !self.is_set_to(set) {
            *self = Self::new(self.position_at(0), set, 1.0);
        }
    }

    /// Takes a tap as a beat, and a new set tempo in beats per frame. The clock moves to both gradually.
    pub(super) fn tap(&mut self, set: f64, at: &Moment) {
        let beat = nearest_beat(self.aim_at(at.n_ahead), at);
        self.pace *= self.set / set;
        (self.set, self.tempo, self.pulse) = (set, 1.0, None);
        self.aim(beat, at.n_ahead);
    }

    /// Hears a note begin.
    pub(super) fn hear(&mut self, at: &Moment) {
        let age = self.age + u64::from(at.n_ahead);
        let since = self.onset_age.map(|then| age.saturating_sub(then));
        if since.is_some_and(|n| n as f64 <= CHORD_S * at.rate_hz) {
            return;
        }
        // For a new pulse no time has passed before its first onset.
        let passed = self.pulse.and(since).map_or(0.0, |n| n as f64 * self.set);
        let beats_per_s = self.set * at.rate_hz;
        let begun = || Pulse::new(self.aim_at(at.n_ahead), self.tempo, beats_per_s);
        let mut pulse = self.pulse.unwrap_or_else(begun);
        let (position, tempo) = pulse.hear(&OnsetTime {
            since: Length::of(passed),
            beats_per_s,
            first_step: at.measure_start.steps().round(),
            n_steps: at.meter.n_steps() as f64,
            grid: at.swing.in_meter(at.meter),
        });
        self.pulse = Some(pulse);
        self.onset_age = Some(age);
        self.tempo = tempo;
        self.aim(position, at.n_ahead);
    }

    /// Where the clock is this many frames ahead. Whole frames are added first, so the result is the same for every block size.
    pub(super) fn position_at(&self, n_ahead: u32) -> Position {
        self.anchor + Length::of((self.n_frames + u64::from(n_ahead)) as f64 * self.speed)
    }

    /// Where it should be then.
    fn aim_at(&self, n_ahead: u32) -> Position {
        self.position_at(n_ahead) + self.behind + self.falls_behind(n_ahead)
    }

    /// Sets where it should be then.
    fn aim(&mut self, position: Position, n_ahead: u32) {
        self.behind = position - self.position_at(n_ahead) - self.falls_behind(n_ahead);
    }

    /// How far it falls behind its target between the last update and then.
    fn falls_behind(&self, n_ahead: u32) -> Length {
        let n_frames = f64::from(self.since_update) + f64::from(n_ahead);
        Length::of((self.tempo * self.set - self.speed) * n_frames)
    }

    /// Updates the speed.
    fn update(&mut self, follow: TempoFollow, rate_hz: f64) {
        self.behind += self.falls_behind(0);
        let passed = Length::of(self.set * f64::from(self.since_update));
        self.since_update = 0;
        if follow == TempoFollow::Off {
            self.tempo = nearer(self.tempo, 1.0, passed / RETURN);
        }
        if follow != TempoFollow::Follow {
            self.pulse = None;
        }
        self.pace = nearer(self.pace, self.tempo, passed / PACE);
        if self.behind.abs() < SAME_PLACE {
            self.behind = Length::ZERO;
        }
        // Never correct more in one update than the error itself.
        let slew = SLEW.max(Length::of(self.set * f64::from(update_frames(rate_hz))));
        let most = MAX_BEND * self.pace;
        let speed = self.set * (self.pace + (self.behind / slew).clamp(-most, most));
        if (speed - self.speed).abs() > 0.0 {
            (self.anchor, self.n_frames) = (self.position_at(0), 0);
            self.speed = speed;
        }
    }
}

/// Frames between two updates of the speed.
fn update_frames(rate_hz: f64) -> u32 {
    whole_frames((rate_hz * UPDATE_S).round()).max(1)
}

/// Moves a tempo by a part of the way to another; returns the other once the difference is negligible.
fn nearer(tempo: f64, to: f64, part: f64) -> f64 {
    let left = (to - tempo) * (1.0 - part.min(1.0));
    if left.abs() < SAME_TEMPO {
        to
    } else {
        to - left
    }
}

/// The beat nearest to a position; the end of its measure counts as one.
fn nearest_beat(position: Position, at: &Moment) -> Position {
    let start = at.measure_start;
    let (beat, end) = (
        start + (position - start).round(),
        start + at.meter.length(),
    );
    if (position - end).abs() < (position - beat).abs() {
        end
    } else {
        beat
    }
}
