//! Only a person saves a take: automation never writes a file, and closing an instance never waits for one.
//!
//! Each test runs in its own process, because the environment of a process decides where its takes go.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use lockstep_hosts::{Action, BassNote, Format, Host, Stage};

/// The environment variable for the folder of takes, as in the README.
const FOLDER: &str = "LOCKSTEP_TAKES";

/// In these tests, the first of the four control keys.
const CONTROL_KEY: u8 = 24;

/// The value of *Control keys* for that key: 0 is off, 1 is key 0, out of 124.
const CONTROL_KEYS: (&str, f64) = ("Control keys", (CONTROL_KEY as f64 + 1.0) / 125.0);

/// The key that saves.
const SAVE_KEY: u8 = CONTROL_KEY + 3;

/// Longer than any machine needs to write a take.
const TOO_LONG: Duration = Duration::from_mins(2);

/// A minute and a half, in measures of 1.2 seconds.
const N_MEASURES: u32 = 75;

/// Runs `body` in its own process, with an empty folder for takes.
fn apart(test: &str, body: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    const INSIDE: &str = "LOCKSTEP_TAKES_TEST";
    if env::var_os(INSIDE).is_some() {
        return body(&PathBuf::from(env::var_os(FOLDER).context("no folder")?));
    }
    let folder = tempfile::tempdir()?;
    let output = Command::new(env::current_exe()?)
        .args(["--exact", &format!("takes::{test}"), "--nocapture"])
        .env(INSIDE, "1")
        .env(FOLDER, folder.path())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    eprintln!("{complained}");
    ensure!(output.status.success(), "{said}{complained}");
    ensure!(said.contains("1 passed"), "nothing was played: {said}");
    // However the process ended, only complete files may be left.
    for name in names(folder.path()) {
        ensure!(name.starts_with("lockstep-"), "{name} was left");
    }
    Ok(())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Deterministic pseudo-random numbers (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % n
    }
}

/// Random automation as validators do it: every few blocks, some of all parameters get any value, and any key is
/// played.
fn sweep(host: &mut dyn Host, seed: u64) -> Result<Stage> {
    let mut parameters = host.parameters()?;
    parameters.extend(host.hidden_parameters()?);
    let names: Vec<&'static str> = parameters
        .into_iter()
        .map(|parameter| &*parameter.name.leak())
        .collect();
    ensure!(names.contains(&"Save take") && names.contains(&"Control keys"));
    let mut dice = Dice(seed);
    let mut stage = Stage {
        is_offline: false,
        block_frames: 512,
        settings: Vec::new(),
        ..Stage::of_measures(N_MEASURES)
    };
    let blocks = stage.n_frames / u64::from(stage.block_frames);
    let mut stage_beats = 0.0;
    for block in 0..blocks {
        let at = block * u64::from(stage.block_frames) + dice.below(512);
        for _ in 0..dice.below(4) {
            let name = names[usize::try_from(dice.below(names.len() as u64))?];
            // The two ends are as likely as the values between, for the buttons.
            let value = [0.0, 1.0, dice.below(1000) as f64 / 999.0];
            let value = value[usize::try_from(dice.below(3))?];
            stage.actions.push(lockstep_hosts::TimedAction {
                frame: at,
                action: Action::Set(name, value),
            });
        }
        stage_beats += 0.03;
        stage.bass.push(BassNote {
            beats: stage_beats,
            length_beats: 0.02,
            key: u8::try_from(dice.below(128))?,
        });
    }
    stage.actions.sort_by_key(|action| action.frame);
    stage.bass.sort_by(|a, b| a.beats.total_cmp(&b.beats));
    Ok(stage)
}

/// Saving as a person does it: control keys are on, something is played, and the save key is struck `n_presses` times.
fn by_hand(n_presses: u8) -> Stage {
    let mut stage = Stage::of_measures(4).with(CONTROL_KEYS.0, CONTROL_KEYS.1);
    for n in 0..n_presses {
        stage.bass.push(BassNote {
            // In the third measure, which the stage reaches at every tempo of these tests.
            beats: 10.9 + 0.05 * f64::from(n),
            length_beats: 0.02,
            key: SAVE_KEY,
        });
    }
    stage
}

