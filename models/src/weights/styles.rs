//! Names of styles: what a groove plays, in a few words.
//!
//! Styles are clusters without labels, so a name describes the mean groove and claims no genre.

use lockstep_core::representation::{N_VOICES, Voice};

use crate::network::NET_STEPS;

/// Cells of a groove.
const N_CELLS: usize = NET_STEPS * N_VOICES;

/// A name for each groove of `hits`, `(n, 16, N_VOICES)` in one row: mean hits of each cell of a 4/4 measure, in `[0, 1]`.
/// Grooves with equal names also get their number of hits.
pub fn names(hits: &[f32]) -> Vec<String> {
    let (grooves, _) = hits.as_chunks::<N_CELLS>();
    let names: Vec<String> = grooves.iter().map(name).collect();
    let is_alone = |name: &String| names.iter().filter(|other| *other == name).count() == 1;
    let names = names.iter().zip(grooves).map(|(name, groove)| {
        let n_hits = groove.iter().sum::<f32>();
        if is_alone(name) {
            name.clone()
        } else {
            format!("{name}, {n_hits:.1} hits a measure")
        }
    });
    names.collect()
}

/// A groove in a few words: what keeps time and in which note value, the snare (or side stick, or claps), the kick.
fn name(groove: &[f32; N_CELLS]) -> String {
    let at = |step: usize, voice: Voice| groove[step * N_VOICES + voice.index()];
    let sum = |voice: Voice| (0..NET_STEPS).map(|step| at(step, voice)).sum::<f32>();
    let off_beat = |voice: Voice| {
        (2..NET_STEPS)
            .step_by(4)
            .map(|step| at(step, voice))
            .sum::<f32>()
    };
    let timekeepers = [
        (Voice::ClosedHat, "hat"),
        (Voice::OpenHat, "open hat"),
        (Voice::Ride, "ride"),
        (Voice::Shaker, "shaker"),
        (Voice::Tambourine, "tambourine"),
    ];
    let mut by_hits = timekeepers.map(|(voice, name)| (sum(voice), voice, name));
    by_hits.sort_by(|a, b| b.0.total_cmp(&a.0));
    let [(most, voice, name), (second, other, other_name), ..] = by_hits;
    let pulse = if most < 1.5 {
        "no cymbal".to_owned()
    } else {
        let division = division(|step| at(step, voice));
        let other = if second <= 0.6 * most {
            String::new()
        } else if off_beat(other) > 0.8 * second {
            format!(", {other_name} off the beat")
        } else {
            format!(" and {other_name}")
        };
        format!("{division} on the {name}{other}")
    };
    // Whichever of the three is likeliest at a step stands for it: claps often double the snare.
    let snare_at = |step: usize| {
        let each = [Voice::Snare, Voice::SideStick, Voice::Clap].map(|voice| at(step, voice));
        each.into_iter().fold(0.0, f32::max)
    };
    let snares = (0..NET_STEPS).map(snare_at).sum::<f32>();
    let backbeat = snare_at(4) + snare_at(12);
    let snare = if snares > 4.0 {
        "rolling snare"
    } else if backbeat > 0.4 * snares {
        "backbeat"
    } else if snare_at(8) > 0.4 {
        "half-time snare"
    } else if snares > 2.0 {
        "busy snare"
    } else {
        "little snare"
    };
    let has = |steps: &[usize], voice| steps.iter().all(|step| at(*step, voice) > 0.4);
    let kick = if has(&[0, 4, 8, 12], Voice::Kick) {
        "four on the floor"
    } else if has(&[0, 8], Voice::Kick) {
        "kick on one and three"
    } else if has(&[0], Voice::Kick) {
        "kick on one"
    } else if sum(Voice::Kick) > 1.0 {
        "free kick"
    } else {
        "little kick"
    };
    format!("{pulse}, {snare}, {kick}")
}

/// The note value in which a voice keeps time.
fn division(at: impl Fn(usize) -> f32) -> &'static str {
    let mean = |first: usize, each: usize| {
        let steps = (first..NET_STEPS).step_by(each);
        let n = steps.len() as f32;
        steps.map(&at).sum::<f32>() / n
    };
    let (quarters, eighths, sixteenths) = (mean(0, 4), mean(2, 4), mean(1, 2));
    if sixteenths > 0.5 * quarters.max(eighths) {
        "sixteenths"
    } else if eighths > 0.5 * quarters {
        "eighths"
    } else {
        "quarters"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groove(cells: &[(Voice, &[usize])]) -> [f32; N_CELLS] {
        let mut groove = [0.0; N_CELLS];
        for (voice, steps) in cells {
            for step in *steps {
                groove[step * N_VOICES + voice.index()] = 0.8;
            }
        }
        groove
    }

    #[test]
    fn a_groove_is_named_after_what_it_plays() {
        const BEATS: &[usize] = &[0, 4, 8, 12];
        const OFF_BEATS: &[usize] = &[2, 6, 10, 14];
        const EIGHTHS: &[usize] = &[0, 2, 4, 6, 8, 10, 12, 14];
        const BACKBEAT: (Voice, &[usize]) = (Voice::Snare, &[4, 12]);
        let rock = groove(&[
            (Voice::ClosedHat, EIGHTHS),
            BACKBEAT,
            (Voice::Kick, &[0, 8]),
        ]);
        let disco = groove(&[
            (Voice::ClosedHat, BEATS),
            (Voice::OpenHat, OFF_BEATS),
            BACKBEAT,
            (Voice::Kick, BEATS),
        ]);
        let march = groove(&[(Voice::Snare, EIGHTHS), (Voice::Kick, &[0])]);
        let one_drop = groove(&[
            (Voice::Shaker, EIGHTHS),
            (Voice::SideStick, &[8]),
            (Voice::Kick, &[8]),
        ]);
        let claps = groove(&[
            (Voice::Tambourine, EIGHTHS),
            BACKBEAT,
            (Voice::Clap, &[4, 12]),
            (Voice::Kick, BEATS),
        ]);
        let mut busy = rock;
        busy[3 * N_VOICES] = 0.3;
        let hits = [rock, disco, march, [0.0; N_CELLS], one_drop, claps, busy];
        let expected = [
            "eighths on the hat, backbeat, kick on one and three, 9.6 hits a measure",
            "quarters on the hat, open hat off the beat, backbeat, four on the floor",
            "no cymbal, rolling snare, kick on one",
            "no cymbal, little snare, little kick",
            "eighths on the shaker, half-time snare, little kick",
            "eighths on the tambourine, backbeat, four on the floor",
            "eighths on the hat, backbeat, kick on one and three, 9.9 hits a measure",
        ];
        assert_eq!(names(hits.as_flattened()), expected);
    }
}
