//! Files that appear whole or not at all, whatever happens while they are written.

mod new;

use std::fs;
use std::io::{ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use new::NewFile;

/// A file on its way: it takes its name, and the place of what had it before, when it is finished. One that is dropped
/// before leaves nothing.
#[derive(Debug)]
pub struct WholeFile {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl WholeFile {
    /// Begins a file in the folder where it will be, under another name with the same extension.
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

    /// Where it is while it is written.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Gives it a name that no file has yet, once the disk has all of it. The file comes back where one has.
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

    /// Gives it its name, once the disk has all of it.
    ///
    /// # Errors
    /// Those of the file system; what had the name before is then still there.
    pub fn finish(self) -> Result<()> {
        // By its path: who was given the path may have put another file there.
        fs::File::open(self.temporary.path())?.sync_all()?;
        self.temporary.persist(self.path)?;
        Ok(())
    }
}

/// An empty file in a folder, with a name of its own that ends in an extension.
fn temporary(folder: &Path, extension: &str) -> Result<NamedTempFile> {
    let suffix = if extension.is_empty() {
        String::new()
    } else {
        format!(".{extension}")
    };
    let mut builder = tempfile::Builder::new();
    builder.suffix(&suffix);
    // Readable as any other file, and not for its owner alone as temporary files are.
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

/// Writes a file.
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
    fn a_name_that_is_taken_stays_its_owners() -> Result<()> {
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