/// The takes saved so far, by their file names without extension. Takes are written one after the other, so this saves
/// one more with a marked tempo and waits for it: by then all others are there. The marked takes are left out.
fn takes(format: Format, folder: &Path) -> Result<BTreeSet<String>> {
    let before = marked(folder);
    let mut stage = by_hand(1);
    stage.tempo_bpm = 150.0;
    let mut host = format.open()?;
    host.perform(&stage)?;
    drop(host);
    let begun = Instant::now();
    while marked(folder).len() == before.len() {
        ensure!(begun.elapsed() < TOO_LONG, "{:?}", names(folder));
        std::thread::yield_now();
    }
    let names = names(folder);
    let marked = marked(folder);
    let stems: BTreeSet<_> = names
        .iter()
        .filter_map(|name| name.split('.').next())
        .collect();
    ensure!(
        names.len() == 2 * stems.len(),
        "a take lacks its MIDI or WAV file: {names:?}"
    );
    let stems = stems.into_iter().map(str::to_owned);
    Ok(stems.filter(|stem| !marked.contains(stem)).collect())
}

/// Takes at 150 BPM whose sound has been written.
fn marked(folder: &Path) -> BTreeSet<String> {
    /// The MIDI file event for 400,000 µs per quarter note.
    const TEMPO: [u8; 6] = [0xff, 0x51, 3, 0x06, 0x1a, 0x80];
    let names = names(folder);
    let stems = names.iter().filter_map(|name| name.strip_suffix(".wav"));
    let is_marked = |stem: &&str| {
        let notes = fs::read(folder.join(format!("{stem}.mid"))).unwrap_or_default();
        notes.windows(TEMPO.len()).any(|bytes| bytes == TEMPO)
    };
    stems.filter(is_marked).map(str::to_owned).collect()
}

fn swept(test: &str, format: Format) -> Result<()> {
    apart(test, |folder| {
        for seed in [1, 2, 3] {
            let mut host = format.open()?;
            let stage = sweep(&mut *host, seed)?;
            host.perform(&stage)?;
            let begun = Instant::now();
            drop(host);
            let took = begun.elapsed();
            eprintln!("{format:?}, seed {seed}: closed in {took:?}");
            // That closing waits for nothing is shown by the tests of the archive and of the generator, not by this
            // clock; the limit leaves room for a machine that runs other tests.
            ensure!(took < Duration::from_secs(2), "closing took {took:?}");
        }
        let takes = takes(format, folder)?;
        ensure!(takes.is_empty(), "{takes:?}");
        Ok(())
    })
}

#[test]
fn random_automation_of_a_clap_writes_no_file() -> Result<()> {
    swept("random_automation_of_a_clap_writes_no_file", Format::Clap)
}

#[test]
fn random_automation_of_a_vst3_writes_no_file() -> Result<()> {
    swept("random_automation_of_a_vst3_writes_no_file", Format::Vst3)
}

#[test]
fn a_control_key_saves_a_take_once_and_a_parameter_never_does() -> Result<()> {
    let test = "a_control_key_saves_a_take_once_and_a_parameter_never_does";
    apart(test, |folder| {
        for (n, format) in (1..).zip(Format::ALL) {
            let mut host = format.open()?;
            let mut stage = by_hand(0);
            for frame in (0..stage.n_frames).step_by(9_000) {
                let value = (frame / 9_000 % 2) as f64;
                stage = stage.at(frame, Action::Set("Save take", value));
            }
            host.perform(&stage)?;
            let of_parameters = takes(format, folder)?;
            ensure!(of_parameters.len() + 1 == n, "{of_parameters:?}");
            // All key presses come before the first take can have been written.
            host.perform(&by_hand(6))?;
            drop(host);
            let of_keys = takes(format, folder)?;
            ensure!(of_keys.len() == n, "{of_keys:?}");
        }
        Ok(())
    })
}

#[test]
fn a_requested_take_is_written_after_its_instance_is_gone() -> Result<()> {
    let test = "a_requested_take_is_written_after_its_instance_is_gone";
    apart(test, |folder| {
        for (n, format) in (1..).zip(Format::ALL) {
            let mut host = format.open()?;
            host.perform(&by_hand(1))?;
            // The last instance, after which the host unloads the library.
            drop(host);
            let takes = takes(format, folder)?;
            ensure!(takes.len() == n, "{takes:?}");
        }
        Ok(())
    })
}

#[test]
fn a_process_that_ends_during_a_take_leaves_no_partial_file() -> Result<()> {
    let test = "a_process_that_ends_during_a_take_leaves_no_partial_file";
    apart(test, |_| {
        let mut host = Format::Clap.open()?;
        host.perform(&by_hand(1))?;
        drop(host);
        Ok(())
    })
}
