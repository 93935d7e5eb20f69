//! New files: they have no name until they are complete, and never replace another file.

use std::fs::File;
use std::io::{ErrorKind, Result, Seek, SeekFrom, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::temporary;

/// A file being written that will get a name no other file has. If it is dropped before, nothing is left.
///
/// On Linux nothing is left even if the process ends during writing: the file has no name at all until it is finished.
/// Elsewhere, and on file systems without nameless files (FAT, NFS), a file named `.tmp…` is left in that case.
#[derive(Debug)]
pub struct NewFile(Kind);

#[derive(Debug)]
enum Kind {
    #[cfg(target_os = "linux")]
    Nameless(File),
    Named(NamedTempFile),
}

impl NewFile {
    /// Begins a file in a folder; its temporary name, if any, has this extension.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn begin(folder: &Path, extension: &str) -> Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(file) = linux::nameless(folder) {
            return Ok(Self(Kind::Nameless(file)));
        }
        temporary(folder, extension).map(|file| Self(Kind::Named(file)))
    }

    /// Syncs it to disk and gives it a name. If another file has that name, the file is returned.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(self, path: &Path) -> Result<Option<Self>> {
        self.file().sync_all()?;
        match self.0 {
            #[cfg(target_os = "linux")]
            Kind::Nameless(file) => match linux::name(&file, path) {
                Ok(()) => Ok(None),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    Ok(Some(Self(Kind::Nameless(file))))
                }
                Err(error) => Err(error),
            },
            Kind::Named(file) => match file.persist_noclobber(path) {
                Ok(_) => Ok(None),
                Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => {
                    Ok(Some(Self(Kind::Named(taken.file))))
                }
                Err(other) => Err(other.error),
            },
        }
    }

    fn file(&self) -> &File {
        match &self.0 {
            #[cfg(target_os = "linux")]
            Kind::Nameless(file) => file,
            Kind::Named(file) => file.as_file(),
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.file().flush()
    }
}

impl Seek for NewFile {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.file().seek(to)
    }
}

/// Linux's files without a name.
#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::Result;
    use std::os::fd::AsRawFd as _;
    use std::path::{Path, PathBuf};

    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};

    /// A new file in a folder; `None` if the file system has no nameless files, or `/proc` is missing, so it could not
    /// be named later.
    pub(super) fn nameless(folder: &Path) -> Option<File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        // With the permissions of an ordinary file.
        let file = open(folder, flags, Mode::from_raw_mode(0o666)).ok()?;
        let file = File::from(file);
        own_path(&file).exists().then_some(file)
    }

    /// Gives it a name that no other file has.
    pub(super) fn name(file: &File, path: &Path) -> Result<()> {
        linkat(CWD, own_path(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?;
        Ok(())
    }

    /// A path to an open file that has no name.
    fn own_path(file: &File) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A file of each kind.
    fn each(folder: &Path) -> Result<Vec<NewFile>> {
        let named = NewFile(Kind::Named(temporary(folder, "wav")?));
        Ok(vec![named, NewFile::begin(folder, "wav")?])
    }

    #[test]
    fn a_new_file_is_complete_and_replaces_no_other() -> Result<()> {
        let folder = tempfile::tempdir()?;
        for (n, mut file) in each(folder.path())?.into_iter().enumerate() {
            let taken = folder.path().join(format!("{n}-taken.wav"));
            let free = folder.path().join(format!("{n}-free.wav"));
            fs::write(&taken, b"mine")?;
            file.write_all(b"... of it")?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(b"all")?;
            let back = file.finish(&taken)?;
            assert_eq!(fs::read(&taken)?, b"mine");
            assert!(back.map_or(Ok(None), |file| file.finish(&free))?.is_none());
            assert_eq!(fs::read(&free)?, b"all of it");
        }
        assert_eq!(fs::read_dir(folder.path())?.count(), 4);
        Ok(())
    }

    #[test]
    fn a_file_that_is_not_finished_leaves_nothing() -> Result<()> {
        let folder = tempfile::tempdir()?;
        for mut file in each(folder.path())? {
            file.write_all(b"half of")?;
        }
        assert_eq!(fs::read_dir(folder.path())?.count(), 0);
        Ok(())
    }

    // A process that ends during writing runs no destructors, so only a nameless file leaves nothing.
    #[cfg(target_os = "linux")]
    #[test]
    fn on_linux_it_has_no_name_while_it_is_written() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let mut file = NewFile::begin(folder.path(), "wav")?;
        file.write_all(b"half of")?;
        let has_nameless = matches!(file.0, Kind::Nameless(_));
        let n_names = fs::read_dir(folder.path())?.count();
        assert_eq!(n_names, usize::from(!has_nameless));
        if !has_nameless {
            eprintln!("SKIPPED: the file system for temporary files has no nameless files");
        }
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn it_is_as_readable_as_any_other_file() -> Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir()?;
        let other = folder.path().join("other");
        fs::write(&other, b"a")?;
        let mode = |path: &Path| fs::metadata(path).map(|data| data.permissions().mode());
        for (n, file) in each(folder.path())?.into_iter().enumerate() {
            let path = folder.path().join(n.to_string());
            file.finish(&path)?;
            assert_eq!(mode(&path)?, mode(&other)?);
        }
        Ok(())
    }
}
