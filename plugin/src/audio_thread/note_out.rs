//! Drum notes for hosts that take only MIDI.
//!
//! CLAP has its own note events, and the framework (nice-plug 0.4.2) sends nothing else. A host that refuses them, or says in
//! `init` that it takes only MIDI, gets the same notes as MIDI. On the audio thread, except [`NoteOut::of_host`]; never
//! allocates.

use std::ffi::CStr;
use std::ptr;

use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI, CLAP_EVENT_NOTE_OFF, CLAP_EVENT_NOTE_ON,
    clap_event_header, clap_event_midi, clap_event_note, clap_output_events,
};
use clap_sys::ext::note_ports::{
    CLAP_EXT_NOTE_PORTS, CLAP_NOTE_DIALECT_CLAP, CLAP_NOTE_DIALECT_MIDI, clap_host_note_ports,
};
use clap_sys::host::clap_host;

/// How a host takes notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NoteOut {
    /// As CLAP notes, or as MIDI if it refuses them.
    #[default]
    Notes,
    /// As MIDI: it says that it takes no CLAP notes.
    Midi,
}

/// Size of a MIDI event in bytes.
#[expect(clippy::cast_possible_truncation, reason = "a few bytes")]
const MIDI_SIZE: u32 = size_of::<clap_event_midi>() as u32;

/// The context of the output list that the framework gets while a block is processed.
struct Relay {
    note_out: NoteOut,
    host: *const clap_output_events,
}

#[expect(unsafe_code, reason = "CLAP passes raw pointers")]
impl NoteOut {
    /// Asks the host which dialects it speaks. Main thread.
    ///
    /// # Safety
    /// `host` is null or the pointer that the host gave to itself, and may be asked for extensions.
    pub(crate) unsafe fn of_host(host: *const clap_host) -> Self {
        // SAFETY: as the caller promises; extensions live as long as the host.
        let dialects = unsafe {
            let get = host.as_ref().and_then(|table| table.get_extension);
            let id: &CStr = CLAP_EXT_NOTE_PORTS;
            let ports = get.map_or(ptr::null(), |get| get(host, id.as_ptr()));
            let ports = ports.cast::<clap_host_note_ports>().as_ref();
            let dialects = ports.and_then(|ports| ports.supported_dialects);
            dialects.map_or(CLAP_NOTE_DIALECT_CLAP, |dialects| dialects(host))
        };
        let is_midi_alone = dialects & CLAP_NOTE_DIALECT_CLAP == 0;
        if is_midi_alone && dialects & CLAP_NOTE_DIALECT_MIDI != 0 {
            Self::Midi
        } else {
            Self::Notes
        }
    }

    /// Calls `work` with an output list that passes events on to the host's.
    ///
    /// # Safety
    /// `host` is null or a host's list that this thread may use until this returns.
    pub(crate) unsafe fn around<T>(
        self,
        host: *const clap_output_events,
        work: impl FnOnce(*const clap_output_events) -> T,
    ) -> T {
        if host.is_null() {
            return work(host);
        }
        let mut relay = Relay {
            note_out: self,
            host,
        };
        let list = clap_output_events {
            ctx: (&raw mut relay).cast(),
            try_push: Some(try_push),
        };
        work(&raw const list)
    }
}

#[expect(unsafe_code, reason = "CLAP passes raw pointers")]
unsafe extern "C" fn try_push(
    list: *const clap_output_events,
    event: *const clap_event_header,
) -> bool {
    // SAFETY: the list is the one that `around` made, its relay is still alive, and the event is complete.
    unsafe {
        let relay = &*(*list).ctx.cast::<Relay>();
        let Some(push) = (*relay.host).try_push else {
            return false;
        };
        let midi = midi(event);
        let push_midi = || midi.is_some_and(|midi| push(relay.host, &raw const midi.header));
        let is_sent = relay.note_out == NoteOut::Midi && push_midi();
        is_sent || push(relay.host, event) || push_midi()
    }
}

/// A CLAP note as MIDI; `None` for other events, and for notes without a single channel and key.
///
/// # Safety
/// `event` points to a complete event.
#[expect(unsafe_code, reason = "the header says which type an event has")]
unsafe fn midi(event: *const clap_event_header) -> Option<clap_event_midi> {
    // SAFETY: as the caller promises; only the header is read here.
    let header = unsafe { *event };
    let status = match (header.space_id, header.type_) {
        (CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_NOTE_ON) => 0x90,
        (CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_NOTE_OFF) => 0x80,
        _ => return None,
    };
    #[expect(clippy::cast_ptr_alignment, reason = "the header says it is a note")]
    // SAFETY: a header of this type begins a note.
    let note = unsafe { *event.cast::<clap_event_note>() };
    let channel = u8::try_from(note.channel).ok().filter(|n| *n < 16)?;
    let key = u8::try_from(note.key).ok().filter(|n| *n < 128)?;
    // A note-on of velocity 0 would be a note-off.
    let softest = if status == 0x90 { 1.0 } else { 0.0 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 127"
    )]
    let velocity = (note.velocity * 127.0).round().clamp(softest, 127.0) as u8;
    Some(clap_event_midi {
        header: clap_event_header {
            size: MIDI_SIZE,
            type_: CLAP_EVENT_MIDI,
            ..header
        },
        port_index: u16::try_from(note.port_index).unwrap_or_default(),
        data: [status | channel, key, velocity],
    })
}

