//! Ids that parameters had before the first release. States, presets and settings saved then still load.
//!
//! The ids of today are frozen: nothing is added here, a renamed parameter would be another parameter.

/// The id of today for one that a parameter had before, or `None` for any other text.
pub(crate) fn current(former: &str) -> Option<String> {
    if former == "kit_gain" {
        return Some("kit_level".to_owned());
    }
    let (what, whose) = former.split_once('_')?;
    let what = match what {
        "den" => "density",
        "lvl" => "level",
        "pan" => "pan",
        "tune" => "tune",
        "dec" => "decay",
        "note" => "note",
        "chan" => "channel",
        _ => return None,
    };
    let is_group = matches!(whose, "kick" | "snare" | "hats" | "toms" | "cymb");
    let is_voice = matches!(
        whose,
        "kick" | "snare" | "chat" | "ohat" | "ltom" | "mtom" | "htom" | "crash" | "ride"
    );
    let whose = if whose == "cymb" { "cymbals" } else { whose };
    let was_there = if what == "density" {
        is_group
    } else {
        is_voice
    };
    was_there.then(|| format!("{whose}_{what}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::current;
    use crate::params::{LockstepParams, Parameters};

    #[test]
    fn every_former_id_names_a_parameter_of_today() {
        let parameters = Parameters::new(Arc::new(LockstepParams::default()));
        let mut former = vec!["kit_gain".to_owned()];
        for voice in [
            "kick", "snare", "chat", "ohat", "ltom", "mtom", "htom", "crash", "ride",
        ] {
            for what in ["lvl", "pan", "tune", "dec", "note", "chan"] {
                former.push(format!("{what}_{voice}"));
            }
        }
        for group in ["kick", "snare", "hats", "toms", "cymb"] {
            former.push(format!("den_{group}"));
        }
        let mut current: Vec<_> = former.iter().filter_map(|id| current(id)).collect();
        assert_eq!(current.len(), former.len());
        let is_there = |id: &String| parameters.indices().any(|at| parameters.id(at) == id);
        assert!(current.iter().all(is_there), "{current:?}");
        current.sort();
        current.dedup();
        assert_eq!(current.len(), former.len());
    }

    #[test]
    fn other_texts_are_no_former_ids() {
        let parameters = Parameters::new(Arc::new(LockstepParams::default()));
        for at in parameters.indices() {
            assert_eq!(current(parameters.id(at)), None);
        }
        for text in [
            "",
            "_",
            "lvl_",
            "lvl_hats",
            "den_ride",
            "den_crash",
            "lvl_kick_",
            "gain",
        ] {
            assert_eq!(current(text), None, "{text}");
        }
    }
}
