//! What is heard of single notes, chords and glides, and for how long.

use super::*;

/// At 120 BPM.
fn heard(row: usize, lateness: f32) -> NoteTime {
    let step_idx = row - FIRST_ROW;
    let place = HeardPlace {
        row,
        step_idx,
        delay: 0.0,
        lateness,
        since_start: step_idx as f64 + f64::from(lateness),
    };
    NoteTime {
        place,
        step_s: 0.125,
    }
}

fn on(key: u8) -> BassEventKind {
    BassEventKind::On { key, velocity: 0.7 }
}

/// Steps of a window with an onset of each key.
fn onsets(ear: &Listener, key: u8) -> Vec<usize> {
    let pitch = usize::from(key - 24);
    let window = ear.window(FIRST_ROW + 16);
    let has_onset = |s: &usize| window.onsets(*s).indices().any(|p| p == pitch);
    (48..64).filter(has_onset).collect()
}

#[test]
fn a_glide_into_a_downbeat_is_one_onset_on_it() {
    let mut ear = Listener::new();
    // Three semitones in 105 ms, from before the middle between two steps to the later step.
    for (key, row, lateness) in [(40, 3, 0.2), (41, 4, -0.45), (42, 4, -0.05)] {
        ear.hear(on(key), heard(FIRST_ROW + row, lateness));
    }
    assert!(onsets(&ear, 40).is_empty());
    assert!(onsets(&ear, 41).is_empty());
    assert_eq!(onsets(&ear, 42), [52]);
}

#[test]
fn a_chord_across_the_middle_of_two_steps_belongs_to_one() {
    let mut ear = Listener::new();
    ear.hear(on(40), heard(FIRST_ROW + 3, 0.45));
    ear.hear(on(47), heard(FIRST_ROW + 4, -0.45));
    ear.hear(on(40), heard(FIRST_ROW + 4, -0.40));
    assert_eq!(
        (onsets(&ear, 40), onsets(&ear, 47)),
        ([51].to_vec(), [51].to_vec())
    );
}

#[test]
fn a_legato_note_does_not_sound_beside_the_next() {
    let mut ear = Listener::new();
    ear.begin_measure(FIRST_ROW);
    ear.hear(on(40), heard(FIRST_ROW, 0.0));
    ear.hear(on(47), heard(FIRST_ROW + 1, -0.1));
    ear.begin_step(FIRST_ROW + 1);
    ear.hear(BassEventKind::Off { key: 40 }, heard(FIRST_ROW + 1, 0.1));
    let window = ear.window(FIRST_ROW + 16);
    assert_eq!(window.sounding(49).indices().collect::<Vec<_>>(), [23]);
    // A note held on purpose does.
    ear.hear(on(52), heard(FIRST_ROW + 2, 0.0));
    ear.begin_step(FIRST_ROW + 2);
    ear.hear(BassEventKind::Off { key: 47 }, heard(FIRST_ROW + 3, 0.0));
    assert_eq!(ear.window(FIRST_ROW + 16).sounding(50).indices().count(), 2);
}

#[test]
fn a_bend_changes_the_sounding_key_without_an_onset() {
    let mut ear = Listener::new();
    ear.hear(on(40), heard(FIRST_ROW, 0.0));
    ear.begin_step(FIRST_ROW);
    ear.hear(
        BassEventKind::Slide { from: 40, to: 42 },
        heard(FIRST_ROW, 0.4),
    );
    ear.begin_step(FIRST_ROW + 1);
    let window = ear.window(FIRST_ROW + 16);
    assert_eq!(window.sounding(49).indices().collect::<Vec<_>>(), [18]);
    assert!(onsets(&ear, 42).is_empty());
}

#[test]
fn drums_played_before_a_new_idea_are_not_reported() {
    let mut ear = Listener::new();
    ear.note_played(FIRST_ROW + 3, Voice::Kick, 0.5);
    ear.begin_idea(FIRST_ROW + 4);
    ear.note_played(FIRST_ROW + 5, Voice::Kick, 0.5);
    let kicks = ear.played(FIRST_ROW + 16).map(|step| step[0] > 0.0);
    assert_eq!(kicks.iter().position(|struck| *struck), Some(53));
}

#[test]
fn a_held_note_sounds_through_every_step_until_its_off() {
    let mut ear = Listener::new();
    let key = 40;
    ear.begin_measure(FIRST_ROW);
    let velocity = 0.7;
    ear.hear(BassEventKind::On { key, velocity }, heard(FIRST_ROW, -0.25));
    ear.begin_step(FIRST_ROW + 1);
    ear.hear(BassEventKind::Off { key }, heard(FIRST_ROW + 1, 0.1));
    ear.begin_step(FIRST_ROW + 2);
    let window = ear.window(FIRST_ROW + 16);
    let sounding: Vec<_> = (0..64)
        .filter(|&s| !window.sounding(s).is_empty())
        .collect();
    let onsets: Vec<_> = (0..64).filter(|&s| !window.onsets(s).is_empty()).collect();
    assert_eq!((onsets, sounding), ([48].to_vec(), [48, 49].to_vec()));
    assert!((window.accent(48) - velocity).abs() < 0.5 / 127.0);
    assert!((window.lateness(48) + 0.25).abs() < 0.5 / 254.0);
}

#[test]
fn rows_are_cleared_when_the_ring_comes_round() {
    let mut ear = Listener::new();
    for measure in 0..20 {
        let first = FIRST_ROW + measure * 16;
        ear.begin_measure(first);
        if measure == 0 {
            let (key, velocity) = (127, 1.0);
            ear.hear(BassEventKind::On { key, velocity }, heard(first, 0.0));
            ear.hear(BassEventKind::AllOff, heard(first, 0.0));
            ear.note_played(first, Voice::Kick, 1.0);
        }
        let is_silent = ear.window(first + 16).is_silent();
        let has_drums = ear.played(first + 16).concat().iter().any(|v| *v > 0.0);
        assert_eq!(
            (is_silent, has_drums),
            (measure > 3, measure < 4),
            "measure {measure}"
        );
    }
}
