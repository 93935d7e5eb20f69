//! Presets as text.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::values::is_kept;
use super::{MAX_ABOUT, MAX_NAME, Preset, PresetError, PresetTitle, PresetValues};
use crate::params::{Parameters, StoredValue};

/// A preset file as it is read. Whole numbers are kept apart from fractions: else `style = 1` would mean the last style.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileIn {
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    set: BTreeMap<String, FileValue>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FileValue {
    Text(String),
    Whole(i64),
    Share(f32),
}

/// A preset file as it is written.
#[derive(Serialize)]
struct FileOut<'a> {
    name: &'a str,
    about: &'a str,
    set: BTreeMap<&'a str, StoredValue>,
}

/// Reads a preset's file.
///
/// # Errors
/// [`PresetError::File`], and those of [`parse`].
pub(super) fn read(path: &Path, parameters: &Parameters) -> Result<Preset, PresetError> {
    let text = std::fs::read_to_string(path).map_err(|source| PresetError::File {
        path: path.to_owned(),
        source,
    })?;
    let preset = parse(&text, &path.display().to_string(), parameters)?;
    Ok(Preset {
        file: Some(path.to_owned()),
        ..preset
    })
}

/// Reads a preset from text; `file` is its name in errors.
///
/// # Errors
/// If it is not a preset, or sets an unknown parameter or an impossible value.
pub(super) fn parse(
    text: &str,
    file: &str,
    parameters: &Parameters,
) -> Result<Preset, PresetError> {
    let damaged = |reason: String| PresetError::Damaged {
        file: file.to_owned(),
        reason,
    };
    let read: FileIn = toml::from_str(text)
        .map_err(|error| damaged(error.to_string().trim().replace('\n', " ")))?;
    let title = checked(PresetTitle {
        name: &read.name,
        about: &read.about,
    })
    .map_err(|error| damaged(error.to_string()))?;
    let mut values = PresetValues::made(parameters);
    for (id, setting) in &read.set {
        let wrong = |source| PresetError::Parameter {
            file: file.to_owned(),
            source,
        };
        let at = parameters.find_id(id).map_err(wrong)?;
        if !is_kept(parameters, at) {
            return Err(PresetError::NotKept {
                file: file.to_owned(),
                id: id.clone(),
            });
        }
        let written = match setting {
            FileValue::Text(text) => StoredValue::Text(text.clone()),
            FileValue::Share(value) => StoredValue::Normalised(*value),
            FileValue::Whole(number) => {
                return Err(PresetError::Bare {
                    file: file.to_owned(),
                    id: id.clone(),
                    number: *number,
                });
            }
        };
        values.set(
            parameters.id(at),
            parameters.read_back(at, &written).map_err(wrong)?,
        );
    }
    Ok(Preset {
        name: title.name.to_owned(),
        about: title.about.to_owned(),
        values,
        file: None,
    })
}

/// The text of a preset with the current value of every parameter that presets contain.
///
/// # Errors
/// If the name or description is not allowed.
pub(super) fn text(title: PresetTitle<'_>, parameters: &Parameters) -> Result<String, PresetError> {
    let title = checked(title)?;
    let kept = parameters.indices().filter(|at| is_kept(parameters, *at));
    let write = FileOut {
        name: title.name,
        about: title.about,
        set: kept
            .map(|at| {
                let written = parameters.written_as(at, parameters.value(at));
                (parameters.id(at), written)
            })
            .collect(),
    };
    toml::to_string(&write).map_err(|error| PresetError::Damaged {
        file: title.name.to_owned(),
        reason: error.to_string(),
    })
}

/// Checks a title and trims the spaces around it.
///
/// # Errors
/// If the name is empty, or either text is too long or not a single line.
pub(super) fn checked(title: PresetTitle<'_>) -> Result<PresetTitle<'_>, PresetError> {
    let PresetTitle { name, about } = title;
    let (name, about) = (name.trim(), about.trim());
    let refused = |text: &str, what: String| {
        Err(PresetError::Words {
            text: text.escape_debug().to_string(),
            what,
        })
    };
    let is_fit =
        |text: &str, most| text.chars().count() <= most && !text.chars().any(char::is_control);
    if name.is_empty() || !is_fit(name, MAX_NAME) {
        return refused(
            name,
            format!("a name has 1 to {MAX_NAME} characters on one line"),
        );
    }
    if !is_fit(about, MAX_ABOUT) {
        return refused(
            about,
            format!("a description has up to {MAX_ABOUT} characters on one line"),
        );
    }
    Ok(PresetTitle { name, about })
}
