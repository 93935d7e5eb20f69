//! Files that appear complete or not at all, whatever happens while they are written.

mod new;

use std::fs;
use std::io::{ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use new::NewFile;

/// A file being written. It gets its name only when it is finished, and then replaces any file of that name. If it is dropped
/// before, nothing is left.
#[derive(Debug)]
pub struct WholeFile {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl WholeFile {
    /// Begins a file in its final folder, under a temporary name with the same extension.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn begin(path: &Path) -> Result<Self> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        Ok(Self {
            temporary: temporary(folder, &extension)?,
            path: path.to_owned(),
        })
    }

    /// Its temporary path while it is written.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Syncs it to disk and gives it a name that no file has yet. If the name is taken, the file is returned.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish_as_new(self, path: &Path) -> Result<Option<Self>> {
        fs::File::open(self.temporary.path())?.sync_all()?;
        match self.temporary.persist_noclobber(path) {
            Ok(_) => Ok(None),
            Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => Ok(Some(Self {
                temporary: taken.file,
                path: self.path,
            })),
            Err(other) => Err(other.error),
        }
    }

    /// Syncs it to disk and gives it its name.
    ///
    /// # Errors
    /// Those of the file system; a file that had the name before is then still there.
    pub fn finish(self) -> Result<()> {
        // Opens it by its path, because a caller that was given the path may have put another file there.
        fs::File::open(self.temporary.path())?.sync_all()?;
        self.temporary.persist(self.path)?;
        Ok(())
    }
}

/// An empty file in a folder, with a unique name and the given extension.
fn temporary(folder: &Path, extension: &str) -> Result<NamedTempFile> {
    let suffix = if extension.is_empty() {
        String::new()
    } else {
        format!(".{extension}")
    };
    let mut builder = tempfile::Builder::new();
    builder.suffix(&suffix);
    // With the permissions of an ordinary file; temporary files are readable only by their owner.
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666))
    };
    builder.tempfile_in(folder)
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.temporary.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.temporary.flush()
    }
}

/// Writes a file completely or not at all.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("take.mid");
/// lockstep_files::whole::write(&path, b"all of it")?;
/// assert_eq!(std::fs::read(&path)?, b"all of it");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// Those of the file system.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = WholeFile::begin(path)?;
    file.write_all(bytes)?;
    file.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_finished_never_appears() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.mid");
        write(&path, b"all of it")?;
        let mut file = WholeFile::begin(&path)?;
        file.write_all(b"half of")?;
        drop(file);
        assert_eq!(fs::read(&path)?, b"all of it");
        assert_eq!(fs::read_dir(folder.path())?.count(), 1);
        Ok(())
    }

    #[test]
    fn finish_as_new_does_not_replace_a_file() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let (taken, free) = (folder.path().join("a.mid"), folder.path().join("b.mid"));
        write(&taken, b"first")?;
        let mut file = WholeFile::begin(&taken)?;
        file.write_all(b"second")?;
        let back = file.finish_as_new(&taken)?;
        assert_eq!(fs::read(&taken)?, b"first");
        assert!(
            back.map_or(Ok(None), |file| file.finish_as_new(&free))?
                .is_none()
        );
        assert_eq!(fs::read(&free)?, b"second");
        assert_eq!(fs::read_dir(folder.path())?.count(), 2);
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn it_is_as_readable_as_any_other_file() -> Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir()?;
        let (ours, other) = (folder.path().join("a"), folder.path().join("b"));
        write(&ours, b"a")?;
        fs::write(&other, b"b")?;
        let mode = |path| fs::metadata(path).map(|data| data.permissions().mode());
        assert_eq!(mode(ours)?, mode(other)?);
        Ok(())
    }
}
