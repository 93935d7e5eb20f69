//! A separate process for training: candle reads from the environment how many threads it may start and whether
//! gradients stay differentiable, and the environment cannot be changed safely once threads run.

use std::process::Command;

use anyhow::{Context as _, Result};

/// The pools of candle and rayon would add threads to those of the replicas, so each pool gets one.
const THREADS: &str = "RAYON_NUM_THREADS";
/// Keeps gradients differentiable. For the gradient penalty only: it costs memory and time.
const SECOND_ORDER: &str = "CANDLE_GRAD_DO_NOT_DETACH";
/// Makes the allocator keep freed memory: every step frees and allocates the same large tensors.
const KEEP_MEMORY: &str = "MIMALLOC_PURGE_DELAY";

/// Whether to train in this process. If not, the same command has already been run to its end in a suitable one.
pub(crate) fn is_ours(needs_second_order: bool) -> Result<bool> {
    let is_set = |key| std::env::var_os(key).is_some_and(|value| value == "1");
    if is_set(THREADS) && is_set(SECOND_ORDER) == needs_second_order {
        return Ok(true);
    }
    let mut own = Command::new(std::env::current_exe()?);
    own.args(std::env::args_os().skip(1))
        .env(THREADS, "1")
        .env(KEEP_MEMORY, "-1");
    if needs_second_order {
        own.env(SECOND_ORDER, "1");
    } else {
        own.env_remove(SECOND_ORDER);
    }
    let status = own.status().context("starting the training process")?;
    if !status.success() {
        // The process has printed the reason.
        std::process::exit(status.code().unwrap_or(1));
    }
    Ok(false)
}
