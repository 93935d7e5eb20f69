//! What is known of a song's groove from its source: from the name of its style, or from its title.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use lockstep_core::family::Family;
use serde::Deserialize;

use crate::corpus::GrooveLabel;

/// Which family each style of a labelled source is.
const STYLES: &str = include_str!("../../../labels/styles.toml");

/// Which family well-known songs are.
const TITLES: &str = include_str!("../../../labels/titles.toml");

/// Longest word at the end of a file's name that is a mark of its version, such as `jc2`.
const MAX_MARK: usize = 3;

/// In place of a family's id.
const NONE: &str = "none";

/// What a source says of a song's groove.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Said {
    /// It is this.
    Family(GrooveLabel),
    /// It is none of the families.
    NoFamily,
    /// It does not say.
    Nothing,
}

/// The tables of what is known.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// By source, then style.
    styles: BTreeMap<(String, String), Said>,
    titles: BTreeMap<String, Said>,
}

/// A table in a file: names that are one family.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    source: String,
    family: String,
    #[serde(default)]
    certainty: f32,
    names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    #[serde(default)]
    style: Vec<Entry>,
    #[serde(default)]
    title: Vec<Entry>,
}

impl Known {
    /// Reads the tables that come with the program.
    ///
    /// # Errors
    /// Names the table and the entry that is wrong.
    pub(crate) fn read() -> Result<Self> {
        Self::parse(STYLES, TITLES)
    }

    fn parse(styles: &str, titles: &str) -> Result<Self> {
        let tables = |text: &str, name| -> Result<Tables> {
            toml::from_str(text).with_context(|| format!("reading models/labels/{name}"))
        };
        let mut known = Self {
            styles: BTreeMap::new(),
            titles: BTreeMap::new(),
        };
        for entry in tables(styles, "styles.toml")?.style {
            let said = entry.said()?;
            for style in entry.names {
                let key = (entry.source.clone(), style);
                let what = format!("{key:?} is in models/labels/styles.toml twice");
                ensure!(known.styles.insert(key, said).is_none(), what);
            }
        }
        for entry in tables(titles, "titles.toml")?.title {
            let said = entry.said()?;
            for title in entry.names {
                let what = format!("{title:?} is in models/labels/titles.toml twice");
                ensure!(known.titles.insert(title, said).is_none(), what);
            }
        }
        Ok(known)
    }

    /// What is known of a song by its source, the style that the source names and the path of its file.
    pub(crate) fn of(&self, source: &str, style: &str, path: &str) -> Said {
        let by_title = self.by_title(path);
        if by_title != Said::Nothing {
            return by_title;
        }
        let key = (source.to_owned(), style.to_owned());
        self.styles.get(&key).copied().unwrap_or(Said::Nothing)
    }

    /// What is known of a song by the name of its file.
    pub(crate) fn by_title(&self, path: &str) -> Said {
        let title = title(path);
        let mut rest = title.as_str();
        loop {
            if let Some(said) = self.titles.get(rest) {
                return *said;
            }
            match rest.rsplit_once(' ') {
                Some((before, mark)) if mark.len() <= MAX_MARK => rest = before,
                _ => return Said::Nothing,
            }
        }
    }
}

impl Entry {
    fn said(&self) -> Result<Said> {
        if self.family == NONE {
            return Ok(Said::NoFamily);
        }
        let family = Family::from_id(&self.family);
        let family = family
            .with_context(|| format!("models/labels: there is no family {:?}", self.family))?;
        let certainty = self.certainty;
        ensure!(
            certainty > 0.0 && certainty <= 1.0,
            "models/labels: the certainty of {:?} is {certainty}",
            self.names
        );
        Ok(Said::Family(GrooveLabel {
            family,
            certainty,
            is_known: true,
        }))
    }
}

