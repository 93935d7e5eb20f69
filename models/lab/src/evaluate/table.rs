//! The table of figures: Markdown whose columns also line up in a terminal.

use crate::evaluation::{DEAF_BELOW, Likelihood};

use super::drift::Drift;
use super::measure::{DrummerFigures, ResultRow};

/// Shown where there is no figure.
pub(super) const NONE: &str = "–";

const HEADINGS: [&str; 29] = [
    "drummer",
    "f1",
    "kick",
    "snare",
    "lock gain",
    "kick on bass",
    "bass kicked",
    "notes",
    "empty",
    "dp8",
    "backbeat",
    "consistency",
    "repeat",
    "pieces",
    "vel mean",
    "vel sd",
    "vel accent",
    "off sd",
    "oa",
    "BCE",
    "after people",
    "after nobody",
    "diversity",
    "drift",
    "silence",
    "density",
    "p50 µs",
    "MFLOP",
    "parameters",
];

/// The table, one row per outcome.
pub(super) fn table(outcomes: &[ResultRow]) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(outcomes.iter().map(row));
    aligned(&rows)
}

/// Rows of cells as a Markdown table whose columns line up; the first row is the heading, the first column text.
pub(super) fn aligned(rows: &[impl AsRef<[String]>]) -> String {
    let width = |i: usize| {
        let cells = rows.iter().filter_map(|row| row.as_ref().get(i));
        let width = cells.map(|cell| cell.chars().count()).max();
        width.unwrap_or_default().max(3)
    };
    let n_columns = rows.first().map_or(0, |row| row.as_ref().len());
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells = row.as_ref().iter().zip(&widths).enumerate();
            let cells: Vec<String> = cells
                .map(|(i, (cell, &width))| match i {
                    0 => format!("{cell:<width$}"),
                    _ => format!("{cell:>width$}"),
                })
                .collect();
            format!("| {} |", cells.join(" | "))
        })
        .collect();
    let rules: Vec<String> = widths
        .iter()
        .enumerate()
        .map(|(i, width)| match i {
            0 => "-".repeat(*width),
            _ => format!("{}:", "-".repeat(width - 1)),
        })
        .collect();
    lines.insert(1.min(lines.len()), format!("| {} |", rules.join(" | ")));
    lines.join("\n")
}

fn row(outcome: &ResultRow) -> [String; HEADINGS.len()] {
    let f = &outcome.report.take;
    let deaf = if outcome.is_deaf() { " **deaf**" } else { "" };
    let of_drummer = |text: &dyn Fn(&DrummerFigures) -> String| {
        outcome.drummer.as_ref().map_or(NONE.to_owned(), text)
    };
    [
        format!("{}{deaf}", outcome.name),
        number(f.f1, 1),
        number(f.f1_kick, 1),
        number(f.f1_snare, 1),
        signed(f.lock_gain),
        number(f.kick_on_bass, 0),
        number(f.bass_kicked, 0),
        number(f.notes, 1),
        number(f.empty, 1),
        number(f.dp8, 0),
        number(f.backbeat, 0),
        number(f.consistency, 0),
        number(f.repeat, 0),
        number(f.pieces, 1),
        number(f.vel_mean, 0),
        number(f.vel_sd, 1),
        signed(f.vel_accent),
        number(f.off_sd, 3),
        number(outcome.report.oa, 2),
        bce(outcome.likelihoods[0]),
        bce(outcome.likelihoods[1]),
        bce(outcome.likelihoods[2]),
        of_drummer(&|m| number(m.probes.diversity, 0)),
        of_drummer(&|m| {
            let Drift { notes, lock_gain } = m.probes.drift;
            format!(
                "{:.1} → {:.1}, {} → {}",
                notes[0],
                notes[1],
                signed(lock_gain[0]),
                signed(lock_gain[1])
            )
        }),
        of_drummer(&|m| {
            let (lay_out, keep_time) = (m.probes.lay_out, m.probes.keep_time);
            format!(
                "{:.1}/{:.1}, back {:.1}/{:.1}",
                lay_out.hits, keep_time.hits, lay_out.back_after, keep_time.back_after
            )
        }),
        of_drummer(&|m| {
            let hits = m.probes.hits.map(|hits| format!("{hits:.0}")).join(" ");
            let falls = if m.probes.is_monotone() {
                ""
            } else {
                " **falls**"
            };
            format!("{hits}{falls}")
        }),
        of_drummer(&|m| number(m.probes.p50_us, 0)),
        of_drummer(&|m| match m.n_flops {
            0 => NONE.to_owned(),
            n => number(n as f64 / 1e6, 2),
        }),
        of_drummer(&|m| match (m.n_parameters, m.n_bytes) {
            (0, None) => NONE.to_owned(),
            (0, Some(n_bytes)) => format!("{n_bytes} B"),
            (n, None) => n.to_string(),
            (n, Some(n_bytes)) => format!("{n} ({n_bytes} B)"),
        }),
    ]
}

