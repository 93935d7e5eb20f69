//! The families of grooves that a player asks for by name, and what a drummer plays in each.
//!
//! Declaration order is frozen, and so are the ids: weights name their styles and the corpus its labels with them. Knows
//! nothing of how a groove is recognised or made.

/// How many families there are.
pub const N_FAMILIES: usize = 26;

/// A family of grooves: what a bassist would call out to the drummer.
///
/// ```
/// use lockstep_core::family::Family;
///
/// assert_eq!(Family::BossaNova.name(), "Bossa nova");
/// assert_eq!(Family::from_id("bossa-nova"), Some(Family::BossaNova));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Family {
    /// Backbeat on two and four, eighths on the hat or the ride, kick on one and around three.
    Rock,
    /// Hard rock and metal: a heavy backbeat or half time, crashes to ride on, kicks in eighths, sixteenths or gallops.
    HardRock,
    /// Fast straight eighths, kick and snare in turn; at its fastest the snare on every off-beat.
    Punk,
    /// Backbeat on two and four, steady eighths or sixteenths, a kick that follows the bass, often a clap or a tambourine.
    Pop,
    /// Slow, sparse: side stick or snare on two and four, a hat in quarters or eighths, few kicks.
    Ballad,
    /// Country train beat: the snare in running sixteenths, by brushes or sticks, accents off the beat, kick on one and three.
    TrainBeat,
    /// Country two-beat: kick on one and three, snare or side stick on two and four, a closed hat or brushes, nothing more.
    TwoBeat,
    /// Swung eighths on hat or ride, backbeat on two and four.
    BluesShuffle,
    /// The ride's "ding, ding-a-ding", foot hat on two and four, a feathered kick, the snare in comments.
    Swing,
    /// Three swung beats: ride with a skip note, foot hat on two, a light kick on one.
    JazzWaltz,
    /// Kick on one, something light on two and three.
    Waltz,
    /// Sixteenths with ghost notes, kick on one, backbeat, syncopated kicks in between.
    Funk,
    /// Steady eighths, backbeat or the snare on all four beats of Motown, a tambourine.
    Soul,
    /// R&B: a laid-back backbeat of snare, side stick or clap, sparse syncopated kicks, a busy hat in swung sixteenths.
    RhythmAndBlues,
    /// Kick on all four, open hat off the beat, snare or clap on two and four.
    Disco,
    /// A machine's kick on all four, open hat off the beat, clap on two and four, shakers.
    House,
    /// A loop: snare or clap on two and four, a broken kick that leaves three free, a hat in eighths or sixteenths.
    HipHop,
    /// Fast breakbeat: kick on one and the "and" of three, snare on two and four, ghosts between.
    DrumAndBass,
    /// Reggae: one-drop (nothing on one, kick with side stick or snare on three), rockers and steppers.
    Reggae,
    /// Ska: fast, kick with side stick or snare on two and four or on three, hat or ride off the beat.
    Ska,
    /// Side stick in the bossa's clave, kick on one and three with its pick-ups, steady eighths on hat, shaker or brush.
    BossaNova,
    /// Surdo on two and on the pick-ups in the kick, running sixteenths on hat, shaker or snare, syncopated side stick.
    Samba,
    /// Salsa and son: clave on the side stick, cascara or bell on ride or hat, kick on the "and" of two, no backbeat.
    Salsa,
    /// Gospel and ballads in 6/8 or 12/8: running eighths on the hat, kick on one, backbeat on four.
    GospelSixEight,
    /// March: kick on the strong beats, snare in rolls, rudiments and after-beats.
    March,
    /// New Orleans: second line, a street beat on the snare with the bass drum's "big four".
    NewOrleans,
}

