//! The thread that empties the tapes of all instances and writes what is to be saved.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use lockstep_models::representation::Beats;
use nice_plug::prelude::{nice_error, nice_log};

use super::files::{self, SaveError};
use super::reel::Reel;
use super::{N_MEASURES, Tape, What};
use crate::shared_thread::{Membership, Shared, SharedThread, Work};

/// How long the thread sleeps between two looks; a tape holds far more than is played meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The archive of this process.
static ARCHIVE: Shared<Tape> = Mutex::new(Weak::new());

/// Holds what was played by many instances. Ends when it and the last place in it are dropped.
#[derive(Clone, Debug)]
pub struct Archive(Arc<SharedThread<Tape>>);

impl Archive {
    /// The archive that all instances of this process share; the first starts its thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn of_process() -> io::Result<Self> {
        let start = || {
            let shelf = Shelf::new(files::folder, |outcome: Outcome| outcome.tell());
            SharedThread::start("lockstep-archive", LOOK_EVERY, shelf)
        };
        SharedThread::shared(&ARCHIVE, start).map(Self)
    }

    /// Holds what comes in on this tape from now on.
    pub fn keep(&self, tape: Tape) -> Place {
        Place(self.0.join(tape))
    }
}

/// An instance's place in the archive; what was to be saved before it is dropped is saved.
pub struct Place(#[expect(dead_code, reason = "held for what its drop does")] Membership<Tape>);

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").finish_non_exhaustive()
    }
}

/// How saving went.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The take is there.
    Saved {
        /// Its MIDI file; the WAV file is beside it.
        path: PathBuf,
        n_measures: usize,
        /// Notes and measures that found no room on the tape.
        n_lost: u32,
    },
    /// There was nothing to save.
    Nothing,
    /// It is not there.
    Failed(SaveError),
    /// It is not there, and the program is to blame.
    Panicked,
}

impl Outcome {
    fn tell(&self) {
        match self {
            Self::Saved {
                path,
                n_measures,
                n_lost: 0,
            } => nice_log!(
                "Lockstep saved the last {n_measures} measures: {} and .wav",
                path.display()
            ),
            Self::Saved { path, n_lost, .. } => nice_error!(
                "Lockstep saved {} and .wav, but {n_lost} notes or measures came too fast and are missing",
                path.display()
            ),
            Self::Nothing => nice_log!(
                "Lockstep has nothing to save: nothing was played in the last {N_MEASURES} measures"
            ),
            Self::Failed(error) => nice_error!("Lockstep could not save what was played: {error}"),
            Self::Panicked => nice_error!("Lockstep could not save what was played: it panicked"),
        }
    }
}

/// An instance's tape, and what was on it.
#[derive(Debug)]
struct Kept {
    id: u64,
    tape: Tape,
    reel: Reel,
    n_lost: u32,
}

/// All tapes, where the files go, and who is told.
pub(super) struct Shelf<F, T> {
    kept: Vec<Kept>,
    folder: F,
    tell: T,
}

impl<F, T> Shelf<F, T>
where
    F: Fn() -> Result<PathBuf, SaveError>,
    T: FnMut(Outcome),
{
    pub(super) fn new(folder: F, tell: T) -> Self {
        Self {
            kept: Vec::new(),
            folder,
            tell,
        }
    }

    /// Takes in what is on a tape, and saves what was played up to each wish.
    fn empty(&mut self, idx: usize) {
        let Some(kept) = self.kept.get_mut(idx) else {
            return;
        };
        kept.n_lost = kept.n_lost.saturating_add(kept.tape.n_lost());
        while let Some(record) = kept.tape.next() {
            kept.reel.hold(&record);
            if record.what == What::Save {
                let n_lost = std::mem::take(&mut kept.n_lost);
                // The other instances' takes are still to be saved after a panic in this one's.
                let saved = catch_unwind(AssertUnwindSafe(|| {
                    save(&kept.reel, record.place, n_lost, &self.folder)
                }));
                (self.tell)(saved.unwrap_or(Outcome::Panicked));
            }
        }
    }
}

impl<F, T> Work for Shelf<F, T>
where
    F: Fn() -> Result<PathBuf, SaveError> + Send + 'static,
    T: FnMut(Outcome) + Send + 'static,
{
    type Member = Tape;

    fn join(&mut self, id: u64, tape: Tape) {
        self.kept.push(Kept {
            id,
            tape,
            reel: Reel::default(),
            n_lost: 0,
        });
    }

    fn leave(&mut self, id: u64) {
        if let Some(idx) = self.kept.iter().position(|kept| kept.id == id) {
            self.empty(idx);
            self.kept.swap_remove(idx);
        }
    }

    fn look(&mut self) -> bool {
        (0..self.kept.len()).for_each(|idx| self.empty(idx));
        false
    }
}

/// Saves what is on a reel.
fn save(
    reel: &Reel,
    now: Beats,
    n_lost: u32,
    folder: impl Fn() -> Result<PathBuf, SaveError>,
) -> Outcome {
    let Some((song, n_measures)) = reel.song(now) else {
        return Outcome::Nothing;
    };
    let stem = chrono::Local::now().format("lockstep-%Y-%m-%d-%H%M%S");
    let written = folder().and_then(|folder| files::write(&folder, &stem.to_string(), &song));
    match written {
        Ok(path) => Outcome::Saved {
            path,
            n_measures,
            n_lost,
        },
        Err(error) => Outcome::Failed(error),
    }
}
