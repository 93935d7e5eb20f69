//! What a drummer would say of one measure: kick on all four, backbeat, half time, side stick in a clave.
//!
//! The mean of many measures forgets which hits fall together; these are counted measure by measure.

use lockstep_core::representation::{Limb, N_VOICES, Voice, VoiceGroup};

use crate::corpus::MeasureView;

/// How many things are said of a measure of four beats, and of one of three.
pub(super) const N_PATTERNS: usize = 20;

/// The steps of a measure as bits, for each voice.
struct Steps([u32; N_VOICES]);

impl Steps {
    fn of(measure: MeasureView<'_>) -> Self {
        let mut steps = [0; N_VOICES];
        for hit in measure.hits {
            steps[usize::from(hit.voice)] |= 1 << u32::from(hit.step_idx).min(31);
        }
        Self(steps)
    }

    fn any(&self, is_in: impl Fn(Voice) -> bool) -> u32 {
        let voices = Voice::ALL.into_iter().filter(|voice| is_in(*voice));
        voices.fold(0, |steps, voice| steps | self.0[voice.index()])
    }
}

/// Steps as bits.
const fn bits(steps: &[u32]) -> u32 {
    let (mut sum, mut idx) = (0, 0);
    while idx < steps.len() {
        sum |= 1 << steps[idx];
        idx += 1;
    }
    sum
}

const BEATS: u32 = bits(&[0, 4, 8, 12]);
const BACKBEATS: u32 = bits(&[4, 12]);
const STRONG_BEATS: u32 = bits(&[0, 8]);
const OFF_BEATS: u32 = bits(&[2, 6, 10, 14]);
const ODD_STEPS: u32 = bits(&[1, 3, 5, 7, 9, 11, 13, 15]);
const SKIPS: u32 = bits(&[6, 7, 14, 15]);
const THREE_BEATS: u32 = bits(&[0, 4, 8]);
const EIGHTHS_OF_THREE: u32 = bits(&[0, 2, 4, 6, 8, 10]);

/// What is true of a measure of sixteen or of twelve steps; `None` of another.
pub(super) fn patterns(measure: MeasureView<'_>) -> Option<[bool; N_PATTERNS]> {
    let steps = Steps::of(measure);
    let kick = steps.0[Voice::Kick.index()];
    let snare = steps.any(|voice| voice.group() == VoiceGroup::Snare);
    let time = steps.any(|voice| {
        let is_hat = voice.group() == VoiceGroup::Hats && voice != Voice::PedalHat;
        is_hat || voice == Voice::Ride || voice.group() == VoiceGroup::Percussion
    });
    let hands = steps.any(|voice| voice.limb() == Limb::Stick);
    let of = |voice: Voice| steps.0[voice.index()];
    let has = |steps: u32, all: u32| steps & all == all;
    let n = |steps: u32| steps.count_ones();
    match measure.meter.n_steps() {
        16 => Some([
            has(kick, BEATS),
            has(kick, STRONG_BEATS) && kick & BACKBEATS == 0,
            kick & STRONG_BEATS == 0,
            n(kick & !BEATS) >= 3,
            kick & bits(&[0, 1]) == 0 && kick & bits(&[8]) != 0,
            has(snare, BACKBEATS) && snare & STRONG_BEATS == 0,
            has(snare, bits(&[8])) && snare & BACKBEATS == 0,
            has(snare, BEATS),
            n(snare) >= 9,
            n(of(Voice::SideStick) & !BACKBEATS) >= 3,
            has(of(Voice::SideStick), BACKBEATS),
            n(of(Voice::OpenHat) & OFF_BEATS) >= 3 && of(Voice::OpenHat) & BEATS == 0,
            n(time & OFF_BEATS) >= 3 && n(time & BEATS) <= 1,
            n(time) >= 13,
            has(time, BEATS | OFF_BEATS) && n(time & ODD_STEPS) <= 2,
            has(time, BEATS) && n(time & !BEATS) == 0,
            n(of(Voice::Ride) & BEATS) >= 3 && of(Voice::Ride) & SKIPS != 0,
            has(of(Voice::PedalHat), BACKBEATS),
            n(hands) <= 2,
            n(snare & ODD_STEPS) >= 2,
        ]),
        12 => {
            let mut said = [false; N_PATTERNS];
            let of_three = [
                kick & 1 != 0 && kick & !1 == 0,
                has(snare | time, bits(&[4, 8])),
                has(time, THREE_BEATS) && n(time & !THREE_BEATS) == 0,
                has(time, EIGHTHS_OF_THREE),
                has(snare, bits(&[6])) && snare & bits(&[0, 4, 8]) == 0,
                of(Voice::Ride) != 0,
                has(of(Voice::PedalHat), bits(&[4])),
                n(snare) >= 5,
            ];
            said[..of_three.len()].copy_from_slice(&of_three);
            Some(said)
        }
        _ => None,
    }
}
