//! Dragging Density in the window changes the drums.

use std::collections::BTreeSet;

use lockstep_screen::{Screen, ScreenServer};

use crate::stage::{App, JackServer, Musician, Recorder, config_folder};
use crate::{MEASURE, ON_THE_GRID, STEP, bass};
use lockstep_screen::places::{DENSITY_LEFT, DENSITY_RIGHT, NOWHERE};

/// Measures before the first drag: one silent, one in which the drummer listens, four in which it plays.
const N_BEFORE: u64 = 6;

/// Measures that are compared after a drag.
const N_AFTER: u64 = 4;

/// Measures in all; each drag takes one or two.
const N_MEASURES: u64 = N_BEFORE + 2 + N_AFTER + 2 + 2;

/// Frames since the transport was at 0, and MIDI keys.
type Drums = BTreeSet<(u64, u8)>;

/// The drums, and the downbeats after which Density was at its maximum and at its minimum.
struct Take {
    drums: Drums,
    full: u64,
    empty: u64,
}

impl Take {
    fn between(&self, begin: u64, end: u64) -> Drums {
        let is_there = |(at, _): &&(u64, u8)| (begin..end).contains(at);
        self.drums.iter().filter(is_there).copied().collect()
    }
}

/// Plays the line once, with or without dragging Density.
fn take(is_dragged: bool) -> Take {
    let x_server = ScreenServer::start().unwrap();
    let _server = JackServer::start();
    let folder = config_folder();
    let args = [&ON_THE_GRID[..], &["--set", "density=50 %"]].concat();
    let mut app = App::start_dressed(&folder, &args, |app| x_server.dress(app));
    let screen = Screen::open(Some(x_server.display())).unwrap();
    let window = screen.window("Lockstep").unwrap();
    screen.point(window, NOWHERE).unwrap();

    let musician = Musician::of("lockstep:bass");
    let recorder = Recorder::of("lockstep:drums", &musician);
    musician.rest_before_measures(MEASURE);
    let nought = musician.roll();
    musician.play(bass(nought + MEASURE, N_MEASURES - 1));
    musician.wait_until(nought + N_BEFORE * MEASURE);
    let next_downbeat = || (musician.now() - nought + STEP).next_multiple_of(MEASURE);
    let (mut full, mut empty) = (0, 0);
    if is_dragged {
        screen
            .drag(window, DENSITY_LEFT, (600, DENSITY_LEFT.1))
            .unwrap();
        full = next_downbeat();
        musician.wait_until(nought + full + N_AFTER * MEASURE);
        screen.drag(window, DENSITY_RIGHT, (0, 600)).unwrap();
        empty = next_downbeat();
    }
    musician.wait_until(nought + N_MEASURES * MEASURE);
    assert!(app.terminate().success(), "{}", app.said());
    let notes = recorder.notes();
    let drums = notes
        .iter()
        .filter(|(at, bytes)| bytes[0] & 0xf0 == 0x90 && *at >= nought)
        .map(|(at, bytes)| (at - nought, bytes[1]))
        .collect();
    Take { drums, full, empty }
}

#[test]
fn dragging_density_to_the_right_adds_drums_and_to_the_left_silences_them() {
    let alone = take(false);
    let dragged = take(true);
    let (hand, end) = (N_BEFORE * MEASURE, N_MEASURES * MEASURE);
    let before = alone.between(0, hand);
    assert!(before.len() > 20, "it plays: {before:?}");
    assert_eq!(before, dragged.between(0, hand), "before the first drag");

    let measures = |take: &Take| take.between(dragged.full, dragged.full + N_AFTER * MEASURE);
    let (few, many) = (measures(&alone), measures(&dragged));
    assert!(
        many.len() > few.len() + 4 * few.len() / 10,
        "{} notes at 100 %, {} at 50 %",
        many.len(),
        few.len()
    );
    let lost: Vec<_> = few.difference(&many).collect();
    assert!(lost.is_empty(), "more density took notes away: {lost:?}");

    assert!(dragged.empty + MEASURE < end, "the drags took too long");
    assert!(!alone.between(dragged.empty, end).is_empty());
    assert_eq!(dragged.between(dragged.empty, end), Drums::new());
}
