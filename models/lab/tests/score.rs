//! The figures agree with the reference implementation, `score.py`, on songs with every special case it handles.

use std::fs;
use std::path::Path;

use lockstep_files::measured_song::MeasuredSong;
use lockstep_files::midi_file::{self, Pick};
use lockstep_lab::evaluation::{Report, score};
use serde_json::Value;

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/score"))
}

fn sheet(folder: &str, name: &str) -> TestResult<MeasuredSong> {
    let path = fixtures().join(folder).join(name);
    Ok(MeasuredSong::from_song(&midi_file::read(
        &fs::read(path)?,
        Pick::default(),
    )?))
}

fn report() -> TestResult<Report> {
    let mut songs = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let name = format!("{name}.mid");
        songs.push((sheet("take", &name)?, sheet("real", &name)?));
    }
    Ok(score(&songs))
}

/// The output of `score.py`; it writes NaN for undefined figures, which is not JSON.
fn reference() -> TestResult<Value> {
    let text = fs::read_to_string(fixtures().join("score.json"))?;
    Ok(serde_json::from_str(&text.replace("NaN", "null"))?)
}

fn assert_equal(name: &str, ours: f64, theirs: &Value) {
    let theirs = theirs.as_f64();
    assert!(
        theirs.is_some_and(|theirs| (ours - theirs).abs() < 1e-6),
        "{name} is {ours}, score.py says {theirs:?}"
    );
}

#[test]
fn every_figure_matches_the_reference() -> TestResult {
    let (report, reference) = (report()?, reference()?);
    assert_eq!(Some(report.n_songs as u64), reference["files"].as_u64());
    for (name, value) in report.take.named() {
        assert_equal(name, value, &reference["take"][name]);
    }
    // score.py gives no F1 of people against themselves.
    for (name, value) in report.real.named().into_iter().skip(3) {
        assert_equal(name, value, &reference["real"][name]);
    }
    assert_equal("oa", report.oa, &reference["oa"]);
    for (name, value) in report.named_overlaps() {
        assert_equal(name, value, &reference["oa_by_figure"][name]);
    }
    assert_eq!(report.named_overlaps().count(), 13);
    Ok(())
}

#[test]
fn a_drummer_far_from_people_in_lock_gain_is_deaf() -> TestResult {
    let mut take = report()?.take;
    assert!(!take.is_deaf());
    take.lock_gain = 7.9;
    assert!(take.is_deaf());
    Ok(())
}
