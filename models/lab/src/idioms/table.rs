//! The outcome as tables: Markdown for people, JSON for programs.

use std::fmt::Write as _;

use lockstep_core::family::Family;
use serde_json::{Value, json};

use super::people::People;
use super::play::{Played, PlayedFamily};
use super::rules;
use super::share::Share;

/// A drummer's table: shares in percent, "–" where there is nothing to measure.
pub(super) fn markdown(played: &Played, people: Option<&People>) -> String {
    let mut text = format!(
        "**{}**: share of measures that keep the family's rule, in percent\n\n\
         | family | people | by title | other families | asked for | left free | different measures |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
        played.drummer
    );
    for family in &played.families {
        let of = |shares: fn(&People) -> &[Share]| {
            percent(people.map(|people| shares(people)[family.family.index()]))
        };
        let _infallible = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            family.family.name(),
            of(|people| &people.own),
            of(|people| &people.titled),
            of(|people| &people.others),
            percent(family.asked.as_ref().map(|takes| takes.share)),
            percent(Some(family.free.share)),
            different(family),
        );
    }
    let _infallible = writeln!(text, "\n{}", summary(played));
    text
}

/// Different measures of those played: asked for, if it was, and left free.
fn different(family: &PlayedFamily) -> String {
    let free = &family.free;
    let of = |n_different: usize, share: Share| format!("{n_different} of {}", share.n());
    match &family.asked {
        Some(asked) => format!(
            "{}, {}",
            of(asked.n_different, asked.share),
            of(free.n_different, free.share)
        ),
        None => of(free.n_different, free.share),
    }
}

fn summary(played: &Played) -> String {
    let n = played.families.len();
    let n_most = |share: fn(&PlayedFamily) -> Option<Share>| {
        let mut families = played.families.iter().filter_map(share).collect::<Vec<_>>();
        families.retain(|share| share.is_most());
        families.len()
    };
    let n_asked = played
        .families
        .iter()
        .filter(|family| family.asked.is_some())
        .count();
    let free = n_most(|family| Some(family.free.share));
    if n_asked == 0 {
        return format!(
            "{} keeps {free} of {n} families in most measures when left free; it has no style named after one.",
            played.drummer
        );
    }
    let asked = n_most(|family| family.asked.as_ref().map(|takes| takes.share));
    format!(
        "{} keeps {asked} of the {n_asked} families it can be asked for in most measures, and {free} of {n} when left free.",
        played.drummer
    )
}

/// The report: each drummer's table, and the rules in words.
pub(super) fn page(played: &[Played], people: Option<&People>) -> String {
    let mut text = "# Families of grooves\n\n\
         Three bass lines of our own for each family (`models/idioms`), played through the plugin's engine with the default seed \
         and settings; the first measure of each line is only heard. *People* are labelled measures of sources that name the \
         groove, *by title* those of songs whose groove is common knowledge, *other families* the measures of all other families \
         in the first: a rule that they keep too says little.\n"
        .to_owned();
    for outcome in played {
        let _infallible = writeln!(text, "\n{}", markdown(outcome, people).trim_end());
    }
    text.push_str("\n## The rules\n\n| family | what its measures have |\n|---|---|\n");
    for family in Family::ALL {
        let _infallible = writeln!(text, "| {} | {} |", family.name(), rules::words(family));
    }
    text
}

/// Everything measured; an undefined share is `null`.
pub(super) fn json(played: &[Played], people: Option<&People>) -> Value {
    let measured = |share: Share| json!({ "percent": share.percent(), "n_measures": share.n() });
    let people = people.map(|people| {
        Family::ALL.map(|family| {
            let of = |shares: &[Share]| measured(shares[family.index()]);
            json!({
                "family": family.id(),
                "own": of(&people.own),
                "by_title": of(&people.titled),
                "other_families": of(&people.others),
            })
        })
    });
    let drummers: Vec<Value> = played
        .iter()
        .map(|outcome| {
            let families: Vec<Value> = outcome
                .families
                .iter()
                .map(|family| {
                    let takes = |takes: &super::play::Takes| {
                        json!({
                            "percent": takes.share.percent(),
                            "n_measures": takes.share.n(),
                            "n_different": takes.n_different,
                        })
                    };
                    json!({
                        "family": family.family.id(),
                        "asked_for": family.asked.as_ref().map(takes),
                        "left_free": takes(&family.free),
                    })
                })
                .collect();
            json!({ "drummer": outcome.drummer, "families": families })
        })
        .collect();
    json!({ "people": people.map(|families| families.to_vec()), "drummers": drummers })
}

fn percent(share: Option<Share>) -> String {
    share
        .and_then(Share::percent)
        .map_or_else(|| "–".to_owned(), |percent| format!("{percent:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idioms::play::Takes;

    #[test]
    fn a_family_without_a_style_of_its_name_has_a_dash() {
        let mut share = Share::default();
        share.add(true);
        share.add(true);
        share.add(false);
        let free = Takes {
            share,
            n_different: 2,
            measures: Vec::new(),
        };
        let family = |family, asked| PlayedFamily {
            family,
            asked,
            free: free.clone(),
        };
        let mut played = Played {
            drummer: "one".to_owned(),
            families: vec![family(Family::Waltz, None)],
        };
        let text = markdown(&played, None);
        assert!(
            text.contains("| Waltz | – | – | – | – | 67 | 2 of 3 |"),
            "{text}"
        );
        assert!(
            text.contains("keeps 1 of 1 families in most measures when left free"),
            "{text}"
        );
        played
            .families
            .push(family(Family::Ska, Some(Takes::default())));
        let text = markdown(&played, None);
        assert!(
            text.contains("keeps 0 of the 1 families it can be asked for"),
            "{text}"
        );
    }
}
