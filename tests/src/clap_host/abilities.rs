//! What a CLAP host can do: the plugin meets hosts that lack something.

use clack_host::events::UnknownEvent;
use clack_host::events::io::{EventBuffer, OutputEventBuffer, TryPushError};
use clack_host::events::spaces::CoreEventSpace;

/// What a CLAP host can do.
#[derive(Clone, Copy, Debug)]
pub struct Abilities {
    /// It holds plugins' windows: it has `clap.gui`.
    pub has_windows: bool,
    /// It takes notes as CLAP events; else only as MIDI events.
    pub takes_clap_notes: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        Self {
            has_windows: true,
            takes_clap_notes: true,
        }
    }
}

/// What a plugin sends in one block.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) events: EventBuffer,
    takes_clap_notes: bool,
}

impl Outbox {
    pub(super) fn new(abilities: Abilities) -> Self {
        Self {
            events: EventBuffer::new(),
            takes_clap_notes: abilities.takes_clap_notes,
        }
    }
}

impl OutputEventBuffer for Outbox {
    fn try_push(&mut self, event: &UnknownEvent) -> Result<(), TryPushError> {
        let is_clap_note = matches!(
            event.as_core_event(),
            Some(
                CoreEventSpace::NoteOn(_)
                    | CoreEventSpace::NoteOff(_)
                    | CoreEventSpace::NoteChoke(_)
                    | CoreEventSpace::NoteEnd(_)
            )
        );
        if is_clap_note && !self.takes_clap_notes {
            return Err(TryPushError::new());
        }
        self.events.push(event);
        Ok(())
    }
}

/// A note in an event, CLAP's or MIDI's.
pub(super) struct Note {
    pub(super) channel: u16,
    pub(super) key: u16,
    /// Of a note-on, in `[0, 1]`.
    pub(super) velocity: Option<f64>,
}

impl Note {
    pub(super) fn of(event: CoreEventSpace<'_>) -> Option<Self> {
        let (pckn, velocity) = match event {
            CoreEventSpace::NoteOn(on) => (on.pckn(), Some(on.velocity())),
            CoreEventSpace::NoteOff(off) => (off.pckn(), None),
            CoreEventSpace::Midi(midi) => {
                let [status, key, velocity] = midi.data();
                let velocity = match status & 0xF0 {
                    0x90 => Some(f64::from(velocity) / 127.0),
                    0x80 => None,
                    _ => return None,
                };
                return Some(Self {
                    channel: u16::from(status & 0x0F),
                    key: u16::from(key),
                    velocity,
                });
            }
            _ => return None,
        };
        Some(Self {
            channel: pckn.channel.into_specific().unwrap_or(u16::MAX),
            key: pckn.key.into_specific().unwrap_or(u16::MAX),
            velocity,
        })
    }
}
