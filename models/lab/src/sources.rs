//! Sources of songs: a folder, a `.tar.xz` or a `.zip` of MIDI files, with what its index says about each.
//!
//! Returns songs as bytes, one at a time and always in the same order; parses no notes. Every file yields its bytes or
//! the reason why it could not be read.

mod catalog;
mod container;

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

pub(crate) use catalog::Entry;
use catalog::{Catalog, Kind};
use container::{Container, Item};

/// Size limit of a MIDI file that is read; the largest of 20,000 real ones is a tenth of it.
const MAX_MIDI_BYTES: u64 = 16 << 20;
/// Size limit of an index that is read.
const MAX_INDEX_BYTES: u64 = 256 << 20;

/// A folder or archive with songs.
#[derive(Debug)]
pub(crate) struct Source {
    container: Container,
    /// Source name for songs whose index names none: the name of the folder or archive.
    name: String,
    catalog: Catalog,
}

/// One song of a source.
#[derive(Debug)]
pub(crate) struct SongFile {
    /// Path within the source, relative to the index's folder.
    pub(crate) path: String,
    /// The file's bytes, or why it cannot be read.
    pub(crate) bytes: std::result::Result<Vec<u8>, String>,
    /// What the index says about it.
    pub(crate) entry: Entry,
}

impl Source {
    /// Opens a source and looks for its index: `index_dev.tsv`, or the Groove MIDI Dataset's `info.csv`.
    ///
    /// # Errors
    /// If there is no such folder or archive, or its index lacks a required column.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let container = Container::open(path)?;
        let mut found = None;
        let visited = container.visit(&mut |item| {
            let Some(kind) = Kind::of(item.path) else {
                return Ok(ControlFlow::Continue(()));
            };
            if let Ok(bytes) = item.bytes(MAX_INDEX_BYTES) {
                let text = String::from_utf8_lossy(&bytes);
                let catalog = Catalog::parse(kind, item.path, &text)
                    .with_context(|| format!("reading the index {}", item.path))?;
                found = catalog;
            }
            Ok(match found {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            })
        });
        // A damaged archive reports the damage again when its songs are read; the songs before the damage are kept.
        if let Err(error) = visited {
            ensure!(
                error.is::<container::UnreadableEntry>(),
                error.context(format!("opening {}", path.display()))
            );
        }
        let name = container::plain_name(path);
        Ok(Self {
            catalog: found.unwrap_or_else(|| Catalog::none(&name)),
            name,
            container,
        })
    }

    /// The folder's or archive's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is an index, which says more about the songs than their files do.
    pub(crate) fn has_index(&self) -> bool {
        self.catalog.has_index()
    }

    /// How many songs the index lists.
    pub(crate) fn n_listed(&self) -> usize {
        self.catalog.n_listed()
    }

    /// Passes every song to `take`; those that are listed but missing come last.
    ///
    /// # Errors
    /// Errors from `take`. A damaged archive is not an error: its last song holds the reason.
    pub(crate) fn read(&self, take: &mut dyn FnMut(SongFile) -> Result<()>) -> Result<()> {
        let mut unseen = self.catalog.listed();
        let outcome = self.container.visit(&mut |item: &mut Item<'_>| {
            if !is_midi(item.path) {
                return Ok(ControlFlow::Continue(()));
            }
            let path = self.catalog.relative(item.path).to_owned();
            let (entry, bytes) = match self.catalog.entry(&path) {
                Some(entry) => (entry.clone(), item.bytes(MAX_MIDI_BYTES)),
                None => (
                    Entry::unknown(&self.name),
                    Err("not in the index".to_owned()),
                ),
            };
            unseen.remove(path.as_str());
            take(SongFile { path, bytes, entry })?;
            Ok(ControlFlow::Continue(()))
        });
        if let Err(error) = outcome {
            let damage = error.downcast::<container::UnreadableEntry>()?;
            return take(SongFile {
                path: String::new(),
                bytes: Err(format!("{damage}; the rest is lost")),
                entry: Entry::unknown(&self.name),
            });
        }
        for path in unseen {
            take(SongFile {
                path: path.to_owned(),
                bytes: Err("in the index, but missing".to_owned()),
                entry: self
                    .catalog
                    .entry(path)
                    .cloned()
                    .unwrap_or_else(|| Entry::unknown(&self.name)),
            })?;
        }
        Ok(())
    }
}

/// Whether a path is that of a MIDI file, and not the `._` file that macOS puts beside one in archives.
fn is_midi(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = Path::new(name).extension();
    extension.is_some_and(|end| end.eq_ignore_ascii_case("mid") || end.eq_ignore_ascii_case("midi"))
        && !name.starts_with("._")
}
