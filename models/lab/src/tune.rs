//! `lockstep tune FOLDER`: fine-tunes a drummer on a folder of someone's own songs.
//!
//! Some songs are held back: one part to choose the best weights, another to compare the drummer before and after.
//! Weights that are no better than before are not written.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use lockstep::drummers::own_weights;
use lockstep_files::measured_song::MIN_MEASURES;
use lockstep_models::network::Drumming;
use lockstep_models::predict::{EMBEDDED, EMBEDDED_NAME, Predictor};
use lockstep_models::weights::{Weights, WeightsError};

use crate::corpus::{self, Corpus, SongRecord, Split};
use crate::evaluation::{self, GridSong, Report};
use crate::training::run::RunFile;

use crate::prepare::{SONGS_PER_CHUNK, prepare};
use crate::train::tuning::{self, Limits};
use crate::train::{self, own_process};
use crate::whole;

/// What to learn from, and where the drummer goes.
#[derive(Clone, Debug, clap::Args)]
pub struct Tune {
    /// Folder or archive of MIDI files, each with a bass part and drums on channel 10
    songs: PathBuf,
    /// The drummer to fine-tune: lockstep, lockstep-open, lockstep-2, or a weights file of the same kind
    #[arg(long, default_value = EMBEDDED_NAME)]
    from: PathBuf,
    /// The weights file to write. Default: where the plugin looks for your own drummer
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Minutes to train, at most
    #[arg(long, default_value_t = 6.0)]
    minutes: f64,
}

/// Songs in 4/4 with a bass that are needed at least, because some are held back.
const MIN_SONGS: usize = 5;
/// One song in this many is held back to choose the weights, and one to compare before and after.
const HELD_BACK: usize = 10;
/// Measures of each song that are played to compare before and after.
const N_MEASURES: usize = 64;
/// Validations without improvement after which training stops.
const PATIENCE: u64 = 8;

impl Tune {
    /// Trains, compares, and writes the drummer.
    ///
    /// # Errors
    /// Says which file or value is wrong.
    pub fn run(&self) -> Result<()> {
        ensure!(
            self.minutes > 0.0 && self.minutes <= 1000.0,
            "--minutes must be above 0 and at most 1000, not {}",
            self.minutes
        );
        if !own_process::is_ours(false)? {
            return Ok(());
        }
        let begun = Instant::now();
        let output = match &self.output {
            Some(path) => path.clone(),
            None => {
                own_weights().context("the system has no data folder: name the file with -o")?
            }
        };
        if let Some(folder) = output
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            whole::folder(folder)?;
        }
        let (bytes, origin) = self.origin()?;
        let work = tempfile::tempdir().context("making a working folder")?;
        let data = work.path().join("songs.lockstep");
        let kinds = hold_back(&self.songs, work.path(), &data)?;
        let best = work.path().join("run").join(train::BEST);
        if origin.is_player() {
            whole::folder(&work.path().join("run"))?;
            let limits = Limits {
                minutes: self.minutes,
                steps: u64::MAX,
            };
            tuning::tune(&origin, &data, &best, limits)?;
        } else {
            let run = self.run_file(&origin, &kinds)?;
            train::learn(&run, &data, work.path().join("run"), Some(&origin))?;
        }

