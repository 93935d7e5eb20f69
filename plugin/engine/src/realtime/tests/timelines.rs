//! Random timelines: everything a host can do to time, in any order, and what must hold throughout.
//!
//! Each property tries 150 timelines of about 1,100 blocks, more than a million blocks in all. The environment variable
//! `LOCKSTEP_TIMELINES` sets another number: 1,000 is the nightly size, about seven million blocks.

use super::super::*;
use super::host::{Host, InstantRule};
use proptest::prelude::*;

/// Something a host does; it then rolls on for a while.
#[derive(Clone, Copy, Debug)]
enum HostAction {
    Roll,
    Stop,
    /// To this beat.
    Jump(f64),
    /// A loop from this sixteenth, this many sixteenths long, this many times.
    Loop(i32, u8, u8),
    Tempo(f64),
    /// A ramp to this tempo, over the turn's frames.
    Ramp(f64),
    Meter(u8, u8),
    Reset,
    Bypass(bool),
    SampleRate(bool),
    Density(f32),
}

fn host_action() -> impl Strategy<Value = HostAction> {
    prop_oneof![
        3 => Just(HostAction::Roll),
        1 => Just(HostAction::Stop),
        2 => (-8.0..64.0_f64).prop_map(HostAction::Jump),
        2 => (-4..40_i32, 1..40_u8, 1..5_u8).prop_map(|(at, steps, times)| HostAction::Loop(at, steps, times)),
        2 => (20.0..400.0_f64).prop_map(HostAction::Tempo),
        2 => (20.0..400.0_f64).prop_map(HostAction::Ramp),
        2 => prop_oneof![Just((4, 4)), Just((3, 4)), Just((7, 8)), Just((6, 8)), Just((5, 4)), Just((1, 16))].prop_map(|(n, d)| HostAction::Meter(n, d)),
        1 => Just(HostAction::Reset),
        1 => any::<bool>().prop_map(HostAction::Bypass),
        1 => any::<bool>().prop_map(HostAction::SampleRate),
        2 => (0.0_f32..=1.0).prop_map(HostAction::Density),
    ]
}

/// A random song: turns with the frames each lasts, and bass notes as (frames since the one before, key).
#[derive(Clone, Debug)]
struct Timeline {
    actions: Vec<(HostAction, u32)>,
    bass: Vec<(u32, u8)>,
    swing: f32,
    humanise: f32,
    late_hands_ms: f32,
}

fn timeline() -> impl Strategy<Value = Timeline> {
    (
        prop::collection::vec((host_action(), 1..90_000_u32), 1..16),
        prop::collection::vec((1..20_000_u32, 28..60_u8), 0..80),
        prop_oneof![Just(0.0_f32), 0.0_f32..=1.0],
        prop_oneof![Just(0.0_f32), 0.0_f32..=1.0],
        prop_oneof![Just(0.0_f32), 0.0_f32..=100.0],
    )
        .prop_map(|(actions, bass, swing, humanise, late_hands_ms)| Timeline {
            actions,
            bass,
            swing,
            humanise,
            late_hands_ms,
        })
}

/// How a timeline is played differently from what it says.
#[derive(Clone, Copy, Debug, Default)]
struct Variant {
    /// This density throughout.
    density: Option<f32>,
    /// No bass from this frame on.
    bass_until: Option<u64>,
    /// Every hit on its step, in the plan and by the knobs.
    is_straight: bool,
}

/// A timeline as it was played.
struct PlayedTimeline {
    host: Host,
    /// Each stretch without a break, in order.
    stretches: Vec<Stretch>,
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    is_jump: bool,
    frame: u64,
    position: f64,
    beats_per_frame: f64,
}

/// Plays the timeline in blocks of these sizes; blocks end where something changes, as a host's do.
fn play(timeline: &Timeline, sizes: &[u32], variant: Variant) -> PlayedTimeline {
    let mut host = Host::new(48_000.0, -2.0);
    if !variant.is_straight {
        host.controls.swing = timeline.swing;
        host.controls.humanise = timeline.humanise;
    }
    host.controls.late_hands_ms = timeline.late_hands_ms;
    host.controls.density = variant.density.unwrap_or(0.5);
    let mut at = 0;
    for (after, key) in &timeline.bass {
        at += u64::from(*after);
        let key = *key;
        host.bass
            .push((at, BassEventKind::On { key, velocity: 0.7 }));
        host.bass.push((at + 5_000, BassEventKind::Off { key }));
    }
    host.bass.sort_by_key(|(frame, _)| *frame);
    let until = variant.bass_until.unwrap_or(u64::MAX);
    host.bass.retain(|(frame, _)| *frame < until);
    let mut plans = InstantRule {
        is_busy: true,
        is_straight: variant.is_straight,
        ..InstantRule::default()
    };
    let mut stretches = Vec::new();
    let mut stretch = |host: &mut Host, n_frames: u32, is_jump: bool| {
        stretches.push(Stretch {
            is_jump,
            frame: host.n_frames,
            position: host.position,
            beats_per_frame: host.tempo_bpm / 60.0 / host.sample_rate_hz,
        });
        host.play(u64::from(n_frames), sizes, &mut plans);
    };
    for (host_action, n_frames) in &timeline.actions {
        host.is_playing = !matches!(host_action, HostAction::Stop);
        match *host_action {
            HostAction::Roll | HostAction::Stop => {}
            HostAction::Jump(beat) => host.position = beat,
            HostAction::Tempo(bpm) => host.tempo_bpm = bpm,
            HostAction::Meter(numerator, denominator) => {
                host.meter = Meter::new(numerator, denominator).unwrap_or_default();
            }
            HostAction::Reset => host.performer.reset(),
            HostAction::Bypass(is_bypassed) => host.controls.is_bypassed = is_bypassed,
            HostAction::SampleRate(is_low) => {
                host.sample_rate_hz = if is_low { 44_100.0 } else { 48_000.0 };
            }
            HostAction::Density(value) => host.controls.density = variant.density.unwrap_or(value),
            HostAction::Loop(at, steps, times) => {
                let beats_per_frame = host.tempo_bpm / 60.0 / host.sample_rate_hz;
                let pass = (f64::from(steps) / 4.0 / beats_per_frame).round() as u32;
                for _ in 0..times {
                    host.position = f64::from(at) / 4.0;
                    stretch(&mut host, pass.clamp(1, 60_000), true);
                }
            }
            HostAction::Ramp(bpm) => {
                let from = host.tempo_bpm;
                for part in 1..=16_u32 {
                    host.tempo_bpm = from + (bpm - from) * f64::from(part) / 16.0;
                    stretch(&mut host, n_frames.div_ceil(16), false);
                }
            }
        }
        stretch(
            &mut host,
            *n_frames,
            matches!(host_action, HostAction::Jump(_) | HostAction::Meter(..)),
        );
    }
    host.is_playing = false;
    host.block(1, &mut plans);
    PlayedTimeline { host, stretches }
}

