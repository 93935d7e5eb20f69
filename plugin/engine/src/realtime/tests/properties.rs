//! What must hold for any block sizes, any bass and any knob settings.

use lockstep_core::representation::Voice;
use proptest::prelude::*;

use super::super::*;
use super::host::{Everything, Host, InstantRule};

fn controls() -> impl Strategy<Value = Controls> {
    (
        0.0_f32..=1.0,
        0.0_f32..=1.0,
        0.0_f32..=1.0,
        0.0_f32..2.0,
        any::<bool>(),
    )
        .prop_map(|(density, swing, humanise, velocity, keeps)| Controls {
            density,
            swing,
            humanise,
            velocity,
            silence: if keeps {
                SilencePolicy::KeepTime
            } else {
                SilencePolicy::LayOut
            },
            ..Controls::default()
        })
}

fn block_sizes() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![
        Just(vec![64]),
        Just(vec![512]),
        Just(vec![1024]),
        Just(vec![8192]),
        prop::collection::vec(1..3000_u32, 1..20),
        prop::collection::vec(1..64_u32, 1..20),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_block_split_gives_the_same_drums(
        sizes in block_sizes(),
        controls in controls(),
        rate in prop_oneof![Just(44_100.0), Just(48_000.0)],
        tempo in prop_oneof![Just(120.0), 60.0..200.0_f64],
        first in prop_oneof![Just(0.0), Just(-4.0), -8.0..8.0_f64],
        bass in prop::collection::vec(0.0..12.0_f64, 0..24),
        gone_from in prop::option::of(0..6_u64),
        is_busy in any::<bool>(),
        meter in prop_oneof![Just((4, 4)), Just((3, 4)), Just((7, 8))],
    ) {
        let take = |sizes: &[u32]| {
            let mut host = Host::new(rate, first);
            host.tempo_bpm = tempo;
            host.controls = controls;
            host.meter = Meter::new(meter.0, meter.1).unwrap_or_default();
            let mut host = host.with_bass(&bass);
            let mut plans = InstantRule { gone_from, is_busy, ..InstantRule::default() };
            host.play(host.frames(16.0), sizes, &mut plans);
            (host.notes, host.performer.tally(), plans.asked.len())
        };
        let one = take(&[480]);
        prop_assert_eq!(take(&sizes), one);
    }

    #[test]
    fn every_note_ends_whatever_the_host_does(
        controls in controls(),
        breaks in prop::collection::vec((1..60_000_u64, -8.0..64.0_f64, any::<bool>(), 30.0..400.0_f64), 1..12),
        sizes in block_sizes(),
    ) {
        let mut host = Host::new(44_100.0, 0.0).with_eighths(40);
        host.controls = controls;
        for (n_frames, position, is_playing, tempo) in breaks {
            host.play(n_frames, &sizes, &mut Everything);
            host.position = position;
            host.is_playing = is_playing;
            host.tempo_bpm = tempo;
        }
        host.is_playing = false;
        host.block(1, &mut Everything);
        prop_assert!(host.rests_with_all_notes_ended());
        let in_range = |kind: DrumEventKind| match kind {
            DrumEventKind::On { velocity } => (1.0 / 127.0..=1.0).contains(&velocity),
            DrumEventKind::Off => true,
        };
        prop_assert!(host.notes.iter().all(|n| in_range(n.2)));
    }

    #[test]
    fn more_density_only_adds_hits_and_none_is_silence(low in 0.0_f32..=1.0, high in 0.0_f32..=1.0, loose in 0.0_f32..=1.0) {
        let ons = |density| {
            let mut host = Host::new(48_000.0, 0.0).with_eighths(8);
            host.controls.density = density;
            host.controls.humanise = loose;
            host.play_to(8.0, &mut Everything);
            host.ons()
        };
        let (low, high) = if low < high { (low, high) } else { (high, low) };
        let more = ons(high);
        prop_assert!(ons(low).iter().all(|on| more.contains(on)));
        prop_assert_eq!(ons(0.0), []);
    }

    #[test]
    fn a_request_never_knows_later_bass(bass in prop::collection::vec(0.0..12.0_f64, 1..24)) {
        let ask = |bass: &[f64]| {
            let mut plans = InstantRule::default();
            let mut host = Host::new(48_000.0, 0.0).with_bass(bass);
            host.play_to(12.0, &mut plans);
            plans.asked
        };
        let all = ask(&bass);
        for request in &all {
            // The cell of the last heard step closed half a step after it; drop all later bass.
            let now = (request.measure - 1) as f64 * 4.0 + (request.heard_steps as f64 - 0.5) / 4.0;
            let heard: Vec<_> = bass.iter().copied().filter(|b| *b < now - 1e-6).collect();
            let same = ask(&heard).into_iter().find(|r| (r.measure, r.heard_steps) == (request.measure, request.heard_steps));
            prop_assert_eq!(same.map(|r| r.window), Some(request.window));
        }
    }

    #[test]
    fn a_jittering_host_repeats_and_skips_nothing(jitter in prop::collection::vec(-0.002..0.002_f64, 1..50)) {
        let mut host = Host::new(48_000.0, 0.0).with_eighths(16);
        let mut plans = InstantRule::default();
        for by in jitter.iter().cycle() {
            host.position += by;
            host.block(480, &mut plans);
            host.position -= by;
            if host.n_frames >= host.frames(16.0) {
                break;
            }
        }
        for first_beat in [4.0, 8.0, 12.0] {
            let n = host.ons().iter().filter(|(f, v)| *v == Voice::Snare && (host.frames(first_beat)..host.frames(first_beat + 4.0)).contains(f)).count();
            prop_assert_eq!(n, 2);
        }
    }
}
