//! `cargo lab idioms`: whether a drummer plays the families of grooves that players ask for by name.
//!
//! Each family has three bass lines of our own and one rule a measure that a drummer would sign. Drummers play to the lines
//! through the plugin's engine, with the family asked for (if their network has a style of its name) and left free, and the
//! share of measures that keep the rule is printed beside the share in people's own measures. `lines` has the bass lines,
//! `rules` the rules on a `measure`, `sheet` makes measures of takes and of songs, `people` measures a corpus, `play` a
//! drummer, `table` and `grids` show the outcome. The same command prints the same.

mod grids;
mod lines;
mod measure;
mod people;
mod play;
mod rules;
mod share;
mod sheet;
mod table;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use lockstep_core::family::Family;
use lockstep_models::predict::EMBEDDED_NAME;

use crate::corpus::{Corpus, MeasureView};
use crate::whole;
use people::People;
use play::Played;

#[cfg(test)]
pub(crate) use {measure::Measure, rules::keeps as keeps_rule};

/// Whether a measure of a corpus keeps a family's rule; `None` in a meter that the rule does not speak of.
pub(crate) fn keeps(family: Family, measure: MeasureView<'_>) -> Option<bool> {
    rules::keeps(family, &sheet::of_corpus(measure))
}

/// What to play, and what to compare it with.
#[derive(Clone, Debug, clap::Args)]
pub struct Idioms {
    /// Weights files to measure beside the rule groove and the embedded drummers
    weights: Vec<PathBuf>,
    /// Corpus file with groove labels: also measure people's own drums
    #[arg(long)]
    data: Option<PathBuf>,
    /// Folder for the tables as Markdown and JSON, and the default drummer's grids
    #[arg(long)]
    report: Option<PathBuf>,
    /// Also print the drums of each family as grids, 32 measures at most
    #[arg(long)]
    grids: bool,
    /// Leave out the rule groove and the embedded drummers
    #[arg(long)]
    only_weights: bool,
}

impl Idioms {
    /// Plays, prints the tables and writes the report, if one is wanted.
    ///
    /// # Errors
    /// Says which file or value is wrong.
    pub fn run(&self) -> Result<()> {
        let families = lines::all()?;
        let people = match &self.data {
            Some(path) => {
                let corpus = Corpus::open(path).context("the corpus of --data")?;
                Some(People::of(&corpus))
            }
            None => None,
        };
        let mut played: Vec<Played> = Vec::new();
        for player in play::players(&self.weights, self.only_weights)? {
            let outcome = player.play(&families)?;
            println!("{}", table::markdown(&outcome, people.as_ref()));
            if self.grids {
                println!("{}", grids::text(&outcome));
            }
            played.push(outcome);
        }
        if let Some(folder) = &self.report {
            whole::folder(folder)?;
            let json = serde_json::to_string_pretty(&table::json(&played, people.as_ref()))?;
            whole::write(&folder.join("idioms.json"), json.as_bytes())?;
            let page = table::page(&played, people.as_ref());
            whole::write(&folder.join("idioms.md"), page.as_bytes())?;
            if let Some(default) = played.iter().find(|it| it.drummer == EMBEDDED_NAME) {
                let grids = grids::page(default);
                whole::write(&folder.join("grids.md"), grids.as_bytes())?;
            }
        }
        Ok(())
    }
}
