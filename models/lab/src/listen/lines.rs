//! Bass lines as text: reads the notation of `models/listening/lines.toml` and makes a song of each line. Knows nothing
//! about the drummer.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use lockstep_core::representation::{Length, Meter, Position, STEPS_PER_BEAT, Swing};
use lockstep_files::midi_file::{Note, Song};
use serde::Deserialize;

use super::{N_ANSWERED, TITLE};

/// The swing of a shuffle: the off-beat is the last third of the beat.
const TRIPLET: f32 = 2.0 / 3.0;

/// A bass line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Name of its files: lowercase letters, digits and hyphens.
    pub(crate) name: String,
    /// Description for people.
    pub(crate) about: String,
    /// Tempo in BPM, 30 to 300.
    pub(crate) tempo_bpm: f64,
    /// The meter of all its measures.
    pub(crate) meter: Meter,
    /// How late its off-beats are played.
    pub(crate) swing: Swing,
    /// How many measures it has.
    pub(crate) n_measures: usize,
    /// Its notes, tempo and meter; no drums.
    pub(crate) song: Song,
}

/// The file as TOML.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    line: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    name: String,
    about: String,
    tempo_bpm: f64,
    meter: String,
    #[serde(default)]
    shuffle: bool,
    swing: Option<String>,
    measures: String,
}

/// Reads a file of lines.
///
/// # Errors
/// The error names the line and the measure, what is wrong there and what is allowed.
pub(crate) fn parse(text: &str) -> Result<Vec<Line>> {
    let file: File = toml::from_str(text)?;
    let mut names = BTreeSet::new();
    let mut lines = Vec::new();
    for entry in file.line {
        let name = entry.name.clone();
        let line = line(entry).with_context(|| format!("the line {name:?}"))?;
        ensure!(names.insert(name.clone()), "two lines are named {name:?}");
        lines.push(line);
    }
    Ok(lines)
}

fn line(entry: Entry) -> Result<Line> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    ensure!(
        !entry.name.is_empty() && entry.name.chars().all(is_plain) && entry.name != TITLE,
        "its files cannot have this name: use lowercase letters, digits and hyphens, and not {TITLE:?}"
    );
    ensure!(
        (30.0..=300.0).contains(&entry.tempo_bpm),
        "tempo-bpm = {} is not between 30 and 300",
        entry.tempo_bpm
    );
    let meter = meter(&entry.meter)?;
    let swing = match (&entry.swing, entry.shuffle) {
        (Some(_), true) => bail!("shuffle = true is a swing of its own: write one of the two"),
        (Some(text), false) => swing(text)?,
        (None, true) => Swing::new(TRIPLET, 0.0),
        (None, false) => Swing::STRAIGHT,
    };
    let mut notes = Vec::new();
    let mut n_measures = 0;
    for text in entry
        .measures
        .lines()
        .filter(|text| !text.trim().is_empty())
    {
        let begin = n_measures * meter.n_steps();
        n_measures += 1;
        measure(text, meter, begin, &mut notes)
            .with_context(|| format!("measure {n_measures}, {text:?}"))?;
    }
    ensure!(
        n_measures > N_ANSWERED,
        "it has {n_measures} measures; the drummer listens to the first and {N_ANSWERED} more are shown"
    );
    for note in &mut notes {
        note.start = swung(note.start, meter, swing);
        note.end = swung(note.end, meter, swing);
    }
    let ends = notes.iter().map(|note| note.end);
    let end = ends.fold(Position::START, Position::max);
    Ok(Line {
        song: Song {
            bass: notes,
            tempos: vec![(Position::START, entry.tempo_bpm)],
            meters: vec![(Position::START, meter.into())],
            bass_part: entry.name.clone(),
            end,
            ..Song::default()
        },
        name: entry.name,
        about: entry.about,
        tempo_bpm: entry.tempo_bpm,
        meter,
        swing,
        n_measures,
    })
}

/// A meter as text.
pub(crate) fn meter(text: &str) -> Result<Meter> {
    let parts = text
        .split_once('/')
        .and_then(|(upper, lower)| upper.parse().ok().zip(lower.parse().ok()));
    parts
        .and_then(|(upper, lower)| Meter::new(upper, lower))
        .with_context(|| {
            format!(
                "meter = {text:?} is not 1 to 32 whole sixteenth notes, such as \"4/4\" or \"6/8\""
            )
        })
}

