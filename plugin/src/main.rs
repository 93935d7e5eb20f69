//! `lockstep`: plays drums to a bass line, offline; without an argument to the embedded example.
//!
//! `lockstep live` is the app for the stage, where it was built in (cargo feature `standalone`).
#![expect(clippy::print_stdout, reason = "a program that talks to people")]

#[cfg(feature = "standalone")]
mod live;
mod map_command;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Parser, Subcommand};
use lockstep::device::{DeviceChoice, OnDevice, Search};
use lockstep::drum_maps::PRESETS;
use lockstep::jam::{self, Take};
use lockstep::params::DEFAULT_SEED;
use lockstep::realtime::{Controls, Fills, SilencePolicy};
use lockstep_models::generator::{Generator, Taste};
use lockstep_models::midi_file::{self, Pick};
use lockstep_models::predict::{EMBEDDED, EMBEDDED_WEIGHTS, Predictor};
use lockstep_models::representation::{Beats, N_GROUPS, Voice};
use lockstep_models::rule::RuleGroove;
use lockstep_models::whole;

/// An own bass line, sixteen measures; licensed as the program is.
const EXAMPLE: &[u8] = include_bytes!("../assets/example-bass.mid");

/// A drummer that listens to the bass.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Play drums to the bass of a MIDI file
    Jam(Jam),
    /// List drum maps, print one as a text file, or install one's own
    Map(map_command::MapCommand),
    /// Play live: the app for the stage, with JACK or the system's own sound and MIDI
    #[cfg(feature = "standalone")]
    Live(Box<live::LiveArgs>),
}

#[derive(Debug, Args)]
struct Jam {
    /// Standard MIDI File with a bass part
    bass: PathBuf,
    /// Where the bass and the drums go, as a MIDI file
    #[arg(short, long, default_value = "lockstep-jam.mid")]
    output: PathBuf,
    /// Where the sound goes, as a WAV file; without it there is none
    #[arg(long)]
    wav: Option<PathBuf>,
    /// Which drummer, 0 to 9999: the same seed plays the same take
    #[arg(long, default_value_t = DEFAULT_SEED, value_parser = clap::value_parser!(u32).range(0..=9999))]
    seed: u32,
    /// How much plays, 0 (silence) to 1; 0.5 is the network's own take
    #[arg(long, default_value_t = 0.5, value_parser = share)]
    density: f32,
    /// How much changes from measure to measure, 0 to 1
    #[arg(long, default_value_t = 0.1, value_parser = share)]
    variation: f32,
    /// How much the bass counts, 0 (as if there were none) to 1 (leans on every accent); 0.5 is as learnt
    #[arg(long, default_value_t = 0.5, value_parser = share)]
    follow: f32,
    /// Which of the drummer's styles, counted from 1; without it the drummer decides
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=32))]
    style: Option<u8>,
    /// Play a fill at the end of every so many measures, and none between; 0 plays none, without it the drummer decides
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=64))]
    fills: Option<u8>,
    /// How late off-beat eighths are, 0 to 1; 0.67 is a shuffle in triplets
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    shuffle: f32,
    /// How late odd sixteenths are, 0 to 1; 0.67 is a triplet feel
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    swing: f32,
    /// How loosely hits are placed, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    humanise: f32,
    /// How much of the drummer's own placement is heard, 0 to 1; 0 is the grid
    #[arg(long, default_value_t = 1.0, value_parser = share)]
    feel: f32,
    /// Keep time while the bass is silent, instead of laying out
    #[arg(long)]
    keep_time: bool,
    /// Tempo in quarter notes a minute, 30 to 300, in place of the file's
    #[arg(long, value_parser = tempo)]
    tempo: Option<f64>,
    /// Track of the bass, counted from 1
    #[arg(long)]
    track: Option<usize>,
    /// Channel of the bass, 1 to 16
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=16))]
    channel: Option<u8>,
    /// What to play with: lockstep, lockstep-open, base, or a weights file
    #[arg(long, default_value = EMBEDDED[0].0, conflicts_with = "rule")]
    weights: PathBuf,
    /// Play the rule groove, without a network
    #[arg(long)]
    rule: bool,
    /// Which notes the drums are written on: a drum map by name (`lockstep map` lists them), or a file
    #[arg(long, default_value = PRESETS[0].id)]
    map: String,
    /// Which device predicts; without a GPU it is the CPU
    #[arg(long, value_enum, default_value_t)]
    device: DeviceChoice,
}

fn main() -> Result<()> {
    match Cli::parse().task {
        None => example(),
        Some(Task::Jam(jam)) => jam.run(),
        Some(Task::Map(command)) => command.run(),
        #[cfg(feature = "standalone")]
        Some(Task::Live(args)) => live::run(&args),
    }
}

/// What `cargo run --release` does.
fn example() -> Result<()> {
    let song = midi_file::read(EXAMPLE, Pick::default()).context("reading the embedded example")?;
    let mut drummer = Predictor::new(EMBEDDED_WEIGHTS).context("loading the embedded network")?;
    let controls = Controls {
        taste: Taste {
            seed: DEFAULT_SEED,
            variation: 0.1,
            ..Taste::default()
        },
        ..Controls::default()
    };
    let take = jam::play(&song, &controls, &mut drummer);
    println!(
        "Lockstep plays drums to its example bass line, {:.0} BPM.\n",
        song.tempo_at(Beats(0.0))
    );
    print!("{}", jam::grid(&take.song));
    write(Path::new("lockstep-jam.mid"), &midi_file::write(&take.song))?;
    write(Path::new("lockstep-jam.wav"), &jam::wav(&take.song)?)?;
    report(&take, EMBEDDED[0].0);
    println!("Wrote lockstep-jam.mid (bass and drums) and lockstep-jam.wav (listen to it).");
    println!("Your own line: lockstep jam BASS.mid -o OUT.mid --wav OUT.wav");
    Ok(())
}

