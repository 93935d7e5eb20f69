//! Draws a take: the bass as a piano roll, and below it one or more drum grids.

use std::ops::Range;
use std::path::Path;

use anyhow::Result;
use lockstep_core::representation::{Length, Meter, N_VOICES, Position, Voice};
use lockstep_files::midi_file::Note;
use plotters::prelude::{Color as _, PathElement, RGBColor, Rectangle, Text};
use plotters::style::text_anchor::{HPos, VPos};

use super::{Canvas, INK, PALE, PAPER, draw, pixel, shade, text};

const WIDTH: i32 = 1680;
/// Left and right end of the measures.
const MEASURES: Range<i32> = 126..1656;
/// Height of the title above the first panel.
const TOP: i32 = 64;
/// Space between panels, for a label.
const GAP: i32 = 46;
/// Height of a voice's row.
const VOICE_HEIGHT: i32 = 24;
/// Height of the bass panel.
const BASS_HEIGHT: i32 = 240;

const BASS: RGBColor = RGBColor(24, 100, 171);
const DRUMS: [RGBColor; 2] = [RGBColor(73, 80, 87), RGBColor(201, 88, 11)];
const BAND: RGBColor = RGBColor(244, 246, 248);

/// From top to bottom of the picture.
const VOICES: [(Voice, &str); N_VOICES] = [
    (Voice::Shaker, "shaker"),
    (Voice::Tambourine, "tambourine"),
    (Voice::Crash, "crash"),
    (Voice::Ride, "ride"),
    (Voice::OpenHat, "open hat"),
    (Voice::PedalHat, "pedal hat"),
    (Voice::ClosedHat, "closed hat"),
    (Voice::HighTom, "high tom"),
    (Voice::MidTom, "mid tom"),
    (Voice::LowTom, "low tom"),
    (Voice::Clap, "clap"),
    (Voice::SideStick, "side stick"),
    (Voice::Snare, "snare"),
    (Voice::Kick, "kick"),
];

/// A picture's content, in one meter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roll<'a> {
    /// Title above everything.
    pub(crate) title: &'a str,
    /// The bass.
    pub(crate) bass: &'a [Note],
    /// Drum parts with their names, from top to bottom; the last has a colour of its own.
    pub(crate) parts: &'a [(&'a str, &'a [Note])],
    /// The meter of the whole song.
    pub(crate) meter: Meter,
    /// First measure drawn, counted from 0.
    pub(crate) first_measure: usize,
    /// Measures drawn.
    pub(crate) n_measures: usize,
}

impl Roll<'_> {
    /// What is drawn of the song.
    fn drawn(&self) -> Range<Position> {
        let length = self.meter.length();
        let first = Position::START + length * self.first_measure as f64;
        first..first + length * self.n_measures as f64
    }

    /// Fine lines per measure: one per beat, where a beat of 6/8, 9/8 or 12/8 is three eighths.
    fn n_pulses(&self) -> usize {
        let numerator = usize::from(self.meter.numerator());
        let is_compound = self.meter.denominator() == 8 && numerator.is_multiple_of(3);
        if is_compound {
            numerator / 3
        } else {
            numerator
        }
    }

    /// Horizontal place of a position, in pixels.
    fn x(&self, at: Position) -> i32 {
        let width = f64::from(MEASURES.end - MEASURES.start);
        let drawn = self.drawn();
        let share = (at - drawn.start) / (drawn.end - drawn.start);
        MEASURES.start + pixel(share * width)
    }

    /// The notes that begin inside the picture.
    fn seen<'n>(&self, notes: &'n [Note]) -> impl Iterator<Item = &'n Note> {
        let drawn = self.drawn();
        notes.iter().filter(move |note| drawn.contains(&note.start))
    }
}

