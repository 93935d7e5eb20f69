//! Who swings and who does not: lines of known swing, played exactly and loosely.

use lockstep_core::representation::{
    MeasureEvidence, Meter, Swing, SwingEar, SwingOnset, swing_of_song,
};
use proptest::prelude::*;

/// A line: steps of each measure, repeated.
type Line = [&'static [usize]];

const EIGHTHS: &Line = &[&[0, 2, 4, 6, 8, 10, 12, 14]];
const FUNK: &Line = &[&[0, 3, 6, 7, 10, 11, 12, 14], &[0, 3, 6, 7, 9, 12, 15]];
const DOTTED: &Line = &[&[0, 3, 4, 8, 11, 12]];
const WALKING: &Line = &[&[0, 4, 8, 12], &[0, 4, 8, 12, 14]];
const QUARTERS: &Line = &[&[0, 4, 8, 12]];

/// A number from [0, 1), always the same for a place: the first bits of a product with a large odd number.
fn draw(seed: u64, measure: usize, step: usize) -> f32 {
    let place = seed << 16 | (measure as u64) << 8 | step as u64;
    let mixed = (place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    f32::from((mixed >> 48) as u16) / 65_536.0
}

/// How a line is played.
#[derive(Clone, Copy)]
struct Played {
    swing: Swing,
    bpm: f32,
    /// Mean of the absolute deviation from the grid.
    loose_ms: f32,
    late_ms: f32,
    seed: u64,
}

impl Played {
    fn exactly(eighths: f32, sixteenths: f32) -> Self {
        Self {
            swing: Swing::new(eighths, sixteenths),
            bpm: 120.0,
            loose_ms: 0.0,
            late_ms: 0.0,
            seed: 0,
        }
    }

    fn measure(&self, idx: usize, line: &Line) -> MeasureEvidence {
        let grid = self.swing.in_meter(Meter::COMMON);
        let steps = line[idx % line.len()];
        let per_ms = self.bpm / 15_000.0;
        let mut onsets: Vec<_> = steps
            .iter()
            .map(|step| {
                let draw = 4.0 * draw(self.seed, idx, *step) - 2.0;
                let off = per_ms * (self.late_ms + self.loose_ms * draw);
                SwingOnset::new(grid.step(*step) + f64::from(off), 0.8)
            })
            .collect();
        onsets.sort_by(|a, b| a.place.total_cmp(&b.place));
        MeasureEvidence::of(&onsets, Meter::COMMON, self.bpm)
    }

    fn song(&self, n_measures: usize, line: &Line) -> Vec<MeasureEvidence> {
        (0..n_measures).map(|idx| self.measure(idx, line)).collect()
    }
}

/// What is heard live at the end of each measure.
fn live(measures: &[MeasureEvidence]) -> Vec<Swing> {
    let mut ear = SwingEar::new();
    let mut heard = Vec::new();
    for measure in measures {
        heard.push(ear.swing(measure).swing);
        ear.pass(measure);
    }
    heard
}

fn offline(measures: &[MeasureEvidence]) -> Vec<Swing> {
    swing_of_song(measures)
        .iter()
        .map(|heard| heard.swing)
        .collect()
}

fn is_near(heard: Swing, expected: Swing, within: f32) -> bool {
    (heard.eighths() - expected.eighths()).abs() <= within
        && (heard.sixteenths() - expected.sixteenths()).abs() <= within
}

#[test]
fn an_exact_line_is_heard_exactly_within_a_measure() {
    for (line, eighths, sixteenths) in [
        (EIGHTHS, 2.0 / 3.0, 0.0),
        (EIGHTHS, 0.44, 0.0),
        (EIGHTHS, 0.72, 0.0),
        (FUNK, 0.0, 2.0 / 3.0),
        (FUNK, 2.0 / 3.0, 0.0),
    ] {
        let played = Played::exactly(eighths, sixteenths);
        let measures = played.song(8, line);
        for heard in live(&measures).into_iter().chain(offline(&measures)) {
            assert!(
                is_near(heard, played.swing, 1e-4),
                "{heard:?} for {eighths} {sixteenths}"
            );
        }
    }
}

#[test]
fn a_walking_bass_is_heard_to_swing_at_its_second_skip_note() {
    let played = Played::exactly(2.0 / 3.0, 0.0);
    let heard = live(&played.song(8, WALKING));
    let n_straight = heard.iter().take_while(|swing| swing.is_straight()).count();
    assert_eq!(n_straight, 3);
    assert!(is_near(heard[3], played.swing, 1e-4));
    // With the whole song at hand, from the first measure.
    assert!(
        offline(&played.song(8, WALKING))
            .iter()
            .all(|swing| is_near(*swing, played.swing, 1e-4))
    );
}

#[test]
fn dotted_rhythms_and_lines_without_off_beats_are_straight() {
    for line in [DOTTED, QUARTERS, EIGHTHS, FUNK] {
        let measures = Played::exactly(0.0, 0.0).song(16, line);
        assert!(live(&measures).iter().all(|swing| swing.is_straight()));
        assert!(offline(&measures).iter().all(|swing| swing.is_straight()));
    }
    let measures = Played::exactly(2.0 / 3.0, 0.0).song(16, QUARTERS);
    assert!(
        live(&measures).iter().all(|swing| swing.is_straight()),
        "nothing tells"
    );
}

#[test]
fn triplets_as_a_fill_do_not_make_a_straight_song_swing() {
    let straight = Played::exactly(0.0, 0.0);
    let triplets: Vec<_> = (0..12)
        .map(|i| SwingOnset::new(f64::from(i) * 4.0 / 3.0, 0.8))
        .collect();
    let sextuplets: Vec<_> = (0..24)
        .map(|i| SwingOnset::new(f64::from(i) * 2.0 / 3.0, 0.8))
        .collect();
    for fill in [triplets, sextuplets] {
        let mut measures = straight.song(16, EIGHTHS);
        for idx in [3, 7, 8] {
            measures[idx] = MeasureEvidence::of(&fill, Meter::COMMON, 120.0);
        }
        assert!(live(&measures).iter().all(|swing| swing.is_straight()));
        assert!(offline(&measures).iter().all(|swing| swing.is_straight()));
    }
}

#[test]
fn a_song_that_begins_to_swing_is_followed_within_two_measures_and_back() {
    let (straight, shuffle) = (Played::exactly(0.0, 0.0), Played::exactly(2.0 / 3.0, 0.0));
    let mut measures = straight.song(12, EIGHTHS);
    measures.extend(shuffle.song(12, EIGHTHS));
    measures.extend(straight.song(12, EIGHTHS));
    let heard = live(&measures);
    let swings: Vec<_> = heard.iter().map(|swing| !swing.is_straight()).collect();
    let from = swings.iter().position(|swings| *swings).unwrap_or_default();
    let to = swings
        .iter()
        .rposition(|swings| *swings)
        .unwrap_or_default();
    assert!(
        (12..=13).contains(&from) && (23..=24).contains(&to),
        "{from} to {to}"
    );
    assert!(swings[from..=to].iter().all(|swings| *swings));
    // Offline the change is found at its own measure.
    let swings: Vec<_> = offline(&measures)
        .iter()
        .map(|swing| !swing.is_straight())
        .collect();
    let expected: Vec<_> = (0..36).map(|idx| (12..24).contains(&idx)).collect();
    assert_eq!(swings, expected);
}

#[test]
fn a_silent_measure_has_the_swing_of_its_neighbours() {
    let shuffle = Played::exactly(2.0 / 3.0, 0.0);
    let mut measures = shuffle.song(6, EIGHTHS);
    measures[0] = MeasureEvidence::default();
    measures.extend([MeasureEvidence::default(); 3]);
    assert!(
        offline(&measures)
            .iter()
            .all(|swing| is_near(*swing, shuffle.swing, 1e-4))
    );
    assert!(is_near(live(&measures)[8], shuffle.swing, 1e-4));
}

#[test]
fn six_eight_swings_in_sixteenths_only() {
    let meter = Meter::new(6, 8).unwrap_or_default();
    let at = |places: &[f64]| {
        let onsets: Vec<_> = places
            .iter()
            .map(|place| SwingOnset::new(*place, 0.8))
            .collect();
        live(&[MeasureEvidence::of(&onsets, meter, 90.0); 8])[7]
    };
    let third = 1.0 / 3.0;
    assert!(at(&[0.0, 2.0 + 2.0 * third, 4.0, 6.0, 8.0 + 2.0 * third, 10.0]).eighths() <= 0.0);
    let funk = at(&[
        0.0,
        1.0 + third,
        2.0,
        3.0 + third,
        4.0,
        6.0,
        8.0,
        9.0 + third,
        10.0,
    ]);
    assert!(is_near(funk, Swing::new(0.0, 2.0 / 3.0), 1e-4), "{funk:?}");
}

#[test]
fn a_chord_and_a_flam_count_as_one_onset() {
    let flam = [0.0, 1.8, 2.0, 4.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0];
    let onsets: Vec<_> = flam
        .iter()
        .map(|place| SwingOnset::new(*place, 0.8))
        .collect();
    let heard = live(&[MeasureEvidence::of(&onsets, Meter::COMMON, 120.0); 8]);
    assert!(heard.iter().all(|swing| swing.is_straight()));
}

/// Loose players, one a seed: up to 20 ms off the grid (12 ms is usual), and 5 ms early to 20 ms late as a whole.
fn loose_players(swing: Swing) -> impl Iterator<Item = Played> {
    (0..100_u8).map(move |seed| Played {
        loose_ms: 10.0,
        late_ms: f32::from(seed % 6) * 5.0 - 5.0,
        seed: seed.into(),
        ..Played::exactly(swing.eighths(), swing.sixteenths())
    })
}

#[test]
fn loose_and_lazy_players_of_straight_lines_are_straight() {
    for line in [EIGHTHS, FUNK, DOTTED, WALKING, QUARTERS] {
        let mut n_wrong = [0, 0];
        for player in loose_players(Swing::STRAIGHT) {
            let measures = player.song(16, line);
            for (n, heard) in n_wrong
                .iter_mut()
                .zip([live(&measures), offline(&measures)])
            {
                *n += heard.iter().filter(|swing| !swing.is_straight()).count();
            }
        }
        assert!(
            n_wrong.iter().all(|n| *n <= 16),
            "{n_wrong:?} of 1600 measures of {line:?}"
        );
    }
}

#[test]
fn the_swing_of_loose_players_is_found() {
    for amount in [0.4, 0.5, 2.0 / 3.0] {
        for (line, swing) in [
            (EIGHTHS, Swing::new(amount, 0.0)),
            (FUNK, Swing::new(0.0, amount)),
        ] {
            let mut n_wrong = [0, 0];
            for player in loose_players(swing) {
                let measures = player.song(16, line);
                for (n, heard) in n_wrong
                    .iter_mut()
                    .zip([&live(&measures)[8..], &offline(&measures)])
                {
                    *n += heard
                        .iter()
                        .filter(|heard| !is_near(**heard, swing, 0.15))
                        .count();
                }
            }
            assert!(
                n_wrong[0] <= 40 && n_wrong[1] <= 32,
                "{n_wrong:?} of 800 and 1600 for {swing:?}"
            );
        }
    }
}

proptest! {
    #[test]
    fn nothing_that_is_played_gives_an_unlawful_swing(places in proptest::collection::vec(-10.0_f64..40.0, 0..64), bpm in -5.0_f32..1000.0) {
        let mut places = places;
        places.sort_by(f64::total_cmp);
        let onsets: Vec<_> = places.iter().map(|place| SwingOnset::new(*place, 0.5)).collect();
        let heard = live(&[MeasureEvidence::of(&onsets, Meter::COMMON, bpm); 4])[3];
        prop_assert_eq!(heard, Swing::new(heard.eighths(), heard.sixteenths()));
    }
}