pub(super) fn number(value: f64, n_digits: usize) -> String {
    if value.is_finite() {
        format!("{value:.n_digits$}")
    } else {
        NONE.to_owned()
    }
}

fn bce(likelihood: Option<Likelihood>) -> String {
    likelihood.map_or(NONE.to_owned(), |likelihood| number(likelihood.bce(), 4))
}

pub(super) fn signed(value: f64) -> String {
    if value.is_finite() {
        format!("{value:+.1}")
    } else {
        NONE.to_owned()
    }
}

/// What the columns mean, as Markdown.
pub(super) fn legend() -> String {
    format!(
        "f1, kick, snare: hits that people played at the same step with the same voice, which is no measure of quality: \
         compare the fixed rock beat. lock gain: kick F1 against the song's own bass minus that against every other \
         song's; below {DEAF_BELOW:.0} a drummer is **deaf**. kick on bass, bass kicked: kicks that fall on a bass \
         onset, and the other way round. notes, pieces: hits and different voices per measure. empty: measures without \
         a hit. dp8: hits on eighths. backbeat: measures with a snare, side stick or clap on two and four. consistency, \
         repeat: similarity of adjacent measures, and measures identical to the one before. vel: MIDI velocity, accent \
         = on beats minus off beats. off sd: distance from the step, in steps. oa: overlap of the songs' distributions \
         of these figures with people's, 1 = the same. BCE: surprise at people's next measure, nats per cell; after \
         people: given all past drums of people that it could know; after nobody: given no drums. It counts the voices that \
         a drummer plays: one of version 1 is asked about people's drums in its nine. diversity: 100 − F1 between takes of one song with \
         different seeds. drift: notes and lock gain in measures 16 to 80 and 192 to 256 of the same bass repeated. \
         silence: hits per measure while the bass rests, laying out / keeping time, and measures of returned bass \
         before the drummer is back. density: hits per measure at density .1 .3 .5 .7 .9; **falls** where more density \
         gave fewer. p50: median time per prediction, one thread. MFLOP: operations per prediction, a lower bound. \
         Shares in percent."
    )
}

#[cfg(test)]
pub(super) mod tests {
    use crate::evaluation::{Figures, Report};
    use crate::realism::Habits;

    use super::super::probes::{Probes, RestResponse};
    use super::super::push::Spliced;
    use super::*;

    /// A drummer with this lock gain.
    pub(in super::super) fn outcome(name: &str, lock_gain: f64) -> ResultRow {
        let take = Figures {
            lock_gain,
            vel_mean: f64::NAN,
            ..Figures::default()
        };
        let probes = Probes {
            diversity: 12.0,
            drift: Drift::default(),
            lay_out: RestResponse::default(),
            keep_time: RestResponse::default(),
            hits: [1.0, 2.0, 3.0, 2.5, 4.0],
            responses: None,
            p50_us: 9.0,
            p99_us: 10.0,
        };
        ResultRow {
            name: name.to_owned(),
            report: Report {
                take,
                ..Report::default()
            },
            likelihoods: [None; 3],
            realism: None,
            habits: Habits::of_people([]),
            push: None,
            drummer: Some(DrummerFigures {
                probes,
                n_parameters: 7,
                n_flops: 2_000_000,
                n_bytes: Some(28),
            }),
        }
    }

    #[test]
    fn a_drummer_that_ignores_the_bass_is_marked_deaf() {
        let outcomes = [outcome("stone", 7.9), outcome("ear", 8.0)];
        let table = table(&outcomes);
        let line = |name| table.lines().find(|line| line.contains(name));
        assert!(line("stone").is_some_and(|line| line.contains("**deaf**")));
        assert!(line("ear").is_some_and(|line| !line.contains("**deaf**")));
        let people = ResultRow::people(&outcomes, &[], &Spliced::of(&[]));
        assert!(!people.is_deaf(), "people are not a drummer");
        assert!(
            people
                .report
                .named_overlaps()
                .all(|(_, overlap)| (overlap - 1.0).abs() < 1e-9),
            "people overlap fully with themselves"
        );
    }

    #[test]
    fn every_row_has_every_column_and_a_dash_for_unknown_figures() {
        let table = table(&[outcome("ear", 8.0)]);
        for line in table.lines() {
            assert_eq!(line.matches('|').count(), HEADINGS.len() + 1, "{line}");
        }
        assert!(table.contains(NONE) && !table.contains("NaN"));
        assert!(table.contains("1 2 3 2 4 **falls**"), "{table}");
    }
}
