//! The own clock follows the bassist as closely as promised, and never beyond its limits.

use lockstep_core::draws::{normal, uniform};
use lockstep_core::representation::Voice;
use proptest::prelude::*;

use super::super::*;
use super::host::{Host, InstantRule, Metronome};

const RATE_HZ: f64 = 48_000.0;
const N_MEASURES: u32 = 32;
const N_BEATS: f64 = 4.0 * N_MEASURES as f64;

/// Bass lines of one measure, in beats.
const LINES: [(&str, &[f64]); 3] = [
    ("eighths", &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]),
    ("syncopated", &[0.0, 0.75, 1.5, 2.0, 2.75, 3.5]),
    ("quarters", &[0.0, 1.0, 2.0, 3.0]),
];

/// How a tempo changes: its factor as a function of the share of the song that is over.
type TempoCurve = fn(f64) -> f64;

const DRIFTS: [(&str, TempoCurve); 5] = [
    ("steady", |_| 1.0),
    ("+10 %, even", |x| 1.0 + 0.1 * x),
    ("-10 %, even", |x| 1.0 - 0.1 * x),
    ("+10 %, in ten steps", |x| 1.0 + 0.01 * (10.0 * x).floor()),
    ("-10 %, ritardando", |x| 1.0 - 0.1 * x * x),
];

/// The true times of the beats of a song with a changing tempo.
struct Beat {
    /// Time in seconds of each 64th of a beat.
    seconds: Vec<f64>,
}

impl Beat {
    fn new(bpm: f64, drift: TempoCurve) -> Self {
        let mut seconds = vec![0.0];
        let mut now = 0.0;
        for i in 0..((N_BEATS + 8.0) * 64.0) as u32 {
            let share = (f64::from(i) + 0.5) / 64.0 / N_BEATS;
            now += 60.0 / (bpm * drift(share.min(1.0))) / 64.0;
            seconds.push(now);
        }
        Self { seconds }
    }

    /// When a place comes, in seconds; the place is a multiple of 1/64 beat.
    fn seconds_at(&self, beats: f64) -> f64 {
        self.seconds[(beats * 64.0).round() as usize]
    }

    /// `line` in every measure, with jitter in seconds, root mean square.
    fn line(&self, line: &[f64], jitter_s: f64, seed: u64) -> Vec<f64> {
        let places =
            (0..N_MEASURES).flat_map(|m| line.iter().map(move |at| f64::from(m) * 4.0 + at));
        let place = |(i, at): (usize, f64)| {
            let jitter = jitter_s * f64::from(normal(&[seed, i as u64]));
            // Starts half a second late, so that jitter may make the first note early.
            0.5 + self.seconds_at(at) + jitter
        };
        places.enumerate().map(place).collect()
    }
}

/// A host whose drummer follows these notes.
fn follower(notes_s: &[f64], bpm: f64) -> Host {
    let mut host = Host::at_rest(RATE_HZ).with_events_at(notes_s, &[]);
    host.controls.free_run_tempo_bpm = bpm;
    host.controls.tempo_follow = TempoFollow::Follow;
    host
}

/// How far the drummer's beats are from the true ones, in milliseconds. Its first beat is the fifth of the song.
fn errors_ms(host: &Host, beat: &Beat) -> Vec<f64> {
    let kicks = host.struck_s(Voice::Kick);
    let error =
        |(i, kick): (usize, &f64)| (kick - 0.5 - beat.seconds_at(i as f64 + 4.0)).abs() * 1e3;
    kicks.iter().enumerate().map(error).collect()
}

/// The share of errors up to 20 ms, and the 95th percentile in milliseconds.
fn within_20_ms(mut errors_ms: Vec<f64>) -> (f64, f64) {
    errors_ms.sort_by(f64::total_cmp);
    let n_near = errors_ms.iter().filter(|error| **error <= 20.0).count();
    (
        n_near as f64 / errors_ms.len() as f64,
        errors_ms[errors_ms.len() * 95 / 100],
    )
}

