//! The plugin's output in absolute frames, with checks.
//!
//! Knows nothing about hosts or formats.

use std::collections::BTreeSet;
use std::time::Duration;

/// General MIDI's drum channel: 10 for users, 9 on the wire.
pub const DRUM_CHANNEL: u16 = 9;

/// The General MIDI notes of the nine voices; the drummer plays no others.
pub const KIT: [u8; 14] = [36, 38, 37, 39, 42, 44, 46, 45, 48, 50, 49, 51, 54, 70];

/// A note-on or note-off from the drummer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrumEvent {
    /// Absolute frame, from the start of the stage.
    pub frame: u64,
    /// MIDI note.
    pub key: u8,
    /// Whether it is a note-on; if not, it is a note-off.
    pub is_on: bool,
    /// MIDI velocity of a note-on, a whole number in `1 ..= 127`; 0 for a note-off.
    pub velocity: f64,
}

impl DrumEvent {
    /// Takes the host's velocity in `[0, 1]`; `None` if the note is not on the drum channel.
    pub(crate) fn new(
        frame: u64,
        channel: u16,
        key: u16,
        velocity_if_on: Option<f64>,
    ) -> Option<Self> {
        (channel == DRUM_CHANNEL).then(|| Self {
            frame,
            key: u8::try_from(key).unwrap_or(u8::MAX),
            is_on: velocity_if_on.is_some(),
            velocity: (velocity_if_on.unwrap_or_default() * 127.0).round(),
        })
    }
}

/// Time and note of a hit, without its velocity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Absolute frame.
    pub frame: u64,
    /// MIDI note.
    pub key: u8,
}

/// A change to a parameter in the plugin window, as the host is told.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowEdit {
    /// The parameter's name.
    pub name: String,
    /// What happens to it.
    pub kind: WindowEditKind,
}

/// A kind of [`WindowEdit`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WindowEditKind {
    /// The player takes hold of it.
    Begin,
    /// It is set to this value, in `[0, 1]`.
    Turn(f64),
    /// The player releases it.
    End,
}

/// The drums and the sound of one stage.
#[derive(Clone, Debug, Default)]
pub struct Performance {
    /// In the order in which the plugin sent them.
    pub events: Vec<DrumEvent>,
    /// Changes made in the plugin window, in the order in which the plugin sent them.
    pub edits: Vec<WindowEdit>,
    /// Left channel, one sample per frame.
    pub left: Vec<f32>,
    /// Right channel, as long as the left.
    pub right: Vec<f32>,
    /// Left and right of the outputs other than the main one, if the host has them.
    pub groups: Vec<[Vec<f32>; 2]>,
    /// Processor time that the plugin's activation took on its thread.
    pub activation_cpu: Duration,
    /// Processor time of the audio thread for its longest block.
    pub longest_block_cpu: Duration,
}

impl Performance {
    /// Every note-on, in time order.
    pub fn hits(&self) -> BTreeSet<Hit> {
        self.events
            .iter()
            .filter(|event| event.is_on)
            .map(|&DrumEvent { frame, key, .. }| Hit { frame, key })
            .collect()
    }

    /// Everything wrong with the stream of notes; empty if nothing is.
    ///
    /// Events must come in time order, note-off before note-on on the same frame; a note-on needs its note-off before
    /// the key sounds again or the stage ends, and a note-off needs its note-on; only voices of the kit may sound.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut sounding = BTreeSet::new();
        let mut previous = (0, false);
        for event in &self.events {
            let &DrumEvent {
                frame, key, is_on, ..
            } = event;
            if (frame, is_on) < previous {
                faults.push(format!("sent too late: {event:?}"));
            }
            previous = (frame, is_on);
            if !KIT.contains(&key) {
                faults.push(format!("not a voice of the kit: {event:?}"));
            }
            if is_on && !(1.0..=127.0).contains(&event.velocity) {
                faults.push(format!("velocity out of range: {event:?}"));
            }
            let is_fine = if is_on {
                sounding.insert(key)
            } else {
                sounding.remove(&key)
            };
            if !is_fine {
                faults.push(format!("on twice, or off without on: {event:?}"));
            }
        }
        faults.extend(
            sounding
                .into_iter()
                .map(|key| format!("still sounding at the end: key {key}")),
        );
        faults
    }

    /// Highest absolute sample value in a range of frames; infinite if a sample is not finite.
    pub fn peak(&self, frames: std::ops::Range<usize>) -> f32 {
        [&self.left, &self.right]
            .into_iter()
            .filter_map(|channel| channel.get(frames.clone()))
            .flatten()
            .map(|sample| {
                if sample.is_finite() {
                    sample.abs()
                } else {
                    f32::INFINITY
                }
            })
            .fold(0.0, f32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(list: &[(u64, u8, bool)]) -> Performance {
        Performance {
            events: list
                .iter()
                .map(|&(frame, key, is_on)| DrumEvent {
                    frame,
                    key,
                    is_on,
                    velocity: if is_on { 100.0 } else { 0.0 },
                })
                .collect(),
            ..Performance::default()
        }
    }

    #[test]
    fn a_clean_stream_has_no_faults() {
        let clean = events(&[
            (0, 36, true),
            (9, 36, false),
            (9, 36, true),
            (10, 36, false),
        ]);
        assert_eq!(clean.faults(), Vec::<String>::new());
    }

    #[test]
    fn every_kind_of_fault_is_found() {
        for faulty in [
            &[(0, 36, true)][..],
            &[(0, 36, false)],
            &[(5, 36, true), (4, 36, false)],
            &[
                (0, 36, true),
                (9, 38, true),
                (9, 36, false),
                (10, 38, false),
            ],
            &[(0, 36, true), (3, 36, true), (9, 36, false)],
            &[(0, 60, true), (3, 60, false)],
        ] {
            assert_ne!(events(faulty).faults(), Vec::<String>::new(), "{faulty:?}");
        }
    }
}
