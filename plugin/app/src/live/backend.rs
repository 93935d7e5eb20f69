//! What carries sound and MIDI: JACK, or the system's own.
//!
//! A backend is first opened, which tells the sample rate, and then started with an engine.

mod jack;
mod system;

use anyhow::{Context as _, Result, bail};

use super::command::BackendChoice;
use super::engine::Engine;

/// What the musician wants of a backend.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// What plays the bass.
    pub(crate) bass: Option<PortName>,
    /// What sends a clock.
    pub(crate) clock: Option<PortName>,
    /// What plays the drums.
    pub(crate) drums: Option<PortName>,
    /// Where the kit is heard.
    pub(crate) audio: Option<PortName>,
    /// Sample rate in hertz.
    pub(crate) rate: Option<u32>,
    /// Frames a block.
    pub(crate) period: Option<u32>,
}

/// A port or device that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PortName {
    /// The name or a part of it.
    pub(crate) name: String,
    /// Whether it is only remembered: what is not there any more is then told and done without.
    pub(crate) is_remembered: bool,
}

impl PortName {
    /// The one among the names that is meant: the very name, else the only one that has it in it.
    ///
    /// # Errors
    /// If there is none or more than one, with the names there are.
    pub(crate) fn find<'a>(&self, what: &str, names: &'a [String]) -> Result<&'a String> {
        if let Some(name) = names.iter().find(|name| **name == self.name) {
            return Ok(name);
        }
        let wanted = self.name.to_lowercase();
        let mut having = names
            .iter()
            .filter(|name| name.to_lowercase().contains(&wanted));
        match (having.next(), having.next()) {
            (Some(name), None) => Ok(name),
            (Some(_), Some(_)) => bail!(
                "more than one {what} has `{}` in its name: {}",
                self.name,
                listed(names)
            ),
            (None, _) => bail!("there is no {what} `{}`: {}", self.name, listed(names)),
        }
    }

    /// What an attempt came to: of what is only remembered a failure is told and done without.
    ///
    /// # Errors
    /// That of the attempt.
    pub(crate) fn settle<T>(&self, attempt: Result<T>) -> Result<Option<T>> {
        match attempt {
            Ok(done) => Ok(Some(done)),
            Err(error) if self.is_remembered => {
                eprintln!("What was connected the last time is not: {error:#}.");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// The names there are, in words.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "there are none".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    }
}

/// A backend that is there and not yet running.
pub(crate) trait Opened {
    /// Its sample rate.
    fn sample_rate_hz(&self) -> u32;

    /// Lets it run.
    ///
    /// # Errors
    /// If it does not, or what is wanted is not to be had.
    fn start(self: Box<Self>, engine: Engine) -> Result<Box<dyn Session>>;
}

/// A running backend.
pub(crate) trait Session {
    /// What it is, its rate, block and ports, a line each.
    fn lines(&self) -> &[String];

    /// What to say where it has gone.
    fn obituary(&self) -> &'static str;

    /// Ends it, after the last note-off has been written.
    fn close(self: Box<Self>);
}

/// Opens what is asked for.
///
/// # Errors
/// If there is none, with what to do.
pub(crate) fn open(choice: BackendChoice, wanted: &Wanted) -> Result<Box<dyn Opened>> {
    match choice {
        BackendChoice::Jack => jack::open(wanted).context(
            "JACK is asked for: start its server (qjackctl, or jackd), or take `--backend cpal`",
        ),
        BackendChoice::Cpal => system::open(wanted),
        BackendChoice::Auto => match jack::client() {
            Ok(client) => jack::open_with(client, wanted),
            Err(no_jack) => system::open(wanted).with_context(|| {
                format!(
                    "there is nothing to play through: {no_jack:#}, and {} fails",
                    system::NAME
                )
            }),
        },
    }
}

/// Every port and device of every backend, a line each.
pub(crate) fn ports() -> Vec<String> {
    let mut lines = Vec::new();
    for (name, found) in [("JACK", jack::ports()), (system::NAME, system::ports())] {
        match found {
            Ok(found) => {
                lines.push(format!("{name}:"));
                for (kind, ports) in found {
                    lines.push(format!("  {kind}:"));
                    if ports.is_empty() {
                        lines.push("    none".to_owned());
                    }
                    lines.extend(ports.iter().map(|port| format!("    {port}")));
                }
            }
            Err(error) => lines.push(format!("{name}: {error:#}")),
        }
    }
    lines
}

/// Kinds of ports, each with what there is of it.
type Found = Vec<(&'static str, Vec<String>)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_found_by_its_name_or_a_part_that_no_other_has() {
        let names = ["Bass:out", "Bass:out 2", "Drums: in"].map(str::to_owned);
        let find = |name: &str| {
            let port = PortName {
                name: name.to_owned(),
                is_remembered: false,
            };
            let found = port.find("MIDI port", &names).cloned();
            found.map_err(|error| error.to_string())
        };
        assert_eq!(find("Bass:out").as_deref(), Ok("Bass:out"));
        assert_eq!(find("drums").as_deref(), Ok("Drums: in"));
        let two = find("bass").err().unwrap_or_default();
        assert!(two.contains("more than one") && two.contains("Bass:out 2"));
        let none = find("organ").err().unwrap_or_default();
        assert!(none.contains("`organ`") && none.contains("Drums: in"));
    }
}
