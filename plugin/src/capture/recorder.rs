//! The audio thread's end: records bass and drums on the tape.
//!
//! Never allocates, locks, waits, logs or does I/O.
#![deny(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lockstep_core::representation::Position;
use lockstep_engine::channel::TapeWriter;
use lockstep_engine::realtime::{BassEventKind, Block, Button, DrumEvent, FrameOffset, Passage};
use lockstep_engine::synth::KitChoice;

use super::{CaptureState, N_RESERVED, Record, RecordKind};

/// Writes to the tape.
#[derive(Debug)]
pub struct Recorder {
    records: TapeWriter<Record>,
    state: Arc<CaptureState>,
    /// The tempo that was recorded last.
    tempo_bpm: f32,
    /// Where playing has got to, in played beats.
    pub(super) now: Position,
    save: Button,
}

impl Recorder {
    pub(super) fn new(records: TapeWriter<Record>, state: Arc<CaptureState>) -> Self {
        Self {
            records,
            state,
            tempo_bpm: 0.0,
            now: Position::START,
            save: Button::default(),
        }
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
    #[cfg(test)]
    pub(super) fn n_lost(&self) -> u32 {
        self.records.n_lost()
    }

    fn put(&mut self, place: Position, kind: RecordKind) {
        self.records.put_leaving(N_RESERVED, Record { place, kind });
    }
}
