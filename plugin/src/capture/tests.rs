//! Saving what was just played.

mod exporting;
mod leaving;
mod taking;
mod writing;

use std::sync::Arc;

use lockstep_core::generator::{Generator as _, PredictError, Request};
use lockstep_core::representation::{Meter, Plan, Position};
use lockstep_core::rule::RuleGroove;
use lockstep_engine::realtime::{
    BassEvent, BassEventKind, Block, Controls, DrumEvent, DrumEventKind, DrumEvents, FrameOffset,
    Performer, Transport,
};
use lockstep_engine::recording::{Record, RecordKind, RecordReader, Recorder, recording};
use lockstep_engine::synth::KitChoice;
use lockstep_files::midi_file::{PPQ, Song};
use lockstep_offline::OnDemand;

use super::recent_measures::RecentMeasures;
use super::writer::Job;
use super::*;

const RATE_HZ: f64 = 48_000.0;

/// A plan by rule.
type Rule = OnDemand<fn(&Request) -> Result<Plan, PredictError>>;

/// A stretch of host time without a jump.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// Where it begins, in beats; `None` without a transport.
    from: Option<f64>,
    n_beats: f64,
    tempo_bpm: f64,
    meter: Meter,
    is_playing: bool,
}

impl Stretch {
    fn rolling(from: f64, n_beats: f64) -> Self {
        Self {
            from: Some(from),
            n_beats,
            tempo_bpm: 120.0,
            meter: Meter::COMMON,
            is_playing: true,
        }
    }
}

/// The start of a note: tick, key, velocity.
type NoteStart = (i64, u8, u8);

/// An instance that plays, and what its files must contain, derived by counting frames independently of the performer.
struct Instance {
    performer: Performer,
    plans: Rule,
    controls: Controls,
    recorder: Recorder,
    out: DrumEvents,
    block_frames: u32,
    /// All drum events of all blocks.
    struck: Vec<DrumEvent>,
    bass: Vec<NoteStart>,
    drums: Vec<NoteStart>,
    /// Played beats before the stretch.
    played: f64,
}

impl Instance {
    fn new(block_frames: u32) -> (Self, RecordReader) {
        let (recorder, tape) = recording();
        let instance = Self {
            performer: Performer::new(),
            plans: OnDemand::new(|request| RuleGroove.plan(request)),
            controls: Controls::default(),
            recorder,
            out: DrumEvents::new(),
            block_frames,
            struck: Vec::new(),
            bass: Vec::new(),
            drums: Vec::new(),
            played: 0.0,
        };
        (instance, tape)
    }

    /// Plays a stretch with a bass note on two of every three sixteenths, an eighth of a step late. Calls `each` after every
    /// block.
    fn play(&mut self, stretch: Stretch, mut each: impl FnMut(&mut Self)) {
        let beats_per_frame = stretch.tempo_bpm / 60.0 / RATE_HZ;
        let n_frames = whole(stretch.n_beats / beats_per_frame);
        let mut now = 0;
        while now < n_frames {
            let length = u64::from(self.block_frames).min(n_frames - now);
            let at = now as f64 * beats_per_frame;
            let bass = if stretch.is_playing {
                line(now, length, beats_per_frame)
            } else {
                Vec::new()
            };
            let position = stretch.from.map(|from| from + at);
            let block = Block {
                n_frames: u32::try_from(length).unwrap_or_default(),
                sample_rate_hz: RATE_HZ,
                transport: position.map(|position| Transport {
                    is_playing: stretch.is_playing,
                    tempo_bpm: Some(stretch.tempo_bpm),
                    position: Position::at(position),
                    measure_start: stretch.from.map(|from| {
                        let length = stretch.meter.length().beats();
                        let origin = if stretch.meter == Meter::COMMON {
                            0.0
                        } else {
                            from
                        };
                        Position::at(
                            ((position - origin + 1e-9) / length).floor() * length + origin,
                        )
                    }),
                    meter: Some(stretch.meter),
                }),
                bass: &bass,
            };
            self.performer
                .perform(&block, &self.controls, &mut self.plans, &mut self.out);
            self.recorder
                .record(&block, self.performer.passage(), &self.out);
            let tick = |frame: FrameOffset| {
                let beats = self.played + (now + u64::from(frame.0)) as f64 * beats_per_frame;
                ticks(beats)
            };
            for event in &bass {
                if let BassEventKind::On { key, velocity } = event.kind {
                    self.bass.push((tick(event.frame), key, midi(velocity)));
                }
            }
            for event in &self.out {
                if let DrumEventKind::On { velocity } = event.kind {
                    let key = event.voice.gm_note();
                    self.drums.push((tick(event.frame), key, midi(velocity)));
                }
            }
            self.struck.extend(&self.out);
            now += length;
            each(self);
        }
        if stretch.is_playing {
            self.played += stretch.n_beats;
        }
    }
}

