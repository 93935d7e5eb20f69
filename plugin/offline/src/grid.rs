//! Draws a song as text: one line per voice, four measures per row, the bass on top.

use std::fmt::Write as _;
use std::ops::Range;

use lockstep_core::representation::{Position, Voice};
use lockstep_files::measured_song::MeasuredSong;
use lockstep_files::midi_file::Song;

use super::measure_at;

/// Measures per row.
const PER_ROW: usize = 4;

/// The drum grid of a song: `X` a loud hit (velocity 96 and up), `x` a softer one, `.` none; `|` is a bar line.
///
/// The bass is a line of its own: `o` where a note begins. A voice that never plays has no line.
pub fn grid(song: &Song) -> String {
    grid_of(song, 0..usize::MAX)
}

/// [`grid`] of some measures only, counted from 0; those that the song does not have are left out.
pub fn grid_of(song: &Song, wanted: Range<usize>) -> String {
    let sheet = MeasuredSong::from_song(song);
    let mut measures = Vec::new();
    let mut at = Position::START;
    while at < song.end {
        let (start, length) = measure_at(song, at);
        let first = step(start);
        at = start + length;
        measures.push(first..step(at).max(first + 1));
    }
    measures.truncate(wanted.end);
    let measures = measures.get(wanted.start..).unwrap_or_default();
    let plays = |voice: &Voice| {
        measures
            .iter()
            .flat_map(Range::clone)
            .filter_map(|step| sheet.drums.get(step))
            .any(|row| row[voice.index()] > 0)
    };
    let voices: Vec<_> = Voice::ALL.into_iter().filter(plays).collect();

    let mut text = String::new();
    for (row, measures) in measures.chunks(PER_ROW).enumerate() {
        let first = wanted.start + row * PER_ROW;
        let mut line = |label: &str, mark: &dyn Fn(usize) -> char| {
            let cells: Vec<String> = measures
                .iter()
                .map(|steps| steps.clone().map(mark).collect())
                .collect();
            let _infallible = writeln!(text, "  {label}  |{}|", cells.join("|"));
        };
        line("bass", &|step| {
            if sheet.bass.get(step).copied().unwrap_or(false) {
                'o'
            } else {
                '.'
            }
        });
        for voice in &voices {
            line(voice.label(), &|step| match sheet
                .drums
                .get(step)
                .map_or(0, |row| row[voice.index()])
            {
                0 => '.',
                1..96 => 'x',
                _ => 'X',
            });
        }
        let _infallible = writeln!(
            text,
            "        measures {} to {}\n",
            first + 1,
            first + measures.len()
        );
    }
    text
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the reader bounds positions to 100,000 measures and none is negative"
)]
fn step(at: Position) -> usize {
    at.steps().round() as usize
}

#[cfg(test)]
mod tests {
    use lockstep_files::midi_file::Note;

    use super::*;

    fn note(start: f64, key: u8, velocity: u8) -> Note {
        Note {
            start: Position::at(start),
            end: Position::at(start + 0.25),
            key,
            velocity,
        }
    }

    #[test]
    fn grid_of_draws_only_the_wanted_measures_and_the_voices_that_play_in_them() {
        let song = Song {
            bass: (0..3).map(|n| note(4.0 * f64::from(n), 33, 90)).collect(),
            drums: vec![note(0.0, 49, 110), note(4.0, 36, 110), note(9.0, 38, 80)],
            end: Position::at(12.0),
            ..Song::default()
        };
        insta::assert_snapshot!(grid_of(&song, 1..9), @r"
          bass  |o...............|o...............|
          kick  |X...............|................|
          snar  |................|....x...........|
                measures 2 to 3
        ");
        assert_eq!(grid_of(&song, 7..9), "");
    }

    #[test]
    fn a_measure_is_drawn_as_it_is_played() {
        let song = Song {
            bass: vec![note(0.0, 33, 90), note(2.5, 33, 90)],
            drums: vec![
                note(0.0, 36, 110),
                note(1.0, 38, 80),
                note(2.5, 36, 90),
                note(3.0, 38, 100),
            ],
            end: Position::at(3.25),
            ..Song::default()
        };
        insta::assert_snapshot!(grid(&song), @r"
          bass  |o.........o.....|
          kick  |X.........x.....|
          snar  |....x.......X...|
                measures 1 to 1
        ");
    }
}
