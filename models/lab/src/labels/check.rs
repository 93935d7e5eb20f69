//! `cargo lab label`: how often the classifier of grooves is right on sources that it has not seen, and how sure it may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use lockstep_core::family::Family;
use rayon::prelude::*;

use super::calibration::{Answer, Calibration};
use super::classifier::{Classifier, Example, LEAST_KNOWN, family};
use crate::corpus::{Corpus, SongView};
use crate::{root, whole};

/// A source with fewer known songs is held out together with the other small ones.
const LEAST_OF_SOURCE: usize = 20;

/// The small sources together.
const SMALL: &str = "small sources";

/// Fewest songs of a family, or sources of it, from which a network should be taught its word.
const LEAST_TO_TEACH: (usize, usize) = (40, 3);

/// Which corpus to check on.
#[derive(Clone, Debug, clap::Args)]
pub struct Label {
    /// The training file that `cargo lab prepare` made.
    #[arg(long, default_value = "corpus.lockstep")]
    data: PathBuf,
    /// Write the curve of certainty anew, to this file; then prepare the corpus again.
    #[arg(long, num_args = 0..=1, default_missing_value = "models/labels/calibration.toml")]
    write: Option<PathBuf>,
}

/// What the classifier said of a known song whose source it had not seen.
#[derive(Clone, Debug)]
struct Trial {
    source: String,
    /// Index of its family, or beyond them.
    truth: usize,
    answer: usize,
    score: f32,
    /// Whether its source is of real songs, as those are that are to be labelled.
    is_real: bool,
}

impl Trial {
    fn is_right(&self) -> bool {
        self.truth == self.answer
    }

    /// How sure the answer is; 0 if it does not count.
    fn certainty(&self, curve: &Calibration) -> f32 {
        family(self.answer).map_or(0.0, |family| curve.certainty(family, self.score))
    }
}

impl Label {
    /// Holds out each labelled source in turn and prints how often the classifier is right.
    ///
    /// # Errors
    /// If the corpus cannot be read or holds too few known songs.
    pub fn run(&self) -> Result<()> {
        let corpus = Corpus::open(&self.data)?;
        let songs: Vec<_> = (0..corpus.n_songs()).map(|idx| corpus.song(idx)).collect();
        let trials = trials(&songs)?;
        let real: Vec<_> = trials.iter().filter(|trial| trial.is_real).collect();
        let all: Vec<_> = trials.iter().collect();
        let real_answers = answers(&real);
        let curve = Calibration::fit(&real_answers, &answers(&all));
        println!("{}", by_source(&trials, &curve));
        println!("{}", by_family(&trials, &curve));
        println!("{}", by_certainty(&real, &curve));
        println!("{}", of_corpus(&songs));
        if let Some(path) = &self.write {
            let text = format!(
                "# Made by `cargo lab label --write` from {} songs whose sources were held out.\n{}",
                real_answers.len(),
                toml::to_string(&curve)?
            );
            whole::write(&root().join(path), text.as_bytes())?;
            println!("{} written; prepare the corpus again", path.display());
        }
        Ok(())
    }
}

/// The answers that name a family.
fn answers(trials: &[&Trial]) -> Vec<Answer> {
    let answer = |trial: &&Trial| {
        Some(Answer {
            family: family(trial.answer)?,
            score: trial.score,
            is_right: trial.is_right(),
        })
    };
    trials.iter().filter_map(answer).collect()
}

