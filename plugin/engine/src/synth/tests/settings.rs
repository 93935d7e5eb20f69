//! Turning the kit's knobs: nothing clicks, and each knob does what it says.

use lockstep_core::representation::{N_GROUPS, Voice};

use super::tests::{KITS, RATE_HZ, after, kit, one, peak, play};
use super::*;

/// Frames per millisecond.
const MS: usize = 48;

/// Where a sound jumps or breaks off, in frames from its start; hits begin at `hits`.
///
/// A jump is a step from one sample to the next that is over three times as large as every other within 5 ms. A break is
/// eight milliseconds at less than a tenth of the loudness just before, if that was at least half the loudest of the last
/// 20 ms. The 25 ms after a hit are its attack and are ignored.
fn click(sound: &[f32], hits: &[usize]) -> Option<usize> {
    let is_attack = |at: usize| {
        hits.iter()
            .any(|hit| (hit.saturating_sub(2)..hit + 25 * MS).contains(&at))
    };
    let steps: Vec<f32> = sound
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .collect();
    let jump = (5 * MS..steps.len().saturating_sub(5 * MS)).find(|&at| {
        let others = steps[at - 5 * MS..at - 2]
            .iter()
            .chain(&steps[at + 3..at + 5 * MS]);
        let usual = others.fold(0.0_f32, |max, step| max.max(*step));
        !is_attack(at) && steps[at] > 3.0 * usual + 2e-4
    });
    let loudness: Vec<f32> = sound
        .chunks_exact(MS)
        .map(|ms| (ms.iter().map(|x| x * x).sum::<f32>() / MS as f32).sqrt())
        .collect();
    let lull = (20..loudness.len()).find(|&ms| {
        let near = loudness[ms - 20..ms]
            .iter()
            .fold(0.0_f32, |max, x| max.max(*x));
        let before = loudness[ms - 1].max(loudness[ms - 2]);
        !is_attack(ms * MS)
            && before > 0.5 * near
            && near > 1e-3
            // Longer than half a period of a low drum.
            && loudness[ms..(ms + 8).min(loudness.len())].iter().all(|x| *x < before / 10.0)
    });
    jump.or(lull.map(|ms| ms * MS))
}

#[test]
fn the_click_detector_finds_a_cut_off_sound() {
    for choice in KITS {
        let mut kit = kit(choice);
        for voice in [Voice::OpenHat, Voice::LowTom, Voice::Crash, Voice::Ride] {
            let whole = one(&mut kit, voice, 0.9)[0].clone();
            assert_eq!(click(&whole, &[0]), None, "{voice:?} of {choice:?}");
            // The loudest sample around 100 ms.
            let range = 4_800..5_400;
            let Some(at) = range.max_by(|a, b| whole[*a].abs().total_cmp(&whole[*b].abs())) else {
                continue;
            };
            let mut cut = whole.clone();
            cut[at..].fill(0.0);
            assert!(click(&cut, &[0]).is_some(), "{voice:?} of {choice:?}");
        }
    }
}

/// The sound of the `earlier` hits while `last` is played: all hits together, minus the last one alone. So the attack of the
/// last hit does not hide what it does to the earlier ones.
fn rest(
    kit: &mut Kit,
    earlier: &[(usize, Voice, f32)],
    last: (usize, Voice, f32),
) -> [Vec<f32>; 2] {
    let mut render = |velocity_share: f32| {
        kit.reset();
        let softened = earlier
            .iter()
            .map(|hit| (hit.0, hit.1, hit.2 * velocity_share));
        let hits: Vec<_> = softened.chain([last]).collect();
        play(kit, &hits, 48_000, &[480])
    };
    // The nearly silent hits keep the variation from hit to hit the same.
    let (all, alone) = (render(1.0), render(0.001));
    let less = |all: &Vec<f32>, alone: &Vec<f32>| {
        all.iter()
            .zip(alone)
            .map(|(all, alone)| all - alone)
            .collect()
    };
    [less(&all[0], &alone[0]), less(&all[1], &alone[1])]
}

