//! What the app remembers between runs: `live.toml` in the user's configuration folder.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use lockstep::params::StoredValue;
use lockstep_files::whole;
use serde::{Deserialize, Serialize};

use super::command::{BackendChoice, LiveArgs, SyncChoice};

/// Environment variable with the folder to use instead of `lockstep` in the user's configuration folder.
pub(crate) const FOLDER_VARIABLE: &str = "LOCKSTEP_CONFIG";

/// The remembered settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// The backend for audio and MIDI.
    pub(crate) backend: BackendChoice,
    /// The time source.
    pub(crate) sync: SyncChoice,
    /// MIDI port for the bass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bass: Option<String>,
    /// MIDI port for the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clock: Option<String>,
    /// MIDI port for the drums.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drums: Option<String>,
    /// Audio output for the kit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audio: Option<String>,
    /// Requested sample rate in Hz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<u32>,
    /// Requested frames per block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) period: Option<u32>,
    /// Parameters that differ from their defaults, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) parameters: BTreeMap<String, StoredValue>,
    /// What a project would also save, by name: the pins.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) fields: BTreeMap<String, String>,
    /// The parameter id for each mapped MIDI controller, by the controller's number.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) controllers: BTreeMap<String, String>,
}

impl Settings {
    /// The remembered settings, overridden by the command line.
    pub(crate) fn overridden_by(mut self, args: &LiveArgs) -> Self {
        fn set<T: Clone>(mine: &mut Option<T>, given: Option<&T>) {
            if let Some(given) = given {
                *mine = Some(given.clone());
            }
        }
        if let Some(backend) = args.backend {
            self.backend = backend;
        }
        if let Some(sync) = args.sync {
            self.sync = sync;
        }
        set(&mut self.bass, args.bass.as_ref());
        set(&mut self.clock, args.clock.as_ref());
        set(&mut self.drums, args.drums.as_ref());
        set(&mut self.audio, args.audio.as_ref());
        set(&mut self.rate, args.rate.as_ref());
        set(&mut self.period, args.period.as_ref());
        self
    }
}

/// The settings file.
#[derive(Clone, Debug)]
pub(crate) struct SettingsFile {
    path: PathBuf,
}

impl SettingsFile {
    /// In the folder that [`FOLDER_VARIABLE`] names, else in `lockstep` in the user's configuration folder.
    ///
    /// # Errors
    /// If the system has no such folder.
    pub(crate) fn locate(folder: Option<OsString>) -> Result<Self> {
        let folder = match folder {
            Some(folder) => PathBuf::from(folder),
            None => dirs::config_dir()
                .with_context(|| {
                    format!(
                        "the system has no configuration folder: set {FOLDER_VARIABLE} to the path of one"
                    )
                })?
                .join("lockstep"),
        };
        Ok(Self {
            path: folder.join("live.toml"),
        })
    }

    /// The file's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file; if there is none, returns the defaults. A damaged file is renamed, and the second value says so.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn load(&self) -> Result<(Settings, Option<String>)> {
        let shown = self.path.display();
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Default::default()),
            Err(error) => return Err(error).with_context(|| format!("reading {shown}")),
        };
        let parsed = std::str::from_utf8(&bytes)
            .context("it is not a text file")
            .and_then(|text| Ok(toml::from_str(text)?));
        match parsed {
            Ok(settings) => Ok((settings, None)),
            Err(error) => {
                let aside = self.path.with_extension("toml.bad");
                fs::rename(&self.path, &aside)
                    .with_context(|| format!("renaming the damaged {shown}"))?;
                let message = format!(
                    "{shown} is damaged: {}. It is kept as {}; all settings are back to their defaults.",
                    error.to_string().trim().replace('\n', " "),
                    aside.display()
                );
                Ok((Settings::default(), Some(message)))
            }
        }
    }

    /// Writes the file, completely or not at all.
    ///
    /// # Errors
    /// Those of the file system, with the path.
    pub(crate) fn save(&self, settings: &Settings) -> Result<()> {
        let shown = self.path.display();
        let text = toml::to_string(settings).context("converting the settings to text")?;
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        whole::write(&self.path, text.as_bytes()).with_context(|| format!("writing {shown}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Result<(tempfile::TempDir, SettingsFile)> {
        let folder = tempfile::tempdir()?;
        let file = SettingsFile::locate(Some(folder.path().join("new").into()))?;
        Ok((folder, file))
    }

    #[test]
    fn saved_settings_come_back() -> Result<()> {
        let (_folder, file) = file()?;
        assert_eq!(file.load()?, (Settings::default(), None));
        let settings = Settings {
            backend: BackendChoice::Jack,
            sync: SyncChoice::Clock,
            bass: Some("a \"quoted\" port:1".to_owned()),
            period: Some(64),
            parameters: BTreeMap::from([
                ("density".to_owned(), StoredValue::Text("60 %".to_owned())),
                ("swing".to_owned(), StoredValue::Normalised(0.123_456_7)),
            ]),
            controllers: BTreeMap::from([("20".to_owned(), "density".to_owned())]),
            ..Settings::default()
        };
        file.save(&settings)?;
        assert_eq!(file.load()?, (settings.clone(), None));
        file.save(&Settings::default())?;
        assert_eq!(file.load()?.0, Settings::default());
        Ok(())
    }

    #[test]
    fn the_command_line_overrides_remembered_settings() {
        let remembered = Settings {
            bass: Some("old".to_owned()),
            clock: Some("kept".to_owned()),
            sync: SyncChoice::Clock,
            ..Settings::default()
        };
        let args = LiveArgs {
            bass: Some("new".to_owned()),
            sync: Some(SyncChoice::None),
            ..LiveArgs::default()
        };
        let settings = remembered.overridden_by(&args);
        assert_eq!(settings.bass.as_deref(), Some("new"));
        assert_eq!(settings.clock.as_deref(), Some("kept"));
        assert_eq!(settings.sync, SyncChoice::None);
    }

    #[test]
    fn a_damaged_file_is_reported_and_renamed() -> Result<()> {
        for damage in [
            &b"backend = \"jack"[..],
            b"sync = \"host\"\n",
            &[0xff, 0xfe],
        ] {
            let (_folder, file) = file()?;
            file.save(&Settings::default())?;
            fs::write(file.path(), damage)?;
            let (settings, message) = file.load()?;
            assert_eq!(settings, Settings::default());
            let message = message.unwrap_or_default();
            assert!(message.contains("live.toml.bad"), "{message}");
            assert_eq!(fs::read(file.path().with_extension("toml.bad"))?, damage);
            assert_eq!(file.load()?, (Settings::default(), None));
        }
        Ok(())
    }
}
