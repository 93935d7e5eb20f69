//! The factory presets, played to the example bass line: each does what its name says, and no two are alike.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, Result};
use lockstep::presets::{self, FOLDER_VARIABLE, Preset, factory};
use lockstep_core::representation::Voice;
use lockstep_files::midi_file::{self, Note, Pick, Song};
use lockstep_models::predict::Predictor;

/// Measures of the example; the drummer starts in the second.
const N_MEASURES: usize = 16;

fn example() -> Result<Song> {
    let bytes = lockstep_offline::EXAMPLE;
    Ok(midi_file::read(bytes, Pick::default())?)
}

fn drums_of(preset: &Preset, bass: &Song) -> Result<Vec<Note>> {
    let (controls, drummer, _) = preset.controls();
    let mut drummer = Predictor::new(&drummer.weights()?)?;
    let take = lockstep_offline::play(bass, &controls, &mut drummer);
    assert!(take.failure.is_none());
    Ok(take.song.drums)
}

/// The drums of the preset with this name.
fn drums(name: &str) -> Result<Vec<Note>> {
    let preset = factory().iter().find(|preset| preset.name == name);
    drums_of(preset.context(name.to_owned())?, &example()?)
}

/// The nearest step, and how late the hit is against it, in steps in `[-½, ½]`.
fn placed(note: &Note) -> (usize, f64) {
    let steps = note.start.steps();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a short song"
    )]
    let step = steps.round().max(0.0) as usize;
    (step, steps - step as f64)
}

fn is(note: &Note, voice: Voice) -> bool {
    Voice::from_gm_note(note.key) == Some(voice)
}

/// Steps at which a voice is struck, by measure.
fn grid(drums: &[Note], voice: Voice) -> Vec<BTreeSet<usize>> {
    let mut measures = vec![BTreeSet::new(); N_MEASURES];
    for step in drums
        .iter()
        .filter(|note| is(note, voice))
        .map(|note| placed(note).0)
    {
        if let Some(measure) = measures.get_mut(step / 16) {
            measure.insert(step % 16);
        }
    }
    measures
}

/// Number of measures in which a voice is struck at all of these steps.
fn n_with(drums: &[Note], voice: Voice, steps: &[usize]) -> usize {
    let has = |measure: &&BTreeSet<usize>| steps.iter().all(|step| measure.contains(step));
    grid(drums, voice).iter().filter(has).count()
}

