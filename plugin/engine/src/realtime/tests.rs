//! What must hold for the whole performer: the timing contract, property by property.
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

mod following;
mod host;
mod jumps;
mod pinned;
mod properties;
mod stage;
mod swinging;
mod timelines;

use lockstep_core::representation::{N_GROUPS, N_VOICES, Voice, WINDOW_STEPS};

use super::*;
use host::{Everything, Host, InstantRule};

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
        host.play_to(8.0, &mut InstantRule::default());
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
    let mut plans = InstantRule::default();
    // Step 15.4 of the first measure belongs to its last step, 15.6 of the second to step 0 of the third; a note halfway
    // between two steps belongs to the later one.
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
        let mut plans = InstantRule::default();
        let mut host = Host::new(44_100.0, 0.0).with_eighths(20);
        host.meter = Meter::new(numerator, denominator).unwrap_or_default();
        host.play_to((host.meter.length() * 2.0).beats(), &mut plans);
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
fn requests_carry_the_drums_that_were_played() {
    let mut plans = InstantRule::default();
    let mut host = Host::new(48_000.0, 0.0).with_eighths(12);
    host.play_to(12.0, &mut plans);
    let last = plans
        .asked
        .last()
        .map_or([[0.0; N_VOICES]; WINDOW_STEPS], |r| r.played);
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
fn each_rung_of_the_ladder_is_used_and_counted() {
    let beats = 20;
    let tally = |plans: &mut InstantRule| {
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
    assert_eq!(
        tally(&mut InstantRule::default()),
        Tally { fresh: 4, ..none }
    );
    let mut early = InstantRule {
        deaf_from: Some(16),
        ..InstantRule::default()
    };
    assert_eq!(tally(&mut early), Tally { early: 4, ..none });
    let mut gone = InstantRule {
        gone_from: Some(3),
        ..InstantRule::default()
    };
    assert_eq!(
        tally(&mut gone),
        Tally {
            fresh: 2,
            varied: 2,
            ..none
        }
    );
    let mut never = InstantRule {
        gone_from: Some(0),
        ..InstantRule::default()
    };
    assert_eq!(tally(&mut never), Tally { rule: 4, ..none });
}

#[test]
fn the_silence_policy_decides_what_plays_without_bass() {
    for (silence, plays_on) in [
        (SilencePolicy::LayOut, false),
        (SilencePolicy::KeepTime, true),
    ] {
        let mut host = Host::new(48_000.0, 0.0).with_eighths(4);
        host.controls.silence = silence;
        let mut plans = InstantRule::default();
        host.play_to(24.0, &mut plans);
        // The window of four measures is empty at the end of the fifth.
        assert!(grid(&host, Voice::ClosedHat, 16.0).contains('x'));
        assert_eq!(grid(&host, Voice::ClosedHat, 20.0).contains('x'), plays_on);
        assert_eq!(plans.asked.last().map(|r| r.measure), Some(4));
        // Keeping time starts with the first silent measure.
        let n_silent = if plays_on { 4 } else { 1 };
        assert_eq!(host.performer.tally().silent, n_silent);
    }
}

#[test]
fn density_changes_nothing_that_the_generator_hears() {
    let heard = |density: f32| {
        let mut host = Host::new(48_000.0, 0.0).with_eighths(16);
        host.controls.density = density;
        let mut plans = InstantRule::default();
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
fn nothing_plays_before_any_bass() {
    let mut host = Host::new(48_000.0, 0.0);
    host.controls.silence = SilencePolicy::KeepTime;
    host.play_to(16.0, &mut Everything);
    assert_eq!(host.notes, []);
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
            &mut InstantRule {
                gone_from: Some(3),
                ..InstantRule::default()
            },
        );
        host.is_playing = false;
        host.play_to(21.0, &mut InstantRule::default());
        assert!(host.rests_with_all_notes_ended());
        takes.push(host.notes.clone());
        host.bass.clear();
    }
    assert!(!takes[0].is_empty());
    assert_eq!(takes[0], takes[1]);
}

#[test]
fn a_bypass_ends_every_note_and_changes_nothing_after_it() {
    let play = |bypassed: std::ops::Range<u64>| {
        let mut host = Host::new(48_000.0, 0.0).with_eighths(24);
        let mut plans = InstantRule::default();
        while host.n_frames < host.frames(24.0) {
            host.controls.is_bypassed = bypassed.contains(&host.n_frames);
            host.block(100, &mut plans);
        }
        host.is_playing = false;
        host.block(1, &mut plans);
        assert!(host.rests_with_all_notes_ended());
        host.ons()
    };
    // From just after a downbeat, where notes sound, to the middle of a measure.
    let bypassed = 192_100..500_000;
    let mut expected = play(0..0);
    expected.retain(|(frame, _)| !bypassed.contains(frame));
    assert!(expected.iter().any(|(frame, _)| *frame >= bypassed.end));
    assert_eq!(play(bypassed), expected);
}

#[test]
fn notes_that_sound_at_a_reset_end_with_the_next_block() {
    let mut host = Host::new(48_000.0, 0.0).with_eighths(8);
    host.play(host.frames(4.0) + 100, &[100], &mut InstantRule::default());
    host.performer.reset();
    host.is_playing = false;
    assert!(!host.block(64, &mut InstantRule::default()).is_empty());
    assert!(host.rests_with_all_notes_ended());
}

#[test]
fn free_run_begins_with_the_first_bass_note() {
    let mut host = Host::new(48_000.0, 0.0).with_bass(&[1.3, 1.8, 2.3, 2.8]);
    host.is_playing = false;
    let mut plans = InstantRule::default();
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
fn invalid_transports_and_knobs_give_lawful_notes_and_the_drummer_recovers() {
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
                tempo_bpm: Some(pick(0, 120.0)),
                position: Position::at(pick(1, 3.0)),
                measure_start: Some(Position::at(pick(2, 0.0))),
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
                for event in &out {
                    assert!(event.frame.0 < block.n_frames, "{event:?}");
                    if let DrumEventKind::On { velocity } = event.kind {
                        assert!((0.0..=1.0).contains(&velocity), "{event:?}");
                    }
                }
            }
        }
    }
    performer.reset();
    let mut host = Host::new(48_000.0, 0.0).with_eighths(64);
    host.performer = performer;
    host.play(48_000 * 8, &[512], &mut Everything);
    assert!(host.ons().len() > 16);
    assert_eq!(host.performer.tally().dropped_notes, 0);
}

#[test]
fn a_huge_fast_block_loses_no_hit() {
    let mut host = Host::new(44_100.0, 0.0);
    host.tempo_bpm = 999.0;
    host.controls.density = 1.0;
    host.controls.group_density = [1.0; N_GROUPS];
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
