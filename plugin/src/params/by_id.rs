//! The instrument's parameters by id, name and text, as a host shows them.
//!
//! For the app, which is its own host, and for presets. The only place that dereferences the framework's parameter pointers.
//! Use texts on the main thread only; [`Parameters::set`] and the values are safe on the audio thread too.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use nice_plug::prelude::{ParamPtr, Params};
use serde::{Deserialize, Serialize};

use super::former_ids;

/// Ids of parameters that are not remembered: the buttons, and the counter of pin edits.
pub(crate) const MOMENTARY: [&str; 5] = ["fill_now", "new_idea", "tap", "save", "pin_edits"];

/// A parameter with fewer steps than this lists its values one by one.
const MAX_LISTED: usize = 16;

/// The parameters of one instrument, which they keep alive.
pub struct Parameters {
    all: Vec<Parameter>,
    /// What `all` points into.
    owner: Arc<dyn Params>,
}

struct Parameter {
    id: String,
    /// As a host shows it; empty outside all groups.
    group: String,
    pointer: ParamPtr,
    /// In `[0, 1]`; the value until the musician changes it.
    default: f32,
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.all.iter().map(|parameter| &parameter.id);
        f.debug_list().entries(ids).finish()
    }
}

/// Names a parameter of its [`Parameters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParameterIdx(usize);

/// Why a parameter was not set.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParameterError {
    /// No parameter has this id or name.
    #[error("there is no parameter `{0}`: `lockstep live --list-parameters` lists them")]
    Unknown(String),
    /// The text is not a value of the parameter.
    #[error("{name} ({id}) cannot be `{text}`: use {range}")]
    Text {
        /// The text that was given.
        text: String,
        /// Its shown name.
        name: String,
        /// Its id.
        id: String,
        /// The values it can have, as text.
        range: String,
    },
    /// A bare number is outside 0 to 1.
    #[error("{id} cannot be {value}: use a number from 0 to 1, or a text: {range}")]
    Number {
        /// The number that was given.
        value: f32,
        /// Its id.
        id: String,
        /// The values it can have, as text.
        range: String,
    },
}

/// A value as a file stores it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StoredValue {
    /// The text that a host shows.
    Text(String),
    /// The value from 0 to 1, if the text would round it.
    Normalised(f32),
}

#[expect(
    unsafe_code,
    reason = "the framework hands out its parameters as pointers"
)]
impl Parameters {
    /// The parameters of an instrument.
    pub fn new(owner: Arc<dyn Params>) -> Self {
        let all = owner
            .param_map()
            .into_iter()
            .map(|(id, pointer, group)| Parameter {
                id,
                group,
                // SAFETY: `owner` is kept alive, and it owns the parameter.
                default: unsafe { pointer.default_normalized_value() },
                pointer,
            })
            .collect();
        Self { all, owner }
    }

    /// The value, in `[0, 1]`.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn value(&self, at: ParameterIdx) -> f32 {
        // SAFETY: `owner` is kept alive, and it owns the parameter.
        unsafe { self.all[at.0].pointer.unmodulated_normalized_value() }
    }

    /// The value in the parameter's own unit.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn plain(&self, at: ParameterIdx) -> f32 {
        // SAFETY: `owner` is kept alive, and it owns the parameter.
        unsafe { self.all[at.0].pointer.unmodulated_plain_value() }
    }

    /// Sets the value, in `[0, 1]`, as a host does. If the instrument runs in a host, only that host may call this.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn set(&self, at: ParameterIdx, value: f32, sample_rate_hz: f32) {
        let pointer = self.all[at.0].pointer;
        // SAFETY: `owner` is kept alive, and it owns the parameter. Only hosts may call these, and the caller is one.
        unsafe {
            if pointer._internal_set_normalized_value(value) {
                pointer._internal_update_smoother(sample_rate_hz, false);
            }
        }
    }

    /// Resets the smoothers to the current values, before the first block.
    pub fn reset_smoothers(&self, sample_rate_hz: f32) {
        for parameter in &self.all {
            // SAFETY: `owner` is kept alive, and it owns the parameter. Only hosts may call this, and the caller is one.
            unsafe {
                parameter
                    .pointer
                    ._internal_update_smoother(sample_rate_hz, true);
            }
        }
    }

    /// The shown name.
    pub fn name(&self, at: ParameterIdx) -> &str {
        // SAFETY: `owner` is kept alive, and it owns the parameter.
        unsafe { self.all[at.0].pointer.name() }
    }

    fn shown(&self, at: ParameterIdx, value: f32) -> String {
        // SAFETY: `owner` is kept alive, and it owns the parameter.
        unsafe {
            self.all[at.0]
                .pointer
                .normalized_value_to_string(value, true)
        }
    }

    fn read(&self, at: ParameterIdx, text: &str) -> Option<f32> {
        // SAFETY: `owner` is kept alive, and it owns the parameter.
        unsafe { self.all[at.0].pointer.string_to_normalized_value(text) }
    }

    /// Number of steps from the lowest to the highest value; `None` if it is continuous.
    fn n_steps(&self, at: ParameterIdx) -> Option<usize> {
        // SAFETY: `owner` is kept alive, and it owns the parameter.
        unsafe { self.all[at.0].pointer.step_count() }
    }
}

