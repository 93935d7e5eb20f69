//! A measure of each family as a drummer would write it down, and what the rules say of it.

use lockstep_core::family::Family;
use lockstep_core::representation::{Meter, N_VOICES, Swing, Voice};

use super::{keeps, words};
use crate::idioms::measure::Measure;

/// A measure: `X` an accent, `x` a stroke, `s` a soft one, `g` a ghost note, `.` nothing.
fn measure(meter: (u8, u8), tempo_bpm: f64, eighths: f32, grid: &str) -> Measure {
    let meter = Meter::new(meter.0, meter.1).expect("a meter");
    let mut rows = vec![[0; N_VOICES]; meter.n_steps()];
    for line in grid.trim().lines() {
        let (label, marks) = line.trim().split_once(' ').expect("a label and its steps");
        let voice = Voice::ALL.into_iter().find(|voice| voice.label() == label);
        let voice = voice.unwrap_or_else(|| panic!("{label:?} is no voice"));
        let marks: Vec<char> = marks.chars().filter(|c| !c.is_whitespace()).collect();
        assert_eq!(marks.len(), meter.n_steps(), "{line:?}");
        for (row, mark) in rows.iter_mut().zip(marks) {
            row[voice.index()] = match mark {
                'X' => 110,
                'x' => 84,
                's' => 60,
                'g' => 30,
                _ => 0,
            };
        }
    }
    Measure {
        meter,
        tempo_bpm,
        swing: Swing::new(eighths, 0.0),
        rows,
    }
}

fn four(tempo_bpm: f64, grid: &str) -> Measure {
    measure((4, 4), tempo_bpm, 0.0, grid)
}

fn swung(meter: (u8, u8), tempo_bpm: f64, grid: &str) -> Measure {
    measure(meter, tempo_bpm, 2.0 / 3.0, grid)
}

/// What a drummer plays in a family.
#[expect(clippy::too_many_lines, reason = "a grid or two for each family")]
fn ideals(family: Family) -> Vec<Measure> {
    match family {
        Family::Rock => vec![plain_rock_beat()],
        Family::HardRock => vec![four(
            140.0,
            "crsh X... X... X... X...
             snar .... X... .... X...
             kick X.XX ..XX X.XX ..XX",
        )],
        Family::Punk => vec![four(
            180.0,
            "clhh X... X... X... X...
             snar ..X. ..X. ..X. ..X.
             kick X... X... X... X...",
        )],
        Family::Pop => vec![four(
            108.0,
            "clhh x.x. x.x. x.x. x.x.
             clap .... X... .... X...
             kick X..x .... x.x. ....",
        )],
        Family::Ballad => vec![four(
            68.0,
            "clhh s.s. s.s. s.s. s.s.
             side .... x... .... x...
             kick x... ..s. x... ....",
        )],
        Family::TrainBeat => vec![four(
            108.0,
            "snar ggXg ggXg ggXg ggXg
             kick x... .... x... ....",
        )],
        Family::TwoBeat => vec![four(
            112.0,
            "clhh s... s... s... s...
             snar .... x... .... x...
             kick x... .... x... ....",
        )],
        Family::BluesShuffle => vec![swung(
            (4, 4),
            120.0,
            "clhh x.s. x.s. x.s. x.s.
             snar .... X... .... X...
             kick x... .... x... ....",
        )],
        Family::Swing => vec![
            swung(
                (4, 4),
                160.0,
                "ride x... x.s. x... x.s.
                 pdhh .... x... .... x...
                 kick g... g... g... g...
                 snar .... ..g. .... ....",
            ),
            // As it is written on a grid without swing.
            four(
                140.0,
                "ride x... x..s x... x..s
                 pdhh .... x... .... x...",
            ),
        ],
        Family::JazzWaltz => vec![swung(
            (3, 4),
            150.0,
            "ride x... x.s. x...
             pdhh .... x... ....
             kick s... .... ....",
        )],
        Family::Waltz => vec![measure(
            (3, 4),
            120.0,
            0.0,
            "kick x... .... ....
             snar .... s... s...",
        )],
        Family::Funk => vec![four(
            100.0,
            "clhh x.x. x.x. x.x. x.x.
             snar .... X..g .g.. X..g
             kick X.x. ...x ..x. ....",
        )],
        Family::Soul => vec![
            four(
                126.0,
                "clhh x.x. x.x. x.x. x.x.
                 tamb .... x... .... x...
                 snar X... X... X... X...
                 kick X... ..x. x... ..x.",
            ),
            four(
                104.0,
                "clhh x.x. x.x. x.x. x.x.
                 snar .... X... .... X...
                 kick X... ..x. x.x. ....",
            ),
        ],
        Family::RhythmAndBlues => vec![four(
            84.0,
            "clhh x.x. x.xx x.x. x.x.
             side .... x... .... x...
             kick X... ...x ..x. ....",
        )],
        Family::Disco => vec![four(
            118.0,
            "clhh x... x... x... x...
             ophh ..X. ..X. ..X. ..X.
             clap .... x... .... x...
             snar .... X... .... X...
             kick X... X... X... X...",
        )],
        Family::House => vec![four(
            124.0,
            "ophh ..x. ..x. ..x. ..x.
             shkr s.s. s.s. s.s. s.s.
             kick X... X... X... X...",
        )],
        Family::HipHop => vec![four(
            90.0,
            "clhh x.x. x.x. x.x. x.xx
             snar .... X... .... X...
             kick X..x .... ..x. ....",
        )],
        Family::DrumAndBass => vec![four(
            174.0,
            "clhh x.x. x.x. x.x. x.x.
             snar .... X..g .g.. X...
             kick X... .... ..X. ....",
        )],
        Family::Reggae => vec![
            four(
                140.0,
                "clhh x.s. x.s. x.s. x.s.
                 side .... .... X... ....
                 kick .... .... X... ....",
            ),
            four(
                72.0,
                "clhh x.x. x.x. x.x. x.x.
                 snar .... X... .... X...
                 kick .... X... .... X...",
            ),
        ],
        Family::Ska => vec![four(
            150.0,
            "clhh ..X. ..X. ..X. ..X.
             snar .... X... .... X...
             kick X... .... x... ....",
        )],
        Family::BossaNova => vec![four(
            130.0,
            "clhh s.s. s.s. s.s. s.s.
             side x... ..x. .... x...
             kick x... ..s. x... ..s.
             pdhh .... s... .... s...",
        )],
        Family::Samba => vec![four(
            100.0,
            "shkr xssx xssx xssx xssx
             side x.x. .x.x .x.. x.x.
             kick s..x X..x s..x X..x",
        )],
        Family::Salsa => vec![four(
            100.0,
            "ride x.x. xx.x .xx. x.x.
             side ...x ..x. .... x...
             kick ...x .... ...x ....",
        )],
        Family::GospelSixEight => vec![
            measure(
                (6, 8),
                90.0,
                0.0,
                "clhh x.s.s. x.s.s.
                 snar ...... X.....
                 kick X..... ....s.",
            ),
            swung(
                (4, 4),
                64.0,
                "clhh xss. xss. xss. xss.
                 snar .... X... .... X...
                 kick X... ..s. X... ....",
            ),
        ],
        Family::March => vec![
            four(
                116.0,
                "kick X... .... X... ....
                 snar ..x. x.x. ..x. xxxx",
            ),
            measure(
                (6, 8),
                174.0,
                0.0,
                "kick X..... x.....
                 snar x.x.x. x.x.x.",
            ),
        ],
        Family::NewOrleans => vec![four(
            96.0,
            "snar xg.x .gX. g.xg .gX.
             kick X..x ..x. .... X...
             pdhh ..x. ..x. ..x. ..x.",
        )],
    }
}

