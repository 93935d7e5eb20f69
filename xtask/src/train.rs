//! `cargo xtask train`: the conditional GAN learns from a corpus, with checkpoints that resume.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use lockstep_models::evaluation;
use lockstep_models::network::GeneratorNet;
use lockstep_models::predict::Gan;
use lockstep_models::representation::REPRESENTATION_VERSION;
use lockstep_models::training::batch::Sampler;
use lockstep_models::training::corpus::{self, GridSong, Split};
use lockstep_models::training::gan::{Game, Losses, Settings};
use lockstep_models::weights::{self, Weights};

/// Steps between two looks at the validation songs.
const STEPS_PER_LOOK: u64 = 500;
/// Validation songs that a look plays.
const N_VALID: usize = 100;

/// What to train, and for how long.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Train {
    /// Folder of the unpacked corpus.
    #[arg(long, default_value = "corpus")]
    corpus: PathBuf,
    /// Folder of the run: checkpoint, log and weights. A run found there goes on.
    #[arg(long, default_value = "runs/gan")]
    run: PathBuf,
    /// Minutes of training, reading the corpus not counted.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Seed of the initial weights and of the order of the songs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Weight of the likelihood term in the generator's loss.
    #[arg(long, default_value_t = Settings::default().likelihood_weight)]
    likelihood: f64,
    /// Step size.
    #[arg(long, default_value_t = Settings::default().learning_rate)]
    learning_rate: f64,
}

impl Train {
    /// Trains in one thread: a step of this size does not get faster with two.
    pub(crate) fn run(&self) -> Result<()> {
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        ensure!(
            self.minutes > 0.0,
            "--minutes is {}, it must be above 0",
            self.minutes
        );
        fs::create_dir_all(&self.run)
            .with_context(|| format!("making the run folder {}", self.run.display()))?;
        let (songs, census) = corpus::read(&self.corpus, Split::Train)?;
        eprintln!("train: {census:?}");
        let (valid, census) = corpus::read(&self.corpus, Split::Valid)?;
        eprintln!("valid: {census:?}");
        let valid = evaluation::pick(&valid, N_VALID);
        one_thread.install(|| self.train(&songs, &valid))
    }

    fn train(&self, songs: &[GridSong], valid: &[&GridSong]) -> Result<()> {
        let settings = Settings {
            seed: self.seed,
            likelihood_weight: self.likelihood,
            learning_rate: self.learning_rate,
            ..Settings::default()
        };
        let sampler = Sampler::new(songs, self.seed);
        let mut game = Game::new(settings)?;
        let checkpoint = self.run.join("checkpoint.safetensors");
        let mut spent = Duration::ZERO;
        if checkpoint.exists() {
            spent = resume(&mut game, &checkpoint)
                .with_context(|| format!("resuming {}", checkpoint.display()))?;
            eprintln!(
                "resumed at step {} after {:.1} min",
                game.n_steps(),
                spent.as_secs_f64() / 60.0
            );
        }
        let budget = Duration::from_secs_f64(self.minutes * 60.0);
        let bar = ProgressBar::new(budget.as_secs()).with_style(ProgressStyle::with_template(
            "{bar:30} {elapsed}/{len}s {msg}",
        )?);
        let mut sums = Losses::default();
        let mut n_summed = 0_u16;
        while spent < budget {
            let begun = Instant::now();
            // The last fifth of the run cools down to a tenth of the step size.
            let left = 1.0 - spent.as_secs_f64() / budget.as_secs_f64();
            let losses = game.step(&sampler, (left * 5.0).clamp(0.1, 1.0))?;
            spent += begun.elapsed();
            n_summed += 1;
            sums.critic += losses.critic;
            sums.verdict += losses.verdict;
            sums.likelihood += losses.likelihood;
            sums.velocity += losses.velocity;
            bar.set_position(spent.as_secs());
            if game.n_steps().is_multiple_of(STEPS_PER_LOOK) || spent >= budget {
                let line = self.look(&game, &settings, &mean(&sums, n_summed), valid, spent)?;
                bar.suspend(|| eprintln!("{line}"));
                sums = Losses::default();
                n_summed = 0;
                save_checkpoint(&game, &checkpoint, spent)?;
            }
        }
        bar.finish();
        Ok(())
    }

    /// Saves the averaged weights and measures them on validation songs.
    fn look(
        &self,
        game: &Game,
        settings: &Settings,
        losses: &Losses,
        valid: &[&GridSong],
        spent: Duration,
    ) -> Result<String> {
        let path = self.run.join("gan.safetensors");
        let minutes = spent.as_secs_f64() / 60.0;
        let card = format!(
            r#"{{"steps":{},"minutes":{minutes:.1},"seed":{},"excerpts":{},"likelihood_weight":{},"learning_rate":{}}}"#,
            game.n_steps(),
            settings.seed,
            settings.n_excerpts,
            settings.likelihood_weight,
            settings.learning_rate,
        );
        let metadata = HashMap::from([
            (
                "architecture".to_owned(),
                GeneratorNet::ARCHITECTURE.to_owned(),
            ),
            (
                "representation".to_owned(),
                REPRESENTATION_VERSION.to_string(),
            ),
            ("card".to_owned(), card),
        ]);
        weights::save(&path, &game.average().0, metadata)?;
        let mut gan = Gan::new(&fs::read(&path)?)?;
        let figures = evaluation::closed_loop(&mut gan, valid)?;
        let line = format!(
            "step {} min {minutes:.1} critic {:.3} verdict {:.3} likelihood {:.4} velocity {:.4} valid: f1 {:.1} lock_gain {:.1} notes {:.1} backbeat {:.0} repeat {:.0}",
            game.n_steps(),
            losses.critic,
            losses.verdict,
            losses.likelihood,
            losses.velocity,
            figures.f1,
            figures.lock_gain,
            figures.notes,
            figures.backbeat,
            figures.repeat,
        );
        let log = self.run.join("log.txt");
        let mut text = fs::read_to_string(&log).unwrap_or_default();
        text.push_str(&line);
        text.push('\n');
        fs::write(log, text)?;
        Ok(line)
    }
}

fn save_checkpoint(game: &Game, path: &Path, spent: Duration) -> Result<()> {
    let metadata = HashMap::from([
        (
            "architecture".to_owned(),
            format!("{}-checkpoint", GeneratorNet::ARCHITECTURE),
        ),
        ("steps".to_owned(), game.n_steps().to_string()),
        ("seconds".to_owned(), spent.as_secs_f64().to_string()),
    ]);
    Ok(weights::save(path, &game.checkpoint()?, metadata)?)
}

fn resume(game: &mut Game, path: &Path) -> Result<Duration> {
    let Weights {
        parameters,
        metadata,
    } = Weights::parse(&fs::read(path)?)?;
    let number = |key: &str| {
        metadata
            .get(key)
            .with_context(|| format!("the checkpoint's header lacks {key:?}"))
    };
    let n_steps = number("steps")?.parse()?;
    let spent = Duration::from_secs_f64(number("seconds")?.parse()?);
    let state: BTreeMap<_, _> = parameters.0;
    game.resume(&state, n_steps)?;
    Ok(spent)
}

/// The sums over `n` steps as means.
fn mean(sums: &Losses, n: u16) -> Losses {
    let n = f32::from(n.max(1));
    Losses {
        critic: sums.critic / n,
        verdict: sums.verdict / n,
        likelihood: sums.likelihood / n,
        velocity: sums.velocity / n,
    }
}
