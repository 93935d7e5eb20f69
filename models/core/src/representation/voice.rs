//! The fourteen voices of the kit, their six groups, and the keys they are read from.
//!
//! Declaration order is frozen: it is the column order of every hit map and of every weights file of this version.
//! Sources of the key tables: General MIDI 1 and 2, percussion key maps (MIDI Association, RP-003 and RP-024); Roland TD-11,
//! owner's manual, data list; the Groove MIDI Dataset's page (Gillick et al., "Learning to Groove with Inverse Sequence
//! Transformations", 2019, table 1), whose nine voices were version 1 of this representation.

/// How many voices a kit has.
pub const N_VOICES: usize = 14;

/// How many voice groups there are, each with its own density.
pub const N_GROUPS: usize = 6;

/// One sound of the kit.
///
/// ```
/// use lockstep_core::representation::{Voice, VoiceGroup};
///
/// assert_eq!(Voice::from_gm_note(36), Some(Voice::Kick));
/// assert_eq!(Voice::OpenHat.gm_note(), 46);
/// assert_eq!(Voice::SideStick.group(), VoiceGroup::Snare);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Voice {
    /// Bass drum.
    Kick,
    /// Snare: centre, edge and rim shot.
    Snare,
    /// Side stick (cross stick) on the snare's rim.
    SideStick,
    /// Hand clap.
    Clap,
    /// Hi-hat struck while closed.
    ClosedHat,
    /// Hi-hat closed by the foot.
    PedalHat,
    /// Hi-hat struck while open.
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
    /// Tambourine.
    Tambourine,
    /// Shaker, cabasa and maracas.
    Shaker,
}

/// Voices that share one density control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum VoiceGroup {
    /// [`Voice::Kick`].
    Kick,
    /// [`Voice::Snare`], [`Voice::SideStick`] and [`Voice::Clap`].
    Snare,
    /// The three of the hi-hat.
    Hats,
    /// The three toms.
    Toms,
    /// [`Voice::Crash`] and [`Voice::Ride`].
    Cymbals,
    /// [`Voice::Tambourine`] and [`Voice::Shaker`].
    Percussion,
}

/// What a drummer plays a voice with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limb {
    /// A foot: the kick's or the hi-hat's.
    Foot,
    /// A hand with a stick. Two hands play at most two such voices at once.
    Stick,
    /// No limb of the drummer: claps and hand percussion, which others play or are recorded on top.
    Other,
}

/// Whether a step with these voices is impossible to play: more of them need a stick than a drummer has hands.
///
/// ```
/// use lockstep_core::representation::{Voice, is_impossible};
///
/// let feet_and_hands = [Voice::Kick, Voice::PedalHat, Voice::Ride, Voice::Snare];
/// assert!(!is_impossible(feet_and_hands));
/// assert!(is_impossible(feet_and_hands.into_iter().chain([Voice::Crash])));
/// ```
pub fn is_impossible(voices: impl IntoIterator<Item = Voice>) -> bool {
    const N_HANDS: usize = 2;
    let sticks = voices
        .into_iter()
        .filter(|voice| voice.limb() == Limb::Stick);
    sticks.count() > N_HANDS
}

impl Voice {
    /// Every voice, in column order.
    pub const ALL: [Self; N_VOICES] = [
        Self::Kick,
        Self::Snare,
        Self::SideStick,
        Self::Clap,
        Self::ClosedHat,
        Self::PedalHat,
        Self::OpenHat,
        Self::LowTom,
        Self::MidTom,
        Self::HighTom,
        Self::Crash,
        Self::Ride,
        Self::Tambourine,
        Self::Shaker,
    ];

