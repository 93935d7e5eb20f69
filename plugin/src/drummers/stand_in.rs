//! What a player is told whose drummer cannot play: why, who stands in, and what to do.
//!
//! Words only. Made where a drummer is loaded, shown by the window.

use super::own_weights;
use crate::params::Drummer;

/// Another plays than the drummer that was chosen: what the player is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// What is wrong and who plays, in a line.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl StandIn {
    /// The rule groove plays, for a reason that the program is to blame for.
    pub(crate) fn rule(trouble: &str) -> Self {
        Self {
            what: format!("The chosen drummer cannot play ({trouble}); a simple groove stands in"),
            remedy: "Choose another drummer, or load the plugin again.".to_owned(),
        }
    }

    /// Says why a drummer cannot play, and who does instead.
    pub(super) fn new(drummer: Drummer, error: &anyhow::Error, instead: &str) -> Self {
        let own = (drummer == Drummer::Own).then(own_weights).flatten();
        let Some(path) = own else {
            return Self {
                what: format!(
                    "The drummer {} cannot play ({error:#}); {instead} stands in",
                    drummer.name()
                ),
                remedy: "Choose another drummer, or install Lockstep again.".to_owned(),
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
                    "{path} is damaged or no drummer ({}). Make it again, then choose another drummer, and Own again.",
                    error.root_cause()
                ),
            }
        }
    }
}

/// Whether what is missing is the file.
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

    /// What a player is told whose own drummer's file has been read with this outcome.
    fn told(read: std::io::Result<Vec<u8>>) -> Option<StandIn> {
        let own = read.context("reading it").map(Cow::Owned);
        let trouble = first([own, Drummer::default().weights()]).1;
        trouble.map(|error| StandIn::new(Drummer::Own, &error, "Lockstep"))
    }

    #[test]
    fn who_has_no_drummer_of_their_own_is_told_where_it_goes_and_what_makes_it() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let words = told(Err(missing)).map(|told| (told.what, told.remedy));
        let Some((what, remedy)) = words else {
            panic!("nothing was told");
        };
        assert_eq!(
            what,
            "You have no drummer of your own yet; Lockstep stands in"
        );
        let path = own_weights().unwrap_or_default().display().to_string();
        for needed in [&*path, "lockstep tune", "Own again"] {
            assert!(remedy.contains(needed), "{remedy}");
        }
    }

    #[test]
    fn a_file_that_is_no_drummer_is_not_told_to_be_missing() {
        let unreadable = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        for read in [Ok(b"no weights".to_vec()), Err(unreadable)] {
            let words = told(read).map(|told| (told.what, told.remedy));
            let Some((what, remedy)) = words else {
                panic!("nothing was told");
            };
            assert!(what.contains("cannot play"), "{what}");
            assert!(remedy.contains("damaged or no drummer"), "{remedy}");
        }
    }
}
