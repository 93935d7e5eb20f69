//! Plays a MIDI file through the performer, offline: for `lockstep jam` and for measurements.
//!
//! The same engine as in a host, with a transport made from the file's tempos and meters. Predictions are made
//! synchronously, one per measure, at its downbeat.

mod grid;
mod on_demand;
mod sound;

pub use grid::{grid, grid_of};
pub use on_demand::OnDemand;
pub use sound::{mono_wav, render, wav, write_wav};

use std::time::Duration;

use lockstep_core::generator::{Generator, PredictError};
use lockstep_core::representation::midi_velocity;
use lockstep_core::representation::{Length, Position};
use lockstep_engine::realtime::{
    BassEvent, BassEventKind, Block, Controls, DrumEventKind, DrumEvents, FrameOffset, Performer,
    Tally, Transport,
};
use lockstep_files::midi_file::{Note, Song};

/// A bass line of the project's own, sixteen measures, licensed as the project is.
pub const EXAMPLE: &[u8] = include_bytes!("../assets/example-bass.mid");

/// The seed of the example's take: one of many drummers who would play to it.
pub const EXAMPLE_SEED: u32 = 1;

/// Sample rate of the offline engine and of the WAV.
pub const SAMPLE_RATE_HZ: u32 = 48_000;

/// Longest block.
const MAX_BLOCK_FRAMES: u64 = 512;

/// The result of a jam.
#[derive(Debug)]
pub struct Take {
    /// The song, its drums replaced by those that were played.
    pub song: Song,
    /// Where the drums of each measure came from.
    pub tally: Tally,
    /// How long each prediction took, in order.
    pub predictions: Vec<Duration>,
    /// The first failed prediction; the performer fell back to other drums.
    pub failure: Option<PredictError>,
}

/// Plays drums to a song's bass.
///
/// ```
/// use lockstep_core::rule::RuleGroove;
/// use lockstep_engine::realtime::Controls;
/// use lockstep_files::midi_file::{self, Pick};
///
/// let song = midi_file::read(lockstep_offline::EXAMPLE, Pick::default())?;
/// let take = lockstep_offline::play(&song, &Controls::default(), &mut RuleGroove);
/// assert!(!take.song.drums.is_empty());
/// println!("{}", lockstep_offline::grid(&take.song));
/// # Ok::<(), midi_file::MidiFileError>(())
/// ```
pub fn play(song: &Song, controls: &Controls, generator: &mut dyn Generator) -> Take {
    let mut host = Host::new(song);
    let mut performer = Performer::new();
    let mut plans = OnDemand::new(|request| generator.plan(request));
    let mut out = DrumEvents::new();
    let mut drums = Vec::new();
    let mut sounding: Vec<Note> = Vec::new();
    while let Some((start, block)) = host.next_block() {
        performer.perform(&block, controls, &mut plans, &mut out);
        for event in &out {
            let at = song
                .position_at((start + u64::from(event.frame.0)) as f64 / f64::from(SAMPLE_RATE_HZ));
            let key = event.voice.gm_note();
            match event.kind {
                DrumEventKind::On { velocity } => sounding.push(Note {
                    start: at,
                    end: at,
                    key,
                    velocity: midi_velocity(velocity),
                }),
                DrumEventKind::Off => {
                    if let Some(i) = sounding.iter().position(|note| note.key == key) {
                        let note = sounding.swap_remove(i);
                        drums.push(Note { end: at, ..note });
                    }
                }
            }
        }
    }
    drums.sort_by(|a, b| a.start.total_cmp(b.start).then(a.key.cmp(&b.key)));
    let ends = drums.iter().map(|note| note.end);
    let end = ends.fold(song.end, Position::max);
    Take {
        song: Song {
            drums,
            end,
            ..song.clone()
        },
        tally: performer.tally(),
        predictions: plans.predictions,
        failure: plans.failure,
    }
}