        let corpus = Corpus::open(&data)?;
        let songs: Vec<GridSong> = corpus
            .songs(Split::Test)
            .filter_map(GridSong::from_view)
            .collect();
        let songs: Vec<&GridSong> = songs.iter().collect();
        let figures = |bytes: &[u8]| -> Result<Report> {
            let mut predictor = Predictor::new(bytes)?;
            Ok(evaluation::audition(&mut predictor, &songs, N_MEASURES)?)
        };
        let minutes = begun.elapsed().as_secs_f64() / 60.0;
        println!(
            "{} songs to train on, {} to choose the weights, {} to compare; {minutes:.1} minutes",
            kinds.train,
            kinds.valid,
            songs.len()
        );
        if !best.exists() {
            println!("{}", table(&[("before", figures(&bytes)?)]));
            println!(
                "Training brought no improvement on the songs that choose the weights: no file was written."
            );
            return Ok(());
        }
        let tuned = fs::read(&best)?;
        println!(
            "{}",
            table(&[("before", figures(&bytes)?), ("after", figures(&tuned)?)])
        );
        whole::write(&output, &tuned)?;
        println!("Wrote {}", output.display());
        Ok(())
    }

    /// The drummer to fine-tune, as bytes and as weights.
    fn origin(&self) -> Result<(Vec<u8>, Weights)> {
        let name = self.from.display();
        let known = EMBEDDED
            .iter()
            .find(|(name, _)| Path::new(name) == self.from);
        let bytes = match known {
            Some((_, bytes)) => bytes.to_vec(),
            None => fs::read(&self.from).with_context(|| format!("reading {name}"))?,
        };
        let weights = Weights::parse(&bytes).with_context(|| format!("reading {name}"))?;
        let is_taught = |weights: &Weights| {
            let config = weights.config()?;
            Ok::<_, WeightsError>(config.architecture.generator == Drumming::Autoregressive)
        };
        ensure!(
            weights.is_player()
                || is_taught(&weights).with_context(|| format!("reading {name}"))?,
            "{name} was trained against a critic, which is not in the file: tune another drummer"
        );
        Ok((bytes, weights))
    }

    /// The run that made the weights, with a lower learning rate and a shorter budget.
    fn run_file(&self, origin: &Weights, kinds: &SongCounts) -> Result<RunFile> {
        let card = origin.metadata.get("card").map_or("", String::as_str);
        let card: serde_json::Value = serde_json::from_str(card).with_context(|| {
            format!(
                "{} has no card with the run that made it",
                self.from.display()
            )
        })?;
        let mut run: RunFile = serde_json::from_value(card["run"].clone())
            .with_context(|| format!("the card of {}", self.from.display()))?;
        // The card of older weights does not name their voices.
        run.architecture.voices = origin.voices()?;
        let n_cores = thread::available_parallelism().map_or(1, NonZero::get);
        run.data.open_only = false;
        run.data.drums_only = run.data.drums_only.min(kinds.drums_only);
        run.schedule.learning_rate = 3e-4;
        run.schedule.average = 0.98;
        run.schedule.cool_down = 0.0;
        run.budget.replicas = n_cores.min(2);
        run.budget.core_minutes = self.minutes * run.budget.replicas as f64;
        run.budget.look_every = 50;
        run.budget.steps = None;
        run.budget.patience = Some(PATIENCE);
        Ok(run)
    }
}

/// How many songs are used for what; the rest are for comparing before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct SongCounts {
    /// Songs with a bass to train on.
    train: usize,
    /// Songs to choose the weights.
    valid: usize,
    /// Songs without a bass, to learn velocity and offset from.
    drums_only: usize,
}

/// Writes a corpus file of the songs with some held back, whatever split they came with.
fn hold_back(songs: &Path, work: &Path, output: &Path) -> Result<SongCounts> {
    let all = work.join("all.lockstep");
    let report = prepare(&[songs.to_owned()], &all, SONGS_PER_CHUNK)?;
    let corpus = Corpus::open(&all)?;
    let mut records: Vec<SongRecord> = (0..corpus.n_songs())
        .map(|idx| SongRecord::from(corpus.song(idx)))
        .collect();
    // Copies of a song end up side by side, and the order does not depend on file names.
    records.sort_by_key(SongRecord::music_hash);
    let is_measured = |record: &SongRecord| {
        let meters = record
            .measures
            .iter()
            .map(|measure| measure.meter.n_steps());
        let has_bass = record
            .measures
            .iter()
            .any(|measure| !measure.bass.is_empty());
        has_bass && record.measures.len() > MIN_MEASURES && meters.into_iter().all(|n| n == 16)
    };
    let n_measured = records.iter().filter(|record| is_measured(record)).count();
    ensure!(
        n_measured >= MIN_SONGS,
        "{} has {n_measured} songs in 4/4 with bass and drums and more than {MIN_MEASURES} measures; at least \
         {MIN_SONGS} are needed, because some are held back\n{}",
        songs.display(),
        report.table
    );
    let each = HELD_BACK.min(n_measured);
    let mut kinds = SongCounts::default();
    let (mut place, mut last) = (0, None);
    for record in &mut records {
        record.split = Split::Train;
        let hash = record.music_hash();
        if is_measured(record) {
            // A copy gets the same split as its original.
            place += usize::from(last.is_some_and(|last| last != hash));
            last = Some(hash);
            record.split = match place % each {
                0 => Split::Test,
                p if p == each / 2 => Split::Valid,
                _ => Split::Train,
            };
        }
        match record.split {
            Split::Train
                if record
                    .measures
                    .iter()
                    .all(|measure| measure.bass.is_empty()) =>
            {
                kinds.drums_only += 1;
            }
            Split::Train => kinds.train += 1,
            Split::Valid => kinds.valid += 1,
            Split::Test => {}
        }
    }
    corpus::write(output, records)?;
    Ok(kinds)
}

