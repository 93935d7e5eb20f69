//! Reading a corpus file: songs and measures as slices of a memory map.

use std::fs::File;
use std::mem::size_of;
use std::path::{Path, PathBuf};

use lockstep_core::family::Family;
use lockstep_core::representation::{Meter, Swing};
use memmap2::Mmap;

use super::format::{
    self, FORMAT_VERSION, HAS_BASS, HAS_DYNAMICS, HAS_TIMING, Header, IS_LABEL_KNOWN,
    IS_OF_NO_FAMILY, IS_OPEN, Layout, MAGIC, MeasureRow, SPLIT_BITS, Sections, SongRow,
};
use super::{BassNote, CorpusError, DrumHit, GrooveLabel, Split};

/// A corpus file, mapped into memory; threads can share it.
pub struct Corpus {
    path: PathBuf,
    map: Mmap,
    /// Matches the map: every record was checked when the file was opened.
    layout: Layout,
}

impl std::fmt::Debug for Corpus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Corpus")
            .field("path", &self.path)
            .field("n_songs", &self.n_songs())
            .finish_non_exhaustive()
    }
}

impl Corpus {
    /// Maps a file and checks every record, which reads it once from start to end.
    ///
    /// # Errors
    /// [`CorpusError::Read`], [`CorpusError::Foreign`], [`CorpusError::Version`] or [`CorpusError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, CorpusError> {
        let at = || path.to_path_buf();
        let map = map(path).map_err(|source| CorpusError::Read { path: at(), source })?;
        if map.get(..MAGIC.len()) != Some(&MAGIC[..]) {
            return Err(CorpusError::Foreign { path: at() });
        }
        let damaged = |what| CorpusError::Damaged { path: at(), what };
        let header: Header = map
            .get(..size_of::<Header>())
            .map(bytemuck::pod_read_unaligned)
            .ok_or_else(|| damaged("its header is cut off".to_owned()))?;
        if header.version != FORMAT_VERSION {
            return Err(CorpusError::Version {
                path: at(),
                got: header.version,
                expected: FORMAT_VERSION,
            });
        }
        let layout = Layout::new(&header)
            .filter(|layout| layout.text.end == map.len())
            .ok_or_else(|| {
                damaged(format!(
                    "{} bytes are not the length its header announces",
                    map.len()
                ))
            })?;
        format::check(&Sections::new(&map, &layout)).map_err(damaged)?;
        Ok(Self {
            path: at(),
            map,
            layout,
        })
    }

    /// How many songs it holds, of all splits.
    pub fn n_songs(&self) -> usize {
        self.layout.songs.len() / size_of::<SongRow>()
    }

    /// A song by its index, in `0 .. n_songs`.
    ///
    /// # Panics
    /// If there is no such song.
    pub fn song(&self, idx: usize) -> SongView<'_> {
        let sections = Sections::new(&self.map, &self.layout);
        let row = &sections.songs[idx];
        let text = |piece| format::text_of(sections.text, piece).unwrap_or_default();
        let has = |flag| row.flags & flag != 0;
        let first = row.first_measure as usize;
        SongView {
            idx,
            name: text(row.name),
            source: text(row.source),
            style: text(row.style),
            split: Split::ALL[(row.flags & SPLIT_BITS) as usize],
            is_open: has(IS_OPEN),
            has_bass: has(HAS_BASS),
            has_dynamics: has(HAS_DYNAMICS),
            has_timing: has(HAS_TIMING),
            weight: row.weight,
            label: Family::ALL
                .get(row.family as usize)
                .map(|&family| GrooveLabel {
                    family,
                    certainty: row.certainty,
                    is_known: has(IS_LABEL_KNOWN),
                }),
            is_of_no_family: has(IS_OF_NO_FAMILY),
            // Includes the record that ends the last measure.
            measures: &sections.measures[first..=first + row.n_measures as usize],
            bass: sections.bass,
            hits: sections.hits,
        }
    }

    /// The songs of a split, in the order of the file.
    pub fn songs(&self, split: Split) -> impl Iterator<Item = SongView<'_>> {
        (0..self.n_songs())
            .map(|idx| self.song(idx))
            .filter(move |song| song.split == split)
    }
}

