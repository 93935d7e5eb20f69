//! The songs that are played. Whole MIDI files, because drum notes without a voice count too.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Result, ensure};
use lockstep_core::representation::{Length, Position};
use lockstep_files::measured_song::MIN_MEASURES;
use lockstep_files::midi_file::{self, Note, Pick, Song};
use rayon::prelude::*;

use crate::corpus::Split;

use crate::sources::{SongFile, Source};

/// A measure of 4/4, the only meter that is measured.
pub(super) const MEASURE: Length = Length::of(4.0);

/// Measures in a picture, starting with the second one that has bass.
pub(super) const N_DRAWN: usize = 8;

/// Songs of the open tier that are drawn, at most.
const N_OPEN: usize = 2;

/// A song of the corpus.
#[derive(Clone, Debug)]
pub(super) struct EvaluationSong {
    /// Path in the corpus.
    pub(super) path: String,
    /// The bass, and the drums that people played.
    pub(super) song: Song,
    /// The licence of a song of the open tier. Songs without one may be neither published nor drawn.
    pub(super) licence: Option<String>,
}

/// The songs of an evaluation.
#[derive(Debug)]
pub(super) struct EvaluationSongs {
    /// Songs that are measured: in 4/4, long enough, evenly spread over the split.
    pub(super) songs: Vec<EvaluationSong>,
    /// Songs that are drawn: of the open tier, each from a different source.
    pub(super) open: Vec<EvaluationSong>,
}

impl EvaluationSongs {
    /// Reads a split of a folder or archive; everything, if its index names no splits.
    ///
    /// # Errors
    /// If the source cannot be read or contains no song that can be measured.
    pub(super) fn read(source: &Path, split: Split, n_songs: usize) -> Result<Self> {
        let mut files: Vec<SongFile> = Vec::new();
        Source::open(source)?.read(&mut |file| {
            if file.entry.split.is_none_or(|of| of == split) {
                files.push(file);
            }
            Ok(())
        })?;
        let all: Vec<(String, EvaluationSong)> = files
            .into_par_iter()
            .filter_map(|file| {
                let song = midi_file::read(&file.bytes.ok()?, Pick::default()).ok()?;
                let is_long = song.end > Position::START + MEASURE * MIN_MEASURES as f64;
                let piece = EvaluationSong {
                    path: file.path,
                    song,
                    licence: file.entry.is_open.then_some(file.entry.licence),
                };
                (piece.song.is_common_time() && is_long).then_some((file.entry.source, piece))
            })
            .collect();
        ensure!(
            !all.is_empty(),
            "no song of the split in {}",
            source.display()
        );
        let n = n_songs.clamp(1, all.len());
        let songs = (0..n).map(|i| all[i * all.len() / n].1.clone()).collect();
        let mut open: HashMap<&str, &EvaluationSong> = HashMap::new();
        for (source, piece) in all
            .iter()
            .filter(|(_, piece)| piece.licence.is_some() && is_worth_seeing(&piece.song))
        {
            open.entry(source).or_insert(piece);
        }
        let mut open: Vec<EvaluationSong> = open.into_values().cloned().collect();
        open.sort_by(|a, b| a.path.cmp(&b.path));
        open.truncate(N_OPEN);
        Ok(Self { songs, open })
    }
}

/// Whether both bass and people play in each measure that a picture shows.
fn is_worth_seeing(song: &Song) -> bool {
    let first = first_measure(song) + 1;
    let plays =
        |notes: &[Note], measure| notes.iter().any(|note| measure_of(note.start) == measure);
    (first..first + N_DRAWN)
        .all(|measure| plays(&song.bass, measure) && plays(&song.drums, measure))
}

/// At most `n` measures of a 4/4 song, starting at `first`, as a song that begins at 0 with the tempo at that place.
pub(super) fn excerpt(song: &Song, first: usize, n: usize) -> Song {
    let bar_line = |measure: usize| Position::START + MEASURE * measure as f64;
    let (from, to) = (bar_line(first), bar_line(first + n));
    let cut = |notes: &[Note]| -> Vec<Note> {
        notes
            .iter()
            .filter(|note| (from..to).contains(&note.start))
            .map(|note| Note {
                start: note.start.counted_from(from),
                end: note.end.min(to).counted_from(from),
                ..*note
            })
            .collect()
    };
    Song {
        bass: cut(&song.bass),
        drums: cut(&song.drums),
        tempos: vec![(Position::START, song.tempo_at(from))],
        end: song.end.min(to).counted_from(from),
        ..Song::default()
    }
}

/// The 4/4 measure in which the bass begins.
pub(super) fn first_measure(song: &Song) -> usize {
    let first = song.bass.first();
    let start = first.map_or(Position::START, |note| note.start);
    measure_of(start)
}

/// The 4/4 measure of a position.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the reader bounds positions to 100,000 measures and none is negative"
)]
pub(super) fn measure_of(at: Position) -> usize {
    // Conversion from frames may put a note on the downbeat just before it.
    ((at - Position::START) / MEASURE + 1e-4).floor() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_begins_at_zero_and_cuts_notes_at_its_end() {
        let note = |start: f64, end: f64| Note {
            start: Position::at(start),
            end: Position::at(end),
            key: 33,
            velocity: 90,
        };
        let song = Song {
            bass: vec![
                note(3.0, 4.0),
                note(4.5, 5.0),
                note(11.0, 20.0),
                note(12.0, 13.0),
            ],
            end: Position::at(20.0),
            ..Song::default()
        };
        let excerpt = excerpt(&song, 1, 2);
        assert_eq!(excerpt.bass, [note(0.5, 1.0), note(7.0, 8.0)]);
        assert_eq!(first_measure(&song), 0);
        assert_eq!(measure_of(Position::at(7.999_99)), 2);
    }
}