#[cfg(test)]
#[expect(unsafe_code, reason = "hosts pass raw pointers")]
mod tests {
    use super::*;
    use std::ffi::{c_char, c_void};
    use std::mem;

    /// A host's list that takes events of one type.
    struct Taker {
        event_type: u16,
        taken: Vec<(u32, [u8; 3])>,
    }

    unsafe extern "C" fn take(
        list: *const clap_output_events,
        event: *const clap_event_header,
    ) -> bool {
        // SAFETY: the list belongs to a taker, and the event is complete.
        unsafe {
            let taker = &mut *(*list).ctx.cast::<Taker>();
            if (*event).type_ != taker.event_type {
                return false;
            }
            let data = match taker.event_type {
                CLAP_EVENT_MIDI => (*event.cast::<clap_event_midi>()).data,
                _ => [0; 3],
            };
            taker.taken.push(((*event).time, data));
            true
        }
    }

    fn note(type_: u16, channel: i16, key: i16, velocity: f64) -> clap_event_note {
        clap_event_note {
            header: clap_event_header {
                size: u32::try_from(size_of::<clap_event_note>()).unwrap_or_default(),
                time: 17,
                space_id: CLAP_CORE_EVENT_SPACE_ID,
                type_,
                flags: 0,
            },
            note_id: -1,
            port_index: 0,
            channel,
            key,
            velocity,
        }
    }

    /// Sends a note to a host that takes one event type. Returns whether the plugin is told it was taken, and what arrived.
    fn sent(
        note_out: NoteOut,
        event_type: u16,
        note: &clap_event_note,
    ) -> (bool, Vec<(u32, [u8; 3])>) {
        let mut taker = Taker {
            event_type,
            taken: Vec::new(),
        };
        let list = clap_output_events {
            ctx: (&raw mut taker).cast(),
            try_push: Some(take),
        };
        // SAFETY: the list and the note are valid for the call.
        let is_taken = unsafe {
            note_out.around(&raw const list, |list| {
                (*list)
                    .try_push
                    .is_some_and(|push| push(list, &raw const note.header))
            })
        };
        (is_taken, taker.taken)
    }

    #[test]
    fn a_refused_note_is_sent_as_midi() {
        for (note, data) in [
            (note(CLAP_EVENT_NOTE_ON, 9, 36, 1.0), [0x99, 36, 127]),
            (note(CLAP_EVENT_NOTE_ON, 0, 38, 0.001), [0x90, 38, 1]),
            (note(CLAP_EVENT_NOTE_OFF, 9, 36, 0.0), [0x89, 36, 0]),
        ] {
            let midi = (true, vec![(17, data)]);
            assert_eq!(sent(NoteOut::Notes, CLAP_EVENT_MIDI, &note), midi);
            assert_eq!(sent(NoteOut::Midi, CLAP_EVENT_MIDI, &note), midi);
            let as_note = (true, vec![(17, [0; 3])]);
            let type_ = note.header.type_;
            assert_eq!(sent(NoteOut::Notes, type_, &note), as_note);
            assert_eq!(sent(NoteOut::Midi, type_, &note), as_note);
            assert_eq!(sent(NoteOut::Notes, 77, &note), (false, Vec::new()));
        }
        let everywhere = note(CLAP_EVENT_NOTE_ON, -1, 36, 1.0);
        assert!(!sent(NoteOut::Notes, CLAP_EVENT_MIDI, &everywhere).0);
    }

    unsafe extern "C" fn midi_alone(_host: *const clap_host) -> u32 {
        CLAP_NOTE_DIALECT_MIDI
    }

    unsafe extern "C" fn ports(_host: *const clap_host, id: *const c_char) -> *const c_void {
        static PORTS: clap_host_note_ports = clap_host_note_ports {
            supported_dialects: Some(midi_alone),
            rescan: None,
        };
        // SAFETY: an id is a string that ends with a zero byte.
        if unsafe { CStr::from_ptr(id) } == CLAP_EXT_NOTE_PORTS {
            (&raw const PORTS).cast()
        } else {
            ptr::null()
        }
    }

    #[test]
    fn a_host_that_says_it_takes_only_midi_gets_midi() {
        // SAFETY: plain numbers and pointers, for which zero is a valid value.
        let mut host: clap_host = unsafe { mem::zeroed() };
        // SAFETY: the host is valid for the calls.
        unsafe {
            assert_eq!(NoteOut::of_host(ptr::null()), NoteOut::Notes);
            assert_eq!(NoteOut::of_host(&raw const host), NoteOut::Notes);
            host.get_extension = Some(ports);
            assert_eq!(NoteOut::of_host(&raw const host), NoteOut::Midi);
        }
    }
}
