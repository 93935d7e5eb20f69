//! Converts events and transport between the plugin framework and the performer.
//!
//! Audio thread: fixed capacity, never allocates.

use arrayvec::ArrayVec;
use lockstep_core::representation::{Length, Meter, Position};
use lockstep_engine::realtime::{
    BassEvent, BassEventKind, BassInput, Button, DrumEvent, DrumEventKind, DrumKey, FrameOffset,
    InputEvent, InputSettings, KeyCommand, Meaning,
};
use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::*;

use crate::params::LockstepParams;

/// Most bass events per block that are heard, and most that are passed on; a keyboard sends at most about one per
/// millisecond.
const MAX_EVENTS: usize = 1024;

/// MIDI controllers that are not ignored.
pub(crate) const SUSTAIN_PEDAL: u8 = 64;
pub(crate) const ALL_SOUND_OFF: u8 = 120;
pub(crate) const RESET_ALL_CONTROLLERS: u8 = 121;
pub(crate) const ALL_NOTES_OFF: u8 = 123;

/// The events that came in with the block.
#[derive(Debug)]
pub(crate) struct Inbox {
    input: BassInput,
    bass: ArrayVec<BassEvent, MAX_EVENTS>,
    thru: ArrayVec<NoteEvent<()>, MAX_EVENTS>,
    /// Notes passed on whose note-off must follow even if thru is switched off: one bit per key, one row per channel.
    passed: [u128; 16],
    is_save_asked: bool,
    tap: Button,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            input: BassInput::default(),
            bass: ArrayVec::new(),
            thru: ArrayVec::new(),
            passed: [0; 16],
            is_save_asked: false,
            tap: Button::default(),
        }
    }
}

impl Inbox {
    /// Takes the block's events from the host. If the tap button goes down with this block, that is a tap at its first frame.
    pub(crate) fn fill<P: Plugin<SysExMessage = ()>>(
        &mut self,
        context: &mut impl ProcessContext<P>,
        params: &LockstepParams,
    ) {
        let (settings, is_thru) = (&params.input(), params.bass.thru.value());
        let is_tap_down = params.free_run.tap.value();
        self.bass.clear();
        self.thru.clear();
        self.is_save_asked = false;
        if self.tap.is_pressed(is_tap_down) {
            let _ = self.bass.try_push(BassEvent {
                frame: FrameOffset(0),
                kind: BassEventKind::Tap,
            });
        }
        while let Some(event) = context.next_event() {
            for (channel, input) in inputs(&event) {
                self.hear(channel, input, FrameOffset(event.timing()), settings);
            }
            if self.goes_thru(&event, is_thru) {
                let _ = self.thru.try_push(event);
            }
        }
    }

    /// Adds what an event means to the block's bass events.
    fn hear(
        &mut self,
        channel: u8,
        input: InputEvent,
        frame: FrameOffset,
        settings: &InputSettings,
    ) {
        let Self {
            input: keyboard,
            bass,
            is_save_asked,
            ..
        } = self;
        keyboard.hear(channel, input, settings, |meaning| {
            let kind = match meaning {
                Meaning::Bass(kind) => kind,
                Meaning::Command(KeyCommand::Fill) => BassEventKind::Fill,
                Meaning::Command(KeyCommand::NewIdea) => BassEventKind::NewIdea,
                Meaning::Command(KeyCommand::Tap) => BassEventKind::Tap,
                Meaning::Command(KeyCommand::Save) => {
                    *is_save_asked = true;
                    return;
                }
            };
            // If full, the event is dropped.
            let _ = bass.try_push(BassEvent { frame, kind });
        });
    }

    /// Bass notes of the block, sorted by frame as the host gave them.
    pub(crate) fn bass(&self) -> &[BassEvent] {
        &self.bass
    }

    /// Whether a control key asked to save what was just played.
    pub(crate) fn is_save_asked(&self) -> bool {
        self.is_save_asked
    }

    /// Events to pass on, sorted by frame.
    pub(crate) fn thru(&self) -> &[NoteEvent<()>] {
        &self.thru
    }