/// Songs per case. One in which the beat is ever off by more than 60 ms counts as lost; it stays in the figures.
const N_SONGS: u64 = 16;

#[test]
fn the_drummer_stays_within_20_ms_of_a_bassist_whose_tempo_drifts() {
    for (name, line) in LINES {
        for bpm in [90.0, 120.0, 160.0] {
            for (how, drift) in DRIFTS {
                let beat = Beat::new(bpm, drift);
                let mut errors = Vec::new();
                let mut n_lost = 0;
                for seed in 0..N_SONGS {
                    let mut host = follower(&beat.line(line, 0.015, seed), bpm);
                    host.play_to_second(0.5 + beat.seconds_at(N_BEATS - 0.25), &mut Metronome);
                    let these = errors_ms(&host, &beat);
                    let n_extra = these.len() as f64 - (N_BEATS - 4.0);
                    assert!(n_extra.abs() <= 1.0, "{n_extra} beats too many");
                    n_lost += u32::from(these.iter().any(|error| *error > 60.0));
                    errors.extend(these);
                }
                let (share, percentile) = within_20_ms(errors);
                let percent = share * 100.0;
                eprintln!(
                    "{name:10} {bpm:3} BPM {how:19} {percentile:4.1} ms {percent:5.1} % {n_lost} lost"
                );
                assert!(
                    share >= 0.95,
                    "{name}, {bpm} BPM, {how}: {share} within 20 ms"
                );
            }
        }
    }
}

#[test]
fn a_tempo_other_than_the_set_one_is_found() {
    for (name, line) in LINES {
        for (bpm, off) in [(90.0, 1.08), (120.0, 0.92), (120.0, 1.04), (90.0, 0.9)] {
            let beat = Beat::new(bpm * off, |_| 1.0);
            let mut host = follower(&beat.line(line, 0.01, 3), bpm);
            host.play_to_second(0.5 + beat.seconds_at(N_BEATS - 0.25), &mut Metronome);
            // Four measures to find the tempo: the listening one, and twelve beats.
            let (share, _) = within_20_ms(errors_ms(&host, &beat).split_off(12));
            assert!(share > 0.95, "{name}, {off} of {bpm} BPM: {share}");
            let found = host.performer.free_tempo_bpm().unwrap_or_default();
            assert!((found / (bpm * off) - 1.0).abs() < 0.01, "{found} BPM");
        }
    }
}

#[test]
fn a_bassist_on_the_grid_changes_nothing_however_syncopated() {
    let odd: &[f64] = &[0.25, 0.75, 1.25, 1.5, 2.25, 2.75, 3.0, 3.75];
    let lines = LINES.map(|(_, line)| line);
    for line in lines.into_iter().chain([odd]) {
        for bpm in [90.0, 117.3, 160.0] {
            let notes = |follow| {
                // The first note is beat one.
                let line: Vec<_> = line.iter().map(|at| at - line[0]).collect();
                let notes = Beat::new(bpm, |_| 1.0).line(&line, 0.0, 0);
                let mut host = follower(&notes, bpm);
                host.controls.tempo_follow = follow;
                host.play_to_second(N_BEATS * 60.0 / bpm, &mut InstantRule::default());
                assert_eq!(host.performer.free_tempo_bpm(), Some(bpm));
                host.notes
            };
            assert_eq!(
                notes(TempoFollow::Follow),
                notes(TempoFollow::Off),
                "{line:?}"
            );
        }
    }
}

#[test]
fn a_chord_counts_once() {
    let beat = Beat::new(120.0, |x| 1.0 + 0.1 * x);
    let single = beat.line(LINES[0].1, 0.01, 1);
    let chords: Vec<_> = single
        .iter()
        .flat_map(|at| [*at, at + 0.011, at + 0.024])
        .collect();
    let found = |notes: &[f64]| {
        let mut host = follower(notes, 120.0);
        host.play_to_second(40.0, &mut Metronome);
        (host.performer.free_tempo_bpm(), host.struck_s(Voice::Kick))
    };
    assert_eq!(found(&chords), found(&single));
}

