//! `lockstep map`: lists drum maps, prints one as text, or installs one where the plugin looks for the user's own.
#![expect(clippy::print_stdout, reason = "a command-line program prints")]

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use lockstep::drum_maps::{self, PRESETS};
use lockstep::params::own_map;
use lockstep_engine::realtime::DrumMap;
use lockstep_files::whole;

/// The arguments of `lockstep map`.
#[derive(Debug, Args)]
pub(crate) struct MapCommand {
    /// Name of a drum map, or a file; without it the names are listed
    map: Option<String>,
    /// Install it as the map "Own" of every new plugin instance
    #[arg(long, requires = "map")]
    install: bool,
}

impl MapCommand {
    /// Lists, prints or installs.
    pub(crate) fn run(&self) -> Result<()> {
        let Some(name) = &self.map else {
            for preset in PRESETS {
                println!("{:<16} {}", preset.id, preset.name);
            }
            return Ok(());
        };
        let text = drum_maps::to_text(&find(name)?);
        if !self.install {
            print!("{text}");
            return Ok(());
        }
        let path = own_map().context("the system has no data folder for drum-map.txt")?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("making the folder {}", folder.display()))?;
        }
        whole::write(&path, text.as_bytes())
            .with_context(|| format!("writing {}", path.display()))?;
        println!(
            "Wrote {}. New instances of the plugin use it as the drum map \"Own\".",
            path.display()
        );
        Ok(())
    }
}

/// A drum map by its name, or from a file.
pub(crate) fn find(name: &str) -> Result<DrumMap> {
    if let Some(preset) = PRESETS.iter().find(|preset| preset.id == name) {
        return Ok(preset.map);
    }
    if !Path::new(name).exists() {
        let names: Vec<_> = PRESETS.iter().map(|preset| preset.id).collect();
        bail!(
            "{name:?} is neither a file nor a drum map; the maps are {}",
            names.join(", ")
        );
    }
    let text = std::fs::read_to_string(name).with_context(|| format!("reading {name}"))?;
    drum_maps::from_text(&text).with_context(|| format!("reading the drum map {name}"))
}
