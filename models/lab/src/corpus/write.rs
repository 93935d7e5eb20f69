//! Writing a corpus file, completely or not at all.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;

use lockstep_core::draws;
use lockstep_core::representation::{Meter, Swing};
use lockstep_files::whole::WholeFile;

use super::format::{
    self, FORMAT_VERSION, HAS_BASS, HAS_DYNAMICS, HAS_TIMING, Header, IS_LABEL_KNOWN,
    IS_OF_NO_FAMILY, IS_OPEN, MAGIC, MeasureRow, NO_FAMILY, Sections, SongRow, Text,
};
use super::{BassNote, CorpusError, DrumHit, GrooveLabel, MeasureView, SongView, Split};

/// A song to be written; the fields are those of [`SongView`].
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
pub struct SongRecord {
    /// Its path within its source.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// Style as the source names it, "" if unknown.
    pub style: String,
    /// What it is used for.
    pub split: Split,
    /// Whether its licence is an open one.
    pub is_open: bool,
    /// Whether its drum velocities vary as if played.
    pub has_dynamics: bool,
    /// Whether its drum hits are off the grid like a drummer's.
    pub has_timing: bool,
    /// How often it is drawn in training, in (0, 1].
    pub weight: f32,
    /// Which groove it plays; `None` if nobody knows.
    pub label: Option<GrooveLabel>,
    /// Whether its source names a groove of none of the families.
    pub is_of_no_family: bool,
    /// Its measures, in order.
    pub measures: Vec<MeasureRecord>,
}

/// A measure to be written; the fields are those of [`MeasureView`].
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureRecord {
    /// Its meter.
    pub meter: Meter,
    /// Tempo at its first step, in BPM.
    pub tempo_bpm: f32,
    /// How late its off-beats are, kept to a hundredth.
    pub swing: Swing,
    /// By step.
    pub bass: Vec<BassNote>,
    /// By step, then voice; at most one per step and voice.
    pub hits: Vec<DrumHit>,
}

impl Default for SongRecord {
    /// No name, no label and no measures, for training, not open, weight 1.
    fn default() -> Self {
        Self {
            name: String::new(),
            source: String::new(),
            style: String::new(),
            split: Split::Train,
            is_open: false,
            has_dynamics: false,
            has_timing: false,
            weight: 1.0,
            label: None,
            is_of_no_family: false,
            measures: Vec::new(),
        }
    }
}

impl SongRecord {
    /// A hash of where its bass and drums are, regardless of name, tempo and dynamics.
    pub fn music_hash(&self) -> u64 {
        self.measures.iter().fold(0, |hash, measure| {
            let bass = measure
                .bass
                .iter()
                .map(|note| u64::from(note.step_idx) << 8 | u64::from(note.key));
            let hits = measure
                .hits
                .iter()
                .map(|hit| 1 << 16 | u64::from(hit.step_idx) << 8 | u64::from(hit.voice));
            let words: Vec<u64> = [hash, measure.meter.n_steps() as u64]
                .into_iter()
                .chain(bass)
                .chain(hits)
                .collect();
            draws::hash(&words)
        })
    }
}

impl From<SongView<'_>> for SongRecord {
    fn from(song: SongView<'_>) -> Self {
        Self {
            name: song.name.to_owned(),
            source: song.source.to_owned(),
            style: song.style.to_owned(),
            split: song.split,
            is_open: song.is_open,
            has_dynamics: song.has_dynamics,
            has_timing: song.has_timing,
            weight: song.weight,
            label: song.label,
            is_of_no_family: song.is_of_no_family,
            measures: song.measures().map(MeasureRecord::from).collect(),
        }
    }
}

impl From<MeasureView<'_>> for MeasureRecord {
    fn from(measure: MeasureView<'_>) -> Self {
        Self {
            meter: measure.meter,
            tempo_bpm: measure.tempo_bpm,
            swing: measure.swing,
            bass: measure.bass.to_vec(),
            hits: measure.hits.to_vec(),
        }
    }
}

/// Writes a corpus file. Needs as much memory as the file is large; a stop or a full disk leaves the old file, or none.
///
/// # Errors
/// [`CorpusError::Record`] if a song breaks the rules of its fields, [`CorpusError::Write`] if writing fails.
pub fn write(path: &Path, songs: impl IntoIterator<Item = SongRecord>) -> Result<(), CorpusError> {
    let mut builder = Builder::default();
    for song in songs {
        builder.song(&song)?;
    }
    builder.end_measure()?;
    let header = builder.header()?;
    format::check(&Sections {
        songs: &builder.songs,
        measures: &builder.measures,
        bass: &builder.bass,
        hits: &builder.hits,
        text: &builder.text,
    })
    .map_err(CorpusError::Record)?;
    builder
        .save(&header, path)
        .map_err(|source| CorpusError::Write {
            path: path.to_path_buf(),
            source,
        })
}

