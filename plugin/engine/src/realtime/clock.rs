//! Converts the host's time to frames.
//!
//! Every position comes from the host, block by block, or from `own_clock` while no transport rolls.

use lockstep_core::representation::{Length, Meter, Position};

use super::block::{FrameOffset, Transport};

/// Positions no further apart are the same place: 8 ms at 120 BPM, a sixteenth of a step. More than the jitter of hosts'
/// positions, less than any real jump.
pub(super) const TOLERANCE: Length = Length::of(1.0 / 64.0);

/// A position up to this many frames after a frame still belongs to it. Hosts' positions carry floating-point noise, which
/// must not move a step to the next frame.
const FRAME_NOISE: f64 = 1e-3;

/// Fastest tempo accepted, in BPM. Bounds how much can happen in a block.
const MAX_TEMPO_BPM: f64 = 10_000.0;

/// Lowest sample rate accepted, in hertz.
const MIN_SAMPLE_RATE_HZ: f64 = 1000.0;

/// Where the frames of a block, or of a part of one, lie in musical time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeline {
    /// The part's first frame in its block.
    pub(super) first: FrameOffset,
    /// The frame after its last, above `first`.
    pub(super) end: FrameOffset,
    /// Position of `first`.
    pub(super) position: Position,
    /// How fast the position moves, above 0.
    pub(super) beats_per_frame: f64,
    /// The same by the tempo alone: a clock that is catching up does not report that as tempo.
    pub(super) tempo_per_frame: f64,
}

impl Timeline {
    /// The first frame at or after a position; `first` if that is past, `None` if it lies beyond the end.
    pub(super) fn frame_of(&self, at: Position) -> Option<FrameOffset> {
        let frames = ((at - self.position).beats() / self.beats_per_frame - FRAME_NOISE).ceil();
        let is_within = frames < f64::from(self.end.0.saturating_sub(self.first.0));
        is_within.then(|| FrameOffset(self.first.0 + whole_frames(frames)))
    }

    /// Position of a frame.
    pub(super) fn position_of(&self, frame: FrameOffset) -> Position {
        let frames = f64::from(frame.0) - f64::from(self.first.0);
        self.position + Length::of(frames * self.beats_per_frame)
    }

    /// Tempo in BPM, rounded to a hundredth: hosts differ in the digits beyond, and the drums must not.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an f32 is precise enough for a tempo"
    )]
    pub(super) fn tempo_bpm(&self, sample_rate_hz: f64) -> f32 {
        ((self.tempo_per_frame * sample_rate_hz * 6000.0).round() / 100.0) as f32
    }
}

/// A number of frames that is known to fit a `u32`; 0 if negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-int cast saturates, and the callers bound the value"
)]
pub(super) fn whole_frames(frames: f64) -> u32 {
    frames as u32
}

/// Half steps before a place in its measure, less the tolerance; also the index of the first one still to come. `rel` is
/// how far the place lies after the measure's start.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-int cast saturates; a place before the start gives 0"
)]
pub(super) fn half_steps_before(rel: Length) -> usize {
    ((rel - TOLERANCE).steps() * 2.0).ceil().max(0.0) as usize
}

/// Beats per frame; `None` if the tempo or the sample rate is invalid.
pub(super) fn beats_per_frame(tempo_bpm: f64, sample_rate_hz: f64) -> Option<f64> {
    let is_sane = tempo_bpm > 1e-3
        && tempo_bpm <= MAX_TEMPO_BPM
        && (MIN_SAMPLE_RATE_HZ..f64::INFINITY).contains(&sample_rate_hz);
    is_sane.then(|| tempo_bpm / 60.0 / sample_rate_hz)
}

/// A transport that is known to roll, with valid values.
#[derive(Clone, Copy, Debug)]
pub(super) struct RollingTransport {
    pub(super) position: Position,
    pub(super) beats_per_frame: f64,
    pub(super) meter: Meter,
    /// Where the host says that the measure around `position` began.
    pub(super) measure_start: Option<Position>,
}

impl RollingTransport {
    /// `None` if the transport is stopped or its values are invalid. `advance` gives the beats per frame if the host does not
    /// say its tempo.
    pub(super) fn new(
        transport: &Transport,
        sample_rate_hz: f64,
        advance: impl FnOnce() -> Option<f64>,
    ) -> Option<Self> {
        let position = transport.position;
        // Beyond this an f64 no longer resolves single frames.
        if !transport.is_playing || !(-1e8..1e8).contains(&position.beats()) {
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
                .filter(|start| (-TOLERANCE..meter.length()).contains(&(position - *start))),
        })
    }

    /// Start of the measure around the position: as the host says, else counted in measures from the song's beginning.
    pub(super) fn measure_start_or_counted(&self) -> Position {
        self.measure_start.unwrap_or_else(|| {
            let length = self.meter.length();
            let n_measures = ((self.position - Position::START) / length + 1e-6).floor();
            Position::START + length * n_measures
        })
    }
}

/// Beats per frame between two positions `n_frames` apart; `None` if that is not a tempo from 10 to 1,000 BPM, as after a
/// jump.
pub(super) fn advance(
    from: Position,
    to: Position,
    n_frames: u32,
    sample_rate_hz: f64,
) -> Option<f64> {
    let advance = (to - from).beats() / f64::from(n_frames);
    let tempo_bpm = advance * sample_rate_hz * 60.0;
    (10.0..=1000.0).contains(&tempo_bpm).then_some(advance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_between_two_frames_rounds_up_despite_noise() {
        let frame_of = |at| {
            let timeline = Timeline {
                first: FrameOffset(0),
                end: FrameOffset(8192),
                position: Position::START,
                beats_per_frame: 2.0 / 44_100.0,
                tempo_per_frame: 2.0 / 44_100.0,
            };
            timeline.frame_of(Position::at(at)).map(|f| f.0)
        };
        assert_eq!(frame_of(0.25), Some(5513));
        assert_eq!(frame_of(0.25 + 1e-9), Some(5513));
        assert_eq!(frame_of(0.5 + 1e-9), None);
        assert_eq!(frame_of(1e-9), Some(0));
        assert_eq!(frame_of(-3.0), Some(0));
    }

    #[test]
    fn invalid_time_counts_as_a_stopped_transport() {
        let good = Transport {
            is_playing: true,
            tempo_bpm: Some(120.0),
            position: Position::at(-3.0),
            measure_start: Some(Position::at(17.0)),
            meter: None,
        };
        let song = RollingTransport::new(&good, 48_000.0, || None);
        assert_eq!(song.map(|s| s.measure_start), Some(None));
        assert_eq!(
            song.map(|s| s.measure_start_or_counted()),
            Some(Position::at(-4.0))
        );
        for bad in [f64::NAN, f64::INFINITY, 0.0, -120.0, 1e300] {
            let transport = Transport {
                tempo_bpm: Some(bad),
                ..good
            };
            assert!(
                RollingTransport::new(&transport, 48_000.0, || None).is_none(),
                "{bad} BPM"
            );
        }
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let transport = Transport {
                position: Position::at(bad),
                ..good
            };
            assert!(
                RollingTransport::new(&transport, 48_000.0, || None).is_none(),
                "beat {bad}"
            );
        }
        assert!(RollingTransport::new(&good, f64::NAN, || None).is_none());
    }
}
