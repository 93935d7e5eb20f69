//! Runs the built bundles in real hosts and checks what a musician or a host would notice, nothing else.
//!
//! Knows the plugin only as a file: the only workspace crate linked here is the one with the virtual screen. A
//! [`Stage`] says what is played (a bass line, a moving transport, knobs), a [`Host`] plays it through a bundle, and a
//! [`Performance`] holds the output.
//!
//! The bundles are those of `cargo xtask bundle lockstep`, found next to the build folder of the running test or in the
//! folder named by the environment variable `LOCKSTEP_BUNDLES`. Nothing here rebuilds them; `cargo xtask test` does.

mod block;
mod clap_host;
mod performance;
mod stage;
mod vst3_host;
mod window;

use std::path::PathBuf;

use anyhow::Context as _;

pub use block::{Block, Input, InputKind};
pub use clap_host::{Abilities, Beside, ClapHost, ClapWindow, RealTimeRun, perform_together};
pub use performance::{DRUM_CHANNEL, DrumEvent, Hit, KIT, Performance, WindowEdit, WindowEditKind};
pub use stage::{Action, BassNote, Stage, TimeInfo, TimedAction};
#[cfg(target_os = "linux")]
pub use vst3_host::BareVst3;
pub use vst3_host::{PITCH_WHEEL, Vst3Host, Vst3Window};
pub use window::PluginWindow;

/// Leaves a test out because something that it needs is not installed.
///
/// # Errors
/// Under `CI=true`, where nothing is left out.
pub fn skip(why: &str) -> anyhow::Result<()> {
    let is_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    anyhow::ensure!(!is_ci, "under CI nothing is left out: {why}");
    eprintln!("SKIPPED: {why}");
    Ok(())
}

/// Something that loads the plugin and plays it. Dropping it destroys the instance.
pub trait Host {
    /// Applies the stage's settings, plays it from the first frame to the last and leaves the plugin inactive.
    ///
    /// # Errors
    /// If the plugin refuses a call or a parameter does not exist.
    fn perform(&mut self, stage: &Stage) -> anyhow::Result<Performance>;

    /// Every visible parameter, in the plugin's order.
    ///
    /// # Errors
    /// If the plugin does not list them.
    fn parameters(&mut self) -> anyhow::Result<Vec<Parameter>>;

    /// Every hidden parameter, except those that the framework adds for MIDI controllers in VST3.
    ///
    /// # Errors
    /// If the plugin does not list them.
    fn hidden_parameters(&mut self) -> anyhow::Result<Vec<Parameter>>;

    /// The plugin's state, as a host would put it into a project file.
    ///
    /// # Errors
    /// If the plugin cannot save.
    fn save(&mut self) -> anyhow::Result<Vec<u8>>;

    /// Restores a saved state.
    ///
    /// # Errors
    /// If the plugin refuses it.
    fn load(&mut self, state: &[u8]) -> anyhow::Result<()>;
}

/// One parameter, as a host sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The number that projects and automation lanes store.
    pub id: u32,
    /// The name shown to the player.
    pub name: String,
    /// The current value, in `[0, 1]` from lowest to highest.
    pub value: f64,
    /// Whether automation may move it.
    pub is_automatable: bool,
}

/// The plugin formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lockstep.clap
    Clap,
    /// Lockstep.vst3
    Vst3,
}

impl Format {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Clap, Self::Vst3];

    /// A new instance from the bundle of this format.
    ///
    /// # Errors
    /// If there is no bundle, or it does not load.
    pub fn open(self) -> anyhow::Result<Box<dyn Host>> {
        Ok(match self {
            Self::Clap => Box::new(ClapHost::open()?),
            Self::Vst3 => Box::new(Vst3Host::open()?),
        })
    }

    /// Plays a stage in a new instance.
    ///
    /// # Errors
    /// Errors from [`Self::open`] and [`Host::perform`].
    pub fn perform(self, stage: &Stage) -> anyhow::Result<Performance> {
        self.open()?.perform(stage)
    }
}

/// The path of the bundle with this file name.
///
/// # Errors
/// If it does not exist.
pub fn bundle(file_name: &str) -> anyhow::Result<PathBuf> {
    let folder = match std::env::var_os("LOCKSTEP_BUNDLES") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::current_exe()
            .context("looking for the build folder")?
            .ancestors()
            .map(|folder| folder.join("bundled"))
            .find(|folder| folder.is_dir())
            .unwrap_or_default(),
    };
    let path = folder.join(file_name);
    anyhow::ensure!(
        path.exists(),
        "there is no {file_name} to test: run `cargo xtask bundle lockstep` first, or put the bundles' folder in \
         LOCKSTEP_BUNDLES"
    );
    Ok(path)
}
