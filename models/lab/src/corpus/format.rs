//! The bytes of a corpus file: its sections, their records, and the check that every record is valid.

use std::mem::size_of;
use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use lockstep_core::family::Family;
use lockstep_core::representation::{Meter, N_VOICES, Swing};
use lockstep_files::midi_file::BPM_RANGE;

use super::{BassNote, DrumHit, Split};

/// Version of the file; also raised when songs are read or put on the grid in another way.
///
/// Version 2 has fourteen voices, each measure's swing and each song's groove label.
pub const FORMAT_VERSION: u32 = 2;

/// First bytes of every corpus file.
pub(super) const MAGIC: [u8; 8] = *b"LOCKSTEP";

/// The start of the file.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct Header {
    pub(super) magic: [u8; 8],
    pub(super) version: u32,
    pub(super) n_songs: u32,
    /// One less than the number of records: the last record only ends the measure before it.
    pub(super) n_measures: u32,
    pub(super) n_bass: u32,
    pub(super) n_hits: u32,
    pub(super) n_text: u32,
}

/// A piece of the text section.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct Text {
    pub(super) at: u32,
    pub(super) len: u32,
}

/// A song in the file.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct SongRow {
    pub(super) first_measure: u32,
    pub(super) n_measures: u32,
    /// Bits 0 and 1: the split; then [`IS_OPEN`] and the flags after it.
    pub(super) flags: u32,
    pub(super) weight: f32,
    /// Of its groove label, above 0 to 1; 0 if it has none.
    pub(super) certainty: f32,
    /// [`Family::index`] of its groove label; [`NO_FAMILY`] if it has none.
    pub(super) family: u32,
    pub(super) name: Text,
    pub(super) source: Text,
    pub(super) style: Text,
}

pub(super) const SPLIT_BITS: u32 = 3;
pub(super) const IS_OPEN: u32 = 4;
pub(super) const HAS_BASS: u32 = 8;
pub(super) const HAS_DYNAMICS: u32 = 16;
pub(super) const HAS_TIMING: u32 = 32;
/// Its groove label is its source's word.
pub(super) const IS_LABEL_KNOWN: u32 = 64;

/// Its source names a groove of none of the families.
pub(super) const IS_OF_NO_FAMILY: u32 = 128;

/// In place of a family's index.
pub(super) const NO_FAMILY: u32 = u32::MAX;

/// A measure in the file.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct MeasureRow {
    pub(super) first_bass: u32,
    pub(super) first_hit: u32,
    pub(super) tempo_bpm: f32,
    pub(super) numerator: u8,
    pub(super) denominator: u8,
    /// In hundredths, as [`Swing`] counts them.
    pub(super) swing_eighths: u8,
    pub(super) swing_sixteenths: u8,
}

impl MeasureRow {
    /// Its swing.
    pub(super) fn swing(&self) -> Swing {
        let unit = |hundredths: u8| f32::from(hundredths) / HUNDREDTHS;
        Swing::new(unit(self.swing_eighths), unit(self.swing_sixteenths))
    }
}

/// Units of a swing in the file.
const HUNDREDTHS: f32 = 100.0;

/// The nearest swing that the file can hold.
pub(super) fn kept(swing: Swing) -> Swing {
    let unit = |swing: f32| f32::from(hundredths(swing)) / HUNDREDTHS;
    Swing::new(unit(swing.eighths()), unit(swing.sixteenths()))
}

/// A tempo as the file holds it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "f32 is precise enough for a tempo"
)]
pub(super) fn tempo(bpm: f64) -> f32 {
    bpm as f32
}

/// A swing of eighths or of sixteenths as the file holds it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a swing is 0 to 1"
)]
pub(super) fn hundredths(swing: f32) -> u8 {
    (swing * HUNDREDTHS).round() as u8
}

/// Where the sections lie, in bytes from the start of the file.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) songs: Range<usize>,
    pub(super) measures: Range<usize>,
    pub(super) bass: Range<usize>,
    pub(super) hits: Range<usize>,
    pub(super) text: Range<usize>,
}

impl Layout {
    /// The sections that a header announces; `None` if they are too large for an address.
    pub(super) fn new(header: &Header) -> Option<Self> {
        let mut end = size_of::<Header>();
        let mut section = |n: u32, size: usize| {
            let begin = end;
            end = begin.checked_add(usize::try_from(n).ok()?.checked_mul(size)?)?;
            Some(begin..end)
        };
        Some(Self {
            songs: section(header.n_songs, size_of::<SongRow>())?,
            measures: section(header.n_measures.checked_add(1)?, size_of::<MeasureRow>())?,
            bass: section(header.n_bass, size_of::<BassNote>())?,
            hits: section(header.n_hits, size_of::<DrumHit>())?,
            text: section(header.n_text, 1)?,
        })
    }
}

/// The sections as records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sections<'a> {
    pub(super) songs: &'a [SongRow],
    pub(super) measures: &'a [MeasureRow],
    pub(super) bass: &'a [BassNote],
    pub(super) hits: &'a [DrumHit],
    pub(super) text: &'a [u8],
}

