//! The instrument's parameters by id, name and text, as a host shows them.
//!
//! The only place of the app that dereferences the framework's parameter pointers. Texts are the main thread's;
//! [`Parameters::set`] and the values are the audio thread's too.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use nice_plug::prelude::{ParamPtr, Params};

/// The buttons among them: whether they are down is not remembered.
const MOMENTARY: [&str; 4] = ["fill_now", "new_idea", "tap", "save"];

/// Up to so many steps a parameter's texts are told one by one.
const MAX_LISTED: usize = 16;

/// The parameters of one instrument, which they keep alive.
pub(crate) struct Parameters {
    all: Vec<Parameter>,
    /// What `all` points into.
    _owner: Arc<dyn Params>,
}

struct Parameter {
    id: String,
    pointer: ParamPtr,
    /// In `[0, 1]`; what it is without a word from the musician.
    default: f32,
}

/// Names a parameter of its [`Parameters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ParameterIdx(usize);

/// A value as it is written down.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub(crate) enum Written {
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
    pub(crate) fn new(owner: Arc<dyn Params>) -> Self {
        let all = owner
            .param_map()
            .into_iter()
            .map(|(id, pointer, _)| Parameter {
                id,
                // SAFETY: `owner` is kept, and what it points to lives in it.
                default: unsafe { pointer.default_normalized_value() },
                pointer,
            })
            .collect();
        Self { all, _owner: owner }
    }

    /// The value, in `[0, 1]`.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub(crate) fn value(&self, at: ParameterIdx) -> f32 {
        // SAFETY: `_owner` is kept, and what is pointed to lives in it.
        unsafe { self.all[at.0].pointer.unmodulated_normalized_value() }
    }

    /// The value in the parameter's own unit.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub(crate) fn plain(&self, at: ParameterIdx) -> f32 {
        // SAFETY: `_owner` is kept, and what is pointed to lives in it.
        unsafe { self.all[at.0].pointer.unmodulated_plain_value() }
    }

    /// Sets the value, in `[0, 1]`, as a host does.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub(crate) fn set(&self, at: ParameterIdx, value: f32, sample_rate_hz: f32) {
        let pointer = self.all[at.0].pointer;
        // SAFETY: `_owner` is kept, and what is pointed to lives in it. This is the host, whose these functions are.
        unsafe {
            if pointer._internal_set_normalized_value(value) {
                pointer._internal_update_smoother(sample_rate_hz, false);
            }
        }
    }

    /// Brings what is smoothed to where it stands, before the first block.
    pub(crate) fn settle(&self, sample_rate_hz: f32) {
        for parameter in &self.all {
            // SAFETY: `_owner` is kept, and what is pointed to lives in it. This is the host, whose this function is.
            unsafe {
                parameter
                    .pointer
                    ._internal_update_smoother(sample_rate_hz, true);
            }
        }
    }

    /// The shown name.
    pub(crate) fn name(&self, at: ParameterIdx) -> &str {
        // SAFETY: `_owner` is kept, and what is pointed to lives in it.
        unsafe { self.all[at.0].pointer.name() }
    }

    fn shown(&self, at: ParameterIdx, value: f32) -> String {
        // SAFETY: `_owner` is kept, and what is pointed to lives in it.
        unsafe {
            self.all[at.0]
                .pointer
                .normalized_value_to_string(value, true)
        }
    }

    fn read(&self, at: ParameterIdx, text: &str) -> Option<f32> {
        // SAFETY: `_owner` is kept, and what is pointed to lives in it.
        unsafe { self.all[at.0].pointer.string_to_normalized_value(text) }
    }

    /// Steps between the least and the greatest value; `None` where it has none.
    fn n_steps(&self, at: ParameterIdx) -> Option<usize> {
        // SAFETY: `_owner` is kept, and what is pointed to lives in it.
        unsafe { self.all[at.0].pointer.step_count() }
    }
}

impl Parameters {
    /// All of them, in a host's order.
    pub(crate) fn indices(&self) -> impl Iterator<Item = ParameterIdx> + use<> {
        (0..self.all.len()).map(ParameterIdx)
    }

