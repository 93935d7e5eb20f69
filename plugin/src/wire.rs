//! Between the plugin framework's events and transport and the performer's.
//!
//! Audio thread: fixed capacity, never allocates.

use arrayvec::ArrayVec;
use lockstep_models::representation::{Beats, Meter, Voice};
use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::*;

use crate::realtime::{BassEvent, BassEventKind, DrumEvent, DrumEventKind, FrameOffset};

/// Most bass events of one block that are heard, and passed on; a keyboard sends about one a millisecond at its worst.
const MAX_EVENTS: usize = 1024;

/// General MIDI's drum channel, 10, counted from 0.
const DRUM_CHANNEL: u8 = 9;

/// What came in with the block.
#[derive(Debug)]
pub(crate) struct Inbox {
    bass: ArrayVec<BassEvent, MAX_EVENTS>,
    thru: ArrayVec<NoteEvent<()>, MAX_EVENTS>,
    /// Notes passed on whose note-off must follow even if thru is switched off: a bit a key, a row a channel.
    passed: [u128; 16],
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            bass: ArrayVec::new(),
            thru: ArrayVec::new(),
            passed: [0; 16],
        }
    }
}

impl Inbox {
    /// Takes the block's events from the host.
    pub(crate) fn fill<P: Plugin<SysExMessage = ()>>(
        &mut self,
        context: &mut impl ProcessContext<P>,
        is_thru: bool,
    ) {
        self.bass.clear();
        self.thru.clear();
        while let Some(event) = context.next_event() {
            let kind = match event {
                NoteEvent::NoteOn { key, velocity, .. } => key.number().map(|key| {
                    if velocity > 0.0 {
                        BassEventKind::On { key, velocity }
                    } else {
                        BassEventKind::Off { key }
                    }
                }),
                NoteEvent::NoteOff { key, .. } | NoteEvent::Choke { key, .. } => Some(
                    key.number()
                        .map_or(BassEventKind::AllOff, |key| BassEventKind::Off { key }),
                ),
                _ => None,
            };
            if let Some(kind) = kind {
                // Full: the event is not heard.
                let _ = self.bass.try_push(BassEvent {
                    frame: FrameOffset(event.timing()),
                    kind,
                });
            }
            if self.goes_thru(&event, is_thru) {
                let _ = self.thru.try_push(event);
            }
        }
    }

    /// Bass notes of the block, sorted by frame as the host gave them.
    pub(crate) fn bass(&self) -> &[BassEvent] {
        &self.bass
    }

    /// Events to be passed on, sorted by frame.
    pub(crate) fn thru(&self) -> &[NoteEvent<()>] {
        &self.thru
    }

    /// Forgets the notes that were passed on.
    pub(crate) fn reset(&mut self) {
        self.passed = [0; 16];
    }

    fn goes_thru(&mut self, event: &NoteEvent<()>, is_thru: bool) -> bool {
        let place = |channel: Channel, key: Key| {
            let (channel, key) = (channel.number().unwrap_or(0), key.number()?);
            Some((usize::from(channel & 15), 1_u128 << (key & 127)))
        };
        match *event {
            NoteEvent::NoteOn { channel, key, .. } => {
                if let Some((row, bit)) = place(channel, key).filter(|_| is_thru) {
                    self.passed[row] |= bit;
                }
                is_thru
            }
            NoteEvent::NoteOff { channel, key, .. } => {
                let Some((row, bit)) = place(channel, key) else {
                    return is_thru;
                };
                let was_passed = self.passed[row] & bit != 0;
                self.passed[row] &= !bit;
                is_thru || was_passed
            }
            _ => is_thru,
        }
    }
}

/// The host's time, or `None` where it has none.
pub(crate) fn transport(host: &Transport) -> Option<crate::realtime::Transport> {
    let position = host.pos_beats();
    if host.tempo.is_none() && position.is_none() {
        return None;
    }
    let number = |n: Option<i32>| n.and_then(|n| u8::try_from(n).ok());
    let meter = number(host.time_sig_numerator).zip(number(host.time_sig_denominator));
    Some(crate::realtime::Transport {
        is_playing: host.playing,
        tempo_bpm: host.tempo.unwrap_or(f64::NAN),
        position: Beats(position.unwrap_or(f64::NAN)),
        measure_start: host.bar_start_pos_beats().map(Beats),
        meter: meter.and_then(|(numerator, denominator)| Meter::new(numerator, denominator)),
    })
}

/// Sends drum notes and passed-on events to the host, in time order; hosts take them as they are sent.
pub(crate) fn send<P: Plugin<SysExMessage = ()>>(
    drums: &[DrumEvent],
    thru: &[NoteEvent<()>],
    context: &mut impl ProcessContext<P>,
) {
    let mut drums = drums.iter().peekable();
    for event in thru {
        // Note-offs of the drums come before a passed-on note of the same frame, note-ons after it.
        while let Some(drum) = drums.next_if(|drum| {
            (drum.frame.0, drum.kind != DrumEventKind::Off) <= (event.timing(), false)
        }) {
            send_drum(drum, context);
        }
        // A host without an output takes nothing; the kit still sounds.
        let _ = context.try_send_event(*event);
    }
    for drum in drums {
        send_drum(drum, context);
    }
}

fn send_drum<P: Plugin<SysExMessage = ()>>(drum: &DrumEvent, context: &mut impl ProcessContext<P>) {
    let DrumEvent { frame, voice, kind } = *drum;
    let _ = context.try_send_event(note(frame, voice, kind));
}

fn note(frame: FrameOffset, voice: Voice, kind: DrumEventKind) -> NoteEvent<()> {
    let (timing, voice_id) = (frame.0, VoiceID::Wildcard);
    let (channel, key) = (Channel::Number(DRUM_CHANNEL), Key::Number(voice.gm_note()));
    match kind {
        DrumEventKind::On { velocity } => NoteEvent::NoteOn {
            timing,
            voice_id,
            channel,
            key,
            velocity,
        },
        DrumEventKind::Off => NoteEvent::NoteOff {
            timing,
            voice_id,
            channel,
            key,
            velocity: 0.0,
        },
    }
}
