//! Lets drummers play to the families' bass lines.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use lockstep_core::family::Family;
use lockstep_core::generator::{DEFAULT_SEED, Generator};
use lockstep_core::rule::RuleGroove;
use lockstep_models::predict::EMBEDDED;
use lockstep_models::weights::Weights;

use super::measure::Measure;
use super::share::Share;
use super::{rules, sheet};
use crate::evaluate::{drummers, playing};
use crate::listen::lines::Line;

/// The first measure with drums, counted from 0: the drummer listens to the one before.
const FIRST_ANSWERED: usize = 1;

/// A drummer that can be asked for families.
pub(super) struct Player {
    name: String,
    /// Names of its network's styles.
    styles: Vec<String>,
    make: Box<dyn Fn() -> Result<Box<dyn Generator>>>,
}

/// What a drummer played, family by family.
#[derive(Clone, Debug)]
pub(super) struct Played {
    /// The drummer's name.
    pub(super) drummer: String,
    /// In the order of the families.
    pub(super) families: Vec<PlayedFamily>,
}

/// What a drummer played to the lines of one family.
#[derive(Clone, Debug)]
pub(super) struct PlayedFamily {
    pub(super) family: Family,
    /// With the family asked for; `None` if the drummer has no style of its name.
    pub(super) asked: Option<Takes>,
    /// With the style left to the drummer.
    pub(super) free: Takes,
}

/// Takes of one family's lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Takes {
    /// How many measures keep the family's rule.
    pub(super) share: Share,
    /// How many different measures there are: the same hits, however loud, are the same measure.
    pub(super) n_different: usize,
    /// The answered measures of each line.
    pub(super) measures: Vec<Vec<Measure>>,
}

/// The rule groove, the embedded drummers and those of weights files; or the last alone.
///
/// # Errors
/// The error names the file that cannot be read or loaded.
pub(super) fn players(weights: &[PathBuf], only_weights: bool) -> Result<Vec<Player>> {
    let mut styles = Vec::new();
    for (name, bytes) in EMBEDDED {
        styles.push(
            Weights::parse(bytes)
                .and_then(|w| w.styles())
                .context(name)?,
        );
    }
    for path in weights {
        let name = || path.display().to_string();
        let bytes = fs::read(path).with_context(name)?;
        styles.push(
            Weights::parse(&bytes)
                .and_then(|w| w.styles())
                .with_context(name)?,
        );
    }
    let with_weights =
        drummers::load_all(weights)?
            .into_iter()
            .zip(styles)
            .map(|(candidate, styles)| Player {
                name: candidate.name.clone(),
                styles,
                make: Box::new(move || candidate.generator()),
            });
    if only_weights {
        return Ok(with_weights.skip(EMBEDDED.len()).collect());
    }
    let rule = Player {
        name: "rule groove".to_owned(),
        styles: Vec::new(),
        make: Box::new(|| Ok(Box::new(RuleGroove))),
    };
    Ok(std::iter::once(rule).chain(with_weights).collect())
}

impl Player {
    /// Plays every line, asked for the family and left free.
    ///
    /// # Errors
    /// The error names the drummer and the line.
    pub(super) fn play(&self, families: &[(Family, Vec<Line>)]) -> Result<Played> {
        let mut generator = (self.make)()?;
        let families = families
            .iter()
            .map(|(family, lines)| {
                let asked = self.style(*family);
                let mut takes = |style| self.takes(*family, lines, style, generator.as_mut());
                Ok(PlayedFamily {
                    family: *family,
                    asked: asked.map(|style| takes(Some(style))).transpose()?,
                    free: takes(None)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Played {
            drummer: self.name.clone(),
            families,
        })
    }

    /// The network's style of a family's name.
    fn style(&self, family: Family) -> Option<u8> {
        let mut names = self.styles.iter().map(|name| Family::from_name(name));
        names
            .position(|named| named == Some(family))
            .and_then(|style| u8::try_from(style).ok())
    }

    fn takes(
        &self,
        family: Family,
        lines: &[Line],
        style: Option<u8>,
        generator: &mut dyn Generator,
    ) -> Result<Takes> {
        let mut controls = playing::controls(DEFAULT_SEED);
        controls.settings.style = style;
        let mut takes = Takes::default();
        let mut different = HashSet::new();
        for line in lines {
            let take = lockstep_offline::play(&line.song, &controls, generator);
            if let Some(failure) = take.failure {
                return Err(failure)
                    .with_context(|| format!("{} playing to the line {:?}", self.name, line.name));
            }
            let mut measures =
                sheet::of_take(&take.song, line.meter, line.tempo_bpm, line.n_measures);
            measures.drain(..FIRST_ANSWERED);
            for measure in &measures {
                takes.share.add(rules::keeps(family, measure) == Some(true));
                different.insert((measure.n_steps(), measure.pattern()));
            }
            takes.measures.push(measures);
        }
        takes.n_different = different.len();
        Ok(takes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idioms::lines;

    #[test]
    fn a_drummer_is_asked_for_families_by_the_names_of_its_styles() -> Result<()> {
        let drummer = Player {
            name: "two styles".to_owned(),
            styles: vec!["eighths on the hat".to_owned(), "Bossa nova".to_owned()],
            make: Box::new(|| Ok(Box::new(RuleGroove))),
        };
        assert_eq!(drummer.style(Family::BossaNova), Some(1));
        assert_eq!(drummer.style(Family::Rock), None);
        let families: Vec<_> = lines::all()?
            .into_iter()
            .filter(|(family, _)| matches!(family, Family::Rock | Family::BossaNova))
            .collect();
        let played = drummer.play(&families)?;
        let [rock, bossa] = &played.families[..] else {
            anyhow::bail!("two families");
        };
        assert!(rock.asked.is_none() && bossa.asked.is_some());
        // Every measure but each line's first is answered: 9 + 8 + 8 of rock.
        assert_eq!(rock.free.share.n(), 25);
        assert!((1..=25).contains(&rock.free.n_different));
        Ok(())
    }

    #[test]
    fn the_rule_groove_plays_rock_and_no_bossa() -> Result<()> {
        let rule = players(&[], false)?.swap_remove(0);
        let played = rule.play(&lines::all()?)?;
        let share = |family: Family| played.families[family.index()].free.share;
        assert!(share(Family::Rock).is_most(), "{:?}", share(Family::Rock));
        assert!(!share(Family::BossaNova).is_most() && !share(Family::Swing).is_most());
        Ok(())
    }
}
