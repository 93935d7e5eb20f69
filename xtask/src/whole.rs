//! Files that appear whole or not at all, whatever happens while they are written.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use tempfile::NamedTempFile;

/// Writes a file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let what = || format!("writing {}", path.display());
    let mut temporary = beside(path).with_context(what)?;
    temporary.write_all(bytes).with_context(what)?;
    temporary.persist(path).with_context(what)?;
    Ok(())
}

/// Writes a file through a function that is given another path, with the same extension, to write to.
pub(crate) fn write_with(path: &Path, work: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let what = || format!("writing {}", path.display());
    let temporary = beside(path).with_context(what)?;
    work(temporary.path()).with_context(what)?;
    temporary.persist(path).with_context(what)?;
    Ok(())
}

/// Makes a folder where there is none, and makes sure that files can be written there.
pub(crate) fn folder(path: &Path) -> Result<()> {
    let what = || format!("{} must be a folder that can be written to", path.display());
    fs::create_dir_all(path).with_context(what)?;
    tempfile::tempfile_in(path).with_context(what)?;
    Ok(())
}

/// A temporary file in the folder of a path; it is gone unless it is persisted.
fn beside(path: &Path) -> std::io::Result<NamedTempFile> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let suffix = path
        .extension()
        .map(|extension| format!(".{}", extension.to_string_lossy()))
        .unwrap_or_default();
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
        let file = NamedTempFile::new()?;
        let below = file.path().join("report");
        let error = folder(&below).map_err(|e| e.to_string());
        assert!(error.is_err_and(|text| text.contains("report must be a folder")));
        Ok(())
    }
}
