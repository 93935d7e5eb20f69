//! Setting parameters by text, and storing them.

use super::*;
use crate::params::LockstepParams;

type TestResult = Result<(), ParameterError>;

fn parameters() -> Parameters {
    Parameters::new(Arc::new(LockstepParams::default()))
}

#[test]
fn a_parameter_is_set_by_id_or_name_and_by_the_text_that_a_host_shows() -> TestResult {
    let parameters = parameters();
    for (name, text, shown) in [
        ("density", "60 %", "60 %"),
        ("Free-run tempo", "97.5", "97.5 BPM"),
        ("free_bpm", "120 BPM", "120 BPM"),
        ("silence", "keep TIME", "Keep time"),
        ("free_run", "on", "On"),
        ("seed", "0", "0"),
        ("style", "free", "Free"),
        ("energy", "-25 %", "-25 %"),
        ("Energy", "40", "+40 %"),
        ("energy", "free", "Free"),
        ("fill_length", "half", "Half"),
        ("chat_pan", "12 L", "12 L"),
        // The id that it had before the first release.
        ("pan_chat", "30 R", "30 R"),
    ] {
        let at = parameters.find(name)?;
        parameters.set_text(at, text)?;
        assert_eq!(parameters.text(at), shown, "{name}");
    }
    Ok(())
}

#[test]
fn a_key_is_set_by_its_number_or_its_name() -> TestResult {
    let parameters = parameters();
    let key = parameters.find("ctl_key")?;
    for (text, shown) in [("c1", "24 (C1)"), ("25", "25 (C#1)"), ("off", "Off")] {
        parameters.set_text(key, text)?;
        assert_eq!(parameters.text(key), shown);
    }
    Ok(())
}

#[test]
fn an_impossible_value_is_refused_with_the_range() -> TestResult {
    let parameters = parameters();
    for (id, text, range) in [
        ("density", "500 %", "0 % to 100 %"),
        ("density", "-3", "0 % to 100 %"),
        ("density", "nan", "0 % to 100 %"),
        ("free_bpm", "fast", "20 BPM to 400 BPM"),
        ("free_bpm", "401", "20 BPM to 400 BPM"),
        ("seed", "12000", "0 to 9999"),
        ("free_run", "maybe", "Off, On"),
        ("silence", "loud", "Lay out, Keep time"),
        ("style", "99", "Free to 32"),
        ("energy", "150 %", "-100 % to +100 %"),
        ("fill_length", "bar", "Beat, Half, Measure"),
    ] {
        let at = parameters.find(id)?;
        let before = parameters.text(at);
        let error = parameters.set_text(at, text).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(range) && error.contains(id), "{error}");
        assert_eq!(parameters.text(at), before);
    }
    let unknown = parameters.find("loudness").err();
    assert!(unknown.is_some_and(|error| error.to_string().contains("loudness")));
    Ok(())
}

#[test]
fn stored_values_come_back_within_rounding() -> TestResult {
    let (ours, theirs) = (parameters(), parameters());
    for (place, at) in ours.indices().enumerate() {
        let value = [0.1234, 0.77, 1.0, 0.0][place % 4];
        ours.set(at, value, 48_000.0);
    }
    for (id, written) in ours.changed() {
        theirs.restore(theirs.find(&id)?, &written)?;
    }
    for at in ours
        .indices()
        .filter(|at| !MOMENTARY.contains(&ours.id(*at)))
    {
        let (ours, theirs) = (ours.value(at), theirs.value(at));
        assert!((ours - theirs).abs() < 1e-7, "{ours} {theirs}");
    }
    assert!(parameters().changed().is_empty());
    Ok(())
}

#[test]
fn a_controller_reaches_both_ends_in_values_that_can_be_stored_as_text() -> TestResult {
    let parameters = parameters();
    for id in ["density", "seed", "free_run", "silence", "velocity"] {
        let at = parameters.find(id)?;
        let values = parameters.controller_values(at);
        assert!(values[0].abs() < 1e-6 && (values[127] - 1.0).abs() < 1e-6);
        assert!(values.is_sorted());
        parameters.set(at, values[50], 48_000.0);
        assert!(
            matches!(parameters.written(at), StoredValue::Text(_)),
            "{id}"
        );
    }
    Ok(())
}
