//! Saving, finding and comparing presets.

use std::error::Error;
use std::fs;

use proptest::prelude::*;

use super::values::is_kept;
use super::*;

type TestResult = Result<(), Box<dyn Error>>;

const TITLE: PresetTitle<'_> = PresetTitle {
    name: "Late night",
    about: "Slow and \"dark\".",
};

/// The text of an error; empty if there is none.
fn words<T, E: Error>(outcome: Result<T, E>) -> String {
    outcome
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

fn set(parameters: &Parameters, id: &str, text: &str) -> Result<(), ParameterError> {
    parameters.set_text(parameters.find_id(id)?, text)
}

#[test]
fn presets_contain_the_music_and_not_the_setup() {
    let parameters = made();
    let kept: Vec<_> = parameters
        .indices()
        .filter(|at| is_kept(&parameters, *at))
        .map(|at| parameters.id(at).to_owned())
        .collect();
    let has = |id: &str| kept.iter().any(|kept| kept == id);
    for id in [
        "density",
        "kick_density",
        "follow",
        "energy",
        "style",
        "fills",
        "fill_length",
        "fill_amount",
        "variation",
        "seed",
        "silence",
        "drummer",
        "swing",
        "shuffle",
        "humanise",
        "feel",
        "velocity",
        "kit_level",
    ] {
        assert!(has(id), "{id}");
    }
    for id in [
        "bypass",
        "device",
        "fill_now",
        "new_idea",
        "save",
        "tap",
        "free_run",
        "free_bpm",
        "map",
        "kick_note",
        "bass_ch",
        "late",
        "ctl_key",
    ] {
        assert!(parameters.find_id(id).is_ok() && !has(id), "{id}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn saved_values_come_back_whatever_was_set_since(
        mine in prop::collection::vec(0.0_f32..=1.0, 80),
        since in prop::collection::vec(0.0_f32..=1.0, 80),
    ) {
        let folder = tempfile::tempdir()?;
        let folder = UserFolder::at(folder.path().join("new"));
        let parameters = made();
        let turn = |to: &[f32]| {
            for (at, value) in parameters.indices().zip(to.iter().cycle()) {
                parameters.set(at, *value, 48_000.0);
            }
        };
        turn(&mine);
        let values = PresetValues::now(&parameters);
        folder.save(TITLE, &parameters, IfExists::Refuse)?;
        turn(&since);
        let UserPresets { presets, problems, .. } = folder.presets();
        prop_assert!(problems.is_empty());
        prop_assert_eq!(presets.len(), 1);
        prop_assert_eq!((&*presets[0].name, &*presets[0].about), (TITLE.name, TITLE.about));
        presets[0].values.apply(&parameters);
        prop_assert!(values.are_set(&parameters));
        // Parameters that presets leave out are unchanged.
        for (at, value) in parameters.indices().zip(since.iter().cycle()) {
            if !is_kept(&parameters, at) {
                let alone = made();
                alone.set(at, *value, 48_000.0);
                prop_assert!((parameters.value(at) - alone.value(at)).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn a_preset_of_an_earlier_build_loads_and_what_it_does_not_know_gets_its_default() -> TestResult {
    let parameters = made();
    let text = include_str!("tests/0.1.0-nine-voices.toml");
    let preset = file::parse(text, "0.1.0-nine-voices.toml", &parameters)?;
    set(&parameters, "shaker_level", "-9 dB")?;
    set(&parameters, "percussion_density", "10 %")?;
    set(&parameters, "energy", "-40 %")?;
    set(&parameters, "fill_length", "Beat")?;
    set(&parameters, "fill_amount", "0 %")?;
    preset.values.apply(&parameters);
    for (id, shown) in [
        ("density", "62 %"),
        ("hats_density", "41 %"),
        ("cymbals_density", "55 %"),
        ("snare_level", "-3.0 dB"),
        ("ride_pan", "40 R"),
        ("kick_tune", "-2.0 semitones"),
        ("kit", "Brushes"),
        ("seed", "7"),
        ("shaker_level", "0.0 dB"),
        ("percussion_density", "50 %"),
        ("energy", "Free"),
        ("fill_length", "Measure"),
        ("fill_amount", "50 %"),
    ] {
        let at = parameters.find_id(id)?;
        assert_eq!(parameters.text(at), shown, "{id}");
    }
    Ok(())
}

#[test]
fn what_a_file_leaves_out_gets_its_default() -> TestResult {
    let parameters = made();
    let preset = file::parse(
        "name = \"A\"\nabout = \"a.\"\n[set]\ndensity = \"60 %\"\nswing = 0.123\nstyle = \"1\"\n",
        "a.toml",
        &parameters,
    )?;
    set(&parameters, "density", "10 %")?;
    set(&parameters, "seed", "1")?;
    set(&parameters, "free_bpm", "90")?;
    preset.values.apply(&parameters);
    for (id, shown) in [
        ("density", "60 %"),
        ("seed", "39"),
        ("free_bpm", "90 BPM"),
        ("swing", "12 %"),
    ] {
        assert_eq!(parameters.text(parameters.find_id(id)?), shown);
    }
    assert!(
        parameters
            .text(parameters.find_id("style")?)
            .starts_with("1: ")
    );
    assert!(preset.values.are_set(&parameters));
    set(&parameters, "swing", "13 %")?;
    assert!(!preset.values.are_set(&parameters));
    let turns = preset.values.turns(&parameters);
    assert_eq!(turns.len(), 1);
    assert_eq!(parameters.id(turns[0].0), "swing");
    assert!((turns[0].1 - 0.123).abs() < 1e-6);
    Ok(())
}

#[test]
fn errors_in_a_file_are_named_with_what_is_allowed() {
    let head = "name = \"A\"\nabout = \"a.\"\n";
    for (text, named) in [
        ("name = \"A\nabout", &["name"][..]),
        ("about = \"a.\"\n", &["name"]),
        ("name = \" \"\n", &["1 to 40 characters"]),
        (&format!("name = \"{}\"\n", "x".repeat(41)), &["1 to 40"]),
        ("name = \"a\\nb\"\n", &["one line"]),
        (&format!("{head}tempo = 3\n"), &["tempo"]),
        (&format!("{head}[set]\nloudness = \"3\"\n"), &["loudness"]),
        (&format!("{head}[set]\nDensity = \"60 %\"\n"), &["Density"]),
        (
            &format!("{head}[set]\nbypass = \"On\"\n"),
            &["bypass", "leave it out"],
        ),
        (
            &format!("{head}[set]\ndensity = \"500 %\"\n"),
            &["density", "0 % to 100 %"],
        ),
        (
            &format!("{head}[set]\nsilence = \"loud\"\n"),
            &["silence", "Lay out, Keep time"],
        ),
        (&format!("{head}[set]\nstyle = 1\n"), &["style = \"1\""]),
        (
            &format!("{head}[set]\ndensity = 1.5\n"),
            &["density", "from 0 to 1"],
        ),
        (
            &format!("{head}[set]\ndensity = \"1 %\"\ndensity = \"2 %\"\n"),
            &["density"],
        ),
        (&format!("{head}[set]\ndensity = [1]\n"), &["density"]),
    ] {
        let words = words(file::parse(text, "mine.toml", &made()));
        assert!(words.starts_with("mine.toml: "), "{text}: {words}");
        for named in named {
            assert!(words.contains(named), "{text}: {words}");
        }
        assert!(!words.contains('\n'), "{words}");
    }
}

#[test]
fn a_damaged_file_hides_no_other_and_a_second_preset_of_the_same_name_is_left_out() -> TestResult {
    let folder = tempfile::tempdir()?;
    let own = UserFolder::at(folder.path());
    own.save(TITLE, &made(), IfExists::Refuse)?;
    let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text);
    write("bad.toml", b"name = ")?;
    write("binary.toml", &[0xff, 0xfe])?;
    write("mine.toml", b"name = \"LATE NIGHT\"")?;
    write("theirs.toml", b"name = \"pocket\"")?;
    write("notes.txt", b"no preset at all")?;
    let found = own.presets();
    assert_eq!(found.presets.len(), 1);
    assert_eq!(found.presets[0].name, TITLE.name);
    let problems: Vec<_> = found.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 4, "{problems:?}");
    for (problem, named) in problems.iter().zip([
        ["bad.toml", "name"],
        ["binary.toml", "UTF-8"],
        ["mine.toml", "late-night.toml"],
        ["theirs.toml", "comes with Lockstep"],
    ]) {
        assert!(
            named.iter().all(|named| problem.contains(named)),
            "{problem}"
        );
    }
    // Asking for the damaged one reports it.
    let words = words(find_among("bad", Ok(own.presets())));
    assert!(words.contains("Pocket") && words.contains("Late night") && words.contains("bad.toml"));
    Ok(())
}

#[test]
fn saving_overwrites_only_the_same_name_and_only_when_asked() -> TestResult {
    let folder = tempfile::tempdir()?;
    let own = UserFolder::at(folder.path());
    let parameters = made();
    let path = own.save(TITLE, &parameters, IfExists::Refuse)?;
    assert_eq!(path, folder.path().join("late-night.toml"));
    let first = fs::read(&path)?;
    set(&parameters, "density", "20 %")?;
    let again = PresetTitle {
        name: "late NIGHT ",
        ..TITLE
    };
    let refused = words(own.save(again, &parameters, IfExists::Refuse));
    assert!(
        refused.contains("late-night.toml") && refused.contains("replace it"),
        "{refused}"
    );
    assert_eq!(fs::read(&path)?, first);
    // A different name that gives the same file name is a different preset.
    let alike = PresetTitle {
        name: "Late, night!",
        ..TITLE
    };
    for (title, if_there, file) in [
        (again, IfExists::Replace, "late-night.toml"),
        (alike, IfExists::Replace, "late-night-2.toml"),
        (alike, IfExists::Replace, "late-night-2.toml"),
        (
            PresetTitle {
                name: "../..",
                ..TITLE
            },
            IfExists::Refuse,
            "preset.toml",
        ),
        (
            PresetTitle {
                name: "Ночь",
                ..TITLE
            },
            IfExists::Refuse,
            "ночь.toml",
        ),
    ] {
        assert_eq!(
            own.save(title, &parameters, if_there)?,
            folder.path().join(file)
        );
    }
    let found = find_among("late night", Ok(own.presets()))?;
    assert!(found.values.are_set(&parameters));
    assert_eq!(fs::read_dir(folder.path())?.count(), 4);
    Ok(())
}

#[test]
fn factory_names_and_invalid_titles_are_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let own = UserFolder::at(folder.path());
    for name in ["pocket", " POCKET ", "", " ", "a\nb", &"x".repeat(41)] {
        for if_there in [IfExists::Refuse, IfExists::Replace] {
            let title = PresetTitle { name, about: "" };
            assert!(own.save(title, &made(), if_there).is_err(), "{name:?}");
        }
    }
    let about = "x".repeat(201);
    let title = PresetTitle {
        name: "A",
        about: &about,
    };
    assert!(words(own.save(title, &made(), IfExists::Refuse)).contains("200"));
    assert_eq!(fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}

#[test]
fn a_folder_that_cannot_be_made_is_named_with_what_to_do() -> TestResult {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("a file");
    fs::write(&file, b"in the way")?;
    let own = UserFolder::at(file.join("presets"));
    let words = words(own.save(TITLE, &made(), IfExists::Refuse));
    assert!(
        words.contains("a file") && words.contains(FOLDER_VARIABLE),
        "{words}"
    );
    let found = own.presets();
    assert!(found.presets.is_empty());
    Ok(())
}

#[test]
fn a_preset_is_found_by_name_in_any_case_or_by_its_file() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("lent.toml");
    fs::write(&path, "name = \"Lent\"\n[set]\nseed = \"7\"\n")?;
    let none = || Ok(UserFolder::at(folder.path().join("none")).presets());
    assert_eq!(
        find_among("four ON the floor", none())?.name,
        "Four on the floor"
    );
    assert_eq!(
        find_among(&path.display().to_string(), none())?.file,
        Some(path)
    );
    assert!(words(find_among("loudness", none())).contains("Swing ride"));
    let lost = find_among("loudness", Err(PresetError::NoFolder));
    assert!(words(lost).contains(FOLDER_VARIABLE));
    Ok(())
}

#[test]
fn a_and_b_each_come_back_as_they_were_left() -> TestResult {
    let parameters = made();
    let mut compare = Compare::default();
    let now = || PresetValues::now(&parameters);
    set(&parameters, "density", "20 %")?;
    let a = now();
    // At first B is a copy of A.
    assert_eq!(compare.switch(now()), a);
    assert_eq!(compare.on(), CompareSide::B);
    set(&parameters, "density", "80 %")?;
    set(&parameters, "seed", "3")?;
    let b = now();
    compare.switch(now()).apply(&parameters);
    assert_eq!((compare.on(), now()), (CompareSide::A, a.clone()));
    compare.switch(now()).apply(&parameters);
    assert_eq!((compare.on(), now()), (CompareSide::B, b.clone()));
    compare.copy(now());
    assert_eq!(compare.on(), CompareSide::B);
    assert_eq!(compare.switch(b.clone()), b);
    Ok(())
}