#[test]
fn a_choke_and_a_steal_do_not_click() {
    for choice in KITS {
        let mut kit = kit(choice);
        let open = [(0, Voice::OpenHat, 0.7)];
        for closing in [Voice::ClosedHat, Voice::PedalHat] {
            for side in rest(&mut kit, &open, (9_600, closing, 0.7)) {
                assert_eq!(click(&side, &[0]), None, "{closing:?} of {choice:?}");
            }
        }
        for voice in Voice::ALL {
            let earlier = [0, 4_000, 8_000].map(|at| (at, voice, 0.6));
            let frames = earlier.map(|hit| hit.0);
            for side in rest(&mut kit, &earlier, (12_000, voice, 0.6)) {
                assert_eq!(click(&side, &frames), None, "{voice:?} of {choice:?}");
            }
        }
    }
}

#[test]
fn a_change_of_kit_does_not_click() {
    for (from, to) in [
        (KitChoice::Acoustic, KitChoice::Electronic),
        (KitChoice::Electronic, KitChoice::Brushes),
        (KitChoice::Acoustic, KitChoice::Off),
        (KitChoice::Electronic, KitChoice::Off),
    ] {
        let mut kit = kit(from);
        let hits = [(0, Voice::Crash, 0.9), (0, Voice::LowTom, 1.0)];
        let [mut sound, _] = play(&mut kit, &hits, 9_600, &[64]);
        kit.set(&to.into());
        let [behind, _] = play(&mut kit, &[], 9_600, &[64]);
        assert!(
            behind[..MS].iter().any(|x| x.abs() > 1e-2),
            "{from:?} to {to:?}"
        );
        let n_quiet = behind.iter().rev().take_while(|x| **x == 0.0).count();
        let is_over = n_quiet >= behind.len() - 10 * MS;
        assert_eq!(is_over, to == KitChoice::Off, "{from:?} to {to:?}");
        sound.extend(behind);
        let click = click(&sound, &[0]);
        // Off fades in 8 ms, which does not click but does count as a break here.
        assert!(
            click.is_none_or(|at| to == KitChoice::Off && at > 9_600 + 4 * MS),
            "{from:?} to {to:?}: {click:?}"
        );
    }
}

#[test]
fn after_a_switch_hits_sound_like_the_new_kit_and_off_is_silent() {
    let hit = [(0, Voice::Snare, 0.8)];
    let mut switched = kit(KitChoice::Acoustic);
    // No hits, so that only the new kit is heard.
    play(&mut switched, &[], 64, &[64]);
    switched.set(&KitChoice::Electronic.into());
    let want = play(&mut kit(KitChoice::Electronic), &hit, 9_600, &[64]);
    assert_eq!(play(&mut switched, &hit, 9_600, &[64]), want);
    switched.set(&KitChoice::Off.into());
    play(&mut switched, &[], 9_600, &[64]);
    let silence = play(&mut switched, &hit, 9_600, &[64]);
    assert!(switched.is_silent() && peak(&silence) == 0.0);
}

/// A kit with one voice set.
fn with(choice: KitChoice, voice: Voice, set: impl Fn(&mut VoiceSettings)) -> KitSettings {
    let mut settings = KitSettings::from(choice);
    set(&mut settings.voices[voice.index()]);
    settings
}

#[test]
fn level_and_pan_affect_only_their_voice_and_glide() {
    let mut kit = kit(KitChoice::Acoustic);
    let whole = one(&mut kit, Voice::Crash, 0.9);
    kit.set(&with(KitChoice::Acoustic, Voice::Snare, |snare| {
        snare.level_db = -60.0;
    }));
    assert_eq!(one(&mut kit, Voice::Crash, 0.9), whole);
    assert!(
        peak(&one(&mut kit, Voice::Snare, 0.9)) == 0.0,
        "-60 dB is silence"
    );
    kit.set(&with(KitChoice::Acoustic, Voice::Crash, |crash| {
        crash.level_db = -6.0206;
    }));
    let half = one(&mut kit, Voice::Crash, 0.9);
    assert!((peak(&half) / peak(&whole) - 0.5).abs() < 1e-3);
    kit.set(&with(KitChoice::Acoustic, Voice::Crash, |crash| {
        crash.pan = -1.0;
    }));
    let [left, right] = one(&mut kit, Voice::Crash, 0.9);
    assert!(left == whole[0] && right.iter().all(|x| *x == 0.0));

    // Turned all at once while it rings.
    kit.reset();
    kit.set(&KitSettings::default());
    let [mut turned, _] = play(&mut kit, &[(0, Voice::LowTom, 1.0)], 9_650, &[50]);
    kit.set(&with(KitChoice::Acoustic, Voice::LowTom, |tom| {
        tom.level_db = 12.0;
    }));
    turned.extend(&play(&mut kit, &[], 9_600, &[50])[0]);
    assert_eq!(click(&turned, &[0]), None);
}

