//! What any kit must do, whichever it is.

use super::*;
use lockstep_models::representation::Voice;
use proptest::prelude::*;

const RATE_HZ: f32 = 48_000.0;

/// Hits `(frame, voice, velocity)` rendered in blocks of the given sizes, over and over.
fn play(
    kit: &mut Kit,
    hits: &[(usize, Voice, f32)],
    n_frames: usize,
    blocks: &[usize],
) -> [Vec<f32>; 2] {
    let mut out = [vec![0.0; n_frames], vec![0.0; n_frames]];
    let mut begin = 0;
    for size in blocks.iter().cycle() {
        let end = (begin + size).min(n_frames);
        for &(frame, voice, velocity) in hits.iter().filter(|hit| (begin..end).contains(&hit.0)) {
            kit.hit(frame - begin, voice, velocity);
        }
        let [left, right] = &mut out;
        kit.render(&mut left[begin..end], &mut right[begin..end]);
        begin = end;
        if begin == n_frames {
            break;
        }
    }
    out
}

fn peak(sides: &[Vec<f32>; 2]) -> f32 {
    let samples = sides.iter().flatten();
    samples.fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// What is left of a sound from a frame on.
fn after(sides: &[Vec<f32>; 2], frame: usize) -> [Vec<f32>; 2] {
    sides.each_ref().map(|side| side[frame..].to_vec())
}

/// Frames up to the last that is not silent.
fn n_sounding(sides: &[Vec<f32>; 2]) -> usize {
    let last = |side: &Vec<f32>| side.iter().rposition(|&sample| sample != 0.0);
    sides
        .iter()
        .filter_map(last)
        .max()
        .map_or(0, |last| last + 1)
}

/// One hit at the first frame, 3 s of it: more than [`LONGEST_TAIL_S`].
fn one(kit: &mut Kit, voice: Voice, velocity: f32) -> [Vec<f32>; 2] {
    kit.reset();
    play(kit, &[(0, voice, velocity)], 144_000, &[4_096])
}

#[test]
fn it_is_silent_until_hit_and_sounds_from_the_very_frame() {
    let mut kit = Kit::new(RATE_HZ);
    for voice in Voice::ALL {
        kit.reset();
        for side in play(&mut kit, &[(333, voice, 1.0)], 1_000, &[1_000]) {
            assert_eq!(
                side.iter().position(|&sample| sample != 0.0),
                Some(333),
                "{voice:?}"
            );
        }
    }
}

#[test]
fn every_tail_ends_in_silence_and_holds_neither_dc_nor_denormals() {
    let mut kit = Kit::new(RATE_HZ);
    for voice in Voice::ALL {
        let sides = one(&mut kit, voice, 1.0);
        assert!(kit.is_silent(), "{voice:?}");
        let n_sounding = n_sounding(&sides);
        assert!(n_sounding as f32 <= LONGEST_TAIL_S * RATE_HZ);
        assert!(
            peak(&after(&sides, n_sounding - 100)) < 1e-4,
            "{voice:?} is cut off"
        );
        let is_sound = |sample: &f32| *sample == 0.0 || sample.is_normal();
        assert!(sides.iter().flatten().all(is_sound), "{voice:?}");
        let mean = sides[0].iter().sum::<f32>() / n_sounding as f32;
        assert!(mean.abs() < 1e-4, "{voice:?} has {mean} of DC");
    }
}

#[test]
fn velocity_raises_loudness_and_zero_or_nonsense_is_no_hit() {
    let mut kit = Kit::new(RATE_HZ);
    for voice in Voice::ALL {
        let peaks = [0.2, 0.5, 1.0].map(|velocity| peak(&one(&mut kit, voice, velocity)));
        assert!(
            peaks[0] > 0.005 && peaks.is_sorted(),
            "{voice:?}: {peaks:?}"
        );
        for no_hit in [0.0, -1.0, f32::NAN] {
            kit.reset();
            kit.hit(0, voice, no_hit);
            assert!(kit.is_silent());
        }
        assert_eq!(one(&mut kit, voice, 7.0), one(&mut kit, voice, 1.0));
    }
}

#[test]
fn nothing_clips_and_kick_with_snare_and_crash_does_not_even_come_near() {
    let mut kit = Kit::new(RATE_HZ);
    let mut together = |voices: &[Voice]| {
        kit.reset();
        let hits: Vec<_> = voices.iter().map(|&voice| (0, voice, 1.0)).collect();
        peak(&play(&mut kit, &hits, 48_000, &[480]))
    };
    let accent = together(&[Voice::Kick, Voice::Snare, Voice::Crash]);
    assert!(accent < 0.8, "{accent}");
    let everything = together(&Voice::ALL.repeat(2));
    assert!(everything < 1.0, "{everything}");
}

#[test]
fn a_plain_groove_peaks_around_six_db_below_full_scale() {
    let eighth = 12_000;
    let hits: Vec<_> = (0..8)
        .flat_map(|i| {
            let drum = if i % 4 == 2 {
                Voice::Snare
            } else {
                Voice::Kick
            };
            [
                (i * eighth, drum, 0.9),
                (i * eighth, Voice::ClosedHat, 0.75),
            ]
        })
        .collect();
    let peak = peak(&play(&mut Kit::new(RATE_HZ), &hits, 96_000, &[64]));
    assert!((0.35..0.6).contains(&peak), "{peak}");
}

#[test]
fn the_closed_hat_chokes_the_open_one_gradually() {
    let mut kit = Kit::new(RATE_HZ);
    let open = one(&mut kit, Voice::OpenHat, 1.0);
    let at = 4_800;
    kit.reset();
    let hits = [(0, Voice::OpenHat, 1.0), (at, Voice::ClosedHat, 0.001)];
    let choked = play(&mut kit, &hits, 24_000, &[256]);
    assert_eq!(choked[0][..at], open[0][..at]);
    assert!(peak(&after(&open, at + 960)) > 1e-3);
    assert!(peak(&after(&choked, at + 960)) < 1e-5);
    assert!(peak(&after(&choked, at + 240)) > 1e-3, "it closes at once");
}

#[test]
fn a_roll_does_not_grow() {
    let mut kit = Kit::new(RATE_HZ);
    for voice in Voice::ALL {
        let limit = 2.2 * peak(&one(&mut kit, voice, 0.8));
        // 32nds at 240 BPM: 31 ms a stroke.
        let hits: Vec<_> = (0..64).map(|i| (i * 1_500, voice, 0.8)).collect();
        let roll = peak(&play(&mut kit, &hits, 96_000, &[777]));
        assert!(roll < limit, "{voice:?}: {roll}, not {limit}");
    }
}

#[test]
fn a_flood_of_hits_is_survived() {
    let mut kit = Kit::new(RATE_HZ);
    for index in 0..10_000 {
        kit.hit(index % 64, Voice::ALL[index % 9], 1.0);
    }
    let flood = play(&mut kit, &[], 200_000, &[64]);
    assert!(flood.iter().flatten().all(|sample| sample.abs() < 1.0));
    assert!(kit.is_silent());
}

#[test]
fn a_hit_for_a_later_block_waits_for_it() {
    let mut kit = Kit::new(RATE_HZ);
    kit.hit(150, Voice::Kick, 1.0);
    let late = play(&mut kit, &[], 1_000, &[64]);
    kit.reset();
    assert_eq!(
        late,
        play(&mut kit, &[(150, Voice::Kick, 1.0)], 1_000, &[1_000])
    );
}

#[test]
fn reset_silences_at_once_and_makes_two_renders_equal() {
    let mut kit = Kit::new(RATE_HZ);
    let hits = [
        (10, Voice::Crash, 0.9),
        (5_000, Voice::Ride, 0.4),
        (5_000, Voice::Kick, 1.0),
    ];
    let first = play(&mut kit, &hits, 10_000, &[512]);
    kit.hit(100, Voice::Snare, 1.0);
    kit.reset();
    assert!(kit.is_silent());
    assert_eq!(play(&mut kit, &hits, 10_000, &[512]), first);
}

#[test]
fn length_and_level_do_not_depend_on_the_sample_rate() {
    let measure = |rate_hz: f32| {
        let mut kit = Kit::new(rate_hz);
        Voice::ALL.map(|voice| {
            kit.reset();
            let sides = play(&mut kit, &[(0, voice, 1.0)], 500_000, &[8_192]);
            (n_sounding(&sides) as f32 / rate_hz, peak(&sides))
        })
    };
    let reference = measure(48_000.0);
    for rate_hz in [22_050.0, 192_000.0] {
        for (voice, (got, want)) in Voice::ALL
            .iter()
            .zip(measure(rate_hz).iter().zip(&reference))
        {
            assert!(
                (got.0 / want.0 - 1.0).abs() < 0.02,
                "{voice:?} at {rate_hz}: {} s",
                got.0
            );
            assert!(
                (got.1 / want.1 - 1.0).abs() < 0.01,
                "{voice:?} at {rate_hz}: {}",
                got.1
            );
        }
    }
}

#[test]
fn a_nonsense_sample_rate_still_makes_a_kit() {
    for rate_hz in [0.0, -1.0, f32::NAN] {
        assert!(
            peak(&play(
                &mut Kit::new(rate_hz),
                &[(0, Voice::Snare, 1.0)],
                500,
                &[64]
            )) > 0.01
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_block_split_gives_the_same_samples(
        hits in proptest::collection::vec((0_usize..6_000, 0_usize..9, 0.0_f32..=1.0), 0..60),
        blocks in proptest::collection::vec(1_usize..700, 1..8),
    ) {
        let hits: Vec<_> = hits.into_iter().map(|(at, v, velocity)| (at, Voice::ALL[v], velocity)).collect();
        let mut kit = Kit::new(8_000.0);
        let whole = play(&mut kit, &hits, 8_000, &[8_000]);
        kit.reset();
        prop_assert_eq!(play(&mut kit, &hits, 8_000, &blocks), whole);
    }
}
