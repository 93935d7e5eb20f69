//! Training as a whole, on a few generated songs: every run file plays, every weight changes, and a run that was stopped
//! resumes to the same bits.

use std::fs;
use std::path::{Path, PathBuf};

use lockstep_core::draws;
use lockstep_core::representation::{Meter, Voice};
use lockstep_lab::corpus::{BassNote, Corpus, DrumHit, MeasureRecord, SongRecord, write};
use lockstep_lab::training::batch::Sampler;
use lockstep_lab::training::constants;
use lockstep_lab::training::player::PlayerRun;
use lockstep_lab::training::run::RunFile;
use lockstep_lab::training::styles::Styles;
use lockstep_lab::training::trainer::{Constants, Trainer};
use lockstep_models::network::{NetworkParameters, STYLES, WORDS};
use lockstep_models::predict::{EMBEDDED, Predictor};
use lockstep_models::voices::VoiceSet;
use lockstep_models::weights::Weights;

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Tensors by name, as plain values.
type Values = Vec<(String, Vec<f32>)>;

/// Songs whose kick is on the bass's steps, with side stick and shaker on the backbeat; every fourth has drums only.
fn corpus(folder: &Path) -> TestResult<Corpus> {
    let hit = |step_idx, voice: Voice, velocity, offset| DrumHit {
        step_idx,
        voice: voice as u8,
        velocity,
        offset,
    };
    let measure = |song: u64, m: u64| {
        let mut measure = MeasureRecord {
            meter: Meter::COMMON,
            tempo_bpm: 100.0,
            swing: lockstep_core::representation::Swing::STRAIGHT,
            bass: Vec::new(),
            hits: Vec::new(),
        };
        for step in 0..16_u8 {
            let draw = draws::hash(&[song, m, u64::from(step)]);
            if draw.is_multiple_of(3) {
                let velocity = 40 + u8::try_from(draw % 80).unwrap_or_default();
                if song % 4 != 3 {
                    measure.bass.push(BassNote::new(step, 33, 90, 1));
                }
                measure.hits.push(hit(step, Voice::Kick, velocity, 9));
            }
            if step % 8 == 4 {
                measure.hits.push(hit(step, Voice::SideStick, 100, -9));
                measure.hits.push(hit(step, Voice::Shaker, 60, 0));
            }
        }
        measure
    };
    let path = folder.join("drawn.lockstep");
    let songs = (0..12).map(|song| SongRecord {
        name: format!("song {song}"),
        is_open: true,
        has_dynamics: true,
        has_timing: true,
        measures: (0..12).map(|m| measure(song, m)).collect(),
        ..SongRecord::default()
    });
    write(&path, songs)?;
    Ok(Corpus::open(&path)?)
}

fn run_files() -> TestResult<Vec<(PathBuf, RunFile)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runs");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        if PlayerRun::is_of_player(&text) {
            PlayerRun::parse(&text)?;
            continue;
        }
        let mut run = RunFile::parse(&text)?;
        // The network is the real one, but a step has fewer excerpts.
        run.schedule.excerpts = 6;
        run.data.drums_only = 2;
        files.push((path, run));
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(files)
}

fn base() -> TestResult<RunFile> {
    let mut files = run_files()?.into_iter();
    let base = files.find(|(path, _)| path.ends_with("base.toml"));
    Ok(base.ok_or("no base.toml")?.1)
}

/// The game's whole state after `n` steps from where it is.
fn play(trainer: &mut Trainer, sampler: &Sampler<'_>, n: usize) -> TestResult<Values> {
    for _ in 0..n {
        trainer.step(sampler, 1.0)?;
    }
    values(&NetworkParameters(trainer.checkpoint()?))
}

fn values(parameters: &NetworkParameters) -> TestResult<Values> {
    let tensors = parameters.0.iter();
    tensors
        .map(|(name, tensor)| Ok((name.clone(), tensor.flatten_all()?.to_vec1()?)))
        .collect()
}

#[test]
fn every_run_file_trains_every_weight_and_plays() -> TestResult {
    let folder = tempfile::tempdir()?;
    let corpus = corpus(folder.path())?;
    for (path, run) in run_files()? {
        let name = path.display();
        let sampler = Sampler::new(&corpus, &run)?;
        let mut trainer = Trainer::new(&run, constants(&run, &corpus, &sampler)?)?;
        let before = values(&trainer.average())?;
        for _ in 0..3 {
            let losses = trainer.step(&sampler, 1.0)?;
            for (loss, value) in losses.named() {
                assert!(value.is_finite(), "{name}: {loss} is {value}");
            }
        }
        for ((tensor, before), (_, after)) in before.iter().zip(values(&trainer.average())?) {
            // A vocabulary's words and the styles are counted, not learnt.
            let moved = before
                .iter()
                .zip(&after)
                .any(|(a, b)| a.to_bits() != b.to_bits());
            assert_eq!(
                moved,
                tensor != WORDS && tensor != STYLES,
                "{name}: {tensor}"
            );
        }
        Predictor::from_parameters(run.config(), &trainer.average())?;
    }
    Ok(())
}

