//! What Lockstep plays, byte for byte: takes as hashes, so that a change that should not be heard is not.
//!
//! The drummers and presets that ship play the example and the lab's bass lines. Another processor adds in another order, which
//! can move a velocity by one: where there is no AVX-512, which the hashes were made with, the grids alone are compared. Run with
//! `LOCKSTEP_ACCEPT_TAKES=1` after a change that is meant to be heard.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use lockstep::presets::factory;
use lockstep_core::generator::{DEFAULT_SEED, Generator, GeneratorSettings};
use lockstep_core::rule::RuleGroove;
use lockstep_engine::realtime::Controls;
use lockstep_files::midi_file::{self, Pick, Song};
use lockstep_models::predict::{EMBEDDED, EMBEDDED_WEIGHTS, Predictor};

/// The hashes, one take per line.
const TAKES: &str = "tests/takes.txt";

/// FNV-1a, 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A line of the file: what is played, the number of its drum notes, and the hashes of its grid and of its MIDI file.
fn take(name: &str, song: &Song, controls: &Controls, drummer: &mut dyn Generator) -> String {
    let take = lockstep_offline::play(song, controls, drummer);
    let n_notes = take.song.drums.len();
    // A loud hit and a soft one are different marks, and a velocity at their border may move.
    let grid = lockstep_offline::grid(&take.song).to_lowercase();
    let (grid, file) = (hash(grid.as_bytes()), hash(&midi_file::write(&take.song)));
    format!("{name} {n_notes} {grid:016x} {file:016x}\n")
}

/// Whether matrix products are computed as they were for the file.
fn adds_in_the_same_order() -> bool {
    #[cfg(target_arch = "x86_64")]
    let has_avx512 = std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    let has_avx512 = false;
    has_avx512
}

/// A line without the hash of its bytes.
fn without_bytes(line: &str) -> &str {
    line.rsplit_once(' ').map_or(line, |(rest, _)| rest)
}

/// The controls of the program where nobody turns any.
fn untouched() -> Controls {
    Controls {
        settings: GeneratorSettings {
            seed: DEFAULT_SEED,
            variation: 0.1,
            ..GeneratorSettings::default()
        },
        ..Controls::default()
    }
}

/// The lab's bass lines, by name.
fn lines() -> Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/listening");
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "mid") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

#[test]
fn every_take_is_the_same_to_the_byte() -> Result<()> {
    let example = midi_file::read(lockstep_offline::EXAMPLE, Pick::default())?;
    let mut takes = String::new();
    takes += &take("rule", &example, &untouched(), &mut RuleGroove);
    for (name, weights) in EMBEDDED {
        let mut drummer = Predictor::new(weights)?;
        takes += &take(name, &example, &untouched(), &mut drummer);
    }
    let mut drummer = Predictor::new(EMBEDDED_WEIGHTS)?;
    for path in lines()? {
        let song = midi_file::read(&fs::read(&path)?, Pick::default())?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        takes += &take(&name, &song, &untouched(), &mut drummer);
    }
    for preset in factory() {
        let (controls, chosen, _) = preset.controls();
        let mut drummer = Predictor::new(&chosen.weights()?)?;
        let name = preset.name.replace(' ', "-").to_lowercase();
        takes += &take(&format!("preset:{name}"), &example, &controls, &mut drummer);
    }

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TAKES);
    if std::env::var_os("LOCKSTEP_ACCEPT_TAKES").is_some() {
        return fs::write(&path, takes).context("writing the takes");
    }
    let expected = fs::read_to_string(&path).context("reading the takes")?;
    let mut different = String::new();
    let is_same: fn(&str, &str) -> bool = if adds_in_the_same_order() {
        |expected, played| expected == played
    } else {
        eprintln!("SKIPPED: the bytes, for there is no AVX-512; the grids are compared");
        |expected, played| without_bytes(expected) == without_bytes(played)
    };
    for (expected, played) in expected.lines().zip(takes.lines()) {
        if !is_same(expected, played) {
            writeln!(different, "expected {expected}, played {played}")?;
        }
    }
    assert!(different.is_empty(), "{different}");
    assert_eq!(takes.lines().count(), expected.lines().count());
    Ok(())
}