impl Family {
    /// Every family, in the order of its index.
    pub const ALL: [Self; N_FAMILIES] = [
        Self::Rock,
        Self::HardRock,
        Self::Punk,
        Self::Pop,
        Self::Ballad,
        Self::TrainBeat,
        Self::TwoBeat,
        Self::BluesShuffle,
        Self::Swing,
        Self::JazzWaltz,
        Self::Waltz,
        Self::Funk,
        Self::Soul,
        Self::RhythmAndBlues,
        Self::Disco,
        Self::House,
        Self::HipHop,
        Self::DrumAndBass,
        Self::Reggae,
        Self::Ska,
        Self::BossaNova,
        Self::Samba,
        Self::Salsa,
        Self::GospelSixEight,
        Self::March,
        Self::NewOrleans,
    ];

    /// Index of the family, in `0 .. N_FAMILIES`.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Name for players, as weights with this style have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rock => "Rock",
            Self::HardRock => "Hard rock and metal",
            Self::Punk => "Punk",
            Self::Pop => "Pop",
            Self::Ballad => "Ballad",
            Self::TrainBeat => "Country train beat",
            Self::TwoBeat => "Country two-beat",
            Self::BluesShuffle => "Blues shuffle",
            Self::Swing => "Swing",
            Self::JazzWaltz => "Jazz waltz",
            Self::Waltz => "Waltz",
            Self::Funk => "Funk",
            Self::Soul => "Soul",
            Self::RhythmAndBlues => "R&B",
            Self::Disco => "Disco",
            Self::House => "House",
            Self::HipHop => "Hip-hop",
            Self::DrumAndBass => "Drum and bass",
            Self::Reggae => "Reggae",
            Self::Ska => "Ska",
            Self::BossaNova => "Bossa nova",
            Self::Samba => "Samba",
            Self::Salsa => "Salsa and son",
            Self::GospelSixEight => "Gospel 6/8",
            Self::March => "March",
            Self::NewOrleans => "New Orleans",
        }
    }

    /// Name in files: lowercase letters, digits and hyphens. Frozen.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Rock => "rock",
            Self::HardRock => "hard-rock",
            Self::Punk => "punk",
            Self::Pop => "pop",
            Self::Ballad => "ballad",
            Self::TrainBeat => "train-beat",
            Self::TwoBeat => "two-beat",
            Self::BluesShuffle => "blues-shuffle",
            Self::Swing => "swing",
            Self::JazzWaltz => "jazz-waltz",
            Self::Waltz => "waltz",
            Self::Funk => "funk",
            Self::Soul => "soul",
            Self::RhythmAndBlues => "rhythm-and-blues",
            Self::Disco => "disco",
            Self::House => "house",
            Self::HipHop => "hip-hop",
            Self::DrumAndBass => "drum-and-bass",
            Self::Reggae => "reggae",
            Self::Ska => "ska",
            Self::BossaNova => "bossa-nova",
            Self::Samba => "samba",
            Self::Salsa => "salsa",
            Self::GospelSixEight => "gospel-six-eight",
            Self::March => "march",
            Self::NewOrleans => "new-orleans",
        }
    }

    /// The family with this id; `None` if there is none.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.id() == id)
    }

    /// The family with this name for players, whatever the case of its letters; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|family| family.name().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_ids_of_the_families_are_frozen() {
        let ids: Vec<&str> = Family::ALL.into_iter().map(Family::id).collect();
        assert_eq!(
            ids.join(" "),
            "rock hard-rock punk pop ballad train-beat two-beat blues-shuffle swing jazz-waltz waltz funk soul \
             rhythm-and-blues disco house hip-hop drum-and-bass reggae ska bossa-nova samba salsa gospel-six-eight march \
             new-orleans"
        );
    }

    #[test]
    fn every_family_is_found_by_its_id_and_by_its_name() {
        for (index, family) in Family::ALL.into_iter().enumerate() {
            assert_eq!(family.index(), index);
            assert_eq!(Family::from_id(family.id()), Some(family));
            assert_eq!(Family::from_name(family.name()), Some(family));
        }
        assert_eq!(Family::from_id("polka"), None);
    }

    #[test]
    fn an_id_can_be_the_name_of_a_file() {
        for family in Family::ALL {
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(family.id().chars().all(is_plain), "{family:?}");
        }
    }
}
