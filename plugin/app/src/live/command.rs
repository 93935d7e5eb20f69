//! The command line of `lockstep live`.

use std::str::FromStr;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

/// `lockstep live`
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LiveArgs {
    /// What carries sound and MIDI; auto takes JACK where a server runs
    #[arg(long, value_enum)]
    pub(crate) backend: Option<BackendChoice>,
    /// Whose time is followed; auto prefers a running MIDI clock, then a rolling JACK transport, else runs free
    #[arg(long, value_enum)]
    pub(crate) sync: Option<SyncChoice>,
    /// MIDI port that plays the bass: its name or a part of it
    #[arg(long, value_name = "PORT")]
    pub(crate) bass: Option<String>,
    /// MIDI port that sends a clock, where it is not the bass's
    #[arg(long, value_name = "PORT")]
    pub(crate) clock: Option<String>,
    /// MIDI port that is to play the drums
    #[arg(long, value_name = "PORT")]
    pub(crate) drums: Option<String>,
    /// Where the kit is heard: a sound device, with JACK the name of its input ports; `none` leaves it open
    #[arg(long, value_name = "DEVICE")]
    pub(crate) audio: Option<String>,
    /// Sample rate in hertz; JACK's is its server's
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(8000..=384_000))]
    pub(crate) rate: Option<u32>,
    /// Frames a block; JACK's are its server's
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u32).range(16..=8192))]
    pub(crate) period: Option<u32>,
    /// Sets what a preset sets, by the preset's name or from a file; `lockstep presets` lists them
    #[arg(long, value_name = "NAME")]
    pub(crate) preset: Option<String>,
    /// Sets a parameter, by id or shown name, to a text as a host shows it; may be given again
    #[arg(long, value_name = "ID=TEXT")]
    pub(crate) set: Vec<Pair>,
    /// Lets a MIDI controller turn a parameter over its whole range: `--cc 20=density`; may be given again
    #[arg(long, value_name = "NUMBER=ID")]
    pub(crate) cc: Vec<Pair>,
    /// Starts without what is remembered of the last time
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Opens no window
    #[arg(long)]
    pub(crate) no_window: bool,
    /// Lists the ports and devices there are, and ends
    #[arg(long)]
    pub(crate) ports: bool,
    /// Lists the parameters with what they are and can be, and ends
    #[arg(long)]
    pub(crate) list_parameters: bool,
}

/// What carries sound and MIDI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BackendChoice {
    /// JACK where a server runs, else the system's own.
    #[default]
    Auto,
    /// JACK.
    Jack,
    /// The system's own: ALSA, Core Audio, WASAPI.
    Cpal,
}

/// Whose time is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SyncChoice {
    /// A running MIDI clock, else a rolling JACK transport, else one's own.
    #[default]
    Auto,
    /// One's own.
    None,
    /// A MIDI clock.
    Clock,
    /// JACK's transport.
    Jack,
}

/// `LEFT=RIGHT`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Before the first `=`.
    pub(crate) left: String,
    /// After it.
    pub(crate) right: String,
}

impl FromStr for Pair {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (left, right) = text
            .split_once('=')
            .with_context(|| format!("`{text}` has no `=`"))?;
        let (left, right) = (left.trim(), right.trim());
        ensure!(
            !left.is_empty() && !right.is_empty(),
            "`{text}` has nothing on one side of its `=`"
        );
        Ok(Self {
            left: left.to_owned(),
            right: right.to_owned(),
        })
    }
}

/// The number of a controller.
///
/// # Errors
/// If it is not from 0 to 119; those above are channel mode messages.
pub(crate) fn controller_number(text: &str) -> Result<u8> {
    let number = text.trim().parse().ok().filter(|number| *number < 120);
    number
        .with_context(|| format!("`{text}` is no number of a MIDI controller: those are 0 to 119"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        live: LiveArgs,
    }

    fn parse(line: &str) -> Result<LiveArgs, String> {
        let words = std::iter::once("lockstep").chain(line.split_whitespace());
        Line::try_parse_from(words)
            .map(|line| line.live)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn settings_and_controllers_may_be_given_again() -> Result<(), String> {
        let args = parse("--set density=60% --cc 20=density --set Swing=5 --sync clock")?;
        let pairs = |pairs: &[Pair]| -> Vec<String> {
            pairs
                .iter()
                .map(|pair| format!("{}:{}", pair.left, pair.right))
                .collect()
        };
        assert_eq!(pairs(&args.set), ["density:60%", "Swing:5"]);
        assert_eq!(pairs(&args.cc), ["20:density"]);
        assert_eq!(args.sync, Some(SyncChoice::Clock));
        assert_eq!(args.backend, None);
        Ok(())
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (line, named) in [
            ("--set density", "density"),
            ("--set density=", "density="),
            ("--backend alsa", "alsa"),
            ("--sync host", "host"),
            ("--rate 7", "7"),
            ("--period 0", "0"),
        ] {
            let error = parse(line).err().unwrap_or_default();
            assert!(error.contains(named), "{line}: {error}");
        }
        for number in ["120", "-1", "x", ""] {
            assert!(controller_number(number).is_err(), "{number}");
        }
        assert_eq!(controller_number("119").ok(), Some(119));
    }
}
