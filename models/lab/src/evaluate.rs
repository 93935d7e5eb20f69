//! `cargo lab evaluate`: drummers play to songs of the corpus through the plugin's own engine, and are measured.
//!
//! Closed loop: a drummer hears the bass and its own past drums, from silence on, and nothing of what people played.
//! `drummers` says who plays, `songs` and `lessons` what is read, `measure` and `probes` how it is measured, `table` and
//! `report` what comes out.

mod drift;
pub(crate) mod drummers;
mod lessons;
pub(crate) mod measure;
mod probes;
mod report;
mod responses;
mod songs;
mod table;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use lockstep_models::predict::EMBEDDED;

use crate::corpus::Split;

use crate::whole;
use measure::Outcome;
use songs::Pieces;

/// How much of a drummer's mind changes from measure to measure while it is measured; the plugin's default knob.
pub(crate) const VARIATION: f32 = 0.1;

/// What to measure, and on which songs.
#[derive(Clone, Debug, clap::Args)]
pub struct Evaluate {
    /// Weights files to measure beside the embedded ones and the baselines
    weights: Vec<PathBuf>,
    /// Folder or archive of the corpus, whose songs are played
    #[arg(long, default_value = "corpus")]
    corpus: PathBuf,
    /// The file that `cargo lab prepare` made, from which the learnt baselines learn
    #[arg(long, default_value = "corpus.lockstep")]
    data: PathBuf,
    /// `valid` to choose by, `test` to report on
    #[arg(long, default_value = "test", value_parser = ["valid", "test"])]
    split: String,
    /// Songs, evenly spread over those in 4/4 with more than eight measures
    #[arg(long, default_value_t = 200)]
    songs: usize,
    /// Threads that play songs side by side; 0 is one a core
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Folder for the report: report.md, report.json and pictures
    #[arg(long)]
    report: Option<PathBuf>,
    /// Draw takes of every drummer in the report, not of the default one alone
    #[arg(long)]
    draw_all: bool,
    /// Folder for the takes and the real drums as MIDI files; none of it may be published
    #[arg(long)]
    takes: Option<PathBuf>,
}

impl Evaluate {
    /// Prints the table, and writes the report where one is wanted.
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
        // What cannot be loaded must say so before minutes are spent.
        let loaded = drummers::load_all(&self.weights)?;
        let lessons = lessons::lessons(&self.data)?;
        eprintln!("{} measures to learn from", lessons.len());
        let mut drummers = drummers::baselines(&lessons);
        drop(lessons);
        drummers.extend(loaded);

        let split = if self.split == "valid" {
            Split::Valid
        } else {
            Split::Test
        };
        let pieces = Pieces::read(&self.corpus, split, self.songs)?;
        println!("{} songs of the {} split\n", pieces.songs.len(), self.split);
        let mut outcomes = Vec::new();
        for drummer in &drummers {
            let begun = Instant::now();
            outcomes.push(measure::measure(
                drummer,
                &pieces.songs,
                self.takes.as_deref(),
            )?);
            eprintln!("{}: {:.1} s", drummer.name, begun.elapsed().as_secs_f64());
        }
        outcomes.push(measure::open_loop(&pieces.songs));
        outcomes.push(Outcome::people(&outcomes));
        println!("{}", table::table(&outcomes));
        println!("\n{}", responses::table(&answers(&outcomes)));
        if let Some(folder) = &self.report {
            let head = report::Head {
                split: &self.split,
                n_songs: pieces.songs.len(),
            };
            drummers.retain(|drummer| self.draw_all || drummer.name == EMBEDDED[0].0);
            report::write(folder, &head, &drummers, &outcomes, &pieces.open)?;
            println!("\nWrote {}", folder.join(report::MARKDOWN).display());
        }
        Ok(())
    }
}

/// The outcomes of drummers that hear controls, by name.
fn answers(outcomes: &[Outcome]) -> Vec<(&str, responses::Responses)> {
    let answers = outcomes.iter().filter_map(|outcome| {
        let measured = outcome.drummer?;
        Some((outcome.name.as_str(), measured.probes.responses?))
    });
    answers.collect()
}
