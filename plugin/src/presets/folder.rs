//! The user's own presets: files in a folder.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use lockstep_files::whole::{self, WholeFile};

use super::{Preset, PresetError, PresetTitle, factory, file, is_same_name, made};
use crate::params::Parameters;

/// Environment variable with the folder to use instead of `lockstep/presets` in the user's data folder.
pub const FOLDER_VARIABLE: &str = "LOCKSTEP_PRESETS";

/// File extension of presets.
const EXTENSION: &str = "toml";

/// Most presets whose names give the same file name.
const MAX_ALIKE: u32 = 1000;

/// The folder of the user's presets.
#[derive(Clone, Debug)]
pub struct UserFolder(PathBuf);

/// The presets in the folder.
#[derive(Debug)]
pub struct UserPresets {
    /// The folder, which may not exist yet.
    pub folder: PathBuf,
    /// Sorted by name.
    pub presets: Vec<Preset>,
    /// Why other files are left out: each is not a preset, or has another's name.
    pub problems: Vec<PresetError>,
}

/// What to do if the name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfExists {
    /// Keep the old preset and return an error.
    Refuse,
    /// Replace the old preset.
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

    /// A folder at a given path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path. The first preset saved creates it.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads all presets. Of two with the same name, the one whose file name sorts first is used.
    pub fn presets(&self) -> UserPresets {
        let mut found = UserPresets {
            folder: self.0.clone(),
            presets: Vec::new(),
            problems: Vec::new(),
        };
        let paths = match self.files() {
            Ok(paths) => paths,
            Err(error) => {
                found.problems.push(error);
                return found;
            }
        };
        let parameters = made();
        for path in paths {
            match file::read(&path, &parameters).and_then(|preset| found.alone(preset)) {
                Ok(preset) => found.presets.push(preset),
                Err(error) => found.problems.push(error),
            }
        }
        found
            .presets
            .sort_by_key(|preset| preset.name.to_lowercase());
        found
    }

    /// The `.toml` files in the folder, sorted; none if there is no folder.
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

    /// Writes the current values as a preset, completely or not at all. Returns its file.
    ///
    /// # Errors
    /// If the title is not allowed, the name is a factory preset's or is taken and not to be replaced, or writing fails.
    pub fn save(
        &self,
        title: PresetTitle<'_>,
        parameters: &Parameters,
        if_there: IfExists,
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
        if if_there == IfExists::Refuse {
            return Err(PresetError::IsThere {
                name: title.name.to_owned(),
                path,
            });
        }
        whole::write(&path, text.as_bytes()).map_err(failed(&path))?;
        Ok(path)
    }

    /// Writes a new file, and never overwrites one that has another name or cannot be read.
    fn write_new(&self, title: PresetTitle<'_>, text: &str) -> Result<PathBuf, PresetError> {
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
    /// Returns the preset, if no other has its name.
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

/// A file name without its extension: the preset's name in lower case, with `-` for anything but letters and digits.
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
