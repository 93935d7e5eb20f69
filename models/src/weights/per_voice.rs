//! A setting with one number for all voices or one number for each.

use lockstep_core::representation::{N_VOICES, Voice};
use serde::{Deserialize, Serialize};

use crate::network::ArchitectureError;
use crate::voices::VoiceSet;

/// How many voices version 1 of the representation has.
const N_VERSION_1: usize = Voice::VERSION_1.len();

/// One number for all voices, or one for each in the column order of its [`VoiceSet`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "it must be one number, or one for each voice: fourteen from kick to shaker, or nine from kick to ride for \
                 version 1 of the representation"
)]
pub enum PerVoice {
    /// The same for all.
    All(f32),
    /// One for each voice of version 1.
    Version1([f32; N_VERSION_1]),
    /// One for each voice of version 2.
    Version2([f32; N_VOICES]),
}

impl PerVoice {
    /// The numbers by column; those beyond the last voice are 0.
    pub fn values(self) -> [f32; N_VOICES] {
        match self {
            Self::All(value) => [value; N_VOICES],
            Self::Version1(each) => {
                let mut values = [0.0; N_VOICES];
                values[..N_VERSION_1].copy_from_slice(&each);
                values
            }
            Self::Version2(each) => each,
        }
    }

    /// Checks that there is a number for each of these voices; `key` is the setting's name.
    ///
    /// # Errors
    /// [`ArchitectureError`] says how many there are and what they may be.
    pub fn check(self, key: &'static str, voices: VoiceSet) -> Result<(), ArchitectureError> {
        let (n, of) = match self {
            Self::All(_) => return Ok(()),
            Self::Version1(each) => (each.len(), VoiceSet::Version1),
            Self::Version2(each) => (each.len(), VoiceSet::Version2),
        };
        if of == voices {
            return Ok(());
        }
        Err(ArchitectureError {
            key,
            got: format!("{n} numbers"),
            allowed: match voices {
                VoiceSet::Version1 => {
                    "version 1 of the representation takes one number, or nine from kick to ride"
                }
                VoiceSet::Version2 => {
                    "version 2 of the representation takes one number, or fourteen from kick to shaker"
                }
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(n: usize) -> Result<PerVoice, String> {
        let numbers: Vec<usize> = (1..=n).collect();
        serde_json::from_str(&format!("{numbers:?}")).map_err(|error| error.to_string())
    }

    #[test]
    fn one_number_nine_and_fourteen_are_read_and_other_numbers_are_refused() {
        let one = serde_json::from_str::<PerVoice>("0.5").map(PerVoice::values);
        assert_eq!(one.ok(), Some([0.5; N_VOICES]));
        for n in [9, 14] {
            let values = read(n).map(PerVoice::values).unwrap_or_default();
            let mut expected = [0.0; N_VOICES];
            for (i, number) in expected.iter_mut().take(n).enumerate() {
                *number = 1.0 + i as f32;
            }
            assert_eq!(values.map(f32::to_bits), expected.map(f32::to_bits));
        }
        for n in [0, 8, 10, 13, 15] {
            assert!(read(n).is_err_and(|text| text.contains("fourteen from kick to shaker")));
        }
    }

    #[test]
    fn numbers_for_another_version_are_refused_with_their_count() {
        let check = |n, voices| -> Result<(), String> {
            let refused = read(n)?.check("temperature", voices);
            refused.map_err(|error| error.to_string())
        };
        assert_eq!(check(9, VoiceSet::Version1), Ok(()));
        assert_eq!(check(14, VoiceSet::Version2), Ok(()));
        for (n, voices, allowed) in [
            (9, VoiceSet::Version2, "fourteen from kick to shaker"),
            (14, VoiceSet::Version1, "nine from kick to ride"),
        ] {
            let refused = check(n, voices).err().unwrap_or_default();
            assert!(
                refused.contains(&format!("temperature = {n} numbers"))
                    && refused.contains(allowed),
                "{refused}"
            );
        }
    }
}
