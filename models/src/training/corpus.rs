//! Songs with a bass and a drum part, on the step grid, read from a folder of MIDI files and its index.
//!
//! The index is a tab-separated file `index_dev.tsv` with the columns `path`, `source` and `split` among others; the
//! paths are relative to the folder. Only songs in 4/4 throughout are used.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::midi_file::{self, Pick, Song};
use crate::network::NET_STEPS;
use crate::representation::{N_VOICES, STEPS_PER_BEAT, Voice};

/// Name of the index in the corpus folder.
pub const INDEX: &str = "index_dev.tsv";

/// Which songs: to learn from, to choose by, to report on. Songs of one group are never in two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Learnt from.
    Train,
    /// Chosen by.
    Valid,
    /// Reported on.
    Test,
}

/// Why the corpus cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The index cannot be read.
    #[error("cannot read the corpus index {path}: unpack the corpus there")]
    Index {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The index lacks a column.
    #[error("the corpus index has no column {0:?}")]
    Column(&'static str),
    /// No song of the split could be used.
    #[error("the corpus in {0} holds no usable song of this split")]
    Empty(PathBuf),
}

/// A bass note on the step grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridNote {
    /// Step it begins at, from the start of the song.
    pub step: u32,
    /// Steps it sounds for, at least one.
    pub n_steps: u32,
    /// MIDI key.
    pub key: u8,
}

/// One song on the step grid.
#[derive(Clone, Debug)]
pub struct GridSong {
    /// Path in the index.
    pub path: String,
    /// How readily the song is drawn in training; 1 for most.
    pub weight: f32,
    /// Whole measures of 4/4.
    pub n_measures: usize,
    /// Sorted by step.
    pub bass: Vec<GridNote>,
    /// MIDI velocity of each voice at each step, `(T, V)`; 0 where it is not hit.
    pub drums: Vec<[u8; N_VOICES]>,
}

/// What was read, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Songs kept.
    pub kept: usize,
    /// Songs in another meter than 4/4.
    pub other_meter: usize,
    /// Files that are no MIDI files, or lack a part.
    pub refused: usize,
}

/// Paths of the songs of a split, in index order, with their source.
///
/// # Errors
/// [`CorpusError`] if the index cannot be read.
pub fn list(folder: &Path, split: Split) -> Result<Vec<(String, String)>, CorpusError> {
    let path = folder.join(INDEX);
    let text = fs::read_to_string(&path).map_err(|source| CorpusError::Index { path, source })?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let column = |name| {
        header
            .iter()
            .position(|h| *h == name)
            .ok_or(CorpusError::Column(name))
    };
    let (path, source, of_split) = (column("path")?, column("source")?, column("split")?);
    let wanted = match split {
        Split::Train => "train",
        Split::Valid => "valid",
        Split::Test => "test",
    };
    Ok(lines
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|row| row.get(of_split) == Some(&wanted))
        .filter_map(|row| Some((row.get(path)?.to_string(), row.get(source)?.to_string())))
        .collect())
}

/// Reads every song of a split, on all cores.
///
/// # Errors
/// [`CorpusError`] if the index cannot be read or no song is left. A file that cannot be used is counted, not an error.
pub fn read(folder: &Path, split: Split) -> Result<(Vec<GridSong>, Census), CorpusError> {
    let songs: Vec<_> = list(folder, split)?
        .into_par_iter()
        .map(|(path, source)| {
            let song = fs::read(folder.join(&path))
                .ok()
                .and_then(|bytes| midi_file::read(&bytes, Pick::default()).ok())?;
            Some(to_grid(path, &source, &song))
        })
        .collect();
    let mut census = Census::default();
    let mut kept = Vec::new();
    for song in songs {
        match song {
            None => census.refused += 1,
            Some(None) => census.other_meter += 1,
            Some(Some(song)) => kept.push(song),
        }
    }
    census.kept = kept.len();
    if kept.is_empty() {
        return Err(CorpusError::Empty(folder.to_path_buf()));
    }
    Ok((kept, census))
}

/// The song on the step grid, or `None` if it is not in 4/4 throughout.
pub fn to_grid(path: String, source: &str, song: &Song) -> Option<GridSong> {
    if !song.is_common_time() {
        return None;
    }
    let n_steps = nearest_step(song.length.0) as usize + 1;
    let n_measures = n_steps.div_ceil(NET_STEPS);
    let bass = song
        .bass
        .iter()
        .map(|note| {
            let step = nearest_step(note.start.0);
            GridNote {
                step,
                n_steps: nearest_step(note.end.0).saturating_sub(step).max(1),
                key: note.key,
            }
        })
        .collect();
    let mut drums = vec![[0; N_VOICES]; n_measures * NET_STEPS];
    for note in &song.drums {
        if let Some(voice) = Voice::from_gm_note(note.key)
            && let Some(row) = drums.get_mut(nearest_step(note.start.0) as usize)
        {
            row[voice.index()] = row[voice.index()].max(note.velocity);
        }
    }
    // Renders of accompaniment patterns hold few distinct measures: 4,054 in 94,000.
    let weight = if source == "mma_render" { 0.25 } else { 1.0 };
    Some(GridSong {
        path,
        weight,
        n_measures,
        bass,
        drums,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the reader bounds positions to 100,000 measures and none is negative"
)]
fn nearest_step(beats: f64) -> u32 {
    (beats * f64::from(STEPS_PER_BEAT)).round() as u32
}