fn n_timelines() -> u32 {
    let setting = std::env::var("LOCKSTEP_TIMELINES").ok();
    setting.and_then(|n| n.parse().ok()).unwrap_or(150)
}

fn sizes() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![
        Just(vec![64]),
        Just(vec![1024]),
        prop::collection::vec(16..2000_u32, 1..12),
    ]
}

/// The usual block size.
const PLAIN: [u32; 1] = [512];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(n_timelines()))]

    // The host asserts that events are inside their block and in order.
    #[test]
    fn every_note_ends_and_blocks_make_no_difference(timeline in timeline(), sizes in sizes()) {
        let plain = play(&timeline, &PLAIN, Variant::default()).host;
        prop_assert!(plain.rests_with_all_notes_ended());
        prop_assert_eq!(plain.performer.tally().dropped_notes, 0);
        let other = play(&timeline, &sizes, Variant::default()).host;
        prop_assert_eq!(other.notes, plain.notes);
    }

    #[test]
    fn drums_never_depend_on_later_bass(timeline in timeline(), share in 0.0_f64..1.0) {
        let whole = play(&timeline, &PLAIN, Variant::default()).host;
        let until = (share * whole.n_frames as f64) as u64;
        let variant = Variant { bass_until: Some(until), ..Variant::default() };
        let cut = play(&timeline, &PLAIN, variant).host;
        let before = |host: &Host| host.notes.iter().copied().filter(|n| n.0 < until).collect::<Vec<_>>();
        prop_assert_eq!(before(&cut), before(&whole));
    }

    #[test]
    fn more_density_only_adds(timeline in timeline(), low in 0.0_f32..=1.0, high in 0.0_f32..=1.0) {
        let (low, high) = if low < high { (low, high) } else { (high, low) };
        let ons = |density| {
            let variant = Variant { density: Some(density), ..Variant::default() };
            play(&timeline, &PLAIN, variant)
        };
        let (few, many) = (ons(low), ons(high));
        let more = many.host.ons();
        // At a jump, a hit struck just before it may replace the voice's first hit after it.
        let is_at_jump = |frame: u64| few.stretches.iter().any(|s| {
            let steps = frame.saturating_sub(s.frame) as f64 * s.beats_per_frame * 4.0;
            s.is_jump && s.frame <= frame && steps < 2.0
        });
        let missing: Vec<_> = few.host.ons().into_iter().filter(|on| !more.contains(on) && !is_at_jump(on.0)).collect();
        prop_assert_eq!(missing, []);
    }

    #[test]
    fn a_hit_on_a_step_falls_on_the_steps_frame(timeline in timeline(), sizes in sizes()) {
        let variant = Variant { is_straight: true, ..Variant::default() };
        let PlayedTimeline { host, stretches } = play(&timeline, &sizes, variant);
        // Random notes may sound like swing.
        let until = host.swung_from.unwrap_or(u64::MAX);
        for (frame, voice) in host.ons().into_iter().take_while(|on| on.0 < until) {
            let stretch = stretches.iter().rfind(|s| s.frame <= frame).copied();
            let Some(Stretch { frame: first, position, beats_per_frame, .. }) = stretch else { continue };
            let steps = (position + (frame - first) as f64 * beats_per_frame) * 4.0;
            let late = (steps - (steps + 1e-3).floor()) / 4.0;
            // The first frame at or after the step; if a break comes just after the step, the first frame after the break.
            let allowed = if frame == first { 1.0 / 64.0 + 1e-6 } else { beats_per_frame };
            prop_assert!((-1e-3..allowed).contains(&late), "{:?} at step {} is {} beats late", voice, steps, late);
        }
    }
}

#[test]
fn the_timelines_contain_enough_hits_and_blocks() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut n_hits, mut n_blocks) = (0, 0);
    for _ in 0..30 {
        let Ok(tree) = timeline().new_tree(&mut runner) else {
            panic!("no timeline");
        };
        let host = play(&tree.current(), &PLAIN, Variant::default()).host;
        n_hits += host.ons().len();
        n_blocks += host.n_blocks;
    }
    assert!(
        n_hits > 3_000 && n_blocks > 30 * 200,
        "{n_hits} hits in {n_blocks} blocks"
    );
}
