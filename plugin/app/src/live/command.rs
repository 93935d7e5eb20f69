//! The command line of `lockstep live`.

use std::str::FromStr;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

/// `lockstep live`
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent switch"
)]
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LiveArgs {
    /// Backend for audio and MIDI; auto uses JACK if its server is running
    #[arg(long, value_enum)]
    pub(crate) backend: Option<BackendChoice>,
    /// Time source; auto follows a running MIDI clock, else a rolling JACK transport, else runs free
    #[arg(long, value_enum)]
    pub(crate) sync: Option<SyncChoice>,
    /// MIDI input port for the bass: its name or a part of it
    #[arg(long, value_name = "PORT")]
    pub(crate) bass: Option<String>,
    /// MIDI input port for the clock, if it is not the bass port
    #[arg(long, value_name = "PORT")]
    pub(crate) clock: Option<String>,
    /// MIDI output port for the drums
    #[arg(long, value_name = "PORT")]
    pub(crate) drums: Option<String>,
    /// Audio output for the kit: a sound device, or with JACK the name of input ports; with JACK, `none` connects nothing
    #[arg(long, value_name = "DEVICE")]
    pub(crate) audio: Option<String>,
    /// Sample rate in Hz; with JACK, the server sets it
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(8000..=384_000))]
    pub(crate) rate: Option<u32>,
    /// Frames per block; with JACK, the server sets it
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u32).range(16..=8192))]
    pub(crate) period: Option<u32>,
    /// Loads a preset, by name or from a file; `lockstep presets` lists them
    #[arg(long, value_name = "NAME")]
    pub(crate) preset: Option<String>,
    /// Sets a parameter, by id or name, to a value as a host shows it; may be repeated
    #[arg(long, value_name = "ID=TEXT")]
    pub(crate) set: Vec<Pair>,
    /// Maps a MIDI controller to a parameter's whole range, as in `--cc 20=density`; may be repeated
    #[arg(long, value_name = "NUMBER=ID")]
    pub(crate) cc: Vec<Pair>,
    /// Starts without the remembered settings
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Opens no window
    #[arg(long)]
    pub(crate) no_window: bool,
    /// Lists all ports and devices, and exits
    #[arg(long)]
    pub(crate) ports: bool,
    /// Lists the parameters with their values and ranges, and exits
    #[arg(long)]
    pub(crate) list_parameters: bool,
}

/// The backend for audio and MIDI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BackendChoice {
    /// JACK if its server is running, else the system's own.
    #[default]
    Auto,
    /// JACK.
    Jack,
    /// The system's own: ALSA, Core Audio, WASAPI.
    Cpal,
}

/// The time source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SyncChoice {
    /// A running MIDI clock, else a rolling JACK transport, else free run.
    #[default]
    Auto,
    /// Free run.
    None,
    /// A MIDI clock.
    Clock,
    /// The JACK transport.
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
            "`{text}` needs text on both sides of the `=`"
        );
        Ok(Self {
            left: left.to_owned(),
            right: right.to_owned(),
        })
    }
}

/// Reads the number of a MIDI controller.
///
/// # Errors
/// If it is not 0 to 119; higher numbers are channel mode messages.
pub(crate) fn controller_number(text: &str) -> Result<u8> {
    let number = text.trim().parse().ok().filter(|number| *number < 120);
    number.with_context(|| format!("`{text}` is not a MIDI controller number: use 0 to 119"))
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
    fn set_and_cc_may_be_repeated() -> Result<(), String> {
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
    fn invalid_arguments_are_refused_and_named() {
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
