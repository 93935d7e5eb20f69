//! The thread that empties the tapes of all instances and decides what to write.
//!
//! The [`Writer`] renders the audio and writes the files, so that the tapes do not fill up meanwhile and an instance that
//! leaves does not wait.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use lockstep_engine::shared_thread::{Registration, Service, SharedThread, SharedThreadCell};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::export::{ExportError, Exporting, Wish};
use super::files::{self, SaveError};
use super::outcome::{Board, Outcome, Told};
use super::reel::Reel;
use super::saving::{Request, Saves};
use super::writer::{Busy, Job, Writer};
use super::{Tape, What};

/// Polling interval; a tape holds far more than is played in this time.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Most unhandled requests per instance.
const MAX_WISHES: usize = 8;

/// The archive of this process.
static ARCHIVE: SharedThreadCell<Member> = Mutex::new(Weak::new());

/// Holds what many instances played. The thread ends when the archive and its last place are dropped.
#[derive(Clone, Debug)]
pub struct Archive(Arc<SharedThread<Member>>);

impl Archive {
    /// The archive that all instances of this process share; the first starts its thread.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn of_process() -> io::Result<Self> {
        let start = || {
            let writer = Writer::of_process();
            let tell = |outcome: Outcome| outcome.told().log();
            let shelf = Shelf::new(files::folder, tell, move |job| writer.put(job));
            SharedThread::start("lockstep-archive", POLL_INTERVAL, shelf)
        };
        SharedThread::of_process(&ARCHIVE, start).map(Self)
    }

    /// Holds what arrives on this tape from now on.
    pub fn keep(&self, tape: Tape) -> Place {
        let (member, wishes) = Member::new(tape);
        let board = member.board();
        Place {
            wishes,
            board,
            _membership: self.0.join(member),
        }
    }
}

/// What an instance brings: its tape, its request queue, and the board that shows it results.
#[derive(Debug)]
pub(super) struct Member {
    tape: Tape,
    wishes: Receiver<Wish>,
    board: Board,
}

impl Member {
    /// A member, and the sender for its requests.
    pub(super) fn new(tape: Tape) -> (Self, SyncSender<Wish>) {
        let (ask, wishes) = sync_channel(MAX_WISHES);
        let board = Board::default();
        let member = Self {
            tape,
            wishes,
            board,
        };
        (member, ask)
    }

    /// Where the instance reads how saving went.
    pub(super) fn board(&self) -> Board {
        self.board.clone()
    }
}

/// An instance's place in the archive. Saves and exports requested before it is dropped are still written; dropping does not
/// wait for them.
pub struct Place {
    wishes: SyncSender<Wish>,
    board: Board,
    _membership: Registration<Member>,
}

impl Place {
    /// Saves what has been played up to now to the takes folder, as the control key does. Returns at once; [`Self::told`] says
    /// how it went.
    ///
    /// # Realtime safety
    /// Allocates; never call it on the audio thread.
    pub fn save(&self) {
        // If the queue is full, it was asked for often enough.
        let _ = self.wishes.try_send(Wish::Save);
    }

    /// How the last save went, by button or key; `None` before the first.
    ///
    /// # Realtime safety
    /// Locks; never call it on the audio thread.
    pub fn told(&self) -> Option<Told> {
        self.board.read()
    }

    /// Writes up to `n_measures` of the last measures as a MIDI file and a WAV file to a folder, which is created if needed.
    /// Returns at once; another thread does it.
    ///
    /// # Realtime safety
    /// Allocates; never call it on the audio thread.
    pub fn export(&self, n_measures: NonZeroUsize, folder: &Path) -> Exporting {
        Exporting::ask(&self.wishes, n_measures, folder)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

/// An instance's tape, and what was read from it.
#[derive(Debug)]
struct Kept {
    id: u64,
    member: Member,
    reel: Reel,
    saves: Saves,
    n_lost: u32,
}

/// All tapes, and the functions that find the folder, report results and write files.
pub(super) struct Shelf {
    kept: Vec<Kept>,
    folder: Arc<dyn Fn() -> Result<PathBuf, SaveError> + Send + Sync>,
    tell: Arc<dyn Fn(Outcome) + Send + Sync>,
    write: Box<dyn Fn(Job) -> Result<(), Busy> + Send>,
}

impl Shelf {
    pub(super) fn new(
        folder: impl Fn() -> Result<PathBuf, SaveError> + Send + Sync + 'static,
        tell: impl Fn(Outcome) + Send + Sync + 'static,
        write: impl Fn(Job) -> Result<(), Busy> + Send + 'static,
    ) -> Self {
        Self {
            kept: Vec::new(),
            folder: Arc::new(folder),
            tell: Arc::new(tell),
            write: Box::new(write),
        }
    }

    /// Reads a tape to its end and saves at each request on it. Then handles the requests in the queue, with what has been
    /// played up to now.
    fn empty(&mut self, idx: usize) {
        let Self {
            kept,
            folder,
            tell,
            write,
        } = self;
        let Some(kept) = kept.get_mut(idx) else {
            return;
        };
        let write = &*write;
        let Kept {
            member,
            reel,
            saves,
            n_lost,
            ..
        } = kept;
        let Member {
            tape,
            wishes,
            board,
        } = member;
        let mut save = |reel: &Reel, now, kit, n_lost: &mut u32| {
            let request = Request {
                now,
                kit,
                board,
                folder,
                tell,
            };
            saves.save(reel, n_lost, &request, write);
        };
        // Anything played while the tape is being emptied may or may not be on it, so it is not exported.
        let wishes: Vec<Wish> = wishes.try_iter().collect();
        let now = tape.now();
        *n_lost = n_lost.saturating_add(tape.n_lost());
        while let Some(record) = tape.next() {
            reel.hold(&record);
            if record.what == What::Save {
                save(reel, record.place, tape.kit(), n_lost);
            }
        }
        for wish in wishes {
            match wish {
                Wish::Save => save(reel, now, tape.kit(), n_lost),
                Wish::Export(export) => {
                    let Some((song, n_measures)) = reel.song(now, export.n_measures.get()) else {
                        export.answer(Err(ExportError::Nothing));
                        continue;
                    };
                    export.write(song, n_measures, *n_lost, tape.kit(), write);
                }
            }
        }
    }
}

impl Service for Shelf {
    type Client = Member;

    fn join(&mut self, id: u64, member: Member) {
        self.kept.push(Kept {
            id,
            member,
            reel: Reel::default(),
            saves: Saves::default(),
            n_lost: 0,
        });
    }

    fn leave(&mut self, id: u64) {
        if let Some(idx) = self.kept.iter().position(|kept| kept.id == id) {
            self.empty(idx);
            self.kept.swap_remove(idx);
        }
    }

    fn poll(&mut self) -> bool {
        (0..self.kept.len()).for_each(|idx| self.empty(idx));
        false
    }
}
