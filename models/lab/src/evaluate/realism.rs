//! Realism in the report: how well each drummer can be told from people, and its vocabulary beside theirs.

use serde_json::{Map, Value, json};

use crate::realism::{Habits, Realism, View};

use super::measure::ResultRow;
use super::table::{NONE, aligned, number};

/// The figures as Markdown, a row each, with a column for each outcome.
pub(super) fn table(outcomes: &[ResultRow]) -> String {
    let row = |name: String, cells: &dyn Fn(&ResultRow) -> String| {
        let cells = outcomes.iter().map(cells);
        std::iter::once(name).chain(cells).collect::<Vec<String>>()
    };
    let mut rows = vec![row(String::new(), &|outcome| outcome.name.clone())];
    for (i, view) in View::ALL.into_iter().enumerate() {
        rows.push(row(
            format!("told by {}, % / AUC", view.name()),
            &|outcome| {
                let verdict = outcome.realism.and_then(|realism| realism.verdicts[i]);
                verdict.map_or(NONE.to_owned(), |verdict| {
                    format!("{:.1} / {:.1}", verdict.accuracy, verdict.auc)
                })
            },
        ));
    }
    let names = outcomes.first().map(|first| named(&first.habits));
    for (i, (name, _)) in names.into_iter().flatten().enumerate() {
        let n_digits = usize::from(name != "measures");
        let value = |outcome: &ResultRow| number(named(&outcome.habits)[i].1, n_digits);
        rows.push(row(name.to_owned(), &value));
    }
    aligned(&rows)
}

/// The vocabulary and the use of the kit.
fn named(habits: &Habits) -> Vec<(&'static str, f64)> {
    let vocabulary = habits.vocabulary.named().into_iter();
    vocabulary.chain(habits.kit_use.named()).collect()
}

/// What the rows mean, as Markdown.
pub(super) fn legend() -> &'static str {
    "told by: windows of four measures that a classifier tells from people's after it has learnt other songs, and the area \
     under its curve; 50 cannot be told from people. Rows down to the off-16th hits are c2st.py's and count the nine voices of \
     version 1 of the representation; the others count fourteen. Measures are those of windows in which the drummer, people \
     and the bass play; people's are of all windows in which they and the bass do. impossible steps: more than two voices that \
     are played with sticks."
}

/// Everything measured. An undefined figure is `null`.
pub(super) fn json(outcome: &ResultRow) -> Value {
    json!({
        "compared": outcome.realism.as_ref().map(compared),
        "vocabulary": object(&outcome.habits.vocabulary.named()),
        "kit_use": object(&outcome.habits.kit_use.named()),
    })
}

fn compared(realism: &Realism) -> Value {
    let verdicts = View::ALL.into_iter().zip(realism.verdicts);
    let verdicts: Map<String, Value> = verdicts
        .filter_map(|(view, verdict)| Some((view, verdict?)))
        .map(|(view, verdict)| {
            let figures = json!({ "accuracy": verdict.accuracy, "auc": verdict.auc });
            (view.name().to_owned(), figures)
        })
        .collect();
    json!({
        "n_windows": realism.n_windows,
        "n_songs": realism.n_songs,
        "told_by": verdicts,
        "people_in_the_same_windows": {
            "vocabulary": object(&realism.people.vocabulary.named()),
            "kit_use": object(&realism.people.kit_use.named()),
        },
    })
}

fn object(named: &[(&'static str, f64)]) -> Map<String, Value> {
    let named = named.iter();
    named
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::outcome;
    use super::*;

    #[test]
    fn every_figure_has_a_row_and_every_drummer_a_column() {
        let outcomes = [outcome("stone", 1.0), outcome("ear", 9.0)];
        let table = table(&outcomes);
        for line in table.lines() {
            assert_eq!(line.matches('|').count(), 4, "{line}");
        }
        assert!(table.contains("impossible steps") && table.contains("told by hits"));
        assert!(!table.contains("NaN"), "{table}");
        let json = json(&outcomes[0]);
        assert!(json["vocabulary"]["backbeat %"].is_null());
    }
}