/// Start and length of the measure around a position, by the song's meters.
///
/// A measure begins at every change of meter, and wherever the one before it ends.
fn measure_at(song: &Song, at: Position) -> (Position, Length) {
    let n_begun = song.meters.partition_point(|(begin, _)| *begin <= at);
    let begin = song
        .meters
        .get(n_begun.saturating_sub(1))
        .map_or(Position::START, |change| change.0);
    let length = song.meter_at(at).unwrap_or_default().length();
    let n_measures = ((at - begin) / length + 1e-9).floor();
    (begin + length * n_measures, length)
}

/// A host that plays a song once, from its first beat to the end of its last measure with bass, and then stops.
struct Host<'a> {
    song: &'a Song,
    /// Bass events at absolute frames, note-offs before note-ons.
    events: Vec<(u64, BassEventKind)>,
    n_sent: usize,
    /// Frames at which tempo or meter change: a block ends there.
    changes: Vec<u64>,
    /// The current block's events.
    bass: Vec<BassEvent>,
    now: u64,
    end: u64,
    has_stopped: bool,
}

impl<'a> Host<'a> {
    fn new(song: &'a Song) -> Self {
        let frame = |at: Position| frames(song.seconds_at(at), SAMPLE_RATE_HZ);
        let mut events = Vec::new();
        for note in &song.bass {
            let (on, off) = (frame(note.start), frame(note.end));
            let begin = BassEventKind::On {
                key: note.key,
                velocity: f32::from(note.velocity) / 127.0,
            };
            events.push((on, begin));
            events.push((off.max(on + 1), BassEventKind::Off { key: note.key }));
        }
        events.sort_by_key(|(frame, kind)| (*frame, matches!(kind, BassEventKind::On { .. })));
        let mut changes: Vec<u64> = song.tempos.iter().map(|(at, _)| frame(*at)).collect();
        changes.extend(song.meters.iter().map(|(at, _)| frame(*at)));
        changes.sort_unstable();
        let last_onset = song
            .bass
            .iter()
            .map(|note| note.start)
            .fold(Position::START, Position::max);
        let (start, length) = measure_at(song, last_onset);
        Self {
            song,
            events,
            n_sent: 0,
            changes,
            bass: Vec::new(),
            now: 0,
            end: frame(start + length),
            has_stopped: false,
        }
    }

    /// The next block and the frame it starts at; in the last one the transport is stopped.
    fn next_block(&mut self) -> Option<(u64, Block<'_>)> {
        if self.has_stopped {
            return None;
        }
        let start = self.now;
        self.has_stopped = start >= self.end;
        let next_change = self.changes.partition_point(|change| *change <= start);
        let limit = self.changes.get(next_change).copied().unwrap_or(u64::MAX);
        let n_frames = MAX_BLOCK_FRAMES.min(limit - start);
        let n_frames = if self.has_stopped {
            n_frames
        } else {
            n_frames.min(self.end - start)
        };
        self.now += n_frames;
        self.bass.clear();
        while let Some((frame, kind)) = self
            .events
            .get(self.n_sent)
            .filter(|(frame, _)| *frame < self.now)
        {
            self.bass.push(BassEvent {
                frame: FrameOffset(u32::try_from(frame - start).unwrap_or_default()),
                kind: *kind,
            });
            self.n_sent += 1;
        }
        let position = self
            .song
            .position_at(start as f64 / f64::from(SAMPLE_RATE_HZ));
        // A change at the block's first frame counts, whatever the rounding.
        let soon = position + Length::of(1e-9);
        let block = Block {
            n_frames: u32::try_from(n_frames).unwrap_or_default(),
            sample_rate_hz: f64::from(SAMPLE_RATE_HZ),
            transport: Some(Transport {
                is_playing: !self.has_stopped,
                tempo_bpm: Some(self.song.tempo_at(soon)),
                position,
                measure_start: Some(measure_at(self.song, position).0),
                meter: self.song.meter_at(soon),
            }),
            bass: &self.bass,
        };
        Some((start, block))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a song lasts at most a day and no position is negative"
)]
fn frames(seconds: f64, rate_hz: u32) -> u64 {
    (seconds * f64::from(rate_hz)).round() as u64
}
