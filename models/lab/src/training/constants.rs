//! Tensors of a network that are counted from the corpus, not trained.

use candle_core::Result;
use lockstep_models::network::{BassEmbedding, STYLES, WORDS};

use super::batch::Sampler;
use super::run::RunFile;
use super::trainer::Constants;
use super::vocabulary;
use crate::corpus::Corpus;

/// The tensors that a run's network holds besides its trained weights.
///
/// # Errors
/// Those of candle.
pub fn constants(run: &RunFile, corpus: &Corpus, sampler: &Sampler<'_>) -> Result<Constants> {
    let mut constants = Constants::new();
    if let BassEmbedding::Vocabulary { n_words } = run.architecture.bass {
        let words = vocabulary::commonest(corpus, n_words);
        constants.insert(WORDS.to_owned(), vocabulary::tensor(&words, n_words)?);
    }
    let n_styles = run.architecture.n_styles;
    if n_styles > 0 {
        constants.insert(
            STYLES.to_owned(),
            sampler.styles().tensor(&run.architecture)?,
        );
    }
    Ok(constants)
}
