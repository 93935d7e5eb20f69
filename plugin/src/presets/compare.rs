//! A and B: two sets of values, one active and one stored.

use super::PresetValues;

/// A or B.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompareSide {
    /// The first, active at the start.
    #[default]
    A,
    /// The other.
    B,
}

impl CompareSide {
    /// The opposite slot.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// Compares two sets of values by ear.
///
/// The active slot's values are the parameters themselves; only the other slot's are stored here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compare {
    on: CompareSide,
    /// The other slot's values; `None` until it has been active or copied to.
    other: Option<PresetValues>,
}

impl Compare {
    /// The active slot.
    pub fn on(&self) -> CompareSide {
        self.on
    }

    /// Activates the other slot: stores the current values and returns those to set. The first time they are the same.
    pub fn switch(&mut self, now: PresetValues) -> PresetValues {
        self.on = self.on.other();
        self.other.replace(now.clone()).unwrap_or(now)
    }

    /// Copies the current values to the other slot; the active slot stays active.
    pub fn copy(&mut self, now: PresetValues) {
        self.other = Some(now);
    }
}
