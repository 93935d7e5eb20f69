//! The performer's own clock, for free run: beats that pass without a host, and bend where the tempo changes.
//!
//! Piecewise linear, continuous and always forward. Its speed is looked at anew every 10 ms, counted in its own frames, and
//! at no other time: what happens between takes effect there, so that nothing depends on how a host cuts its blocks. An
//! error of phase is never jumped over: the clock runs faster or slower until it is made up for.

use lockstep_core::representation::{Beats, Meter};

use super::block::FrameOffset;
use super::clock::{Timeline, whole_frames};
use super::controls::TempoFollow;
use super::pulse::{Onset, Pulse};

/// Time between two looks at the speed, in seconds: so late a change is heard as at once, and blocks are seldom cut.
const LOOK_S: f64 = 0.01;

/// An error of phase falls to 1/e in so many beats: of it 2 % are left after one.
const SLEW_BEATS: f64 = 0.25;

/// The most that the clock runs faster or slower to make up for an error, as a share of its pace. A sixteenth of a beat is
/// made up for in a beat; the half beat that a tap may ask for in two.
const MAX_BEND: f64 = 0.25;

/// The pace nears the tempo to 1/e in so many beats.
const PACE_BEATS: f64 = 0.25;

/// Left to itself, the tempo returns to the set one to 1/e in so many beats.
const RETURN_BEATS: f64 = 2.0;

/// Tempos nearer than this share are the same: 0.001 BPM at 100.
const SAME_TEMPO: f64 = 1e-5;

/// An error of fewer beats is none: a twentieth of a frame.
const SAME_PLACE: f64 = 1e-6;

/// Notes that begin within so many seconds are one chord.
const CHORD_S: f64 = 0.03;

/// When something happens, and in which measure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Frames after those that have passed for the clock.
    pub(super) n_ahead: u32,
    /// Frames a second.
    pub(super) rate_hz: f64,
    pub(super) measure_start: Beats,
    pub(super) meter: Meter,
}

/// Beats since the first note, or since the end of the count.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnClock {
    /// Position at the last change of speed.
    anchor: Beats,
    /// Frames since then.
    n_frames: u64,
    /// Beats a frame at which it runs, above 0.
    speed: f64,
    /// Beats a frame of the set tempo.
    set: f64,
    /// What it is to run at, in shares of `set`.
    tempo: f64,
    /// What it runs at, but for what it makes up for, in shares of `set`.
    pace: f64,
    /// Beats by which it was behind where it ought to be at the last look.
    behind: f64,
    /// Frames since the last look.
    since_look: u32,
    /// Frames that have passed.
    age: u64,
    /// How many had passed when the last onset came that counted.
    onset_age: Option<u64>,
    /// What the onsets told since the clock last began to follow.
    pulse: Option<Pulse>,
}

impl OwnClock {
    /// A clock that stands at a position. `set` is in beats a frame, above 0; `tempo` in shares of it.
    pub(super) fn new(position: Beats, set: f64, tempo: f64) -> Self {
        Self {
            anchor: position,
            n_frames: 0,
            speed: set * tempo,
            set,
            tempo,
            pace: tempo,
            behind: 0.0,
            since_look: 0,
            age: 0,
            onset_age: None,
            pulse: None,
        }
    }

    /// The tempo that it runs at or nears, in shares of the set one.
    pub(super) fn tempo(&self) -> f64 {
        self.tempo
    }

    /// Whether the set tempo is this one, in beats a frame.
    pub(super) fn is_set_to(&self, set: f64) -> bool {
        (set - self.set).abs() <= 0.0
    }

    /// The time from a frame of a block on, until the block ends or the clock looks at its speed.
    pub(super) fn timeline(&self, first: FrameOffset, end: FrameOffset, rate_hz: f64) -> Timeline {
        let n_frames = look_frames(rate_hz).saturating_sub(self.since_look).max(1);
        Timeline {
            first,
            end: end.min(FrameOffset(first.0.saturating_add(n_frames))),
            position: self.position_at(0),
            beats_per_frame: self.speed,
            tempo_per_frame: self.set * self.tempo,
        }
    }