fn n_hits(drums: &[Note], voice: Voice) -> usize {
    grid(drums, voice).iter().map(BTreeSet::len).sum()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<_> = values.collect();
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[test]
fn no_two_presets_play_the_same_drums() -> Result<()> {
    let bass = example()?;
    let mut taken: Vec<(&str, BTreeSet<(usize, u8)>)> = Vec::new();
    for preset in factory() {
        let drums = drums_of(preset, &bass)?;
        let hits: BTreeSet<_> = drums
            .iter()
            .map(|note| (placed(note).0, note.key))
            .collect();
        assert!(hits.len() > 60, "{} plays {} hits", preset.name, hits.len());
        for (name, other) in &taken {
            let share = hits.intersection(other).count() as f64 / hits.union(other).count() as f64;
            assert!(
                share < 0.8,
                "{} and {name} share {share:.2} of their hits",
                preset.name
            );
        }
        taken.push((&preset.name, hits));
    }
    assert_eq!(taken.len(), 18);
    Ok(())
}

#[test]
fn kicks_are_on_four_beats_and_dembow_has_its_snare_pattern() -> Result<()> {
    for name in ["Four on the floor", "Dembow", "Machine"] {
        assert_eq!(
            n_with(&drums(name)?, Voice::Kick, &[0, 4, 8, 12]),
            15,
            "{name}"
        );
    }
    let hats = n_with(
        &drums("Four on the floor")?,
        Voice::OpenHat,
        &[2, 6, 10, 14],
    );
    assert_eq!(hats, 15);
    assert!(n_with(&drums("Dembow")?, Voice::Snare, &[3, 6, 11, 14]) >= 13);
    Ok(())
}

#[test]
fn the_voice_in_a_preset_keeps_its_time() -> Result<()> {
    let eighths: Vec<usize> = (0..16).step_by(2).collect();
    let sixteenths: Vec<usize> = (0..16).collect();
    let rock = drums("Straight rock")?;
    assert!(n_with(&rock, Voice::Ride, &eighths) >= 12);
    assert!(n_with(&rock, Voice::Snare, &[4, 12]) >= 12);
    assert!(n_with(&drums("Busy hats")?, Voice::ClosedHat, &sixteenths) >= 12);
    let swing = drums("Swing ride")?;
    assert!(n_with(&swing, Voice::Ride, &[0, 4, 8, 12]) >= 13);
    assert!(n_with(&swing, Voice::PedalHat, &[4, 12]) >= 13);
    let train = drums("Train")?;
    assert!(n_hits(&train, Voice::Snare) >= 9 * 15);
    assert!(n_hits(&train, Voice::Snare) > 4 * n_hits(&train, Voice::ClosedHat));
    let bossa = drums("Bossa")?;
    assert!(n_with(&bossa, Voice::Kick, &[0, 8]) >= 13);
    assert!(n_hits(&bossa, Voice::SideStick) >= 2 * 15);
    assert_eq!(n_hits(&bossa, Voice::Snare), 0);
    let reggae = drums("Reggae")?;
    assert!(n_with(&reggae, Voice::SideStick, &[8]) >= 12);
    assert_eq!(n_with(&reggae, Voice::Snare, &[4, 12]), 0);
    Ok(())
}

#[test]
fn machine_plays_on_the_grid_and_repeats_every_measure() -> Result<()> {
    let drums = drums("Machine")?;
    // A hit is on the frame nearest to its step.
    assert!(drums.iter().all(|note| placed(note).1.abs() < 1e-3));
    for voice in [Voice::Kick, Voice::Clap, Voice::OpenHat] {
        let measures = grid(&drums, voice);
        assert!(
            measures[1..]
                .iter()
                .all(|measure| *measure == measures[1] && !measure.is_empty())
        );
    }
    Ok(())
}

#[test]
fn shuffle_and_swing_are_late_where_they_should_be() -> Result<()> {
    // An off-beat eighth that is ⅔ of a step late is nearer to the next sixteenth.
    let shuffle = drums("Shuffle")?;
    let hats = || shuffle.iter().filter(|note| is(note, Voice::ClosedHat));
    let on = |note: &&Note| (note.start.beats().fract() - 2.0 / 3.0).abs() < 0.06;
    assert!(hats().filter(on).count() >= 4 * 13);
    let straight = |note: &&Note| (note.start.beats().fract() - 0.5).abs() < 0.06;
    assert_eq!(hats().filter(straight).count(), 0);

    let swing = drums("Swing ride")?;
    let rides = || swing.iter().filter(|note| is(note, Voice::Ride));
    assert!(rides().filter(on).count() >= 13);
    assert_eq!(rides().filter(straight).count(), 0);
    Ok(())
}

#[test]
fn sparse_brushes_are_few_hits_and_the_softest() -> Result<()> {
    let bass = example()?;
    let velocity = |drums: &[Note]| mean(drums.iter().map(|note| f64::from(note.velocity)));
    let sparse = drums("Sparse brushes")?;
    let mut counts = Vec::new();
    for preset in factory()
        .iter()
        .filter(|preset| preset.name != "Sparse brushes")
    {
        let other = drums_of(preset, &bass)?;
        assert!(velocity(&other) > velocity(&sparse), "{}", preset.name);
        counts.push(other.len() as f64);
    }
    let n = sparse.len() as f64;
    let usual = mean(counts.into_iter());
    assert!(n < 0.7 * usual, "{n} of {usual}");
    Ok(())
}

#[test]
fn fills_every_four_has_its_toms_at_the_end_of_every_four_measures() -> Result<()> {
    let drums = drums("Fills every four")?;
    let mut toms = vec![0; N_MEASURES];
    for voice in [Voice::LowTom, Voice::MidTom, Voice::HighTom] {
        for (n, measure) in toms.iter_mut().zip(grid(&drums, voice)) {
            *n += measure.len();
        }
    }
    for (measure, n) in toms.iter().enumerate() {
        assert_eq!(*n >= 4, measure % 4 == 3, "measure {measure}: {toms:?}");
    }
    Ok(())
}

#[test]
fn loose_is_placed_more_loosely_and_varies_more_than_pocket() -> Result<()> {
    let spread = |drums: &[Note]| mean(drums.iter().map(|note| placed(note).1.powi(2))).sqrt();
    let kinds = |drums: &[Note]| {
        let grids: Vec<_> = Voice::ALL.map(|voice| grid(drums, voice)).into();
        let measure = |at: usize| {
            grids
                .iter()
                .map(|grid| grid[at].clone())
                .collect::<Vec<_>>()
        };
        (1..N_MEASURES).map(measure).collect::<BTreeSet<_>>().len()
    };
    let (loose, pocket) = (drums("Loose")?, drums("Pocket")?);
    assert!(
        spread(&loose) > 1.3 * spread(&pocket),
        "{} {}",
        spread(&loose),
        spread(&pocket)
    );
    assert!(
        kinds(&loose) > 2 * kinds(&pocket),
        "{} {}",
        kinds(&loose),
        kinds(&pocket)
    );
    Ok(())
}

#[test]
fn a_preset_is_found_by_its_listed_name() -> Result<()> {
    for preset in factory() {
        assert_eq!(presets::find(&preset.name.to_uppercase())?, *preset);
    }
    Ok(())
}

/// Runs the program with presets from a folder.
fn lockstep(presets: &Path, words: &[&str]) -> Result<Output> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_lockstep"));
    program.env(FOLDER_VARIABLE, presets).args(words);
    Ok(program.output()?)
}

