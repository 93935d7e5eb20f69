//! The MIDI controllers that a VST3 host may send.
//!
//! VST3 has no controller events; a plugin says which parameter each controller moves. The framework (nice-plug 0.4.2) lists a
//! hidden parameter for each of 130 controllers on each of 16 channels, and hosts that read every parameter take half a minute
//! for them. Only five controllers mean anything here. The parameter ids, and what moving one does, stay the framework's.

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::String128;

use crate::audio_thread::wire::{
    ALL_NOTES_OFF, ALL_SOUND_OFF, RESET_ALL_CONTROLLERS, SUSTAIN_PEDAL,
};

/// Number of MIDI channels.
const N_CHANNELS: usize = 16;

/// Controllers per channel in the framework's list: those of MIDI, pressure and bend.
const N_LISTED: usize = 130;

/// Number of hidden parameters in the framework's list, after the real ones.
pub(super) const N_FRAMEWORK: usize = N_LISTED * N_CHANNELS;

/// VST3's number for the pitch wheel.
const PITCH_BEND: u8 = 129;

/// The controllers that are heard, with their names.
const HEARD: [(u8, &str); 5] = [
    (SUSTAIN_PEDAL, "sustain pedal"),
    (ALL_SOUND_OFF, "all sound off"),
    (RESET_ALL_CONTROLLERS, "reset all controllers"),
    (ALL_NOTES_OFF, "all notes off"),
    (PITCH_BEND, "pitch bend"),
];

/// Number of hidden parameters that we list.
pub(super) const N_CONTROLLERS: usize = HEARD.len() * N_CHANNELS;

/// Whether a controller, by VST3's number, is heard.
pub(super) fn is_heard(number: i16) -> bool {
    HEARD.iter().any(|(heard, _)| i16::from(*heard) == number)
}

/// The hidden parameter at a place in our list: its place in the framework's list, and its name.
pub(super) fn hidden(place: usize) -> Option<(usize, String128)> {
    let (number, name) = *HEARD.get(place % HEARD.len())?;
    let channel = place / HEARD.len();
    let is_there = channel < N_CHANNELS;
    // The usual prefix: hosts that know it leave such parameters out of their lists.
    let text = format!("MIDI CC {number} on channel {}: {name}", channel + 1);
    let listed = channel * N_LISTED + usize::from(number);
    is_there.then(|| (listed, utf16(&text)))
}

/// The text as a VST3 string: cut if it does not fit, ended by a zero.
fn utf16(text: &str) -> String128 {
    let mut units = [0; 128];
    let last = units.len() - 1;
    for (place, unit) in units[..last].iter_mut().zip(text.encode_utf16()) {
        *place = unit;
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_five_heard_controllers_are_hidden_parameters_on_every_channel() {
        let hidden: Vec<_> = (0..N_CONTROLLERS + 5).map_while(hidden).collect();
        assert_eq!(hidden.len(), 80);
        let places: std::collections::BTreeSet<_> =
            hidden.iter().map(|(place, _)| *place).collect();
        assert_eq!(places.len(), 80);
        for number in 0..130 {
            let on_all = (0..16).all(|channel| places.contains(&(channel * 130 + number)));
            let is_heard = is_heard(i16::try_from(number).unwrap_or(-1));
            assert_eq!(on_all, is_heard, "controller {number}");
            assert_eq!(is_heard, [64, 120, 121, 123, 129].contains(&number));
        }
        assert!(!is_heard(-1) && !is_heard(130));
        let (place, name) = hidden[9];
        let name = String::from_utf16_lossy(&name);
        let name = name.trim_end_matches('\0');
        assert_eq!((place, name), (259, "MIDI CC 129 on channel 2: pitch bend"));
    }
}
