//! Which drum notes sound, and when each must end: every note-on gets its note-off.

use lockstep_core::representation::{N_VOICES, Voice};

use super::block::{DrumEvent, DrumEventKind, DrumEvents, FrameOffset};
use super::drum_map::{DrumKey, DrumMap};

/// Length of a drum note in milliseconds, unless the next one of its voice comes first.
const GATE_MS: f64 = 50.0;

/// A sounding note; frames are counted from the performer's first.
#[derive(Clone, Copy, Debug)]
struct Gate {
    on: u64,
    off: u64,
    key: DrumKey,
}

/// The sounding notes, at most one per voice.
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

    /// The next note-off, if it is due before the end of a block of `n_frames`.
    pub(super) fn next_off(&self, n_frames: u32) -> Option<(FrameOffset, Voice)> {
        let (voice, gate) = self.sounding().min_by_key(|(_, gate)| gate.off)?;
        let frame = u32::try_from(gate.off.saturating_sub(self.zero)).ok()?;
        (frame < n_frames).then_some((FrameOffset(frame), voice))
    }

    /// Strikes a voice, unless there is no room or it was already struck at this frame.
    pub(super) fn strike(&mut self, hit: Strike, out: &mut DrumEvents) -> Result<(), NotStruck> {
        let on = self.zero + u64::from(hit.frame.0);
        let key = hit.map.key(hit.voice);
        let is_struck =
            |(voice, gate): (Voice, Gate)| gate.on == on && (voice == hit.voice || gate.key == key);
        if self.sounding().any(is_struck) {
            return Err(NotStruck::Already);
        }
        // Room for this note's two events and for the note-off of every sounding note.
        if out.remaining_capacity() < self.sounding().count() + 2 {
            return Err(NotStruck::NoRoom);
        }
        for (voice, gate) in Voice::ALL.map(|voice| (voice, self.gate(voice))) {
            let Some(gate) = gate.filter(|gate| gate.on < on) else {
                continue;
            };
            // The same drum, another one on the same key, or an open hat that is closed.
            let closes = matches!(hit.voice, Voice::ClosedHat | Voice::PedalHat);
            let is_choked = hit.map.chokes && closes && voice == Voice::OpenHat;
            if voice == hit.voice || gate.key == key || is_choked {
                self.end(voice, hit.frame, out);
            }
        }
        put(
            DrumEvent {
                frame: hit.frame,
                voice: hit.voice,
                key,
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
                key,
            });
        }
        Ok(())
    }

    /// Ends a voice if it sounds.
    pub(super) fn end(&mut self, voice: Voice, frame: FrameOffset, out: &mut DrumEvents) {
        if let Some(Gate { key, .. }) = self.gates.get_mut(voice.index()).and_then(Option::take) {
            let kind = DrumEventKind::Off;
            let event = DrumEvent {
                frame,
                voice,
                key,
                kind,
            };
            put(event, out);
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
    pub(super) map: DrumMap,
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

/// Appends an event, a note-off before the note-ons of its frame. Events must come in time order.
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

    /// Strikes voices at frames, each with its map, then ends every note. Returns what was sent as (frame, note, is on).
    fn strike(hits: &[(u32, Voice, DrumMap)]) -> Vec<(u32, u8, bool)> {
        let mut gates = Gates::default();
        let mut out = DrumEvents::new();
        for (frame, voice, map) in hits {
            let strike = Strike {
                frame: FrameOffset(*frame),
                voice: *voice,
                velocity: 1.0,
                map: *map,
                sample_rate_hz: 48_000.0,
            };
            let _ = gates.strike(strike, &mut out);
        }
        gates.end_all(FrameOffset(99), &mut out);
        let sent = |event: &DrumEvent| {
            let is_on = event.kind != DrumEventKind::Off;
            (event.frame.0, event.key.note, is_on)
        };
        out.iter().map(sent).collect()
    }

    #[test]
    fn a_note_ends_on_the_key_that_it_began_on() {
        let gm = DrumMap::default();
        let other = DrumMap::of_notes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
        let sent = strike(&[(0, Voice::Kick, gm), (5, Voice::Kick, other)]);
        let expected = [(0, 36, true), (5, 36, false), (5, 1, true), (99, 1, false)];
        assert_eq!(sent, expected);
    }

    #[test]
    fn two_voices_on_one_key_take_turns() {
        let map = DrumMap::of_notes([1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 11, 12, 13, 14]);
        let hits = [
            (0, Voice::MidTom, map),
            (5, Voice::HighTom, map),
            (5, Voice::MidTom, map),
        ];
        let expected = [(0, 9, true), (5, 9, false), (5, 9, true), (99, 9, false)];
        assert_eq!(strike(&hits), expected);
    }

    #[test]
    fn a_closed_or_pedal_hat_ends_an_open_one_unless_the_map_says_otherwise() {
        let gm = DrumMap::default();
        let mut free = gm;
        free.chokes = false;
        for (voice, note) in [(Voice::ClosedHat, 42), (Voice::PedalHat, 44)] {
            let hits = |map| strike(&[(0, Voice::OpenHat, map), (5, voice, map)]);
            let (on, off) = ((5, note, true), (99, note, false));
            assert_eq!(hits(gm), [(0, 46, true), (5, 46, false), on, off]);
            assert_eq!(hits(free), [(0, 46, true), on, off, (99, 46, false)]);
        }
    }

    #[test]
    fn the_foot_does_not_end_a_closed_hat() {
        let gm = DrumMap::default();
        let sent = strike(&[(0, Voice::ClosedHat, gm), (5, Voice::PedalHat, gm)]);
        assert_eq!(sent[..2], [(0, 42, true), (5, 44, true)]);
    }

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
                    map: DrumMap::default(),
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
