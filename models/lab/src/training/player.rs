//! Teaching the player: people's songs first, then a teacher that hears one measure more, then the player's own takes.
//!
//! 1. **Likelihood**: the player learns what people played next (`losses`), with people's drums in place of its own.
//! 2. **Teacher**: the same network, from the same weights, hears the measure that it accompanies as well.
//! 3. **Listening**: the player plays closed loop to real basses. At every step of that very take the teacher says what it
//!    would have played, with its difference made by the bass and by the idea enlarged, and the player learns that
//!    (on-policy distillation; for music Wu et al. 2025, `ReaLchords`). Likelihood alone makes a drummer that listens to itself.
//!
//! `excerpt` cuts stretches out of songs, `book` has grooves that are known by name, `batch` makes tensors of them, `ideas` says
//! what the idea of a song is.

mod batch;
mod book;
mod excerpt;
mod ideas;
mod listening;
mod losses;
mod phase;
mod run;

pub use batch::Batch;
pub use excerpt::{Excerpt, Excerpts};
pub use ideas::Ideas;
pub use listening::Teacher;
pub use phase::{Losses, Phase};
pub use run::{ComputeDevice, PhaseKind, PlayerRun};
