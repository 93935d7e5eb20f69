//! A take as two files of one name, whole or not at all, where no file was before.
//!
//! Writer's thread: renders and writes, for about a second.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use lockstep_engine::synth::KitChoice;
use lockstep_files::midi_file::{self, Song};
use lockstep_files::whole::NewFile;

use super::writer::Busy;

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
    /// It has to wait for others.
    #[error("{0}")]
    Busy(#[from] Busy),
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

/// The name of what is written now, without its ending.
pub(super) fn stem() -> String {
    let now = chrono::Local::now();
    now.format("lockstep-%Y-%m-%d-%H%M%S").to_string()
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
    fs::create_dir_all(folder).map_err(at(folder))?;
    let names = Names { folder, stem };
    // The notes first. Where the process ends while the sound is rendered, they are a take.
    let mut n = names.write_notes(1, song)?;
    let written = sound(folder, song, kit);
    let mut wav = written.map_err(|source| {
        let _ = fs::remove_file(names.of(n, "mid"));
        at(&names.of(n, "wav"))(source)
    })?;
    loop {
        let (notes_path, wav_path) = (names.of(n, "mid"), names.of(n, "wav"));
        match wav.finish(&wav_path) {
            Ok(None) => return Ok(notes_path),
            // The name was taken meanwhile: one without the other is no take.
            Ok(Some(back)) => {
                wav = back;
                fs::remove_file(&notes_path).map_err(at(&notes_path))?;
                n = names.write_notes(n + 1, song)?;
            }
            Err(error) => {
                let _ = fs::remove_file(&notes_path);
                return Err(at(&wav_path)(error));
            }
        }
    }
}

/// The names that the files of a take can have.
struct Names<'a> {
    folder: &'a Path,
    stem: &'a str,
}

impl Names<'_> {
    fn of(&self, n: u32, extension: &str) -> PathBuf {
        let Self { folder, stem } = self;
        match n {
            1 => folder.join(format!("{stem}.{extension}")),
            _ => folder.join(format!("{stem}-{n}.{extension}")),
        }
    }

    /// Writes the notes by the first name from a number on that is free for both kinds of file; gives its number.
    fn write_notes(&self, from: u32, song: &Song) -> Result<u32, WriteError> {
        let begun = NewFile::begin(self.folder, "mid").and_then(|mut file| {
            file.write_all(&midi_file::write(song))?;
            Ok(file)
        });
        let mut notes = begun.map_err(at(&self.of(from, "mid")))?;
        for n in from..=MAX_TAKES {
            if self.of(n, "wav").exists() {
                continue;
            }
            let path = self.of(n, "mid");
            match notes.finish(&path).map_err(at(&path))? {
                None => return Ok(n),
                Some(back) => notes = back,
            }
        }
        Err(WriteError::Taken(self.of(1, "mid")))
    }
}

/// Says of which file an error is.
fn at(path: &Path) -> impl FnOnce(io::Error) -> WriteError + use<> {
    let path = path.to_owned();
    move |source| WriteError::File { path, source }
}

fn sound(folder: &Path, song: &Song, kit: KitChoice) -> io::Result<NewFile> {
    let mut file = NewFile::begin(folder, "wav")?;
    lockstep_offline::write_wav(song, kit, BufWriter::new(&mut file)).map_err(
        |error| match error {
            hound::Error::IoError(error) => error,
            other => io::Error::other(other),
        },
    )?;
    Ok(file)
}
