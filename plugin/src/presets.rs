//! Presets: named settings of what the drummer plays, how, and on which kit.
//!
//! A preset is a text file: `name`, `about`, and a table `[set]` with the texts that a host shows, by parameter id. Parameters
//! that a file leaves out get their defaults, so that a preset always means the same. Presets leave out what depends on the
//! player's setup: bass input, free run, drum map, device. While audio runs nothing here sets parameters; the host does, from
//! [`PresetValues`]. Never on the audio thread.

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

pub use compare::{Compare, CompareSide};
pub use factory::factory;
pub use folder::{FOLDER_VARIABLE, IfExists, UserFolder, UserPresets};
pub use values::PresetValues;

/// A named setting of parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// Up to [`MAX_NAME`] characters on one line. No two presets have names that differ only in case.
    pub name: String,
    /// A description of up to [`MAX_ABOUT`] characters on one line; may be empty.
    pub about: String,
    /// The values it sets.
    pub values: PresetValues,
    /// The user's file that it was read from; `None` for a factory preset.
    pub file: Option<PathBuf>,
}

/// Most characters in a name.
pub const MAX_NAME: usize = 40;

/// Most characters in a description.
pub const MAX_ABOUT: usize = 200;

/// A preset's name and description.
#[derive(Clone, Copy, Debug)]
pub struct PresetTitle<'a> {
    /// See [`Preset::name`].
    pub name: &'a str,
    /// See [`Preset::about`]; may be empty.
    pub about: &'a str,
}

/// Why a preset was not found, read or written.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// The system has no folder for them.
    #[error(
        "the system has no data folder for presets: set {FOLDER_VARIABLE} to the path of a folder"
    )]
    NoFolder,
    /// A file or folder cannot be read or written.
    #[error("{}: {source}; fix this, or set {FOLDER_VARIABLE} to the path of another folder", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file is not a preset.
    #[error(
        "{file}: {reason}; a preset has a `name`, an `about`, and a table `[set]` of texts by parameter id"
    )]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A file sets an unknown parameter or an impossible value.
    #[error("{file}: {source}")]
    Parameter {
        /// The file.
        file: String,
        /// What is wrong.
        source: ParameterError,
    },
    /// A file sets a parameter that presets leave out.
    #[error("{file}: presets cannot set `{id}`, which belongs to the player's setup; leave it out")]
    NotKept {
        /// The file.
        file: String,
        /// The parameter.
        id: String,
    },
    /// A bare whole number in place of a text.
    #[error("{file}: {id} = {number} is not a text: write it in quotes, {id} = \"{number}\"")]
    Bare {
        /// The file.
        file: String,
        /// The parameter.
        id: String,
        /// The number.
        number: i64,
    },
    /// A name or description is not allowed.
    #[error("`{text}` cannot be a preset's name or description: {what}")]
    Words {
        /// The text.
        text: String,
        /// What is allowed.
        what: String,
    },
    /// Two presets have the same name.
    #[error("{file}: `{name}` is also the name of {other}; rename it")]
    Twice {
        /// The file that is left out.
        file: String,
        /// The name.
        name: String,
        /// What has it already: a file, or a factory preset.
        other: String,
    },
    /// Factory presets are not overwritten.
    #[error(
        "`{0}` is a preset that comes with Lockstep and cannot be replaced: choose another name"
    )]
    Factory(String),
    /// The name is taken.
    #[error("`{name}` already exists in {}: choose another name, or replace it", path.display())]
    IsThere {
        /// The name.
        name: String,
        /// Its file.
        path: PathBuf,
    },
    /// No preset has this name.
    #[error("there is no preset `{name}`; there are {known}{problems}")]
    Unknown {
        /// The name.
        name: String,
        /// The names of all presets.
        known: String,
        /// Files that could not be read; empty, or starts with a semicolon.
        problems: String,
    },
}

impl Preset {
    /// The controls for the performer, the drummer and the kit, for playing without a host. What presets leave out gets its
    /// default.
    pub fn controls(&self) -> (Controls, Drummer, KitChoice) {
        let params = Arc::new(LockstepParams::default());
        self.values
            .apply(&Parameters::new(Arc::clone(&params) as Arc<dyn Params>));
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
/// [`PresetError::NoFolder`]; errors in single files are in [`UserPresets::problems`].
pub fn user() -> Result<UserPresets, PresetError> {
    Ok(UserFolder::of_user()?.presets())
}

/// Finds a preset by name, ignoring case, among the factory's and the user's; else reads it from a file.
///
/// # Errors
/// [`PresetError::Unknown`] with the existing names, or why the file could not be read.
pub fn find(name: &str) -> Result<Preset, PresetError> {
    find_among(name, UserFolder::of_user().map(|folder| folder.presets()))
}

fn find_among(name: &str, user: Result<UserPresets, PresetError>) -> Result<Preset, PresetError> {
    let wanted = name.trim();
    let (theirs, problems) = match user {
        Ok(user) => (user.presets, user.problems),
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
    let problems: Vec<_> = problems.iter().map(|error| format!("; {error}")).collect();
    let known: Vec<_> = all().map(|preset| preset.name.as_str()).collect();
    Err(PresetError::Unknown {
        name: wanted.to_owned(),
        known: known.join(", "),
        problems: problems.concat(),
    })
}

/// Parameters at their defaults.
fn made() -> Parameters {
    Parameters::new(Arc::new(LockstepParams::default()))
}

fn is_same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
