//! What a host plays: a bass line, a transport that moves, stops and jumps, and knobs, cut into blocks.
//!
//! Knows nothing about plugins. A block's position is computed from the start of its piece of transport, never by
//! adding up blocks, so the same stage gives the same beats for any block size. Blocks end where the transport breaks,
//! as in a host.

use std::time::{Duration, Instant};

use crate::{Block, Input, InputKind};

/// A note of the bass, on the host's timeline.
#[derive(Clone, Copy, Debug)]
pub struct BassNote {
    /// Start, in quarter notes.
    pub beats: f64,
    /// Length, in quarter notes.
    pub length_beats: f64,
    /// MIDI key.
    pub key: u8,
}

/// Something that the host or the player does at a frame.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// The transport starts from where it stopped.
    Play,
    /// The transport stops.
    Stop,
    /// The transport continues from this position, in quarter notes.
    Jump(f64),
    /// From here on the tempo is this, in BPM.
    Tempo(f64),
    /// From here on the time signature is this, and a measure begins here.
    Meter((u16, u16)),
    /// The host resets the plugin; the transport continues.
    Reset,
    /// A parameter, by name, gets this value in `[0, 1]`.
    Set(&'static str, f64),
}

/// An action and its absolute frame.
#[derive(Clone, Copy, Debug)]
pub struct TimedAction {
    /// Frames from the start of the stage.
    pub frame: u64,
    /// What happens there.
    pub action: Action,
}

/// What the host tells the plugin about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeInfo {
    /// Beats, tempo, time signature and the start of the measure.
    Everything,
    /// Beats and tempo.
    BeatsAndTempo,
    /// Only beats.
    Beats,
    /// Seconds and tempo, like a host without a beat position.
    SecondsAndTempo,
    /// Only seconds.
    Seconds,
    /// Nothing at all.
    Nothing,
}

/// Everything that is played to the plugin.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Sample rate.
    pub sample_rate_hz: f64,
    /// Tempo at the start, in BPM.
    pub tempo_bpm: f64,
    /// Time signature at the start; measures are counted from beat 0.
    pub meter: (u16, u16),
    /// Which of this the plugin is told.
    pub time_info: TimeInfo,
    /// Frames in the longest block.
    pub block_frames: u32,
    /// Whether to render offline, where the plugin waits for its plans, or live.
    pub is_offline: bool,
    /// How long the host pauses before each block in which a measure begins. Live, this leaves time for the requested
    /// plan to arrive, however slow the machine is.
    pub rest_at_downbeat: Duration,
    /// Whether the host requests each block when it is due, as for a sound card, or as fast as it can.
    pub is_real_time: bool,
    /// Position at the first frame, in quarter notes.
    pub start_beats: f64,
    /// Length in frames.
    pub n_frames: u64,
    /// The bass line.
    pub bass: Vec<BassNote>,
    /// Parameters by name, with values in `[0, 1]`, set before the first frame.
    pub settings: Vec<(&'static str, f64)>,
    /// What happens during playback, in time order.
    pub actions: Vec<TimedAction>,
}

impl Default for Stage {
    /// Eight measures of 4/4 at 200 BPM and 48 kHz, where a step is exactly 3600 frames, with all timing knobs at zero;
    /// then the transport stops briefly.
    fn default() -> Self {
        Self::of_measures(8)
    }
}

impl Stage {
    /// Frames per step in [`Self::default`].
    pub const STEP_FRAMES: u64 = 3_600;
    /// Frames per measure in [`Self::default`].
    pub const MEASURE_FRAMES: u64 = 16 * Self::STEP_FRAMES;

    /// [`Self::default`] with another length.
    pub fn of_measures(n_measures: u32) -> Self {
        let end = u64::from(n_measures) * Self::MEASURE_FRAMES;
        Self {
            sample_rate_hz: 48_000.0,
            tempo_bpm: 200.0,
            meter: (4, 4),
            time_info: TimeInfo::Everything,
            block_frames: 256,
            is_offline: true,
            rest_at_downbeat: Duration::ZERO,
            is_real_time: false,
            start_beats: 0.0,
            n_frames: end + 2 * Self::STEP_FRAMES,
            bass: bass_line(n_measures * 4),
            settings: vec![
                ("Swing", 0.0),
                ("Humanise", 0.0),
                ("Feel", 0.0),
                ("Variation", 0.0),
                ("Free run", 0.0),
            ],
            actions: vec![TimedAction {
                frame: end,
                action: Action::Stop,
            }],
        }
    }