#[test]
fn freeze_keeps_the_found_tempo_and_off_returns_to_the_set_one() {
    let beat = Beat::new(128.0, |x| 1.0 + 0.1 * x);
    let mut host = follower(&beat.line(LINES[0].1, 0.005, 7), 120.0);
    host.play_to_second(20.0, &mut Metronome);
    let found = host.performer.free_tempo_bpm();
    assert!(
        found.is_some_and(|bpm| (bpm - 132.0).abs() < 2.0),
        "{found:?}"
    );
    let seen = host
        .performer
        .snapshot(RATE_HZ, &host.controls, &mut Metronome);
    assert_eq!(seen.free_tempo_bpm, found);
    host.controls.tempo_follow = TempoFollow::Freeze;
    host.play_to_second(45.0, &mut Metronome);
    assert_eq!(host.performer.free_tempo_bpm(), found);
    // The bass kept drifting meanwhile.
    host.controls.tempo_follow = TempoFollow::Off;
    let mut last = found.unwrap_or_default();
    let mut at_once = 0.0_f64;
    for tenth in 1..200 {
        host.play_to_second(45.0 + f64::from(tenth) / 10.0, &mut Metronome);
        let now = host.performer.free_tempo_bpm().unwrap_or_default();
        assert!((120.0..=last).contains(&now), "{now} after {last}");
        at_once = at_once.max(last - now);
        last = now;
    }
    assert!(last <= 120.0, "{last}");
    assert!(at_once < 2.0, "{at_once} BPM in a tenth of a second");
}

#[test]
fn a_frozen_tempo_outlasts_a_pause() {
    let beat = Beat::new(130.0, |_| 1.0);
    let mut notes: Vec<_> = beat.line(LINES[0].1, 0.0, 0);
    notes.retain(|at| *at < 10.0 || *at > 40.0);
    let mut host = follower(&notes, 120.0);
    host.play_to_second(9.0, &mut Metronome);
    host.controls.tempo_follow = TempoFollow::Freeze;
    let found = host.performer.free_tempo_bpm();
    host.play_to_second(39.0, &mut Metronome);
    assert!(!host.performer.is_playing());
    host.play_to_second(42.0, &mut Metronome);
    assert!(
        found.is_some_and(|bpm| (bpm - 130.0).abs() < 0.5),
        "{found:?}"
    );
    assert_eq!(host.performer.free_tempo_bpm(), found);
}

#[test]
fn the_tempo_never_leaves_15_percent_of_the_set_one() {
    for (drift, limit) in [
        ((|x| 1.0 + 0.4 * x) as TempoCurve, 138.0),
        (|x| 1.0 - 0.4 * x, 102.0),
    ] {
        let beat = Beat::new(120.0, drift);
        let mut host = follower(&beat.line(LINES[0].1, 0.0, 0), 120.0);
        let mut furthest = 120.0_f64;
        for second in 1..50 {
            host.play_to_second(f64::from(second), &mut Metronome);
            let bpm = host.performer.free_tempo_bpm().unwrap_or(120.0);
            assert!((102.0 - 1e-9..=138.0 + 1e-9).contains(&bpm), "{bpm} BPM");
            if (bpm - limit).abs() < (furthest - limit).abs() {
                furthest = bpm;
            }
        }
        assert!(
            (furthest - limit).abs() < 1e-9,
            "{furthest} BPM and not {limit}"
        );
    }
}