    /// Forgets held keys, and the notes that were passed on.
    pub(crate) fn reset(&mut self) {
        self.input.reset();
        self.passed = [0; 16];
    }

    fn goes_thru(&mut self, event: &NoteEvent<()>, is_thru: bool) -> bool {
        match *event {
            NoteEvent::NoteOn { channel, key, .. } => {
                if let Some((keys, bit)) =
                    held_key(&mut self.passed, channel, key).filter(|_| is_thru)
                {
                    *keys |= bit;
                }
                is_thru
            }
            NoteEvent::NoteOff { channel, key, .. } => {
                let Some((keys, bit)) = held_key(&mut self.passed, channel, key) else {
                    return is_thru;
                };
                let was_passed = *keys & bit != 0;
                *keys &= !bit;
                is_thru || was_passed
            }
            // The output takes only notes.
            NoteEvent::MidiCC { .. }
            | NoteEvent::MidiPitchBend { .. }
            | NoteEvent::MidiChannelPressure { .. }
            | NoteEvent::MidiProgramChange { .. } => false,
            _ => is_thru,
        }
    }
}

/// The channels and input events that a host event stands for; empty if it is ignored.
fn inputs(event: &NoteEvent<()>) -> ArrayVec<(u8, InputEvent), 16> {
    let mut inputs = ArrayVec::new();
    let on = |channel: Channel| channel.number().unwrap_or(0);
    let one = match *event {
        NoteEvent::NoteOn {
            channel,
            key,
            velocity,
            ..
        } => key
            .number()
            .map(|key| (on(channel), InputEvent::NoteOn { key, velocity })),
        NoteEvent::NoteOff { channel, key, .. } | NoteEvent::Choke { channel, key, .. } => {
            match (channel.number(), key.number()) {
                (_, Some(key)) => Some((on(channel), InputEvent::NoteOff { key })),
                (Some(channel), None) => Some((channel, InputEvent::AllNotesOff)),
                (None, None) => {
                    inputs.extend((0..16).map(|channel| (channel, InputEvent::AllNotesOff)));
                    None
                }
            }
        }
        NoteEvent::MidiPitchBend { channel, value, .. } => {
            Some((channel, InputEvent::Bend(2.0 * value - 1.0)))
        }
        NoteEvent::MidiCC {
            channel, cc, value, ..
        } => match cc {
            SUSTAIN_PEDAL => Some((channel, InputEvent::Pedal(value >= 0.5))),
            ALL_SOUND_OFF | ALL_NOTES_OFF => Some((channel, InputEvent::AllNotesOff)),
            RESET_ALL_CONTROLLERS => {
                inputs.push((channel, InputEvent::Pedal(false)));
                Some((channel, InputEvent::Bend(0.0)))
            }
            _ => None,
        },
        _ => None,
    };
    inputs.extend(one);
    inputs
}

/// The host's time, or `None` if it has none. If the host gives only a sample position, the tempo is `own_tempo_bpm`.
pub(crate) fn transport(
    host: &Transport,
    own_tempo_bpm: f64,
) -> Option<lockstep_engine::realtime::Transport> {
    let by_seconds = || {
        let played = Length::of_seconds(host.pos_seconds()?, own_tempo_bpm);
        Some((Position::START + played, own_tempo_bpm))
    };
    let (position, tempo_bpm) = match (host.pos_beats(), host.tempo) {
        (None, None) => {
            let (position, tempo) = by_seconds()?;
            (position, Some(tempo))
        }
        (position, tempo) => (Position::at(position.unwrap_or(f64::NAN)), tempo),
    };
    let number = |n: Option<i32>| n.and_then(|n| u8::try_from(n).ok());
    let meter = number(host.time_sig_numerator).zip(number(host.time_sig_denominator));
    Some(lockstep_engine::realtime::Transport {
        is_playing: host.playing,
        tempo_bpm,
        position,
        // If the host does not say, the performer counts for itself; the framework would count from the song's beginning and
        // ignore earlier meter changes.
        measure_start: host.bar_start_pos_beats.map(Position::at),
        meter: meter.and_then(|(numerator, denominator)| Meter::new(numerator, denominator)),
    })
}

