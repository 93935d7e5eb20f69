//! From the host's time to frames, and the performer's own clock for free run.
//!
//! Every position comes from the host, block by block; the own clock exists only while there is no rolling transport.

use super::block::{FrameOffset, Transport};
use super::controls::Controls;
use lockstep_models::representation::{Beats, Meter};

/// Within this many beats two positions are the same place: 8 ms at 120 BPM, a sixteenth of a step. More than hosts'
/// positions jitter, less than anyone jumps.
pub(super) const TOLERANCE: f64 = 1.0 / 64.0;

/// A position this little after a frame still belongs to it. Hosts' positions carry floating-point noise; a step that
/// lies exactly between two frames (44.1 kHz at 120 BPM: 5512.5) must not move with it.
const FRAME_NOISE: f64 = 1e-3;

/// Fastest tempo that is believed, in quarter notes a minute. Bounds how much can happen in a block.
const MAX_TEMPO_BPM: f64 = 10_000.0;

/// Slowest sample rate that is believed, in hertz.
const MIN_SAMPLE_RATE_HZ: f64 = 1000.0;

/// Where the frames of one block lie in musical time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeline {
    /// Position of frame 0.
    pub(super) position: Beats,
    /// Above 0.
    pub(super) beats_per_frame: f64,
    /// Frames in the block, above 0.
    pub(super) n_frames: u32,
}

impl Timeline {
    /// The first frame at or after a position, 0 where that is past; `None` where it lies beyond the block.
    pub(super) fn frame_of(&self, at: Beats) -> Option<FrameOffset> {
        let frames = ((at.0 - self.position.0) / self.beats_per_frame - FRAME_NOISE).ceil();
        (frames < f64::from(self.n_frames)).then(|| FrameOffset(whole_frames(frames)))
    }

    /// Position of a frame.
    pub(super) fn position_of(&self, frame: FrameOffset) -> Beats {
        Beats(self.position.0 + f64::from(frame.0) * self.beats_per_frame)
    }

    /// Tempo in quarter notes a minute, to a hundredth: in more digits hosts differ, and drums must not.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a tempo is told apart well enough"
    )]
    pub(super) fn tempo_bpm(&self, sample_rate_hz: f64) -> f32 {
        ((self.beats_per_frame * sample_rate_hz * 6000.0).round() / 100.0) as f32
    }

    /// Position of the frame after the last.
    pub(super) fn end(&self) -> Beats {
        Beats(self.position.0 + f64::from(self.n_frames) * self.beats_per_frame)
    }
}

/// A number of frames that is known to be below some `u32`; 0 where it is negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-int cast saturates, and the callers bound the value"
)]
fn whole_frames(frames: f64) -> u32 {
    frames as u32
}

/// Half steps that lie before a place in its measure, less the tolerance: the number of the first that is still to
/// come. `rel` is in beats since the measure's start.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-int cast saturates; a place before the start gives 0"
)]
pub(super) fn half_steps_before(rel: Beats) -> usize {
    ((rel.0 - TOLERANCE) * 8.0).ceil().max(0.0) as usize
}

/// Beats that pass in one frame; `None` where tempo or sample rate are nonsense.
pub(super) fn beats_per_frame(tempo_bpm: f64, sample_rate_hz: f64) -> Option<f64> {
    let is_sane = tempo_bpm > 1e-3
        && tempo_bpm <= MAX_TEMPO_BPM
        && (MIN_SAMPLE_RATE_HZ..f64::INFINITY).contains(&sample_rate_hz);
    is_sane.then(|| tempo_bpm / 60.0 / sample_rate_hz)
}

/// A transport that really rolls, checked once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Song {
    pub(super) position: Beats,
    pub(super) beats_per_frame: f64,
    pub(super) meter: Meter,
    /// Where the host says that the measure around `position` began.
    pub(super) measure_start: Option<Beats>,
}

impl Song {
    /// `None` where the transport is stopped or what it says is no time. `advance` is how many beats a frame passes where
    /// the host does not say.
    pub(super) fn new(
        transport: &Transport,
        sample_rate_hz: f64,
        advance: impl FnOnce() -> Option<f64>,
    ) -> Option<Self> {
        let position = transport.position;
        // Beyond this a double no longer tells frames apart.
        if !transport.is_playing || !(-1e8..1e8).contains(&position.0) {
            return None;
        }
        let meter = transport.meter.unwrap_or_default();
        Some(Self {
            position,
            beats_per_frame: match transport.tempo_bpm {
                Some(tempo_bpm) => beats_per_frame(tempo_bpm, sample_rate_hz)?,
                None => advance()?,
            },
            meter,
            measure_start: transport
                .measure_start
                .filter(|start| (-TOLERANCE..meter.length().0).contains(&(position.0 - start.0))),
        })
    }