#[expect(
    unsafe_code,
    reason = "100 MB open at once only with a memory map, which the standard library lacks"
)]
fn map(path: &Path) -> std::io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: the bytes must not change while they are mapped. `write` never changes a file in place: it makes a new
    // one and renames it over the old, whose pages stay as they are for as long as the map lives.
    unsafe { Mmap::map(&file) }
}

/// A song of a corpus.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "five independent facts")]
pub struct SongView<'a> {
    /// Index in the corpus.
    pub idx: usize,
    /// Its path within its source.
    pub name: &'a str,
    /// The collection or folder it comes from.
    pub source: &'a str,
    /// Style as the source names it, "" if unknown.
    pub style: &'a str,
    /// What it is used for.
    pub split: Split,
    /// Whether its licence is an open one.
    pub is_open: bool,
    /// Whether it has any bass note.
    pub has_bass: bool,
    /// Whether its drum velocities vary as if played.
    pub has_dynamics: bool,
    /// Whether its drum hits are off the grid like a drummer's.
    pub has_timing: bool,
    /// How often it is drawn in training, in (0, 1]; see [`Repetition`](super::Repetition).
    pub weight: f32,
    /// Which groove it plays; `None` if nobody knows.
    pub label: Option<GrooveLabel>,
    /// Whether its source names a groove of none of the families: it has no label, and none is to be guessed.
    pub is_of_no_family: bool,
    /// Its measures, plus the record after the last.
    measures: &'a [MeasureRow],
    /// Of the whole corpus.
    bass: &'a [BassNote],
    /// Of the whole corpus.
    hits: &'a [DrumHit],
}

impl std::fmt::Debug for SongView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SongView")
            .field("idx", &self.idx)
            .field("name", &self.name)
            .field("n_measures", &self.n_measures())
            .finish_non_exhaustive()
    }
}

impl<'a> SongView<'a> {
    /// How many measures it has.
    pub fn n_measures(&self) -> usize {
        self.measures.len().saturating_sub(1)
    }

    /// A measure by its index; beyond the end, an empty one in 4/4 at 120 BPM.
    pub fn measure(&self, idx: usize) -> MeasureView<'a> {
        let rows = (self.measures.get(idx), self.measures.get(idx + 1));
        let (Some(row), Some(next)) = rows else {
            return MeasureView::default();
        };
        MeasureView {
            meter: Meter::new(row.numerator, row.denominator).unwrap_or_default(),
            tempo_bpm: row.tempo_bpm,
            swing: row.swing(),
            bass: &self.bass[row.first_bass as usize..next.first_bass as usize],
            hits: &self.hits[row.first_hit as usize..next.first_hit as usize],
        }
    }

    /// Every measure, in order.
    pub fn measures(self) -> impl Iterator<Item = MeasureView<'a>> {
        (0..self.n_measures()).map(move |idx| self.measure(idx))
    }
}

/// One measure of a song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasureView<'a> {
    /// Its meter, which says how many steps it has.
    pub meter: Meter,
    /// Tempo at its first step, in BPM.
    pub tempo_bpm: f32,
    /// How late its off-beats are; offsets count from the steps of the grid that swings so, [`Swing::in_meter`].
    pub swing: Swing,
    /// Bass notes that begin in it, by step, then key.
    pub bass: &'a [BassNote],
    /// Drum hits by step, then voice; at most one per step and voice.
    pub hits: &'a [DrumHit],
}

impl Default for MeasureView<'_> {
    /// Empty, straight, in 4/4 at 120 BPM.
    fn default() -> Self {
        Self {
            meter: Meter::COMMON,
            tempo_bpm: 120.0,
            swing: Swing::STRAIGHT,
            bass: &[],
            hits: &[],
        }
    }
}
