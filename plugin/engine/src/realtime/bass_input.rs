//! Turns incoming MIDI into what the bassist did: which keys are bass, the velocity curve, pedal, bend, and the control
//! keys.
//!
//! A note that was let through is followed to its end, even if the settings change meanwhile.

use super::block::BassEventKind;
use super::listener::keys;

/// Which keys are bass, and how they are played. Read once per block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputSettings {
    /// The MIDI channel of the bass, counted from 0; `None` hears all of them.
    pub channel: Option<u8>,
    /// Lowest MIDI key that is bass.
    pub lowest_key: u8,
    /// Highest MIDI key that is bass. If it is below [`Self::lowest_key`], no key is.
    pub highest_key: u8,
    /// Velocity curve, in `[-1, 1]`: above 0 soft notes are heard louder, below 0 softer; the ends of the range stay.
    pub touch: f32,
    /// Semitones of a full pitch bend, in `[0, 48]`; 0 ignores the wheel.
    pub bend_range: f32,
    /// The lowest of the four control keys, which ask for a [`KeyCommand`] and are never bass; `None` if there are none.
    pub control_key: Option<u8>,
}

impl Default for InputSettings {
    /// The whole keyboard on every channel, velocities unchanged.
    fn default() -> Self {
        Self {
            channel: None,
            lowest_key: 0,
            highest_key: 127,
            touch: 0.0,
            bend_range: 2.0,
            control_key: None,
        }
    }
}

/// What a control key asks for, in the order of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCommand {
    /// A fill in the next measure.
    Fill,
    /// Another idea from the next measure on.
    NewIdea,
    /// A beat of tap tempo.
    Tap,
    /// Saves the last measures to a file.
    Save,
}

impl KeyCommand {
    /// All of them, from the lowest control key up.
    pub const ALL: [Self; 4] = [Self::Fill, Self::NewIdea, Self::Tap, Self::Save];
}

/// An incoming MIDI event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InputEvent {
    /// A key went down.
    NoteOn {
        /// MIDI key, 0 to 127.
        key: u8,
        /// How hard, in `[0, 1]`; at 0 it is a note-off.
        velocity: f32,
    },
    /// A key was released.
    NoteOff {
        /// MIDI key, 0 to 127.
        key: u8,
    },
    /// Every key of the channel counts as released, and as not held by the pedal.
    AllNotesOff,
    /// The sustain pedal went down or up.
    Pedal(bool),
    /// Position of the bend wheel, from -1 to 1 of the bend range.
    Bend(f32),
}

/// What a MIDI event means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// The bass does something.
    Bass(BassEventKind),
    /// A control key asks for something.
    Command(KeyCommand),
}

/// State of the keys, pedal and wheel of every channel.
#[derive(Clone, Debug, Default)]
pub struct BassInput {
    channels: [Channel; 16],
}

/// Key sets have bit `k` for MIDI key `k`, before the bend.
#[derive(Clone, Copy, Debug, Default)]
struct Channel {
    down: u128,
    /// Released while the pedal was down: they still sound.
    pedalled: u128,
    is_pedal_down: bool,
    /// The wheel in whole semitones.
    bend: i8,
}

impl BassInput {
    /// Calls `emit` with each meaning of an event of a MIDI channel (counted from 0). A bend has one for each sounding key.
    ///
    /// # Realtime safety
    /// Never allocates.
    pub fn hear(
        &mut self,
        channel: u8,
        event: InputEvent,
        settings: &InputSettings,
        mut emit: impl FnMut(Meaning),
    ) {
        let Some(state) = self.channels.get_mut(usize::from(channel & 15)) else {
            return;
        };
        let mut bass = |kind| emit(Meaning::Bass(kind));
        match event {
            InputEvent::NoteOn { key, velocity } if velocity > 0.0 => {
                let key = key & 127;
                if settings.channel.is_some_and(|only| only != channel) {
                    return;
                }
                if let Some(command) = settings.command_of(key) {
                    emit(Meaning::Command(command));
                } else if (settings.lowest_key..=settings.highest_key).contains(&key) {
                    state.down |= 1 << key;
                    state.pedalled &= !(1 << key);
                    bass(BassEventKind::On {
                        key: state.bent(key),
                        velocity: settings.touched(velocity),
                    });
                }
            }
            InputEvent::NoteOn { key, .. } | InputEvent::NoteOff { key } => {
                let bit = 1_u128 << (key & 127);
                if state.down & bit == 0 {
                    return;
                }
                state.down &= !bit;
                if state.is_pedal_down {
                    state.pedalled |= bit;
                } else {
                    bass(BassEventKind::Off {
                        key: state.bent(key),
                    });
                }
            }
            InputEvent::AllNotesOff => {
                state.end(state.down | state.pedalled, bass);
                (state.down, state.pedalled) = (0, 0);
            }
            InputEvent::Pedal(is_down) => {
                state.is_pedal_down = is_down;
                if !is_down {
                    state.end(state.pedalled, bass);
                    state.pedalled = 0;
                }
            }
            InputEvent::Bend(wheel) => {
                let before = *state;
                state.bend = semitones(wheel, settings.bend_range);
                if state.bend != before.bend {
                    let mut slide = |key| {
                        bass(BassEventKind::Slide {
                            from: before.bent(key),
                            to: state.bent(key),
                        });
                    };
                    // Outermost first, so that no key slides onto one that has not moved yet.
                    let sounding = state.down | state.pedalled;
                    if state.bend > before.bend {
                        (0..128)
                            .rev()
                            .filter(|key| sounding >> key & 1 == 1)
                            .for_each(&mut slide);
                    } else {
                        keys(sounding).for_each(&mut slide);
                    }
                }
            }
        }
    }

    /// Takes every key and pedal as released and the wheel as centred.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

impl Channel {
    fn bent(&self, key: u8) -> u8 {
        (key & 127).saturating_add_signed(self.bend).min(127)
    }

    fn end(&self, set: u128, mut bass: impl FnMut(BassEventKind)) {
        for key in keys(set) {
            bass(BassEventKind::Off {
                key: self.bent(key),
            });
        }
    }
}

impl InputSettings {
    fn command_of(&self, key: u8) -> Option<KeyCommand> {
        let place = key.checked_sub(self.control_key?)?;
        KeyCommand::ALL.get(usize::from(place)).copied()
    }

    /// A velocity after the touch curve: a power curve that keeps 0 and 1.
    fn touched(&self, velocity: f32) -> f32 {
        let velocity = velocity.min(1.0);
        let touched = velocity.powf((-self.touch).exp2());
        if touched > 0.0 { touched } else { velocity }
    }
}

/// Whole semitones of a wheel position; 0 for NaN.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float-to-int cast saturates, and gives 0 for NaN"
)]
fn semitones(wheel: f32, range: f32) -> i8 {
    (wheel.clamp(-1.0, 1.0) * range.clamp(0.0, 48.0)).round() as i8
}

#[cfg(test)]
mod tests;
