//! The results of a run's chunks, kept beside the output until it is complete.
//!
//! A part is a corpus file and a table of what was refused. Both names contain a fingerprint of the songs' bytes, of
//! their index entries and of the program's version, so that a part is reused only for the same songs.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use lockstep_core::representation::{Position, Voice};
use lockstep_files::midi_file::{self, MidiFileError};

use crate::corpus::{self, Corpus, FORMAT_VERSION, SongRecord, Split, has_dynamics, has_timing};

use super::census::Census;
use crate::labels::known::{self, Known, Said};
use crate::sources::SongFile;
use crate::whole;

/// The folder of parts.
#[derive(Debug)]
pub(super) struct ChunkFolder {
    folder: PathBuf,
    known: Known,
}

/// The result of one chunk.
#[derive(Debug)]
pub(super) struct ChunkResult {
    pub(super) idx: usize,
    /// The corpus file.
    pub(super) path: PathBuf,
    pub(super) census: Census,
    /// Whether an earlier run made it.
    pub(super) is_resumed: bool,
}

impl ChunkFolder {
    /// Makes the folder `corpus.lockstep.parts` if it is missing.
    pub(super) fn beside(output: &Path) -> Result<Self> {
        let mut name = output.as_os_str().to_owned();
        name.push(".parts");
        let folder = PathBuf::from(name);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let known = Known::read()?;
        Ok(Self { folder, known })
    }

    /// The part of a chunk: the existing one, or a new one.
    pub(super) fn make(&self, idx: usize, songs: &[SongFile]) -> Result<ChunkResult> {
        let stem = format!("{idx:06}-{:016x}", fingerprint(songs));
        let path = self.folder.join(format!("{stem}.part"));
        let table = self.folder.join(format!("{stem}.tsv"));
        let part = |census, is_resumed| ChunkResult {
            idx,
            path: path.clone(),
            census,
            is_resumed,
        };
        // The table is written last: if it exists, so does the corpus file.
        let found = fs::read_to_string(&table).ok();
        if let Some(census) = found.and_then(|text| Census::parse(&text))
            && Corpus::open(&path).is_ok_and(|corpus| corpus.n_songs() == census.n_kept())
        {
            return Ok(part(census, true));
        }
        let mut census = Census::default();
        let mut kept = Vec::new();
        for song in songs {
            let source = &song.entry.source;
            match record(song, &self.known) {
                Ok((record, voices)) => {
                    census.keep(source);
                    census.count_notes(voices.into_iter());
                    kept.push(record);
                }
                Err(reason) => census.refuse(source, &reason),
            }
        }
        corpus::write(&path, kept)?;
        whole::write(&table, census.to_text().as_bytes())?;
        Ok(part(census, false))
    }

    /// Removes the parts and their folder; if it contains other files, they and the folder stay.
    pub(super) fn remove(self) -> Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|end| end == "part" || end == "tsv")
            {
                fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
            }
        }
        // Fails only if there are other files in it.
        let _: std::io::Result<()> = fs::remove_dir(&self.folder);
        Ok(())
    }
}

/// A hash of everything that decides the contents of a part. Another toolchain may hash differently; the part is then
/// made again.
fn fingerprint(songs: &[SongFile]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (FORMAT_VERSION, env!("CARGO_PKG_VERSION"), known::tables()).hash(&mut hasher);
    for song in songs {
        song.path.hash(&mut hasher);
        song.bytes.hash(&mut hasher);
        format!("{:?}", song.entry).hash(&mut hasher);
    }
    hasher.finish()
}

/// A song on the step grid and the voice of each of its drum notes, or why it is refused.
fn record(song: &SongFile, known: &Known) -> Result<(SongRecord, Vec<Option<Voice>>), String> {
    let bytes = song.bytes.as_ref().map_err(Clone::clone)?;
    // The reader has no known panic; if a file causes one, the other files are still read.
    catch_unwind(AssertUnwindSafe(|| grid(song, bytes, known)))
        .unwrap_or_else(|_| Err("the reader failed".to_owned()))
}

fn grid(
    file: &SongFile,
    bytes: &[u8],
    known: &Known,
) -> Result<(SongRecord, Vec<Option<Voice>>), String> {
    let entry = &file.entry;
    let mut song =
        midi_file::read_with_or_without_bass(bytes).map_err(|error| reason(&error).to_owned())?;
    if let Some(meter) = entry.meter {
        song.meters = vec![(Position::START, meter)];
    }
    let said = known.of(&entry.source, &entry.groove, &file.path);
    let measures = corpus::measures(&song, entry.map).map_err(|refusal| refusal.to_string())?;
    let mut record = SongRecord {
        name: file.path.clone(),
        source: entry.source.clone(),
        style: entry.style.clone(),
        is_open: entry.is_open,
        has_dynamics: entry.has_dynamics || has_dynamics(&song),
        has_timing: entry.has_timing || has_timing(&song),
        label: match said {
            Said::Family(label) => Some(label),
            Said::NoFamily | Said::Nothing => None,
        },
        is_of_no_family: said == Said::NoFamily,
        measures,
        ..SongRecord::default()
    };
    record.split = entry
        .split
        .unwrap_or_else(|| Split::from_hash(record.music_hash()));
    let voices = song.drums.iter().map(|note| entry.map.voice(note.key));
    Ok((record, voices.collect()))
}

/// The reason, without details that differ from file to file.
fn reason(error: &MidiFileError) -> &'static str {
    match error {
        MidiFileError::NotMidi => "not a MIDI file",
        MidiFileError::Truncated { .. } => "cut off",
        MidiFileError::BadEvent { .. } => "unreadable event",
        MidiFileError::Format { .. } => "MIDI format 2",
        MidiFileError::Smpte => "time in SMPTE frames",
        MidiFileError::ZeroDivision => "no ticks in a quarter note",
        MidiFileError::TooLong { .. } => "longer than a day or 400,000 beats",
        MidiFileError::TooManyNotes => "more than a million notes",
        MidiFileError::NoNotes => "no notes",
        MidiFileError::NoBass | MidiFileError::PickNotFound { .. } => "no bass",
    }
}
