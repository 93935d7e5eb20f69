//! Loops, jumps, stops and meter changes.

use lockstep_core::generator::{FillLength, FillWish};
use lockstep_core::representation::{N_GROUPS, N_VOICES, Voice};

use super::super::*;
use super::grid;
use super::host::{Everything, Host, InstantRule};

#[test]
fn a_loop_at_a_bar_line_is_the_next_downbeat() {
    let beats = 32;
    let mut straight = Host::new(48_000.0, 0.0).with_eighths(beats);
    straight.play(
        straight.frames(f64::from(beats)),
        &[512],
        &mut InstantRule::default(),
    );
    let mut looped = Host::new(48_000.0, 0.0).with_eighths(beats);
    let mut plans = InstantRule::default();
    for _ in 0..4 {
        looped.position = 0.0;
        looped.play(looped.frames(8.0), &[512], &mut plans);
    }
    assert_eq!(looped.ons(), straight.ons());
    assert_eq!(looped.performer.tally(), straight.performer.tally());
    // A host that does not cut its blocks at the loop's end: 192 000 frames is not a multiple of 7000.
    let mut uncut = Host::new(48_000.0, 0.0).with_eighths(beats);
    let mut plans = InstantRule::default();
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
    // At full density every hit of the steps from 10 on that falls before step 14 sounds, here at 6.0 to 7.0 beats. A hit
    // due ahead of step 10 falls on it, unless its voice was struck ahead of step 8, which was never reached.
    let ons = host.ons().split_off(n_before);
    let place = |step: usize, voice: Voice| {
        step as f64 + ((step * N_VOICES + voice.index()) * 7 % 10) as f64 / 10.0 - 0.5
    };
    let is_due = |step: usize, voice: Voice| {
        let has_sounded = step == 10 && place(8, voice) < 8.0 - 1e-3;
        place(step, voice) < 14.0 - 1e-3 && !has_sounded
    };
    let n_due = |voice: Voice| (10..16).filter(|step| is_due(*step, voice)).count();
    assert_eq!(ons.len(), Voice::ALL.map(n_due).iter().sum::<usize>());
    let n_at_once = ons.iter().filter(|(frame, _)| *frame == host.frames(6.0));
    assert!(
        n_at_once.count() > 1,
        "no hit due ahead of the landing falls on it"
    );
    host.is_playing = false;
    host.block(64, &mut Everything);
    assert!(host.rests_with_all_notes_ended());
}

