//! The report: the table as Markdown, everything as JSON, and pictures of takes. Only songs of the open tier and the
//! embedded example are drawn, so the report may be published.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use lockstep_core::generator::DEFAULT_SEED;
use lockstep_core::representation::Meter;
use lockstep_files::midi_file::{self, Pick, Song};
use serde_json::{Map, Value, json};

use crate::evaluation::{DEAF_BELOW, Figures, Likelihood};

use super::VARIATION;
use super::drummers::Candidate;
use super::measure::ResultRow;
use super::playing::{controls, play};
use super::probes::{DENSITIES, RestResponse};
use super::responses::{self, BASS_VELOCITY, FOLLOW};
use super::songs::{EvaluationSong, N_DRAWN, first_measure};
use super::{answers, push, pushes, realism, table};
use crate::picture::{self, Panel, Roll, Series};
use crate::whole;

/// Name of the report as Markdown.
pub(super) const MARKDOWN: &str = "report.md";

/// Name of the report as JSON.
pub(super) const JSON: &str = "report.json";

/// Name of the picture of the density responses.
const DENSITY: &str = "density.png";

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReportHeader<'a> {
    /// Name of the split.
    pub(super) split: &'a str,
    /// Songs played.
    pub(super) n_songs: usize,
}

/// A picture in the report.
struct Picture {
    file: String,
    caption: String,
}

/// Writes the report; `report.md`, which links to the other files, is written last.
pub(super) fn write(
    folder: &Path,
    head: &ReportHeader<'_>,
    drummers: &[Candidate],
    outcomes: &[ResultRow],
    open: &[EvaluationSong],
) -> Result<()> {
    whole::folder(folder)?;
    let mut pictures = vec![density(folder, outcomes)?];
    for (i, drummer) in drummers.iter().enumerate() {
        pictures.extend(takes(folder, i, drummer, open)?);
    }
    let text = serde_json::to_string_pretty(&json(head, outcomes))?;
    whole::write(&folder.join(JSON), text.as_bytes())?;
    whole::write(
        &folder.join(MARKDOWN),
        markdown(head, outcomes, &pictures).as_bytes(),
    )
}

fn markdown(head: &ReportHeader<'_>, outcomes: &[ResultRow], pictures: &[Picture]) -> String {
    let mut text = format!(
        "# Drummers measured\n\n{} songs of the {} split, closed loop through the plugin's own engine, every knob as the \
         plugin has it at first: variation {VARIATION}, seed {DEFAULT_SEED} for all songs.\n\n{}\n\n{}\n",
        head.n_songs,
        head.split,
        table::table(outcomes),
        table::legend(),
    );
    let _infallible = writeln!(
        text,
        "\n## Realism\n\n{}\n\n{}",
        realism::table(outcomes),
        realism::legend()
    );
    for (title, table) in [
        ("Push", push::table(&pushes(outcomes))),
        ("Controls", responses::table(&answers(outcomes))),
    ] {
        if !table.is_empty() {
            let _infallible = writeln!(text, "\n## {title}\n\n{table}");
        }
    }
    for Picture { file, caption } in pictures {
        let _infallible = writeln!(text, "\n![{caption}]({file})\n\n{caption}");
    }
    text
}

/// Everything measured. An undefined figure is `null`.
fn json(head: &ReportHeader<'_>, outcomes: &[ResultRow]) -> Value {
    json!({
        "split": head.split,
        "n_songs": head.n_songs,
        "variation": VARIATION,
        "seed": DEFAULT_SEED,
        "deaf_below": DEAF_BELOW,
        "densities": DENSITIES,
        "rows": outcomes.iter().map(row).collect::<Vec<_>>(),
    })
}

fn row(outcome: &ResultRow) -> Value {
    let report = &outcome.report;
    let rest = |rest: RestResponse| json!({ "hits": rest.hits, "back_after": rest.back_after });
    let overlaps: Map<String, Value> = report
        .named_overlaps()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    let drummer = outcome.drummer.map(|m| {
        json!({
            "diversity": m.probes.diversity,
            "drift_notes": m.probes.drift.notes,
            "drift_lock_gain": m.probes.drift.lock_gain,
            "lay_out": rest(m.probes.lay_out),
            "keep_time": rest(m.probes.keep_time),
            "density_hits": m.probes.hits,
            "density_is_monotone": m.probes.is_monotone(),
            "responses": m.probes.responses.map(|r| json!({
                "follow": { "settings": FOLLOW, "lock_gain": r.lock_gain },
                "variation": { "settings": responses::VARIATION, "repeat": r.repeat },
                "fills": { "settings": ["never", "free", "every 4"], "fourth_other": r.fills },
                "style": { "asked_is_nearest": r.style[0], "by_chance": r.style[1] },
                "bass_velocity": { "settings": BASS_VELOCITY, "vel_mean_notes": r.loudness },
                "shuffle": { "straight": r.shuffle[0], "triplets": r.shuffle[1] },
            })),
            "p50_us": m.probes.p50_us,
            "p99_us": m.probes.p99_us,
            "n_parameters": m.n_parameters,
            "n_flops": m.n_flops,
            "n_bytes": m.n_bytes,
        })
    });
    json!({
        "name": outcome.name,
        "is_deaf": outcome.is_deaf(),
        "n_songs_scored": report.n_songs,
        "take": named(&report.take),
        "oa": report.oa,
        "oa_by_figure": overlaps,
        "nll_per_measure": outcome.likelihoods[0].map(Likelihood::nll),
        "bce_per_cell": outcome.likelihoods[0].map(Likelihood::bce),
        "bce_per_cell_after_people": outcome.likelihoods[1].map(Likelihood::bce),
        "bce_per_cell_after_nobody": outcome.likelihoods[2].map(Likelihood::bce),
        "realism": realism::json(outcome),
        "push": outcome.push.map(|push| json!({
            "n_pairs": push.n_pairs,
            "measures_1_to_4": push.cold,
            "measures_5_to_16": push.before,
            "measures_17_to_20": push.after,
            "measures_21_to_32": push.later,
        })),
        "drummer": drummer,
    })
}

