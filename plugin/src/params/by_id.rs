//! The instrument's parameters by id, name and text, as a host shows them.
//!
//! For who is a host or stands beside one: the app, the presets. The only place that dereferences the framework's parameter
//! pointers. Texts are the main thread's; [`Parameters::set`] and the values are the audio thread's too.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use nice_plug::prelude::{ParamPtr, Params};
use serde::{Deserialize, Serialize};

/// What is of the moment, and not remembered: whether the buttons are down, and how often pins were changed.
pub(crate) const MOMENTARY: [&str; 5] = ["fill_now", "new_idea", "tap", "save", "pin_edits"];

/// Up to so many steps a parameter's texts are told one by one.
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
    /// In `[0, 1]`; what it is without a word from the musician.
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
    /// It cannot be this.
    #[error("`{text}` is nothing that {name} ({id}) can be: it is {range}")]
    Text {
        /// What it was to be.
        text: String,
        /// Its shown name.
        name: String,
        /// Its id.
        id: String,
        /// What it can be, in words.
        range: String,
    },
    /// A bare number is not from 0 to 1.
    #[error("{value} is nothing that {id} can be: a number is from 0 to 1, a text {range}")]
    Number {
        /// What it was to be.
        value: f32,
        /// Its id.
        id: String,
        /// What it can be, in words.
        range: String,
    },
}

/// A value as it is written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Written {
    /// The text that a host shows.
    Text(String),
    /// Where that text is rounded: the value from 0 to 1.
    Normalised(f32),
}

#[expect(
    unsafe_code,
    reason = "the framework hands out its parameters as pointers"
)]
impl Parameters {
    /// Takes hold of an instrument's parameters.
    pub fn new(owner: Arc<dyn Params>) -> Self {
        let all = owner
            .param_map()
            .into_iter()
            .map(|(id, pointer, group)| Parameter {
                id,
                group,
                // SAFETY: `owner` is kept, and what it points to lives in it.
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
        // SAFETY: `owner` is kept, and what is pointed to lives in it.
        unsafe { self.all[at.0].pointer.unmodulated_normalized_value() }
    }

    /// The value in the parameter's own unit.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn plain(&self, at: ParameterIdx) -> f32 {
        // SAFETY: `owner` is kept, and what is pointed to lives in it.
        unsafe { self.all[at.0].pointer.unmodulated_plain_value() }
    }

    /// Sets the value, in `[0, 1]`, as a host does. Where the instrument lives in another host, that one alone may.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn set(&self, at: ParameterIdx, value: f32, sample_rate_hz: f32) {
        let pointer = self.all[at.0].pointer;
        // SAFETY: `owner` is kept, and what is pointed to lives in it. This is the host, whose these functions are.
        unsafe {
            if pointer._internal_set_normalized_value(value) {
                pointer._internal_update_smoother(sample_rate_hz, false);
            }
        }
    }

    /// Brings what is smoothed to where it stands, before the first block.
    pub fn settle(&self, sample_rate_hz: f32) {
        for parameter in &self.all {
            // SAFETY: `owner` is kept, and what is pointed to lives in it. This is the host, whose this function is.
            unsafe {
                parameter
                    .pointer
                    ._internal_update_smoother(sample_rate_hz, true);
            }
        }
    }

    /// The shown name.
    pub fn name(&self, at: ParameterIdx) -> &str {
        // SAFETY: `owner` is kept, and what is pointed to lives in it.
        unsafe { self.all[at.0].pointer.name() }
    }

    fn shown(&self, at: ParameterIdx, value: f32) -> String {
        // SAFETY: `owner` is kept, and what is pointed to lives in it.
        unsafe {
            self.all[at.0]
                .pointer
                .normalized_value_to_string(value, true)
        }
    }

    fn read(&self, at: ParameterIdx, text: &str) -> Option<f32> {
        // SAFETY: `owner` is kept, and what is pointed to lives in it.
        unsafe { self.all[at.0].pointer.string_to_normalized_value(text) }
    }

    /// Steps between the least and the greatest value; `None` where it has none.
    fn n_steps(&self, at: ParameterIdx) -> Option<usize> {
        // SAFETY: `owner` is kept, and what is pointed to lives in it.
        unsafe { self.all[at.0].pointer.step_count() }
    }
}

impl Parameters {
    /// All of them, in a host's order.
    pub fn indices(&self) -> impl Iterator<Item = ParameterIdx> + use<> {
        (0..self.all.len()).map(ParameterIdx)
    }

    /// The parameter that is pointed to, if it is one of these.
    pub fn at(&self, pointer: ParamPtr) -> Option<ParameterIdx> {
        self.indices().find(|at| self.all[at.0].pointer == pointer)
    }

    /// What a project keeps that is no parameter, by name: the pins.
    pub fn fields(&self) -> BTreeMap<String, String> {
        self.owner.serialize_fields()
    }

    /// Sets what [`Self::fields`] gave; what is damaged or unknown is left out.
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

