//! A setting with one number for all voices or one number for each.

use lockstep_core::representation::{N_VOICES, Voice};
use serde::{Deserialize, Serialize};

/// One number for all voices, or one for each in [`Voice`]'s declaration order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "it must be one number, or nine, one for each voice from kick to ride"
)]
pub enum PerVoice {
    /// The same for all.
    All(f32),
    /// One for each.
    Each([f32; N_VOICES]),
}

impl PerVoice {
    /// A voice's number.
    pub fn of(self, voice: Voice) -> f32 {
        self.values()[voice.index()]
    }

    /// All voices' numbers.
    pub fn values(self) -> [f32; N_VOICES] {
        match self {
            Self::All(value) => [value; N_VOICES],
            Self::Each(values) => values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_and_nine_are_read_and_eight_are_refused() {
        let read = |text: &str| serde_json::from_str::<PerVoice>(text).ok();
        assert_eq!(read("0.5").map(|all| all.of(Voice::Ride)), Some(0.5));
        let each = read("[1, 2, 3, 4, 5, 6, 7, 8, 9]");
        assert_eq!(each.map(|each| each.of(Voice::Snare)), Some(2.0));
        assert_eq!(read("[1, 2, 3, 4, 5, 6, 7, 8]"), None);
    }
}