    /// Adds a setting.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: f64) -> Self {
        self.settings.push((name, value));
        self
    }

    /// Sets the block size.
    #[must_use]
    pub fn in_blocks_of(mut self, block_frames: u32) -> Self {
        self.block_frames = block_frames;
        self
    }

    /// Adds a cue.
    #[must_use]
    pub fn at(mut self, frame: u64, action: Action) -> Self {
        self.actions.push(TimedAction { frame, action });
        self.actions.sort_by_key(|action| action.frame);
        self
    }

    /// Pauses before a block as the host does; if the stage is paced, until the block is due.
    pub(crate) fn rest(&self, begun: Instant, block: &Block) {
        std::thread::sleep(block.rest);
        let due = Duration::from_secs_f64(block.first_frame as f64 / self.sample_rate_hz);
        if self.is_real_time {
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
        }
    }

    /// Transport position at a frame, in quarter notes.
    pub fn beats_at(&self, frame: u64) -> f64 {
        self.spans()
            .into_iter()
            .rfind(|span| span.first_frame <= frame)
            .map_or(self.start_beats, |span| span.beats_at(frame))
    }

    /// Distance in frames between a frame and the nearest step.
    pub fn frames_off_grid(&self, frame: u64) -> f64 {
        let spans = self.spans();
        spans
            .iter()
            .rfind(|span| span.first_frame <= frame)
            .map_or(f64::INFINITY, |span| {
                let steps = span.beats_at(frame) * 4.0;
                (steps - steps.round()).abs() * span.beat_frames / 4.0
            })
    }

    /// The blocks of the stage, in time order.
    pub fn blocks(&self) -> impl Iterator<Item = Block> {
        let spans = self.spans();
        let mut inputs = self.inputs(&spans).into_iter().peekable();
        let block_frames = u64::from(self.block_frames);
        let rest_at_downbeat = self.rest_at_downbeat;
        spans.into_iter().flat_map(move |span| {
            let mut blocks = Vec::new();
            let mut frame = span.first_frame;
            while frame < span.end_frame {
                let end = span.end_frame.min(frame + block_frames);
                let mut block = Block {
                    first_frame: frame,
                    n_frames: u32::try_from(end - frame).unwrap_or(self.block_frames),
                    beats: span.beats_at(frame),
                    tempo_bpm: span.tempo_bpm,
                    meter: span.meter,
                    measure_start_beats: span.measure_start(span.beats_at(frame)),
                    is_after_reset: span.is_after_reset && frame == span.first_frame,
                    is_playing: span.is_playing,
                    rest: Duration::ZERO,
                    inputs: Vec::new(),
                };
                let last_start = span.measure_start(span.beats_at(end - 1));
                if span.is_playing && last_start > block.beats - 1e-6 {
                    block.rest = rest_at_downbeat;
                }
                while let Some((at, kind)) = inputs.next_if(|(at, _)| *at < end) {
                    let offset = u32::try_from(at - frame).unwrap_or_default();
                    block.inputs.push(Input { offset, kind });
                }
                blocks.push(block);
                frame = end;
            }
            blocks
        })
    }

    /// The stretches between breaks in the transport.
    fn spans(&self) -> Vec<TransportSpan> {
        let mut span = TransportSpan {
            first_frame: 0,
            end_frame: self.n_frames,
            beats: self.start_beats,
            tempo_bpm: self.tempo_bpm,
            beat_frames: self.sample_rate_hz * 60.0 / self.tempo_bpm,
            meter: self.meter,
            counted_from: 0.0,
            is_playing: true,
            is_after_reset: false,
        };
        let mut spans = Vec::new();
        for &TimedAction { frame, action } in &self.actions {
            let mut next = TransportSpan {
                first_frame: frame,
                beats: span.beats_at(frame),
                is_after_reset: false,
                ..span
            };
            match action {
                Action::Set(..) => continue,
                Action::Play => next.is_playing = true,
                Action::Stop => next.is_playing = false,
                Action::Jump(beats) => next.beats = beats,
                Action::Meter(meter) => {
                    next.meter = meter;
                    next.counted_from = next.beats;
                }
                Action::Reset => next.is_after_reset = true,
                Action::Tempo(bpm) => {
                    next.tempo_bpm = bpm;
                    next.beat_frames = self.sample_rate_hz * 60.0 / bpm;
                }
            }
            span.end_frame = frame;
            spans.push(span);
            span = next;
        }
        spans.push(span);
        spans
    }

    /// Notes and parameters by frame: the bass plays while the transport rolls, and releases its notes at breaks.
    fn inputs(&self, spans: &[TransportSpan]) -> Vec<(u64, InputKind)> {
        let mut inputs: Vec<_> = self
            .actions
            .iter()
            .filter_map(|&TimedAction { frame, action }| match action {
                Action::Set(name, value) => Some((frame, InputKind::Set { name, value })),
                _ => None,
            })
            .collect();
        for span in spans.iter().filter(|span| span.is_playing) {
            for note in &self.bass {
                let on = span.frame_at(note.beats);
                if note.beats < span.beats || on >= span.end_frame {
                    continue;
                }
                let off = span
                    .frame_at(note.beats + note.length_beats)
                    .min(span.end_frame);
                inputs.push((on, InputKind::NoteOn { key: note.key }));
                inputs.push((off, InputKind::NoteOff { key: note.key }));
            }
        }
        inputs.sort_by_key(|(frame, kind)| (*frame, kind.rank()));
        inputs
    }
}

