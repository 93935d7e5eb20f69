//! Reads the files of a source: a folder, a tar archive packed with xz, or a zip archive.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// A folder or an archive.
#[derive(Debug)]
pub(super) enum Container {
    Folder(PathBuf),
    TarXz(PathBuf),
    Zip(PathBuf),
}

/// An archive that ends early or cannot be unpacked beyond some point.
#[derive(Debug, thiserror::Error)]
#[error("the archive is damaged ({0})")]
pub(super) struct UnreadableEntry(String);

impl UnreadableEntry {
    fn new(error: impl std::fmt::Display) -> Self {
        // Errors about a damaged header may quote bytes from it.
        let is_plain = |c: &char| c.is_ascii_graphic() || *c == ' ';
        Self(
            error
                .to_string()
                .chars()
                .filter(is_plain)
                .take(80)
                .collect(),
        )
    }
}

/// A file in a container.
pub(super) struct Item<'a> {
    /// Relative to the container's root, with `/`.
    pub(super) path: &'a str,
    reader: &'a mut dyn Read,
}

impl Item<'_> {
    /// The whole file, or why it cannot be read.
    pub(super) fn bytes(&mut self, max_bytes: u64) -> std::result::Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        match self.reader.take(max_bytes + 1).read_to_end(&mut bytes) {
            Ok(n) if n as u64 > max_bytes => Err(format!("larger than {} MiB", max_bytes >> 20)),
            Ok(_) => Ok(bytes),
            Err(error) => Err(format!("unreadable ({})", error.kind())),
        }
    }
}

type Visitor<'a> = dyn FnMut(&mut Item<'_>) -> Result<ControlFlow<()>> + 'a;

impl Container {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let at = path.to_path_buf();
        let about = fs::metadata(path).with_context(|| format!("opening {}", path.display()))?;
        let name = path.to_string_lossy().to_lowercase();
        let ends_with = |end: &str| name.ends_with(end);
        Ok(if about.is_dir() {
            Self::Folder(at)
        } else if ends_with(".tar.xz") || ends_with(".txz") {
            Self::TarXz(at)
        } else if ends_with(".zip") {
            Self::Zip(at)
        } else {
            bail!(
                "{} is neither a folder nor a .tar.xz or .zip archive",
                path.display()
            )
        })
    }

    /// Shows every file to `visitor`, always in the same order, until the visitor breaks.
    ///
    /// # Errors
    /// [`UnreadableEntry`], or the visitor's error.
    pub(super) fn visit(&self, visitor: &mut Visitor<'_>) -> Result<()> {
        match self {
            Self::Folder(root) => visit_folder(root, visitor),
            Self::TarXz(path) => visit_tar_xz(path, visitor),
            Self::Zip(path) => visit_zip(path, visitor),
        }
    }
}

/// The name of a folder or archive without its extension.
pub(super) fn plain_name(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ends = [".tar.xz", ".txz", ".zip"];
    ends.iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(&name)
        .to_owned()
}

/// Opens its file on the first read, so that listing a folder opens none.
struct Lazy {
    path: PathBuf,
    file: Option<File>,
}

impl Read for Lazy {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::open(&self.path)?,
        };
        self.file.insert(file).read(buffer)
    }
}

fn visit_folder(root: &Path, visitor: &mut Visitor<'_>) -> Result<()> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        // A folder that cannot be listed is skipped; links are not followed, so there are no cycles.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    for path in files {
        let name = path.strip_prefix(root).unwrap_or(&path);
        let name = name.to_string_lossy().replace('\\', "/");
        let mut item = Item {
            path: &name,
            reader: &mut Lazy { path, file: None },
        };
        if visitor(&mut item)?.is_break() {
            break;
        }
    }
    Ok(())
}

fn visit_tar_xz(path: &Path, visitor: &mut Visitor<'_>) -> Result<()> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let unpacked = lzma_rust2::XzReader::new(BufReader::with_capacity(1 << 16, file), true);
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 16, unpacked));
    for entry in archive.entries().map_err(UnreadableEntry::new)? {
        let mut entry = entry.map_err(UnreadableEntry::new)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut item = Item {
            path: name.trim_start_matches("./"),
            reader: &mut entry,
        };
        if visitor(&mut item)?.is_break() {
            break;
        }
    }
    Ok(())
}

fn visit_zip(path: &Path, visitor: &mut Visitor<'_>) -> Result<()> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(UnreadableEntry::new)?;
    let mut names: Vec<(String, usize)> = (0..archive.len())
        .filter_map(|index| Some((archive.name_for_index(index)?.ok()?.into_owned(), index)))
        .filter(|(name, _)| !name.ends_with('/'))
        .collect();
    names.sort();
    for (name, index) in names {
        let mut entry = archive.by_index(index);
        let reader: &mut dyn Read = match &mut entry {
            Ok(entry) => entry,
            Err(_) => &mut Unreadable,
        };
        let mut item = Item {
            path: &name,
            reader,
        };
        if visitor(&mut item)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Stands for a file that an archive cannot unpack, such as an encrypted one.
struct Unreadable;

impl Read for Unreadable {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}
