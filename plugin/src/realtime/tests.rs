//! What must hold of the whole performer: the timing contract, property by property.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::disallowed_types,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests run on no audio thread, and their numbers are small"
)]

mod host;
mod properties;

use super::*;
use host::{Everything, Host, Prompt};
use lockstep_models::representation::{Voice, WINDOW_STEPS};

/// One voice of one measure as text, `x` where it is struck on the grid.
fn grid(host: &Host, voice: Voice, first_beat: f64) -> String {
    let ons = host.ons();
    (0..16)
        .map(|step| {
            let frame = host.frames(first_beat + f64::from(step) / 4.0);
            if ons.contains(&(frame, voice)) {
                'x'
            } else {
                '.'
            }
        })
        .collect()
}

#[test]
fn the_second_measure_plays_with_the_bass_of_the_first_to_the_sample() {
    for rate in [44_100.0, 48_000.0] {
        let mut host = Host::new(rate, 0.0).with_bass(&[0.0, 0.75, 1.5, 2.5]);
        host.play_to(8.0, &mut Prompt::default());
        assert!(
            host.ons()
                .iter()
                .all(|(frame, _)| *frame >= host.frames(4.0))
        );
        assert_eq!(grid(&host, Voice::Kick, 4.0), "x..x..x...x.....");
        assert_eq!(grid(&host, Voice::Snare, 4.0), "....x.......x...");
        assert_eq!(grid(&host, Voice::ClosedHat, 4.0), "x.x.x.x.x.x.x.x.");
        let on_grid: usize = [Voice::Kick, Voice::Snare, Voice::ClosedHat]
            .map(|v| grid(&host, v, 4.0).matches('x').count())
            .iter()
            .sum();
        assert_eq!(on_grid, host.ons().len());
    }
}

#[test]
fn a_note_just_before_the_downbeat_is_heard_in_the_next_measure() {
    let mut plans = Prompt::default();
    // 15.4 of the first measure belongs to its last step, 15.6 of the second to step 0 of the third; halfway is later.
    let mut host =
        Host::new(48_000.0, 0.0).with_bass(&[15.4 / 4.0, 4.0 + 15.6 / 4.0, 8.0 + 15.5 / 4.0]);
    host.play_to(16.0, &mut plans);
    let onsets = |measure| {
        let last = plans
            .asked
            .iter()
            .rev()
            .find(|r| r.measure == measure)
            .map(|r| r.window);
        let has_onset = |row: &usize| last.is_some_and(|w| !w.onsets(*row).is_empty());
        (0..WINDOW_STEPS).filter(has_onset).collect::<Vec<_>>()
    };
    assert_eq!(onsets(1), [63]);
    assert_eq!(onsets(2), [47]);
    assert_eq!(onsets(3), [31, 48]);
    assert_eq!(onsets(4), [15, 32, 48]);
}

#[test]
fn the_last_request_has_heard_the_whole_measure() {
    for (numerator, denominator) in [(4, 4), (3, 4), (7, 8), (5, 4)] {
        let mut plans = Prompt::default();
        let mut host = Host::new(44_100.0, 0.0).with_eighths(20);
        host.meter = Meter::new(numerator, denominator).unwrap_or_default();
        host.play_to(2.0 * host.meter.length().0, &mut plans);
        let heard: Vec<_> = plans
            .asked
            .iter()
            .filter(|r| r.measure == 2)
            .map(|r| r.heard_steps)
            .collect();
        assert_eq!(heard, (1..=host.meter.n_steps()).collect::<Vec<_>>());
        assert_eq!(host.performer.tally().fresh, 1);
    }
}

#[test]
fn what_was_played_is_remembered_beside_the_bass() {
    let mut plans = Prompt::default();
    let mut host = Host::new(48_000.0, 0.0).with_eighths(12);
    host.play_to(12.0, &mut plans);
    let last = plans
        .asked
        .last()
        .map_or([[0.0; 9]; WINDOW_STEPS], |r| r.played);
    let kicks: String = (32..64)
        .map(|s| {
            if last[s][Voice::Kick.index()] > 0.0 {
                'x'
            } else {
                '.'
            }
        })
        .collect();
    assert_eq!(kicks, "x.x...x.x.x...x.x.x...x.x.x...x.");
    assert!(last[..32].iter().flatten().all(|v| *v == 0.0));
}

