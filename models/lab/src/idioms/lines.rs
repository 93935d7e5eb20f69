//! The bass lines of each family, from `models/idioms`.

use anyhow::{Context as _, Result, ensure};
use lockstep_core::family::Family;

use crate::listen::lines::{self, Line};

/// Bass lines of each family.
const N_LINES: usize = 3;

/// The file of a family's lines.
fn text(family: Family) -> &'static str {
    macro_rules! of {
        ($id:literal) => {
            include_str!(concat!("../../../idioms/", $id, ".toml"))
        };
    }
    match family {
        Family::Rock => of!("rock"),
        Family::HardRock => of!("hard-rock"),
        Family::Punk => of!("punk"),
        Family::Pop => of!("pop"),
        Family::Ballad => of!("ballad"),
        Family::TrainBeat => of!("train-beat"),
        Family::TwoBeat => of!("two-beat"),
        Family::BluesShuffle => of!("blues-shuffle"),
        Family::Swing => of!("swing"),
        Family::JazzWaltz => of!("jazz-waltz"),
        Family::Waltz => of!("waltz"),
        Family::Funk => of!("funk"),
        Family::Soul => of!("soul"),
        Family::RhythmAndBlues => of!("rhythm-and-blues"),
        Family::Disco => of!("disco"),
        Family::House => of!("house"),
        Family::HipHop => of!("hip-hop"),
        Family::DrumAndBass => of!("drum-and-bass"),
        Family::Reggae => of!("reggae"),
        Family::Ska => of!("ska"),
        Family::BossaNova => of!("bossa-nova"),
        Family::Samba => of!("samba"),
        Family::Salsa => of!("salsa"),
        Family::GospelSixEight => of!("gospel-six-eight"),
        Family::March => of!("march"),
        Family::NewOrleans => of!("new-orleans"),
    }
}

/// The lines of a family.
///
/// # Errors
/// The error names the file, the line and the measure.
pub(super) fn of(family: Family) -> Result<Vec<Line>> {
    let name = || format!("models/idioms/{}.toml", family.id());
    let lines = lines::parse(text(family)).with_context(name)?;
    ensure!(
        lines.len() == N_LINES,
        "{} has {} lines, not {N_LINES}",
        name(),
        lines.len()
    );
    Ok(lines)
}

/// Every family with its lines.
///
/// # Errors
/// The error names the file, the line and the measure.
pub(super) fn all() -> Result<Vec<(Family, Vec<Line>)>> {
    Family::ALL
        .into_iter()
        .map(|family| Ok((family, of(family)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_line_has_eight_to_twelve_measures_on_the_strings_of_a_bass() -> Result<()> {
        let mut names = BTreeSet::new();
        for (family, lines) in all()? {
            for line in lines {
                let name = &line.name;
                assert!(names.insert(name.clone()), "{name} twice");
                assert!((8..=12).contains(&line.n_measures), "{family:?} {name}");
                // From the lowest string, E1, to G3, an octave above the highest.
                let stray = line.song.bass.iter().find(|n| !(28..=55).contains(&n.key));
                assert_eq!(stray, None, "{name}");
                let is_silent = |idx: usize| {
                    let begin = (idx * line.meter.n_steps()) as f64;
                    let end = begin + line.meter.n_steps() as f64;
                    let sounds = |n: &lockstep_files::midi_file::Note| {
                        n.start.steps() < end && n.end.steps() > begin
                    };
                    !line.song.bass.iter().any(sounds)
                };
                assert!(!(0..line.n_measures).any(is_silent), "{name}");
            }
        }
        assert_eq!(names.len(), 3 * Family::ALL.len());
        Ok(())
    }

    #[test]
    fn the_lines_have_the_meter_and_the_swing_of_their_family() -> Result<()> {
        for (family, lines) in all()? {
            for line in lines {
                let (name, meter) = (
                    &line.name,
                    (line.meter.numerator(), line.meter.denominator()),
                );
                let expected: &[(u8, u8)] = match family {
                    Family::Waltz | Family::JazzWaltz => &[(3, 4)],
                    Family::GospelSixEight => &[(6, 8), (12, 8)],
                    Family::March => &[(4, 4), (6, 8)],
                    _ => &[(4, 4)],
                };
                assert!(expected.contains(&meter), "{name} in {meter:?}");
                let is_swung = line.swing.eighths() > 0.4;
                let expected = match family {
                    Family::BluesShuffle | Family::Swing | Family::JazzWaltz => Some(true),
                    Family::TwoBeat | Family::Ska => None,
                    _ => Some(false),
                };
                assert!(
                    expected.is_none_or(|expected| expected == is_swung),
                    "{name}"
                );
            }
        }
        Ok(())
    }
}