/// The beat that everybody knows.
fn plain_rock_beat() -> Measure {
    four(
        120.0,
        "clhh x.x. x.x. x.x. x.x.
         snar .... X... .... X...
         kick X... .... X... ....",
    )
}

#[test]
fn an_ideal_measure_of_each_family_keeps_its_rule() {
    for family in Family::ALL {
        for (i, ideal) in ideals(family).iter().enumerate() {
            assert_eq!(keeps(family, ideal), Some(true), "{family:?} {i}");
        }
    }
}

#[test]
fn a_plain_rock_beat_is_rock_and_pop_and_a_bare_two_beat_and_nothing_else() {
    let beat = plain_rock_beat();
    let kept: Vec<Family> = Family::ALL
        .into_iter()
        .filter(|family| keeps(*family, &beat) == Some(true))
        .collect();
    // At 116 BPM and below it could also be rhythm and blues.
    assert_eq!(kept, [Family::Rock, Family::Pop, Family::TwoBeat]);
}

#[test]
fn no_rule_is_kept_by_silence_or_by_every_voice_at_once() {
    for (meter, fill) in [
        ((4, 4), 0),
        ((4, 4), 100),
        ((3, 4), 0),
        ((6, 8), 0),
        ((6, 8), 100),
    ] {
        let mut measure = measure(
            meter,
            120.0,
            0.0,
            &format!("kick {}", ".".repeat(if meter == (4, 4) { 16 } else { 12 })),
        );
        for row in &mut measure.rows {
            row.fill(fill);
        }
        for family in Family::ALL {
            assert_ne!(keeps(family, &measure), Some(true), "{family:?} {fill}");
        }
    }
}

#[test]
fn a_rule_says_nothing_in_a_meter_that_is_not_its_own() {
    let waltz = &ideals(Family::Waltz)[0];
    assert_eq!(keeps(Family::Rock, waltz), None);
    assert_eq!(keeps(Family::Waltz, &plain_rock_beat()), None);
    let six_eight = &ideals(Family::GospelSixEight)[0];
    assert_eq!(keeps(Family::Waltz, six_eight), None);
}

#[test]
fn what_makes_the_idiom_is_what_the_rule_needs() {
    let without = |family: Family, voice: Voice| {
        let mut measure = ideals(family)[0].clone();
        for row in &mut measure.rows {
            row[voice.index()] = 0;
        }
        keeps(family, &measure)
    };
    for (family, voice) in [
        (Family::Disco, Voice::OpenHat),
        (Family::House, Voice::Kick),
        (Family::Swing, Voice::Ride),
        (Family::Reggae, Voice::SideStick),
        (Family::BossaNova, Voice::SideStick),
        (Family::BossaNova, Voice::Kick),
        (Family::Samba, Voice::Shaker),
        (Family::Ska, Voice::ClosedHat),
        (Family::TrainBeat, Voice::Snare),
        (Family::Waltz, Voice::Kick),
        (Family::JazzWaltz, Voice::Ride),
        (Family::GospelSixEight, Voice::Snare),
        (Family::NewOrleans, Voice::Snare),
        (Family::BluesShuffle, Voice::ClosedHat),
    ] {
        assert_eq!(
            without(family, voice),
            Some(false),
            "{family:?} without {voice:?}"
        );
    }
    // Played straight, the shuffle and the swing of a ride are neither.
    for family in [Family::BluesShuffle, Family::Swing] {
        let mut straight = ideals(family)[0].clone();
        straight.swing = Swing::STRAIGHT;
        assert_eq!(keeps(family, &straight), Some(false), "{family:?}");
    }
}

#[test]
fn every_rule_is_said_in_words() {
    for family in Family::ALL {
        assert!(words(family).len() > 30, "{family:?}");
    }
}
