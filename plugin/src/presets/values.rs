//! The values of a preset, as plain data: no pointers, no texts.

use crate::params::{MOMENTARY, ParameterIdx, Parameters};

/// The parameter groups that presets contain.
const GROUPS: [&str; 4] = ["Density", "Drummer", "Feel", "Kit"];

/// Parameters of these groups that presets leave out, because they depend on the computer and not on the music.
const LEFT_OUT: [&str; 1] = ["device"];

/// Values closer than this are the same: a hundredth of the finest step of any parameter.
const SAME: f32 = 1e-6;

/// The value of every parameter that presets contain, by id, in the order that hosts show, each in `[0, 1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct PresetValues(Vec<(String, f32)>);

impl PresetValues {
    /// The defaults.
    pub fn made(parameters: &Parameters) -> Self {
        Self::of(parameters, |at| parameters.default_value(at))
    }

    /// The current values.
    pub fn now(parameters: &Parameters) -> Self {
        Self::of(parameters, |at| parameters.value(at))
    }

    fn of(parameters: &Parameters, value: impl Fn(ParameterIdx) -> f32) -> Self {
        let kept = parameters.indices().filter(|at| is_kept(parameters, *at));
        Self(
            kept.map(|at| (parameters.id(at).to_owned(), value(at)))
                .collect(),
        )
    }

    /// Every id with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f32)> {
        self.0.iter().map(|(id, value)| (id.as_str(), *value))
    }

    /// Changes one value; ids that presets leave out are ignored.
    pub(super) fn set(&mut self, id: &str, value: f32) {
        if let Some(place) = self.0.iter_mut().find(|place| place.0 == id) {
            place.1 = value;
        }
    }

    /// The parameters that differ from these values, each with its new value.
    pub fn turns(&self, parameters: &Parameters) -> Vec<(ParameterIdx, f32)> {
        let found = self
            .iter()
            .filter_map(|(id, value)| Some((parameters.find_id(id).ok()?, value)));
        found
            .filter(|(at, value)| (parameters.value(*at) - value).abs() > SAME)
            .collect()
    }

    /// Sets all parameters to these values, before the first block. While audio runs, the host has to set what
    /// [`Self::turns`] returns.
    pub fn apply(&self, parameters: &Parameters) {
        for (at, value) in self.turns(parameters) {
            // No block has been played, so smoothing does not matter.
            parameters.set(at, value, 1.0);
        }
    }

    /// Whether the parameters have these values.
    pub fn are_set(&self, parameters: &Parameters) -> bool {
        self.turns(parameters).is_empty()
    }
}

/// Whether presets contain a parameter.
pub(super) fn is_kept(parameters: &Parameters, at: ParameterIdx) -> bool {
    let group = parameters.group(at).split('/').next().unwrap_or_default();
    let id = parameters.id(at);
    GROUPS.contains(&group) && !MOMENTARY.contains(&id) && !LEFT_OUT.contains(&id)
}
