//! Writes files whole or not at all, with errors that name them.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use lockstep_files::whole::{self, WholeFile};

/// Writes a file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    whole::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}

/// Writes a file with a function that gets a temporary path with the same extension.
pub(crate) fn write_with(path: &Path, work: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let what = || format!("writing {}", path.display());
    let file = WholeFile::begin(path).with_context(what)?;
    work(file.path()).with_context(what)?;
    file.finish().with_context(what)
}

/// Makes a folder if it is missing, and checks that files can be written in it.
pub(crate) fn folder(path: &Path) -> Result<()> {
    let what = || format!("{} must be a writable folder", path.display());
    fs::create_dir_all(path).with_context(what)?;
    tempfile::tempfile_in(path).with_context(what)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_whose_writing_fails_never_appears() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.png");
        let outcome = write_with(&path, |half| {
            fs::write(half, b"half of it")?;
            anyhow::bail!("the pencil broke")
        });
        assert!(outcome.is_err());
        assert_eq!(fs::read_dir(folder.path())?.count(), 0);
        write(&path, b"all of it")?;
        assert_eq!(fs::read(&path)?, b"all of it");
        Ok(())
    }

    #[test]
    fn the_error_names_a_folder_inside_a_file() -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        let below = file.path().join("report");
        let error = folder(&below).map_err(|e| e.to_string());
        assert!(error.is_err_and(|text| text.contains("report must be a writable folder")));
        Ok(())
    }
}
