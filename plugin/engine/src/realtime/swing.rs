//! How the bass swings: what was heard of it in past measures and in the one being played, and what counts.
//!
//! What counts changes only where a beat ends, so that a step never moves while its cell is open: the next step to come is a
//! beat, which no swing delays. It lasts as long as the playback, through loops, jumps, rests and changes of tempo, until the
//! bass says otherwise; a new playback starts straight.
//!
//! Audio thread.

use arrayvec::ArrayVec;
use lockstep_core::representation::{MeasureEvidence, Meter, Swing, SwingEar, SwingOnset};

/// Most onsets of a measure that are listened to; there are more only in noise.
const MAX_ONSETS: usize = 64;

/// By how much another kind of swing must be likelier to replace the one that counts, as a natural logarithm.
const MARGIN: f32 = 2.0;

/// A swing of the same kind comes this much nearer to what was heard with each measure.
const APPROACH: f32 = 0.5;

/// Places and amounts are rounded to this part of a step: hosts differ in the digits beyond, and the drums must not.
const PARTS: f32 = 1024.0;

/// The swing of the bass.
#[derive(Clone, Debug)]
pub(super) struct BassSwing {
    /// What past measures say.
    past: SwingEar,
    /// The onsets of the measure being played, in steps since its start.
    onsets: ArrayVec<SwingOnset, MAX_ONSETS>,
    tempo_bpm: f32,
    /// The swing that counts.
    counts: Swing,
}

impl BassSwing {
    /// Nothing heard.
    pub(super) fn new() -> Self {
        Self {
            past: SwingEar::new(),
            onsets: ArrayVec::new(),
            tempo_bpm: 120.0,
            counts: Swing::STRAIGHT,
        }
    }

    /// The swing that counts.
    pub(super) fn now(&self) -> Swing {
        self.counts
    }

    /// A note began at a place of the measure being played.
    pub(super) fn hear(&mut self, place: f64, velocity: f32, step_s: f64) {
        let place = (place * f64::from(PARTS)).round() / f64::from(PARTS);
        self.tempo_bpm = tempo(step_s);
        // Moved earlier for late hands, it may come before the one heard last.
        let n_before = self.onsets.iter().filter(|onset| onset.place <= place);
        let n_before = n_before.count();
        let _ = self
            .onsets
            .try_insert(n_before, SwingOnset::new(place, velocity));
    }

    /// The last note heard was on the way to another one.
    pub(super) fn take_back(&mut self) {
        self.onsets.pop();
    }

    /// A beat ends. Returns whether another kind of swing counts from here on.
    pub(super) fn end_beat(&mut self, meter: Meter) -> bool {
        let heard = self.past.swing(&self.evidence(meter));
        let is_other = kind(heard.swing) != kind(self.counts);
        if is_other && heard.certainty >= MARGIN {
            self.counts = rounded(heard.swing);
            return true;
        }
        false
    }

    /// A measure ends, and with it its last beat.
    pub(super) fn end_measure(&mut self, meter: Meter) {
        let evidence = self.evidence(meter);
        let heard = self.past.swing(&evidence).swing;
        if kind(heard) == kind(self.counts) {
            let nearer = |from: f32, to: f32| from + APPROACH * (to - from);
            self.counts = rounded(Swing::new(
                nearer(self.counts.eighths(), heard.eighths()),
                nearer(self.counts.sixteenths(), heard.sixteenths()),
            ));
        }
        self.past.pass(&evidence);
        self.onsets.clear();
    }

    fn evidence(&self, meter: Meter) -> MeasureEvidence {
        MeasureEvidence::of(&self.onsets, meter, self.tempo_bpm)
    }
}

/// Which off-beats swing.
fn kind(swing: Swing) -> (bool, bool) {
    (swing.eighths() > 0.0, swing.sixteenths() > 0.0)
}

fn rounded(swing: Swing) -> Swing {
    let round = |amount: f32| (amount * PARTS).round() / PARTS;
    Swing::new(round(swing.eighths()), round(swing.sixteenths()))
}

/// Tempo in BPM, rounded to a hundredth.
#[expect(
    clippy::cast_possible_truncation,
    reason = "an f32 is precise enough for a tempo"
)]
fn tempo(step_s: f64) -> f32 {
    ((1500.0 / step_s).round() / 100.0) as f32
}
