//! The log of a run: one line per validation, as CSV and as curves.

use std::fs;
use std::path::Path;

use crate::evaluation::Report;
use crate::training::trainer::Losses;
use anyhow::{Context as _, Result};

use super::state::Progress;
use crate::picture::{Panel, Series, curves};
use crate::whole;

/// File in the run's folder.
const CSV: &str = "log.csv";

/// Losses since the last validation.
#[derive(Debug, Default)]
pub(super) struct Sums {
    losses: Vec<Losses>,
}

impl Sums {
    pub(super) fn add(&mut self, losses: &Losses) {
        self.losses.push(*losses);
    }

    /// Mean of each loss, by name.
    fn means(&self) -> Vec<(&'static str, f64)> {
        let n = self.losses.len().max(1) as f64;
        let names = Losses::default().named().map(|(name, _)| name);
        let mean = |i: usize| {
            let values = self
                .losses
                .iter()
                .map(|losses| f64::from(losses.named()[i].1));
            values.sum::<f64>() / n
        };
        names
            .iter()
            .enumerate()
            .map(|(i, name)| (*name, mean(i)))
            .collect()
    }
}

/// One row per validation; the first column is the step.
#[derive(Debug, Default)]
pub(super) struct Log {
    names: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl Log {
    /// The log in the folder, up to the step that the run resumes from.
    pub(super) fn open(folder: &Path, n_steps: u64) -> Result<Self> {
        let path = folder.join(CSV);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path)?;
        let mut lines = text.lines();
        let names = lines.next().unwrap_or_default().split(',');
        let rows = lines
            .map(|line| {
                line.split(',')
                    .map(str::parse)
                    .collect::<Result<Vec<f64>, _>>()
            })
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("{} is not a training log; move it away", path.display()))?;
        Ok(Self {
            names: names.map(str::to_owned).collect(),
            rows: rows
                .into_iter()
                .filter(|row| row.first().is_some_and(|step| *step <= n_steps as f64))
                .collect(),
        })
    }

    /// Adds a validation; returns the line to print.
    pub(super) fn add(
        &mut self,
        n_steps: u64,
        progress: &Progress,
        sums: &Sums,
        report: &Report,
    ) -> String {
        let mut row = vec![
            ("step", n_steps as f64),
            ("core_minutes", progress.core_seconds / 60.0),
        ];
        row.extend(sums.means());
        let take = &report.take;
        row.extend([
            ("f1", take.f1),
            ("lock_gain", take.lock_gain),
            ("oa", report.oa),
            ("notes", take.notes),
            ("backbeat", take.backbeat),
            ("repeat", take.repeat),
            ("pieces", take.pieces),
            ("vel_sd", take.vel_sd),
        ]);
        self.names = row.iter().map(|(name, _)| (*name).to_owned()).collect();
        self.rows
            .push(row.iter().map(|(_, value)| *value).collect());
        let line = row.iter().map(|(name, value)| match *name {
            "step" => format!("step {value:.0}"),
            "notes" | "backbeat" | "repeat" | "vel_sd" => format!("{name} {value:.0}"),
            "core_minutes" | "f1" | "lock_gain" | "pieces" => format!("{name} {value:.1}"),
            _ => format!("{name} {value:.3}"),
        });
        line.collect::<Vec<_>>().join(", ")
    }

    /// Writes the table and the curves.
    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        let mut text = self.names.join(",") + "\n";
        for row in &self.rows {
            let cells: Vec<_> = row.iter().map(|value| format!("{value:.6}")).collect();
            text += &(cells.join(",") + "\n");
        }
        whole::write(&folder.join(CSV), text.as_bytes())?;
        let panel = |y_label: &str, names: &[&str]| Panel {
            y_label: y_label.to_owned(),
            series: names.iter().map(|name| self.series(name)).collect(),
        };
        let panels = [
            panel("training losses", &["critic", "adversary", "feel"]),
            panel("cross-entropy, nats per cell", &["likelihood"]),
            panel(
                "validation songs",
                &["f1", "lock_gain", "backbeat", "repeat"],
            ),
            panel("overlap with people", &["oa"]),
        ];
        let title = folder.file_name().unwrap_or_default().to_string_lossy();
        curves(&folder.join("curves.png"), &title, "step", &panels)
    }

    /// A column against the steps.
    fn series(&self, name: &str) -> Series {
        let column = self.names.iter().position(|n| n == name).unwrap_or(0);
        let points = self
            .rows
            .iter()
            .filter_map(|row| Some((*row.first()?, *row.get(column)?)));
        Series {
            name: name.replace('_', " "),
            points: points.collect(),
        }
    }
}
