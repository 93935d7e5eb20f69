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

use lockstep_engine::recording::{RecordKind, RecordReader};

use super::export::{ArchiveRequest, ExportError, PendingExport};
use super::files::{self, SaveError};
use super::recent_measures::RecentMeasures;
use super::save_outcome::{SaveMessage, SaveOutcome, SaveStatus};
use super::saving::{SaveContext, TakeSaver};
use super::writer::{Job, Writer, WriterBusy};

/// Polling interval; a tape holds far more than is played in this time.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Most unhandled requests per instance.
const MAX_REQUESTS: usize = 8;

/// The archive of this process.
static ARCHIVE: SharedThreadCell<ArchiveClient> = Mutex::new(Weak::new());

/// Holds what many instances played. The thread ends when the archive and its last handle are dropped.
#[derive(Clone, Debug)]
pub struct Archive(Arc<SharedThread<ArchiveClient>>);

impl Archive {
    /// The archive that all instances of this process share; the first starts its thread.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn of_process() -> io::Result<Self> {
        let start = || {
            let writer = Writer::of_process();
            let log = |outcome: SaveOutcome| outcome.message().log();
            let service = ArchiveService::new(files::folder, log, move |job| writer.put(job));
            SharedThread::start("lockstep-archive", POLL_INTERVAL, service)
        };
        SharedThread::of_process(&ARCHIVE, start).map(Self)
    }

    /// Holds what arrives on this tape from now on.
    pub fn register(&self, tape: RecordReader) -> ArchiveHandle {
        let (client, requests) = ArchiveClient::new(tape);
        let save_status = client.save_status();
        ArchiveHandle {
            requests,
            save_status,
            _registration: self.0.join(client),
        }
    }
}

/// What an instance brings: its tape, its request queue, and the status that shows it results.
#[derive(Debug)]
pub(super) struct ArchiveClient {
    tape: RecordReader,
    requests: Receiver<ArchiveRequest>,
    save_status: SaveStatus,
}

impl ArchiveClient {
    /// A client, and the sender for its requests.
    pub(super) fn new(tape: RecordReader) -> (Self, SyncSender<ArchiveRequest>) {
        let (sender, requests) = sync_channel(MAX_REQUESTS);
        let save_status = SaveStatus::default();
        let client = Self {
            tape,
            requests,
            save_status,
        };
        (client, sender)
    }

    /// Where the instance reads how saving went.
    pub(super) fn save_status(&self) -> SaveStatus {
        self.save_status.clone()
    }
}

/// Keeps an instance registered with the archive. Saves and exports requested before it is dropped are still written; dropping
/// does not wait for them.
pub struct ArchiveHandle {
    requests: SyncSender<ArchiveRequest>,
    save_status: SaveStatus,
    _registration: Registration<ArchiveClient>,
}

impl ArchiveHandle {
    /// Saves what has been played up to now to the takes folder, as the control key does. Returns at once; [`Self::last_save`] says
    /// how it went.
    ///
    /// # Realtime safety
    /// Allocates; never call it on the audio thread.
    pub fn save(&self) {
        // If the queue is full, it was asked for often enough.
        let _ = self.requests.try_send(ArchiveRequest::Save);
    }

    /// How the last save went, by button or key; `None` before the first.
    ///
    /// # Realtime safety
    /// Locks; never call it on the audio thread.
    pub fn last_save(&self) -> Option<SaveMessage> {
        self.save_status.read()
    }

    /// Writes up to `n_measures` of the last measures as a MIDI file and a WAV file to a folder, which is created if needed.
    /// Returns at once; another thread does it.
    ///
    /// # Realtime safety
    /// Allocates; never call it on the audio thread.
    pub fn export(&self, n_measures: NonZeroUsize, folder: &Path) -> PendingExport {
        PendingExport::request(&self.requests, n_measures, folder)
    }
}

impl fmt::Debug for ArchiveHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveHandle").finish_non_exhaustive()
    }
}

/// An instance's tape, and what was read from it.
#[derive(Debug)]
struct ClientState {
    id: u64,
    client: ArchiveClient,
    recent: RecentMeasures,
    saver: TakeSaver,
    n_lost: u32,
}

/// All tapes, and the functions that find the folder, report results and write files.
pub(super) struct ArchiveService {
    clients: Vec<ClientState>,
    folder: Arc<dyn Fn() -> Result<PathBuf, SaveError> + Send + Sync>,
    log: Arc<dyn Fn(SaveOutcome) + Send + Sync>,
    write: Box<dyn Fn(Job) -> Result<(), WriterBusy> + Send>,
}

impl ArchiveService {
    pub(super) fn new(
        folder: impl Fn() -> Result<PathBuf, SaveError> + Send + Sync + 'static,
        log: impl Fn(SaveOutcome) + Send + Sync + 'static,
        write: impl Fn(Job) -> Result<(), WriterBusy> + Send + 'static,
    ) -> Self {
        Self {
            clients: Vec::new(),
            folder: Arc::new(folder),
            log: Arc::new(log),
            write: Box::new(write),
        }
    }

    /// Reads a tape to its end and saves at each request on it. Then handles the requests in the queue, with what has been
    /// played up to now.
    fn empty(&mut self, idx: usize) {
        let Self {
            clients,
            folder,
            log,
            write,
        } = self;
        let Some(state) = clients.get_mut(idx) else {
            return;
        };
        let write = &*write;
        let ClientState {
            client,
            recent,
            saver,
            n_lost,
            ..
        } = state;
        let ArchiveClient {
            tape,
            requests,
            save_status,
        } = client;
        let mut save = |recent: &RecentMeasures, now, kit, n_lost: &mut u32| {
            let context = SaveContext {
                now,
                kit,
                save_status,
                folder,
                log,
            };
            saver.save(recent, n_lost, &context, write);
        };
        // Anything played while the tape is being emptied may or may not be on it, so it is not exported.
        let requests: Vec<ArchiveRequest> = requests.try_iter().collect();
        let now = tape.now();
        *n_lost = n_lost.saturating_add(tape.n_lost());
        while let Some(record) = tape.read() {
            recent.hold(&record);
            if record.kind == RecordKind::Save {
                save(recent, record.place, tape.kit(), n_lost);
            }
        }
        for request in requests {
            match request {
                ArchiveRequest::Save => save(recent, now, tape.kit(), n_lost),
                ArchiveRequest::Export(export) => {
                    let Some((song, n_measures)) = recent.song(now, export.n_measures.get()) else {
                        export.answer(Err(ExportError::Nothing));
                        continue;
                    };
                    export.write(song, n_measures, *n_lost, tape.kit(), write);
                }
            }
        }
    }
}

impl Service for ArchiveService {
    type Client = ArchiveClient;

    fn join(&mut self, id: u64, client: ArchiveClient) {
        self.clients.push(ClientState {
            id,
            client,
            recent: RecentMeasures::default(),
            saver: TakeSaver::default(),
            n_lost: 0,
        });
    }

    fn leave(&mut self, id: u64) {
        if let Some(idx) = self.clients.iter().position(|state| state.id == id) {
            self.empty(idx);
            self.clients.swap_remove(idx);
        }
    }

    fn poll(&mut self) -> bool {
        (0..self.clients.len()).for_each(|idx| self.empty(idx));
        false
    }
}
