//! How often people keep the rules: in the labelled songs of a corpus.

use lockstep_core::family::{Family, N_FAMILIES};
use lockstep_core::representation::Voice;

use super::share::Share;
use super::{rules, sheet};
use crate::corpus::{Corpus, SongView};

/// Sources that name the groove. Others name the song: that everybody knows one as disco does not make every measure of it so,
/// and its drums may be anybody's.
const GROOVE_SOURCES: [&str; 4] = ["mma_render", "jjazz_styles", "groove", "riddim_archive"];

/// How sure a label must be to count.
const SURE: f32 = 0.7;

/// People's measures against the rules.
#[derive(Clone, Debug, Default)]
pub(super) struct People {
    /// Of each family: its own measures, in sources that name the groove.
    pub(super) own: [Share; N_FAMILIES],
    /// Of each family: its own measures, in songs known by their titles.
    pub(super) titled: [Share; N_FAMILIES],
    /// Of each family: measures of the other families, in sources that name the groove.
    pub(super) others: [Share; N_FAMILIES],
}

impl People {
    /// Measures a corpus. Labels that only a classifier gave do not count.
    pub(super) fn of(corpus: &Corpus) -> Self {
        let mut people = Self::default();
        for song in (0..corpus.n_songs()).map(|idx| corpus.song(idx)) {
            let label = song
                .label
                .filter(|label| label.is_known && label.certainty >= SURE);
            if let Some(label) = label
                && is_whole(song, label.family)
            {
                people.add(song, label.family);
            }
        }
        people
    }

    fn add(&mut self, song: SongView<'_>, own: Family) {
        let has_groove_name = GROOVE_SOURCES.contains(&song.source);
        for view in song.measures().filter(|view| !view.hits.is_empty()) {
            let measure = sheet::of_corpus(view);
            for family in Family::ALL {
                let Some(is_kept) = rules::keeps(family, &measure) else {
                    continue;
                };
                let shares = match (family == own, has_groove_name) {
                    (true, true) => &mut self.own,
                    (true, false) => &mut self.titled,
                    (false, true) => &mut self.others,
                    (false, false) => continue,
                };
                shares[family.index()].add(is_kept);
            }
        }
    }
}

/// Whether a song has all of its drums. Some arrangements leave the kick to the bass, or to a channel that is not read; in
/// swing, in Cuban music and on the march there may be none.
fn is_whole(song: SongView<'_>, family: Family) -> bool {
    let may_lack_kick = matches!(
        family,
        Family::Swing | Family::JazzWaltz | Family::Salsa | Family::March
    );
    let is_kick = |voice: u8| usize::from(voice) == Voice::Kick.index();
    may_lack_kick
        || song
            .measures()
            .any(|view| view.hits.iter().any(|hit| is_kick(hit.voice)))
}