impl Parameters {
    /// All parameters, in the order that hosts show.
    pub fn indices(&self) -> impl Iterator<Item = ParameterIdx> + use<> {
        (0..self.all.len()).map(ParameterIdx)
    }

    /// The parameter behind a pointer, if it is one of these.
    pub fn at(&self, pointer: ParamPtr) -> Option<ParameterIdx> {
        self.indices().find(|at| self.all[at.0].pointer == pointer)
    }

    /// What a project saves besides parameters, by name: the pins.
    pub fn fields(&self) -> BTreeMap<String, String> {
        self.owner.serialize_fields()
    }

    /// Restores what [`Self::fields`] returned; damaged or unknown fields are ignored.
    pub fn restore_fields(&self, fields: &BTreeMap<String, String>) {
        self.owner.deserialize_fields(fields);
    }

    /// The id, which is frozen.
    pub fn id(&self, at: ParameterIdx) -> &str {
        &self.all[at.0].id
    }

    /// The group that a host shows it in; empty outside all groups.
    pub fn group(&self, at: ParameterIdx) -> &str {
        &self.all[at.0].group
    }

    /// The framework's pointer; valid as long as these [`Parameters`] live.
    pub fn pointer(&self, at: ParameterIdx) -> ParamPtr {
        self.all[at.0].pointer
    }

    /// The default value, in `[0, 1]`.
    pub fn default_value(&self, at: ParameterIdx) -> f32 {
        self.all[at.0].default
    }

    /// The text that a host shows.
    pub fn text(&self, at: ParameterIdx) -> String {
        self.shown(at, self.value(at))
    }

    /// Sets a parameter and makes this its default, before the first block.
    pub fn set_default(&mut self, at: ParameterIdx, value: f32) {
        self.all[at.0].default = value;
        // No block has been played, so smoothing does not matter.
        self.set(at, value, 1.0);
    }

    /// The parameter with an id or a shown name.
    ///
    /// # Errors
    /// [`ParameterError::Unknown`]
    pub fn find(&self, id_or_name: &str) -> Result<ParameterIdx, ParameterError> {
        let wanted = id_or_name.trim();
        let by_name = |error| {
            self.indices()
                .find(|at| self.name(*at).eq_ignore_ascii_case(wanted))
                .ok_or(error)
        };
        self.find_id(wanted).or_else(by_name)
    }

    /// The parameter with an id, or that had it before the first release.
    ///
    /// # Errors
    /// [`ParameterError::Unknown`]
    pub fn find_id(&self, id: &str) -> Result<ParameterIdx, ParameterError> {
        let with = |id: &str| self.indices().find(|at| self.id(*at) == id);
        with(id)
            .or_else(|| with(&former_ids::current(id)?))
            .ok_or_else(|| ParameterError::Unknown(id.to_owned()))
    }

    /// The value, in `[0, 1]`, of a text as a host shows it.
    ///
    /// # Errors
    /// [`ParameterError::Text`] with the range, if the text is not a value or is out of range.
    pub fn parse(&self, at: ParameterIdx, text: &str) -> Result<f32, ParameterError> {
        let text = text.trim();
        if let Some(value) = self
            .listed(at)
            .find(|value| self.shown(at, *value).eq_ignore_ascii_case(text))
        {
            return Ok(value);
        }
        let refused = || ParameterError::Text {
            text: text.to_owned(),
            name: self.name(at).to_owned(),
            id: self.id(at).to_owned(),
            range: self.range(at),
        };
        // The framework reads any text but "On" as "Off", and clamps numbers to the range. So accept a word only if the shown
        // text of its value contains it: Free, All, a key's name.
        let number = leading_number(text);
        let value = self.read(at, text).filter(|value| {
            let shown = self.shown(at, *value).to_lowercase();
            number.is_some() || shown.contains(&text.to_lowercase())
        });
        let value = value.filter(|value| value.is_finite());
        let value = value.ok_or_else(refused)?;
        let is_end = value <= 0.0 || value >= 1.0;
        let end = leading_number(&self.shown(at, value)).filter(|_| is_end);
        match (number, end) {
            (Some(told), Some(end)) if (told - end).abs() >= 1e-6 => Err(refused()),
            _ => Ok(value),
        }
    }

