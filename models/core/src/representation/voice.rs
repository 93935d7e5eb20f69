//! The nine voices of the kit and their General MIDI notes.
//!
//! The reduction is the Groove MIDI Dataset's (Gillick et al., "Learning to Groove with Inverse Sequence
//! Transformations", 2019, table 1). Declaration order is frozen: it is the column order of every hit map and of every
//! weights file.

/// How many voices a kit has.
pub const N_VOICES: usize = 9;

/// How many voice groups there are, each with its own density.
pub const N_GROUPS: usize = 5;

/// One sound of the reduced kit.
///
/// ```
/// use lockstep_core::representation::{Voice, VoiceGroup};
///
/// assert_eq!(Voice::from_gm_note(36), Some(Voice::Kick));
/// assert_eq!(Voice::OpenHat.gm_note(), 46);
/// assert_eq!(Voice::Ride.group(), VoiceGroup::Cymbals);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Voice {
    /// Bass drum.
    Kick,
    /// Snare, rim and clap.
    Snare,
    /// Closed and pedal hi-hat.
    ClosedHat,
    /// Open hi-hat.
    OpenHat,
    /// Floor toms.
    LowTom,
    /// Middle toms.
    MidTom,
    /// High tom.
    HighTom,
    /// Crash, splash and china cymbals.
    Crash,
    /// Ride cymbal and its bell.
    Ride,
}

/// Voices that share one density control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum VoiceGroup {
    /// [`Voice::Kick`].
    Kick,
    /// [`Voice::Snare`].
    Snare,
    /// [`Voice::ClosedHat`] and [`Voice::OpenHat`].
    Hats,
    /// The three toms.
    Toms,
    /// [`Voice::Crash`] and [`Voice::Ride`].
    Cymbals,
}

impl Voice {
    /// Every voice, in column order.
    pub const ALL: [Self; N_VOICES] = [
        Self::Kick,
        Self::Snare,
        Self::ClosedHat,
        Self::OpenHat,
        Self::LowTom,
        Self::MidTom,
        Self::HighTom,
        Self::Crash,
        Self::Ride,
    ];

    /// Column of this voice in a hit map, in `0 .. N_VOICES`.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The General MIDI percussion note that this voice is played on.
    pub const fn gm_note(self) -> u8 {
        match self {
            Self::Kick => 36,
            Self::Snare => 38,
            Self::ClosedHat => 42,
            Self::OpenHat => 46,
            Self::LowTom => 45,
            Self::MidTom => 48,
            Self::HighTom => 50,
            Self::Crash => 49,
            Self::Ride => 51,
        }
    }

    /// The voice that a General MIDI percussion note reduces to; `None` for hand percussion and effects.
    pub const fn from_gm_note(note: u8) -> Option<Self> {
        Some(match note {
            35 | 36 => Self::Kick,
            37..=40 => Self::Snare,
            42 | 44 => Self::ClosedHat,
            46 => Self::OpenHat,
            41 | 43 | 45 => Self::LowTom,
            47 | 48 => Self::MidTom,
            50 => Self::HighTom,
            49 | 52 | 55 | 57 => Self::Crash,
            51 | 53 | 59 => Self::Ride,
            _ => return None,
        })
    }

    /// The voice that a key of Roland's TD-11 reduces to, as the Groove MIDI Dataset's page maps its recordings.
    ///
    /// The edges of the hats and the rim of the floor tom have their own keys, and the two rack toms are the high and the
    /// middle tom, whatever General MIDI calls their keys.
    pub const fn from_td11_note(note: u8) -> Option<Self> {
        match note {
            22 => Some(Self::ClosedHat),
            26 => Some(Self::OpenHat),
            43 | 58 => Some(Self::LowTom),
            45 | 47 => Some(Self::MidTom),
            48 | 50 => Some(Self::HighTom),
            _ => Self::from_gm_note(note),
        }
    }

    /// The group whose density decides whether this voice sounds.
    pub const fn group(self) -> VoiceGroup {
        match self {
            Self::Kick => VoiceGroup::Kick,
            Self::Snare => VoiceGroup::Snare,
            Self::ClosedHat | Self::OpenHat => VoiceGroup::Hats,
            Self::LowTom | Self::MidTom | Self::HighTom => VoiceGroup::Toms,
            Self::Crash | Self::Ride => VoiceGroup::Cymbals,
        }
    }

    /// Name to display.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kick => "Kick",
            Self::Snare => "Snare",
            Self::ClosedHat => "Closed hat",
            Self::OpenHat => "Open hat",
            Self::LowTom => "Low tom",
            Self::MidTom => "Mid tom",
            Self::HighTom => "High tom",
            Self::Crash => "Crash",
            Self::Ride => "Ride",
        }
    }

    /// Four letters for a drum grid printed as text.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Kick => "kick",
            Self::Snare => "snar",
            Self::ClosedHat => "clhh",
            Self::OpenHat => "ophh",
            Self::LowTom => "ltom",
            Self::MidTom => "mtom",
            Self::HighTom => "htom",
            Self::Crash => "crsh",
            Self::Ride => "ride",
        }
    }
}

impl VoiceGroup {
    /// Every group, in the order of its index.
    pub const ALL: [Self; N_GROUPS] = [
        Self::Kick,
        Self::Snare,
        Self::Hats,
        Self::Toms,
        Self::Cymbals,
    ];

    /// Index of the group, in `0 .. N_GROUPS`.
    pub const fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voice_order_and_drum_map_are_frozen() {
        let map: Vec<_> = Voice::ALL
            .iter()
            .map(|v| (v.label(), v.gm_note()))
            .collect();
        assert_eq!(
            map,
            [
                ("kick", 36),
                ("snar", 38),
                ("clhh", 42),
                ("ophh", 46),
                ("ltom", 45),
                ("mtom", 48),
                ("htom", 50),
                ("crsh", 49),
                ("ride", 51)
            ]
        );
    }

    #[test]
    fn every_voice_maps_back_from_its_own_note() {
        for (index, voice) in Voice::ALL.into_iter().enumerate() {
            assert_eq!(voice.index(), index);
            assert_eq!(Voice::from_gm_note(voice.gm_note()), Some(voice));
        }
    }
}
