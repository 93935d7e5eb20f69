//! Files that appear whole or not at all, and errors that name them.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use lockstep_files::whole::{self, WholeFile};

/// Writes a file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    whole::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}

/// Writes a file through a function that is given another path, with the same extension, to write to.
pub(crate) fn write_with(path: &Path, work: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let what = || format!("writing {}", path.display());
    let file = WholeFile::begin(path).with_context(what)?;
    work(file.path()).with_context(what)?;
    file.finish().with_context(what)
}

/// Makes a folder where there is none, and makes sure that files can be written there.
pub(crate) fn folder(path: &Path) -> Result<()> {
    let what = || format!("{} must be a folder that can be written to", path.display());
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
    fn a_folder_below_a_file_is_refused_by_name() -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        let below = file.path().join("report");
        let error = folder(&below).map_err(|e| e.to_string());
        assert!(error.is_err_and(|text| text.contains("report must be a folder")));
        Ok(())
    }
}