    /// The voices of version 1 of the representation, in its column order.
    pub const VERSION_1: [Self; 9] = [
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

    /// The voice that version 1 heard and played in its place; `None` for hand percussion, which it left out.
    pub const fn in_version_1(self) -> Option<Self> {
        match self {
            Self::SideStick | Self::Clap => Some(Self::Snare),
            Self::PedalHat => Some(Self::ClosedHat),
            Self::Tambourine | Self::Shaker => None,
            _ => Some(self),
        }
    }

    /// Column of this voice in a hit map, in `0 .. N_VOICES`.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// A number for random draws that belong to this voice: that of version 1 for its nine, so that a seed's draws for them
    /// stay as they were, then the others in column order.
    pub const fn draw_idx(self) -> u64 {
        match self {
            Self::Kick => 0,
            Self::Snare => 1,
            Self::ClosedHat => 2,
            Self::OpenHat => 3,
            Self::LowTom => 4,
            Self::MidTom => 5,
            Self::HighTom => 6,
            Self::Crash => 7,
            Self::Ride => 8,
            Self::SideStick => 9,
            Self::Clap => 10,
            Self::PedalHat => 11,
            Self::Tambourine => 12,
            Self::Shaker => 13,
        }
    }

    /// The General MIDI percussion note that this voice is played on. The shaker is played on the maracas': the shaker's own, 82,
    /// is not in General MIDI 1.
    pub const fn gm_note(self) -> u8 {
        match self {
            Self::Kick => 36,
            Self::Snare => 38,
            Self::SideStick => 37,
            Self::Clap => 39,
            Self::ClosedHat => 42,
            Self::PedalHat => 44,
            Self::OpenHat => 46,
            Self::LowTom => 45,
            Self::MidTom => 48,
            Self::HighTom => 50,
            Self::Crash => 49,
            Self::Ride => 51,
            Self::Tambourine => 54,
            Self::Shaker => 70,
        }
    }

    /// The voice that a General MIDI percussion note reduces to; `None` for other hand percussion and effects.
    pub const fn from_gm_note(note: u8) -> Option<Self> {
        Some(match note {
            35 | 36 => Self::Kick,
            37 => Self::SideStick,
            38 | 40 => Self::Snare,
            39 => Self::Clap,
            42 => Self::ClosedHat,
            44 => Self::PedalHat,
            46 => Self::OpenHat,
            41 | 43 | 45 => Self::LowTom,
            47 | 48 => Self::MidTom,
            50 => Self::HighTom,
            49 | 52 | 55 | 57 => Self::Crash,
            51 | 53 | 59 => Self::Ride,
            54 => Self::Tambourine,
            69 | 70 | 82 => Self::Shaker,
            _ => return None,
        })
    }

    /// The voice that a key of Roland's TD-11 reduces to, as the Groove MIDI Dataset's page maps its recordings.
    ///
    /// The edges of the hats and the rim of the floor tom have their own keys, and the two rack toms are the high and the
    /// middle tom, whatever General MIDI calls their keys. The rim of the snare (40) is a rim shot; its cross stick is 37.
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
            Self::Snare | Self::SideStick | Self::Clap => VoiceGroup::Snare,
            Self::ClosedHat | Self::PedalHat | Self::OpenHat => VoiceGroup::Hats,
            Self::LowTom | Self::MidTom | Self::HighTom => VoiceGroup::Toms,
            Self::Crash | Self::Ride => VoiceGroup::Cymbals,
            Self::Tambourine | Self::Shaker => VoiceGroup::Percussion,
        }
    }

    /// What a drummer plays this voice with.
    pub const fn limb(self) -> Limb {
        match self {
            Self::Kick | Self::PedalHat => Limb::Foot,
            Self::Clap | Self::Tambourine | Self::Shaker => Limb::Other,
            _ => Limb::Stick,
        }
    }

    /// Name to display.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kick => "Kick",
            Self::Snare => "Snare",
            Self::SideStick => "Side stick",
            Self::Clap => "Clap",
            Self::ClosedHat => "Closed hat",
            Self::PedalHat => "Pedal hat",
            Self::OpenHat => "Open hat",
            Self::LowTom => "Low tom",
            Self::MidTom => "Mid tom",
            Self::HighTom => "High tom",
            Self::Crash => "Crash",
            Self::Ride => "Ride",
            Self::Tambourine => "Tambourine",
            Self::Shaker => "Shaker",
        }
    }

    /// Four letters for a drum grid printed as text.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Kick => "kick",
            Self::Snare => "snar",
            Self::SideStick => "side",
            Self::Clap => "clap",
            Self::ClosedHat => "clhh",
            Self::PedalHat => "pdhh",
            Self::OpenHat => "ophh",
            Self::LowTom => "ltom",
            Self::MidTom => "mtom",
            Self::HighTom => "htom",
            Self::Crash => "crsh",
            Self::Ride => "ride",
            Self::Tambourine => "tamb",
            Self::Shaker => "shkr",
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
        Self::Percussion,
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
                ("side", 37),
                ("clap", 39),
                ("clhh", 42),
                ("pdhh", 44),
                ("ophh", 46),
                ("ltom", 45),
                ("mtom", 48),
                ("htom", 50),
                ("crsh", 49),
                ("ride", 51),
                ("tamb", 54),
                ("shkr", 70)
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

    #[test]
    fn each_voice_of_version_1_is_still_itself() {
        for (index, voice) in Voice::VERSION_1.into_iter().enumerate() {
            assert_eq!(voice.in_version_1(), Some(voice));
            assert_eq!(voice.draw_idx(), index as u64);
        }
        let mut draws = Voice::ALL.map(Voice::draw_idx);
        draws.sort_unstable();
        assert!(draws.into_iter().eq(0..N_VOICES as u64));
        for voice in Voice::ALL {
            assert!(
                voice
                    .in_version_1()
                    .is_none_or(|old| Voice::VERSION_1.contains(&old))
            );
        }
    }

    #[test]
    fn the_recordings_of_the_groove_dataset_keep_cross_stick_rim_and_pedal_apart() {
        let voices = [37, 38, 40, 42, 22, 44, 46, 26].map(Voice::from_td11_note);
        assert_eq!(
            voices,
            [
                Voice::SideStick,
                Voice::Snare,
                Voice::Snare,
                Voice::ClosedHat,
                Voice::ClosedHat,
                Voice::PedalHat,
                Voice::OpenHat,
                Voice::OpenHat
            ]
            .map(Some)
        );
    }
}