#[test]
fn a_rest_of_eight_measures_leaves_the_tempo_alone() {
    let beat = Beat::new(120.0, |x| 1.0 + 0.1 * x);
    let mut notes = beat.line(LINES[0].1, 0.005, 2);
    let (begin, end) = (0.5 + beat.seconds_at(63.9), 0.5 + beat.seconds_at(95.9));
    notes.retain(|at| !(begin..end).contains(at));
    let mut host = follower(&notes, 120.0);
    host.controls.silence = SilencePolicy::KeepTime;
    host.play_to_second(begin + 0.2, &mut Metronome);
    let found = host.performer.free_tempo_bpm();
    assert!(
        found.is_some_and(|bpm| (bpm - 126.0).abs() < 1.0),
        "{found:?}"
    );
    host.play_to_second(end - 0.2, &mut Metronome);
    assert_eq!(host.performer.free_tempo_bpm(), found);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_beat_stays_within_its_limits_for_any_bass_and_taps(
        seed in any::<u64>(),
        density in 1.0..30.0_f64,
        bpm in prop_oneof![40.0..300.0_f64, 0.01..9_999.0_f64],
        taps in prop::collection::vec(0.0..20.0_f64, 0..12),
    ) {
        let n_notes = (density * 20.0) as u64;
        let notes: Vec<_> = (0..n_notes).map(|i| f64::from(uniform(&[seed, i])) * 20.0).collect();
        for taps in [&[], &taps[..]] {
            let mut host = follower(&notes, bpm).with_events_at(&[], taps);
            host.controls.silence = SilencePolicy::KeepTime;
            host.play_to_second(22.0, &mut Metronome);
            let kicks = host.struck_s(Voice::Kick);
            let tempo = host.performer.free_tempo_bpm().unwrap_or(bpm);
            let set = if taps.is_empty() { bpm..=bpm } else { bpm.min(20.0)..=bpm.max(400.0) };
            prop_assert!((set.start() * 0.85 - 1e-9..=set.end() * 1.15 + 1e-9).contains(&tempo));
            // No beat is skipped or repeated: the gaps between kicks are within what the clock can bend.
            let beat = |bpm: f64| 60.0 / bpm;
            let (near, far) = (beat(set.end() * 1.15 * 1.25), beat(set.start() * 0.85 * 0.75));
            let gaps: Vec<_> = kicks.windows(2).map(|pair| pair[1] - pair[0]).collect();
            prop_assert!(gaps.iter().all(|gap| (near - 1e-4..far + 1e-4).contains(gap)), "{gaps:?}");
        }
    }
}
#[test]
fn the_off_beats_of_a_shuffle_do_not_pull_the_clock_along() {
    let line = [0.0, 2.0, 3.0, 5.0, 6.0, 8.0, 9.0, 11.0].map(|third| third / 3.0);
    for bpm in [90.0, 120.0, 160.0] {
        for (name, drift) in DRIFTS {
            let beat = Beat::new(bpm, drift);
            // Between two 64ths the tempo is even.
            let seconds_at = |beats: f64| {
                let before = (beats * 64.0).floor() / 64.0;
                let step = beat.seconds_at(before + 1.0 / 64.0) - beat.seconds_at(before);
                beat.seconds_at(before) + (beats - before) * 64.0 * step
            };
            let places = (0..N_MEASURES).flat_map(|m| line.map(move |at| f64::from(m) * 4.0 + at));
            let note = |(i, at): (usize, f64)| {
                0.5 + seconds_at(at) + 0.01 * f64::from(normal(&[7, i as u64]))
            };
            let notes: Vec<_> = places.enumerate().map(note).collect();
            let mut host = follower(&notes, bpm);
            host.play_to_second(seconds_at(N_BEATS) + 0.4, &mut Metronome);
            // The swing is heard in the first two measures.
            let mut errors = errors_ms(&host, &beat).split_off(8);
            errors.sort_by(f64::total_cmp);
            let (median, p95) = (errors[errors.len() / 2], errors[errors.len() * 95 / 100]);
            assert!(
                median < 5.0 && p95 < 15.0,
                "{name} at {bpm} BPM: {median:.1}, {p95:.1} ms"
            );
        }
    }
}
