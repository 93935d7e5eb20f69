//! Turns a MIDI song into measures on the step grid.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use lockstep_core::representation::{Length, Meter, Position, Voice};
use lockstep_files::midi_file::{Note, Song, TimeSignature};

use super::swung::{SwungMeasures, nearest_step};
use super::{BassNote, DrumHit, MeasureRecord, format};

/// Longest song, in measures; real songs have a hundredth of that.
const MAX_MEASURES: usize = 100_000;

/// How far from a step a meter may change, in steps: coarse files round by this much, so the bar line is still on the grid.
const BAR_LINE_SLACK: f64 = 0.125;

/// Least number of distinct drum velocities of a song with dynamics.
const DYNAMIC_VELOCITIES: usize = 10;

/// A song has timing if more than this share of its drum notes is off the grid.
const OFF_GRID_SHARE: f64 = 0.08;

/// How far off the grid a note must be to count: 10 ms at 120 BPM.
const OFF_GRID: Length = Length::of(0.02);

/// How a file's percussion keys map to voices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PercussionMap {
    /// [`Voice::from_gm_note`].
    #[default]
    GeneralMidi,
    /// [`Voice::from_td11_note`].
    RolandTd11,
}

impl PercussionMap {
    /// The voice of a key; `None` for other hand percussion and effects.
    pub fn voice(self, key: u8) -> Option<Voice> {
        match self {
            Self::GeneralMidi => Voice::from_gm_note(key),
            Self::RolandTd11 => Voice::from_td11_note(key),
        }
    }
}

/// Why a song cannot be put on the step grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    /// A meter whose measure is not a whole number of steps, or too long.
    #[error("meter off the step grid")]
    Meter,
    /// A meter that begins between two steps.
    #[error("bar line off the step grid")]
    BarLine,
    /// More measures than any song has.
    #[error("more than {MAX_MEASURES} measures")]
    TooLong,
    /// No note for any of the fourteen voices.
    #[error("no drums")]
    NoDrums,
}

/// The measures of a song, from the first beat of the file to its last note.
///
/// Each measure has the swing that its onsets show, and notes go to the nearest step of its swung grid; where nothing swings,
/// ties go to the even step. A note that rounds to the next measure's first step belongs to that measure and has a negative
/// offset. Of several hits of a voice at one step only the loudest is kept, and likewise of several bass notes of one key. A
/// measure that a meter change cuts short gets the meter of its real length, such as 13/16.
///
/// # Errors
/// [`RejectReason`].
pub fn measures(song: &Song, map: PercussionMap) -> Result<Vec<MeasureRecord>, RejectReason> {
    let drums: Vec<_> = song
        .drums
        .iter()
        .filter_map(|note| Some((note, map.voice(note.key)?)))
        .collect();
    if drums.is_empty() {
        return Err(RejectReason::NoDrums);
    }
    let bars = bars(song, n_steps(song, &drums))?;
    let swung = SwungMeasures::hear(&bars, song, &onsets(song, &drums));
    let mut hits = drums
        .iter()
        .map(|&(note, voice)| (swung.nearest(note.start), note, voice))
        .peekable();
    let mut basses = song
        .bass
        .iter()
        .map(|note| (swung.nearest(note.start), swung.nearest(note.end).0, note))
        .peekable();
    let mut measures = Vec::with_capacity(bars.len());
    for (idx, &(begin, meter)) in bars.iter().enumerate() {
        let end = begin + meter.n_steps();
        let mut measure = MeasureRecord {
            meter,
            tempo_bpm: format::tempo(song.tempo_at(Position::at_step(begin))),
            swing: swung.swing(idx),
            bass: Vec::new(),
            hits: Vec::new(),
        };
        while let Some(((step, offset), note, voice)) = hits.next_if(|hit| hit.0.0 < end) {
            measure.hits.push(DrumHit {
                step_idx: narrow(step - begin),
                voice: narrow(voice.index()),
                velocity: velocity(note),
                offset,
            });
        }
        while let Some(((step, offset), stop, note)) = basses.next_if(|note| note.0.0 < end) {
            let n_steps = u16::try_from(stop.saturating_sub(step).max(1)).unwrap_or(u16::MAX);
            let mut placed = BassNote::new(
                narrow(step - begin),
                note.key.min(127),
                velocity(note),
                n_steps,
            );
            placed.offset = offset;
            measure.bass.push(placed);
        }
        measure
            .hits
            .sort_by_key(|hit| (hit.step_idx, hit.voice, Reverse(hit.velocity)));
        measure.hits.dedup_by_key(|hit| (hit.step_idx, hit.voice));
        measure
            .bass
            .sort_by_key(|note| (note.step_idx, note.key, Reverse(note.velocity)));
        measure.bass.dedup_by_key(|note| (note.step_idx, note.key));
        measures.push(measure);
    }
    Ok(measures)
}

