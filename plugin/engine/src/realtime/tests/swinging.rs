//! A bass that swings: heard on its own steps, answered with drums that swing as much.

use lockstep_core::representation::{Swing, Voice, WINDOW_STEPS};
use proptest::prelude::*;

use super::super::*;
use super::host::{Host, InstantRule};

/// Frames of one millisecond at 48 kHz.
const MS: u64 = 48;

fn shuffle() -> Swing {
    Swing::new(2.0 / 3.0, 0.0)
}

fn swung_sixteenths() -> Swing {
    Swing::new(0.0, 2.0 / 3.0)
}

/// The beats at which these steps of every measure are played.
fn line(steps: &[usize], swing: Swing, measures: std::ops::Range<usize>) -> Vec<f64> {
    let grid = swing.in_meter(Meter::COMMON);
    measures
        .flat_map(|measure| steps.iter().map(move |step| (measure, *step)))
        .map(|(measure, step)| 4.0 * measure as f64 + grid.step(step) / 4.0)
        .collect()
}

const EIGHTHS: &[usize] = &[0, 2, 4, 6, 8, 10, 12, 14];
const FUNK: &[usize] = &[0, 3, 4, 6, 7, 10, 11, 12, 15];

fn host(bass: &[f64]) -> Host {
    Host::new(48_000.0, 0.0).with_bass(bass)
}

/// Measures, counted from 0, in which the voice is struck within a millisecond of every one of these beats.
fn measures_with(host: &Host, voice: Voice, beats: &[f64], n_measures: usize) -> Vec<usize> {
    let struck: Vec<u64> = host
        .ons()
        .into_iter()
        .filter(|on| on.1 == voice)
        .map(|on| on.0)
        .collect();
    let is_struck = |beat: f64| {
        let frame = host.frames(beat);
        struck.iter().any(|at| at.abs_diff(frame) <= MS)
    };
    (0..n_measures)
        .filter(|measure| {
            beats
                .iter()
                .all(|beat| is_struck(4.0 * *measure as f64 + beat))
        })
        .collect()
}

/// Steps of the last measure of a window with an onset.
fn onsets(request: &Request) -> Vec<usize> {
    let has_onset = |step: &usize| !request.window.onsets(48 + step).is_empty();
    (0..16).filter(has_onset).collect()
}

#[test]
fn the_drums_swing_with_a_shuffle_from_its_second_measure_to_the_millisecond() {
    let bass = line(EIGHTHS, shuffle(), 0..8);
    let mut host = host(&bass);
    host.play_to(32.0, &mut InstantRule::default());
    let off_beats = line(&[2, 6, 10, 14], shuffle(), 0..1);
    let swung: Vec<_> = (1..8).collect();
    assert_eq!(measures_with(&host, Voice::ClosedHat, &off_beats, 8), swung);
    assert!(
        measures_with(
            &host,
            Voice::ClosedHat,
            &line(&[2], Swing::STRAIGHT, 0..1),
            8
        )
        .is_empty()
    );
}

#[test]
fn the_drums_swing_with_swung_sixteenths() {
    let bass = line(FUNK, swung_sixteenths(), 0..8);
    let mut host = host(&bass);
    host.play_to(32.0, &mut InstantRule::default());
    let odd = line(&[3, 7, 11, 15], swung_sixteenths(), 0..1);
    assert_eq!(
        measures_with(&host, Voice::Kick, &odd, 8),
        (1..8).collect::<Vec<_>>()
    );
    let even = line(&[0, 2, 4, 6, 8, 10, 12, 14], Swing::STRAIGHT, 0..1);
    assert_eq!(
        measures_with(&host, Voice::ClosedHat, &even, 8),
        (1..8).collect::<Vec<_>>()
    );
}

#[test]
fn a_swung_line_is_heard_on_its_own_steps() {
    // Sixteenths around a swung off-beat share a cell until the swing is noticed.
    for (steps, swing, from) in [
        (EIGHTHS, shuffle(), 1),
        (FUNK, swung_sixteenths(), 1),
        (FUNK, shuffle(), 2),
    ] {
        let mut plans = InstantRule::default();
        host(&line(steps, swing, 0..8)).play_to(32.0, &mut plans);
        for measure in from..8 {
            let asked = plans.asked.iter().rev().find(|r| r.measure == measure);
            let last = asked.copied().unwrap_or_default();
            assert_eq!(onsets(&last), steps, "{swing:?} in measure {measure}");
            assert!((last.swing.eighths() - swing.eighths()).abs() < 0.002);
            assert!((last.swing.sixteenths() - swing.sixteenths()).abs() < 0.002);
            let lateness = (48..WINDOW_STEPS).map(|step| last.window.lateness(step).abs());
            assert!(lateness.fold(0.0, f32::max) < 0.01);
        }
    }
}

