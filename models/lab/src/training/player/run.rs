//! The run file of a player: everything that determines how it is taught.

use std::path::PathBuf;

use candle_core::Device;
use lockstep_models::voices::VoiceSet;
use lockstep_models::weights::{PerVoice, PlayerConfig};
use serde::{Deserialize, Serialize};

use crate::training::run::RunFileError;

/// Which phase of teaching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseKind {
    /// Likelihood of people's drums.
    Likelihood,
    /// The same, one measure of bass ahead.
    Teacher,
    /// Distillation on the player's own takes.
    Listening,
}

impl PhaseKind {
    /// In the order in which they follow.
    pub const ALL: [Self; 3] = [Self::Likelihood, Self::Teacher, Self::Listening];

    /// Its section of the run file, and the name of its files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Likelihood => "likelihood",
            Self::Teacher => "teacher",
            Self::Listening => "listening",
        }
    }

    /// Measures of bass that it hears ahead.
    pub fn ahead(self) -> usize {
        usize::from(self == Self::Teacher)
    }
}

/// A run file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlayerRun {
    /// Seed of the first weights and of everything that is drawn; 1.
    #[serde(default = "one")]
    pub seed: u64,
    /// A weights file of a player to begin from in place of random weights; none. Grooves and touches stay the file's.
    pub from: Option<PathBuf>,
    /// Threads that share a step's excerpts, one per core, 1 to 64; 2.
    #[serde(default = "two")]
    pub replicas: usize,
    /// What computes; `cpu`.
    #[serde(default)]
    pub device: ComputeDevice,
    /// What is learnt from.
    #[serde(default)]
    pub data: PlayerData,
    /// What is hidden from it.
    #[serde(default)]
    pub hidden: Hidden,
    /// The first phase.
    pub likelihood: Schedule,
    /// The second.
    pub teacher: Schedule,
    /// The third.
    pub listening: Schedule,
    /// How the teacher is listened to.
    #[serde(default)]
    pub distillation: Distillation,
    /// How takes are drawn in playing.
    pub take: PlayerConfig,
}

fn one() -> u64 {
    1
}

fn two() -> usize {
    2
}

/// What computes a training step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComputeDevice {
    /// The processor's cores.
    #[default]
    Cpu,
    /// The first NVIDIA card; needs a lab that was built with the feature `cuda`.
    Cuda,
}

impl ComputeDevice {
    /// Opens it.
    ///
    /// # Errors
    /// Those of candle, if there is no such device or the lab was built without it.
    pub fn open(self) -> candle_core::Result<Device> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda => Device::new_cuda(0),
        }
    }
}

/// What is learnt from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PlayerData {
    /// Whether only songs of the openly licensed tier are used; `false`.
    pub open_only: bool,
    /// Share of the excerpts from songs of a known family, every family in proportion to the root of its songs; 0.2.
    pub labelled: f64,
    /// Share of the excerpts in which the drums are a groove of the book, `models/book.toml`; 0.18.
    pub book: f64,
    /// Share of the excerpts from drummers without a bass; 0.06.
    pub drums_only: f64,
    /// Share of the excerpts in which another song follows the first; 0.15.
    pub spliced: f64,
    /// Most semitones that the bass is transposed, up or down; 5.
    pub transpose: i32,
    /// Least certainty of a family that a classifier names; 0.6.
    pub certainty: f32,
}

impl Default for PlayerData {
    fn default() -> Self {
        Self {
            open_only: false,
            labelled: 0.2,
            book: 0.18,
            drums_only: 0.06,
            spliced: 0.15,
            transpose: 5,
            certainty: 0.6,
        }
    }
}

/// Shares of what is hidden, each in `[0, 1]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Hidden {
    /// Excerpts without any own drums; 0.1.
    pub own: f64,
    /// Excerpts in which some measures of own drums are hidden; 0.35.
    pub gaps: f64,
    /// Most of the measures of such an excerpt; 0.4.
    pub gap_share: f64,
    /// Excerpts whose far past is hidden; 0.2.
    pub past: f64,
    /// Excerpts without a bass; 0.12.
    pub bass: f64,
    /// Excerpts of a known family without it; 0.7. Of those that were drawn for their family a tenth of it.
    pub family: f64,
    /// Excerpts of a known family of which is not said which measures are by the book; 0.5.
    pub freely: f64,
    /// Excerpts without their groove; 0.4.
    pub groove: f64,
    /// Excerpts without their touch; 0.2.
    pub touch: f64,
    /// Excerpts without their measures' energy; 0.6.
    pub energy: f64,
    /// Measures of which is not said whether they are fills; 0.7.
    pub fill: f64,
    /// Excerpts of which is not said what comes back; 0.15.
    pub returns: f64,
    /// Excerpts of which is not said whether the kick comes back; 0.5.
    pub kick: f64,
}

impl Default for Hidden {
    fn default() -> Self {
        Self {
            own: 0.1,
            gaps: 0.35,
            gap_share: 0.4,
            past: 0.2,
            bass: 0.12,
            family: 0.7,
            freely: 0.5,
            groove: 0.4,
            touch: 0.2,
            energy: 0.6,
            fill: 0.7,
            returns: 0.15,
            kick: 0.5,
        }
    }
}

