//! `lockstep`: plays drums to a bass line, offline; without arguments, to the embedded example.
//!
//! `lockstep live` is the stage app, if built in (cargo feature `standalone`).
#![expect(clippy::print_stdout, reason = "a program that talks to people")]

#[cfg(feature = "live")]
mod live;
mod map_command;
mod option_values;
mod presets_command;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use lockstep::device::{DeviceChoice, DeviceGenerator, DeviceSearch};
use lockstep::drum_maps::PRESETS;
use lockstep::params::{Drummer, FillLengthChoice, energy_wish};
use lockstep::presets;
use lockstep_core::generator::{DEFAULT_SEED, FillLength, Generator, GeneratorSettings};
use lockstep_core::representation::{Position, Voice};
use lockstep_core::rule::RuleGroove;
use lockstep_engine::realtime::{Controls, Fills, SilencePolicy};
use lockstep_engine::synth::KitChoice;
use lockstep_files::midi_file::{self, Pick};
use lockstep_files::whole;
use lockstep_models::predict::{EMBEDDED, EMBEDDED_NAME, EMBEDDED_WEIGHTS, Predictor};
use lockstep_offline::Take;
use option_values::{device_parser, energy, fill_length_parser, kit_parser, share, tempo};

/// A bass line of sixteen measures, written for this project and under its licence.
#[cfg(feature = "tune")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    Jam(Box<Jam>),
    /// List drum maps, print one as text, or install your own
    Map(map_command::MapCommand),
    /// List the presets, Lockstep's and your own
    Presets,
    /// Teach a drummer from a folder of your own songs, and report what it learnt
    #[cfg(feature = "tune")]
    Tune(lockstep_lab::Tune),
    /// Play live on stage, with JACK or the system's own audio and MIDI
    #[cfg(feature = "live")]
    Live(Box<live::LiveArgs>),
    /// Teach a drummer from your own songs (not built in: needs the cargo feature `tune`)
    #[cfg(not(feature = "tune"))]
    Tune(LeftOut),
    /// Play live (not built in: needs the cargo feature `live`)
    #[cfg(not(feature = "live"))]
    Live(LeftOut),
}

#[derive(Debug, Args)]
struct Jam {
    /// Standard MIDI File with a bass part
    bass: PathBuf,
    /// MIDI file to write, with the bass and the drums
    #[arg(short, long, default_value = "lockstep-jam.mid")]
    output: PathBuf,
    /// WAV file to write; without this option no audio is rendered
    #[arg(long)]
    wav: Option<PathBuf>,
    /// Kit for the WAV file [default: the preset's, or acoustic]
    #[arg(long, value_parser = kit_parser())]
    kit: Option<KitChoice>,
    /// Preset to use, by name or from a file; other options override it (`lockstep presets` lists them)
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Seed, 0 to 9999: the same seed plays the same drums [default: the preset's, or 39]
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=9999))]
    seed: Option<u32>,
    /// How much plays, 0 (silence) to 1; 0.5 is the drummer's plan as it is [default: the preset's, or 0.5]
    #[arg(long, value_parser = share)]
    density: Option<f32>,
    /// How much changes from measure to measure, 0 to 1 [default: the preset's, or 0.1]
    #[arg(long, value_parser = share)]
    variation: Option<f32>,
    /// How closely the drums follow the bass, 0 (ignore it) to 1 (lean on every accent); 0.5 is as trained [default: the
    /// preset's, or 0.5]
    #[arg(long, value_parser = share)]
    follow: Option<f32>,
    /// How loud and busy to play, -1 (a soft verse) to 1 (a loud chorus); 0 leaves it to the drummer [default: the preset's, or
    /// 0]
    #[arg(long, value_parser = energy, allow_negative_numbers = true)]
    energy: Option<f32>,
    /// Style, counted from 1 [default: the preset's, or the drummer's choice]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=32))]
    style: Option<u8>,
    /// Measures from fill to fill, with none in between; 0 plays no fills [default: the preset's, or the drummer's choice]
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=64))]
    fills: Option<u8>,
    /// How much of its measure such a fill takes [default: the preset's, or measure]
    #[arg(long, value_parser = fill_length_parser())]
    fill_length: Option<FillLengthChoice>,
    /// How often the drummer plays fills of its own without --fills, 0 (never) to 1 (at the end of every phrase); 0.5 is as people
    /// do [default: the preset's, or 0.5]
    #[arg(long, value_parser = share)]
    fill_amount: Option<f32>,
    /// How late off-beat eighths are, 0 to 1 sixteenth; 0.67 is a triplet shuffle [default: the preset's, or 0]
    #[arg(long, value_parser = share)]
    shuffle: Option<f32>,
    /// How late the second and fourth sixteenth of each beat are, 0 to 1 (half a sixteenth); 0.67 is a triplet feel [default:
    /// the preset's, or 0]
    #[arg(long, value_parser = share)]
    swing: Option<f32>,
    /// How loosely hits are played, 0 to 1 [default: the preset's, or 0]
    #[arg(long, value_parser = share)]
    humanise: Option<f32>,
    /// How much of the drummer's own timing is heard, 0 (on the grid) to 1 [default: the preset's, or 1]
    #[arg(long, value_parser = share)]
    feel: Option<f32>,
    /// Keep time while the bass is silent instead of laying out
    #[arg(long)]
    keep_time: bool,
    /// Tempo in BPM, 30 to 300, in place of the file's
    #[arg(long, value_parser = tempo)]
    tempo: Option<f64>,
    /// Track of the bass, counted from 1
    #[arg(long)]
    track: Option<usize>,
    /// Channel of the bass, 1 to 16
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=16))]
    channel: Option<u8>,
    /// Drummer: lockstep, lockstep-open, base, lockstep-2, or a weights file [default: the preset's, or lockstep-2]
    #[arg(long, conflicts_with = "rule")]
    weights: Option<PathBuf>,
    /// Play the rule groove, without a network
    #[arg(long)]
    rule: bool,
    /// Drum map for the MIDI file, by name (`lockstep map` lists them) or from a file
    #[arg(long, default_value = PRESETS[0].id)]
    map: String,
    /// Device that predicts; without a GPU it is the CPU
    #[arg(long, value_parser = device_parser(), default_value = DeviceChoice::Auto.id())]
    device: DeviceChoice,
}

