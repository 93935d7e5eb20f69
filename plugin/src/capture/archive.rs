//! The thread that empties the tapes of all instances and writes what is to be saved.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, unbounded};
use lockstep_models::representation::Beats;
use nice_plug::prelude::{nice_error, nice_log};

use super::export::{ExportError, Exported, Exporting, Wish};
use super::files::{self, SaveError};
use super::reel::Reel;
use super::{N_MEASURES, Tape, What};
use crate::shared_thread::{Membership, Shared, SharedThread, Work};

/// How long the thread sleeps between two looks; a tape holds far more than is played meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The archive of this process.
static ARCHIVE: Shared<Member> = Mutex::new(Weak::new());

/// Holds what was played by many instances. Ends when it and the last place in it are dropped.
#[derive(Clone, Debug)]
pub struct Archive(Arc<SharedThread<Member>>);

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
        let (member, wishes) = Member::new(tape);
        Place {
            wishes,
            _membership: self.0.join(member),
        }
    }
}

/// What an instance brings along: its tape, and where its wishes arrive.
#[derive(Debug)]
pub(super) struct Member {
    tape: Tape,
    wishes: Receiver<Wish>,
}

impl Member {
    /// A member, and the end at which it is asked.
    pub(super) fn new(tape: Tape) -> (Self, Sender<Wish>) {
        let (ask, wishes) = unbounded();
        (Self { tape, wishes }, ask)
    }
}

/// An instance's place in the archive; what was to be saved or exported before it is dropped is.
pub struct Place {
    wishes: Sender<Wish>,
    _membership: Membership<Member>,
}

impl Place {
    /// Writes the last measures, at most so many and no more than are held, as a MIDI file and a WAV file into a folder, which
    /// is made where it is not there. Returns at once; the archive's thread does it.
    ///
    /// # Realtime safety
    /// Allocates: from any thread but an audio thread.
    pub fn export(&self, n_measures: NonZeroUsize, folder: &Path) -> Exporting {
        Exporting::ask(&self.wishes, n_measures, folder)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
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
    wishes: Receiver<Wish>,
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

    /// Takes in what is on a tape, and saves what was played up to each wish to save. Then exports what there is now.
    fn empty(&mut self, idx: usize) {
        let Some(kept) = self.kept.get_mut(idx) else {
            return;
        };
        // What is played while the tape is emptied may be on it or not: none of it is exported.
        let wishes: Vec<Wish> = kept.wishes.try_iter().collect();
        let now = kept.tape.now();
        kept.n_lost = kept.n_lost.saturating_add(kept.tape.n_lost());
        while let Some(record) = kept.tape.next() {
            kept.reel.hold(&record);
            if record.what == What::Save {
                let n_lost = std::mem::take(&mut kept.n_lost);
                // The other instances' takes are still to be saved after a panic in this one's.
                let saved = catch_unwind(AssertUnwindSafe(|| {
                    save(kept, record.place, n_lost, &self.folder)
                }));
                (self.tell)(saved.unwrap_or(Outcome::Panicked));
            }
        }
        for wish in wishes {
            let exported = catch_unwind(AssertUnwindSafe(|| export(kept, now, &wish)));
            wish.answer(exported.unwrap_or(Err(ExportError::Panicked)));
        }
    }
}

impl<F, T> Work for Shelf<F, T>
where
    F: Fn() -> Result<PathBuf, SaveError> + Send + 'static,
    T: FnMut(Outcome) + Send + 'static,
{
    type Member = Member;

    fn join(&mut self, id: u64, member: Member) {
        self.kept.push(Kept {
            id,
            tape: member.tape,
            wishes: member.wishes,
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
    kept: &Kept,
    now: Beats,
    n_lost: u32,
    folder: impl Fn() -> Result<PathBuf, SaveError>,
) -> Outcome {
    let Some((song, n_measures)) = kept.reel.song(now, N_MEASURES) else {
        return Outcome::Nothing;
    };
    let kit = kept.tape.kit();
    let written = folder().and_then(|folder| Ok(files::write(&folder, &stem(), &song, kit)?));
    match written {
        Ok(path) => Outcome::Saved {
            path,
            n_measures,
            n_lost,
        },
        Err(error) => Outcome::Failed(error),
    }
}

/// Writes the last measures where they are wished.
fn export(kept: &Kept, now: Beats, wish: &Wish) -> Result<Exported, ExportError> {
    let n_wished = wish.n_measures.get();
    let (song, n_measures) = kept.reel.song(now, n_wished).ok_or(ExportError::Nothing)?;
    let mid = files::write(&wish.folder, &stem(), &song, kept.tape.kit())?;
    Ok(Exported {
        wav: mid.with_extension("wav"),
        mid,
        n_measures,
        n_lost: kept.n_lost,
    })
}

/// The name of what is written now.
fn stem() -> String {
    let now = chrono::Local::now();
    now.format("lockstep-%Y-%m-%d-%H%M%S").to_string()
}
