//! How a kit behaves while its sounds are still being made.

use std::time::Instant;

use cpu_time::ThreadTime;
use lockstep_core::representation::Voice;

use super::tests::{KITS, after, peak, play};
use super::*;

/// Frames that these tests let pass before the sounds are made: about an eighth of a second.
const EARLY: usize = 1_000;

/// A kit without any sounds yet; give a rate that no other test plays at.
fn empty(rate_hz: f32, choice: KitChoice) -> Kit {
    let mut kit = Kit::empty(rate_hz);
    kit.set(&choice.into());
    kit
}

#[test]
fn a_hit_before_its_sound_is_silent_then_fades_in_at_its_current_place() {
    for (at, choice) in KITS.into_iter().enumerate() {
        // A bank for each kit, still empty.
        let rate_hz = 8_101.0 + at as f32;
        let hits = [(10, Voice::Crash, 0.9), (20, Voice::Ride, 0.7)];
        let mut late = empty(rate_hz, choice);
        let early = play(&mut late, &hits, EARLY, &[64]);
        assert!(peak(&early) == 0.0, "{choice:?}");
        assert!(!late.is_silent(), "{choice:?} forgot its hits");
        late.wait();
        let late = play(&mut late, &[], 4_000, &[64]);

        let mut on_time = empty(rate_hz, choice);
        on_time.wait();
        let on_time = after(&play(&mut on_time, &hits, EARLY + 4_000, &[64]), EARLY);
        // No click, although the sound starts in the middle.
        let begin = |sides: &[Vec<f32>; 2]| peak(&sides.each_ref().map(|side| side[..4].to_vec()));
        assert!(begin(&on_time) > 1e-3, "{choice:?} is silent here");
        assert!(begin(&late) < 0.1 * begin(&on_time), "{choice:?} clicks");
        // After the fade it is where it would have been, up to the rounding of a tuned recording's position.
        let faded = 100;
        let differs = (0..2).flat_map(|side| {
            let pairs = late[side][faded..].iter().zip(&on_time[side][faded..]);
            pairs.map(|(a, b)| (a - b).abs())
        });
        let differs = differs.fold(0.0_f32, f32::max);
        let loud = peak(&after(&on_time, faded));
        assert!(differs < 0.02 * loud, "{choice:?}: {differs} of {loud}");
    }
}

#[test]
fn a_hit_that_waits_for_its_sound_can_be_ended() {
    type End = fn(&mut Kit);
    let ends: [(&str, Voice, End); 4] = [
        ("the closed hat", Voice::OpenHat, |kit| {
            kit.hit(0, Voice::ClosedHat, 0.001);
        }),
        ("the foot", Voice::OpenHat, |kit| {
            kit.hit(0, Voice::PedalHat, 0.001);
        }),
        ("off", Voice::Crash, |kit| kit.set(&KitChoice::Off.into())),
        ("a reset", Voice::Crash, Kit::reset),
    ];
    for (at, (name, voice, end)) in ends.into_iter().enumerate() {
        let mut kit = empty(8_201.0 + at as f32, KitChoice::Electronic);
        play(&mut kit, &[(0, voice, 1.0)], EARLY, &[64]);
        end(&mut kit);
        play(&mut kit, &[], EARLY, &[64]);
        kit.wait();
        let rest = play(&mut kit, &[], 4_000, &[64]);
        assert!(peak(&rest) < 1e-3, "{name}: {}", peak(&rest));
        assert!(kit.is_silent(), "{name}");
    }
}

#[test]
fn a_hit_that_would_be_over_before_its_sound_is_made_is_not_heard() {
    let mut kit = empty(8_301.0, KitChoice::Acoustic);
    play(&mut kit, &[(0, Voice::Crash, 1.0)], 40_000, &[64]);
    kit.wait();
    assert!(peak(&play(&mut kit, &[], 1_000, &[64])) == 0.0);
    assert!(kit.is_silent());
}

#[test]
fn a_kit_made_in_the_background_sounds_like_any_other() {
    let rate_hz = 8_401.0;
    let hits = [(0, Voice::Kick, 1.0), (300, Voice::Snare, 0.6)];
    let mut kit = Kit::new_in_background(rate_hz, KitChoice::Brushes);
    let begun = Instant::now();
    while !kit.is_complete() {
        assert!(begun.elapsed().as_secs() < 120, "its sounds are not made");
        std::thread::yield_now();
    }
    let soon = play(&mut kit, &hits, 8_000, &[64]);
    assert!(peak(&soon) > 0.1);
    assert_eq!(soon, play(&mut Kit::new(rate_hz), &hits, 8_000, &[64]));
}

#[test]
fn starting_and_dropping_a_kit_is_cheap_even_at_the_highest_rate() {
    // Computed on this thread, the sounds would take half a second.
    let cpu = ThreadTime::now();
    for _ in 0..20 {
        drop(Kit::new_in_background(384_000.0, KitChoice::Electronic));
    }
    let cpu = cpu.elapsed();
    assert!(cpu.as_millis() < 20, "{cpu:?} of this thread");
}
