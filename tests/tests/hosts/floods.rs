//! Far more events per block than anybody plays, as sent by hosts that automate everything.

use std::process::Command;

use anyhow::Context as _;
use lockstep_hosts::{Action, BareVst3, BassNote, Format, Stage};

/// Tells the child process which format to play and how many notes.
const CHILD: &str = "LOCKSTEP_FLOOD";

/// A block of 8,192 frames with this many notes, each with its note-off, and a parameter change on its first frame.
fn flood(n_notes: u32) -> Stage {
    let mut stage = Stage::of_measures(2).in_blocks_of(8_192);
    let beats = stage.beats_at(8_000) / f64::from(n_notes);
    stage.bass = (0..n_notes)
        .map(|note| BassNote {
            beats: f64::from(note) * beats,
            length_beats: beats,
            key: 33,
        })
        .collect();
    stage.at(0, Action::Set("Density", 0.7))
}

/// The framework logs this when its buffer is full and it allocates on the audio thread.
const FULL: &str = "buffer filled up";

/// Plays it in a child process and returns its log; the framework permits itself this allocation, so only the log shows
/// it.
fn log_of(format: Format, n_notes: u32) -> anyhow::Result<String> {
    let output = Command::new(std::env::current_exe()?)
        .args([
            "--exact",
            "floods::a_block_of_ten_thousand_events_fits",
            "--nocapture",
        ])
        .env(CHILD, format!("{format:?} {n_notes}"))
        .env("NICE_LOG", "stderr")
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    anyhow::ensure!(output.status.success(), "{format:?}, {n_notes}: {said}");
    Ok(said)
}

/// Plays it in this process.
fn play(format: Format, n_notes: u32) -> anyhow::Result<()> {
    if format == Format::Clap {
        let performance = format.perform(&flood(n_notes))?;
        assert_eq!(performance.faults(), Vec::<String>::new());
        return Ok(());
    }
    // The usual VST3 host limits the number of events per block.
    let instance = BareVst3::open()?;
    assert!(instance.set_up(48_000.0) && instance.set_active(true) && instance.start());
    let keys = vec![33; 2 * usize::try_from(n_notes)?];
    assert!(instance.process(8_192, &keys).is_some());
    Ok(())
}

#[test]
fn a_block_of_ten_thousand_events_fits() -> anyhow::Result<()> {
    if let Ok(told) = std::env::var(CHILD) {
        let (name, n_notes) = told.split_once(' ').context("format and number of notes")?;
        let format = Format::ALL.into_iter().find(|f| format!("{f:?}") == name);
        return play(format.context("no such format")?, n_notes.parse()?);
    }
    for format in Format::ALL {
        let said = log_of(format, 5_000)?;
        assert!(!said.contains(FULL), "{format:?}: {said}");
        // Check that the log would show it: with more notes the framework allocates, and the drums are still complete.
        assert!(log_of(format, 9_000)?.contains(FULL), "{format:?}");
    }
    Ok(())
}
