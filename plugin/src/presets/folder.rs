//! The user's own presets: files in a folder.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use lockstep_files::whole::{self, WholeFile};

use super::{Preset, PresetError, Title, factory, file, is_same_name, made};
use crate::params::Parameters;

/// Environment variable with the folder to be used in place of `lockstep/presets` in the user's data folder.
pub const FOLDER_VARIABLE: &str = "LOCKSTEP_PRESETS";

/// How the files' names end.
const EXTENSION: &str = "toml";

/// Most files whose names come from names that are alike.
const MAX_ALIKE: u32 = 1000;

/// Where a user's presets lie.
#[derive(Clone, Debug)]
pub struct UserFolder(PathBuf);

/// What lies there.
#[derive(Debug)]
pub struct UserPresets {
    /// The folder, whether or not it is there.
    pub folder: PathBuf,
    /// By name.
    pub presets: Vec<Preset>,
    /// Why others are left out: a file that is no preset, or has the name of another.
    pub troubles: Vec<PresetError>,
}

/// What to do where a preset has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfThere {
    /// Leave it as it is, and say so.
    Refuse,
    /// Put the new one in its place.
    Replace,
}

impl UserFolder {
    /// The folder that [`FOLDER_VARIABLE`] names, else `lockstep/presets` in the user's data folder.
    ///
    /// # Errors
    /// [`PresetError::NoFolder`]
    pub fn of_user() -> Result<Self, PresetError> {
        Self::locate(std::env::var_os(FOLDER_VARIABLE))
    }

    fn locate(named: Option<OsString>) -> Result<Self, PresetError> {
        if let Some(named) = named.filter(|named| !named.is_empty()) {
            return Ok(Self(named.into()));
        }
        let data = dirs::data_dir().ok_or(PresetError::NoFolder)?;
        Ok(Self(data.join("lockstep").join("presets")))
    }

    /// A folder of one's own choice.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is, or will be with its first preset.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// All that lie there. Of two with one name the one whose file comes first by name is taken.
    pub fn presets(&self) -> UserPresets {
        let mut found = UserPresets {
            folder: self.0.clone(),
            presets: Vec::new(),
            troubles: Vec::new(),
        };
        let paths = match self.files() {
            Ok(paths) => paths,
            Err(error) => {
                found.troubles.push(error);
                return found;
            }
        };
        let parameters = made();
        for path in paths {
            match file::read(&path, &parameters).and_then(|preset| found.alone(preset)) {
                Ok(preset) => found.presets.push(preset),
                Err(error) => found.troubles.push(error),
            }
        }
        found
            .presets
            .sort_by_key(|preset| preset.name.to_lowercase());
        found
    }

    /// The files that are to be presets, by name; none where there is no folder.
    fn files(&self) -> Result<Vec<PathBuf>, PresetError> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.0)(error)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed(&self.0))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == EXTENSION)
            {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// Writes what is set now as a preset, whole or not at all, and gives its file.
    ///
    /// # Errors
    /// If the name cannot be one or is a factory preset's, if there is one already and it is not to be replaced, or those of
    /// the file system.
    pub fn save(
        &self,
        title: Title<'_>,
        parameters: &Parameters,
        if_there: IfThere,
    ) -> Result<PathBuf, PresetError> {
        let title = file::checked(title)?;
        if let Some(own) = factory()
            .iter()
            .find(|preset| is_same_name(&preset.name, title.name))
        {
            return Err(PresetError::Factory(own.name.clone()));
        }
        let text = file::text(title, parameters)?;
        fs::create_dir_all(&self.0).map_err(failed(&self.0))?;
        let there = self.presets().presets.into_iter();
        let path = there
            .filter(|preset| is_same_name(&preset.name, title.name))
            .find_map(|preset| preset.file);
        let Some(path) = path else {
            return self.write_new(title, &text);
        };
        if if_there == IfThere::Refuse {
            return Err(PresetError::IsThere {
                name: title.name.to_owned(),
                path,
            });
        }
        whole::write(&path, text.as_bytes()).map_err(failed(&path))?;
        Ok(path)
    }

    /// Writes a file that was not there: what has another name, or cannot be read, is never overwritten.
    fn write_new(&self, title: Title<'_>, text: &str) -> Result<PathBuf, PresetError> {
        let stem = stem(title.name);
        let named = |n: u32| match n {
            1 => self.0.join(format!("{stem}.{EXTENSION}")),
            _ => self.0.join(format!("{stem}-{n}.{EXTENSION}")),
        };
        let mut path = named(1);
        let mut file = begin(&path, text).map_err(failed(&path))?;
        for n in 1..=MAX_ALIKE {
            path = named(n);
            match file.finish_as_new(&path).map_err(failed(&path))? {
                None => return Ok(path),
                Some(back) => file = back,
            }
        }
        Err(PresetError::IsThere {
            name: title.name.to_owned(),
            path,
        })
    }
}

impl UserPresets {
    /// A preset, if no other has its name.
    fn alone(&self, preset: Preset) -> Result<Preset, PresetError> {
        let mut others = factory().iter().chain(&self.presets);
        let Some(other) = others.find(|other| is_same_name(&other.name, &preset.name)) else {
            return Ok(preset);
        };
        let shown = |file: &Option<PathBuf>| match file {
            Some(path) => path.display().to_string(),
            None => "a preset that comes with Lockstep".to_owned(),
        };
        Err(PresetError::Twice {
            file: shown(&preset.file),
            name: preset.name,
            other: shown(&other.file),
        })
    }
}

fn begin(path: &Path, text: &str) -> io::Result<WholeFile> {
    let mut file = WholeFile::begin(path)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// A file's name without its ending: letters and digits of a preset's name, small, with a `-` for all between.
fn stem(name: &str) -> String {
    let small = name.to_lowercase();
    let words: Vec<_> = small
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() {
        "preset".to_owned()
    } else {
        words.join("-")
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> PresetError {
    let path = path.to_owned();
    move |source| PresetError::File { path, source }
}
