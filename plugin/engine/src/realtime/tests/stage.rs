//! Free run on stage: taps, count-ins, and the end of a song.

use lockstep_core::representation::{Voice, WINDOW_STEPS};
use proptest::prelude::*;

use super::super::*;
use super::host::{Host, InstantRule, Metronome};

const RATE_HZ: f64 = 48_000.0;

/// `n` evenly spaced times in seconds, the first at `from`.
fn every(seconds: f64, from: f64, n: u32) -> Vec<f64> {
    (0..n).map(|i| from + f64::from(i) * seconds).collect()
}

/// Whether these times are the expected ones, each within `within_s` seconds.
fn are_near(got: &[f64], expected: &[f64], within_s: f64) -> bool {
    got.len() == expected.len()
        && got
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() <= within_s)
}

#[test]
fn taps_before_the_first_note_set_the_tempo_until_the_knob_is_moved() {
    let taps = every(0.4, 1.0, 3);
    let mut host = Host::at_rest(RATE_HZ).with_events_at(&every(0.4, 3.0, 12), &taps);
    host.play_to_second(2.5, &mut Metronome);
    assert!(!host.performer.is_playing());
    assert_eq!(host.performer.free_tempo_bpm(), Some(150.0));
    host.play_to_second(6.2 - 0.01, &mut Metronome);
    assert!(are_near(
        &host.struck_s(Voice::Kick),
        &every(0.4, 4.6, 4),
        1e-4
    ));
    host.controls.free_run_tempo_bpm = 100.0;
    host.play_to_second(7.0, &mut Metronome);
    assert_eq!(host.performer.free_tempo_bpm(), Some(100.0));
    // 10 ms of the old tempo are 15 ms of the new one.
    let late = host.struck_s(Voice::Kick).split_off(4);
    assert!(are_near(&late, &[6.205, 6.805], 1e-4), "{late:?}");
}

#[test]
fn a_reset_forgets_the_taps() {
    let mut host = Host::at_rest(RATE_HZ).with_events_at(&[], &every(0.4, 1.0, 4));
    host.play_to_second(2.0, &mut Metronome);
    host.performer.reset();
    assert_eq!(host.performer.free_tempo_bpm(), None);
    host.controls.free_run_start = FreeRunStart::Count;
    host.play_to_second(2.3, &mut Metronome);
    assert!(
        !host.performer.is_playing(),
        "the last tap is the first of a count"
    );
}

#[test]
fn taps_are_not_heard_as_bass_and_start_nothing_by_themselves() {
    let mut plans = InstantRule::default();
    let mut host = Host::at_rest(RATE_HZ).with_events_at(&[], &every(0.5, 0.0, 20));
    host.play_to_second(12.0, &mut plans);
    assert!(!host.performer.is_playing() && plans.asked.is_empty());
    let mut host = Host::new(RATE_HZ, 0.0).with_events_at(&[], &every(0.3, 0.0, 20));
    host.play_to_second(12.0, &mut plans);
    assert!(plans.asked.is_empty() && host.notes.is_empty());
    assert_eq!(host.performer.free_tempo_bpm(), None);
}

#[test]
fn taps_while_it_plays_bend_tempo_and_beat_to_them() {
    for follow in [TempoFollow::Off, TempoFollow::Freeze] {
        // 120 BPM from 1.0 s on; taps at 125 BPM from 5.12 s on.
        let notes = every(0.5, 1.0, 60);
        let taps = every(0.48, 5.12, 24);
        let mut host = Host::at_rest(RATE_HZ).with_events_at(&notes, &taps);
        host.controls.tempo_follow = follow;
        host.play_to_second(16.0, &mut Metronome);
        let kicks = host.struck_s(Voice::Kick);
        let before: Vec<_> = kicks.iter().copied().filter(|at| *at < 5.3).collect();
        assert!(are_near(&before, &every(0.5, 3.0, 5), 1e-4), "{before:?}");
        let late: Vec<_> = kicks.iter().copied().filter(|at| *at > 7.5).collect();
        assert!(
            are_near(&late, &every(0.48, 7.52, late.len() as u32), 2e-3),
            "{late:?}"
        );
        assert!(late.len() > 16);
        // Nothing jumps: no beat is shorter or longer than the clock can bend it.
        let gaps = kicks.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(
            gaps.into_iter()
                .all(|gap| (0.48 / 1.25..0.5 / 0.75).contains(&gap))
        );
        let bpm = host.performer.free_tempo_bpm().unwrap_or_default();
        assert!((bpm - 125.0).abs() < 1e-6, "{bpm} BPM");
    }
}

