//! How the player's answers are drawn: the configuration in its weights file.

use serde::{Deserialize, Serialize};

use super::PerVoice;
use crate::network::ArchitectureError;
use crate::network::player::returns::N_STRANDS;
use crate::voices::VoiceSet;

/// How the player plays; its network has one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlayerConfig {
    /// Scale of the logistic draw that decides a voice's hit, in `[0, 2]`: 1 plays with the network's probabilities, 0 plays
    /// whatever is likelier than not.
    pub temperature: PerVoice,
    /// Added to all log-odds of a voice, in `[-4, 4]`.
    pub lean: PerVoice,
    /// Added to the log-odds of bringing back an earlier measure, in `[-4, 4]`: of the voices that keep time, of the backbeat, of
    /// accents and of the kick.
    pub returning: [f32; N_STRANDS],
    /// Taken from the log-odds of bringing back a kick, in `[0, 20]`, times the share of the bass's onsets that are not the same
    /// before it as before the measure asked.
    pub answering: f32,
    /// What is less likely than this never happens, and what is as sure as that always does, in `[0, 0.5]`; 0 leaves all to the
    /// draws.
    pub least_chance: f32,
    /// Scale of the differences in loudness and placement from hit to hit, in `[0, 2]`.
    pub looseness: f32,
    /// How much the bass counts for a voice at the default `follow`, in `[0, 4]`: 1 as learnt, more is classifier-free guidance (Ho &
    /// Salimans 2021).
    pub guidance: PerVoice,
    /// How much the idea counts if a family is asked for, in `[0, 4]`.
    pub family_guidance: f32,
    /// Factor on the temperatures if a family is asked for, in `[0, 2]`.
    pub family_temperature: f32,
    /// What takes the place of `returning` if a family is asked for.
    pub family_returning: [f32; N_STRANDS],
    /// How much the idea counts if it is the drummer's own, in `[0, 4]`.
    pub idea_guidance: f32,
    /// Families, grooves and touches that are less likely than this share of the likeliest are never an idea, in `[0, 1]`.
    pub idea_least_share: f32,
    /// Added to the log-odds that a song has a family, whichever, in `[-4, 4]`.
    pub naming: f32,
}

impl PlayerConfig {
    /// Checks that every number is in its range and that numbers per voice are for all fourteen.
    ///
    /// # Errors
    /// [`ArchitectureError`] names the setting and what it may be.
    pub fn check(&self) -> Result<(), ArchitectureError> {
        self.temperature.check("temperature", VoiceSet::Version2)?;
        self.lean.check("lean", VoiceSet::Version2)?;
        self.guidance.check("guidance", VoiceSet::Version2)?;
        let (to_two, to_four) = (
            (0.0, 2.0, "it may be 0 to 2"),
            (0.0, 4.0, "it may be 0 to 4"),
        );
        let both_ways = (-4.0, 4.0, "it may be -4 to 4");
        let all = |key, values: PerVoice, range| values.values().map(|value| (key, value, range));
        let strands = |key, values: [f32; N_STRANDS]| values.map(|value| (key, value, both_ways));
        let single = [
            (
                "least-chance",
                self.least_chance,
                (0.0, 0.5, "it may be 0 to 0.5"),
            ),
            (
                "answering",
                self.answering,
                (0.0, 20.0, "it may be 0 to 20"),
            ),
            ("looseness", self.looseness, to_two),
            ("family-guidance", self.family_guidance, to_four),
            ("family-temperature", self.family_temperature, to_two),
            ("idea-guidance", self.idea_guidance, to_four),
            (
                "idea-least-share",
                self.idea_least_share,
                (0.0, 1.0, "it may be 0 to 1"),
            ),
            ("naming", self.naming, both_ways),
        ];
        let each = all("temperature", self.temperature, to_two)
            .into_iter()
            .chain(all("lean", self.lean, both_ways))
            .chain(all("guidance", self.guidance, to_four))
            .chain(strands("returning", self.returning))
            .chain(strands("family-returning", self.family_returning))
            .chain(single);
        for (key, value, (least, most, allowed)) in each {
            // NaN is in no range.
            if !(least..=most).contains(&value) {
                let got = value.to_string();
                return Err(ArchitectureError { key, got, allowed });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> PlayerConfig {
        PlayerConfig {
            temperature: PerVoice::All(0.9),
            lean: PerVoice::Version2([-4.0; 14]),
            returning: [0.3, 0.3, 0.3, -4.0],
            answering: 3.0,
            least_chance: 0.01,
            looseness: 0.8,
            guidance: PerVoice::All(4.0),
            family_guidance: 2.0,
            family_temperature: 0.5,
            family_returning: [0.5; 4],
            idea_guidance: 1.0,
            idea_least_share: 0.3,
            naming: 2.0,
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused_with_the_name_of_their_setting() {
        assert_eq!(config().check(), Ok(()));
        let with = |spoil: fn(&mut PlayerConfig)| {
            let mut config = config();
            spoil(&mut config);
            config.check().err().map(|error| error.key)
        };
        for (key, refused) in [
            (
                "temperature",
                with(|to| to.temperature = PerVoice::All(2.1)),
            ),
            (
                "temperature",
                with(|to| to.temperature = PerVoice::Version1([1.0; 9])),
            ),
            ("lean", with(|to| to.lean = PerVoice::All(f32::NAN))),
            ("returning", with(|to| to.returning[3] = 4.1)),
            ("least-chance", with(|to| to.least_chance = 0.6)),
            ("answering", with(|to| to.answering = -0.1)),
            ("looseness", with(|to| to.looseness = -0.1)),
            ("guidance", with(|to| to.guidance = PerVoice::All(4.1))),
            ("family-guidance", with(|to| to.family_guidance = -1.0)),
            (
                "family-temperature",
                with(|to| to.family_temperature = -0.1),
            ),
            (
                "family-returning",
                with(|to| to.family_returning[0] = f32::NAN),
            ),
            ("idea-guidance", with(|to| to.idea_guidance = f32::INFINITY)),
            ("idea-least-share", with(|to| to.idea_least_share = 1.1)),
            ("naming", with(|to| to.naming = -4.1)),
        ] {
            assert_eq!(refused, Some(key));
        }
    }

    #[test]
    fn settings_are_written_with_hyphens_and_unknown_ones_are_refused() {
        let text = serde_json::to_string(&config()).unwrap_or_default();
        assert!(text.contains("\"family-guidance\":2.0"), "{text}");
        let read = |text: &str| serde_json::from_str::<PlayerConfig>(text).ok();
        assert_eq!(read(&text), Some(config()));
        assert_eq!(read(&text.replace("looseness", "tightness")), None);
        assert_eq!(read(&text.replacen('{', "{\"truncation\":1.0,", 1)), None);
    }
}