/// The sections as they are built.
#[derive(Default)]
struct Builder {
    songs: Vec<SongRow>,
    measures: Vec<MeasureRow>,
    bass: Vec<BassNote>,
    hits: Vec<DrumHit>,
    text: Vec<u8>,
    /// Sources and styles, which many songs share.
    shared: HashMap<String, Text>,
}

impl Builder {
    fn song(&mut self, song: &SongRecord) -> Result<(), CorpusError> {
        let first_measure = index(self.measures.len())?;
        for measure in &song.measures {
            self.measures.push(MeasureRow {
                first_bass: index(self.bass.len())?,
                first_hit: index(self.hits.len())?,
                tempo_bpm: measure.tempo_bpm,
                numerator: measure.meter.numerator(),
                denominator: measure.meter.denominator(),
                swing_eighths: format::hundredths(measure.swing.eighths()),
                swing_sixteenths: format::hundredths(measure.swing.sixteenths()),
            });
            self.bass.extend(&measure.bass);
            self.hits.extend(&measure.hits);
        }
        let has_bass = song.measures.iter().any(|m| !m.bass.is_empty());
        let flags = [
            (song.is_open, IS_OPEN),
            (has_bass, HAS_BASS),
            (song.has_dynamics, HAS_DYNAMICS),
            (song.has_timing, HAS_TIMING),
            (song.is_of_no_family, IS_OF_NO_FAMILY),
            (
                song.label.is_some_and(|label| label.is_known),
                IS_LABEL_KNOWN,
            ),
        ];
        let split = song.split as u32;
        let row = SongRow {
            first_measure,
            n_measures: index(song.measures.len())?,
            flags: flags
                .iter()
                .filter(|flag| flag.0)
                .fold(split, |all, flag| all | flag.1),
            weight: song.weight,
            certainty: song.label.map_or(0.0, |label| label.certainty),
            family: song.label.map_or(NO_FAMILY, |label| label.family as u32),
            name: self.text(&song.name)?,
            source: self.shared_text(&song.source)?,
            style: self.shared_text(&song.style)?,
        };
        self.songs.push(row);
        Ok(())
    }

    /// The record that ends the last measure.
    fn end_measure(&mut self) -> Result<(), CorpusError> {
        self.measures.push(MeasureRow {
            first_bass: index(self.bass.len())?,
            first_hit: index(self.hits.len())?,
            tempo_bpm: 0.0,
            numerator: 0,
            denominator: 0,
            swing_eighths: 0,
            swing_sixteenths: 0,
        });
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<Text, CorpusError> {
        let piece = Text {
            at: index(self.text.len())?,
            len: index(text.len())?,
        };
        self.text.extend(text.as_bytes());
        Ok(piece)
    }

    fn shared_text(&mut self, text: &str) -> Result<Text, CorpusError> {
        if let Some(&piece) = self.shared.get(text) {
            return Ok(piece);
        }
        let piece = self.text(text)?;
        self.shared.insert(text.to_owned(), piece);
        Ok(piece)
    }

    fn header(&self) -> Result<Header, CorpusError> {
        Ok(Header {
            magic: MAGIC,
            version: FORMAT_VERSION,
            n_songs: index(self.songs.len())?,
            n_measures: index(self.measures.len().saturating_sub(1))?,
            n_bass: index(self.bass.len())?,
            n_hits: index(self.hits.len())?,
            n_text: index(self.text.len())?,
        })
    }

    fn save(&self, header: &Header, path: &Path) -> std::io::Result<()> {
        let mut file = WholeFile::begin(path)?;
        let sections = [
            bytemuck::bytes_of(header),
            bytemuck::cast_slice(&self.songs),
            bytemuck::cast_slice(&self.measures),
            bytemuck::cast_slice(&self.bass),
            bytemuck::cast_slice(&self.hits),
            &self.text,
        ];
        for section in sections {
            file.write_all(section)?;
        }
        file.finish()
    }
}

/// A count or index as the file holds it.
fn index(n: usize) -> Result<u32, CorpusError> {
    u32::try_from(n).map_err(|_| CorpusError::Record(format!("{n} is more than 32 bits can count")))
}