impl Jam {
    fn run(&self) -> Result<()> {
        let input = self.bass.display();
        let bytes = std::fs::read(&self.bass).with_context(|| format!("reading {input}"))?;
        let pick = Pick {
            track: self.track,
            channel: self.channel,
        };
        let mut song = midi_file::read(&bytes, pick).with_context(|| format!("reading {input}"))?;
        if let Some(bpm) = self.tempo {
            song.tempos = vec![(Beats(0.0), bpm)];
        }
        if let Some((at, signature)) = song
            .meters
            .iter()
            .find(|(_, signature)| signature.meter().is_none())
        {
            eprintln!(
                "{input}: the time signature {}/{} at beat {} is off the sixteenth grid or longer than 32 steps; 4/4 is played there",
                signature.numerator, signature.denominator, at.0,
            );
        }
        let map = map_command::find(&self.map)?;
        let (mut drummer, name) = self.drummer()?;
        let controls = Controls {
            density: self.density,
            group_density: [0.5; N_GROUPS],
            taste: Taste {
                seed: self.seed,
                variation: self.variation,
                follow: self.follow,
                style: self.style.map(|style| style - 1),
                ..Taste::default()
            },
            fills: self.fills.map_or(Fills::Free, Fills::Every),
            shuffle: self.shuffle,
            swing: self.swing,
            humanise: self.humanise,
            feel: self.feel,
            silence: if self.keep_time {
                SilencePolicy::KeepTime
            } else {
                SilencePolicy::LayOut
            },
            ..Controls::default()
        };
        let take = jam::play(&song, &controls, drummer.as_mut());
        let sound = match &self.wav {
            Some(path) => Some((path, jam::wav(&take.song).context("rendering the sound")?)),
            None => None,
        };
        print!("{}", jam::grid(&take.song));
        let key = |key: u8| {
            let key = Voice::from_gm_note(key).map(|voice| map.key(voice));
            key.map_or((9, 0), |key| (key.channel, key.note))
        };
        write(&self.output, &midi_file::write_on(&take.song, key))?;
        if let Some((path, bytes)) = &sound {
            write(path, bytes)?;
        }
        println!("Bass: {}.", song.bass_part);
        report(&take, &name);
        println!(
            "Wrote {}{}.",
            self.output.display(),
            match &self.wav {
                Some(path) => format!(" and {}", path.display()),
                None => String::new(),
            }
        );
        Ok(())
    }

    fn drummer(&self) -> Result<(Box<dyn Generator>, String)> {
        if self.rule {
            return Ok((Box::new(RuleGroove), "rule groove".to_owned()));
        }
        let path = &self.weights;
        let name = path.display().to_string();
        let known = EMBEDDED.iter().find(|(known, _)| Path::new(known) == path);
        let bytes = match known {
            Some((_, bytes)) => bytes.to_vec(),
            None => std::fs::read(path).with_context(|| format!("reading the weights {name}"))?,
        };
        let predictor =
            Predictor::new(&bytes).with_context(|| format!("loading the weights {name}"))?;
        let n_styles = predictor.config().architecture.n_styles;
        if let Some(style) = self.style.filter(|style| usize::from(*style) > n_styles) {
            anyhow::bail!("--style {style}: {name} knows {n_styles} styles");
        }
        Ok((Box::new(self.on_device(predictor, &bytes)), name))
    }

    /// The drummer on the device that is asked for.
    fn on_device(&self, predictor: Predictor, weights: &[u8]) -> OnDevice {
        let device = self.device;
        let tell = |device: &str| println!("Predicting on the {device}.");
        OnDevice::new(predictor, weights, Search::here(), move || device, tell).settled()
    }
}

/// Says how the measures came by their drums and how long a prediction took.
fn report(take: &Take, drummer: &str) {
    let tally = &take.tally;
    println!(
        "Measures by the {drummer}: {}; by the ladder: {} varied, {} by rule; silent: {}.",
        tally.fresh + tally.early,
        tally.varied,
        tally.rule,
        tally.silent
    );
    if let Some(failure) = &take.failure {
        eprintln!("A prediction failed, and the ladder played: {failure}");
    }
    let mut times = take.predictions.clone();
    times.sort_unstable();
    if let (Some(last), false) = (times.last(), times.is_empty()) {
        let us = |time: &Duration| time.as_secs_f64() * 1e6;
        let at = |share: usize| us(&times[(times.len() * share / 100).min(times.len() - 1)]);
        println!(
            "One prediction, one thread: p50 {:.0} µs, p99 {:.0} µs, longest {:.0} µs.",
            at(50),
            at(99),
            us(last)
        );
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    whole::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}

fn share(text: &str) -> Result<f32> {
    let value: f32 = text.parse()?;
    ensure!(
        (0.0..=1.0).contains(&value),
        "{value} is not between 0 and 1"
    );
    Ok(value)
}

fn tempo(text: &str) -> Result<f64> {
    let value: f64 = text.parse()?;
    ensure!(
        (30.0..=300.0).contains(&value),
        "{value} is not between 30 and 300"
    );
    Ok(value)
}
