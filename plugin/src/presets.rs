//! Presets: what a drummer plays, how and on which kit, under a name.
//!
//! A preset is a text file: `name`, `about`, and a table `[set]` that gives parameters by id the texts that a host shows. What
//! a file leaves out is as it was made, so that a preset means the same whatever was set before. What belongs to the place
//! where one plays is in none: the bass's input, free run, the drum map, the device. Nothing here turns a parameter that an
//! audio thread reads: who is the host does, with the [`Values`] that it is given. Never on the audio thread.

mod compare;
mod factory;
mod file;
mod folder;
#[cfg(test)]
mod tests;
mod values;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lockstep_engine::realtime::Controls;
use lockstep_engine::synth::KitChoice;
use nice_plug::prelude::Params;

use crate::params::{Drummer, LockstepParams, ParameterError, Parameters};

pub use compare::{Compare, Slot};
pub use factory::factory;
pub use folder::{FOLDER_VARIABLE, IfThere, UserFolder, UserPresets};
pub use values::Values;

/// Controls under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// What it is called: up to [`MAX_NAME`] characters of one line. No two presets have names that differ in case alone.
    pub name: String,
    /// What it plays, in a sentence of up to [`MAX_ABOUT`] characters.
    pub about: String,
    /// What it sets.
    pub values: Values,
    /// The user's file that it is from; `None` for one that comes with Lockstep.
    pub file: Option<PathBuf>,
}

/// Most characters of a name.
pub const MAX_NAME: usize = 40;

/// Most characters of what is said about a preset.
pub const MAX_ABOUT: usize = 200;

/// A name, and what is said about what has it.
#[derive(Clone, Copy, Debug)]
pub struct Title<'a> {
    /// See [`Preset::name`].
    pub name: &'a str,
    /// See [`Preset::about`]; may be empty.
    pub about: &'a str,
}

/// Why there is no such preset, or why it was not written.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// The system names no folder for them.
    #[error(
        "the system names no data folder for presets: put the path of a folder into {FOLDER_VARIABLE}"
    )]
    NoFolder,
    /// A file or folder cannot be read or made.
    #[error("{}: {source}; see to it, or put the path of another folder into {FOLDER_VARIABLE}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A file is no preset.
    #[error(
        "{file}: {reason}; a preset has a `name`, an `about`, and a table `[set]` with texts by parameter id"
    )]
    Damaged {
        /// Which.
        file: String,
        /// Why not.
        reason: String,
    },
    /// A file sets what cannot be set so.
    #[error("{file}: {source}")]
    Parameter {
        /// Which.
        file: String,
        /// What is wrong.
        source: ParameterError,
    },
    /// A file sets a parameter that is in no preset.
    #[error(
        "{file}: `{id}` is in no preset, for it belongs to the place where one plays; leave it out"
    )]
    NotKept {
        /// Which file.
        file: String,
        /// The parameter.
        id: String,
    },
    /// A number stands where a text was meant.
    #[error("{file}: {id} = {number} is no text: write what is shown, {id} = \"{number}\"")]
    Bare {
        /// Which file.
        file: String,
        /// The parameter.
        id: String,
        /// What stands there.
        number: i64,
    },
    /// A name or what is said cannot be so.
    #[error("`{text}` is nothing that a preset can be called or be said of it: {what}")]
    Words {
        /// The text.
        text: String,
        /// What would do.
        what: String,
    },
    /// Two have one name.
    #[error("{file}: `{name}` is the name of {other} too; give it another")]
    Twice {
        /// Which is left out.
        file: String,
        /// The name.
        name: String,
        /// Which has it: a file, or a factory preset.
        other: String,
    },
    /// Lockstep's own are not overwritten.
    #[error("`{0}` is a preset that comes with Lockstep and stays as it is: choose another name")]
    Factory(String),
    /// There is one of this name already.
    #[error("`{name}` is there already, in {}: choose another name, or have it replaced", path.display())]
    IsThere {
        /// The name.
        name: String,
        /// Its file.
        path: PathBuf,
    },
    /// There is none of this name.
    #[error("there is no preset `{name}`: there are {known}{troubles}")]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
        /// What could not be read; empty, or begins with a semicolon.
        troubles: String,
    },
}

impl Preset {
    /// The knobs as the performer reads them, the drummer and the kit, for who plays without a host. What is in no preset is as it
    /// was made.
    pub fn controls(&self) -> (Controls, Drummer, KitChoice) {
        let params = Arc::new(LockstepParams::default());
        self.values
            .settle(&Parameters::new(Arc::clone(&params) as Arc<dyn Params>));
        (
            params.controls(),
            params.drummer.weights.value(),
            params.kit.choice.value().into(),
        )
    }
}

/// The user's presets.
///
/// # Errors
/// [`PresetError::NoFolder`]; what is wrong with single files is in [`UserPresets::troubles`].
pub fn user() -> Result<UserPresets, PresetError> {
    Ok(UserFolder::of_user()?.presets())
}

/// The preset with a name, in whatever case; Lockstep's own and the user's, else that of a file.
///
/// # Errors
/// If there is none, with the names that there are; or if the file is no preset.
pub fn find(name: &str) -> Result<Preset, PresetError> {
    find_among(name, UserFolder::of_user().map(|folder| folder.presets()))
}

fn find_among(name: &str, user: Result<UserPresets, PresetError>) -> Result<Preset, PresetError> {
    let wanted = name.trim();
    let (theirs, troubles) = match user {
        Ok(user) => (user.presets, user.troubles),
        Err(error) => (Vec::new(), vec![error]),
    };
    let all = || factory().iter().chain(&theirs);
    if let Some(found) = all().find(|preset| is_same_name(&preset.name, wanted)) {
        return Ok(found.clone());
    }
    let path = Path::new(wanted);
    if path.is_file() {
        return file::read(path, &made());
    }
    let troubles: Vec<_> = troubles.iter().map(|error| format!("; {error}")).collect();
    let known: Vec<_> = all().map(|preset| preset.name.as_str()).collect();
    Err(PresetError::Unknown {
        name: wanted.to_owned(),
        known: known.join(", "),
        troubles: troubles.concat(),
    })
}

/// The parameters of an instance that nobody has turned.
fn made() -> Parameters {
    Parameters::new(Arc::new(LockstepParams::default()))
}

fn is_same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