    /// The parameter that is pointed to, if it is one of these.
    #[cfg(feature = "editor")]
    pub(crate) fn at(&self, pointer: ParamPtr) -> Option<ParameterIdx> {
        self.indices().find(|at| self.all[at.0].pointer == pointer)
    }

    /// The id, which is frozen.
    pub(crate) fn id(&self, at: ParameterIdx) -> &str {
        &self.all[at.0].id
    }

    /// The text that a host shows.
    pub(crate) fn text(&self, at: ParameterIdx) -> String {
        self.shown(at, self.value(at))
    }

    /// Says what a parameter is where nobody has said anything.
    pub(crate) fn set_default(&mut self, at: ParameterIdx, value: f32) {
        self.all[at.0].default = value;
        // No block has been played: there is nothing to be smoothed.
        self.set(at, value, 1.0);
    }

    /// The parameter with an id or a shown name.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn find(&self, id_or_name: &str) -> Result<ParameterIdx> {
        let wanted = id_or_name.trim();
        let by_id = self.indices().find(|at| self.id(*at) == wanted);
        let by_name = || {
            self.indices()
                .find(|at| self.name(*at).eq_ignore_ascii_case(wanted))
        };
        match by_id.or_else(by_name) {
            Some(at) => Ok(at),
            None => bail!(
                "there is no parameter `{wanted}`: `lockstep live --list-parameters` lists them"
            ),
        }
    }

    /// The value, in `[0, 1]`, of a text as a host shows it.
    ///
    /// # Errors
    /// If it is none or beyond the range, with the range.
    pub(crate) fn parse(&self, at: ParameterIdx, text: &str) -> Result<f32> {
        let text = text.trim();
        if let Some(value) = self
            .listed(at)
            .find(|value| self.shown(at, *value).eq_ignore_ascii_case(text))
        {
            return Ok(value);
        }
        let refuse = || {
            format!(
                "`{text}` is nothing that {} ({}) can be: it is {}",
                self.name(at),
                self.id(at),
                self.range(at)
            )
        };
        // A switch takes whatever is not "On" for "Off", and a number beyond the range for its end. A word has to be in what
        // is shown of its value: Free, All, a key's name.
        let number = leading_number(text);
        let value = self.read(at, text).filter(|value| {
            let shown = self.shown(at, *value).to_lowercase();
            number.is_some() || shown.contains(&text.to_lowercase())
        });
        let Some(value) = value.filter(|value| value.is_finite()) else {
            bail!(refuse());
        };
        let is_end = value <= 0.0 || value >= 1.0;
        if let (true, Some(told), Some(end)) =
            (is_end, number, leading_number(&self.shown(at, value)))
        {
            ensure!((told - end).abs() < 1e-6, refuse());
        }
        Ok(value)
    }

    /// Sets a parameter to a text, before the first block.
    ///
    /// # Errors
    /// Those of [`Self::parse`].
    pub(crate) fn set_text(&self, at: ParameterIdx, text: &str) -> Result<()> {
        self.set(at, self.parse(at, text)?, 1.0);
        Ok(())
    }

    /// What a parameter can be, in words.
    pub(crate) fn range(&self, at: ParameterIdx) -> String {
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
    pub(crate) fn controller_values(&self, at: ParameterIdx) -> [f32; 128] {
        std::array::from_fn(|place| {
            let value = place as f32 / 127.0;
            let told = self.read(at, &self.shown(at, value));
            told.filter(|_| self.n_steps(at) != Some(1))
                .unwrap_or(value)
        })
    }

    /// Every parameter that the musician has changed, by id.
    pub(crate) fn changed(&self) -> Vec<(String, Written)> {
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
        let (value, text) = (self.value(at), self.text(at));
        let told = self.parse(at, &text).ok();
        if told.is_some_and(|told| (told - value).abs() < 1e-7) {
            Written::Text(text)
        } else {
            Written::Normalised(value)
        }
    }

    /// Sets a parameter to what was written down.
    ///
    /// # Errors
    /// Those of [`Self::parse`], or if the number is not from 0 to 1.
    pub(crate) fn restore(&self, at: ParameterIdx, written: &Written) -> Result<()> {
        match written {
            Written::Text(text) => self.set_text(at, text),
            Written::Normalised(value) => {
                ensure!(
                    (0.0..=1.0).contains(value),
                    "{value} is nothing that {} can be: a number is from 0 to 1, a text {}",
                    self.id(at),
                    self.range(at)
                );
                self.set(at, *value, 1.0);
                Ok(())
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use lockstep::Lockstep;
    use nice_plug::prelude::Plugin as _;

    fn parameters() -> Parameters {
        Parameters::new(Lockstep::default().params())
    }

    #[test]
    fn a_parameter_is_set_by_id_or_name_and_by_the_text_that_a_host_shows() -> Result<()> {
        let parameters = parameters();
        for (name, text, shown) in [
            ("density", "60 %", "60 %"),
            ("Free-run tempo", "97.5", "97.5 BPM"),
            ("free_bpm", "120 BPM", "120 BPM"),
            ("silence", "keep TIME", "Keep time"),
            ("free_run", "on", "On"),
            ("seed", "0", "0"),
            ("style", "free", "Free"),
        ] {
            let at = parameters.find(name)?;
            parameters.set_text(at, text)?;
            assert_eq!(parameters.text(at), shown, "{name}");
        }
        Ok(())
    }

    #[test]
    fn a_key_is_told_by_its_number_or_its_name() -> Result<()> {
        let parameters = parameters();
        let key = parameters.find("ctl_key")?;
        for (text, shown) in [("c1", "24 (C1)"), ("25", "25 (C#1)"), ("off", "Off")] {
            parameters.set_text(key, text)?;
            assert_eq!(parameters.text(key), shown);
        }
        Ok(())
    }

    #[test]
    fn what_it_cannot_be_is_refused_with_its_range() -> Result<()> {
        let parameters = parameters();
        for (id, text, range) in [
            ("density", "500 %", "0 % to 100 %"),
            ("density", "-3", "0 % to 100 %"),
            ("density", "nan", "0 % to 100 %"),
            ("free_bpm", "fast", "20 BPM to 400 BPM"),
            ("free_bpm", "401", "20 BPM to 400 BPM"),
            ("seed", "12000", "0 to 9999"),
            ("free_run", "maybe", "Off, On"),
            ("silence", "loud", "Lay out, Keep time"),
            ("style", "99", "Free to 32"),
        ] {
            let at = parameters.find(id)?;
            let before = parameters.text(at);
            let error = parameters.set_text(at, text).err();
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(range) && error.contains(id), "{error}");
            assert_eq!(parameters.text(at), before);
        }
        let unknown = parameters.find("loudness").err();
        assert!(unknown.is_some_and(|error| error.to_string().contains("loudness")));
        Ok(())
    }

    #[test]
    fn what_is_written_down_comes_back_to_the_bit() -> Result<()> {
        let (ours, theirs) = (parameters(), parameters());
        for (place, at) in ours.indices().enumerate() {
            let value = [0.1234, 0.77, 1.0, 0.0][place % 4];
            ours.set(at, value, 48_000.0);
        }
        for (id, written) in ours.changed() {
            theirs.restore(theirs.find(&id)?, &written)?;
        }
        for at in ours
            .indices()
            .filter(|at| !MOMENTARY.contains(&ours.id(*at)))
        {
            let (ours, theirs) = (ours.value(at), theirs.value(at));
            assert!((ours - theirs).abs() < 1e-7, "{ours} {theirs}");
        }
        assert!(parameters().changed().is_empty());
        Ok(())
    }

    #[test]
    fn a_controller_reaches_both_ends_and_only_what_a_text_can_tell() -> Result<()> {
        let parameters = parameters();
        for id in ["density", "seed", "free_run", "silence", "velocity"] {
            let at = parameters.find(id)?;
            let values = parameters.controller_values(at);
            assert!(values[0].abs() < 1e-6 && (values[127] - 1.0).abs() < 1e-6);
            assert!(values.is_sorted());
            parameters.set(at, values[50], 48_000.0);
            assert!(matches!(parameters.written(at), Written::Text(_)), "{id}");
        }
        Ok(())
    }
}
