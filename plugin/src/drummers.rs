//! Which weights play: those that the musician chose, loaded when they are chosen.
//!
//! Lives on the generator thread. The choice is read at every request, so a change is heard at the next downbeat.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use anyhow::{Context as _, Result};
use lockstep_models::generator::{Generator, PredictError, Request};
use lockstep_models::predict::{EMBEDDED, Predictor};
use lockstep_models::representation::HitMap;
use lockstep_models::rule::RuleGroove;
use lockstep_models::weights::Weights;
use nice_plug::prelude::nice_error;

use crate::params::{Drummer, LockstepParams};

/// Where a drummer of one's own is looked for: `lockstep/own.safetensors` in the user's data folder; `None` where the
/// system names no such folder.
pub fn own_weights() -> Option<PathBuf> {
    Some(dirs::data_dir()?.join("lockstep").join("own.safetensors"))
}

impl Drummer {
    /// Its place among the embedded weights; `None` for one's own.
    fn embedded(self) -> Option<usize> {
        match self {
            Self::Lockstep => Some(0),
            Self::Open => Some(1),
            Self::Base => Some(2),
            Self::Own => None,
        }
    }

    /// Loads the drummer.
    ///
    /// # Errors
    /// If there is no drummer of one's own, or it is damaged, with the name of its file.
    pub fn load(self) -> Result<Predictor> {
        if let Some(place) = self.embedded() {
            let (name, bytes) = EMBEDDED[place];
            return Predictor::new(bytes)
                .with_context(|| format!("loading the embedded weights {name}"));
        }
        let path = own_weights()
            .context("the system names no data folder in which own.safetensors could lie")?;
        let name = path.display();
        let bytes = std::fs::read(&path)
            .with_context(|| format!("reading {name}, which `cargo xtask tune` makes"))?;
        Predictor::new(&bytes).with_context(|| format!("loading {name}"))
    }

    /// What is played in each style that it can be asked for; none where it knows no styles, and of one's own none is
    /// known.
    pub fn styles(self) -> &'static [String] {
        static STYLES: LazyLock<[Vec<String>; EMBEDDED.len()]> = LazyLock::new(|| {
            EMBEDDED.map(|(_, bytes)| {
                let styles = Weights::parse(bytes).and_then(|weights| weights.styles());
                styles.unwrap_or_default()
            })
        });
        self.embedded().map_or(&[], |place| &STYLES[place])
    }
}

/// The chosen drummer.
pub(crate) struct Chosen {
    params: Arc<LockstepParams>,
    drummer: Drummer,
    generator: Box<dyn Generator>,
}

impl std::fmt::Debug for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chosen")
            .field("drummer", &self.drummer)
            .finish_non_exhaustive()
    }
}

impl Chosen {
    /// Loads what is chosen now.
    pub(crate) fn new(params: Arc<LockstepParams>) -> Self {
        let drummer = params.drummer.value();
        Self {
            params,
            drummer,
            generator: load(drummer),
        }
    }
}

impl Generator for Chosen {
    fn name(&self) -> &'static str {
        self.generator.name()
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        let drummer = self.params.drummer.value();
        if drummer != self.drummer {
            self.drummer = drummer;
            self.generator = load(drummer);
        }
        self.generator.predict(request)
    }
}

/// The drummer, else the default one, else the rule groove.
fn load(drummer: Drummer) -> Box<dyn Generator> {
    first([drummer, Drummer::default()].map(Drummer::load))
}

/// The first that could be loaded, and says why those before could not.
fn first(drummers: impl IntoIterator<Item = Result<Predictor>>) -> Box<dyn Generator> {
    for drummer in drummers {
        match drummer {
            Ok(predictor) => return Box::new(predictor),
            Err(error) => nice_error!("Lockstep cannot play with the chosen drummer: {error:#}"),
        }
    }
    nice_error!("Lockstep plays its rule groove");
    Box::new(RuleGroove)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damaged() -> Result<Predictor> {
        Predictor::new(b"no weights").context("loading some file")
    }

    #[test]
    fn every_embedded_drummer_loads_and_those_with_styles_name_them() -> Result<()> {
        for drummer in [Drummer::Lockstep, Drummer::Open] {
            assert_eq!(drummer.load()?.name(), "autoregressive");
            let mut names = drummer.styles().to_vec();
            let n_named = names.len();
            names.sort();
            names.dedup();
            assert!(n_named > 1 && names.len() == n_named, "{names:#?}");
        }
        assert_eq!(Drummer::Base.load()?.name(), "conditional-gan");
        assert!(Drummer::Base.styles().is_empty());
        Ok(())
    }

    #[test]
    fn damaged_weights_leave_the_default_drummer_and_then_the_rule_groove() {
        let next_best = first([damaged(), Drummer::default().load()]);
        assert_eq!(next_best.name(), "autoregressive");
        let mut last = first([damaged(), damaged()]);
        assert_eq!(last.name(), "rule");
        assert!(last.predict(&Request::default()).is_ok());
    }
}