#[test]
fn each_rung_of_the_ladder_is_taken_and_counted() {
    let beats = 20;
    let tally = |plans: &mut Prompt| {
        let mut host = Host::new(48_000.0, 0.0).with_eighths(beats);
        host.play(host.frames(f64::from(beats)), &[512], plans);
        let per_measure = [4.0, 8.0, 12.0, 16.0].map(|b| grid(&host, Voice::Kick, b));
        assert!(
            per_measure.iter().all(|g| g.contains('x')),
            "{per_measure:?}"
        );
        host.performer.tally()
    };
    let none = Tally::default();
    assert_eq!(tally(&mut Prompt::default()), Tally { fresh: 4, ..none });
    let mut early = Prompt {
        deaf_from: Some(16),
        ..Prompt::default()
    };
    assert_eq!(tally(&mut early), Tally { early: 4, ..none });
    let mut gone = Prompt {
        gone_from: Some(3),
        ..Prompt::default()
    };
    assert_eq!(
        tally(&mut gone),
        Tally {
            fresh: 2,
            varied: 2,
            ..none
        }
    );
    let mut never = Prompt {
        gone_from: Some(0),
        ..Prompt::default()
    };
    assert_eq!(tally(&mut never), Tally { rule: 4, ..none });
}

#[test]
fn a_silent_bassist_has_a_policy() {
    for (silence, plays_on) in [
        (SilencePolicy::LayOut, false),
        (SilencePolicy::KeepTime, true),
    ] {
        let mut host = Host::new(48_000.0, 0.0).with_eighths(4);
        host.controls.silence = silence;
        let mut plans = Prompt::default();
        host.play_to(24.0, &mut plans);
        // The window of four measures is empty at the end of the fifth.
        assert!(grid(&host, Voice::ClosedHat, 16.0).contains('x'));
        assert_eq!(grid(&host, Voice::ClosedHat, 20.0).contains('x'), plays_on);
        assert_eq!(plans.asked.last().map(|r| r.measure), Some(4));
        // Who keeps time does so from the first silent measure on.
        let n_silent = if plays_on { 4 } else { 1 };
        assert_eq!(host.performer.tally().silent, n_silent);
    }
}

#[test]
fn density_changes_nothing_that_the_generator_hears() {
    let heard = |density: f32| {
        let mut host = Host::new(48_000.0, 0.0).with_eighths(16);
        host.controls.density = density;
        let mut plans = Prompt::default();
        host.play_to(16.0, &mut plans);
        plans.asked.iter().map(|r| r.played).collect::<Vec<_>>()
    };
    let own = heard(0.5);
    assert!(own.concat().concat().iter().any(|velocity| *velocity > 0.0));
    for density in [0.0, 0.2, 1.0] {
        assert_eq!(heard(density), own, "density {density}");
    }
}

#[test]
fn nobody_plays_before_any_bass() {
    let mut host = Host::new(48_000.0, 0.0);
    host.controls.silence = SilencePolicy::KeepTime;
    host.play_to(16.0, &mut Everything);
    assert_eq!(host.notes, []);
}