/// A bass line of eighths and syncopations over four roots, one measure of 4/4 each.
fn bass_line(n_beats: u32) -> Vec<BassNote> {
    const ROOTS: [u8; 4] = [33, 36, 31, 38];
    // Onsets in a measure, in beats, with intervals above the root.
    const FIGURE: [(f64, u8); 6] = [
        (0.0, 0),
        (0.75, 0),
        (1.5, 12),
        (2.0, 0),
        (2.75, 7),
        (3.5, 10),
    ];
    (0..n_beats.div_ceil(4))
        .zip(ROOTS.into_iter().cycle())
        .flat_map(|(measure, root)| {
            FIGURE.map(|(beats, interval)| BassNote {
                beats: f64::from(measure) * 4.0 + beats,
                length_beats: 0.4,
                key: root + interval,
            })
        })
        .collect()
}

/// A stretch of transport without a break.
#[derive(Clone, Copy, Debug)]
struct TransportSpan {
    first_frame: u64,
    end_frame: u64,
    beats: f64,
    tempo_bpm: f64,
    beat_frames: f64,
    meter: (u16, u16),
    /// The start of a measure in this meter, in quarter notes.
    counted_from: f64,
    is_playing: bool,
    is_after_reset: bool,
}

impl TransportSpan {
    fn beats_at(&self, frame: u64) -> f64 {
        if self.is_playing {
            self.beats + (frame - self.first_frame) as f64 / self.beat_frames
        } else {
            self.beats
        }
    }

    /// The start of the measure around a position; a rounding error before a downbeat counts as on it.
    fn measure_start(&self, beats: f64) -> f64 {
        let (numerator, denominator) = self.meter;
        let length = f64::from(numerator) * 4.0 / f64::from(denominator);
        self.counted_from + ((beats - self.counted_from) / length + 1e-9).floor() * length
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a stage is far shorter than 2^53 frames, and a float below 0 becomes 0"
    )]
    fn frame_at(&self, beats: f64) -> u64 {
        self.first_frame + ((beats - self.beats) * self.beat_frames).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_tile_the_stage_and_hold_every_input() {
        let stage = Stage::default().at(Stage::MEASURE_FRAMES + 5, Action::Jump(12.0));
        let all = |block_frames| {
            let mut next = 0;
            let mut inputs = Vec::new();
            for block in stage.clone().in_blocks_of(block_frames).blocks() {
                assert_eq!(block.first_frame, next);
                next += u64::from(block.n_frames);
                for input in block.inputs {
                    assert!(input.offset < block.n_frames);
                    inputs.push(format!(
                        "{} {:?}",
                        block.first_frame + u64::from(input.offset),
                        input.kind
                    ));
                }
            }
            assert_eq!(next, stage.n_frames);
            inputs
        };
        assert!(!all(64).is_empty());
        assert_eq!(all(1), all(1024));
    }

    #[test]
    fn a_step_of_the_usual_stage_is_a_whole_number_of_frames() {
        let stage = Stage::default();
        assert!((stage.beats_at(Stage::MEASURE_FRAMES) - 4.0).abs() < 1e-9);
        assert!(stage.frames_off_grid(7 * Stage::STEP_FRAMES) < 1e-6);
        assert!((stage.frames_off_grid(7 * Stage::STEP_FRAMES + 3) - 3.0).abs() < 1e-6);
    }
}
