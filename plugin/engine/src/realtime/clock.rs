//! From the host's time to frames.
//!
//! Every position comes from the host, block by block; while there is no rolling transport, from `own_clock`.

use lockstep_core::representation::{Beats, Meter};

use super::block::{FrameOffset, Transport};

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

/// Where the frames of a block, or of a part of one, lie in musical time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeline {
    /// The part's first frame in its block.
    pub(super) first: FrameOffset,
    /// The frame after its last, above `first`.
    pub(super) end: FrameOffset,
    /// Position of `first`.
    pub(super) position: Beats,
    /// Above 0.
    pub(super) beats_per_frame: f64,
    /// The same by the tempo alone: a clock that catches up is not told of as a tempo.
    pub(super) tempo_per_frame: f64,
}

impl Timeline {
    /// The first frame at or after a position, `first` where that is past; `None` where it lies beyond the end.
    pub(super) fn frame_of(&self, at: Beats) -> Option<FrameOffset> {
        let frames = ((at.0 - self.position.0) / self.beats_per_frame - FRAME_NOISE).ceil();
        let is_within = frames < f64::from(self.end.0.saturating_sub(self.first.0));
        is_within.then(|| FrameOffset(self.first.0 + whole_frames(frames)))
    }

    /// Position of a frame.
    pub(super) fn position_of(&self, frame: FrameOffset) -> Beats {
        let frames = f64::from(frame.0) - f64::from(self.first.0);
        Beats(self.position.0 + frames * self.beats_per_frame)
    }

    /// Tempo in quarter notes a minute, to a hundredth: in more digits hosts differ, and drums must not.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a tempo is told apart well enough"
    )]
    pub(super) fn tempo_bpm(&self, sample_rate_hz: f64) -> f32 {
        ((self.tempo_per_frame * sample_rate_hz * 6000.0).round() / 100.0) as f32
    }
}

/// A number of frames that is known to be below some `u32`; 0 where it is negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-int cast saturates, and the callers bound the value"
)]
pub(super) fn whole_frames(frames: f64) -> u32 {
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

/// How many beats a frame passed between two positions so many frames apart; `None` where that is no tempo from 10 to
/// 1,000 BPM, as after a jump.
pub(super) fn advance(from: Beats, to: Beats, n_frames: u32, sample_rate_hz: f64) -> Option<f64> {
    let advance = (to.0 - from.0) / f64::from(n_frames);
    let tempo_bpm = advance * sample_rate_hz * 60.0;
    (10.0..=1000.0).contains(&tempo_bpm).then_some(advance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_between_two_frames_is_rounded_up_in_spite_of_noise() {
        let frame_of = |at| {
            let timeline = Timeline {
                first: FrameOffset(0),
                end: FrameOffset(8192),
                position: Beats(0.0),
                beats_per_frame: 2.0 / 44_100.0,
                tempo_per_frame: 2.0 / 44_100.0,
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
}