#[test]
fn a_loop_at_a_bar_line_is_the_next_downbeat() {
    let beats = 32;
    let mut straight = Host::new(48_000.0, 0.0).with_eighths(beats);
    straight.play(
        straight.frames(f64::from(beats)),
        &[512],
        &mut Prompt::default(),
    );
    let mut looped = Host::new(48_000.0, 0.0).with_eighths(beats);
    let mut plans = Prompt::default();
    for _ in 0..4 {
        looped.position = 0.0;
        looped.play(looped.frames(8.0), &[512], &mut plans);
    }
    assert_eq!(looped.ons(), straight.ons());
    assert_eq!(looped.performer.tally(), straight.performer.tally());
    // A host that does not cut its blocks at the loop's end: 192 000 frames are no multiple of 7000.
    let mut uncut = Host::new(48_000.0, 0.0).with_eighths(beats);
    let mut plans = Prompt::default();
    while uncut.n_frames < u64::from(beats) * 24_000 {
        uncut.block(7000, &mut plans);
        if uncut.position >= 8.0 {
            uncut.position -= 8.0;
        }
    }
    let end = u64::from(beats) * 24_000;
    assert_eq!(
        uncut
            .ons()
            .into_iter()
            .filter(|(f, _)| *f < end)
            .collect::<Vec<_>>(),
        straight.ons()
    );
}

#[test]
fn a_jump_into_a_measure_plays_on_from_there() {
    let mut host = Host::new(48_000.0, 0.0).with_eighths(16);
    host.controls.density = 1.0;
    host.play_to(6.0, &mut Everything);
    host.position = 30.5;
    let n_before = host.ons().len();
    host.play_to(7.0, &mut Everything);
    // At full density every hit of the steps from 10 on that falls before 14 sounds, here at 6.0 to 7.0 beats: what was
    // to fall ahead of step 10 falls on it, unless its voice was struck ahead of step 8, which never came.
    let ons = host.ons().split_off(n_before);
    let place = |step: usize, voice: Voice| {
        step as f64 + ((step * 9 + voice.index()) * 7 % 10) as f64 / 10.0 - 0.5
    };
    let is_due = |step: usize, voice: Voice| {
        let has_sounded = step == 10 && place(8, voice) < 8.0 - 1e-3;
        place(step, voice) < 14.0 - 1e-3 && !has_sounded
    };
    let n_due = |voice: Voice| (10..16).filter(|step| is_due(*step, voice)).count();
    assert_eq!(ons.len(), Voice::ALL.map(n_due).iter().sum::<usize>());
    let n_at_once = ons.iter().filter(|(frame, _)| *frame == host.frames(6.0));
    assert!(n_at_once.count() > 1, "nothing that was ahead falls on the landing");
    host.is_playing = false;
    host.block(64, &mut Everything);
    assert!(host.rests_with_all_notes_ended());
}

#[test]
fn a_meter_change_at_a_bar_line_moves_the_downbeat() {
    let mut plans = Prompt::default();
    let mut host = Host::new(48_000.0, 0.0).with_eighths(16);
    host.play_to(8.0, &mut plans);
    // The host counts its measures from the change: 8 is no multiple of 3, but 12 after the next 4 is.
    host.meter = Meter::new(2, 4).unwrap_or_default();
    host.play_to(12.0, &mut plans);
    assert_eq!(host.performer.tally().fresh, 3);
    assert_eq!(grid(&host, Voice::Kick, 8.0), "x.x...x.x.x...x.");
    let heard: Vec<_> = plans
        .asked
        .iter()
        .filter(|r| r.measure == 4)
        .map(|r| r.heard_steps)
        .collect();
    assert_eq!(heard, (1..=8).collect::<Vec<_>>());
}

#[test]
fn the_same_playback_gives_the_same_drums() {
    let mut host = Host::new(44_100.0, 0.0);
    host.controls.humanise = 1.0;
    let mut takes = Vec::new();
    for _ in 0..2 {
        host.position = -8.0;
        host.is_playing = true;
        host.n_frames = 0;
        host.notes.clear();
        host = host.with_eighths(20);
        host.play_to(
            20.0,
            &mut Prompt {
                gone_from: Some(3),
                ..Prompt::default()
            },
        );
        host.is_playing = false;
        host.play_to(21.0, &mut Prompt::default());
        assert!(host.rests_with_all_notes_ended());
        takes.push(host.notes.clone());
        host.bass.clear();
    }
    assert!(!takes[0].is_empty());
    assert_eq!(takes[0], takes[1]);
}

