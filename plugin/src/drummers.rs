//! Loads the drummer that the musician chose.
//!
//! Runs on the generator thread and its loading threads. The choice is read at every request, so a change is heard at the next
//! downbeat.

mod substitute;

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context as _, Result};
use lockstep_core::generator::Generator;
use lockstep_core::rule::RuleGroove;
use lockstep_models::predict::{EMBEDDED, Predictor};
use lockstep_models::weights::Weights;
use nice_plug::prelude::{Enum as _, nice_error, nice_log};

use crate::device::{DeviceChoice, DeviceGenerator, DeviceSearch};
use crate::params::{Drummer, LockstepParams};
pub use substitute::Substitute;

/// Path of the user's own drummer: `lockstep/own.safetensors` in the user's data folder; `None` if the system has no such
/// folder.
pub fn own_weights() -> Option<PathBuf> {
    Some(dirs::data_dir()?.join("lockstep").join("own.safetensors"))
}

impl Drummer {
    /// Its index in the embedded weights; `None` for the user's own.
    fn embedded(self) -> Option<usize> {
        Self::all()
            .filter(|drummer| *drummer != Self::Own)
            .position(|drummer| drummer == self)
    }

    /// Its name as a host shows it.
    fn name(self) -> &'static str {
        let names = Drummer::variants();
        names.get(self.to_index()).copied().unwrap_or_default()
    }

    /// Its name on the command line.
    pub fn weights_name(self) -> &'static str {
        self.embedded().map_or("own", |place| EMBEDDED[place].0)
    }

    /// The bytes of its weights file.
    ///
    /// # Errors
    /// If the user's own drummer cannot be read; the error names its file.
    pub fn weights(self) -> Result<Cow<'static, [u8]>> {
        if let Some(place) = self.embedded() {
            return Ok(Cow::Borrowed(EMBEDDED[place].1));
        }
        let path = own_weights()
            .context("the system names no data folder in which own.safetensors could lie")?;
        let bytes = std::fs::read(&path)
            .with_context(|| format!("reading {}, which `lockstep tune` makes", path.display()))?;
        Ok(Cow::Owned(bytes))
    }

    /// The names of its styles; empty if it has none, and for the user's own drummer.
    pub fn styles(self) -> &'static [String] {
        // Each drummer's weights are read when its names are first asked for, and not with all others'.
        static STYLES: [OnceLock<Vec<String>>; EMBEDDED.len()] =
            [const { OnceLock::new() }; EMBEDDED.len()];
        self.embedded().map_or(&[], |place| {
            STYLES[place].get_or_init(|| {
                let weights = Weights::parse(EMBEDDED[place].1);
                let styles = weights.and_then(|weights| weights.styles());
                styles.unwrap_or_default()
            })
        })
    }
}

/// The player's choice; instances with the same choice share a drummer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrummerChoice {
    /// Which weights.
    pub drummer: Drummer,
    /// Where they predict.
    pub device: DeviceChoice,
}

impl DrummerChoice {
    /// The current choice.
    pub fn of(params: &LockstepParams) -> Self {
        Self {
            drummer: params.drummer.weights.value(),
            device: params.drummer.device.value(),
        }
    }
}

impl fmt::Display for DrummerChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drummer = self.drummer.name();
        let device = DeviceChoice::variants()
            .get(self.device.to_index())
            .copied()
            .unwrap_or_default();
        write!(f, "the drummer {drummer} (device {device})")
    }
}

/// A drummer that can play, and what to tell the player if it is not the chosen one.
pub struct LoadedDrummer {
    /// Plays.
    pub generator: Box<dyn Generator>,
    /// What to tell the player; `None` if this is the chosen drummer.
    pub substitute: Option<Substitute>,
}

impl From<Box<dyn Generator>> for LoadedDrummer {
    fn from(generator: Box<dyn Generator>) -> Self {
        Self {
            generator,
            substitute: None,
        }
    }
}

impl fmt::Debug for LoadedDrummer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedDrummer")
            .field("generator", &self.generator.name())
            .field("substitute", &self.substitute)
            .finish()
    }
}