#[test]
fn a_single_tap_is_ignored() {
    let take = |taps: &[f64]| {
        let mut host = Host::at_rest(RATE_HZ).with_events_at(&every(0.5, 1.0, 30), taps);
        host.play_to_second(16.0, &mut Metronome);
        host.notes
    };
    assert_eq!(take(&[4.2]), take(&[]));
    assert_ne!(take(&[4.2, 4.65]), take(&[]));
}

#[test]
fn a_count_starts_the_measure_after_its_last_tap() {
    for (quarters, n_taps) in [(4, 4), (3, 3), (2, 2)] {
        let meter = Meter::new(quarters, 4).unwrap_or_default();
        let taps = every(0.4, 1.0, n_taps);
        let one = 1.0 + 0.4 * f64::from(n_taps);
        // Noodling during the count-in, then playing from the second beat on.
        let mut notes = vec![0.3, 1.1, 1.37, one - 0.1];
        notes.extend(every(0.4, one + 0.4, 24));
        let mut host = Host::at_rest(RATE_HZ).with_events_at(&notes, &taps);
        host.controls.free_run_start = FreeRunStart::Count;
        host.controls.free_run_meter = meter;
        let mut plans = InstantRule::default();
        host.play_to_second(one + 0.4 * f64::from(quarters) - 0.01, &mut plans);
        assert_eq!(
            host.notes,
            [],
            "the drummer only listens to the first measure"
        );
        let request = plans.asked.last().copied();
        let heard = request.map(|r| (r.measure, r.heard_steps, r.tempo_bpm));
        assert_eq!(heard, Some((1, meter.n_steps(), 150.0)));
        let first = WINDOW_STEPS - meter.n_steps() + 4;
        let onsets: Vec<_> = (0..WINDOW_STEPS)
            .filter(|step| request.is_some_and(|r| !r.window.onsets(*step).is_empty()))
            .collect();
        let beats: Vec<_> = (first..WINDOW_STEPS).step_by(4).collect();
        assert_eq!(onsets, beats, "only notes after the count are heard");
        host.play_to_second(one + 0.8 * f64::from(quarters) - 0.01, &mut plans);
        let downbeat = host.ons().first().map(|on| on.0);
        let frame = ((one + 0.4 * f64::from(quarters)) * RATE_HZ).round() as u64;
        assert_eq!(downbeat, Some(frame));
    }
}

#[test]
fn a_note_just_before_beat_one_is_heard_after_a_count() {
    // 30 ms before beat one: within half a sixteenth.
    let mut host = Host::at_rest(RATE_HZ).with_events_at(&[2.97], &every(0.5, 1.0, 4));
    host.controls.free_run_start = FreeRunStart::Count;
    let mut plans = InstantRule::default();
    host.play_to_second(4.9, &mut plans);
    let window = plans.asked.last().map(|request| request.window);
    assert_eq!(window.map(|w| w.onsets(48).is_empty()), Some(false));
}

#[test]
fn in_count_mode_neither_three_taps_nor_notes_start_the_clock() {
    let mut taps = every(0.5, 1.0, 3);
    taps.extend(every(0.4, 6.0, 3));
    let mut host = Host::at_rest(RATE_HZ).with_events_at(&every(0.25, 0.0, 40), &taps);
    host.controls.free_run_start = FreeRunStart::Count;
    host.play_to_second(10.0, &mut Metronome);
    assert!(!host.performer.is_playing());
    assert_eq!(host.performer.free_tempo_bpm(), Some(150.0));
}

