//! A saved project comes back as it was; a damaged one is refused and nothing breaks.

use lockstep_hosts::{Format, Stage};

/// Knobs away from where they start.
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
fn damaged_state_is_refused_and_the_drummer_plays_on() -> anyhow::Result<()> {
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
            assert!(outcome.is_err(), "{format:?} took {bytes:?}");
            assert_eq!(host.parameters()?, parameters, "{format:?}");
        }
        assert_eq!(host.perform(&stage())?.events, expected, "{format:?}");
    }
    Ok(())
}
