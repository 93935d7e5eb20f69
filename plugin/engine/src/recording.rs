//! Records what is played on a tape, from which another thread saves it: bass, drums, measures and tempos.
//!
//! The [`Recorder`] is the audio thread's end, the [`RecordReader`] the other. Records that find no room are counted as lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use lockstep_core::representation::{Position, Voice};

use crate::channel::{TapeReader, TapeWriter, tape};
use crate::realtime::{
    BassEventKind, Block, Button, DrumEvent, DrumEventKind, FrameOffset, Mark, Passage,
};
use crate::synth::KitChoice;

/// Capacity of the tape, in records: more than a minute of dense playing.
const N_RECORDS: usize = 4096;

/// Slots that only a request to save may use: however full the tape is, the player can save.
const N_RESERVED: usize = 16;

/// An event, and where it happened in played time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// Where, in beats played so far.
    pub place: Position,
    /// The event.
    pub kind: RecordKind,
}

/// A recorded event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RecordKind {
    /// A measure began.
    Mark(Mark),
    /// The tempo changed to this, in BPM.
    Tempo(f32),
    /// A bass event.
    Bass(BassEventKind),
    /// A drum event.
    Drum(Voice, DrumEventKind),
    /// The player asks to save what was played up to here.
    Save,
}

/// What is read beside the records.
#[derive(Debug, Default)]
struct RecordingState {
    /// Where playing has got to, in played beats, as [`Position::to_bits`]. Everything before is already on the tape.
    now: AtomicU64,
    /// Index of the current kit in [`KitChoice::ALL`].
    kit: AtomicU8,
}

/// Makes the two ends: the audio thread's and the reader's.
///
/// # Realtime safety
/// Allocates the channel, once.
pub fn recording() -> (Recorder, RecordReader) {
    let (writer, records) = tape(N_RECORDS);
    let state = Arc::<RecordingState>::default();
    let recorder = Recorder::new(writer, Arc::clone(&state));
    (recorder, RecordReader { records, state })
}

/// Reads the tape.
#[derive(Debug)]
pub struct RecordReader {
    records: TapeReader<Record>,
    state: Arc<RecordingState>,
}

impl RecordReader {
    /// The next record.
    pub fn read(&mut self) -> Option<Record> {
        self.records.read()
    }

    /// Where playing has got to, in played beats; everything before is on the tape.
    pub fn now(&self) -> Position {
        Position::from_bits(self.state.now.load(Ordering::Acquire))
    }

    /// The current kit; the first one if the kit is off, so that a take always has drums.
    pub fn kit(&self) -> KitChoice {
        let place = usize::from(self.state.kit.load(Ordering::Relaxed));
        let kit = KitChoice::ALL.get(place).copied().unwrap_or_default();
        if kit == KitChoice::Off {
            KitChoice::default()
        } else {
            kit
        }
    }

    /// Number of records lost since the last call.
    pub fn n_lost(&self) -> u32 {
        self.records.take_lost()
    }
}

/// Writes to the tape.
#[derive(Debug)]
pub struct Recorder {
    records: TapeWriter<Record>,
    state: Arc<RecordingState>,
    /// The tempo that was recorded last.
    tempo_bpm: f32,
    /// Where playing has got to, in played beats.
    now: Position,
    save: Button,
}

impl Recorder {
    fn new(records: TapeWriter<Record>, state: Arc<RecordingState>) -> Self {
        Self {
            records,
            state,
            tempo_bpm: 0.0,
            now: Position::START,
            save: Button::default(),
        }
    }

    /// Where playing has got to, in played beats.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn now(&self) -> Position {
        self.now
    }

    /// Records a performed block: its bass, drums and measures. Records that find no room are counted as lost.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn record(&mut self, block: &Block<'_>, passage: &Passage, drums: &[DrumEvent]) {
        let Some(last) = block.n_frames.checked_sub(1) else {
            return;
        };
        self.now = passage.end();
        for mark in passage.marks() {
            self.put(mark.place, RecordKind::Mark(*mark));
        }
        let tempo_bpm = passage.tempo_bpm();
        if let Some(tempo_bpm) = tempo_bpm.filter(|bpm| bpm.to_bits() != self.tempo_bpm.to_bits()) {
            self.tempo_bpm = tempo_bpm;
            self.put(
                passage.place_of(FrameOffset(0)),
                RecordKind::Tempo(tempo_bpm),
            );
        }
        for event in block.bass {
            // Bass notes while the clock is stopped are not recorded.
            if tempo_bpm.is_none() && matches!(event.kind, BassEventKind::On { .. }) {
                continue;
            }
            let place = passage.place_of(event.frame.min(FrameOffset(last)));
            self.put(place, RecordKind::Bass(event.kind));
        }
        for event in drums {
            let place = passage.place_of(event.frame);
            self.put(place, RecordKind::Drum(event.voice, event.kind));
        }
        self.state.now.store(self.now.to_bits(), Ordering::Release);
    }

    /// Sets the current kit, with which takes are rendered.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn set_kit(&self, kit: KitChoice) {
        let place = KitChoice::ALL.iter().position(|choice| *choice == kit);
        let place = place.and_then(|place| u8::try_from(place).ok());
        self.state
            .kit
            .store(place.unwrap_or_default(), Ordering::Relaxed);
    }

    /// Passes the state of the save button: saves whenever it goes down. The first call never saves.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn hold_save(&mut self, is_down: bool) {
        if self.save.is_pressed(is_down) {
            self.save();
        }
    }

    /// Requests to save what has been played up to now.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn save(&mut self) {
        let record = Record {
            place: self.now,
            kind: RecordKind::Save,
        };
        self.records.put(record);
    }

    /// Records lost since the archive last asked.
    pub fn n_lost(&self) -> u32 {
        self.records.n_lost()
    }

    fn put(&mut self, place: Position, kind: RecordKind) {
        self.records.put_leaving(N_RESERVED, Record { place, kind });
    }
}