/// The bass events of a block.
fn line(from: u64, length: u64, beats_per_frame: f64) -> Vec<BassEvent> {
    let mut events = Vec::new();
    let steps = whole(from as f64 * beats_per_frame * 4.0).saturating_sub(1)..;
    for step in steps {
        let on = whole((step as f64 + 0.125) / 4.0 / beats_per_frame);
        if on >= from + length {
            return events;
        }
        let key = 28 + u8::try_from(step % 3).unwrap_or_default();
        let off = on + 2000;
        let frame = |at: u64| FrameOffset(u32::try_from(at - from).unwrap_or_default());
        if step % 3 == 2 {
            continue;
        }
        if on >= from {
            let velocity = 0.5 + (step % 7) as f32 / 20.0;
            let kind = BassEventKind::On { key, velocity };
            let frame = frame(on);
            events.push(BassEvent { frame, kind });
        }
        if (from..from + length).contains(&off) {
            let kind = BassEventKind::Off { key };
            let frame = frame(off);
            events.push(BassEvent { frame, kind });
        }
    }
    events
}

/// Writes at once, on the calling thread.
#[expect(
    clippy::unnecessary_wraps,
    reason = "has the signature of a writer that may be busy"
)]
fn at_once(job: Job) -> Result<(), WriterBusy> {
    job();
    Ok(())
}

/// Reads a tape to its end. Returns how many records were lost.
fn take_in(tape: &mut RecordReader, recent: &mut RecentMeasures) -> u32 {
    while let Some(record) = tape.read() {
        recent.hold(&record);
    }
    tape.n_lost()
}

/// The note starts of a song's bass and drums.
fn begun(song: &Song) -> [Vec<NoteStart>; 2] {
    [&song.bass, &song.drums].map(|notes| {
        let mut begun: Vec<NoteStart> = notes
            .iter()
            .map(|note| (ticks(note.start.beats()), note.key, note.velocity))
            .collect();
        begun.sort_unstable();
        begun
    })
}

/// What the files must contain: all notes that began from `first` on, with times relative to it.
fn expected(instance: &Instance, first: f64) -> [Vec<NoteStart>; 2] {
    [&instance.bass, &instance.drums].map(|notes| {
        let first = ticks(first);
        let mut notes: Vec<NoteStart> = notes
            .iter()
            .filter(|note| note.0 >= first)
            .map(|&(tick, key, velocity)| (tick - first, key, velocity))
            .collect();
        notes.sort_unstable();
        notes
    })
}

#[allow(clippy::cast_possible_truncation, reason = "songs are short")]
fn ticks(beats: f64) -> i64 {
    (beats * f64::from(PPQ)).round() as i64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a song's frames"
)]
fn whole(x: f64) -> u64 {
    x.round().max(0.0) as u64
}

fn midi(velocity: f32) -> u8 {
    lockstep_core::representation::midi_velocity(velocity)
}