#[test]
fn a_run_is_a_pure_function_of_its_seed_and_resumes_to_the_same_bits() -> TestResult {
    let folder = tempfile::tempdir()?;
    let corpus = corpus(folder.path())?;
    for replicas in [1, 2] {
        let mut run = base()?;
        run.budget.replicas = replicas;
        let sampler = Sampler::new(&corpus, &run)?;
        let new = || Trainer::new(&run, Constants::new());
        let whole = play(&mut new()?, &sampler, 5)?;
        assert_eq!(play(&mut new()?, &sampler, 5)?, whole);

        let mut stopped = new()?;
        play(&mut stopped, &sampler, 2)?;
        let mut resumed = new()?;
        resumed.resume(&stopped.checkpoint()?, stopped.n_steps())?;
        assert_eq!(
            play(&mut resumed, &sampler, 3)?,
            whole,
            "{replicas} replicas"
        );
    }
    Ok(())
}

#[test]
fn a_checkpoint_of_another_architecture_is_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let corpus = corpus(folder.path())?;
    let run = base()?;
    let state = Trainer::new(&run, Constants::new())?.checkpoint()?;
    for (path, other) in run_files()? {
        if other.architecture != run.architecture || other.critic.kernels != run.critic.kernels {
            let sampler = Sampler::new(&corpus, &other)?;
            let mut trainer = Trainer::new(&other, constants(&other, &corpus, &sampler)?)?;
            let refusal = trainer
                .resume(&state, 1)
                .err()
                .map(|error| error.to_string());
            let refusal = refusal.ok_or_else(|| format!("{} resumed", path.display()))?;
            assert!(refusal.contains("another architecture"), "{refusal}");
        }
    }
    Ok(())
}

#[test]
fn weights_of_version_1_are_trained_further_on_their_nine_voices() -> TestResult {
    let folder = tempfile::tempdir()?;
    let corpus = corpus(folder.path())?;
    let lockstep = EMBEDDED.iter().find(|(name, _)| *name == "lockstep");
    let weights = Weights::parse(lockstep.ok_or("no such weights")?.1)?;
    let card: serde_json::Value = serde_json::from_str(&weights.metadata["card"])?;
    let mut run: RunFile = serde_json::from_value(card["run"].clone())?;
    assert_eq!(
        run.architecture.voices,
        VoiceSet::default(),
        "the card does not say it"
    );
    run.architecture.voices = weights.voices()?;
    run.schedule.excerpts = 6;
    run.data.drums_only = 2;
    let styles = Styles::new(&weights.style_hits()?).heard_by(run.architecture.voices);
    let sampler = Sampler::with_styles(&corpus, &run, styles)?;
    let constants = constants(&run, &corpus, &sampler)?;
    assert_eq!(
        constants[STYLES].to_vec2::<f32>()?,
        weights.parameters.0[STYLES].to_vec2::<f32>()?,
        "the styles stay those of the weights"
    );
    let mut trainer = Trainer::new(&run, constants)?;
    trainer.begin_from(&weights.parameters)?;
    let before = values(&trainer.average())?;
    assert_eq!(before, values(&weights.parameters)?);
    trainer.step(&sampler, 1.0)?;
    let after = trainer.average();
    assert_ne!(before, values(&after)?);
    let predictor = Predictor::from_parameters(run.config(), &after)?;
    let config = predictor.config().ok_or("it has no memory of its own")?;
    assert_eq!(config.voices(), VoiceSet::Version1);
    Ok(())
}

#[test]
fn a_run_file_with_numbers_for_another_kit_is_refused() -> TestResult {
    let least = "[architecture]\nbass = { kind = \"convolution\" }\ngenerator = \"3d\"\n";
    let rest = "[budget]\ncore-minutes = 1\n[take]\ntemperature = [1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
    let refused = RunFile::parse(&format!("{least}{rest}")).err();
    let refused = refused.map(|error| error.to_string()).unwrap_or_default();
    assert!(
        refused.contains("take.temperature = 9 numbers")
            && refused.contains("fourteen from kick to shaker"),
        "{refused}"
    );
    let older = RunFile::parse(&format!("{least}representation = 1\n{rest}"))?;
    assert_eq!(older.architecture.voices, VoiceSet::Version1);
    Ok(())
}