#[test]
fn what_was_heard_before_the_swing_was_noticed_moves_to_its_steps() {
    // One skip note in two measures: noticed at the second.
    let mut bass = line(&[0, 4, 8, 12], shuffle(), 0..8);
    bass.extend(line(&[14], shuffle(), 0..8).into_iter().skip(1).step_by(2));
    bass.sort_by(f64::total_cmp);
    let mut plans = InstantRule::default();
    host(&bass).play_to(32.0, &mut plans);
    let at = |measure| plans.asked.iter().rev().find(|r| r.measure == measure);
    let steps = |measure| {
        let has_onset =
            |step: &usize| at(measure).is_some_and(|r| !r.window.onsets(*step).is_empty());
        (0..WINDOW_STEPS)
            .filter(has_onset)
            .filter(|step| !step.is_multiple_of(4))
            .collect::<Vec<_>>()
    };
    assert_eq!(steps(2), [63], "on step 15, too early");
    assert_eq!(steps(4), [30, 62], "both on step 14");
    let straight = plans.asked.iter().take_while(|r| r.swing.is_straight());
    assert_eq!(
        straight.last().map(|r| (r.measure, r.heard_steps)),
        Some((4, 15))
    );
}

#[test]
fn a_straight_line_is_heard_and_answered_straight() {
    for steps in [EIGHTHS, FUNK, &[0, 3, 4, 8, 11, 12]] {
        let mut plans = InstantRule::default();
        let mut host = host(&line(steps, Swing::STRAIGHT, 0..16));
        host.play_to(64.0, &mut plans);
        assert!(plans.asked.iter().all(|r| r.swing.is_straight()));
        let step = host.frames(0.25);
        assert!(
            host.ons()
                .iter()
                .all(|(frame, _)| frame.is_multiple_of(step))
        );
    }
}

#[test]
fn a_song_that_starts_or_stops_swinging_is_followed_within_two_measures() {
    let mut bass = line(EIGHTHS, Swing::STRAIGHT, 0..6);
    bass.extend(line(EIGHTHS, shuffle(), 6..12));
    bass.extend(line(EIGHTHS, Swing::STRAIGHT, 12..18));
    let mut host = host(&bass);
    host.play_to(72.0, &mut InstantRule::default());
    let off_beats = line(&[2, 6, 10, 14], shuffle(), 0..1);
    let swung = measures_with(&host, Voice::ClosedHat, &off_beats, 18);
    let straight = measures_with(
        &host,
        Voice::ClosedHat,
        &line(&[2, 6, 10, 14], Swing::STRAIGHT, 0..1),
        18,
    );
    assert!(
        swung.starts_with(&[7, 8]) || swung.starts_with(&[8, 9]),
        "{swung:?}"
    );
    assert!(straight.ends_with(&[14, 15, 16, 17]), "{straight:?}");
    assert_eq!(swung.len() + straight.len(), 17, "{swung:?} {straight:?}");
}

#[test]
fn the_knobs_and_the_bass_together_swing_as_much_as_the_larger() {
    // How late the hat after the beat is, in hundredths of a step.
    let late = |knob: f32, heard: Swing| {
        let mut host = host(&line(EIGHTHS, heard, 0..4));
        host.controls.shuffle = knob;
        host.play_to(16.0, &mut InstantRule::default());
        let beat = host.frames(12.0);
        let next = host
            .ons()
            .into_iter()
            .filter(|on| on.1 == Voice::ClosedHat && on.0 > beat);
        let first = next.map(|on| on.0 - beat).min().unwrap_or_default();
        (first * 100 + host.frames(0.25) / 2) / host.frames(0.25)
    };
    assert_eq!(late(0.0, Swing::STRAIGHT), 200);
    assert_eq!(late(0.4, Swing::STRAIGHT), 240);
    assert_eq!(late(0.4, shuffle()), 267);
    assert_eq!(late(2.0 / 3.0, shuffle()), 267);
    assert_eq!(late(0.9, shuffle()), 290);
}

#[test]
fn the_feel_knob_does_not_straighten_the_swing() {
    let mut host = host(&line(EIGHTHS, shuffle(), 0..4));
    host.controls.feel = 0.0;
    host.play_to(16.0, &mut InstantRule::default());
    let off_beats = line(&[2, 6, 10, 14], shuffle(), 0..1);
    assert_eq!(
        measures_with(&host, Voice::ClosedHat, &off_beats, 4),
        [1, 2, 3]
    );
}