impl<'a> Sections<'a> {
    /// The records of a section; empty if the range is outside the file or misaligned, which [`check`] notices.
    pub(super) fn records<T: Pod>(bytes: &'a [u8], range: &Range<usize>) -> &'a [T] {
        bytes
            .get(range.clone())
            .and_then(|bytes| bytemuck::try_cast_slice(bytes).ok())
            .unwrap_or_default()
    }

    pub(super) fn new(bytes: &'a [u8], layout: &Layout) -> Self {
        Self {
            songs: Self::records(bytes, &layout.songs),
            measures: Self::records(bytes, &layout.measures),
            bass: Self::records(bytes, &layout.bass),
            hits: Self::records(bytes, &layout.hits),
            text: Self::records(bytes, &layout.text),
        }
    }
}

/// Checks that every record is valid and every index leads to a record.
///
/// # Errors
/// The fault that was found, as a message.
pub(super) fn check(sections: &Sections<'_>) -> Result<(), String> {
    let mut n_measures = 0;
    for (idx, song) in sections.songs.iter().enumerate() {
        let fault = song_fault(song, n_measures, sections.text);
        fault.map_or(Ok(()), |fault| Err(format!("song {idx}: {fault}")))?;
        n_measures += u64::from(song.n_measures);
    }
    let Some((last, measures)) = sections.measures.split_last() else {
        return Err("its end record is missing".to_owned());
    };
    if n_measures != measures.len() as u64 {
        let n = measures.len();
        return Err(format!(
            "its songs need {n_measures} measures, but it has {n}"
        ));
    }
    let (mut bass, mut hits) = (0, 0);
    for (idx, row) in measures.iter().enumerate() {
        let next = &sections.measures[idx + 1];
        let fault = if (row.first_bass, row.first_hit) != (bass, hits) {
            Some("its first note or hit does not follow the measure before")
        } else if next.first_bass < bass || next.first_hit < hits {
            Some("it ends before it begins")
        } else {
            let of_bass = sections
                .bass
                .get(bass as usize..next.first_bass as usize)
                .unwrap_or_default();
            let of_hits = sections
                .hits
                .get(hits as usize..next.first_hit as usize)
                .unwrap_or_default();
            (bass, hits) = (next.first_bass, next.first_hit);
            measure_fault(row, of_bass, of_hits)
        };
        fault.map_or(Ok(()), |fault| Err(format!("measure {idx}: {fault}")))?;
    }
    let are_used = last.first_bass as usize == sections.bass.len()
        && last.first_hit as usize == sections.hits.len()
        && (!measures.is_empty() || (sections.bass.is_empty() && sections.hits.is_empty()));
    if are_used {
        Ok(())
    } else {
        Err("its measures do not account for all notes and hits".to_owned())
    }
}

fn song_fault(song: &SongRow, n_before: u64, text: &[u8]) -> Option<String> {
    let split = song.flags & SPLIT_BITS;
    if u64::from(song.first_measure) != n_before {
        return Some("its first measure does not follow the song before".to_owned());
    }
    if Split::ALL.get(split as usize).is_none() {
        return Some(format!("its split is {split}"));
    }
    if !(song.weight > 0.0 && song.weight <= 1.0) {
        return Some(format!("its weight is {}", song.weight));
    }
    let is_label = match song.family {
        NO_FAMILY => song.certainty == 0.0 && song.flags & IS_LABEL_KNOWN == 0,
        family => {
            song.flags & IS_OF_NO_FAMILY == 0
                && Family::ALL.get(family as usize).is_some()
                && song.certainty > 0.0
                && song.certainty <= 1.0
        }
    };
    if !is_label {
        return Some("its groove label is impossible".to_owned());
    }
    let is_text = |piece: Text| text_of(text, piece).is_some();
    let are_texts = is_text(song.name) && is_text(song.source) && is_text(song.style);
    (!are_texts).then(|| "its name, source or style is not valid text".to_owned())
}

fn measure_fault(row: &MeasureRow, bass: &[BassNote], hits: &[DrumHit]) -> Option<&'static str> {
    let Some(meter) = Meter::new(row.numerator, row.denominator) else {
        return Some("its meter is off the step grid");
    };
    let bpm = f64::from(row.tempo_bpm);
    if !(bpm >= BPM_RANGE.0 && bpm <= BPM_RANGE.1) {
        return Some("its tempo is out of range");
    }
    if f32::from(row.swing_eighths.max(row.swing_sixteenths)) > HUNDREDTHS {
        return Some("its swing is more than a dotted note");
    }
    let is_in = |step_idx: u8, velocity: u8| {
        usize::from(step_idx) < meter.n_steps() && (1..=127).contains(&velocity)
    };
    let is_bass = bass
        .iter()
        .all(|note| is_in(note.step_idx, note.velocity) && note.key < 128 && note.n_steps > 0)
        && bass.is_sorted_by_key(|note| note.step_idx);
    if !is_bass {
        return Some("its bass notes are out of range or order");
    }
    let are_hits = hits
        .iter()
        .all(|hit| is_in(hit.step_idx, hit.velocity) && usize::from(hit.voice) < N_VOICES)
        && hits.is_sorted_by(|a, b| (a.step_idx, a.voice) < (b.step_idx, b.voice));
    (!are_hits).then_some("its drum hits are out of range or order")
}

/// A piece of the text section, or `None` if it is outside the section or not UTF-8.
pub(super) fn text_of(text: &[u8], piece: Text) -> Option<&str> {
    let begin = usize::try_from(piece.at).ok()?;
    let end = begin.checked_add(usize::try_from(piece.len).ok()?)?;
    std::str::from_utf8(text.get(begin..end)?).ok()
}