/// A file's name in lower case with its words, letters and digits alone, one space apart; without its ending and without the
/// six hexadecimal digits before it by which the corpus tells files of one name apart.
fn title(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let name = name
        .strip_suffix(".mid")
        .or(name.strip_suffix(".midi"))
        .unwrap_or(&name);
    let is_mark = |mark: &str| mark.len() == 6 && mark.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = match name.rsplit_once('.') {
        Some((before, mark)) if is_mark(mark) => before,
        _ => name,
    };
    let name = name.replace(['\'', '’', '`'], "");
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// The text of the tables, for a fingerprint.
pub(crate) fn tables() -> [&'static str; 2] {
    [STYLES, TITLES]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every style that the labelled sources have, one a line: source, tab, style.
    const SEEN: &str = include_str!("../../../labels/seen.tsv");

    #[test]
    fn every_style_of_a_labelled_source_is_decided() -> Result<()> {
        let known = Known::read()?;
        let mut n_families = 0;
        for line in SEEN.lines() {
            let (source, style) = line.split_once('\t').context("a tab")?;
            let said = known.of(source, style, "");
            assert_ne!(said, Said::Nothing, "{line}");
            n_families += usize::from(said != Said::NoFamily);
        }
        assert!(n_families > 200, "{n_families}");
        assert_eq!(
            known.styles.len(),
            SEEN.lines().count(),
            "a style in the table that no source has"
        );
        Ok(())
    }

    #[test]
    fn every_family_but_drum_and_bass_has_a_style_and_every_family_a_song() -> Result<()> {
        let known = Known::read()?;
        let has =
            |said: &Said, family| matches!(said, Said::Family(label) if label.family == family);
        for family in Family::ALL {
            assert!(
                known.styles.values().any(|said| has(said, family)),
                "{family:?}"
            );
            assert!(
                known.titles.values().any(|said| has(said, family)),
                "{family:?}"
            );
        }
        Ok(())
    }

    #[test]
    fn labels_of_songs_that_are_too_broad_say_nothing() -> Result<()> {
        let known = Known::read()?;
        for (source, style) in [
            ("uniltan_ss14", "pop/rock"),
            ("malice", "mixed"),
            ("freedoom", "game/metal"),
        ] {
            assert_eq!(known.of(source, style, "some song.mid"), Said::Nothing);
        }
        Ok(())
    }

    #[test]
    fn a_song_is_known_by_its_title_whatever_marks_its_file_has() -> Result<()> {
        let titles = "[[title]]\nfamily = \"bossa-nova\"\ncertainty = 0.9\nnames = [\"one note samba\"]\n\
                      [[title]]\nfamily = \"none\"\nnames = [\"wild world\"]";
        let known = Known::parse("", titles)?;
        for path in [
            "x/One_Note-Samba.2a1d5c.mid",
            "one note samba.mid",
            "One Note Samba_jc2.MID",
        ] {
            let Said::Family(label) = known.of("jazz", "", path) else {
                anyhow::bail!("{path} is not known");
            };
            assert_eq!((label.family, label.is_known), (Family::BossaNova, true));
        }
        assert_eq!(known.by_title("one note.mid"), Said::Nothing);
        assert_eq!(known.by_title("one note samba live.mid"), Said::Nothing);
        assert_eq!(known.by_title("Wild World 2.mid"), Said::NoFamily);
        Ok(())
    }

    #[test]
    fn a_wrong_table_is_an_error_that_names_the_entry() {
        let complaint = |styles: &str| {
            Known::parse(styles, "")
                .err()
                .map(|error| format!("{error:#}"))
                .unwrap_or_default()
        };
        let entry = |family, certainty| {
            format!(
                "[[style]]\nsource = \"a\"\nfamily = \"{family}\"\ncertainty = {certainty}\nnames = [\"x\"]\n"
            )
        };
        assert!(complaint(&entry("polka", 0.5)).contains("no family \"polka\""));
        assert!(complaint(&entry("ska", 1.5)).contains("certainty of [\"x\"] is 1.5"));
        assert!(complaint(&(entry("ska", 0.5) + &entry("samba", 0.5))).contains("twice"));
        assert_eq!(complaint(&entry("ska", 0.5)), "");
    }
}
