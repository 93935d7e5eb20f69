//! A and B: two sets of values, one of them set, the other ready.

use super::Values;

/// One of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slot {
    /// The first, which is set at the beginning.
    #[default]
    A,
    /// The other.
    B,
}

impl Slot {
    /// The one that it is not.
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
/// What is set belongs to the slot that is on; it is the parameters' and not kept here. Only the other slot's is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compare {
    on: Slot,
    /// The other slot's; `None` before it was ever on or copied to.
    other: Option<Values>,
}

impl Compare {
    /// The slot that is on.
    pub fn on(&self) -> Slot {
        self.on
    }

    /// Puts the other slot on: keeps what is set now, and gives what is to be set instead. The first time that is the same.
    pub fn switch(&mut self, now: Values) -> Values {
        self.on = self.on.other();
        self.other.replace(now.clone()).unwrap_or(now)
    }

    /// Makes the other slot the same as what is set now; the slot that is on stays on.
    pub fn copy(&mut self, now: Values) {
        self.other = Some(now);
    }

    /// Whether the other slot would change nothing.
    pub fn is_same(&self, now: &Values) -> bool {
        self.other.as_ref().is_none_or(|other| other == now)
    }
}
