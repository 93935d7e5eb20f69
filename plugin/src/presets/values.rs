//! What a preset sets, as plain data: no pointers, no texts.

use crate::params::{MOMENTARY, ParameterIdx, Parameters};

/// The groups of a host whose parameters are in presets.
const GROUPS: [&str; 4] = ["Density", "Drummer", "Feel", "Kit"];

/// Of these groups, what is the machine's and not the music's.
const LEFT_OUT: [&str; 1] = ["device"];

/// Values closer than this are the same: a hundredth of the finest step of any parameter.
const SAME: f32 = 1e-6;

/// Every parameter that presets set, by id, in a host's order, each in `[0, 1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Values(Vec<(String, f32)>);

impl Values {
    /// As everything is made.
    pub fn made(parameters: &Parameters) -> Self {
        Self::of(parameters, |at| parameters.default_value(at))
    }

    /// As everything is set now.
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

    /// Changes one of them; ids that are in no preset change nothing.
    pub(super) fn set(&mut self, id: &str, value: f32) {
        if let Some(place) = self.0.iter_mut().find(|place| place.0 == id) {
            place.1 = value;
        }
    }

    /// What has to be turned, and to where, for these parameters to be as these values say.
    pub fn turns(&self, parameters: &Parameters) -> Vec<(ParameterIdx, f32)> {
        let found = self
            .iter()
            .filter_map(|(id, value)| Some((parameters.find_id(id).ok()?, value)));
        found
            .filter(|(at, value)| (parameters.value(*at) - value).abs() > SAME)
            .collect()
    }

    /// Turns everything at once, before the first block. While something plays, the host has to turn what
    /// [`Self::turns`] says.
    pub fn settle(&self, parameters: &Parameters) {
        for (at, value) in self.turns(parameters) {
            // No block has been played: there is nothing to be smoothed.
            parameters.set(at, value, 1.0);
        }
    }

    /// Whether these parameters are as these values say.
    pub fn are_set(&self, parameters: &Parameters) -> bool {
        self.turns(parameters).is_empty()
    }
}

/// Whether a parameter is in presets.
pub(super) fn is_kept(parameters: &Parameters, at: ParameterIdx) -> bool {
    let group = parameters.group(at).split('/').next().unwrap_or_default();
    let id = parameters.id(at);
    GROUPS.contains(&group) && !MOMENTARY.contains(&id) && !LEFT_OUT.contains(&id)
}