#[test]
fn after_a_window_of_silence_the_drummer_waits_for_a_new_start() {
    for silence in [SilencePolicy::LayOut, SilencePolicy::KeepTime] {
        // Four measures of bass, ten of silence, then a note off the old beat that is beat one of a new start.
        let mut notes = every(0.5, 1.0, 16);
        notes.extend(every(0.5, 29.3, 8));
        let mut host = Host::at_rest(RATE_HZ).with_events_at(&notes, &[]);
        host.controls.silence = silence;
        host.play_to_second(1.0 + 16.0 - 0.01, &mut Metronome);
        assert!(host.performer.is_playing(), "the window has bass in it");
        host.play_to_second(1.0 + 16.0 + 0.1, &mut Metronome);
        let goes_on = silence == SilencePolicy::KeepTime;
        assert_eq!(host.performer.is_playing(), goes_on);
        assert!(goes_on || host.rests_with_all_notes_ended());
        host.play_to_second(33.2, &mut Metronome);
        let last = host.struck_s(Voice::Kick).split_off(12);
        if goes_on {
            assert!(are_near(&last, &every(0.5, 9.0, 49), 1e-4), "{last:?}");
        } else {
            let mut expected = every(0.5, 9.0, 16);
            expected.extend(every(0.5, 31.3, 4));
            assert!(are_near(&last, &expected, 1e-4), "{last:?}");
        }
    }
}

#[test]
fn after_the_count_the_drummer_waits_one_window_for_the_bass() {
    let mut host = Host::at_rest(RATE_HZ).with_events_at(&[], &every(0.5, 1.0, 4));
    host.controls.free_run_start = FreeRunStart::Count;
    host.play_to_second(3.0 + 8.0 - 0.01, &mut Metronome);
    assert!(host.performer.is_playing());
    host.play_to_second(3.0 + 8.0 + 0.1, &mut Metronome);
    assert!(!host.performer.is_playing());
}

fn follow() -> impl Strategy<Value = TempoFollow> {
    prop_oneof![
        2 => Just(TempoFollow::Follow),
        1 => Just(TempoFollow::Freeze),
        1 => Just(TempoFollow::Off),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_block_split_gives_the_same_drums_by_the_own_clock(
        sizes in prop_oneof![
            Just(vec![64]),
            Just(vec![8192]),
            prop::collection::vec(1..3000_u32, 1..20),
            prop::collection::vec(1..64_u32, 1..20),
        ],
        rate in prop_oneof![Just(44_100.0), Just(48_000.0)],
        bpm in prop_oneof![Just(120.0), 60.0..200.0_f64],
        jitter in prop::collection::vec(-0.03..0.03_f64, 1..40),
        n_notes in 0..60_u32,
        taps in prop::collection::vec(0.0..12.0_f64, 0..12),
        is_counted in any::<bool>(),
        follows in [follow(), follow(), follow()],
        knob in prop_oneof![Just(120.0), 60.0..200.0_f64],
    ) {
        let notes: Vec<_> = every(0.26, 0.5, n_notes).iter().zip(jitter.iter().cycle()).map(|(a, b)| a + b).collect();
        let count = if is_counted { every(0.5, 0.2, 4) } else { Vec::new() };
        let take = |sizes: &[u32]| {
            let mut host = Host::at_rest(rate).with_events_at(&notes, &taps).with_events_at(&[], &count);
            host.controls.free_run_tempo_bpm = bpm;
            host.controls.humanise = 0.5;
            if is_counted {
                host.controls.free_run_start = FreeRunStart::Count;
            }
            let mut plans = InstantRule { is_busy: true, ..InstantRule::default() };
            let mut tempos = Vec::new();
            for (i, follow) in follows.into_iter().enumerate() {
                host.controls.tempo_follow = follow;
                if i == 2 {
                    host.controls.free_run_tempo_bpm = knob;
                }
                host.play(10 * rate as u64, sizes, &mut plans);
                tempos.push(host.performer.free_tempo_bpm());
            }
            host.controls.free_run = false;
            host.block(1, &mut plans);
            assert!(host.rests_with_all_notes_ended());
            (host.notes, host.performer.tally(), plans.asked.len(), tempos)
        };
        prop_assert_eq!(take(&sizes), take(&[480]));
    }
}
