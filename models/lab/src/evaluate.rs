//! `cargo lab evaluate`: drummers play to songs of the corpus through the plugin's own engine and are measured.
//!
//! Closed loop: a drummer hears the bass and its own past drums, starting from silence, and none of what people played.
//! `drummers` lists the players, `songs` and `lessons` read the data, `measure`, `probes` and `push` measure, `table`,
//! `realism` and `report` write the results.

mod drift;
pub(crate) mod drummers;
mod lessons;
mod measure;
pub(crate) mod playing;
mod probes;
mod push;
mod realism;
mod report;
mod responses;
mod songs;
mod table;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use lockstep_models::predict::{EMBEDDED, EMBEDDED_NAME};

use crate::corpus::Split;

use crate::whole;
use measure::ResultRow;
use push::{PushResponse, Spliced};
use songs::EvaluationSongs;

/// Variation while a drummer is measured: how much of its choices changes from measure to measure. The plugin's
/// default.
pub(crate) const VARIATION: f32 = 0.1;

/// What to measure, and on which songs.
#[derive(Clone, Debug, clap::Args)]
pub struct Evaluate {
    /// Weights files to measure besides the embedded drummers and the baselines
    weights: Vec<PathBuf>,
    /// Folder or archive of the corpus with the songs to play
    #[arg(long, default_value = "corpus")]
    corpus: PathBuf,
    /// Training file made by `cargo lab prepare`; the learnt baselines are fitted to it
    #[arg(long, default_value = "corpus.lockstep")]
    data: PathBuf,
    /// `valid` to choose between drummers, `test` to report
    #[arg(long, default_value = "test", value_parser = ["valid", "test"])]
    split: String,
    /// Songs, evenly spread over those in 4/4 with more than eight measures
    #[arg(long, default_value_t = 200)]
    songs: usize,
    /// Measure only the weights files that are named, and people
    #[arg(long, requires = "weights")]
    only: bool,
    /// Threads that play songs in parallel; 0 means one per core
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Folder for the report: report.md, report.json and pictures
    #[arg(long)]
    report: Option<PathBuf>,
    /// Draw takes of every drummer in the report, not only of the default one
    #[arg(long)]
    draw_all: bool,
    /// Folder for the takes and the real drums as MIDI files; none of it may be published
    #[arg(long)]
    takes: Option<PathBuf>,
}

impl Evaluate {
    /// Prints the table, and writes the report if one is wanted.
    ///
    /// # Errors
    /// Says which file or value is wrong.
    pub fn run(&self) -> Result<()> {
        for folder in [&self.report, &self.takes].into_iter().flatten() {
            whole::folder(folder)?;
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build()?
            .install(|| self.evaluate())
    }

    fn evaluate(&self) -> Result<()> {
        // Fail on bad weights before minutes are spent.
        let mut drummers = drummers::load_all(&self.weights)?;
        if self.only {
            drummers.drain(..EMBEDDED.len());
        } else {
            let lessons = lessons::lessons(&self.data)?;
            eprintln!("{} measures to learn from", lessons.len());
            let mut first = drummers::baselines(&lessons);
            first.append(&mut drummers);
            drummers = first;
        }

        let split = if self.split == "valid" {
            Split::Valid
        } else {
            Split::Test
        };
        let pieces = EvaluationSongs::read(&self.corpus, split, self.songs)?;
        println!("{} songs of the {} split\n", pieces.songs.len(), self.split);
        let spliced = Spliced::of(&pieces.songs);
        let mut outcomes = Vec::new();
        for drummer in &drummers {
            let begun = Instant::now();
            outcomes.push(measure::measure(
                drummer,
                &pieces.songs,
                &spliced,
                self.takes.as_deref(),
            )?);
            eprintln!("{}: {:.1} s", drummer.name, begun.elapsed().as_secs_f64());
        }
        outcomes.push(measure::open_loop(&pieces.songs));
        outcomes.push(ResultRow::people(&outcomes, &pieces.songs, &spliced));
        println!("{}", table::table(&outcomes));
        println!("\n{}\n{}", realism::table(&outcomes), realism::legend());
        println!("\n{}", push::table(&pushes(&outcomes)));
        println!("\n{}", responses::table(&answers(&outcomes)));
        if let Some(folder) = &self.report {
            let head = report::ReportHeader {
                split: &self.split,
                n_songs: pieces.songs.len(),
            };
            drummers.retain(|drummer| self.draw_all || drummer.name == EMBEDDED_NAME);
            report::write(folder, &head, &drummers, &outcomes, &pieces.open)?;
            println!("\nWrote {}", folder.join(report::MARKDOWN).display());
        }
        Ok(())
    }
}

/// The outcomes of drummers that hear controls, by name.
fn answers(outcomes: &[ResultRow]) -> Vec<(&str, responses::Responses)> {
    let answers = outcomes.iter().filter_map(|outcome| {
        let measured = outcome.drummer?;
        Some((outcome.name.as_str(), measured.probes.responses?))
    });
    answers.collect()
}

/// How the outcomes follow another bass, by name.
fn pushes(outcomes: &[ResultRow]) -> Vec<(&str, PushResponse)> {
    let pushes = outcomes.iter();
    pushes
        .filter_map(|outcome| Some((outcome.name.as_str(), outcome.push?)))
        .collect()
}