/// Loads the chosen drummer on the chosen device, else the default drummer, else the rule groove.
///
/// # Realtime safety
/// Reads and allocates; never on the audio thread.
pub fn load(choice: DrummerChoice) -> LoadedDrummer {
    let drummers = [choice.drummer, Drummer::default()];
    let (found, problem) = first(drummers.map(Drummer::weights));
    let instead = match &found {
        Some(_) => Drummer::default().name().to_owned(),
        None => "a simple groove".to_owned(),
    };
    let substitute = problem.map(|error| Substitute::new(choice.drummer, &error, &instead));
    let Some((predictor, weights)) = found else {
        nice_error!("Lockstep plays its rule groove");
        return LoadedDrummer {
            generator: Box::new(RuleGroove),
            substitute,
        };
    };
    let log = |device: &str| nice_log!("Lockstep predicts on the {device}");
    let generator = DeviceGenerator::new(
        predictor,
        &weights,
        DeviceSearch::here(),
        move || choice.device,
        log,
    );
    LoadedDrummer {
        generator: Box::new(generator),
        substitute,
    }
}

/// A predictor and the bytes that it was made of.
type LoadedPredictor<'a> = (Predictor, Cow<'a, [u8]>);

/// Returns the first that can be loaded, and why the very first could not be, if it could not. Logs each failure.
fn first<'a>(
    weights: impl IntoIterator<Item = Result<Cow<'a, [u8]>>>,
) -> (Option<LoadedPredictor<'a>>, Option<anyhow::Error>) {
    let mut problem = None;
    for weights in weights {
        match weights.and_then(|bytes| Ok((Predictor::new(&bytes)?, bytes))) {
            Ok(found) => return (Some(found), problem),
            Err(error) => {
                nice_error!("Lockstep cannot play with the chosen drummer: {error:#}");
                problem.get_or_insert(error);
            }
        }
    }
    (None, problem)
}

#[cfg(test)]
mod tests {
    use lockstep_core::family::Family;
    use lockstep_core::representation::Voice;

    use super::*;

    #[test]
    fn every_embedded_drummer_can_be_chosen_and_only_the_own_is_none() {
        let names: Vec<_> = Drummer::all().map(Drummer::weights_name).collect();
        assert_eq!(
            names,
            ["lockstep", "lockstep-open", "base", "own", "lockstep-2"]
        );
        for (name, bytes) in EMBEDDED {
            let chosen = Drummer::all().find(|drummer| drummer.weights_name() == name);
            let weights = chosen.and_then(|drummer| drummer.weights().ok());
            assert!(weights.is_some_and(|weights| *weights == *bytes), "{name}");
        }
    }

    #[test]
    fn every_embedded_drummer_loads_and_those_with_styles_name_them() -> Result<()> {
        for drummer in [Drummer::Lockstep, Drummer::LockstepTwo, Drummer::Open] {
            let predictor = Predictor::new(&drummer.weights()?)?;
            let styles = drummer.styles();
            assert_eq!(styles.len(), predictor.n_styles());
            if predictor.name() == "player" {
                assert_eq!(styles, Family::ALL.map(Family::name));
            } else {
                assert_eq!(predictor.name(), "autoregressive");
                assert!(styles.iter().all(|name| name.contains(", ")));
            }
        }
        let predictor = Predictor::new(&Drummer::Base.weights()?)?;
        assert_eq!(predictor.name(), "conditional-gan");
        assert!(Drummer::Base.styles().is_empty());
        Ok(())
    }

    #[test]
    fn a_drummer_of_version_1_says_that_it_plays_nine_voices_on_any_device() {
        for device in [DeviceChoice::Cpu, DeviceChoice::Auto] {
            let drummer = Drummer::Lockstep;
            let loaded = load(DrummerChoice { drummer, device });
            assert_eq!(loaded.generator.voices(), Voice::VERSION_1);
        }
    }

    #[test]
    fn damaged_weights_leave_the_default_drummer_and_then_the_rule_groove() -> Result<()> {
        let default = Drummer::default().weights()?;
        let name = Predictor::new(&default)?.name();
        let damaged = |bytes: &[u8]| Ok(Cow::Owned(bytes.to_vec()));
        let mut not_finite = default.to_vec();
        if let Some(last) = not_finite.last_chunk_mut::<4>() {
            *last = f32::NAN.to_le_bytes();
        }
        for bytes in [
            &[][..],
            b"no weights",
            &default[..default.len() / 2],
            &not_finite,
        ] {
            let (next_best, problem) = first([damaged(bytes), Drummer::default().weights()]);
            assert!(next_best.is_some_and(|(predictor, _)| predictor.name() == name));
            assert!(problem.is_some());
            let (nobody, problem) = first([damaged(bytes)]);
            assert!(nobody.is_none() && problem.is_some());
        }
        let (found, problem) = first([Drummer::default().weights(), damaged(b"not looked at")]);
        assert!(found.is_some() && problem.is_none());
        Ok(())
    }
}