    /// Start of the measure around the position: the host's word, else measures counted from the song's beginning.
    pub(super) fn measure_start_or_counted(&self) -> Beats {
        self.measure_start.unwrap_or_else(|| {
            let length = self.meter.length().0;
            Beats((self.position.0 / length + 1e-6).floor() * length)
        })
    }
}

/// The performer's own clock: beats since the first bass note.
#[derive(Clone, Copy, Debug)]
pub(super) struct FreeClock {
    /// Position at the last change of tempo.
    anchor: Beats,
    /// Frames since then; negative before the first note.
    n_frames: i64,
    beats_per_frame: f64,
}

impl FreeClock {
    /// A clock that stands at beat 0 at a frame of the block that begins now.
    pub(super) fn starting_at(frame: FrameOffset, beats_per_frame: f64) -> Self {
        Self {
            anchor: Beats(0.0),
            n_frames: -i64::from(frame.0),
            beats_per_frame,
        }
    }

    /// The time of a block, which then has passed.
    pub(super) fn pass(&mut self, n_frames: u32, beats_per_frame: f64) -> Timeline {
        let position = Beats(self.anchor.0 + self.n_frames as f64 * self.beats_per_frame);
        // Only a change of tempo moves the anchor: a sum over blocks would depend on their size.
        if (beats_per_frame - self.beats_per_frame).abs() > 0.0 {
            *self = Self {
                anchor: position,
                n_frames: 0,
                beats_per_frame,
            };
        }
        self.n_frames += i64::from(n_frames);
        Timeline {
            position,
            beats_per_frame,
            n_frames,
        }
    }
}

/// How many beats a frame passed between two positions so many frames apart; `None` where that is no tempo from 10 to
/// 1,000 BPM, as after a jump.
pub(super) fn advance(from: Beats, to: Beats, n_frames: u32, sample_rate_hz: f64) -> Option<f64> {
    let advance = (to.0 - from.0) / f64::from(n_frames);
    let tempo_bpm = advance * sample_rate_hz * 60.0;
    (10.0..=1000.0).contains(&tempo_bpm).then_some(advance)
}

/// Beats a frame of the free-run clock.
pub(super) fn free_run_speed(controls: &Controls, sample_rate_hz: f64) -> Option<f64> {
    beats_per_frame(controls.free_run_tempo_bpm, sample_rate_hz)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_between_two_frames_is_rounded_up_in_spite_of_noise() {
        let frame_of = |at| {
            let timeline = Timeline {
                position: Beats(0.0),
                beats_per_frame: 2.0 / 44_100.0,
                n_frames: 8192,
            };
            timeline.frame_of(Beats(at)).map(|f| f.0)
        };
        assert_eq!(frame_of(0.25), Some(5513));
        assert_eq!(frame_of(0.25 + 1e-9), Some(5513));
        assert_eq!(frame_of(0.5 + 1e-9), None);
        assert_eq!(frame_of(1e-9), Some(0));
        assert_eq!(frame_of(-3.0), Some(0));
    }

    #[test]
    fn what_is_no_time_is_a_stopped_transport() {
        let good = Transport {
            is_playing: true,
            tempo_bpm: Some(120.0),
            position: Beats(-3.0),
            measure_start: Some(Beats(17.0)),
            meter: None,
        };
        let song = Song::new(&good, 48_000.0, || None);
        assert_eq!(song.map(|s| s.measure_start), Some(None));
        assert_eq!(
            song.map(|s| s.measure_start_or_counted()),
            Some(Beats(-4.0))
        );
        for bad in [f64::NAN, f64::INFINITY, 0.0, -120.0, 1e300] {
            let transport = Transport {
                tempo_bpm: Some(bad),
                ..good
            };
            assert!(
                Song::new(&transport, 48_000.0, || None).is_none(),
                "{bad} BPM"
            );
        }
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let transport = Transport {
                position: Beats(bad),
                ..good
            };
            assert!(
                Song::new(&transport, 48_000.0, || None).is_none(),
                "beat {bad}"
            );
        }
        assert!(Song::new(&good, f64::NAN, || None).is_none());
    }

    #[test]
    fn the_own_clock_does_not_depend_on_the_block_size() {
        let speed = 2.0 / 44_100.0;
        let mut small = FreeClock::starting_at(FrameOffset(5), speed);
        let mut large = small;
        for _ in 0..1000 {
            small.pass(7, speed);
        }
        large.pass(7000, speed);
        assert_eq!(small.pass(1, speed).position, large.pass(1, speed).position);
    }
}
