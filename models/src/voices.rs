//! The voices that a network plays, by version of the representation: each is a column of its inputs and outputs.
//!
//! A network keeps the voices it was trained for. A newer kit has more; what a network hears of them is folded into its own
//! columns, and what it plays lies in the kit's. So everything beside the network, such as request and hit map, has a place
//! for every voice of the kit, whatever the network's version.

use lockstep_core::representation::{N_VOICES, REPRESENTATION_VERSION, Voice};
use serde::{Deserialize, Serialize};

/// The voices of one version of the representation, written as its number.
///
/// ```
/// use lockstep_core::representation::Voice;
/// use lockstep_models::voices::VoiceSet;
///
/// let old = VoiceSet::Version1;
/// assert_eq!(old.voices().len(), 9);
/// assert_eq!(old.column(Voice::SideStick), old.column(Voice::Snare));
/// assert_eq!(old.column(Voice::Shaker), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum VoiceSet {
    /// Nine. Side stick and clap are snares, the pedal hat is a closed hat, and there is no hand percussion.
    Version1,
    /// All fourteen.
    #[default]
    Version2,
}

/// There is no such version of the representation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no version {0} of the representation, this program has 1 to {REPRESENTATION_VERSION}"
)]
pub struct UnknownVersion(u32);

/// Column of each voice of the kit in each set.
static COLUMNS: [[Option<usize>; N_VOICES]; 2] =
    [columns(VoiceSet::Version1), columns(VoiceSet::Version2)];

const fn columns(set: VoiceSet) -> [Option<usize>; N_VOICES] {
    let voices = set.voices();
    let mut columns = [None; N_VOICES];
    let mut of = 0;
    while of < N_VOICES {
        if let Some(heard) = set.heard_as(Voice::ALL[of]) {
            let mut column = 0;
            while voices[column].index() != heard.index() {
                column += 1;
            }
            columns[of] = Some(column);
        }
        of += 1;
    }
    columns
}

impl VoiceSet {
    /// The set of a version of the representation, if this program knows it.
    pub const fn of_version(version: u32) -> Option<Self> {
        match version {
            1 => Some(Self::Version1),
            2 => Some(Self::Version2),
            _ => None,
        }
    }

    /// The version's number.
    pub const fn version(self) -> u32 {
        match self {
            Self::Version1 => 1,
            Self::Version2 => REPRESENTATION_VERSION,
        }
    }

    /// Its voices, in column order.
    pub const fn voices(self) -> &'static [Voice] {
        match self {
            Self::Version1 => &Voice::VERSION_1,
            Self::Version2 => &Voice::ALL,
        }
    }

    /// How many voices it has.
    pub const fn n(self) -> usize {
        self.voices().len()
    }

    /// The voice of the set that a voice of the kit is heard as; `None` if it is left out.
    pub const fn heard_as(self, voice: Voice) -> Option<Voice> {
        match self {
            Self::Version1 => voice.in_version_1(),
            Self::Version2 => Some(voice),
        }
    }

    /// The column in which a voice of the kit is heard; `None` if it is left out.
    pub fn column(self, voice: Voice) -> Option<usize> {
        COLUMNS[self as usize][voice.index()]
    }

    /// A row of the kit, by [`Voice::index`], as a row of the set: the first [`Self::n`] columns. Of several voices in one
    /// column the greatest value counts, so of hits the loudest.
    pub fn fold<T: Copy + Default + PartialOrd>(self, row: &[T; N_VOICES]) -> [T; N_VOICES] {
        let mut folded = [T::default(); N_VOICES];
        for (value, column) in row.iter().zip(COLUMNS[self as usize]) {
            if let Some(cell) = column.and_then(|column| folded.get_mut(column))
                && *value > *cell
            {
                *cell = *value;
            }
        }
        folded
    }
}

impl TryFrom<u32> for VoiceSet {
    type Error = UnknownVersion;

    fn try_from(version: u32) -> Result<Self, UnknownVersion> {
        Self::of_version(version).ok_or(UnknownVersion(version))
    }
}

impl From<VoiceSet> for u32 {
    fn from(set: VoiceSet) -> Self {
        set.version()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_set_is_the_whole_kit_in_its_order() {
        let newest = VoiceSet::default();
        assert_eq!(newest.version(), REPRESENTATION_VERSION);
        assert_eq!(newest.voices(), Voice::ALL);
        let row: [usize; N_VOICES] = std::array::from_fn(|i| i);
        assert_eq!(newest.fold(&row), row);
        assert_eq!(VoiceSet::of_version(REPRESENTATION_VERSION + 1), None);
    }

    #[test]
    fn the_first_version_hears_the_louder_of_two_voices_and_no_hand_percussion() {
        let mut row = [0.0; N_VOICES];
        for (voice, velocity) in [
            (Voice::Snare, 0.3),
            (Voice::SideStick, 0.8),
            (Voice::Clap, 0.5),
            (Voice::ClosedHat, 0.6),
            (Voice::PedalHat, 0.2),
            (Voice::Ride, 0.9),
            (Voice::Tambourine, 1.0),
            (Voice::Shaker, 1.0),
        ] {
            row[voice.index()] = velocity;
        }
        let heard = VoiceSet::Version1.fold(&row);
        assert_eq!(heard[..9], [0.0, 0.8, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9]);
        assert_eq!(heard[9..], [0.0; 5]);
        let hits = VoiceSet::Version1.fold(&row.map(|velocity| velocity > 0.0));
        assert_eq!(heard.map(|velocity| velocity > 0.0), hits);
    }

    #[test]
    fn every_voice_of_a_set_has_its_own_column() {
        for set in [VoiceSet::Version1, VoiceSet::Version2] {
            for (column, voice) in set.voices().iter().enumerate() {
                assert_eq!(set.column(*voice), Some(column));
            }
        }
    }

    #[test]
    fn a_set_is_written_as_its_version() {
        let read = |text: &str| serde_json::from_str::<VoiceSet>(text);
        assert_eq!(read("1").ok(), Some(VoiceSet::Version1));
        assert_eq!(
            serde_json::to_string(&VoiceSet::Version2).ok().as_deref(),
            Some("2")
        );
        let refused = read("3").map_err(|error| error.to_string());
        assert!(refused.is_err_and(|text| text.contains("version 3") && text.contains("1 to 2")));
    }
}