/// Sends drum notes and passed-on events to the host, in time order, because hosts do not sort them.
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
        // A host without a MIDI output takes nothing; the kit still sounds.
        let _ = context.try_send_event(*event);
    }
    for drum in drums {
        send_drum(drum, context);
    }
}

fn send_drum<P: Plugin<SysExMessage = ()>>(drum: &DrumEvent, context: &mut impl ProcessContext<P>) {
    let DrumEvent {
        frame, key, kind, ..
    } = *drum;
    let _ = context.try_send_event(note(frame, key, kind));
}

fn note(frame: FrameOffset, key: DrumKey, kind: DrumEventKind) -> NoteEvent<()> {
    let (timing, voice_id) = (frame.0, VoiceID::Wildcard);
    let (channel, key) = (Channel::Number(key.channel), Key::Number(key.note));
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

/// The keys of a note's channel, and the bit of its key; `None` if the event names no key.
fn held_key(keys: &mut [u128; 16], channel: Channel, key: Key) -> Option<(&mut u128, u128)> {
    let (channel, key) = (channel.number().unwrap_or(0), key.number()?);
    let keys = keys.get_mut(usize::from(channel & 15))?;
    Some((keys, 1 << (key & 127)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controller(cc: u8, value: f32) -> NoteEvent<()> {
        NoteEvent::MidiCC {
            timing: 0,
            channel: 3,
            cc,
            value,
        }
    }

    #[test]
    fn pedal_bend_and_note_ends_are_heard_and_other_controllers_ignored() {
        let bend = NoteEvent::MidiPitchBend {
            timing: 0,
            channel: 3,
            value: 0.75,
        };
        let all_keys = NoteEvent::Choke {
            timing: 0,
            voice_id: VoiceID::Wildcard,
            channel: Channel::Number(3),
            key: Key::Wildcard,
        };
        for (event, expected) in [
            (
                controller(SUSTAIN_PEDAL, 0.9),
                &[InputEvent::Pedal(true)][..],
            ),
            (controller(SUSTAIN_PEDAL, 0.1), &[InputEvent::Pedal(false)]),
            (controller(ALL_NOTES_OFF, 0.0), &[InputEvent::AllNotesOff]),
            (
                controller(RESET_ALL_CONTROLLERS, 0.0),
                &[InputEvent::Pedal(false), InputEvent::Bend(0.0)],
            ),
            (controller(7, 0.5), &[]),
            (bend, &[InputEvent::Bend(0.5)]),
            (all_keys, &[InputEvent::AllNotesOff]),
        ] {
            let expected: Vec<_> = expected.iter().map(|input| (3, *input)).collect();
            assert_eq!(inputs(&event).to_vec(), expected, "{event:?}");
        }
    }

    #[test]
    fn notes_go_thru_and_controllers_do_not() {
        let mut inbox = Inbox::default();
        let note = NoteEvent::NoteOn {
            timing: 0,
            voice_id: VoiceID::Wildcard,
            channel: Channel::Number(3),
            key: Key::Number(40),
            velocity: 0.5,
        };
        assert!(inbox.goes_thru(&note, true) && !inbox.goes_thru(&note, false));
        assert!(!inbox.goes_thru(&controller(SUSTAIN_PEDAL, 1.0), true));
    }

    #[test]
    fn the_hosts_time_is_taken_from_whatever_it_gives() {
        let told =
            |host: &Transport| transport(host, 90.0).map(|t| (t.position.beats(), t.tempo_bpm));
        let mut host = Transport::new(48_000.0);
        assert_eq!(told(&host), None);
        host.pos_samples = Some(96_000);
        assert_eq!(told(&host), Some((3.0, Some(90.0))));
        host.tempo = Some(120.0);
        assert_eq!(told(&host), Some((4.0, Some(120.0))));
        host.tempo = None;
        host.pos_beats = Some(7.0);
        assert_eq!(told(&host), Some((7.0, None)));
    }
}