fn named(figures: &Figures) -> Map<String, Value> {
    figures
        .named()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
}

/// The density responses of all drummers.
fn density(folder: &Path, outcomes: &[ResultRow]) -> Result<Picture> {
    let series = outcomes.iter().filter_map(|outcome| {
        let hits = outcome.drummer?.probes.hits;
        Some(Series {
            name: outcome.name.clone(),
            points: DENSITIES.into_iter().map(f64::from).zip(hits).collect(),
        })
    });
    let panel = Panel {
        y_label: "hits per measure".to_owned(),
        series: series.collect(),
    };
    picture::curves(
        &folder.join(DENSITY),
        "Density response",
        "overall density",
        &[panel],
    )?;
    Ok(Picture {
        file: DENSITY.to_owned(),
        caption: "Hits per measure at each overall density.".to_owned(),
    })
}

/// Pictures of a drummer's takes of the example and of the open songs.
fn takes(
    folder: &Path,
    i: usize,
    drummer: &Candidate,
    open: &[EvaluationSong],
) -> Result<Vec<Picture>> {
    let example = midi_file::read(lockstep_offline::EXAMPLE, Pick::default())
        .context("reading the example bass")?;
    let mut pictures = vec![roll(
        &folder.join(file_name(i, &drummer.name, "example")),
        drummer,
        &example,
        "example bass line",
    )?];
    for (n, piece) in open.iter().enumerate() {
        // Whatever the caller passes, nothing without an open licence is drawn.
        let Some(licence) = &piece.licence else {
            continue;
        };

        let file = folder.join(file_name(i, &drummer.name, &format!("open{}", n + 1)));
        let mut picture = roll(&file, drummer, &piece.song, &piece.path)?;
        // The picture has no room for long licences.
        let _infallible = write!(picture.caption, " (licence of the song: {licence})");
        pictures.push(picture);
    }
    Ok(pictures)
}

/// `03-fixed-rock-beat-example.png`.
fn file_name(i: usize, drummer: &str, what: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() { c } else { '-' }
    };
    let words: String = drummer.to_lowercase().chars().map(plain).collect();
    let words: Vec<&str> = words.split('-').filter(|word| !word.is_empty()).collect();
    format!("{:02}-{}-{what}.png", i + 1, words.join("-"))
}

fn roll(path: &Path, drummer: &Candidate, song: &Song, what: &str) -> Result<Picture> {
    let generator = &mut *drummer.generator()?;
    let take = play(drummer, generator, song, &controls(DEFAULT_SEED))?;
    let mut parts = Vec::new();
    if !song.drums.is_empty() {
        parts.push(("people", song.drums.as_slice()));
    }
    parts.push((drummer.name.as_str(), take.drums.as_slice()));
    let title = format!("{} plays to {what}", drummer.name);
    let roll = Roll {
        title: &title,
        bass: &song.bass,
        parts: &parts,
        meter: Meter::COMMON,
        // By then the drummer has heard one measure.
        first_measure: first_measure(song) + 1,
        n_measures: N_DRAWN,
    };
    picture::roll(path, &roll)?;
    let file = path.file_name().unwrap_or_default();
    Ok(Picture {
        file: file.to_string_lossy().into_owned(),
        caption: title,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use lockstep_core::rule::RuleGroove;

    use super::super::table::tests::outcome;
    use super::*;

    #[test]
    fn a_report_is_complete_and_leaves_out_a_song_without_a_licence() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let song = midi_file::read(lockstep_offline::EXAMPLE, Pick::default())?;
        let piece = |path: &str, licence: Option<&str>| EvaluationSong {
            path: path.to_owned(),
            song: song.clone(),
            licence: licence.map(str::to_owned),
        };
        let pieces = [piece("free", Some("CC0")), piece("secret", None)];
        let head = ReportHeader {
            split: "test",
            n_songs: 1,
        };
        let outcomes = [outcome("groove", 7.0)];
        let drummers = [Candidate::rule(RuleGroove)];
        write(folder.path(), &head, &drummers, &outcomes, &pieces)?;

        let read = |name: &str| fs::read_to_string(folder.path().join(name));
        let (text, json) = (read(MARKDOWN)?, read(JSON)?);
        let mut files: Vec<String> = fs::read_dir(folder.path())?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_>>()?;
        files.sort();
        let expected = [
            "01-rule-example.png",
            "01-rule-open1.png",
            DENSITY,
            JSON,
            MARKDOWN,
        ];
        assert_eq!(files, expected);
        for file in &files[..3] {
            assert!(
                text.contains(&format!("({file})")),
                "{file} is not in the report"
            );
        }
        assert!(!text.contains("secret"));

        let json: Value = serde_json::from_str(&json)?;
        let row = &json["rows"][0];
        assert_eq!(row["is_deaf"], json!(true));
        assert_eq!(row["drummer"]["density_is_monotone"], json!(false));
        assert_eq!(row["take"].as_object().map(Map::len), Some(18));
        assert_eq!(row["take"]["vel_mean"], Value::Null);
        Ok(())
    }
}
