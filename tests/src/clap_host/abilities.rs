//! Abilities of the CLAP host, for tests with hosts that lack some.

use clack_host::events::UnknownEvent;
use clack_host::events::io::{EventBuffer, OutputEventBuffer, TryPushError};
use clack_host::events::spaces::CoreEventSpace;

/// Abilities of a CLAP host.
#[derive(Clone, Copy, Debug)]
pub struct Abilities {
    /// Whether it embeds plugin windows, with `clap.gui`.
    pub has_windows: bool,
    /// Whether it takes notes as CLAP events; if not, only as MIDI events.
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

/// Events that a plugin sends in one block.
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

/// A note from a CLAP or MIDI event.
pub(super) struct Note {
    pub(super) channel: u16,
    pub(super) key: u16,
    /// Velocity of a note-on, in `[0, 1]`; `None` for a note-off.
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
