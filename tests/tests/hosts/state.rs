//! A saved project comes back as it was; a damaged state is refused without harm.

use lockstep_hosts::{Format, Performance, Stage};

/// Parameters away from their defaults.
const SETTINGS: [(&str, f64); 5] = [
    ("Density", 0.83),
    ("Hats density", 0.21),
    ("Variation", 0.4),
    ("Seed", 0.7),
    ("Velocity", 0.6),
];

fn stage() -> Stage {
    SETTINGS
        .into_iter()
        .fold(Stage::of_measures(5), |stage, (name, value)| {
            stage.with(name, value)
        })
}

#[test]
fn a_saved_state_plays_the_same_in_a_new_instance() -> anyhow::Result<()> {
    for format in Format::ALL {
        let mut first = format.open()?;
        let expected = first.perform(&stage())?;
        let parameters = first.parameters()?;
        let state = first.save()?;
        drop(first);

        let mut second = format.open()?;
        assert_ne!(
            second.parameters()?,
            parameters,
            "{format:?}: nothing to restore"
        );
        second.load(&state)?;
        assert_eq!(second.parameters()?, parameters, "{format:?}");
        let silent_hands = Stage {
            settings: Vec::new(),
            ..stage()
        };
        let performance = second.perform(&silent_hands)?;
        assert!(!performance.events.is_empty());
        assert_eq!(performance.events, expected.events, "{format:?}");
    }
    Ok(())
}

#[test]
fn damaged_state_is_refused_and_the_drummer_keeps_playing() -> anyhow::Result<()> {
    for format in Format::ALL {
        let mut host = format.open()?;
        let expected = host.perform(&stage())?.events;
        let parameters = host.parameters()?;
        let good = host.save()?;
        let garbage: [&[u8]; 4] = [
            b"",
            b"no state at all, but longer than any header",
            &[0xff; 64],
            &good[..good.len() / 2],
        ];
        for bytes in garbage {
            let outcome = host.load(bytes);
            assert!(outcome.is_err(), "{format:?} accepted {bytes:?}");
            assert_eq!(host.parameters()?, parameters, "{format:?}");
        }
        assert_eq!(host.perform(&stage())?.events, expected, "{format:?}");
    }
    Ok(())
}

/// The default drummer when the states were saved.
const DRUMMER: (&str, f64) = ("Drummer", 0.0);

/// The settings in the states in `states/`, which were saved by builds named by version and month.
const SAVED: [(&str, f64); 6] = [
    DRUMMER,
    ("Density", 0.8),
    ("Swing", 0.3),
    ("Humanise", 0.1),
    ("Kick pan", 0.25),
    ("Crash mute", 1.0),
];

/// The same in the states of nine voices, and pins that no parameter shows: a closed hat on step 1 and a ride on step 3; the
/// kick is forbidden on step 0.
const SAVED_WITH_NINE: [(&str, f64); 10] = [
    DRUMMER,
    ("Density", 0.8),
    ("Humanise", 0.1),
    ("Kick pan", 0.25),
    ("Crash mute", 1.0),
    ("Ride level", 0.7),
    ("Cymbals density", 0.6),
    ("Drum map", 1.0),
    ("Ride note", 50.0 / 127.0),
    ("Snare note", 40.0 / 127.0),
];

/// Plays with these settings made by hand, and in another instance as a state has them. Checks that all parameters are the same,
/// and returns both performances.
fn by_hand_and_loaded(
    format: Format,
    settings: &[(&'static str, f64)],
    state: &[u8],
) -> anyhow::Result<[Performance; 2]> {
    let turned = settings
        .iter()
        .fold(Stage::of_measures(5), |stage, (name, value)| {
            stage.with(name, *value)
        });
    let mut expected = format.open()?;
    let by_hand = expected.perform(&turned)?;

    let mut host = format.open()?;
    host.load(state)?;
    assert_eq!(host.parameters()?, expected.parameters()?, "{format:?}");
    let untouched = Stage {
        settings: Vec::new(),
        ..turned
    };
    Ok([by_hand, host.perform(&untouched)?])
}

#[test]
fn states_of_earlier_builds_load_and_play_as_they_did() -> anyhow::Result<()> {
    for (format, state) in [
        (
            Format::Clap,
            &include_bytes!("states/0.1.0-november.clap.state")[..],
        ),
        (
            Format::Vst3,
            &include_bytes!("states/0.1.0-november.vst3.state")[..],
        ),
    ] {
        let [by_hand, loaded] = by_hand_and_loaded(format, &SAVED, state)?;
        assert!(!loaded.events.is_empty());
        assert_eq!(loaded.events, by_hand.events, "{format:?}");
    }
    Ok(())
}

#[test]
fn a_project_with_nine_voices_keeps_its_settings_its_own_map_and_its_pins() -> anyhow::Result<()> {
    for (format, state) in [
        (
            Format::Clap,
            &include_bytes!("states/0.1.0-nine-voices.clap.state")[..],
        ),
        (
            Format::Vst3,
            &include_bytes!("states/0.1.0-nine-voices.vst3.state")[..],
        ),
    ] {
        let [_, loaded] = by_hand_and_loaded(format, &SAVED_WITH_NINE, state)?;
        let hits = loaded.hits();
        let steps_of = |key: u8| -> Vec<u64> {
            let hits = hits.iter().filter(|hit| hit.key == key);
            hits.map(|hit| (hit.frame + Stage::STEP_FRAMES / 2) / Stage::STEP_FRAMES)
                .collect()
        };
        let (kicks, closed, rides) = (steps_of(36), steps_of(42), steps_of(50));
        for measure in 1..5 {
            let begin = measure * 16;
            assert!(!kicks.contains(&begin), "{format:?}: {kicks:?}");
            assert!(closed.contains(&(begin + 1)), "{format:?}: {closed:?}");
            assert!(rides.contains(&(begin + 3)), "{format:?}: {rides:?}");
        }
        assert!(!steps_of(40).is_empty() && steps_of(38).is_empty());
    }
    Ok(())
}