#[test]
fn a_meter_change_at_a_bar_line_moves_the_downbeat() {
    let mut plans = InstantRule::default();
    let mut host = Host::new(48_000.0, 0.0).with_eighths(16);
    host.play_to(8.0, &mut plans);
    // From here on the host's measures are two beats long.
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
fn stopping_ends_every_note_at_the_first_frame() {
    let mut host = Host::new(48_000.0, 0.0).with_eighths(8);
    host.play(host.frames(4.0) + 100, &[100], &mut InstantRule::default());
    host.is_playing = false;
    let out = host.block(64, &mut InstantRule::default());
    assert!(!out.is_empty());
    assert!(
        out.iter()
            .all(|e| e.frame == FrameOffset(0) && e.kind == DrumEventKind::Off)
    );
    assert!(host.rests_with_all_notes_ended());
    assert!(!host.performer.is_playing());
}

/// Plays a loop `passes` times, from `from` to `to` in beats; `bass` are the beats of its notes.
fn looped(from: f64, to: f64, passes: u32, bass: &[f64], plans: &mut InstantRule) -> Host {
    let mut host = Host::new(48_000.0, from);
    let beats: Vec<_> = (0..passes)
        .flat_map(|pass| {
            bass.iter()
                .map(move |b| b - from + f64::from(pass) * (to - from))
        })
        .collect();
    host = host.with_bass(&beats);
    for pass in 1..=passes {
        host.position = from;
        host.play_to(f64::from(pass) * (to - from), plans);
    }
    host
}

#[test]
fn a_loop_without_a_downbeat_plays() {
    let mut plans = InstantRule::default();
    let host = looped(2.0, 3.0, 8, &[2.0, 2.5], &mut plans);
    // The drummer listens to the first pass and plays from the second on.
    let in_pass = |pass: u64| {
        let frames = pass * 24_000..(pass + 1) * 24_000;
        host.ons()
            .iter()
            .filter(|(frame, _)| frames.contains(frame))
            .count()
    };
    assert_eq!(in_pass(0), 0);
    assert!((1..8).all(|pass| in_pass(pass) > 0));
    // The window holds four steps per pass, one pass after the other.
    let last = plans.asked.last().map(|r| r.window).unwrap_or_default();
    let onsets: String = (44..60)
        .map(|s| if last.onsets(s).is_empty() { '.' } else { 'x' })
        .collect();
    assert_eq!(onsets, "x.x.x.x.x.x.x.x.");
}

#[test]
fn a_loop_of_three_beats_is_heard_without_holes() {
    let mut plans = InstantRule::default();
    let host = looped(0.0, 3.0, 6, &[0.0, 1.0, 2.0, 2.5], &mut plans);
    let last = plans.asked.last().map(|r| r.window).unwrap_or_default();
    // The last request is made at the end of the third beat of four; the fourth is never played.
    let onsets: String = (24..64)
        .map(|s| if last.onsets(s).is_empty() { '.' } else { 'x' })
        .collect();
    assert_eq!(onsets, "x...x...x.x.x...x...x.x.x...x...x.x.....");
    let has_kick = |pass: u32| grid(&host, Voice::Kick, f64::from(pass) * 3.0).starts_with('x');
    assert!(!has_kick(0) && (1..6).all(has_kick));
}

#[test]
fn a_hit_struck_ahead_of_a_loops_end_is_not_repeated_at_its_start() {
    let mut host = Host::new(48_000.0, 0.0).with_eighths(64);
    host.controls.density = 1.0;
    host.controls.group_density = [1.0; N_GROUPS];
    host.play_to(4.0, &mut Everything);
    for pass in 1..8 {
        host.position = 4.0;
        host.play_to(4.0 + 3.0 * f64::from(pass), &mut Everything);
        let seam = host.frames(4.0 + 3.0 * f64::from(pass));
        host.position = 4.0;
        host.block(1, &mut Everything);
        host.position = 4.0;
        host.n_frames -= 1;
        // Every voice has a hit at every step: within a third of a step of the seam each sounds at most once.
        for voice in Voice::ALL {
            let near = host.ons().into_iter().filter(|(frame, v)| {
                *v == voice && (seam.saturating_sub(2000)..=seam).contains(frame)
            });
            assert!(
                near.count() <= 1,
                "{voice:?} twice at the seam of pass {pass}"
            );
        }
        let at_seam = host
            .ons()
            .iter()
            .filter(|(frame, _)| *frame == seam)
            .count();
        assert!(at_seam > 0, "nothing falls on the seam of pass {pass}");
    }
}

#[test]
fn a_measure_that_grows_is_filled() {
    let mut host = Host::new(48_000.0, 0.0).with_eighths(16);
    host.meter = Meter::new(3, 4).unwrap_or_default();
    let mut plans = InstantRule::default();
    host.play_to(6.0, &mut plans);
    // Six quarters from here on; 6.0 is a multiple of the new length, so it is a downbeat.
    host.meter = Meter::new(6, 4).unwrap_or_default();
    host.play_to(12.0, &mut plans);
    assert_eq!(grid(&host, Voice::ClosedHat, 6.0), "x.x.x.x.x.x.x.x.");
    assert_eq!(grid(&host, Voice::ClosedHat, 8.0), "x.x.x.x.x.x.x.x.");
}

#[test]
fn a_new_idea_is_requested_once_and_forgets_the_drums_before_it() {
    let mut host = Host::new(48_000.0, 0.0).with_eighths(28);
    let mut plans = InstantRule::default();
    host.play_to(9.0, &mut plans);
    host.controls.new_idea = true;
    host.play_to(24.0, &mut plans);
    let idea = |measure| plans.asked.iter().rfind(|r| r.measure == measure);
    let heard = |measure: u64| {
        let steps = idea(measure).map_or([[0.0; N_VOICES]; 64], |r| r.played);
        steps.iter().filter(|step| step[0] > 0.0).count()
    };
    assert_eq!(
        [2, 3, 4, 5].map(|m| idea(m).map(|r| r.settings.idea)),
        [0, 1, 1, 1].map(Some)
    );
    assert!(heard(2) > 0);
    assert_eq!(heard(3), 0);
    assert!(heard(4) > 0);
    host.is_playing = false;
    host.block(1, &mut plans);
    host.is_playing = true;
    host.position = 0.0;
    host.play(host.frames(2.0), &[512], &mut plans);
    assert_eq!(plans.asked.last().map(|r| r.settings.idea), Some(0));
}

#[test]
fn requests_carry_the_wishes_and_a_fill_that_is_asked_for_has_the_chosen_length() {
    let mut host = Host::new(48_000.0, 0.0).with_eighths(28);
    let mut plans = InstantRule::default();
    host.controls.settings.energy = Some(0.75);
    host.controls.settings.fills = 0.25;
    host.controls.fill_length = FillLength::Beat;
    host.play_to(9.0, &mut plans);
    host.controls.fill_now = true;
    host.play_to(10.0, &mut plans);
    host.controls.fill_now = false;
    host.play_to(17.0, &mut plans);
    host.controls.fill_length = FillLength::Half;
    host.controls.fills = Fills::Every(2);
    host.play_to(25.0, &mut plans);
    let last = |measure| plans.asked.iter().rfind(|r| r.measure == measure);
    let half = FillWish::With(FillLength::Half);
    assert_eq!(
        [2, 3, 4, 5, 6].map(|m| last(m).map(|r| r.settings.fill)),
        [
            FillWish::Free,
            FillWish::With(FillLength::Beat),
            FillWish::Free,
            half,
            FillWish::Without,
        ]
        .map(Some)
    );
    let is_carried = |r: &Request| (r.settings.energy, r.settings.fills) == (Some(0.75), 0.25);
    assert!(plans.asked.iter().all(is_carried));
}

#[test]
fn late_hands_are_heard_where_they_were_meant() {
    // Notes 30 ms late at 300 BPM, where a step is 50 ms: without the offset they belong to the next step.
    let meant = [0.0, 0.75, 1.5, 2.0];
    let late: Vec<_> = meant.iter().map(|b| b + 0.030 * 5.0).collect();
    let onsets = |late_hands_ms| {
        let mut host = Host::new(48_000.0, 0.0);
        host.tempo_bpm = 300.0;
        host.controls.late_hands_ms = late_hands_ms;
        let mut host = host.with_bass(&late);
        let mut plans = InstantRule::default();
        host.play_to(8.0, &mut plans);
        let window = plans
            .asked
            .iter()
            .rfind(|r| r.measure == 1)
            .map(|r| r.window)
            .unwrap_or_default();
        (48..64)
            .filter(|s| !window.onsets(*s).is_empty())
            .map(|s| s - 48)
            .collect::<Vec<_>>()
    };
    assert_eq!(onsets(30.0), [0, 3, 6, 8]);
    assert_eq!(onsets(0.0), [1, 4, 7, 9]);
}

#[test]
fn a_host_that_gives_only_positions_is_followed() {
    let mut host = Host::new(48_000.0, 0.0).with_eighths(24);
    host.tells_tempo = false;
    host.tempo_bpm = 97.0;
    let mut plans = InstantRule::default();
    let n_frames = host.frames(24.0);
    host.play(n_frames, &[256], &mut plans);
    assert_eq!(host.performer.tally().fresh, 5);
    for beat in [4.0, 8.0, 12.0] {
        let downbeat = host.frames(beat);
        assert!(
            host.ons()
                .iter()
                .any(|(frame, voice)| *voice == Voice::Kick && frame.abs_diff(downbeat) <= 1)
        );
    }
}