#[test]
fn decay_shortens_and_tune_transposes_new_hits() {
    for choice in KITS {
        let mut kit = kit(choice);
        let energy = |side: &[f32]| side.iter().map(|x| x * x).sum::<f32>();
        for voice in Voice::ALL {
            let whole = one(&mut kit, voice, 0.9);
            kit.set(&with(choice, voice, |voice| voice.decay = 0.3));
            let short = one(&mut kit, voice, 0.9);
            kit.set(&with(choice, voice, |voice| voice.tune_semitones = 12.0));
            let high = one(&mut kit, voice, 0.9);
            kit.set(&choice.into());
            let n_sounding = |sides: &[Vec<f32>; 2]| {
                let last = sides[0].iter().rposition(|x| x.abs() > 1e-4);
                last.unwrap_or(0) as f32
            };
            let name = format!("{voice:?} of {choice:?}");
            assert!(n_sounding(&short) < 0.75 * n_sounding(&whole), "{name}");
            assert!(
                energy(&short[0][..480]) > 0.6 * energy(&whole[0][..480]),
                "{name}"
            );
            assert_eq!(click(&short[0], &[0]), None, "{name}");
            let ratio = n_sounding(&high) / n_sounding(&whole);
            assert!(
                (ratio - 0.5).abs() < 0.06,
                "{name} is {ratio} as long an octave up"
            );
        }
    }
}

#[test]
fn each_group_sounds_on_its_own_output_and_their_sum_is_the_mix() {
    let mut kit = kit(KitChoice::Acoustic);
    let hits: Vec<_> = Voice::ALL
        .into_iter()
        .map(|voice| (500 * voice.index(), voice, 0.4))
        .collect();
    let mix = play(&mut kit, &hits, 24_000, &[256]);
    kit.reset();
    let mut sides = vec![vec![0.0_f32; 24_000]; 2 * N_GROUPS];
    for begin in (0..24_000).step_by(480) {
        for &(frame, voice, velocity) in &hits {
            if (begin..begin + 480).contains(&frame) {
                kit.hit(frame - begin, voice, velocity);
            }
        }
        let mut blocks = sides.iter_mut().map(|side| &mut side[begin..begin + 480]);
        let mut outputs: [[&mut [f32]; 2]; N_GROUPS] =
            std::array::from_fn(|_| std::array::from_fn(|_| blocks.next().unwrap_or_default()));
        kit.render_groups(&mut outputs);
    }
    for (group, voices) in [
        &[Voice::Kick][..],
        &[Voice::Snare, Voice::SideStick, Voice::Clap],
        &[Voice::ClosedHat, Voice::PedalHat, Voice::OpenHat],
        &[Voice::LowTom, Voice::MidTom, Voice::HighTom],
        &[Voice::Crash, Voice::Ride],
        &[Voice::Tambourine, Voice::Shaker],
    ]
    .iter()
    .enumerate()
    {
        kit.reset();
        let own: Vec<_> = hits
            .iter()
            .copied()
            .filter(|hit| voices.contains(&hit.1))
            .collect();
        let alone = play(&mut kit, &own, 24_000, &[480]);
        assert_eq!(sides[2 * group], alone[0], "group {group}");
        assert_eq!(sides[2 * group + 1], alone[1], "group {group}");
    }
    // Far below the limiter's knee, the mix is their sum.
    for (place, side) in mix.iter().enumerate() {
        for (at, want) in side.iter().enumerate() {
            let sum: f32 = (0..N_GROUPS)
                .map(|group| sides[2 * group + place][at])
                .sum();
            assert!((sum - want).abs() < 1e-5, "{sum}, not {want}");
        }
    }
}

#[test]
fn the_kit_level_glides() {
    let mut kit = kit(KitChoice::Acoustic);
    let [mut sound, _] = play(&mut kit, &[(0, Voice::LowTom, 1.0)], 9_650, &[50]);
    kit.set(&KitSettings {
        gain: 0.1,
        ..KitSettings::default()
    });
    let [behind, _] = play(&mut kit, &[], 9_600, &[50]);
    sound.extend(behind);
    assert_eq!(click(&sound, &[0]), None);
    let rest = after(&[sound.clone(), sound], 9_650 + 50 * MS);
    assert!(peak(&rest) > 1e-3 && RATE_HZ > 0.0);
}
