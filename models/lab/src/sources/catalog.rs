//! Reads what an index says about a source's songs.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use lockstep_files::midi_file::TimeSignature;

use crate::corpus::{PercussionMap, Split};

/// What is known about a song before its file is read.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The collection it comes from.
    pub(crate) source: String,
    /// Style as the source names it, "" if unknown.
    pub(crate) style: String,
    /// Style as the table of known grooves has it, "" if it says nothing.
    pub(crate) groove: String,
    /// The split it belongs to; `None` if the source does not say.
    pub(crate) split: Option<Split>,
    /// Whether its licence is open.
    pub(crate) is_open: bool,
    /// The licence as the source names it, "" if unknown.
    pub(crate) licence: String,
    /// Whether the index says that a drummer played its velocities.
    pub(crate) has_dynamics: bool,
    /// Whether the index says that a drummer played its timing.
    pub(crate) has_timing: bool,
    /// Its only meter, if the index gives one; overrides the file.
    pub(crate) meter: Option<TimeSignature>,
    /// How to read its percussion keys.
    pub(crate) map: PercussionMap,
}

impl Entry {
    /// An entry where only the source is known.
    pub(super) fn unknown(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            style: String::new(),
            groove: String::new(),
            split: None,
            is_open: false,
            licence: String::new(),
            has_dynamics: false,
            has_timing: false,
            meter: None,
            map: PercussionMap::GeneralMidi,
        }
    }
}

/// Supported kinds of index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `index_dev.tsv`.
    Corpus,
    /// The Groove MIDI Dataset's `info.csv`.
    Groove,
}

impl Kind {
    /// The kind of index that a file with this path may be.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path.rsplit('/').next()? {
            "index_dev.tsv" => Some(Self::Corpus),
            "info.csv" => Some(Self::Groove),
            _ => None,
        }
    }
}

/// The songs of a source, by their path relative to the index's folder.
#[derive(Debug)]
pub(super) struct Catalog {
    /// The index's folder with a trailing `/`, or "".
    base: String,
    songs: BTreeMap<String, Entry>,
    /// Used for every song of a source without an index.
    default: Option<Entry>,
}

impl Catalog {
    /// A catalog without an index: it accepts every song.
    pub(super) fn none(source: &str) -> Self {
        Self {
            base: String::new(),
            songs: BTreeMap::new(),
            default: Some(Entry::unknown(source)),
        }
    }

    /// The songs of an index; `None` if an `info.csv` is something else.
    ///
    /// # Errors
    /// If a column is missing.
    pub(super) fn parse(kind: Kind, path: &str, text: &str) -> Result<Option<Self>> {
        let separator = match kind {
            Kind::Corpus => '\t',
            Kind::Groove => ',',
        };
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().split(separator).collect();
        if kind == Kind::Groove && !header.contains(&"midi_filename") {
            return Ok(None);
        }
        let column = |name: &str| {
            let found = header.iter().position(|column| column.trim() == name);
            found.with_context(|| format!("it has no column {name:?}"))
        };
        let names: &[&str] = match kind {
            Kind::Corpus => &[
                "path",
                "source",
                "genre",
                "split",
                "tier",
                "humanised",
                "licence",
            ],
            Kind::Groove => &["midi_filename", "style", "split", "time_signature"],
        };
        let columns = names
            .iter()
            .map(|name| column(name))
            .collect::<Result<Vec<_>>>()?;
        let songs = lines
            .filter_map(|line| {
                let row: Vec<&str> = line.split(separator).collect();
                let cells = columns
                    .iter()
                    .map(|&index| row.get(index).copied())
                    .collect::<Option<Vec<_>>>()?;
                match (kind, cells.as_slice()) {
                    (Kind::Corpus, &[path, source, genre, split, tier, humanised, licence]) => {
                        let entry = of_corpus(source, genre, split, tier, humanised);
                        let licence = licence.to_owned();
                        Some((path, Entry { licence, ..entry }))
                    }
                    (Kind::Groove, &[path, style, split, meter]) => {
                        Some((path, of_groove(path, style, split, meter)))
                    }
                    _ => None,
                }
            })
            .map(|(path, entry)| (path.to_owned(), entry))
            .collect();
        let base = path
            .rsplit_once('/')
            .map(|(folder, _)| format!("{folder}/"));
        Ok(Some(Self {
            base: base.unwrap_or_default(),
            songs,
            default: None,
        }))
    }

    pub(super) fn has_index(&self) -> bool {
        self.default.is_none()
    }

    pub(super) fn n_listed(&self) -> usize {
        self.songs.len()
    }

    /// A path relative to the index's folder.
    pub(super) fn relative<'a>(&self, path: &'a str) -> &'a str {
        path.strip_prefix(&self.base).unwrap_or(path)
    }

    /// The entry of a song; `None` if there is an index that does not list it.
    pub(super) fn entry(&self, path: &str) -> Option<&Entry> {
        self.songs.get(path).or(self.default.as_ref())
    }

    /// Paths of all songs in the index.
    pub(super) fn listed(&self) -> BTreeSet<&str> {
        self.songs.keys().map(String::as_str).collect()
    }
}

fn of_corpus(source: &str, genre: &str, split: &str, tier: &str, humanised: &str) -> Entry {
    Entry {
        style: genre.to_owned(),
        groove: genre.to_owned(),
        split: split_of(split),
        is_open: tier == "open",
        has_dynamics: humanised.contains('V'),
        has_timing: humanised.contains('T'),
        ..Entry::unknown(source)
    }
}

/// Played by people on a Roland TD-11.
fn of_groove(path: &str, style: &str, split: &str, meter: &str) -> Entry {
    let meter = meter.split_once('-').and_then(|(numerator, denominator)| {
        Some(TimeSignature {
            numerator: numerator.parse().ok()?,
            denominator: denominator.parse().ok()?,
        })
    });
    // `funk/groove1` is the first of ten songs that every drummer played; a fill is no groove.
    let groove = match style.rsplit_once("/groove") {
        _ if path.contains("_fill_") => "",
        Some((style, _)) => style,
        None => style,
    };
    Entry {
        // The style of `funk/groove1` is `funk`.
        style: style.split('/').next().unwrap_or_default().to_owned(),
        groove: groove.to_owned(),
        split: split_of(split),
        is_open: true,
        licence: "CC BY 4.0".to_owned(),
        meter,
        map: PercussionMap::RolandTd11,
        ..Entry::unknown("groove")
    }
}

fn split_of(name: &str) -> Option<Split> {
    match name.trim() {
        "train" => Some(Split::Train),
        "valid" | "validation" => Some(Split::Valid),
        "test" => Some(Split::Test),
        _ => None,
    }
}
