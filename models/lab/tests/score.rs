//! The figures agree with the reference implementations, `score.py` and `c2st.py`, on songs with every special case that they
//! handle.

use std::fs;
use std::path::Path;

use lockstep_files::measured_song::MeasuredSong;
use lockstep_files::midi_file::{self, Pick};
use lockstep_lab::evaluation::{Report, score};
use lockstep_lab::realism::{Realism, View};
use serde_json::Value;

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/score"))
}

/// A song as the references hear it.
fn sheet(folder: &str, name: &str) -> TestResult<MeasuredSong> {
    let path = fixtures().join(folder).join(name);
    let song = midi_file::read(&fs::read(path)?, Pick::default())?;
    Ok(MeasuredSong::from_song(&song).in_version_1())
}

/// Takes, each with what people played.
fn songs() -> TestResult<Vec<(MeasuredSong, MeasuredSong)>> {
    let mut songs = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let name = format!("{name}.mid");
        songs.push((sheet("take", &name)?, sheet("real", &name)?));
    }
    Ok(songs)
}

fn report() -> TestResult<Report> {
    Ok(score(&songs()?))
}

/// The output of a script; it writes NaN for undefined figures, which is not JSON.
fn reference(name: &str) -> TestResult<Value> {
    let text = fs::read_to_string(fixtures().join(name))?;
    Ok(serde_json::from_str(&text.replace("NaN", "null"))?)
}

fn assert_equal(name: &str, ours: f64, theirs: &Value) {
    let theirs = theirs.as_f64();
    assert!(
        theirs.is_some_and(|theirs| (ours - theirs).abs() < 1e-6),
        "{name} is {ours}, the reference says {theirs:?}"
    );
}

#[test]
fn every_figure_matches_the_reference() -> TestResult {
    let (report, reference) = (report()?, reference("score.json")?);
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
fn every_figure_of_the_vocabulary_matches_the_reference() -> TestResult {
    let (realism, reference) = (Realism::of(&songs()?), reference("c2st.json")?);
    assert_eq!((realism.n_windows, realism.n_songs), (20, 8));
    for (side, habits) in [("take", realism.take), ("real", realism.people)] {
        for (name, value) in habits.vocabulary.named() {
            assert_equal(name, value, &reference["vocabulary"][side][name]);
        }
    }
    Ok(())
}

#[test]
fn takes_are_told_from_people_as_well_as_by_the_reference() -> TestResult {
    let (realism, reference) = (Realism::of(&songs()?), reference("c2st.json")?);
    // Boosting draws nothing. Trees draw other splits here than there: over ten seeds of its own, the script has 52.5 to 60 % for
    // hits and 50 to 57.5 % with velocity, where one of the forty windows is 2.5 %.
    for (view, name, tolerance) in [
        (View::Hits, "hits", 5.1),
        (View::HitsAndVelocity, "hits+velocity", 5.1),
        (View::Figures, "figures", 1e-6),
        (View::FiguresOfHits, "figures of hits", 1e-6),
    ] {
        let place = View::ALL.into_iter().position(|other| other == view);
        let verdict = place.and_then(|place| realism.verdicts[place]);
        let verdict = verdict.ok_or("too few songs")?;
        for (ours, theirs) in [verdict.accuracy, verdict.auc].into_iter().zip(0..) {
            let theirs = reference[name][theirs].as_f64();
            assert!(
                theirs.is_some_and(|theirs| (ours - theirs).abs() < tolerance),
                "{name}: {verdict:?}, the reference says {theirs:?}"
            );
        }
    }
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
