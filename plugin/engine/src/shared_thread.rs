//! A thread that all instances of the process share: it starts with the first client and ends with the last.
//!
//! Clients join and leave through a channel, from threads that may wait. What the thread does for them is its [`Service`]; it
//! hears from the audio threads by polling lock-free queues. Never on the audio thread.
#![allow(
    clippy::disallowed_types,
    reason = "a thread of the process, never the audio thread"
)]

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// What a shared thread does for its clients.
pub trait Service: Send + 'static {
    /// What a client hands over when it joins.
    type Client: Send + 'static;

    /// Adds a client; no other has this number.
    fn join(&mut self, id: u64, client: Self::Client);

    /// Removes a client, after finishing everything it asked for.
    fn leave(&mut self, id: u64);

    /// Polls for work and does it. Returns whether there may be more; then it is called again at once.
    fn poll(&mut self) -> bool;
}

/// A message to the thread.
enum ClientChange<C> {
    Join(u64, C),
    Leave(u64),
}

/// Where a process keeps its shared thread of one kind.
pub type SharedThreadCell<C> = Mutex<Weak<SharedThread<C>>>;

/// The running thread. Dropping it joins the thread, so that none of its code runs after the plugin is unloaded.
pub struct SharedThread<C> {
    /// `None` only while this is being dropped: without a sender the thread ends.
    changes: Option<Sender<ClientChange<C>>>,
    thread: Option<JoinHandle<()>>,
    /// The next client's number.
    next_id: Mutex<u64>,
}

impl<C: Send + 'static> SharedThread<C> {
    /// Starts a thread that polls for work: again at once while there is some, every `poll_interval` while there is none.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        name: &str,
        poll_interval: Duration,
        service: impl Service<Client = C>,
    ) -> io::Result<Arc<Self>> {
        let (changes, inbox) = channel();
        let thread = Builder::new()
            .name(name.to_owned())
            .spawn(move || run(service, &inbox, poll_interval))?;
        Ok(Arc::new(Self {
            changes: Some(changes),
            thread: Some(thread),
            next_id: Mutex::new(0),
        }))
    }

    /// The process's thread of this kind; the first call starts it.
    ///
    /// # Errors
    /// Those of `start`.
    pub fn of_process(
        cell: &SharedThreadCell<C>,
        start: impl FnOnce() -> io::Result<Arc<Self>>,
    ) -> io::Result<Arc<Self>> {
        let mut cell = cell.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = cell.upgrade() {
            return Ok(running);
        }
        let started = start()?;
        *cell = Arc::downgrade(&started);
        Ok(started)
    }

    /// Adds a client until its registration is dropped.
    pub fn join(self: &Arc<Self>, client: C) -> Registration<C> {
        let mut next = self.next_id.lock().unwrap_or_else(PoisonError::into_inner);
        let id = *next;
        *next += 1;
        self.send(ClientChange::Join(id, client));
        Registration {
            thread: Arc::clone(self),
            id,
        }
    }
}

impl<C> SharedThread<C> {
    fn send(&self, change: ClientChange<C>) {
        if let Some(sender) = &self.changes {
            // If the thread has ended, it has no clients.
            let _ = sender.send(change);
        }
    }
}

impl<C> Drop for SharedThread<C> {
    fn drop(&mut self) {
        self.changes = None;
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

impl<C> fmt::Debug for SharedThread<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedThread")
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}

/// Keeps a client registered: dropping it leaves, and dropping the last one ends the thread.
#[derive(Debug)]
pub struct Registration<C> {
    thread: Arc<SharedThread<C>>,
    id: u64,
}

impl<C> Drop for Registration<C> {
    fn drop(&mut self) {
        self.thread.send(ClientChange::Leave(self.id));
    }
}

fn run<W: Service>(
    mut service: W,
    inbox: &Receiver<ClientChange<W::Client>>,
    poll_interval: Duration,
) {
    let mut is_busy = true;
    loop {
        let change = if is_busy {
            inbox.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            })
        } else {
            inbox.recv_timeout(poll_interval)
        };
        match change {
            Ok(ClientChange::Join(id, client)) => service.join(id, client),
            Ok(ClientChange::Leave(id)) => service.leave(id),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                is_busy = service.poll();
                continue;
            }
        }
        // Read all other messages before polling again.
        is_busy = true;
    }
}