#[test]
fn the_program_lists_all_presets_and_reports_bad_files() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mine = "name = \"Mine\"\nabout = \"All mine.\"\n";
    fs::write(folder.path().join("mine.toml"), mine)?;
    fs::write(folder.path().join("bad.toml"), "name = 3")?;
    let output = lockstep(folder.path(), &["presets"])?;
    assert!(output.status.success());
    let (output, wrong) = (
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    );
    for preset in factory() {
        assert!(output.contains(&preset.name) && output.contains(&preset.about));
    }
    let place = folder.path().display().to_string();
    for word in ["Mine", "All mine.", &place] {
        assert!(output.contains(word), "{word}: {output}");
    }
    assert!(wrong.contains("bad.toml"), "{wrong}");
    Ok(())
}

#[test]
fn the_program_plays_a_preset_and_other_options_override_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bass = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../offline/assets/example-bass.mid"
    );
    let played = |words: &[&str]| -> Result<Vec<Note>> {
        let file = folder.path().join("out.mid");
        let to = file.display().to_string();
        let words = [&["jam", bass, "-o", &to], words].concat();
        let output = lockstep(&folder.path().join("none"), &words)?;
        anyhow::ensure!(output.status.success(), String::from_utf8(output.stderr)?);
        Ok(midi_file::read(&fs::read(file)?, Pick::default())?.drums)
    };
    let grid = |drums: &[Note]| -> BTreeSet<_> {
        drums
            .iter()
            .map(|note| (placed(note).0, note.key))
            .collect()
    };
    let dembow = played(&["--preset", "dembow"])?;
    assert_eq!(grid(&dembow), grid(&drums("Dembow")?));
    let sparser = played(&["--preset", "dembow", "--density", "0.3"])?;
    assert!(!sparser.is_empty() && grid(&sparser).is_subset(&grid(&dembow)));
    assert!(sparser.len() < dembow.len());
    let unknown = played(&["--preset", "loudness"]).err();
    let unknown = unknown.map(|error| error.to_string()).unwrap_or_default();
    assert!(
        unknown.contains("loudness") && unknown.contains("Pocket"),
        "{unknown}"
    );
    Ok(())
}