    /// The time of a [`Self::timeline`] has passed.
    pub(super) fn pass(&mut self, timeline: &Timeline, follow: TempoFollow, rate_hz: f64) {
        let n_frames = timeline.end.0 - timeline.first.0;
        self.n_frames += u64::from(n_frames);
        self.since_look += n_frames;
        self.age += u64::from(n_frames);
        if self.since_look >= look_frames(rate_hz) {
            self.look(follow, rate_hz);
        }
    }

    /// The set tempo or the sample rate is another from now on: nothing counts that was found.
    pub(super) fn set(&mut self, set: f64) {
        if !self.is_set_to(set) {
            *self = Self::new(self.position_at(0), set, 1.0);
        }
    }

    /// A tap is a beat, and the set tempo is another, in beats a frame: both by and by.
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
        // A pulse that has heard nothing takes its first onset as one that came after no time.
        let beats = self.pulse.and(since).map_or(0.0, |n| n as f64 * self.set);
        let beats_per_s = self.set * at.rate_hz;
        let begun = || Pulse::new(self.aim_at(at.n_ahead), self.tempo, beats_per_s);
        let mut pulse = self.pulse.unwrap_or_else(begun);
        let (position, tempo) = pulse.hear(&Onset {
            since: beats,
            beats_per_s,
            first_step: (at.measure_start.0 * 4.0).round(),
            n_steps: at.meter.n_steps() as f64,
        });
        self.pulse = Some(pulse);
        self.onset_age = Some(age);
        self.tempo = tempo;
        self.aim(position, at.n_ahead);
    }

    /// Where the clock is so many frames ahead. Whole frames are added first: so it is the same for every block size.
    pub(super) fn position_at(&self, n_ahead: u32) -> Beats {
        Beats(self.anchor.0 + (self.n_frames + u64::from(n_ahead)) as f64 * self.speed)
    }

    /// Where it ought to be then, in beats.
    fn aim_at(&self, n_ahead: u32) -> f64 {
        self.position_at(n_ahead).0 + self.behind + self.falls_behind(n_ahead)
    }

    /// Now it ought to be there then.
    fn aim(&mut self, position: f64, n_ahead: u32) {
        self.behind = position - self.position_at(n_ahead).0 - self.falls_behind(n_ahead);
    }

    /// Beats by which it falls behind from the last look until then.
    fn falls_behind(&self, n_ahead: u32) -> f64 {
        (self.tempo * self.set - self.speed) * (f64::from(self.since_look) + f64::from(n_ahead))
    }

    /// Looks at the speed.
    fn look(&mut self, follow: TempoFollow, rate_hz: f64) {
        self.behind += self.falls_behind(0);
        let beats = self.set * f64::from(self.since_look);
        self.since_look = 0;
        if follow == TempoFollow::Off {
            self.tempo = nearer(self.tempo, 1.0, beats / RETURN_BEATS);
        }
        if follow != TempoFollow::Follow {
            self.pulse = None;
        }
        self.pace = nearer(self.pace, self.tempo, beats / PACE_BEATS);
        if self.behind.abs() < SAME_PLACE {
            self.behind = 0.0;
        }
        // Never more in a look than there is.
        let slew = SLEW_BEATS.max(self.set * f64::from(look_frames(rate_hz)));
        let most = MAX_BEND * self.pace;
        let speed = self.set * (self.pace + (self.behind / slew).clamp(-most, most));
        if (speed - self.speed).abs() > 0.0 {
            (self.anchor, self.n_frames) = (self.position_at(0), 0);
            self.speed = speed;
        }
    }
}

/// Frames between two looks.
fn look_frames(rate_hz: f64) -> u32 {
    whole_frames((rate_hz * LOOK_S).round()).max(1)
}

/// A tempo by a part of the way nearer to another; the other where there is no difference that counts.
fn nearer(tempo: f64, to: f64, part: f64) -> f64 {
    let left = (to - tempo) * (1.0 - part.min(1.0));
    if left.abs() < SAME_TEMPO {
        to
    } else {
        to - left
    }
}

/// The beat that a position is nearest to, or the end of its measure.
fn nearest_beat(position: f64, at: &Moment) -> f64 {
    let start = at.measure_start.0;
    let (beat, end) = (
        (position - start).round() + start,
        start + at.meter.length().0,
    );
    if (position - end).abs() < (position - beat).abs() {
        end
    } else {
        beat
    }
}