#[test]
fn every_rung_of_the_ladder_swings() {
    let off_beats = line(&[2, 6, 10, 14], shuffle(), 0..1);
    for gone_from in [0, 3] {
        let mut host = host(&line(EIGHTHS, shuffle(), 0..8));
        let mut plans = InstantRule {
            gone_from: Some(gone_from),
            ..InstantRule::default()
        };
        host.controls.density = 1.0;
        host.play_to(32.0, &mut plans);
        assert!(host.performer.tally().fresh < 3);
        assert_eq!(
            measures_with(&host, Voice::ClosedHat, &off_beats, 8),
            (1..8).collect::<Vec<_>>()
        );
    }
}

#[test]
fn the_last_request_hears_a_late_sixteenth_and_leaves_time_for_an_answer() {
    let mut plans = InstantRule::default();
    let mut host = host(&line(FUNK, swung_sixteenths(), 0..4));
    // A quarter of a step before the fourth measure.
    host.play_to(12.0 - 0.25 / 4.0 + 1e-3, &mut plans);
    let last = plans.asked.last().copied().unwrap_or_default();
    assert_eq!((last.measure, last.heard_steps), (3, 16));
    assert_eq!(onsets(&last), FUNK);
}

#[test]
fn a_loop_keeps_the_swing_and_a_new_start_forgets_it() {
    let mut host = host(&line(EIGHTHS, shuffle(), 0..4));
    let mut plans = InstantRule::default();
    host.play_to(16.0, &mut plans);
    // Back to the start, without bass.
    host.position = 0.0;
    host.play_to(24.0, &mut plans);
    let last = |plans: &InstantRule| plans.asked.last().map(|r| r.swing);
    assert!(last(&plans).is_some_and(|swing| !swing.is_straight()));
    // A jump into the middle of a measure, and another tempo.
    (host.position, host.tempo_bpm) = (5.7, 90.0);
    host.play(48_000, &[512], &mut plans);
    assert!(last(&plans).is_some_and(|swing| !swing.is_straight()));
    host.is_playing = false;
    host.play(512, &[512], &mut plans);
    (host.is_playing, host.position) = (true, 0.0);
    let key = 33;
    host.bass.push((
        host.n_frames + 100,
        BassEventKind::On { key, velocity: 0.8 },
    ));
    plans.asked.clear();
    host.play(48_000, &[512], &mut plans);
    assert_eq!(last(&plans), Some(Swing::STRAIGHT));
}

#[test]
fn a_shuffle_is_followed_in_three_four_and_not_in_six_eight() {
    for (numerator, denominator, swings) in [(3, 4, true), (6, 8, false)] {
        let beats: Vec<_> = (0..24)
            .flat_map(|beat| [f64::from(beat), f64::from(beat) + 2.0 / 3.0])
            .collect();
        let mut host = host(&beats);
        host.meter = Meter::new(numerator, denominator).unwrap_or_default();
        let mut plans = InstantRule::default();
        host.play_to(24.0, &mut plans);
        let last = plans.asked.last().map(|r| r.swing.eighths() > 0.6);
        assert_eq!(last, Some(swings), "{numerator}/{denominator}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_block_split_hears_the_same_swing(
        sizes in prop::collection::vec(1..3000_u32, 1..12),
        eighths in prop_oneof![Just(0.0_f32), 0.3_f32..0.7],
        sixteenths in 0.0_f32..0.7,
        off in prop::collection::vec(-0.03_f64..0.03, 72),
        tempo in 60.0..200.0_f64,
        rate in prop_oneof![Just(44_100.0), Just(48_000.0)],
        late_hands_ms in prop_oneof![Just(0.0_f32), 0.0_f32..50.0],
    ) {
        let bass: Vec<_> = line(FUNK, Swing::new(eighths, sixteenths), 0..8)
            .iter()
            .zip(off)
            .map(|(beat, off)| (beat + off).max(0.0))
            .collect();
        let take = |sizes: &[u32]| {
            let mut host = Host::new(rate, 0.0);
            (host.tempo_bpm, host.controls.late_hands_ms) = (tempo, late_hands_ms);
            let mut host = host.with_bass(&bass);
            let mut plans = InstantRule { is_busy: true, ..InstantRule::default() };
            host.play(host.frames(32.0), sizes, &mut plans);
            let heard: Vec<_> = plans.asked.iter().map(|r| (r.measure, r.heard_steps, r.swing, r.window)).collect();
            (host.notes, heard)
        };
        let one = take(&[480]);
        prop_assert!(take(&sizes) == one);
    }
}
