//! A take is a person's to save: whatever a machine does to the knobs, no file is written, and nobody who leaves waits for one.
//!
//! Each test plays in a process of its own, for where takes go is told to a process by its environment.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use lockstep_hosts::{Action, BassNote, Format, Host, Stage};

/// Where takes go, as the README tells it.
const FOLDER: &str = "LOCKSTEP_TAKES";

/// From this key up lie the four control keys, in these tests.
const CONTROL_KEY: u8 = 24;

/// The value of *Control keys* that says so: 0 is off, 1 is the key 0, of 124.
const CONTROL_KEYS: (&str, f64) = ("Control keys", (CONTROL_KEY as f64 + 1.0) / 125.0);

/// The key that saves.
const SAVE_KEY: u8 = CONTROL_KEY + 3;

/// Longer than any machine needs to write a take.
const TOO_LONG: Duration = Duration::from_mins(2);

/// A minute and a half, in measures of 1.2 seconds.
const N_MEASURES: u32 = 75;

/// Plays `body` in a process of its own, with a folder for takes that is empty.
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
    // Whole files are left, and nothing else, however the process ended.
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

/// Whole numbers that look drawn, the same for every run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % n
    }
}

/// As validators do it: every few blocks some parameters of all there are get any value, and notes on any key.
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
            // Both ends as often as all between, for the buttons.
            let value = [0.0, 1.0, dice.below(1000) as f64 / 999.0];
            let value = value[usize::try_from(dice.below(3))?];
            stage.cues.push(lockstep_hosts::Cue {
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
    stage.cues.sort_by_key(|cue| cue.frame);
    stage.bass.sort_by(|a, b| a.beats.total_cmp(&b.beats));
    Ok(stage)
}

/// As a person does it: control keys are set, something is played, and the key that saves is struck so often.
fn by_hand(n_presses: u8) -> Stage {
    let mut stage = Stage::of_measures(4).with(CONTROL_KEYS.0, CONTROL_KEYS.1);
    for n in 0..n_presses {
        stage.bass.push(BassNote {
            // In the third measure, which the stage has at every tempo of these tests.
            beats: 10.9 + 0.05 * f64::from(n),
            length_beats: 0.02,
            key: SAVE_KEY,
        });
    }
    stage
}

/// The takes that were asked for up to now, by their names without ending: takes are written one after the other, so once the
/// one that is asked for here is there, all of them are. It is not among them.
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
        "one without the other: {names:?}"
    );
    let stems = stems.into_iter().map(str::to_owned);
    Ok(stems.filter(|stem| !marked.contains(stem)).collect())
}

/// The takes at 150 quarter notes a minute, whose sound is there.
fn marked(folder: &Path) -> BTreeSet<String> {
    /// How a MIDI file says 400,000 microseconds a quarter note.
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
            eprintln!("{format:?}, seed {seed}: left in {took:?}");
            // Logic, not this clock, says that nothing is waited for (see the tests of the archive and of the generator):
            // here is room for a machine on which other tests run.
            ensure!(took < Duration::from_secs(2), "leaving took {took:?}");
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
fn a_control_key_saves_once_a_take_and_a_parameter_never() -> Result<()> {
    let test = "a_control_key_saves_once_a_take_and_a_parameter_never";
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
            // All of them before the first can have been written.
            host.perform(&by_hand(6))?;
            drop(host);
            let of_keys = takes(format, folder)?;
            ensure!(of_keys.len() == n, "{of_keys:?}");
        }
        Ok(())
    })
}

#[test]
fn a_take_that_was_asked_for_is_written_though_its_instance_has_gone() -> Result<()> {
    let test = "a_take_that_was_asked_for_is_written_though_its_instance_has_gone";
    apart(test, |folder| {
        for (n, format) in (1..).zip(Format::ALL) {
            let mut host = format.open()?;
            host.perform(&by_hand(1))?;
            // With the last instance, whose library the host lets go.
            drop(host);
            let takes = takes(format, folder)?;
            ensure!(takes.len() == n, "{takes:?}");
        }
        Ok(())
    })
}

#[test]
fn a_process_that_ends_while_a_take_is_written_leaves_nothing_half() -> Result<()> {
    let test = "a_process_that_ends_while_a_take_is_written_leaves_nothing_half";
    apart(test, |_| {
        let mut host = Format::Clap.open()?;
        host.perform(&by_hand(1))?;
        drop(host);
        Ok(())
    })
}