/// A phase's optimiser and length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Schedule {
    /// Steps; a run of no steps leaves the phase out.
    pub steps: u64,
    /// Excerpts per step, over all replicas: of people's songs, and in the third phase as many own takes.
    pub excerpts: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// Steps in which it rises from 0; 100.
    #[serde(default = "hundred")]
    pub warm_up: u64,
    /// Share of the steps at the end in which it falls to 3 %; 0.5.
    #[serde(default = "half")]
    pub cool_down: f64,
    /// Decay rate of the moving average of the weights, which is what plays; 0.998.
    #[serde(default = "slow")]
    pub average: f64,
    /// Steps between two looks at validation songs; 250.
    #[serde(default = "often")]
    pub look_every: u64,
}

fn hundred() -> u64 {
    100
}

fn half() -> f64 {
    0.5
}

fn slow() -> f64 {
    0.998
}

fn often() -> u64 {
    250
}

/// How the player learns from the teacher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Distillation {
    /// Measures of a take, 2 to 32; 20.
    pub measures: usize,
    /// How much the difference that the bass makes to the teacher counts for each voice; 1.5 for the kick, 1 for the others.
    pub bass: PerVoice,
    /// The same for the idea's family and groove; 1.
    pub idea: PerVoice,
    /// Weight of people's songs beside the takes; 0.4.
    pub people: f64,
}

impl Default for Distillation {
    fn default() -> Self {
        Self {
            measures: 20,
            bass: PerVoice::Version2(std::array::from_fn(
                |voice| {
                    if voice == 0 { 1.5 } else { 1.0 }
                },
            )),
            idea: PerVoice::All(1.0),
            people: 0.4,
        }
    }
}

impl PlayerRun {
    /// Whether a run file is a player's: it has the section of the first phase.
    pub fn is_of_player(text: &str) -> bool {
        toml::from_str::<toml::Table>(text).is_ok_and(|table| table.contains_key("likelihood"))
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

    /// The schedule of a phase.
    pub fn schedule(&self, phase: PhaseKind) -> &Schedule {
        match phase {
            PhaseKind::Likelihood => &self.likelihood,
            PhaseKind::Teacher => &self.teacher,
            PhaseKind::Listening => &self.listening,
        }
    }

    fn check(&self) -> Result<(), RunFileError> {
        let demand = |holds: bool, key, got: f64, range| {
            if holds {
                Ok(())
            } else {
                Err(RunFileError::Range { key, got, range })
            }
        };
        let (data, hidden) = (&self.data, &self.hidden);
        for (key, share) in [
            ("data.labelled", data.labelled),
            ("data.book", data.book),
            ("data.drums-only", data.drums_only),
            ("data.spliced", data.spliced),
            ("data.certainty", f64::from(data.certainty)),
            ("hidden.own", hidden.own),
            ("hidden.gaps", hidden.gaps),
            ("hidden.gap-share", hidden.gap_share),
            ("hidden.past", hidden.past),
            ("hidden.bass", hidden.bass),
            ("hidden.family", hidden.family),
            ("hidden.freely", hidden.freely),
            ("hidden.groove", hidden.groove),
            ("hidden.touch", hidden.touch),
            ("hidden.energy", hidden.energy),
            ("hidden.returns", hidden.returns),
            ("hidden.kick", hidden.kick),
            ("hidden.fill", hidden.fill),
        ] {
            demand((0.0..=1.0).contains(&share), key, share, "0 to 1")?;
        }
        let replicas = self.replicas as f64;
        demand(
            (1..=64).contains(&self.replicas),
            "replicas",
            replicas,
            "1 to 64",
        )?;
        let transpose = data.transpose;
        demand(
            (0..=12).contains(&transpose),
            "data.transpose",
            f64::from(transpose),
            "0 to 12",
        )?;
        for phase in PhaseKind::ALL {
            let schedule = self.schedule(phase);
            let (rate, excerpts) = (schedule.learning_rate, schedule.excerpts);
            demand(
                (1e-7..=0.1).contains(&rate),
                "learning-rate",
                rate,
                "1e-7 to 0.1",
            )?;
            let range = "one for each replica to 1024";
            let fits = (self.replicas..=1024).contains(&excerpts);
            demand(fits, "excerpts", excerpts as f64, range)?;
            demand(
                (0.0..1.0).contains(&schedule.average),
                "average",
                schedule.average,
                "0 to below 1",
            )?;
            demand(
                (0.0..=1.0).contains(&schedule.cool_down),
                "cool-down",
                schedule.cool_down,
                "0 to 1",
            )?;
            demand(schedule.look_every > 0, "look-every", 0.0, "1 or more")?;
        }
        self.take.check()?;
        let taught = &self.distillation;
        let measures = taught.measures;
        demand(
            (2..=32).contains(&measures),
            "distillation.measures",
            measures as f64,
            "2 to 32",
        )?;
        let people = taught.people;
        demand(
            (0.0..=5.0).contains(&people),
            "distillation.people",
            people,
            "0 to 5",
        )?;
        for (key, weights) in [
            ("distillation.bass", taught.bass),
            ("distillation.idea", taught.idea),
        ] {
            weights.check(key, VoiceSet::Version2)?;
            for weight in weights.values().map(f64::from) {
                demand((0.0..=5.0).contains(&weight), key, weight, "0 to 5")?;
            }
        }
        Ok(())
    }
}
