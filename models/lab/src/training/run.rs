//! A run file: everything that determines the result of a training run, in one TOML file.
//!
//! Unknown keys and impossible values are refused before anything is read or trained. A key that is left out has the default
//! that its field's documentation gives.

mod data;

use std::ops::RangeInclusive;

pub use data::{Data, HistoryDropout, Meters, Target};
use lockstep_models::network::{Architecture, ArchitectureError, Kernels};
use lockstep_models::weights::{Config, PerVoice};
use serde::{Deserialize, Serialize};

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RunFile {
    /// Seed of the initial weights, the order of the excerpts and every draw.
    #[serde(default = "one")]
    pub seed: u64,
    /// The generator.
    pub architecture: Architecture,
    /// The critic.
    #[serde(default)]
    pub critic: Critic,
    /// The losses.
    #[serde(default)]
    pub loss: Loss,
    /// The training data.
    #[serde(default)]
    pub data: Data,
    /// What a generator that hears itself is made to forget.
    #[serde(default)]
    pub forgetting: HistoryDropout,
    /// The optimiser's settings.
    #[serde(default)]
    pub schedule: Schedule,
    /// When the run ends.
    pub budget: Budget,
    /// How takes are drawn in playing.
    #[serde(default)]
    pub take: SamplingSettings,
}

fn one() -> u64 {
    1
}

/// The critic's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Critic {
    /// Axes of its kernels; `3d`.
    pub kernels: Kernels,
    /// Whether it also sees people's drums with another song's bass and must reject them; `true`.
    pub mismatched: bool,
    /// Critic steps per generator step, 1 to 10; 1.
    pub steps: usize,
    /// [`Config::temperature`](lockstep_models::weights::Config::temperature) of the takes that it judges; 0.5.
    pub temperature: f32,
}

impl Default for Critic {
    fn default() -> Self {
        Self {
            kernels: Kernels::ThreeD,
            mismatched: true,
            steps: 1,
            temperature: 0.5,
        }
    }
}

/// The adversarial loss; see [`losses`](super::losses).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adversary {
    /// The original GAN's cross-entropy (Goodfellow et al. 2014), the generator's in its non-saturating form.
    Gan,
    /// Wasserstein distance with gradient penalty (Gulrajani et al. 2017).
    WganGp,
    /// Hinge loss with spectral normalisation (Miyato et al. 2018).
    Hinge,
    /// No critic: the likelihood of people's drums is the only teacher.
    None,
}

/// The losses. The numbers are weights of terms in the generator's loss; the critic's verdict has weight 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Loss {
    /// `hinge`.
    pub adversary: Adversary,
    /// Cross-entropy of the presences, mean over cells; 100.
    pub likelihood: f64,
    /// MidiNet's feature matching: squared distance between the critic's mean features of people and takes; 0.
    pub feature_matching: f64,
    /// Negative log-likelihood of velocity and offset, mean over people's hits; 0.1.
    pub feel: f64,
}

impl Default for Loss {
    fn default() -> Self {
        Self {
            adversary: Adversary::Hinge,
            likelihood: 100.0,
            feature_matching: 0.0,
            feel: 0.1,
        }
    }
}

/// The optimiser's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Schedule {
    /// Excerpts per step, over all replicas, 2 to 1,024; 64.
    pub excerpts: usize,
    /// Adam's step size for both networks; 0.001.
    pub learning_rate: f64,
    /// Adam's decay rate of the mean gradient; 0.5.
    pub beta1: f64,
    /// Adam's decay rate of the mean squared gradient; 0.95.
    pub beta2: f64,
    /// Largest norm of all gradients of a network together; larger gradients are scaled down; 5.
    pub clip: f64,
    /// Decay rate of the moving average of the generator's weights, which is what plays; 0.999.
    pub average: f64,
    /// Share of the budget at the end in which the step size falls to a tenth, in `[0, 1]`; 0.2.
    pub cool_down: f64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            excerpts: 64,
            learning_rate: 1e-3,
            beta1: 0.5,
            beta2: 0.95,
            clip: 5.0,
            average: 0.999,
            cool_down: 0.2,
        }
    }
}

/// When the run ends: at the first limit that is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Budget {
    /// Minutes of computing on one core. Two replicas use them up in half the time; other processes do not count.
    pub core_minutes: f64,
    /// Generator steps after which the run ends, which then makes the same weights on any machine; none.
    pub steps: Option<u64>,
    /// Replicas, one per core, that share a step's excerpts, 1 to 64; 1.
    #[serde(default = "one_replica")]
    pub replicas: usize,
    /// Steps between looks, in which the averaged weights play validation songs; 250.
    #[serde(default = "look_every")]
    pub look_every: u64,
    /// Looks without a better score after which the run ends early; none.
    pub patience: Option<u64>,
}

