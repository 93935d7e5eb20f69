//! Backends for audio and MIDI: JACK, or the system's own.
//!
//! A backend is first opened, which gives the sample rate, and then started with an engine.

mod jack;
mod system;

use anyhow::{Context as _, Result, bail};

use super::audio_thread::engine::Engine;
use super::command::BackendChoice;

/// What the musician asks of a backend.
#[derive(Clone, Debug, Default)]
pub(crate) struct BackendRequest {
    /// MIDI port for the bass.
    pub(crate) bass: Option<PortName>,
    /// MIDI port for the clock.
    pub(crate) clock: Option<PortName>,
    /// MIDI port for the drums.
    pub(crate) drums: Option<PortName>,
    /// Audio output for the kit.
    pub(crate) audio: Option<PortName>,
    /// Sample rate in Hz.
    pub(crate) rate: Option<u32>,
    /// Frames per block.
    pub(crate) period: Option<u32>,
}

/// A requested port or device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PortName {
    /// The name or a part of it.
    pub(crate) name: String,
    /// Whether it is only remembered: if it is missing, the app says so and goes on without it.
    pub(crate) is_remembered: bool,
}

impl PortName {
    /// Finds the matching name: an exact match, else the only name that contains it, ignoring case.
    ///
    /// # Errors
    /// If none or several match, with all existing names.
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
                "more than one {what} matches `{}`: {}",
                self.name,
                listed(names)
            ),
            (None, _) => bail!("there is no {what} `{}`: {}", self.name, listed(names)),
        }
    }

    /// The result of an attempt. If the port is only remembered, prints a failure and returns `None`.
    ///
    /// # Errors
    /// That of the attempt.
    pub(crate) fn or_warn<T>(&self, attempt: Result<T>) -> Result<Option<T>> {
        match attempt {
            Ok(done) => Ok(Some(done)),
            Err(error) if self.is_remembered => {
                eprintln!("A remembered port is not connected: {error:#}.");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// The existing names, as text.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "there are none".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    }
}

/// A backend that is open but not yet running.
pub(crate) trait OpenBackend {
    /// Its sample rate.
    fn sample_rate_hz(&self) -> u32;

    /// Starts it.
    ///
    /// # Errors
    /// If it cannot start, or a requested port does not exist.
    fn start(self: Box<Self>, engine: Engine) -> Result<Box<dyn Session>>;
}

/// A running backend.
pub(crate) trait Session {
    /// Its name, rate, block size and ports, in lines of text.
    fn lines(&self) -> &[String];

    /// The message for when it has gone away.
    fn gone_message(&self) -> &'static str;

    /// Closes it, after the last note-off has been written.
    fn close(self: Box<Self>);
}

/// Opens the chosen backend.
///
/// # Errors
/// If it cannot be opened, with what to do.
pub(crate) fn open(choice: BackendChoice, wanted: &BackendRequest) -> Result<Box<dyn OpenBackend>> {
    match choice {
        BackendChoice::Jack => jack::open(wanted).context(
            "JACK was requested: start its server (qjackctl or jackd), or use `--backend cpal`",
        ),
        BackendChoice::Cpal => system::open(wanted),
        BackendChoice::Auto => match jack::client() {
            Ok(client) => jack::open_with(client, wanted),
            Err(no_jack) => system::open(wanted).with_context(|| {
                format!(
                    "no audio backend works: {no_jack:#}, and {} failed",
                    system::NAME
                )
            }),
        },
    }
}

/// Every port and device of every backend, one per line.
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

/// Kinds of ports, each with the existing ones.
type PortLists = Vec<(&'static str, Vec<String>)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_found_by_its_name_or_a_unique_part_of_it() {
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
