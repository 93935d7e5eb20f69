//! Which voices have a row on the Play page: all fourteen, or only those in use.

use arrayvec::ArrayVec;
use lockstep_core::representation::{N_VOICES, Voice};
use lockstep_engine::realtime::{Cells, Pin, Pins, Snapshot};

use super::grid::FAINTEST;
use crate::params::VoiceParams;

/// The voices that are shown, top to bottom.
pub(super) type ShownVoices = ArrayVec<Voice, N_VOICES>;

/// Whether unused voices are folded away, and which have been used since.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rows {
    is_folded: bool,
    /// Bit `v` is set for the voice in place `v` of [`Voice::ALL`]. A voice that was used once stays, so that rows do not
    /// come and go from measure to measure.
    used: u16,
}

impl Rows {
    /// Whether unused voices are folded away.
    pub(super) fn is_folded(self) -> bool {
        self.is_folded
    }

    /// Folds unused voices away, or unfolds them. Folding again forgets which were used.
    pub(super) fn toggle(&mut self) {
        *self = Self {
            is_folded: !self.is_folded,
            used: 0,
        };
    }

    /// While folded, notes which voices are in use: planned at any density, played in the window, pinned or forbidden, muted or
    /// soloed.
    pub(super) fn follow(&mut self, seen: &Snapshot, pins: Pins, switches: &VoiceParams) {
        if !self.is_folded {
            return;
        }
        let is_planned = |cells: &Cells, voice: Voice| {
            cells
                .iter()
                .any(|step| step[voice.index()].presence.value() >= FAINTEST)
        };
        for voice in Voice::ALL {
            let of_voice = switches.of(voice);
            let is_used = is_planned(&seen.now, voice)
                || seen
                    .next
                    .as_ref()
                    .is_some_and(|next| is_planned(next, voice))
                || seen.played.iter().any(|step| step[voice.index()] > 0.0)
                || (0..seen.now.len()).any(|step_idx| pins.at(step_idx, voice) != Pin::Free)
                || of_voice.mute.value()
                || of_voice.solo.value();
            self.used |= u16::from(is_used) << voice.index();
        }
    }

    /// The voices to show: all of them, unless they are folded and some are in use.
    pub(super) fn shown(self) -> ShownVoices {
        let is_shown = |voice: &Voice| {
            !self.is_folded || self.used == 0 || self.used >> voice.index() & 1 == 1
        };
        Voice::ALL.into_iter().filter(is_shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_leaves_the_voices_in_use_and_unfolding_brings_all_back() {
        let switches = VoiceParams::default();
        let mut rows = Rows::default();
        let mut pins = Pins::default();
        let mut seen = Snapshot::default();
        rows.follow(&seen, pins, &switches);
        assert_eq!(rows.shown().len(), N_VOICES);
        rows.toggle();
        assert_eq!(rows.shown().len(), N_VOICES, "nothing is in use yet");
        seen.played[3][Voice::Kick.index()] = 0.5;
        pins.set(4, Voice::Clap, Pin::Pinned);
        rows.follow(&seen, pins, &switches);
        assert_eq!(rows.shown().as_slice(), [Voice::Kick, Voice::Clap]);
        rows.follow(&Snapshot::default(), Pins::default(), &switches);
        assert_eq!(rows.shown().len(), 2, "rows stay");
        rows.toggle();
        assert_eq!(rows.shown().len(), N_VOICES);
    }
}