fn one_replica() -> usize {
    1
}

fn look_every() -> u64 {
    250
}

/// How takes are drawn in playing. Training uses only the lean, for the takes that the critic judges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SamplingSettings {
    /// See [`Config::temperature`](lockstep_models::weights::Config::temperature); 0.3.
    pub temperature: PerVoice,
    /// See [`Config::lean`](lockstep_models::weights::Config::lean); 0.6.
    pub lean: PerVoice,
    /// See [`Config::looseness`](lockstep_models::weights::Config::looseness); 0.4.
    pub looseness: f32,
    /// See [`Config::truncation`](lockstep_models::weights::Config::truncation); 1.
    pub truncation: f32,
    /// See [`Config::memory`](lockstep_models::weights::Config::memory); 1.
    pub memory: f32,
    /// See [`Config::guidance`](lockstep_models::weights::Config::guidance); 1.
    pub guidance: f32,
}

impl Default for SamplingSettings {
    fn default() -> Self {
        Self {
            temperature: PerVoice::All(0.3),
            lean: PerVoice::All(0.6),
            looseness: 0.4,
            truncation: 1.0,
            memory: 1.0,
            guidance: 1.0,
        }
    }
}

/// Why a run file is refused.
#[derive(Debug, thiserror::Error)]
pub enum RunFileError {
    /// It is not TOML, or has an unknown key or a value of the wrong kind.
    #[error(transparent)]
    Syntax(#[from] toml::de::Error),
    /// The network cannot be built.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// A value is outside its range.
    #[error("{key} = {got} is outside {range}")]
    Range {
        /// Section and key.
        key: &'static str,
        /// The value.
        got: f64,
        /// The allowed values.
        range: &'static str,
    },
}

impl RunFile {
    /// The configuration that goes into the weights file.
    pub fn config(&self) -> Config {
        Config {
            architecture: self.architecture.clone(),
            temperature: self.take.temperature,
            lean: self.take.lean,
            looseness: self.take.looseness,
            truncation: self.take.truncation,
            memory: self.take.memory,
            guidance: self.take.guidance,
        }
    }

    /// Reads and checks a run file.
    ///
    /// # Errors
    /// [`RunFileError`] names the key, the value and the allowed values.
    pub fn parse(text: &str) -> Result<Self, RunFileError> {
        let run: Self = toml::from_str(text)?;
        run.check()?;
        Ok(run)
    }

