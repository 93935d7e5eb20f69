//! What every kit must do.

use lockstep_core::representation::Voice;
use proptest::prelude::*;

use super::*;

pub(super) const RATE_HZ: f32 = 48_000.0;

/// All kits except off.
pub(super) const KITS: [KitChoice; 3] = [
    KitChoice::Acoustic,
    KitChoice::Brushes,
    KitChoice::Electronic,
];

/// A kit with default settings.
pub(super) fn kit(choice: KitChoice) -> Kit {
    let mut kit = Kit::new(RATE_HZ);
    kit.set(&choice.into());
    kit
}

/// Checks every voice of every kit, each after a reset.
fn each_voice(mut check: impl FnMut(&mut Kit, Voice, &str)) {
    let mut kit = Kit::new(RATE_HZ);
    for choice in KITS {
        kit.set(&choice.into());
        for voice in Voice::ALL {
            kit.reset();
            check(&mut kit, voice, &format!("{voice:?} of {choice:?}"));
        }
    }
}

/// Renders hits `(frame, voice, velocity)` in blocks of the given sizes, which repeat.
pub(super) fn play(
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

pub(super) fn peak(sides: &[Vec<f32>; 2]) -> f32 {
    let samples = sides.iter().flatten();
    samples.fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// A sound from a frame on.
pub(super) fn after(sides: &[Vec<f32>; 2], frame: usize) -> [Vec<f32>; 2] {
    sides.each_ref().map(|side| side[frame..].to_vec())
}

/// Frames up to the last one that is not silent.
fn n_sounding(sides: &[Vec<f32>; 2]) -> usize {
    let last = |side: &Vec<f32>| side.iter().rposition(|&sample| sample != 0.0);
    sides
        .iter()
        .filter_map(last)
        .max()
        .map_or(0, |last| last + 1)
}

/// One hit at the first frame, rendered for 4 s: more than [`LONGEST_TAIL_S`].
pub(super) fn one(kit: &mut Kit, voice: Voice, velocity: f32) -> [Vec<f32>; 2] {
    kit.reset();
    play(kit, &[(0, voice, velocity)], 192_000, &[4_096])
}

#[test]
fn it_is_silent_until_hit_and_sounds_from_that_frame_on() {
    each_voice(|kit, voice, name| {
        for side in play(kit, &[(333, voice, 1.0)], 1_000, &[1_000]) {
            let first = side.iter().position(|&sample| sample != 0.0);
            assert_eq!(first, Some(333), "{name}");
        }
    });
}

#[test]
fn an_attack_comes_at_once() {
    each_voice(|kit, voice, name| {
        let sides = one(kit, voice, 1.0);
        let half = 0.3 * peak(&sides.each_ref().map(|side| side[..12_000].to_vec()));
        let loud = |side: &Vec<f32>| side.iter().position(|sample| sample.abs() > half);
        let at = sides.iter().filter_map(loud).min().unwrap_or(usize::MAX);
        // 10 ms: a brush on a crash takes that long; a stick takes half of it.
        assert!(at < 480, "{name} takes {at} frames");
    });
}

#[test]
fn every_tail_ends_in_silence_and_holds_neither_dc_nor_denormals() {
    each_voice(|kit, voice, name| {
        let sides = one(kit, voice, 1.0);
        assert!(kit.is_silent(), "{name}");
        let n_sounding = n_sounding(&sides);
        assert!(n_sounding as f32 <= LONGEST_TAIL_S * RATE_HZ, "{name}");
        let end = peak(&after(&sides, n_sounding - 100));
        assert!(end < 2e-4, "{name} is cut off at {end}");
        let is_sound = |sample: &f32| *sample == 0.0 || sample.is_normal();
        assert!(sides.iter().flatten().all(is_sound), "{name}");
        let mean = sides[0].iter().sum::<f32>() / n_sounding as f32;
        assert!(mean.abs() < 2e-4, "{name} has {mean} of DC");
        let tail = &sides[0][n_sounding / 2..n_sounding];
        let mean = tail.iter().sum::<f32>() / tail.len() as f32;
        let loudest = tail.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
        assert!(
            mean.abs() < 0.06 * loudest,
            "the tail of {name} has {mean} of DC"
        );
    });
}

#[test]
fn velocity_raises_loudness_and_zero_or_invalid_is_no_hit() {
    each_voice(|kit, voice, name| {
        let peaks = [0.2, 0.5, 1.0].map(|velocity| peak(&one(kit, voice, velocity)));
        assert!(peaks[0] > 0.005 && peaks.is_sorted(), "{name}: {peaks:?}");
        for no_hit in [0.0, -1.0, f32::NAN] {
            kit.reset();
            kit.hit(0, voice, no_hit);
            assert!(kit.is_silent());
        }
        assert_eq!(one(kit, voice, 7.0), one(kit, voice, 1.0));
    });
}

#[test]
fn a_soft_hit_is_darker_than_a_hard_one() {
    // Energy of the differences between frames, relative to the energy of the sound.
    let brightness = |sides: &[Vec<f32>; 2]| {
        let energy = |samples: &mut dyn Iterator<Item = f32>| samples.map(|x| x * x).sum::<f32>();
        let steps = energy(&mut sides[0].windows(2).map(|pair| pair[1] - pair[0]));
        steps / energy(&mut sides[0].iter().copied())
    };
    each_voice(|kit, voice, name| {
        // A hard hit on the electronic ride adds its bell, which is not brighter.
        if name == "Ride of Electronic" {
            return;
        }
        let [soft, hard] = [0.45, 1.0].map(|velocity| brightness(&one(kit, voice, velocity)));
        assert!(soft < 0.97 * hard, "{name}: {soft}, {hard}");
    });
}

#[test]
fn nothing_clips_and_an_accent_is_hardly_limited() {
    let mut kit = Kit::new(RATE_HZ);
    for choice in KITS {
        kit.set(&choice.into());
        let mut together = |voices: &[Voice]| {
            kit.reset();
            let hits: Vec<_> = voices.iter().map(|&voice| (0, voice, 0.9)).collect();
            peak(&play(&mut kit, &hits, 48_000, &[480]))
        };
        let accent = together(&[Voice::Kick, Voice::Crash]);
        assert!(accent < 0.9, "{choice:?}: {accent}");
        let everything = together(&Voice::ALL.repeat(2));
        assert!(everything < 1.0, "{choice:?}: {everything}");
    }
}

#[test]
fn a_plain_groove_stays_below_the_limiter() {
    let eighth = 12_000;
    let hits: Vec<_> = (0..8)
        .flat_map(|i| {
            let drum = if i % 4 == 2 {
                Voice::Snare
            } else {
                Voice::Kick
            };
            let at = i * eighth;
            [(at, drum, 0.9), (at, Voice::ClosedHat, 0.75)]
        })
        .collect();
    for choice in KITS {
        let peak = peak(&play(&mut kit(choice), &hits, 96_000, &[64]));
        assert!((0.35..0.8).contains(&peak), "{choice:?}: {peak}");
    }
}

#[test]
fn every_kit_has_a_sound_of_its_own_for_every_voice_from_soft_to_hard() {
    let mut kit = Kit::new(RATE_HZ);
    for choice in KITS {
        kit.set(&choice.into());
        let mut sounds: Vec<[Vec<f32>; 2]> = Vec::new();
        for voice in Voice::ALL {
            let name = format!("{voice:?} of {choice:?}");
            let [soft, hard] = [0.1, 1.0].map(|velocity| one(&mut kit, voice, velocity));
            assert!(kit.is_silent(), "{name} goes on");
            let [soft_peak, hard_peak] = [&soft, &hard].map(peak);
            assert!((0.002..0.1).contains(&soft_peak), "{name}: {soft_peak}");
            assert!((0.1..0.85).contains(&hard_peak), "{name}: {hard_peak}");
            // Loud, and over soon unless it rings.
            let energy = |side: &[f32]| side.iter().map(|x| x * x).sum::<f32>();
            let early = energy(&hard[0][..4_800]);
            assert!((early / 4_800.0).sqrt() > 0.01, "{name}");
            assert!(
                early > 0.6 * energy(&hard[0]) || n_sounding(&hard) > 24_000,
                "{name}"
            );
            assert!(sounds.iter().all(|other| *other != hard), "{name}");
            sounds.push(hard);
        }
    }
}

#[test]
fn a_closed_hat_and_the_foot_choke_an_open_one_gradually() {
    for (choice, closing) in KITS
        .into_iter()
        .flat_map(|choice| [Voice::ClosedHat, Voice::PedalHat].map(|closing| (choice, closing)))
    {
        let mut kit = kit(choice);
        let open = one(&mut kit, Voice::OpenHat, 1.0);
        let at = 4_800;
        kit.reset();
        let hits = [(0, Voice::OpenHat, 1.0), (at, closing, 0.001)];
        let choked = play(&mut kit, &hits, 24_000, &[256]);
        assert_eq!(choked[0][..at], open[0][..at]);
        assert!(peak(&after(&open, at + 960)) > 1e-3);
        let rest = peak(&after(&choked, at + 960));
        assert!(rest < 1e-4, "{closing:?} of {choice:?}");
        assert!(peak(&after(&choked, at + 240)) > 1e-3, "it closes at once");
    }
}

#[test]
fn no_other_voice_ends_one_that_rings() {
    let mut kit = Kit::new(RATE_HZ);
    for choice in KITS {
        kit.set(&choice.into());
        for (ringing, other) in Voice::ALL.into_iter().flat_map(|ringing| {
            let feet = [
                Voice::Kick,
                Voice::PedalHat,
                Voice::ClosedHat,
                Voice::OpenHat,
            ];
            feet.map(|other| (ringing, other))
        }) {
            let closes = matches!(other, Voice::ClosedHat | Voice::PedalHat);
            if ringing == other || (closes && ringing == Voice::OpenHat) {
                continue;
            }
            let mut render = |hits: &[(usize, Voice, f32)]| {
                kit.reset();
                play(&mut kit, hits, 4_800, &[480])
            };
            let hits = [(0, ringing, 0.5), (960, other, 0.5)];
            let [both, first, second] =
                [&hits[..], &hits[..1], &hits[1..]].map(|hits| render(hits)[0].clone());
            for (both, (first, second)) in both.iter().zip(first.iter().zip(&second)) {
                let differs = (both - first - second).abs();
                assert!(differs < 1e-6, "{other:?} after {ringing:?} of {choice:?}");
            }
        }
    }
}

#[test]
fn a_roll_does_not_grow() {
    each_voice(|kit, voice, name| {
        let limit = 2.5 * peak(&one(kit, voice, 0.8));
        kit.reset();
        // 32nds at 240 BPM: 31 ms per stroke.
        let hits: Vec<_> = (0..64).map(|i| (i * 1_500, voice, 0.8)).collect();
        let roll = peak(&play(kit, &hits, 96_000, &[777]));
        assert!(roll < limit, "{name}: {roll}, not {limit}");
    });
}

#[test]
fn a_flood_of_hits_neither_clips_nor_hangs() {
    for choice in KITS {
        let mut kit = kit(choice);
        for index in 0..10_000 {
            kit.hit(index % 64, Voice::ALL[index % Voice::ALL.len()], 1.0);
        }
        let flood = play(&mut kit, &[], 200_000, &[64]);
        assert!(flood.iter().flatten().all(|sample| sample.abs() < 1.0));
        assert!(kit.is_silent());
    }
}

#[test]
fn a_hit_for_a_later_block_waits_for_it() {
    let mut kit = Kit::new(RATE_HZ);
    kit.hit(150, Voice::Kick, 1.0);
    let late = play(&mut kit, &[], 1_000, &[64]);
    kit.reset();
    let on_time = play(&mut kit, &[(150, Voice::Kick, 1.0)], 1_000, &[1_000]);
    assert_eq!(late, on_time);
}

#[test]
fn reset_silences_at_once_and_makes_two_renders_equal() {
    let hits = [
        (10, Voice::Crash, 0.9),
        (5_000, Voice::Ride, 0.4),
        (5_000, Voice::Kick, 1.0),
        (7_000, Voice::Kick, 1.0),
    ];
    for choice in KITS {
        let mut kit = kit(choice);
        let first = play(&mut kit, &hits, 10_000, &[512]);
        kit.hit(100, Voice::Snare, 1.0);
        kit.reset();
        assert!(kit.is_silent());
        assert_eq!(play(&mut kit, &hits, 10_000, &[512]), first);
    }
}

#[test]
fn length_and_level_do_not_depend_on_the_sample_rate() {
    for choice in KITS {
        let measure = |rate_hz: f32| {
            let mut kit = Kit::new(rate_hz);
            kit.set(&choice.into());
            Voice::ALL.map(|voice| {
                kit.reset();
                let sides = play(&mut kit, &[(0, voice, 1.0)], 700_000, &[8_192]);
                (n_sounding(&sides) as f32 / rate_hz, peak(&sides))
            })
        };
        // A lower rate loses a recording's highs, and every rate finds other peaks between its samples.
        let (rates_hz, tolerance) = match choice {
            KitChoice::Electronic => ([22_050.0, 192_000.0], 0.01),
            _ => ([44_100.0, 192_000.0], 0.2),
        };
        let reference = measure(RATE_HZ);
        for rate_hz in rates_hz {
            let got = measure(rate_hz);
            for (voice, (got, want)) in Voice::ALL.iter().zip(got.iter().zip(&reference)) {
                let name = format!("{voice:?} of {choice:?} at {rate_hz}: {got:?}, not {want:?}");
                assert!((got.0 / want.0 - 1.0).abs() < 0.02, "{name}");
                assert!((got.1 / want.1 - 1.0).abs() < tolerance, "{name}");
            }
        }
    }
}

#[test]
fn an_invalid_sample_rate_still_makes_a_kit() {
    for rate_hz in [0.0, -1.0, f32::NAN] {
        let mut kit = Kit::new(rate_hz);
        let sides = play(&mut kit, &[(0, Voice::Snare, 1.0)], 500, &[64]);
        assert!(peak(&sides) > 0.01);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_block_split_gives_the_same_samples(
        hits in proptest::collection::vec((0_usize..6_000, 0..Voice::ALL.len(), 0.0_f32..=1.0), 0..60),
        blocks in proptest::collection::vec(1_usize..700, 1..8),
        choice in 0_usize..3,
    ) {
        let hits: Vec<_> = hits
            .into_iter()
            .map(|(at, v, velocity)| (at, Voice::ALL[v], velocity))
            .collect();
        let mut kit = Kit::new(8_000.0);
        kit.set(&KITS[choice].into());
        let whole = play(&mut kit, &hits, 8_000, &[8_000]);
        kit.reset();
        prop_assert_eq!(play(&mut kit, &hits, 8_000, &blocks), whole);
    }
}
