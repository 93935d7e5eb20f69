//! A take as two files of one name, whole or not at all, where no file was before.
//!
//! Archive's thread: renders and writes, for seconds.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use lockstep_models::midi_file::{self, Song};
use lockstep_models::whole::WholeFile;

use crate::jam;
use crate::synth::KitChoice;

/// Environment variable with the folder for takes, where it is not `Lockstep` in the user's music folder.
pub const FOLDER_VARIABLE: &str = "LOCKSTEP_TAKES";

/// Most takes of one name.
const MAX_TAKES: u32 = 1000;

/// Why a take was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The system knows no folder of the user.
    #[error(
        "the system names neither a music folder nor a home: put the path of a folder into {FOLDER_VARIABLE}"
    )]
    NoFolder,
    /// Its files were not written.
    #[error("{0}; make room there, or put the path of another folder into {FOLDER_VARIABLE}")]
    Write(#[from] WriteError),
}

/// Why the two files of a take were not written; neither is there.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file or folder cannot be made.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Every name is taken.
    #[error("{} and {MAX_TAKES} names after it are taken", .0.display())]
    Taken(PathBuf),
}

/// The folder for takes: the one that [`FOLDER_VARIABLE`] names, else `Lockstep` in the user's music folder or home.
///
/// # Errors
/// If the system names none.
pub fn folder() -> Result<PathBuf, SaveError> {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let music = dirs::audio_dir().or_else(dirs::home_dir);
    Ok(music.ok_or(SaveError::NoFolder)?.join("Lockstep"))
}

/// Writes a song as `STEM.mid` and, played by a kit, `STEM.wav`, or, where one of these is taken, `STEM-2` and so on; gives
/// the path of the first.
///
/// # Errors
/// [`WriteError`]; then neither is there.
pub(super) fn write(
    folder: &Path,
    stem: &str,
    song: &Song,
    kit: KitChoice,
) -> Result<PathBuf, WriteError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| WriteError::File { path, source }
    };
    fs::create_dir_all(folder).map_err(at(folder))?;
    let named = |n: u32, kind: &str| match n {
        1 => folder.join(format!("{stem}.{kind}")),
        _ => folder.join(format!("{stem}-{n}.{kind}")),
    };
    let wav = named(1, "wav");
    let mut wav = sound(&wav, song, kit).map_err(at(&wav))?;
    for n in 1..=MAX_TAKES {
        let (notes_path, wav_path) = (named(n, "mid"), named(n, "wav"));
        let notes = notes(&notes_path, song).map_err(at(&notes_path))?;
        let taken = notes.finish_as_new(&notes_path).map_err(at(&notes_path))?;
        if taken.is_some() {
            continue;
        }
        match wav.finish_as_new(&wav_path) {
            Ok(None) => return Ok(notes_path),
            // One without the other is no take.
            Ok(Some(back)) => {
                wav = back;
                fs::remove_file(&notes_path).map_err(at(&notes_path))?;
            }
            Err(error) => {
                let _ = fs::remove_file(&notes_path);
                return Err(at(&wav_path)(error));
            }
        }
    }
    Err(WriteError::Taken(named(1, "mid")))
}

fn notes(path: &Path, song: &Song) -> io::Result<WholeFile> {
    let mut file = WholeFile::begin(path)?;
    file.write_all(&midi_file::write(song))?;
    Ok(file)
}

fn sound(path: &Path, song: &Song, kit: KitChoice) -> io::Result<WholeFile> {
    let file = WholeFile::begin(path)?;
    let opened = fs::File::options().write(true).open(file.path())?;
    jam::write_wav(song, kit, BufWriter::new(opened)).map_err(|error| match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    })?;
    Ok(file)
}
