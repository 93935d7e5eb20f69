//! Controls that a player changes: bypass, drum maps, the keyboard split, a new idea.

use std::collections::BTreeSet;

use lockstep_hosts::{Action, DrumEvent, Format, Stage};

/// In the middle of a step, where notes are likely to sound.
const TURN: u64 = 4 * Stage::MEASURE_FRAMES + 130;

fn busy() -> Stage {
    Stage::default().with("Density", 1.0)
}

#[test]
fn a_bypass_silences_at_once_and_the_same_take_continues_after_it() -> anyhow::Result<()> {
    let back = 6 * Stage::MEASURE_FRAMES + 5_000;
    let stage = busy()
        .at(TURN, Action::Set("Bypass", 1.0))
        .at(back, Action::Set("Bypass", 0.0));
    for format in Format::ALL {
        let mut expected = format.perform(&busy())?.hits();
        expected.retain(|hit| !(TURN..back).contains(&hit.frame));
        assert!(expected.iter().any(|hit| hit.frame >= back));
        let performance = format.perform(&stage)?;
        assert_eq!(performance.faults(), Vec::<String>::new(), "{format:?}");
        assert_eq!(performance.hits(), expected, "{format:?}");
    }
    Ok(())
}

#[test]
fn a_new_drum_map_sends_its_notes_and_ends_the_old_ones() -> anyhow::Result<()> {
    // The third of eight choices: Addictive Drums 2.
    let stage = busy().at(TURN, Action::Set("Drum map", 2.0 / 7.0));
    let map = [
        (36, 36),
        (38, 38),
        (37, 42),
        (39, 47),
        (42, 49),
        (44, 48),
        (46, 55),
        (45, 65),
        (48, 69),
        (50, 71),
        (49, 77),
        (51, 60),
        (54, 96),
        (70, 100),
    ];
    for format in Format::ALL {
        let before = format.perform(&busy())?.events;
        let after = format.perform(&stage)?.events;
        let ons = |events: &[DrumEvent]| -> BTreeSet<(u64, u8)> {
            events
                .iter()
                .filter(|e| e.is_on)
                .map(|e| (e.frame, e.key))
                .collect()
        };
        let expected = ons(&before)
            .into_iter()
            .map(|(frame, key)| {
                let other = map
                    .iter()
                    .find(|(gm, _)| *gm == key)
                    .map_or(0, |(_, other)| *other);
                (frame, if frame < TURN { key } else { other })
            })
            .collect();
        assert_eq!(ons(&after), expected, "{format:?}");
        let mut sounding = BTreeSet::new();
        for event in &after {
            let is_fine = if event.is_on {
                sounding.insert(event.key)
            } else {
                sounding.remove(&event.key)
            };
            assert!(is_fine, "{format:?}: {event:?}");
        }
        assert!(sounding.is_empty(), "{format:?}: {sounding:?}");
    }
    Ok(())
}

#[test]
fn notes_outside_the_split_are_not_bass() -> anyhow::Result<()> {
    for format in Format::ALL {
        let all = format.perform(&busy())?.events;
        // The line's keys are between 31 and 50.
        let wide = format.perform(&busy().with("Highest bass key", 50.0 / 127.0))?;
        assert_eq!(wide.events, all, "{format:?}");
        let half = format.perform(&busy().with("Highest bass key", 40.0 / 127.0))?;
        assert!(!half.events.is_empty() && half.events != all, "{format:?}");
        let above = format.perform(&busy().with("Lowest bass key", 51.0 / 127.0))?;
        assert_eq!(above.events, [], "{format:?}");
        let other_channel = format.perform(&busy().with("Bass channel", 2.0 / 16.0))?;
        assert_eq!(other_channel.events, [], "{format:?}");
    }
    Ok(())
}

#[test]
fn a_new_idea_can_be_automated() -> anyhow::Result<()> {
    let stage = Stage::default();
    let pressed = stage.clone().at(TURN, Action::Set("New idea", 1.0));
    for format in Format::ALL {
        let (old, new) = (
            format.perform(&stage)?.hits(),
            format.perform(&pressed)?.hits(),
        );
        let begins = 5 * Stage::MEASURE_FRAMES;
        assert!(
            old.range(..)
                .take_while(|hit| hit.frame < begins)
                .eq(new.range(..).take_while(|hit| hit.frame < begins))
        );
        assert_ne!(old, new, "{format:?}");
    }
    Ok(())
}
