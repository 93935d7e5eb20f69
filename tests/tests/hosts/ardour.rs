//! Ardour 7 records the drums on the beat. `tests/ardour/record_drums.lua` contains what is played and how.
//!
//! Ardour stores recorded MIDI in ticks, 1920 per beat. At 8 kHz and 250 BPM a tick is one frame, so that session shows
//! every frame. The other session is what a player would use; there a tick is 12.5 frames.
//!
//! Skipped, with a message on standard error, if Ardour 7 is not installed (Debian: `apt-get install ardour`).

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use lockstep_hosts::{KIT, bundle};

/// Measures of bass. The drums play from the second one.
const N_MEASURES: u32 = 4;
/// Ardour's ticks per beat and per step.
const BEAT_TICKS: i64 = 1920;
const STEP_TICKS: i64 = BEAT_TICKS / 4;
/// Debian's folder for Ardour's libraries and its VST3 scanner.
const LIBRARIES: &str = "/usr/lib/ardour7";

/// A note of the recorded region.
#[derive(Clone, Copy, Debug)]
struct Note {
    at_ticks: i64,
    length_ticks: i64,
    key: u8,
    /// Counted from 0.
    channel: u8,
}

#[test]
fn ardour_records_every_hit_on_its_frame() -> anyhow::Result<()> {
    assert_recorded_on_the_beat(8_000, 250)
}

#[test]
fn ardour_records_every_hit_on_the_beat_at_48_khz() -> anyhow::Result<()> {
    assert_recorded_on_the_beat(48_000, 120)
}

fn assert_recorded_on_the_beat(sample_rate_hz: u32, tempo_bpm: u32) -> anyhow::Result<()> {
    if !is_installed() {
        return lockstep_hosts::skip("Ardour 7 is not installed");
    }
    let output = record(sample_rate_hz, tempo_bpm)?;
    for knob in ["Swing", "Humanise", "Feel", "Shuffle"] {
        assert!(
            output.contains(&format!("knob {knob} 0.0\n")),
            "the project forgot that {knob} is 0:\n{output}"
        );
    }
    // Ardour prints this when a recorded note has no end.
    assert!(!output.contains("no note-off"), "{output}");

    let notes = notes(&output)?;
    for note in &notes {
        let off = (note.at_ticks + STEP_TICKS / 2).rem_euclid(STEP_TICKS) - STEP_TICKS / 2;
        // At 8 kHz allow one frame; otherwise positions must round to the grid's own tick.
        let tolerance = i64::from(sample_rate_hz == 8_000);
        assert!(
            off.abs() <= tolerance,
            "{note:?} is {off} ticks off the grid"
        );
        assert!(note.length_ticks > 0, "{note:?} has no length");
        assert!(
            KIT.contains(&note.key),
            "{note:?} is not a voice of the kit"
        );
        assert_eq!(note.channel, 9, "{note:?} is not on the drum channel");
    }
    for measure in 0..N_MEASURES {
        let n_hits = notes
            .iter()
            .filter(|note| (note.at_ticks + 1) / (4 * BEAT_TICKS) == i64::from(measure))
            .count();
        assert_eq!(
            n_hits > 0,
            measure > 0,
            "{n_hits} hits in measure {}",
            measure + 1
        );
    }
    Ok(())
}

fn is_installed() -> bool {
    Command::new("ardour7-lua")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Runs Ardour to play and record; returns what the script printed.
fn record(sample_rate_hz: u32, tempo_bpm: u32) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let vst3 = bundle("Lockstep.vst3")?.canonicalize()?;
    let ardour = |program: &str| {
        let mut command = Command::new("timeout");
        command.args(["240", program]);
        // Keep away from the user's settings and plugins and from those of other tests.
        for (variable, inside) in [
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_CACHE_HOME", "cache"),
        ] {
            command.env(variable, folder.path().join(inside));
        }
        command
            .env("LD_LIBRARY_PATH", LIBRARIES)
            .env("VST3_PATH", vst3.parent().unwrap_or(Path::new("/")));
        command
    };
    for inside in ["home", "config/ardour7", "cache"] {
        std::fs::create_dir_all(folder.path().join(inside))?;
    }
    std::fs::write(
        folder.path().join("config/ardour7/config"),
        include_str!("../../ardour/config"),
    )?;

    // Without a GUI, Ardour loads only plugins that have been scanned before.
    run(ardour(&format!("{LIBRARIES}/ardour-vst3-scanner"))
        .arg("-f")
        .arg(&vst3))?;
    run(ardour("ardour7-lua")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/ardour/record_drums.lua"
        ))
        .arg(folder.path().join("session"))
        .args([sample_rate_hz, tempo_bpm, N_MEASURES].map(|number| number.to_string())))
    .and_then(|output| {
        anyhow::ensure!(
            output.contains("\ndone\n"),
            "the script did not finish:\n{output}"
        );
        Ok(output)
    })
}

fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(
        output.status.success(),
        "{command:?} ended with {}:\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(said)
}

/// Parses the lines `note BEATS:TICKS BEATS:TICKS KEY CHANNEL VELOCITY`.
fn notes(output: &str) -> anyhow::Result<Vec<Note>> {
    let ticks = |text: &str| -> anyhow::Result<i64> {
        let (beats, ticks) = text.split_once(':').context("not in beats and ticks")?;
        Ok(beats.parse::<i64>()? * BEAT_TICKS + ticks.parse::<i64>()?)
    };
    output
        .lines()
        .filter_map(|line| line.strip_prefix("note "))
        .map(|line| {
            let fields: Vec<_> = line.split(' ').collect();
            let [at, length, key, channel, _velocity] = fields[..] else {
                anyhow::bail!("not a note: {line:?}");
            };
            Ok(Note {
                at_ticks: ticks(at)?,
                length_ticks: ticks(length)?,
                key: key.parse()?,
                channel: channel.parse()?,
            })
        })
        .collect()
}