    /// Sets a parameter to a text, before the first block.
    ///
    /// # Errors
    /// Those of [`Self::parse`].
    pub fn set_text(&self, at: ParameterIdx, text: &str) -> Result<(), ParameterError> {
        self.set(at, self.parse(at, text)?, 1.0);
        Ok(())
    }

    /// The values that a parameter can have, as text.
    pub fn range(&self, at: ParameterIdx) -> String {
        let listed: Vec<_> = self.listed(at).map(|value| self.shown(at, value)).collect();
        if listed.is_empty() {
            format!("{} to {}", self.shown(at, 0.0), self.shown(at, 1.0))
        } else {
            listed.join(", ")
        }
    }

    /// The values of a parameter with fewer than [`MAX_LISTED`] steps; empty for others.
    fn listed(&self, at: ParameterIdx) -> impl Iterator<Item = f32> + use<> {
        let n_steps = self.n_steps(at).filter(|n| *n < MAX_LISTED);
        let step = 1.0 / n_steps.unwrap_or(1).max(1) as f32;
        (0..n_steps.map_or(0, |n| n + 1)).map(move |place| place as f32 * step)
    }

    /// The value at each controller position, over the whole range. Each value survives a round trip through its text, so that
    /// it can be saved as text.
    pub fn controller_values(&self, at: ParameterIdx) -> [f32; 128] {
        std::array::from_fn(|place| {
            let value = place as f32 / 127.0;
            let told = self.read(at, &self.shown(at, value));
            told.filter(|_| self.n_steps(at) != Some(1))
                .unwrap_or(value)
        })
    }

    /// Every parameter that differs from its default, by id.
    pub fn changed(&self) -> Vec<(String, StoredValue)> {
        let is_changed = |at: &ParameterIdx| {
            !MOMENTARY.contains(&self.id(*at))
                && (self.value(*at) - self.all[at.0].default).abs() > 1e-7
        };
        self.indices()
            .filter(is_changed)
            .map(|at| (self.id(at).to_owned(), self.written(at)))
            .collect()
    }

    fn written(&self, at: ParameterIdx) -> StoredValue {
        self.written_as(at, self.value(at))
    }

    /// A value in `[0, 1]` as a file stores it: as its text, unless the text would round it.
    pub fn written_as(&self, at: ParameterIdx, value: f32) -> StoredValue {
        let text = self.shown(at, value);
        let told = self.parse(at, &text).ok();
        if told.is_some_and(|told| (told - value).abs() < 1e-7) {
            StoredValue::Text(text)
        } else {
            StoredValue::Normalised(value)
        }
    }

    /// Sets a parameter to a stored value, before the first block.
    ///
    /// # Errors
    /// Those of [`Self::read_back`].
    pub fn restore(&self, at: ParameterIdx, written: &StoredValue) -> Result<(), ParameterError> {
        self.set(at, self.read_back(at, written)?, 1.0);
        Ok(())
    }

    /// Reads a stored value; returns it in `[0, 1]`.
    ///
    /// # Errors
    /// Those of [`Self::parse`], or [`ParameterError::Number`] if the number is not from 0 to 1.
    pub fn read_back(
        &self,
        at: ParameterIdx,
        written: &StoredValue,
    ) -> Result<f32, ParameterError> {
        match written {
            StoredValue::Text(text) => self.parse(at, text),
            StoredValue::Normalised(value) if (0.0..=1.0).contains(value) => Ok(*value),
            StoredValue::Normalised(value) => Err(ParameterError::Number {
                value: *value,
                id: self.id(at).to_owned(),
                range: self.range(at),
            }),
        }
    }
}

/// The number that a text starts with.
fn leading_number(text: &str) -> Option<f64> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c)))
        .unwrap_or(text.len());
    text[..end].parse().ok()
}
