//! Which drums sound, and when each must end: every note-on gets its note-off.

use super::block::{DrumEvent, DrumEventKind, DrumEvents, FrameOffset};
use lockstep_models::representation::{N_VOICES, Voice};

/// Length of a drum note in milliseconds, unless the next one of its voice comes first.
const GATE_MS: f64 = 50.0;

/// A note that sounds; frames are counted from the performer's own zero.
#[derive(Clone, Copy, Debug)]
struct Gate {
    on: u64,
    off: u64,
}

/// The sounding notes, at most one a voice.
#[derive(Clone, Debug, Default)]
pub(super) struct Gates {
    gates: [Option<Gate>; N_VOICES],
    /// Frames performed before the current block.
    zero: u64,
}

impl Gates {
    /// A block has passed.
    pub(super) fn pass(&mut self, n_frames: u32) {
        self.zero += u64::from(n_frames);
    }

    /// The note-off that is due next, if it is due before the end of a block of `n_frames`.
    pub(super) fn next_off(&self, n_frames: u32) -> Option<(FrameOffset, Voice)> {
        let (voice, gate) = self.sounding().min_by_key(|(_, gate)| gate.off)?;
        let frame = u32::try_from(gate.off.saturating_sub(self.zero)).ok()?;
        (frame < n_frames).then_some((FrameOffset(frame), voice))
    }

    /// Strikes a voice, unless there is no room for it or it was already struck at this very frame.
    pub(super) fn strike(&mut self, hit: Strike, out: &mut DrumEvents) -> Result<(), NotStruck> {
        let on = self.zero + u64::from(hit.frame.0);
        if self.gate(hit.voice).is_some_and(|gate| gate.on == on) {
            return Err(NotStruck::Already);
        }
        // Room for this note's two events and for the note-off of all that sounds.
        if out.remaining_capacity() < self.sounding().count() + 2 {
            return Err(NotStruck::NoRoom);
        }
        self.end(hit.voice, hit.frame, out);
        put(
            DrumEvent {
                frame: hit.frame,
                voice: hit.voice,
                kind: DrumEventKind::On {
                    velocity: hit.velocity,
                },
            },
            out,
        );
        if let Some(gate) = self.gates.get_mut(hit.voice.index()) {
            *gate = Some(Gate {
                on,
                off: on.saturating_add(gate_frames(hit.sample_rate_hz)),
            });
        }
        Ok(())
    }

    /// Ends a voice if it sounds.
    pub(super) fn end(&mut self, voice: Voice, frame: FrameOffset, out: &mut DrumEvents) {
        if self
            .gates
            .get_mut(voice.index())
            .and_then(Option::take)
            .is_some()
        {
            let kind = DrumEventKind::Off;
            put(DrumEvent { frame, voice, kind }, out);
        }
    }

    /// Ends everything that sounds.
    pub(super) fn end_all(&mut self, frame: FrameOffset, out: &mut DrumEvents) {
        for voice in Voice::ALL {
            self.end(voice, frame, out);
        }
    }

    fn sounding(&self) -> impl Iterator<Item = (Voice, Gate)> {
        Voice::ALL
            .into_iter()
            .filter_map(|voice| Some((voice, self.gate(voice)?)))
    }

    fn gate(&self, voice: Voice) -> Option<Gate> {
        self.gates.get(voice.index()).copied().flatten()
    }
}

/// A drum to be struck.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strike {
    pub(super) frame: FrameOffset,
    pub(super) voice: Voice,
    pub(super) velocity: f32,
    pub(super) sample_rate_hz: f64,
}

/// Why a drum was not struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotStruck {
    /// It was struck at the same frame.
    Already,
    /// The block is full.
    NoRoom,
}

/// Appends an event, a note-off before the note-ons of its frame. Events come in time order.
fn put(event: DrumEvent, out: &mut DrumEvents) {
    let is_off = event.kind == DrumEventKind::Off;
    let n_after = out
        .iter()
        .rev()
        .take_while(|e| is_off && e.frame == event.frame && e.kind != DrumEventKind::Off)
        .count();
    // `strike` leaves room for every note-off, so this does not fail.
    let _ = out.try_insert(out.len() - n_after, event);
}

/// Length of a drum note, at least one frame.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-int cast saturates; sample rates are finite and positive"
)]
fn gate_frames(sample_rate_hz: f64) -> u64 {
    ((sample_rate_hz * GATE_MS / 1000.0).round() as u64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_block_drops_note_ons_and_never_note_offs() {
        let mut gates = Gates::default();
        let mut out = DrumEvents::new();
        let mut n_dropped = 0;
        for frame in 0..2000 {
            for voice in Voice::ALL {
                let strike = Strike {
                    frame: FrameOffset(frame),
                    voice,
                    velocity: 1.0,
                    sample_rate_hz: 48_000.0,
                };
                n_dropped += u32::from(gates.strike(strike, &mut out) == Err(NotStruck::NoRoom));
            }
        }
        gates.end_all(FrameOffset(2000), &mut out);
        let n_offs = out.iter().filter(|e| e.kind == DrumEventKind::Off).count();
        assert!(n_dropped > 0);
        assert_eq!(n_offs * 2, out.len());
        assert!(out.is_sorted_by_key(|e| (e.frame, e.kind != DrumEventKind::Off)));
    }
}
