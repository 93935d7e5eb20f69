//! Pins and mutes, which override the drummer, and how the snapshot shows them.

use lockstep_core::representation::{N_VOICES, Voice};

use super::super::*;
use super::grid;
use super::host::{Host, InstantRule};

const RATE_HZ: f64 = 48_000.0;

fn host() -> Host {
    Host::new(RATE_HZ, 0.0).with_bass(&[0.0, 0.75, 1.5, 2.5])
}

fn pinned(cells: &[(usize, Voice, Pin)]) -> Pins {
    let mut pins = Pins::default();
    for (step_idx, voice, pin) in cells {
        pins.set(*step_idx, *voice, *pin);
    }
    pins
}

#[test]
fn a_pinned_cell_sounds_a_forbidden_one_does_not_and_nothing_else_changes() {
    let play = |pins| {
        let mut host = host();
        host.controls.pins = pins;
        host.play_to(8.0, &mut InstantRule::default());
        Voice::ALL.map(|voice| grid(&host, voice, 4.0))
    };
    let free = play(Pins::default());
    let with_pins = play(pinned(&[
        (0, Voice::Kick, Pin::Forbidden),
        (5, Voice::Ride, Pin::Pinned),
        (31, Voice::Crash, Pin::Pinned),
    ]));
    assert_eq!(free[Voice::Kick.index()], "x..x..x...x.....");
    assert_eq!(with_pins[Voice::Kick.index()], "...x..x...x.....");
    assert_eq!(with_pins[Voice::Ride.index()], ".....x..........");
    let others = |grids: &[String; N_VOICES]| grids[1..Voice::Ride.index()].to_vec();
    assert_eq!(others(&with_pins), others(&free));
}

#[test]
fn a_pin_in_mid_measure_counts_from_there_on() {
    let mut host = host();
    let mut plans = InstantRule::default();
    host.play_to(6.0, &mut plans);
    host.controls.pins = pinned(&[
        (2, Voice::Ride, Pin::Pinned),
        (14, Voice::Ride, Pin::Pinned),
    ]);
    host.play_to(8.0, &mut plans);
    assert_eq!(grid(&host, Voice::Ride, 4.0), "..............x.");
}

#[test]
fn a_pinned_hit_is_silent_at_density_zero_and_while_the_drummer_lays_out() {
    let pins = pinned(&[(5, Voice::Ride, Pin::Pinned)]);
    let mut host = host();
    host.controls.pins = pins;
    host.controls.density = 0.0;
    host.play_to(8.0, &mut InstantRule::default());
    assert!(host.notes.is_empty());
    let mut host = Host::new(RATE_HZ, 0.0);
    host.controls.pins = pins;
    host.play_to(16.0, &mut InstantRule::default());
    assert!(host.notes.is_empty(), "no bass, no drums");
}

#[test]
fn a_muted_voice_is_silent_but_still_planned() {
    let play = |muted| {
        let mut host = host();
        host.controls.muted = muted;
        let mut plans = InstantRule::default();
        host.play_to(12.0, &mut plans);
        let asked = plans.asked.last().map(|request| request.played);
        (Voice::ALL.map(|voice| grid(&host, voice, 4.0)), asked)
    };
    let (free, meant) = play(0);
    let (muted, still_meant) = play(1 << Voice::Snare.index());
    assert_eq!(muted[Voice::Snare.index()], "................");
    assert_eq!(muted[Voice::Kick.index()], free[Voice::Kick.index()]);
    assert_eq!(meant, still_meant);
}

#[test]
fn the_snapshot_shows_the_hits_played_and_the_position() {
    let mut host = host();
    let mut plans = InstantRule::default();
    host.controls.pins = pinned(&[(5, Voice::Ride, Pin::Pinned)]);
    host.play_to(6.5, &mut plans);
    let seen = host.performer.snapshot(RATE_HZ, &host.controls, &mut plans);
    assert_eq!((seen.time, seen.measure), (ClockSource::Song, 1));
    let elapsed = seen.elapsed.beats();
    assert!((elapsed - 2.5).abs() < 0.1, "{elapsed}");
    assert!((seen.tempo_bpm - 120.0).abs() < 0.1);
    let shown = |voice: Voice| -> String {
        let sounds = |step: &[Cell; N_VOICES]| {
            step[voice.index()]
                .presence
                .sounds_at(host.controls.density_of(voice))
        };
        let marks = seen
            .now
            .iter()
            .map(|step| if sounds(step) { 'x' } else { '.' });
        marks.take(16).collect()
    };
    assert_eq!(shown(Voice::Kick), "x..x..x...x.....");
    assert_eq!(shown(Voice::Ride), ".....x..........");
    assert!(
        seen.next
            .is_some_and(|next| next[5][Voice::Ride.index()].presence.value() > 0.99)
    );
    // The bass of the first measure, sixteen steps and the current measure's steps ago.
    let first = 63 - seen.open_step - 16;
    let onsets = |row: &usize| !seen.window.onsets(*row).is_empty();
    let rows: Vec<_> = (0..64).filter(onsets).map(|row| row - first).collect();
    assert_eq!(rows, [0, 3, 6, 10]);
}
