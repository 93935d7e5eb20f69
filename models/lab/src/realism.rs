//! Realism: whether a drummer's takes can be told from what people played to the same bass, and what either plays how often.
//!
//! Two questions. A classifier that has learnt other songs is shown windows of four measures and says whether a person played:
//! right half of the time is the best that a drummer can reach. And a vocabulary: shares of measures with what drummers have
//! names for. Both agree with the script `c2st.py`, which hears the nine voices of version 1 of the representation; the
//! figures on fourteen voices are [`KitUse`]'s.

mod kit_use;
mod two_samples;
mod vocabulary;
mod window_figures;
mod windows;

pub use kit_use::KitUse;
pub use two_samples::{Verdict, View};
pub use vocabulary::Vocabulary;

use lockstep_files::measured_song::MeasuredSong;
use windows::{Window, windows};

/// What is measured of takes beside people's drums in the same windows.
#[derive(Clone, Copy, Debug)]
pub struct Realism {
    /// Windows of either side.
    pub n_windows: usize,
    /// Songs that they are from.
    pub n_songs: usize,
    /// How well takes can be told from people, in the order of [`View::ALL`]; `None` for fewer songs than folds.
    pub verdicts: [Option<Verdict>; View::ALL.len()],
    /// The takes.
    pub take: Habits,
    /// People in the same windows.
    pub people: Habits,
}

/// What a drummer plays, and how often: shares of measures with what drummers have names for.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// On the nine voices that `c2st.py` hears.
    pub vocabulary: Vocabulary,
    /// On all fourteen.
    pub kit_use: KitUse,
}

impl Realism {
    /// Compares takes with people. Each pair is one song: the take, then what people played.
    pub fn of(songs: &[(MeasuredSong, MeasuredSong)]) -> Self {
        let windows = windows(songs);
        let mut n_songs: Vec<usize> = windows.iter().map(|window| window.song).collect();
        n_songs.dedup();
        Self {
            n_windows: windows.len() / 2,
            n_songs: n_songs.len(),
            verdicts: View::ALL.map(|view| two_samples::tell_apart(&windows, view)),
            take: Habits::of(&windows, true),
            people: Habits::of(&windows, false),
        }
    }
}

impl Habits {
    /// Those of people in all their windows.
    pub fn of_people(songs: impl IntoIterator<Item = MeasuredSong>) -> Self {
        let songs = songs.into_iter();
        let pairs: Vec<_> = songs.map(|song| (song.clone(), song)).collect();
        Self::of(&windows(&pairs), false)
    }

    fn of(windows: &[Window], is_take: bool) -> Self {
        let side: Vec<&Window> = windows.iter().filter(|w| w.is_take == is_take).collect();
        Self {
            vocabulary: Vocabulary::of(&side),
            kit_use: KitUse::of(&side),
        }
    }
}
