//! Converts between MIDI bytes and the app's messages. Audio thread: never allocates.

use arrayvec::ArrayVec;
use nice_plug::midi::{Channel, Key, MidiResult, VoiceID};
use nice_plug::prelude::NoteEvent;

use super::midi_clock::ClockMessage;

/// Most messages per block, in each direction. A MIDI cable carries about one per millisecond, and a block is rarely longer
/// than a fifth of a second; software may be faster.
pub(crate) const MAX_MESSAGES: usize = 2048;

/// An incoming message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum MidiMessage {
    /// A note begins or ends, all notes end, or the pitch wheel moves.
    Note(NoteEvent<()>),
    /// A controller was moved.
    Controller {
        /// Counted from 0.
        channel: u8,
        /// 0 to 119.
        number: u8,
        /// 0 to 127.
        value: u8,
    },
    /// A clock message.
    Clock(ClockMessage),
}

/// The port that a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MidiSource {
    /// The port for bass, controllers and clock.
    Bass,
    /// The port for the clock only.
    Clock,
}

/// A message with its place in the block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct IncomingMessage {
    /// Frames since the start of the block.
    pub(crate) frame: u32,
    /// Its port.
    pub(crate) source: MidiSource,
    /// The message.
    pub(crate) message: MidiMessage,
}

/// The messages that came in with a block, sorted by frame.
pub(crate) type IncomingMessages = ArrayVec<IncomingMessage, MAX_MESSAGES>;

/// An outgoing message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutgoingMessage {
    /// Frames since the start of the block.
    pub(crate) frame: u32,
    /// A note-on or note-off.
    pub(crate) bytes: [u8; 3],
}

/// The messages that go out with a block, sorted by frame.
pub(crate) type OutgoingMessages = ArrayVec<OutgoingMessage, MAX_MESSAGES>;

/// Reads a message; `None` if the app does not use it.
pub(crate) fn read(source: MidiSource, bytes: &[u8]) -> Option<MidiMessage> {
    let clock = match *bytes {
        [0xf8] => Some(ClockMessage::Tick),
        [0xfa] => Some(ClockMessage::Start),
        [0xfb] => Some(ClockMessage::Continue),
        [0xfc] => Some(ClockMessage::Stop),
        [0xf2, low, high] => Some(ClockMessage::SongPosition(
            u16::from(low & 127) | u16::from(high & 127) << 7,
        )),
        _ => None,
    };
    if let Some(clock) = clock {
        return Some(MidiMessage::Clock(clock));
    }
    let [status, number, value] = *bytes else {
        return None;
    };
    if source == MidiSource::Clock || number > 127 || value > 127 {
        return None;
    }
    match status & 0xf0 {
        0x80 | 0x90 | 0xe0 => NoteEvent::from_midi(0, bytes).ok().map(MidiMessage::Note),
        // All Sound Off and All Notes Off.
        0xb0 if number == 120 || number == 123 => Some(MidiMessage::Note(NoteEvent::NoteOff {
            timing: 0,
            voice_id: VoiceID::Wildcard,
            channel: Channel::Number(status & 15),
            key: Key::Wildcard,
            velocity: 0.0,
        })),
        0xb0 if number < 120 => Some(MidiMessage::Controller {
            channel: status & 15,
            number,
            value,
        }),
        _ => None,
    }
}

/// The bytes of a note-on or note-off; `None` for other events.
pub(crate) fn write(event: &NoteEvent<()>) -> Option<[u8; 3]> {
    match event {
        NoteEvent::NoteOn { key, .. } | NoteEvent::NoteOff { key, .. } => {
            key.number()?;
        }
        _ => return None,
    }
    match event.as_midi()? {
        MidiResult::Basic(bytes) => Some(bytes),
        MidiResult::SysEx(..) => None,
    }
}

/// Which outgoing notes are sounding: one bit per key, one row per channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sounding([u128; 16]);

impl Sounding {
    /// Tracks an outgoing message.
    pub(crate) fn note(&mut self, [status, key, velocity]: [u8; 3]) {
        let bit = 1_u128 << (key & 127);
        if let Some(row) = self.0.get_mut(usize::from(status & 15)) {
            match status & 0xf0 {
                0x90 if velocity > 0 => *row |= bit,
                _ => *row &= !bit,
            }
        }
    }

    /// Writes note-offs for everything that sounds.
    pub(crate) fn end_all(&mut self, frame: u32, out: &mut OutgoingMessages) {
        for (channel, row) in (0_u8..).zip(&mut self.0) {
            for key in 0..128_u8 {
                let off = OutgoingMessage {
                    frame,
                    bytes: [0x80 | channel, key, 0],
                };
                // Notes that do not fit stay for the next block.
                if *row & 1 << key != 0 && out.try_push(off).is_ok() {
                    *row &= !(1 << key);
                }
            }
        }
    }

    /// Whether nothing sounds.
    pub(crate) fn is_silent(&self) -> bool {
        self.0 == [0; 16]
    }
}

/// The outgoing message for a note; `offset` is where its piece begins in the block.
pub(super) fn outgoing(event: &NoteEvent<()>, offset: u32) -> Option<OutgoingMessage> {
    let bytes = write(event)?;
    let frame = offset + event.timing();
    Some(OutgoingMessage { frame, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_read_on_both_ports_and_notes_only_on_the_bass_port() {
        for source in [MidiSource::Bass, MidiSource::Clock] {
            let tick = read(source, &[0xf8]);
            assert_eq!(tick, Some(MidiMessage::Clock(ClockMessage::Tick)));
            let place = read(source, &[0xf2, 3, 1]);
            let expected = ClockMessage::SongPosition(131);
            assert_eq!(place, Some(MidiMessage::Clock(expected)));
        }
        assert!(matches!(
            read(MidiSource::Bass, &[0x91, 40, 99]),
            Some(MidiMessage::Note(_))
        ));
        assert_eq!(read(MidiSource::Clock, &[0x91, 40, 99]), None);
        for useless in [&[][..], &[0x90], &[0x90, 200, 1], &[0xfe], &[0xf0, 1, 0xf7]] {
            assert_eq!(read(MidiSource::Bass, useless), None, "{useless:?}");
        }
    }

    #[test]
    fn pedal_and_wheel_are_read_on_the_bass_port() {
        let pedal = MidiMessage::Controller {
            channel: 2,
            number: 64,
            value: 127,
        };
        assert_eq!(read(MidiSource::Bass, &[0xb2, 64, 127]), Some(pedal));
        let bent = read(MidiSource::Bass, &[0xe2, 0, 64]);
        assert!(
            matches!(
                bent,
                Some(MidiMessage::Note(NoteEvent::MidiPitchBend { channel: 2, value, .. })) if (value - 0.5).abs() < 1e-3
            ),
            "{bent:?}"
        );
    }

    #[test]
    fn every_note_that_sounds_is_ended_once() {
        let mut sounding = Sounding::default();
        for bytes in [
            [0x99, 36, 100],
            [0x99, 42, 1],
            [0x91, 127, 5],
            [0x89, 42, 0],
        ] {
            sounding.note(bytes);
        }
        let mut out = OutgoingMessages::new();
        sounding.end_all(7, &mut out);
        let bytes: Vec<_> = out.iter().map(|off| (off.frame, off.bytes)).collect();
        assert_eq!(bytes, [(7, [0x81, 127, 0]), (7, [0x89, 36, 0])]);
        assert!(sounding.is_silent());
        sounding.note([0x90, 36, 1]);
        sounding.note([0x90, 36, 0]);
        assert!(sounding.is_silent());
    }
}