/// Draws a take: one row per voice, a strong line per measure, a fine line per beat, velocity as shade.
pub(crate) fn roll(path: &Path, roll: &Roll<'_>) -> Result<()> {
    let n_voices = i32::try_from(VOICES.len())?;
    let n_parts = i32::try_from(roll.parts.len())?;
    let height = TOP + GAP + BASS_HEIGHT + n_parts * (GAP + n_voices * VOICE_HEIGHT) + 30;
    let size = (u32::try_from(WIDTH)?, u32::try_from(height)?);
    draw(path, size, |canvas| {
        let style = text(30.0, INK, HPos::Left, VPos::Top);
        canvas.draw(&Text::new(roll.title, (24, 18), style))?;
        let mut top = TOP + GAP;
        bass(canvas, roll, top..top + BASS_HEIGHT)?;
        top += BASS_HEIGHT;
        for (i, (name, notes)) in roll.parts.iter().enumerate() {
            let rows = top + GAP..top + GAP + n_voices * VOICE_HEIGHT;
            top = rows.end;
            let colour = DRUMS[usize::from(i + 1 == roll.parts.len())];
            drums(canvas, roll, rows, (name, notes), colour)?;
        }
        Ok(())
    })
}

/// The bass notes by pitch; each C and G is labelled.
fn bass(canvas: &Canvas<'_>, roll: &Roll<'_>, rows: Range<i32>) -> Result<()> {
    label(canvas, "bass", rows.start, BASS)?;
    let keys = || roll.seen(roll.bass).map(|note| note.key);
    let low = keys().min().unwrap_or(36);
    let high = keys().max().unwrap_or(48);
    // Show at least an octave, so that a line on one pitch does not fill the panel.
    let spare = 12_u8.saturating_sub(high - low).div_ceil(2).max(1);
    let (low, high) = (low.saturating_sub(spare), high.saturating_add(spare));
    let key_height = f64::from(rows.end - rows.start) / f64::from(high - low + 1);
    let y = |key: u8| rows.start + pixel(f64::from(high - key) * key_height);
    for key in low..=high {
        if matches!(key % 12, 1 | 3 | 6 | 8 | 10) {
            band(canvas, y(key)..y(key) + pixel(key_height))?;
        }
        if key % 12 == 0 || key % 12 == 7 {
            let style = text(17.0, PALE, HPos::Right, VPos::Center);
            let at = (MEASURES.start - 10, y(key) + pixel(key_height / 2.0));
            let name = if key % 12 == 0 { "C" } else { "G" };
            // C4 is key 60.
            let name = format!("{name}{}", i32::from(key / 12) - 1);
            canvas.draw(&Text::new(name, at, style))?;
        }
    }
    grid(canvas, roll, &rows, true)?;
    for note in roll.seen(roll.bass) {
        let (left, right) = (roll.x(note.start), roll.x(note.end).min(MEASURES.end));
        let rectangle = [
            (left + 1, y(note.key) + 1),
            (
                (right - 1).max(left + 3),
                y(note.key) + pixel(key_height) - 1,
            ),
        ];
        block(canvas, rectangle, BASS, note.velocity)?;
    }
    Ok(())
}

/// One drum part, one row per voice; hits are drawn where they are played, even off the grid.
fn drums(
    canvas: &Canvas<'_>,
    roll: &Roll<'_>,
    rows: Range<i32>,
    (name, notes): (&str, &[Note]),
    colour: RGBColor,
) -> Result<()> {
    label(canvas, name, rows.start, colour)?;
    let tops = (rows.start..).step_by(usize::try_from(VOICE_HEIGHT)?);
    for (i, ((_, name), top)) in VOICES.iter().zip(tops.clone()).enumerate() {
        if i % 2 == 0 {
            band(canvas, top..top + VOICE_HEIGHT)?;
        }
        let style = text(18.0, INK, HPos::Right, VPos::Center);
        let at = (MEASURES.start - 10, top + VOICE_HEIGHT / 2);
        canvas.draw(&Text::new(*name, at, style))?;
    }
    grid(canvas, roll, &rows, false)?;
    for ((voice, _), top) in VOICES.iter().zip(tops) {
        let of_voice = |note: &&Note| Voice::from_gm_note(note.key) == Some(*voice);
        for note in roll.seen(notes).filter(of_voice) {
            let (left, right) = (
                roll.x(note.start),
                roll.x(note.start + Length::of_steps(1.0)),
            );
            let rectangle = [(left + 1, top + 3), (right - 2, top + VOICE_HEIGHT - 3)];
            block(canvas, rectangle, colour, note.velocity)?;
        }
    }
    Ok(())
}