    fn check(&self) -> Result<(), RunFileError> {
        self.architecture.check()?;
        let voices = self.architecture.voices;
        self.take.temperature.check("take.temperature", voices)?;
        self.take.lean.check("take.lean", voices)?;
        let Self {
            critic,
            loss,
            data,
            forgetting,
            schedule,
            budget,
            take,
            ..
        } = self;
        let unit = |x: f64| (0.0..=1.0).contains(&x);
        let memory = |x: f64| (0.0..1.0).contains(&x);
        let weight = |x: f64| (0.0..=1e4).contains(&x);
        let replicas = budget.replicas as f64;
        let excerpts = schedule.excerpts as f64;
        let steps = budget.steps.map_or(1.0, |steps| steps as f64);
        let truncation = f64::from(take.truncation);
        let (temperature, may_be_temperature) = worst(take.temperature, 0.0..=2.0);
        let (lean, may_be_lean) = worst(take.lean, -4.0..=4.0);
        let looseness = f64::from(take.looseness);
        let remembered = f64::from(take.memory);
        let guidance = f64::from(take.guidance);
        let shown = f64::from(critic.temperature);
        #[rustfmt::skip]
        let rules = [
            ("critic.steps", critic.steps as f64, (1..=10).contains(&critic.steps), "1 to 10"),
            ("critic.temperature", shown, (0.0..=2.0).contains(&shown), "0 to 2"),
            ("loss.likelihood", loss.likelihood, weight(loss.likelihood), "0 to 10000"),
            ("loss.feature-matching", loss.feature_matching, weight(loss.feature_matching), "0 to 10000"),
            ("loss.feel", loss.feel, weight(loss.feel), "0 to 10000"),
            ("data.silent", data.silent, unit(data.silent), "0 to 1"),
            ("data.transpose", f64::from(data.transpose), (0..=12).contains(&data.transpose), "0 to 12"),
            ("data.drums-only", data.drums_only as f64, data.drums_only <= 64, "0 to 64"),
            ("forgetting.all", forgetting.all, unit(forgetting.all), "0 to 1"),
            ("forgetting.gaps", forgetting.gaps, unit(forgetting.gaps), "0 to 1"),
            ("forgetting.slips", forgetting.slips, unit(forgetting.slips), "0 to 1"),
            ("forgetting.bass", forgetting.bass, unit(forgetting.bass), "0 to 1"),
            ("forgetting.given", forgetting.given, unit(forgetting.given), "0 to 1"),
            ("schedule.excerpts", excerpts, (2..=1024).contains(&schedule.excerpts), "2 to 1024"),
            ("schedule.learning-rate", schedule.learning_rate, (1e-7..=0.1).contains(&schedule.learning_rate), "1e-7 to 0.1"),
            ("schedule.beta1", schedule.beta1, memory(schedule.beta1), "0 to below 1"),
            ("schedule.beta2", schedule.beta2, memory(schedule.beta2), "0 to below 1"),
            ("schedule.clip", schedule.clip, (1e-3..=1e9).contains(&schedule.clip), "0.001 to 1e9"),
            ("schedule.average", schedule.average, memory(schedule.average), "0 to below 1"),
            ("schedule.cool-down", schedule.cool_down, unit(schedule.cool_down), "0 to 1"),
            ("budget.core-minutes", budget.core_minutes, budget.core_minutes > 0.0 && budget.core_minutes <= 1e5, "above 0 to 100000"),
            ("budget.steps", steps, steps >= 1.0, "1 or more"),
            ("budget.replicas", replicas, (1..=64).contains(&budget.replicas), "1 to 64"),
            ("budget.replicas", replicas, replicas * 2.0 <= excerpts, "1 to half of schedule.excerpts (each replica needs two)"),
            ("budget.look-every", budget.look_every as f64, budget.look_every >= 1, "1 or more"),
            ("take.temperature", temperature, may_be_temperature, "0 to 2"),
            ("take.lean", lean, may_be_lean, "-4 to 4"),
            ("take.looseness", looseness, (0.0..=2.0).contains(&looseness), "0 to 2"),
            ("take.truncation", truncation, (0.0..=2.0).contains(&truncation), "0 to 2"),
            ("take.memory", remembered, unit(remembered), "0 to 1"),
            ("take.guidance", guidance, (0.0..=3.0).contains(&guidance), "0 to 3"),
        ];
        for (key, got, holds, range) in rules {
            if !holds {
                return Err(RunFileError::Range { key, got, range });
            }
        }
        Ok(())
    }
}

/// The first voice's value outside the range, or else some value inside, and whether all are inside.
fn worst(values: PerVoice, range: RangeInclusive<f32>) -> (f64, bool) {
    let values = values.values();
    let outside = values.into_iter().find(|value| !range.contains(value));
    (f64::from(outside.unwrap_or(values[0])), outside.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "[architecture]\nbass = { kind = \"convolution\" }\ngenerator = \"3d\"\n\
                         [budget]\ncore-minutes = 12\n";

    fn refusal(text: &str) -> String {
        RunFile::parse(text).map_or_else(|error| error.to_string(), |run| format!("{run:?}"))
    }

    #[test]
    fn a_key_that_is_left_out_has_its_default() {
        let run = RunFile::parse(LEAST).unwrap_or_else(|error| unreachable!("{error}"));
        assert_eq!((run.seed, run.schedule.excerpts), (1, 64));
        assert!(run.critic.mismatched);
    }

    #[test]
    fn unknown_keys_are_named_with_their_line() {
        let refused = refusal(&format!("{LEAST}minuts = 3\n"));
        assert!(
            refused.contains("minuts") && refused.contains("line 6"),
            "{refused}"
        );
        let kind = LEAST.replace("convolution", "telepathy");
        assert!(refusal(&kind).contains("telepathy"), "{}", refusal(&kind));
    }

    #[test]
    fn impossible_values_are_named_with_their_range() {
        for (text, expected) in [
            (
                "[schedule]\nlearning-rate = 7.0\n",
                "schedule.learning-rate = 7 is outside 1e-7 to 0.1",
            ),
            (
                "[data]\nsilent = 2.0\n",
                "data.silent = 2 is outside 0 to 1",
            ),
            (
                "[take]\ntemperature = nan\n",
                "take.temperature = NaN is outside 0 to 2",
            ),
        ] {
            assert_eq!(refusal(&format!("{LEAST}{text}")), expected);
        }
        let heads = LEAST.replace(
            "{ kind = \"convolution\" }",
            "{ kind = \"transformer\", n-blocks = 2, n-heads = 5 }",
        );
        assert!(
            refusal(&heads).contains("n-heads = 5 is not possible"),
            "{}",
            refusal(&heads)
        );
    }
}
