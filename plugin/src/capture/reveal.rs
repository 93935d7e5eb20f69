//! Shows a file where the player's system shows files.

use std::path::{Path, PathBuf};

/// Why a file was not shown.
#[derive(Debug, thiserror::Error)]
pub enum RevealError {
    /// It is not there.
    #[error("{} is not there any more: export it again", .0.display())]
    NotThere(PathBuf),
    /// No file manager answers.
    #[error("no file manager shows {}: {source}; look into its folder by hand", path.display())]
    NoFileManager {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: opener::OpenError,
    },
}

/// Opens the system's file manager with a file selected; where none of a Linux desktop does that, with the file's folder.
/// Waits for the file manager to be told, which takes it a moment.
///
/// # Errors
/// If the file is not there, or the system has nobody to be told of it. On a Linux without a desktop nobody says so: the path
/// should be shown too.
///
/// # Realtime safety
/// Calls the system and waits: from any thread but an audio thread.
pub fn reveal(path: &Path) -> Result<(), RevealError> {
    if !path.exists() {
        return Err(RevealError::NotThere(path.to_owned()));
    }
    opener::reveal(path).map_err(|source| RevealError::NoFileManager {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_has_gone_is_named() {
        let path = Path::new("gone/lockstep.mid");
        let words = reveal(path).err().map(|error| error.to_string());
        assert!(words.is_some_and(|words| words.contains("lockstep.mid")));
    }
}