/// A note: the louder, the darker; its left edge is dark at any velocity.
fn block(
    canvas: &Canvas<'_>,
    [from, to]: [(i32, i32); 2],
    colour: RGBColor,
    velocity: u8,
) -> Result<()> {
    canvas.draw(&Rectangle::new([from, to], shade(PAPER, 1.0).filled()))?;
    let strength = 0.12 + 0.88 * (f64::from(velocity) / 127.0).powi(2);
    canvas.draw(&Rectangle::new(
        [from, to],
        shade(colour, strength).filled(),
    ))?;
    let edge = [from, ((from.0 + 2).min(to.0), to.1)];
    canvas.draw(&Rectangle::new(edge, shade(colour, 1.0).filled()))?;
    Ok(())
}

/// Fine lines on beats and strong ones on measures, which are numbered from 1 if asked.
fn grid(canvas: &Canvas<'_>, roll: &Roll<'_>, rows: &Range<i32>, is_numbered: bool) -> Result<()> {
    let n_pulses = roll.n_pulses();
    let n_lines = n_pulses * roll.n_measures;
    let pulse = roll.meter.length() / n_pulses as f64;
    for n in 0..=n_lines {
        let x = roll.x(roll.drawn().start + pulse * n as f64);
        let is_measure = n.is_multiple_of(n_pulses);
        let line = vec![(x, rows.start), (x, rows.end)];
        let strength = if is_measure { 0.8 } else { 0.22 };
        let mut style = shade(PALE, strength).stroke_width(1);
        if is_measure {
            style = style.stroke_width(2);
        }
        canvas.draw(&PathElement::new(line, style))?;
        if is_numbered && is_measure && n < n_lines {
            let number = (roll.first_measure + n / n_pulses + 1).to_string();
            let style = text(17.0, PALE, HPos::Left, VPos::Bottom);
            canvas.draw(&Text::new(number, (x + 4, rows.start - 4), style))?;
        }
    }
    for y in [rows.start, rows.end] {
        let line = vec![(MEASURES.start, y), (MEASURES.end, y)];
        canvas.draw(&PathElement::new(line, shade(PALE, 0.8).stroke_width(1)))?;
    }
    Ok(())
}

/// The name of a panel, above its left end.
fn label(canvas: &Canvas<'_>, name: &str, top: i32, colour: RGBColor) -> Result<()> {
    let style = text(22.0, colour, HPos::Left, VPos::Bottom);
    canvas.draw(&Text::new(name, (24, top - 6), style))?;
    Ok(())
}

/// A shaded row across the measures.
fn band(canvas: &Canvas<'_>, rows: Range<i32>) -> Result<()> {
    let corners = [(MEASURES.start, rows.start), (MEASURES.end, rows.end)];
    canvas.draw(&Rectangle::new(corners, shade(BAND, 1.0).filled()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use lockstep_core::rule::RuleGroove;
    use lockstep_engine::realtime::Controls;
    use lockstep_files::midi_file::{self, Pick};

    use super::*;

    #[test]
    fn every_voice_has_a_row() {
        for voice in Voice::ALL {
            let n_rows = VOICES.iter().filter(|(of, _)| *of == voice).count();
            assert_eq!(n_rows, 1, "{}", voice.name());
        }
    }

    #[test]
    fn the_embedded_example_is_drawn() -> Result<()> {
        let bytes = lockstep_offline::EXAMPLE;
        let song = midi_file::read(bytes, Pick::default())?;
        let take = lockstep_offline::play(&song, &Controls::default(), &mut RuleGroove).song;
        let folder = tempfile::tempdir()?;
        let size_of = |name: &str, drums: &[Note]| -> Result<u64> {
            let path = folder.path().join(name);
            let parts = [("rule groove", drums)];
            let picture = Roll {
                title: "example",
                bass: &song.bass,
                parts: &parts,
                meter: Meter::COMMON,
                first_measure: 1,
                n_measures: 8,
            };
            roll(&path, &picture)?;
            let bytes = std::fs::read(&path)?;
            assert_eq!(bytes.get(1..4), Some(&b"PNG"[..]));
            Ok(bytes.len() as u64)
        };
        let (played, silent) = (size_of("a.png", &take.drums)?, size_of("b.png", &[])?);
        assert!(
            played > silent && silent > 1000,
            "{played} and {silent} bytes"
        );
        Ok(())
    }
}