fn main() -> Result<()> {
    match Cli::parse().task {
        None => example(),
        Some(Task::Jam(jam)) => jam.run(),
        Some(Task::Map(command)) => command.run(),
        Some(Task::Presets) => presets_command::list(),
        #[cfg(feature = "tune")]
        Some(Task::Tune(tune)) => tune.run(),
        #[cfg(feature = "live")]
        Some(Task::Live(args)) => live::run(&args),
        #[cfg(not(feature = "tune"))]
        Some(Task::Tune(_)) => LeftOut::refuse("tune"),
        #[cfg(not(feature = "live"))]
        Some(Task::Live(_)) => LeftOut::refuse("live"),
    }
}

/// A command that this program was built without.
#[cfg(not(all(feature = "live", feature = "tune")))]
#[derive(Debug, Args)]
struct LeftOut {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    _words: Vec<std::ffi::OsString>,
}

#[cfg(not(all(feature = "live", feature = "tune")))]
impl LeftOut {
    /// Says how to get the command.
    fn refuse(feature: &str) -> Result<()> {
        anyhow::bail!(
            "this program was built without `lockstep {feature}`; to get it: cargo run --release --features {feature} -- {feature}"
        )
    }
}

/// What `cargo run --release` does.
fn example() -> Result<()> {
    let song = midi_file::read(lockstep_offline::EXAMPLE, Pick::default())
        .context("reading the embedded example")?;
    let mut drummer = Predictor::new(EMBEDDED_WEIGHTS).context("loading the embedded network")?;
    let mut controls = neutral();
    controls.settings.seed = lockstep_offline::EXAMPLE_SEED;
    let take = lockstep_offline::play(&song, &controls, &mut drummer);
    println!(
        "Lockstep plays drums to its example bass line, {:.0} BPM, seed {}.\n",
        song.tempo_at(Position::START),
        controls.settings.seed
    );
    print!("{}", lockstep_offline::grid(&take.song));
    write(Path::new("lockstep-jam.mid"), &midi_file::write(&take.song))?;
    write(
        Path::new("lockstep-jam.wav"),
        &lockstep_offline::wav(&take.song, KitChoice::default())?,
    )?;
    report(&take, EMBEDDED_NAME);
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
            song.tempos = vec![(Position::START, bpm)];
        }
        if let Some((at, signature)) = song
            .meters
            .iter()
            .find(|(_, signature)| signature.meter().is_none())
        {
            eprintln!(
                "{input}: the time signature {}/{} at beat {} is off the sixteenth grid or over 32 steps; 4/4 is played there",
                signature.numerator,
                signature.denominator,
                at.beats(),
            );
        }
        let map = map_command::find(&self.map)?;
        let (controls, chosen, kit) = self.controls()?;
        let style = controls.settings.style;
        let (mut drummer, name) = self.drummer(chosen, style)?;
        let take = lockstep_offline::play(&song, &controls, drummer.as_mut());
        let sound = match &self.wav {
            Some(path) => {
                let bytes =
                    lockstep_offline::wav(&take.song, kit).context("rendering the sound")?;
                Some((path, bytes))
            }
            None => None,
        };
        print!("{}", lockstep_offline::grid(&take.song));
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

    /// The controls of the preset, or neutral ones, with the command line's options applied; and the preset's drummer and kit.
    fn controls(&self) -> Result<(Controls, Drummer, KitChoice)> {
        let (mut controls, drummer, kit) = match &self.preset {
            Some(name) => presets::find(name)?.controls(),
            None => (neutral(), Drummer::default(), KitChoice::default()),
        };
        let settings = &mut controls.settings;
        let told = [
            (&mut settings.variation, self.variation),
            (&mut settings.follow, self.follow),
            (&mut settings.fills, self.fill_amount),
            (&mut controls.density, self.density),
            (&mut controls.shuffle, self.shuffle),
            (&mut controls.swing, self.swing),
            (&mut controls.humanise, self.humanise),
            (&mut controls.feel, self.feel),
        ];
        for (knob, told) in told {
            *knob = told.unwrap_or(*knob);
        }
        settings.seed = self.seed.unwrap_or(settings.seed);
        settings.style = self.style.map(|style| style - 1).or(settings.style);
        settings.energy = self.energy.map_or(settings.energy, energy_wish);
        controls.fills = self.fills.map_or(controls.fills, Fills::Every);
        let length = self.fill_length.map(FillLength::from);
        controls.fill_length = length.unwrap_or(controls.fill_length);
        if self.keep_time {
            controls.silence = SilencePolicy::KeepTime;
        }
        Ok((controls, drummer, self.kit.unwrap_or(kit)))
    }

    /// The generator that the command line names, else the chosen drummer; and its name.
    fn drummer(&self, chosen: Drummer, style: Option<u8>) -> Result<(Box<dyn Generator>, String)> {
        if self.rule {
            return Ok((Box::new(RuleGroove), "rule groove".to_owned()));
        }
        let (bytes, name) = match &self.weights {
            Some(path) => {
                let name = path.display().to_string();
                let known = EMBEDDED.iter().find(|(known, _)| Path::new(known) == path);
                let bytes = match known {
                    Some((_, bytes)) => Cow::Borrowed(*bytes),
                    None => Cow::Owned(
                        std::fs::read(path)
                            .with_context(|| format!("reading the weights {name}"))?,
                    ),
                };
                (bytes, name)
            }
            None => (chosen.weights()?, chosen.weights_name().to_owned()),
        };
        let predictor =
            Predictor::new(&bytes).with_context(|| format!("loading the weights {name}"))?;
        let n_styles = predictor.n_styles();
        if let Some(style) = style.filter(|style| usize::from(*style) >= n_styles) {
            anyhow::bail!(
                "there is no style {}: {name} has {n_styles} styles",
                style + 1
            );
        }
        Ok((Box::new(self.on_device(predictor, &bytes)), name))
    }

    /// The drummer on the requested device.
    fn on_device(&self, predictor: Predictor, weights: &[u8]) -> DeviceGenerator {
        let device = self.device;
        let log = |device: &str| println!("Predicting on the {device}.");
        DeviceGenerator::new(
            predictor,
            weights,
            DeviceSearch::here(),
            move || device,
            log,
        )
        .wait_for_device()
    }
}

