//! What keys, pedal and wheel mean.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "tests run on no audio thread"
)]

use super::*;
use proptest::prelude::*;

fn on(key: u8) -> InputEvent {
    InputEvent::NoteOn { key, velocity: 0.5 }
}

fn off(key: u8) -> InputEvent {
    InputEvent::NoteOff { key }
}

/// What these events, each with its channel, mean.
fn hear(
    input: &mut BassInput,
    settings: &InputSettings,
    events: &[(u8, InputEvent)],
) -> Vec<Meaning> {
    let mut meanings = Vec::new();
    for (channel, event) in events {
        input.hear(*channel, *event, settings, |meaning| meanings.push(meaning));
    }
    meanings
}

fn begins(key: u8) -> Meaning {
    Meaning::Bass(BassEventKind::On { key, velocity: 0.5 })
}

fn ends(key: u8) -> Meaning {
    Meaning::Bass(BassEventKind::Off { key })
}

#[test]
fn keys_outside_the_split_and_other_channels_are_ignored() {
    let split = InputSettings {
        highest_key: 52,
        ..InputSettings::default()
    };
    let played = [
        (0, on(40)),
        (0, on(60)),
        (3, on(52)),
        (0, off(60)),
        (0, off(40)),
        (3, off(52)),
    ];
    let meanings = hear(&mut BassInput::default(), &split, &played);
    assert_eq!(meanings, [begins(40), begins(52), ends(40), ends(52)]);
    let third = InputSettings {
        channel: Some(3),
        ..split
    };
    let meanings = hear(&mut BassInput::default(), &third, &played);
    assert_eq!(meanings, [begins(52), ends(52)]);
}

#[test]
fn a_note_ends_even_if_the_split_has_moved() {
    let mut input = BassInput::default();
    let open = InputSettings::default();
    let closed = InputSettings {
        lowest_key: 100,
        channel: Some(9),
        ..open
    };
    assert_eq!(hear(&mut input, &open, &[(0, on(40))]), [begins(40)]);
    assert_eq!(
        hear(&mut input, &closed, &[(0, off(40)), (0, off(40))]),
        [ends(40)]
    );
}

#[test]
fn the_pedal_holds_released_keys_and_keys_struck_again() {
    use InputEvent::Pedal;
    let played = [
        (0, on(40)),
        (0, Pedal(true)),
        (0, off(40)),
        (1, on(45)),
        (1, off(45)),
        (0, on(40)),
        (0, off(40)),
        (0, Pedal(false)),
    ];
    let meanings = hear(
        &mut BassInput::default(),
        &InputSettings::default(),
        &played,
    );
    assert_eq!(
        meanings,
        [begins(40), begins(45), ends(45), begins(40), ends(40)]
    );
}

#[test]
fn a_bend_moves_sounding_notes_without_striking_them_again() {
    use InputEvent::Bend;
    let slide = |from, to| Meaning::Bass(BassEventKind::Slide { from, to });
    let settings = InputSettings::default();
    let mut input = BassInput::default();
    let played = [
        (0, on(40)),
        (0, Bend(0.2)),
        (0, Bend(0.6)),
        (0, Bend(1.0)),
        (0, on(50)),
        (0, off(40)),
        (0, Bend(0.0)),
        (0, off(50)),
    ];
    let meanings = hear(&mut input, &settings, &played);
    assert_eq!(
        meanings,
        [
            begins(40),
            slide(40, 41),
            slide(41, 42),
            begins(52),
            ends(42),
            slide(52, 50),
            ends(50)
        ]
    );
    assert_eq!(
        hear(&mut input, &settings, &[(0, Bend(f32::NAN)), (0, on(127))]),
        [begins(127)]
    );
}

#[test]
fn control_keys_give_cues_and_are_not_bass() {
    let settings = InputSettings {
        control_key: Some(24),
        ..InputSettings::default()
    };
    let meanings = hear(
        &mut BassInput::default(),
        &settings,
        &[
            (0, on(24)),
            (0, off(24)),
            (0, on(25)),
            (0, on(26)),
            (0, on(27)),
            (0, on(28)),
        ],
    );
    let commands = KeyCommand::ALL.map(Meaning::Command);
    assert_eq!(meanings, [&commands[..], &[begins(28)]].concat());
}

#[test]
fn touch_bends_the_velocity_curve_and_keeps_its_ends() {
    for (touch, soft, loud) in [
        (0.0, 0.25, 1.0),
        (1.0, 0.5, 1.0),
        (-1.0, 0.0625, 1.0),
        (f32::NAN, 0.25, 1.0),
    ] {
        let settings = InputSettings {
            touch,
            ..InputSettings::default()
        };
        assert!((settings.touched(0.25) - soft).abs() < 1e-6, "{touch}");
        assert!((settings.touched(7.0) - loud).abs() < 1e-6, "{touch}");
    }
}

proptest! {
    // Whatever is played, no note is left sounding in the end.
    #[test]
    fn every_bass_note_ends(played in prop::collection::vec((0..3_u8, 0..5_u8, 38..44_u8, -1.0_f32..=1.0), 0..60)) {
        let mut input = BassInput::default();
        let mut events: Vec<_> = played.iter().map(|(channel, what, key, wheel)| (*channel, match what {
            0 | 1 => on(*key),
            2 => off(*key),
            3 => InputEvent::Pedal(*wheel > 0.0),
            _ => InputEvent::Bend(*wheel),
        })).collect();
        events.extend((0..3).flat_map(|channel| [(channel, InputEvent::Pedal(false)), (channel, InputEvent::AllNotesOff)]));
        let mut sounding = [0_i32; 128];
        for meaning in hear(&mut input, &InputSettings::default(), &events) {
            match meaning {
                Meaning::Bass(BassEventKind::On { key, .. }) => sounding[usize::from(key)] = 1,
                Meaning::Bass(BassEventKind::Off { key }) => sounding[usize::from(key)] = 0,
                Meaning::Bass(BassEventKind::Slide { from, to }) => {
                    sounding[usize::from(to)] |= std::mem::take(&mut sounding[usize::from(from)]);
                }
                _ => {}
            }
        }
        prop_assert_eq!(sounding, [0; 128]);
    }
}