/// Reads a measure that begins `begin` steps after the start, and appends its notes to those of earlier measures.
fn measure(text: &str, meter: Meter, begin: usize, notes: &mut Vec<Note>) -> Result<()> {
    let (steps, pitches) = text
        .split_once('|')
        .context("a | must separate steps from pitches")?;
    let steps: Vec<char> = steps.chars().filter(|c| !c.is_whitespace()).collect();
    ensure!(
        steps.len() == meter.n_steps(),
        "{} steps; a measure of {}/{} has {}",
        steps.len(),
        meter.numerator(),
        meter.denominator(),
        meter.n_steps()
    );
    let keys = keys(pitches)?;
    let n_notes = steps.iter().filter(|c| velocity(**c).is_some()).count();
    ensure!(
        keys.len() == n_notes,
        "{} pitches for {n_notes} notes",
        keys.len()
    );
    let mut keys = keys.into_iter();
    for (i, mark) in steps.into_iter().enumerate() {
        let (start, end) = (
            Position::at_step(begin + i),
            Position::at_step(begin + i + 1),
        );
        match (velocity(mark), mark) {
            (Some(velocity), _) => notes.extend(keys.next().map(|key| Note {
                start,
                end,
                key,
                velocity,
            })),
            (None, '-') => {
                // Steps are exact in binary, so a note ends exactly where the next step begins or it does not sound.
                let sounding = notes.last_mut().filter(|note| note.end == start);
                let note = sounding
                    .with_context(|| format!("no note sounds at step {} for '-' to hold", i + 1))?;
                note.end = end;
            }
            (None, '.') => {}
            (None, mark) => bail!("step {} is {mark:?}, not one of X x s g - .", i + 1),
        }
    }
    Ok(())
}

/// MIDI velocity of a mark; `None` if no note begins there.
fn velocity(mark: char) -> Option<u8> {
    match mark {
        'X' => Some(116),
        'x' => Some(96),
        's' => Some(74),
        'g' => Some(44),
        _ => None,
    }
}

/// MIDI keys of pitches such as `E1 Bb1*3`.
fn keys(text: &str) -> Result<Vec<u8>> {
    let mut keys = Vec::new();
    for word in text.split_whitespace() {
        let (pitch, times) = word.split_once('*').unwrap_or((word, "1"));
        let key = key(pitch).with_context(|| {
            format!(
                "{word:?} is not a pitch: write a letter A to G, # or b if needed, and an octave 0 to 8"
            )
        })?;
        let times: usize = times
            .parse()
            .with_context(|| format!("{word:?} needs a number of repeats after *"))?;
        keys.extend(std::iter::repeat_n(
            key,
            times.min(lockstep_core::representation::MAX_STEPS_PER_MEASURE + 1),
        ));
    }
    Ok(keys)
}

/// MIDI key of a pitch; C4 is 60.
fn key(pitch: &str) -> Option<u8> {
    let mut rest = pitch.chars();
    let natural = match rest.next()? {
        'C' => 0,
        'D' => 2,
        'E' => 4,
        'F' => 5,
        'G' => 7,
        'A' => 9,
        'B' => 11,
        _ => return None,
    };
    let rest = rest.as_str();
    let (sharp, octave) = match rest.strip_prefix('#') {
        Some(octave) => (1, octave),
        None => rest
            .strip_prefix('b')
            .map_or((0, rest), |octave| (-1, octave)),
    };
    let octave: i32 = octave
        .parse()
        .ok()
        .filter(|octave| (0..=8).contains(octave))?;
    u8::try_from(12 * (octave + 1) + natural + sharp).ok()
}

/// Swing as text, such as `eighths 0.67` or `sixteenths 0.4`.
fn swing(text: &str) -> Result<Swing> {
    let read = || {
        let (kind, amount) = text.split_once(' ')?;
        let amount: f32 = amount.trim().parse().ok()?;
        if !(0.0..=1.0).contains(&amount) {
            return None;
        }
        match kind {
            "eighths" => Some(Swing::new(amount, 0.0)),
            "sixteenths" => Some(Swing::new(0.0, amount)),
            _ => None,
        }
    };
    read().with_context(|| {
        format!("swing = {text:?} is not \"eighths\" or \"sixteenths\" and a number from 0 (straight) to 1 (dotted)")
    })
}