/// The controls without any options.
fn neutral() -> Controls {
    Controls {
        settings: GeneratorSettings {
            seed: DEFAULT_SEED,
            variation: 0.1,
            ..GeneratorSettings::default()
        },
        ..Controls::default()
    }
}

/// Prints where the measures' drums came from and how long predictions took.
fn report(take: &Take, drummer: &str) {
    let tally = &take.tally;
    println!(
        "Measures planned by {drummer}: {}; fallbacks: {} varied, {} by rule; silent: {}.",
        tally.fresh + tally.early,
        tally.varied,
        tally.rule,
        tally.silent
    );
    if let Some(failure) = &take.failure {
        eprintln!("A prediction failed and the drums fell back: {failure}");
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The controls of `lockstep jam` with these options, beginning with a bass.
    fn controls(options: &str) -> Result<Controls> {
        let words = ["lockstep", "jam", "bass.mid"];
        let words = words.into_iter().chain(options.split_whitespace());
        match Cli::try_parse_from(words)?.task {
            Some(Task::Jam(jam)) => Ok(jam.controls()?.0),
            other => anyhow::bail!("{other:?}"),
        }
    }

    #[test]
    fn energy_and_fills_are_the_drummers_own_until_an_option_says_otherwise() -> Result<()> {
        assert_eq!(controls("")?, neutral());
        let told = controls("--energy -0.5 --fill-length beat --fill-amount 0.25 --fills 4")?;
        let settings = told.settings;
        assert_eq!((settings.energy, settings.fills), (Some(0.25), 0.25));
        assert_eq!(
            (told.fills, told.fill_length),
            (Fills::Every(4), FillLength::Beat)
        );
        assert_eq!(controls("--energy 0")?.settings.energy, None);
        Ok(())
    }

    #[test]
    fn an_option_out_of_range_is_refused() {
        for options in [
            "--energy 1.5",
            "--energy nan",
            "--fill-amount -0.1",
            "--fill-length bar",
        ] {
            assert!(controls(options).is_err(), "{options}");
        }
    }
}
