//! Draws what a drummer played as text, for the eye: four measures a row, one line per voice.

use std::fmt::Write as _;

use lockstep_core::family::Family;
use lockstep_core::representation::Voice;

use super::measure::Measure;
use super::play::{Played, Takes};
use super::rules;

/// Measures per row.
const PER_ROW: usize = 4;

/// Most measures of a family.
const MAX_MEASURES: usize = 32;

/// The grids of every family, asked for where the drummer has its style, else left free.
pub(super) fn text(played: &Played) -> String {
    let mut text = String::new();
    for family in &played.families {
        let how = if family.asked.is_some() {
            "asked for"
        } else {
            "left free"
        };
        let _infallible = writeln!(
            text,
            "{}, {how}: {}\n",
            family.family.name(),
            played.drummer
        );
        text.push_str(&takes(
            family.family,
            family.asked.as_ref().unwrap_or(&family.free),
        ));
    }
    text
}

/// The same as a page, each family asked for and left free.
pub(super) fn page(played: &Played) -> String {
    let mut text = format!(
        "# What {} plays to each family\n\n\
         Up to {MAX_MEASURES} measures to three bass lines of our own for each family, the default seed and settings, \
         as `cargo lab idioms --report` writes them: `X` an accent, `x` a stroke, `g` a ghost note. Under each measure \
         is whether it keeps the [rule](idioms.md#the-rules) of the family; where a dash is, it does not.\n",
        played.drummer
    );
    for family in &played.families {
        let asked = family.asked.as_ref().map(|takes| ("Asked for", takes));
        let _infallible = writeln!(text, "\n## {}", family.family.name());
        for (how, of) in asked.into_iter().chain([("Left free", &family.free)]) {
            let grids = takes(family.family, of);
            let _infallible = writeln!(text, "\n{how}:\n\n```text\n{}\n```", grids.trim_end());
        }
    }
    text
}

/// `X` an accent, `x` a stroke, `g` a ghost note; under each measure whether it keeps the rule.
fn takes(family: Family, takes: &Takes) -> String {
    let mut text = String::new();
    let mut n_left = MAX_MEASURES;
    for measures in &takes.measures {
        let measures = &measures[..measures.len().min(n_left)];
        n_left -= measures.len();
        for row in measures.chunks(PER_ROW) {
            text.push_str(&one_row(family, row));
        }
    }
    text
}

fn one_row(family: Family, row: &[Measure]) -> String {
    let mut text = String::new();
    let plays = |voice: &Voice| {
        row.iter()
            .any(|m| m.n(std::slice::from_ref(voice), m.all()) > 0)
    };
    for voice in Voice::ALL.into_iter().filter(plays) {
        let cells: Vec<String> = row
            .iter()
            .map(|m| {
                m.all()
                    .map(|step| mark(m.velocity(&[voice], step)))
                    .collect()
            })
            .collect();
        let _infallible = writeln!(text, "  {}  |{}|", voice.label(), cells.join("|"));
    }
    let verdicts: Vec<String> = row
        .iter()
        .map(|m| {
            let verdict = if rules::keeps(family, m) == Some(true) {
                "kept"
            } else {
                "-"
            };
            format!("{verdict:<width$}", width = m.n_steps())
        })
        .collect();
    let _infallible = writeln!(text, "         {}\n", verdicts.join(" ").trim_end());
    text
}

fn mark(velocity: u8) -> char {
    match velocity {
        0 => '.',
        1..45 => 'g',
        45..96 => 'x',
        _ => 'X',
    }
}
