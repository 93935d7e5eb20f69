//! What the player is told when the chosen drummer cannot play: why, what plays instead, and what to do.
//!
//! Text only. Made where a drummer is loaded, shown in the editor window.

use super::own_weights;
use crate::params::Drummer;

/// What the player is told when another drummer plays than the chosen one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitute {
    /// What is wrong and what plays instead, in one line.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Substitute {
    /// The rule groove stands in because of an error in the program.
    pub(crate) fn rule(problem: &str) -> Self {
        Self {
            what: format!("The chosen drummer cannot play ({problem}); a simple groove stands in"),
            remedy: "Choose another drummer, or reload the plugin.".to_owned(),
        }
    }

    /// Another drummer stands in because this one cannot be loaded.
    pub(super) fn new(drummer: Drummer, error: &anyhow::Error, instead: &str) -> Self {
        let own = (drummer == Drummer::Own).then(own_weights).flatten();
        let Some(path) = own else {
            return Self {
                what: format!(
                    "The drummer {} cannot play ({error:#}); {instead} stands in",
                    drummer.name()
                ),
                remedy: "Choose another drummer, or reinstall Lockstep.".to_owned(),
            };
        };
        let path = path.display();
        if own_is_missing(error) {
            Self {
                what: format!("You have no drummer of your own yet; {instead} stands in"),
                remedy: format!(
                    "Teach one by your songs with `lockstep tune`, or put the file of one there: {path}. Then choose another \
                     drummer, and Own again."
                ),
            }
        } else {
            Self {
                what: format!("Your own drummer cannot play; {instead} stands in"),
                remedy: format!(
                    "{path} is damaged or not a drummer ({}). Make it again, then choose another drummer, and Own again.",
                    error.root_cause()
                ),
            }
        }
    }
}

/// Whether the file is missing.
fn own_is_missing(error: &anyhow::Error) -> bool {
    let source = error.root_cause().downcast_ref::<std::io::Error>();
    source.is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use anyhow::Context as _;

    use super::super::first;
    use super::*;

    /// What the player is told if reading their own drummer's file ends like this.
    fn substitute_for(read: std::io::Result<Vec<u8>>) -> Option<Substitute> {
        let own = read.context("reading it").map(Cow::Owned);
        let problem = first([own, Drummer::default().weights()]).1;
        problem.map(|error| Substitute::new(Drummer::Own, &error, Drummer::default().name()))
    }

    #[test]
    fn a_player_without_an_own_drummer_is_told_where_it_goes_and_how_to_make_it() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let words = substitute_for(Err(missing)).map(|it| (it.what, it.remedy));
        let Some((what, remedy)) = words else {
            panic!("nothing was told");
        };
        assert_eq!(
            what,
            "You have no drummer of your own yet; Lockstep 2 stands in"
        );
        let path = own_weights().unwrap_or_default().display().to_string();
        for needed in [&*path, "lockstep tune", "Own again"] {
            assert!(remedy.contains(needed), "{remedy}");
        }
    }

    #[test]
    fn a_damaged_drummer_is_not_reported_as_missing() {
        let unreadable = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        for read in [Ok(b"no weights".to_vec()), Err(unreadable)] {
            let words = substitute_for(read).map(|it| (it.what, it.remedy));
            let Some((what, remedy)) = words else {
                panic!("nothing was told");
            };
            assert!(what.contains("cannot play"), "{what}");
            assert!(remedy.contains("damaged or not a drummer"), "{remedy}");
        }
    }
}