/// Where a straight place is played.
fn swung(at: Position, meter: Meter, swing: Swing) -> Position {
    let n_steps = meter.n_steps() as f64;
    let begin = (at.steps() / n_steps).floor() * n_steps;
    let within = swing.in_meter(meter).place_of(at.steps() - begin);
    Position::START + Length::of((begin + within) / f64::from(STEPS_PER_BEAT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(meter: &str, measures: &str) -> String {
        format!(
            "[[line]]\nname = \"own\"\nabout = \"\"\ntempo-bpm = 100\nmeter = \"{meter}\"\nmeasures = \"\"\"\n{measures}\"\"\"\n"
        )
    }

    #[test]
    fn a_measure_is_read_as_it_is_written() -> Result<()> {
        let rest = format!(
            "---- ---- .... |\n{}",
            ".... .... .... |\n".repeat(N_ANSWERED)
        );
        let lines = parse(&entry(
            "3/4",
            &format!("X--g x... s--- | E1 Bb1 C#2 A0\n{rest}"),
        ))?;
        let notes: Vec<_> = lines[0]
            .song
            .bass
            .iter()
            .map(|note| {
                (
                    note.start.beats(),
                    note.end.beats(),
                    note.key,
                    note.velocity,
                )
            })
            .collect();
        let expected = [
            (0.0, 0.75, 28, 116),
            (0.75, 1.0, 34, 44),
            (1.0, 1.25, 37, 96),
            // It is held for the first eight steps of the next measure.
            (2.0, 5.0, 21, 74),
        ];
        assert_eq!(notes, expected);
        assert_eq!(lines[0].n_measures, 2 + N_ANSWERED);
        Ok(())
    }

    #[test]
    fn a_shuffle_moves_the_second_half_of_a_beat_to_the_last_triplet() -> Result<()> {
        let shuffle = Swing::new(TRIPLET, 0.0);
        for (written, played) in [
            (0.0, 0.0),
            (0.25, 1.0 / 3.0),
            (0.5, 2.0 / 3.0),
            (0.75, 5.0 / 6.0),
            (3.0, 3.0),
            (8.5, 8.0 + 2.0 / 3.0),
        ] {
            let at = swung(Position::at(written), Meter::COMMON, shuffle);
            assert!((at.beats() - played).abs() < 1e-6, "{written}");
        }
        let text = entry("4/4", &"x--- x-x- ---- ---- | A1*3\n".repeat(6));
        let with = |swing: &str| text.replace("meter", &format!("{swing}\nmeter"));
        let starts = |text: &str| -> Result<Vec<f64>> {
            let bass = &parse(text)?[0].song.bass;
            Ok(bass.iter().map(|note| note.start.beats()).collect())
        };
        assert_eq!(
            starts(&with("shuffle = true"))?,
            starts(&with("swing = \"eighths 0.6666667\""))?
        );
        let straight = starts(&text)?;
        assert_eq!(starts(&with("swing = \"sixteenths 0.5\""))?, straight);
        assert!((starts(&with("swing = \"eighths 0.5\""))?[2] - 1.625).abs() < 1e-6);
        Ok(())
    }

    #[test]
    fn the_error_says_what_cannot_be_read() {
        let whole = "x--- ---- ---- ---- | A1\n";
        let with = |measure: &str| entry("4/4", &format!("{whole}{measure}\n{}", whole.repeat(4)));
        let twice = format!("{0}{0}", with(whole));
        for (text, expected) in [
            (with("x--- ---- ---- --- | A1"), "measure 2"),
            (
                with("x--- ---- ---- --- | A1"),
                "15 steps; a measure of 4/4 has 16",
            ),
            (with("x--- ---- ---- ---- | A1 E1"), "2 pitches for 1 notes"),
            (with("x--- ---- ---- ---- | A1*3"), "3 pitches for 1 notes"),
            (with("x--- ---- ---- ---- | H1"), "\"H1\" is not a pitch"),
            (with("x--- ---- ---- ---- | A9"), "\"A9\" is not a pitch"),
            (with("x--- ---- ---- ---- | A1*x"), "\"A1*x\""),
            (with("x--- ---- ---- ---- A1"), "a | must separate"),
            (with("x--- ---o ---- ---- | A1"), "step 8 is 'o'"),
            (with("x.-- ---- ---- ---- | A1"), "no note sounds at step 3"),
            (entry("4/4", whole), "it has 1 measures"),
            (entry("9/4", whole), "meter = \"9/4\""),
            (entry("4/4", whole).replace("100", "301"), "tempo-bpm = 301"),
            (
                entry("4/4", whole).replace("own", "../own"),
                "lowercase letters",
            ),
            (
                entry("4/4", whole).replace("own", TITLE),
                "not \"listening\"",
            ),
            (entry("4/4", whole).replace("about", "abuot"), "abuot"),
            (
                entry("4/4", whole).replace("meter", "swing = \"quarters 1\"\nmeter"),
                "\"quarters 1\" is not",
            ),
            (
                entry("4/4", whole)
                    .replace("meter", "shuffle = true\nswing = \"eighths 1\"\nmeter"),
                "write one of the two",
            ),
            (twice, "two lines are named \"own\""),
        ] {
            let error = parse(&text).map_err(|e| format!("{e:#}"));
            let text = error.err().unwrap_or_default();
            assert!(text.contains(expected), "{text:?} for {expected:?}");
        }
    }
}