/// Steps to the end of the last note, if nothing swings; swing moves no note to a later step.
fn n_steps(song: &Song, drums: &[(&Note, Voice)]) -> usize {
    let of_bass = song.bass.iter().map(|note| {
        let after = nearest_step(note.start).0 + 1;
        nearest_step(note.end).0.max(after)
    });
    let of_drums = drums.iter().map(|(note, _)| nearest_step(note.start).0 + 1);
    of_bass.chain(of_drums).max().unwrap_or_default()
}

/// Where each note of bass and drums begins and its velocity, in time order.
fn onsets(song: &Song, drums: &[(&Note, Voice)]) -> Vec<(Position, u8)> {
    let drums = drums.iter().map(|(note, _)| *note);
    let mut onsets: Vec<_> = drums
        .chain(&song.bass)
        .map(|note| (note.start, velocity(note)))
        .collect();
    onsets.sort_by(|a, b| a.0.total_cmp(b.0));
    onsets
}

/// Whether the drums have at least ten distinct velocities.
pub fn has_dynamics(song: &Song) -> bool {
    let velocities: BTreeSet<u8> = song.drums.iter().map(|note| note.velocity).collect();
    velocities.len() >= DYNAMIC_VELOCITIES
}

/// Whether more than 8 % of the drum notes are off the grid of sixteenths and of their triplets.
pub fn has_timing(song: &Song) -> bool {
    let is_off = |note: &&Note| {
        [4.0, 6.0].iter().all(|grid| {
            let position = note.start.beats() * grid;
            Length::of((position - position.round()).abs() / grid) > OFF_GRID
        })
    };
    let n_off = song.drums.iter().filter(is_off).count();
    n_off as f64 > OFF_GRID_SHARE * song.drums.len() as f64
}

/// First step and meter of each measure, until they cover `n_steps`.
fn bars(song: &Song, n_steps: usize) -> Result<Vec<(usize, Meter)>, RejectReason> {
    let mut bars = Vec::new();
    let mut changes = changes(song, n_steps)?.into_iter().peekable();
    let (mut begin, mut signature) = (0, TimeSignature::COMMON);
    while begin < n_steps {
        while let Some(change) = changes.next_if(|change| change.0 <= begin) {
            signature = change.1;
        }
        let mut meter = signature.meter().ok_or(RejectReason::Meter)?;
        if let Some(&(next, _)) = changes.peek()
            && next < begin + meter.n_steps()
        {
            meter = cut_short(next - begin).ok_or(RejectReason::Meter)?;
        }
        if bars.len() == MAX_MEASURES {
            return Err(RejectReason::TooLong);
        }
        bars.push((begin, meter));
        begin += meter.n_steps();
    }
    Ok(bars)
}

/// The meter changes before `n_steps`; an event that repeats the current meter is not a change.
fn changes(song: &Song, n_steps: usize) -> Result<Vec<(usize, TimeSignature)>, RejectReason> {
    let mut changes: Vec<(usize, TimeSignature)> = Vec::new();
    for &(at, signature) in &song.meters {
        if changes.last().is_some_and(|last| last.1 == signature) {
            continue;
        }
        let (step, _) = nearest_step(at);
        if step >= n_steps {
            break;
        }
        if (at.steps() - step as f64).abs() > BAR_LINE_SLACK {
            return Err(RejectReason::BarLine);
        }
        changes.push((step, signature));
    }
    Ok(changes)
}

/// The simplest meter with `n_steps` steps.
fn cut_short(n_steps: usize) -> Option<Meter> {
    let n_steps = u8::try_from(n_steps).ok()?;
    match n_steps {
        n if n.is_multiple_of(4) => Meter::new(n / 4, 4),
        n if n.is_multiple_of(2) => Meter::new(n / 2, 8),
        n => Meter::new(n, 16),
    }
}

fn velocity(note: &Note) -> u8 {
    note.velocity.clamp(1, 127)
}

/// A step within a measure or a voice; both are far below 256.
fn narrow(index: usize) -> u8 {
    u8::try_from(index).unwrap_or(u8::MAX)
}