/// Every known song, answered by a classifier that has seen no song of its source.
fn trials(songs: &[SongView<'_>]) -> Result<Vec<Trial>> {
    let examples: Vec<_> = songs
        .par_iter()
        .filter_map(|song| Example::of(*song))
        .collect();
    let mut n_of: BTreeMap<String, usize> = BTreeMap::new();
    for example in &examples {
        *n_of.entry(example.maker()).or_default() += 1;
    }
    let source = |example: &Example| {
        let maker = example.maker();
        if n_of.get(&maker).is_some_and(|n| *n >= LEAST_OF_SOURCE) {
            maker
        } else {
            SMALL.to_owned()
        }
    };
    let sources: BTreeSet<String> = examples.iter().map(source).collect();
    ensure!(
        sources.len() > 2,
        "the corpus has songs of {} labelled sources; three are needed",
        sources.len()
    );
    let mut trials = Vec::new();
    for held_out in sources {
        let (inside, outside): (Vec<_>, Vec<_>) = examples
            .iter()
            .partition(|example| source(example) == held_out);
        let classifier = Classifier::grow(&outside)
            .with_context(|| format!("without {held_out} there are too few known songs"))?;
        let numbers: Vec<_> = inside
            .iter()
            .map(|example| example.numbers.as_slice())
            .collect();
        let answers = classifier.answers(&numbers);
        trials.extend(
            inside
                .iter()
                .zip(answers)
                .map(|(example, (answer, score))| Trial {
                    source: held_out.clone(),
                    truth: example.class,
                    answer,
                    score,
                    is_real: !example.is_copy && held_out != "groove",
                }),
        );
    }
    Ok(trials)
}

/// Number, share of right answers, share that counts, and share of right ones among those.
fn line(name: &str, trials: &[&Trial], curve: &Calibration) -> String {
    let n_right = trials.iter().filter(|trial| trial.is_right()).count();
    let counted: Vec<_> = trials
        .iter()
        .filter(|trial| trial.certainty(curve) > 0.0)
        .collect();
    let n_counted_right = counted.iter().filter(|trial| trial.is_right()).count();
    format!(
        "{name:<24} {:>6} {:>9} {:>9} {:>9}",
        trials.len(),
        percent(n_right, trials.len()),
        percent(counted.len(), trials.len()),
        percent(n_counted_right, counted.len()),
    )
}

/// A share as text; `-` of nothing.
fn percent(n: usize, of: usize) -> String {
    if of == 0 {
        return "-".to_owned();
    }
    format!("{:.0}", 100.0 * n as f64 / of as f64)
}

fn by_source(trials: &[Trial], curve: &Calibration) -> String {
    let mut text = format!(
        "Known songs (certainty at least {LEAST_KNOWN}), each source held out in turn. \
         Labelled: those whose score is at least {:.2}.\n{:<24} {:>6} {:>9} {:>9} {:>9}\n",
        curve.least_score, "source held out", "songs", "right %", "labelled", "right %"
    );
    let sources: BTreeSet<&str> = trials.iter().map(|trial| trial.source.as_str()).collect();
    for source in sources {
        let of: Vec<_> = trials
            .iter()
            .filter(|trial| trial.source == source)
            .collect();
        text += &(line(source, &of, curve) + "\n");
    }
    let real: Vec<_> = trials.iter().filter(|trial| trial.is_real).collect();
    text + &line("all of real songs", &real, curve)
        + "\n"
        + &line("all", &trials.iter().collect::<Vec<_>>(), curve)
}

fn by_family(trials: &[Trial], curve: &Calibration) -> String {
    let mut text = format!(
        "\n{:<24} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}  taken for (of all its songs)\n",
        "family", "songs", "right %", "labelled", "right %", "answers", "right %"
    );
    for truth in 0..=Family::ALL.len() {
        let name = family(truth).map_or("none of them", Family::name);
        let of: Vec<_> = trials.iter().filter(|trial| trial.truth == truth).collect();
        let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
        for trial in of.iter().filter(|trial| !trial.is_right()) {
            *taken.entry(trial.answer).or_default() += 1;
        }
        let mut taken: Vec<_> = taken.into_iter().collect();
        taken.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let taken: Vec<_> = taken
            .iter()
            .take(4)
            .map(|(answer, n)| format!("{} {n}", family(*answer).map_or("none", Family::id)))
            .collect();
        // Writing to a string never fails.
        let said = trials
            .iter()
            .filter(|trial| trial.answer == truth && trial.certainty(curve) > 0.0);
        let (n, n_right) = said.fold((0, 0), |(n, n_right), trial| {
            (n + 1, n_right + usize::from(trial.is_right()))
        });
        let _ = writeln!(
            text,
            "{} {n:>9} {:>9}  {}",
            line(name, &of, curve),
            percent(n_right, n),
            taken.join(", ")
        );
    }
    text
}

/// Whether 0.8 means right in eight of ten.
fn by_certainty(real: &[&Trial], curve: &Calibration) -> String {
    let mut text = format!(
        "\n{:<24} {:>6} {:>9}   (held-out sources of real songs)\n",
        "certainty", "songs", "right %"
    );
    let bands = [(0.0, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01)];
    for (from, to) in bands {
        let of: Vec<_> = real
            .iter()
            .filter(|trial| family(trial.answer).is_some())
            .filter(|trial| {
                let certainty = f64::from(trial.certainty(curve));
                certainty > 0.0 && certainty >= from && certainty < to
            })
            .collect();
        let n_right = of.iter().filter(|trial| trial.is_right()).count();
        let share = 100.0 * n_right as f64 / of.len().max(1) as f64;
        let _ = writeln!(
            text,
            "{:<24} {:>6} {share:>9.0}",
            format!("{from:.1} to {:.1}", to.min(1.0)),
            of.len()
        );
    }
    text
}

/// What the corpus holds, and what is too little to teach.
fn of_corpus(songs: &[SongView<'_>]) -> String {
    let mut text = format!(
        "\n{:<24} {:>6} {:>9} {:>9} {:>9}\n",
        "family in the corpus", "known", "guessed", "measures", "sources"
    );
    let (mut n_labelled, mut too_few) = (0, Vec::new());
    for family in Family::ALL {
        let of: Vec<_> = songs
            .iter()
            .filter(|song| song.label.is_some_and(|label| label.family == family))
            .collect();
        let n_known = of
            .iter()
            .filter(|song| song.label.is_some_and(|label| label.is_known))
            .count();
        let sources: BTreeSet<&str> = of.iter().map(|song| song.source).collect();
        let n_measures: usize = of.iter().map(|song| song.n_measures()).sum();
        n_labelled += of.len();
        if of.len() < LEAST_TO_TEACH.0 || sources.len() < LEAST_TO_TEACH.1 {
            too_few.push(family.name());
        }
        let _ = writeln!(
            text,
            "{:<24} {n_known:>6} {:>9} {n_measures:>9} {:>9}",
            family.name(),
            of.len() - n_known,
            sources.len()
        );
    }
    let _ = write!(
        text,
        "{n_labelled} of {} songs have a label. Fewer than {} songs or {} sources: {}",
        songs.len(),
        LEAST_TO_TEACH.0,
        LEAST_TO_TEACH.1,
        too_few.join(", ")
    );
    text
}
