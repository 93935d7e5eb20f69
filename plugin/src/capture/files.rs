//! Writes a take as two files of the same name, completely or not at all, without overwriting any file.
//!
//! Writer thread: rendering and writing take about a second.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use lockstep_engine::synth::KitChoice;
use lockstep_files::midi_file::{self, Song};
use lockstep_files::whole::NewFile;

use super::writer::WriterBusy;

/// Environment variable with the takes folder to use instead of `Lockstep` in the user's music folder.
pub const FOLDER_VARIABLE: &str = "LOCKSTEP_TAKES";

/// Most takes with the same name.
const MAX_TAKES: u32 = 1000;

/// Why a take was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The system has no music or home folder.
    #[error(
        "the system has no music folder and no home folder: set {FOLDER_VARIABLE} to the path of a folder"
    )]
    NoFolder,
    /// The files could not be written.
    #[error("{0}; make room there, or set {FOLDER_VARIABLE} to the path of another folder")]
    Write(#[from] WriteError),
    /// The writer's queue is full, or it has no thread.
    #[error("{0}")]
    Busy(#[from] WriterBusy),
}

/// Why the two files of a take were not written; then neither exists.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file or folder cannot be created.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Every name is taken.
    #[error("{} and {MAX_TAKES} names after it are taken", .0.display())]
    Taken(PathBuf),
}

/// The takes folder: the one that [`FOLDER_VARIABLE`] names, else `Lockstep` in the user's music or home folder.
///
/// # Errors
/// [`SaveError::NoFolder`]
pub fn folder() -> Result<PathBuf, SaveError> {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let music = dirs::audio_dir().or_else(dirs::home_dir);
    Ok(music.ok_or(SaveError::NoFolder)?.join("Lockstep"))
}

/// The file name for a take written now, without its extension.
pub(super) fn stem() -> String {
    let now = chrono::Local::now();
    now.format("lockstep-%Y-%m-%d-%H%M%S").to_string()
}

/// Writes a song as `STEM.mid` and, played by a kit, `STEM.wav`; if either exists, as `STEM-2` and so on. Returns the path of
/// the MIDI file.
///
/// # Errors
/// [`WriteError`]; then neither file exists.
pub(super) fn write(
    folder: &Path,
    stem: &str,
    song: &Song,
    kit: KitChoice,
) -> Result<PathBuf, WriteError> {
    fs::create_dir_all(folder).map_err(at(folder))?;
    let names = TakeNames { folder, stem };
    // The notes first: if the process exits while the audio is rendered, they are still there.
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
            // The name was taken meanwhile: move both files to the next name.
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

/// The possible file names of a take.
struct TakeNames<'a> {
    folder: &'a Path,
    stem: &'a str,
}

impl TakeNames<'_> {
    fn of(&self, n: u32, extension: &str) -> PathBuf {
        let Self { folder, stem } = self;
        match n {
            1 => folder.join(format!("{stem}.{extension}")),
            _ => folder.join(format!("{stem}-{n}.{extension}")),
        }
    }

    /// Writes the notes under the first name, from number `from` on, that is free for both files. Returns its number.
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

/// Adds the path to an error.
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