    /// What the framework knows it by, as long as its [`Parameters`] live.
    pub fn pointer(&self, at: ParameterIdx) -> ParamPtr {
        self.all[at.0].pointer
    }

    /// What it is where nobody has said anything, in `[0, 1]`.
    pub fn default_value(&self, at: ParameterIdx) -> f32 {
        self.all[at.0].default
    }

    /// The text that a host shows.
    pub fn text(&self, at: ParameterIdx) -> String {
        self.shown(at, self.value(at))
    }

    /// Says what a parameter is where nobody has said anything.
    pub fn set_default(&mut self, at: ParameterIdx, value: f32) {
        self.all[at.0].default = value;
        // No block has been played: there is nothing to be smoothed.
        self.set(at, value, 1.0);
    }

    /// The parameter with an id or a shown name.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(&self, id_or_name: &str) -> Result<ParameterIdx, ParameterError> {
        let wanted = id_or_name.trim();
        let by_name = |error| {
            self.indices()
                .find(|at| self.name(*at).eq_ignore_ascii_case(wanted))
                .ok_or(error)
        };
        self.find_id(wanted).or_else(by_name)
    }

    /// The parameter with an id.
    ///
    /// # Errors
    /// If there is none.
    pub fn find_id(&self, id: &str) -> Result<ParameterIdx, ParameterError> {
        self.indices()
            .find(|at| self.id(*at) == id)
            .ok_or_else(|| ParameterError::Unknown(id.to_owned()))
    }

    /// The value, in `[0, 1]`, of a text as a host shows it.
    ///
    /// # Errors
    /// If it is none or beyond the range, with the range.
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
        // A switch takes whatever is not "On" for "Off", and a number beyond the range for its end. A word has to be in what
        // is shown of its value: Free, All, a key's name.
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

    /// What a parameter can be, in words.
    pub fn range(&self, at: ParameterIdx) -> String {
        let listed: Vec<_> = self.listed(at).map(|value| self.shown(at, value)).collect();
        if listed.is_empty() {
            format!("{} to {}", self.shown(at, 0.0), self.shown(at, 1.0))
        } else {
            listed.join(", ")
        }
    }

    /// The values of a parameter with few steps.
    fn listed(&self, at: ParameterIdx) -> impl Iterator<Item = f32> + use<> {
        let n_steps = self.n_steps(at).filter(|n| *n < MAX_LISTED);
        let step = 1.0 / n_steps.unwrap_or(1).max(1) as f32;
        (0..n_steps.map_or(0, |n| n + 1)).map(move |place| place as f32 * step)
    }

    /// The value for each place of a controller, over the whole range: those that a text tells exactly, so that what was
    /// turned can be written down.
    pub fn controller_values(&self, at: ParameterIdx) -> [f32; 128] {
        std::array::from_fn(|place| {
            let value = place as f32 / 127.0;
            let told = self.read(at, &self.shown(at, value));
            told.filter(|_| self.n_steps(at) != Some(1))
                .unwrap_or(value)
        })
    }

    /// Every parameter that the musician has changed, by id.
    pub fn changed(&self) -> Vec<(String, Written)> {
        let is_changed = |at: &ParameterIdx| {
            !MOMENTARY.contains(&self.id(*at))
                && (self.value(*at) - self.all[at.0].default).abs() > 1e-7
        };
        self.indices()
            .filter(is_changed)
            .map(|at| (self.id(at).to_owned(), self.written(at)))
            .collect()
    }

    fn written(&self, at: ParameterIdx) -> Written {
        self.written_as(at, self.value(at))
    }

    /// A value in `[0, 1]` as it is written down: in the text that shows it where that tells it exactly.
    pub fn written_as(&self, at: ParameterIdx, value: f32) -> Written {
        let text = self.shown(at, value);
        let told = self.parse(at, &text).ok();
        if told.is_some_and(|told| (told - value).abs() < 1e-7) {
            Written::Text(text)
        } else {
            Written::Normalised(value)
        }
    }

    /// Sets a parameter to what was written down, before the first block.
    ///
    /// # Errors
    /// Those of [`Self::read_back`].
    pub fn restore(&self, at: ParameterIdx, written: &Written) -> Result<(), ParameterError> {
        self.set(at, self.read_back(at, written)?, 1.0);
        Ok(())
    }

    /// The value, in `[0, 1]`, that was written down.
    ///
    /// # Errors
    /// Those of [`Self::parse`], or if the number is not from 0 to 1.
    pub fn read_back(&self, at: ParameterIdx, written: &Written) -> Result<f32, ParameterError> {
        match written {
            Written::Text(text) => self.parse(at, text),
            Written::Normalised(value) if (0.0..=1.0).contains(value) => Ok(*value),
            Written::Normalised(value) => Err(ParameterError::Number {
                value: *value,
                id: self.id(at).to_owned(),
                range: self.range(at),
            }),
        }
    }
}

/// The number that a text begins with.
fn leading_number(text: &str) -> Option<f64> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c)))
        .unwrap_or(text.len());
    text[..end].parse().ok()
}