#[test]
fn stopping_ends_every_note_at_the_first_frame() {
    let mut host = Host::new(48_000.0, 0.0).with_eighths(8);
    host.play(host.frames(4.0) + 100, &[100], &mut Prompt::default());
    host.is_playing = false;
    let out = host.block(64, &mut Prompt::default());
    assert!(!out.is_empty());
    assert!(
        out.iter()
            .all(|e| e.frame == FrameOffset(0) && e.kind == DrumEventKind::Off)
    );
    assert!(host.rests_with_all_notes_ended());
    assert!(!host.performer.is_playing());
}

#[test]
fn a_bypass_ends_every_note() {
    let mut host = Host::new(48_000.0, 0.0).with_eighths(8);
    host.play(host.frames(4.0) + 100, &[100], &mut Prompt::default());
    let mut out = DrumEvents::new();
    host.performer.silence_all(FrameOffset(3), &mut out);
    host.notes
        .extend(out.iter().map(|e| (host.n_frames, e.voice, e.kind)));
    assert!(host.rests_with_all_notes_ended());
}

#[test]
fn free_run_begins_with_the_first_bass_note() {
    let mut host = Host::new(48_000.0, 0.0).with_bass(&[1.3, 1.8, 2.3, 2.8]);
    host.is_playing = false;
    let mut plans = Prompt::default();
    host.play_to(6.0, &mut plans);
    assert!(host.notes.is_empty(), "without free run nothing plays");
    host.n_frames = 0;
    host.controls.free_run = true;
    host.play_to(9.3, &mut plans);
    assert_eq!(
        host.ons().first().map(|(frame, _)| *frame),
        Some(host.frames(5.3))
    );
    assert_eq!(grid(&host, Voice::Kick, 5.3), "x.x...x.........");
    host.is_playing = true;
    host.position = 77.0;
    host.block(64, &mut plans);
    assert!(host.rests_with_all_notes_ended());
}

#[test]
fn a_broken_transport_is_a_stopped_one() {
    let mut performer = Performer::new();
    let mut out = DrumEvents::new();
    for bad in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -1.0,
        1e300,
        f64::MIN_POSITIVE,
    ] {
        for which in 0..5 {
            let pick = |i, good| if which == i { bad } else { good };
            let transport = Transport {
                is_playing: true,
                tempo_bpm: pick(0, 120.0),
                position: Beats(pick(1, 3.0)),
                measure_start: Some(Beats(pick(2, 0.0))),
                meter: None,
            };
            let block = Block {
                n_frames: 4096,
                sample_rate_hz: pick(3, 48_000.0),
                transport: Some(transport),
                bass: &[BassEvent {
                    frame: FrameOffset(99_999),
                    kind: BassEventKind::On {
                        key: 255,
                        velocity: f32::INFINITY,
                    },
                }],
            };
            let broken = bad as f32;
            let mut controls = Controls {
                free_run: true,
                free_run_tempo_bpm: pick(4, 120.0),
                ..Controls::default()
            };
            performer.perform(&block, &controls, &mut Everything, &mut out);
            (
                controls.density,
                controls.swing,
                controls.humanise,
                controls.feel,
                controls.velocity,
            ) = (broken, broken, broken, broken, broken);
            for _ in 0..100 {
                performer.perform(&block, &controls, &mut Everything, &mut out);
            }
        }
    }
}

#[test]
fn a_huge_fast_block_loses_no_hit() {
    let mut host = Host::new(44_100.0, 0.0);
    host.tempo_bpm = 999.0;
    host.controls.density = 1.0;
    host.controls.group_density = [1.0; 5];
    let mut host = host.with_eighths(64);
    host.play(8192 * 20, &[8192], &mut Everything);
    assert_eq!(host.performer.tally().dropped_notes, 0);
    let n_measures = host
        .ons()
        .iter()
        .filter(|(_, voice)| *voice == Voice::Ride)
        .count()
        / 16;
    assert!(n_measures >= 5);
    assert!(host.ons().len() >= n_measures * 16 * 9);
}