/// Figures before and after, and those of people.
fn table(reports: &[(&str, Report)]) -> String {
    let mut lines = vec![
        "held-back songs |    f1 | lock gain |   oa | notes | backbeat | repeat".to_owned(),
        "--------------- | ----- | --------- | ---- | ----- | -------- | ------".to_owned(),
    ];
    let people = reports.first().map(|(_, report)| (report.real, 1.0));
    let rows = reports
        .iter()
        .map(|(name, report)| (*name, report.take, report.oa));
    for (name, f, oa) in rows.chain(people.map(|(real, oa)| ("people", real, oa))) {
        lines.push(format!(
            "{name:15} | {:5.1} | {:+9.1} | {oa:4.2} | {:5.1} | {:8.0} | {:6.0}",
            f.f1, f.lock_gain, f.notes, f.backbeat, f.repeat
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::Position;
    use lockstep_files::midi_file::{self, Note, Song};

    use super::*;

    /// A folder of songs of twenty measures, each with another bass.
    fn folder(n: u8) -> Result<tempfile::TempDir> {
        let folder = tempfile::tempdir()?;
        for song in 0..n {
            let note = |beat: u32, key: u8| Note {
                start: Position::at(f64::from(beat)),
                end: Position::at(f64::from(beat) + 0.5),
                key,
                velocity: 90,
            };
            let bass =
                |beat: u32| note(beat, 30 + u8::try_from(beat % 4).unwrap_or_default() + song);
            let song = Song {
                bass: (0..80).map(bass).collect(),
                drums: (0..80).map(|beat| note(beat, 36)).collect(),
                end: Position::at(80.0),
                ..Song::default()
            };
            let path = folder.path().join(format!("{}.mid", song.bass[0].key));
            whole::write(&path, &midi_file::write(&song))?;
        }
        Ok(folder)
    }

    #[test]
    fn of_a_dozen_songs_one_chooses_the_weights_and_two_compare() -> Result<()> {
        let (songs, work) = (folder(12)?, tempfile::tempdir()?);
        let output = work.path().join("songs.lockstep");
        let kinds = hold_back(songs.path(), work.path(), &output)?;
        let expected = SongCounts {
            train: 9,
            valid: 1,
            drums_only: 0,
        };
        assert_eq!(kinds, expected);
        let corpus = Corpus::open(&output)?;
        assert_eq!(corpus.songs(Split::Test).count(), 2);
        Ok(())
    }

    #[test]
    fn a_drummer_keeps_its_voices_when_it_is_fine_tuned() -> Result<()> {
        let (songs, work) = (folder(12)?, tempfile::tempdir()?);
        let data = work.path().join("songs.lockstep");
        let kinds = hold_back(songs.path(), work.path(), &data)?;
        for name in ["lockstep", "lockstep-open", "lockstep-2"] {
            let output = work.path().join(format!("{name}.safetensors"));
            let tune = Tune {
                songs: songs.path().to_owned(),
                from: name.into(),
                output: None,
                minutes: 1.0,
            };
            let (_, origin) = tune.origin()?;
            if origin.is_player() {
                let limits = Limits {
                    minutes: 5.0,
                    steps: 2,
                };
                assert!(tuning::tune(&origin, &data, &output, limits)?, "{name}");
                let tuned = Weights::parse(&fs::read(&output)?)?;
                assert_eq!(tuned.player_config()?, origin.player_config()?);
                assert_eq!(tuned.voices()?, origin.voices()?);
                continue;
            }
            let mut run = tune.run_file(&origin, &kinds)?;
            assert_eq!(run.architecture, origin.config()?.architecture);
            run.schedule.excerpts = 4;
            run.budget.steps = Some(2);
            let folder = work.path().join(name);
            train::learn(&run, &data, folder.clone(), Some(&origin))?;
            let tuned = fs::read(folder.join("last.safetensors"))?;
            assert_eq!(Weights::parse(&tuned)?.voices()?, origin.voices()?);
            assert_eq!(Predictor::new(&tuned)?.config(), Some(&origin.config()?));
        }
        Ok(())
    }

    #[test]
    fn too_few_songs_are_refused_with_their_number() -> Result<()> {
        let (songs, work) = (folder(4)?, tempfile::tempdir()?);
        let refused = hold_back(
            songs.path(),
            work.path(),
            &work.path().join("songs.lockstep"),
        );
        let message = refused
            .map_err(|error| error.to_string())
            .err()
            .unwrap_or_default();
        assert!(
            message.contains("4 songs in 4/4") && message.contains("at least 5 are"),
            "{message}"
        );
        Ok(())
    }
}
