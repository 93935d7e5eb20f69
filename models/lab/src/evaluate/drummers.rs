//! Which drummers are measured: the baselines, the embedded ones, and weights files.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use lockstep_core::generator::Generator;
use lockstep_core::rule::RuleGroove;
use lockstep_models::predict::{EMBEDDED, Predictor};
use lockstep_models::weights::Weights;

use crate::evaluation::baselines::{CopySelf, KickOnBass, Lesson, Marginal, Nearest, Rock};

/// Makes a generator; every song gets its own, so that songs can be played in parallel.
type Make = Box<dyn Fn() -> Result<Box<dyn Generator>> + Send + Sync>;

/// A drummer to measure.
pub(crate) struct Candidate {
    /// Name in the table.
    pub(crate) name: String,
    /// Size of the weights file, in bytes; `None` without one.
    pub(super) n_bytes: Option<usize>,
    /// Whether it hears the player's controls: style, fill, follow.
    pub(super) hears_controls: bool,
    /// Its styles, `(n, 16, V)`, flattened; see [`Weights::style_hits`].
    pub(super) styles: Vec<f32>,
    make: Make,
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Candidate {
    /// Makes a new generator.
    pub(crate) fn generator(&self) -> Result<Box<dyn Generator>> {
        (self.make)().with_context(|| format!("making {}", self.name))
    }

    /// A drummer without weights, named after its generator.
    pub(super) fn rule<G: Generator + Clone + Sync + 'static>(generator: G) -> Self {
        Self {
            name: generator.name().to_owned(),
            n_bytes: None,
            hears_controls: false,
            styles: Vec::new(),
            make: Box::new(move || Ok(Box::new(generator.clone()))),
        }
    }

    /// A drummer with weights; fails if they cannot be loaded.
    fn with_weights(name: &str, bytes: Vec<u8>) -> Result<Self> {
        let loading = || format!("loading {name}");
        load(&bytes).with_context(loading)?;
        let weights = Weights::parse(&bytes).with_context(loading)?;
        Ok(Self {
            name: name.to_owned(),
            n_bytes: Some(bytes.len()),
            hears_controls: weights.hears_controls()?,
            // The player's styles are families, of which nobody's mean measure is known.
            styles: if weights.is_player() {
                Vec::new()
            } else {
                weights.style_hits()?
            },
            make: Box::new(move || load(&bytes)),
        })
    }
}

/// Makes the generator for a weights file's bytes: the only place that knows the architectures.
fn load(bytes: &[u8]) -> Result<Box<dyn Generator>> {
    Ok(Box::new(Predictor::new(bytes)?))
}

/// The embedded drummers and then those of the files.
///
/// # Errors
/// The error names the first file that cannot be read or loaded.
pub(crate) fn load_all(paths: &[PathBuf]) -> Result<Vec<Candidate>> {
    let mut drummers = Vec::new();
    for (name, bytes) in EMBEDDED {
        drummers.push(Candidate::with_weights(name, bytes.to_vec())?);
    }
    for path in paths {
        let name = path.display().to_string();
        let bytes = fs::read(path).with_context(|| format!("reading {name}"))?;
        drummers.push(Candidate {
            name: title(path),
            ..Candidate::with_weights(&name, bytes)?
        });
    }
    Ok(drummers)
}

/// Name of a weights file in the table: the file's, or its run's if it is the best of a run.
fn title(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    let run = path.parent().and_then(Path::file_name);
    let name = match run {
        Some(run) if stem == "best" => run,
        _ => stem,
    };
    name.to_string_lossy().into_owned()
}

/// The drummers that show what a network's figures are worth.
pub(super) fn baselines(lessons: &[Lesson]) -> Vec<Candidate> {
    vec![
        Candidate::rule(Rock),
        Candidate::rule(KickOnBass),
        Candidate::rule(Marginal::fit(lessons.iter().copied())),
        Candidate::rule(Nearest::fit(lessons.iter().copied())),
        Candidate::rule(CopySelf),
        Candidate {
            name: "rule groove".to_owned(),
            ..Candidate::rule(RuleGroove)
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_named_after_its_run() {
        assert_eq!(
            title(Path::new("runs/critic-2d/best.safetensors")),
            "critic-2d"
        );
        assert_eq!(title(Path::new("models/weights/base.safetensors")), "base");
    }

    #[test]
    fn the_error_names_weights_that_cannot_be_loaded() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("broken.safetensors");
        fs::write(&path, b"no weights")?;
        let missing = folder.path().join("missing.safetensors");
        for (path, name) in [(path, "broken"), (missing, "missing")] {
            let error = load_all(&[path]).map_err(|e| format!("{e:#}"));
            assert!(error.is_err_and(|text| text.contains(name)));
        }
        Ok(())
    }
}
