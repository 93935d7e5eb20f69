//! Shows a file in the system's file manager.

use std::path::{Path, PathBuf};

/// Why a file was not shown.
#[derive(Debug, thiserror::Error)]
pub enum RevealError {
    /// The file does not exist.
    #[error("{} no longer exists: export it again", .0.display())]
    Missing(PathBuf),
    /// No file manager responded.
    #[error("no file manager could show {}: {source}; open its folder yourself", path.display())]
    NoFileManager {
        /// The file.
        path: PathBuf,
        /// The error.
        source: opener::OpenError,
    },
}

/// Opens the system's file manager with a file selected; on Linux, if no file manager can select it, with the file's folder.
/// Waits until the file manager has the request.
///
/// # Errors
/// If the file does not exist or no file manager can be reached. On Linux without a desktop there may be no error, so show the
/// path as well.
///
/// # Realtime safety
/// Calls the system and waits; never call it on the audio thread.
pub fn reveal(path: &Path) -> Result<(), RevealError> {
    if !path.exists() {
        return Err(RevealError::Missing(path.to_owned()));
    }
    system::reveal(path).map_err(|source| RevealError::NoFileManager {
        path: path.to_owned(),
        source,
    })
}

/// Finder and Explorer select the file.
#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) use opener::reveal;
}

/// Asks a Linux desktop's file manager over D-Bus, through one of the programs that come with D-Bus: a D-Bus library would make
/// up a tenth of the plugin.
#[cfg(target_os = "linux")]
mod system {
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use opener::OpenError;

    /// The interface that desktop file managers implement (freedesktop.org, "File Manager D-Bus Interface").
    const BUS_NAME: &str = "org.freedesktop.FileManager1";
    const OBJECT_PATH: &str = "/org/freedesktop/FileManager1";
    const SHOW_ITEMS: &str = "org.freedesktop.FileManager1.ShowItems";

    pub(super) fn reveal(path: &Path) -> Result<(), OpenError> {
        let path = path.canonicalize().map_err(OpenError::Io)?;
        let is_shown = calls(&uri(&path)).iter_mut().any(|call| {
            let call = call.stdin(Stdio::null());
            let call = call.stdout(Stdio::null()).stderr(Stdio::null());
            call.status().is_ok_and(|status| status.success())
        });
        if is_shown {
            return Ok(());
        }
        opener::open(path.parent().unwrap_or(Path::new("/")))
    }

    /// The same request for each program that can send it; each waits at most five seconds for the answer.
    fn calls(uri: &str) -> [Command; 2] {
        let mut dbus_send = Command::new("dbus-send");
        dbus_send
            .args(["--session", "--type=method_call", "--print-reply"])
            .args(["--reply-timeout=5000", &format!("--dest={BUS_NAME}")])
            .args([
                OBJECT_PATH,
                SHOW_ITEMS,
                &format!("array:string:{uri}"),
                "string:",
            ]);
        let mut gdbus = Command::new("gdbus");
        gdbus
            .args(["call", "--session", "--timeout", "5", "--dest", BUS_NAME])
            .args(["--object-path", OBJECT_PATH, "--method", SHOW_ITEMS])
            .args([&format!("['{uri}']"), "''"]);
        [dbus_send, gdbus]
    }

    /// A file's URI, with everything escaped that the programs above treat specially, such as commas and quotes.
    fn uri(path: &Path) -> String {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(byte);
        let bytes = path.as_os_str().as_bytes().iter();
        let path = bytes.map(|byte| {
            if plain(byte) {
                char::from(*byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        });
        format!("file://{}", path.collect::<String>())
    }

    #[cfg(test)]
    mod tests {
        use std::ffi::{OsStr, OsString};

        use super::*;

        #[test]
        fn any_path_is_a_single_argument_of_the_programs() {
            let path = OsString::from("/a b/c,d'e\"/\u{e9}%.wav");
            let uri = uri(Path::new(&path));
            assert_eq!(uri, "file:///a%20b/c%2Cd%27e%22/%C3%A9%25.wav");
            for call in calls(&uri) {
                let has_it = |arg: &OsStr| arg.to_string_lossy().contains(&uri);
                assert_eq!(call.get_args().filter(|arg| has_it(arg)).count(), 1);
            }
            let odd = OsStr::from_bytes(b"/\xff\n");
            assert_eq!(super::uri(Path::new(odd)), "file:///%FF%0A");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        let path = Path::new("gone/lockstep.mid");
        let words = reveal(path).err().map(|error| error.to_string());
        assert!(words.is_some_and(|words| words.contains("lockstep.mid")));
    }
}
