//! A thread that all instances of the process share: it starts with the first member and ends with the last.
//!
//! Members join and leave through a channel, from threads that may wait. What the thread does is its [`Work`]; it hears from
//! the audio threads by polling lock-free queues. Never on the audio thread.
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

/// What a shared thread does for its members.
pub trait Work: Send + 'static {
    /// What a member hands over when it joins.
    type Member: Send + 'static;

    /// Adds a member; no other has this number.
    fn join(&mut self, id: u64, member: Self::Member);

    /// Removes a member, after finishing everything it asked for.
    fn leave(&mut self, id: u64);

    /// Polls for work and does it. Returns whether there may be more; then it is called again at once.
    fn look(&mut self) -> bool;
}

/// A message to the thread.
enum News<M> {
    Join(u64, M),
    Leave(u64),
}

/// Where a process keeps its shared thread of one kind.
pub type Shared<M> = Mutex<Weak<SharedThread<M>>>;

/// The running thread. Dropping it joins the thread, so that none of its code runs after the plugin is unloaded.
pub struct SharedThread<M> {
    /// `None` only while this is being dropped: without a sender the thread ends.
    news: Option<Sender<News<M>>>,
    thread: Option<JoinHandle<()>>,
    /// The next member's number.
    next_id: Mutex<u64>,
}

impl<M: Send + 'static> SharedThread<M> {
    /// Starts a thread that polls for work: again at once while there is some, every `look_every` while there is none.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        name: &str,
        look_every: Duration,
        work: impl Work<Member = M>,
    ) -> io::Result<Arc<Self>> {
        let (news, inbox) = channel();
        let thread = Builder::new()
            .name(name.to_owned())
            .spawn(move || run(work, &inbox, look_every))?;
        Ok(Arc::new(Self {
            news: Some(news),
            thread: Some(thread),
            next_id: Mutex::new(0),
        }))
    }

    /// The process's thread of this kind; the first call starts it.
    ///
    /// # Errors
    /// Those of `start`.
    pub fn shared(
        place: &Shared<M>,
        start: impl FnOnce() -> io::Result<Arc<Self>>,
    ) -> io::Result<Arc<Self>> {
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = place.upgrade() {
            return Ok(running);
        }
        let started = start()?;
        *place = Arc::downgrade(&started);
        Ok(started)
    }

    /// Adds a member until its membership is dropped.
    pub fn join(self: &Arc<Self>, member: M) -> Membership<M> {
        let mut next = self.next_id.lock().unwrap_or_else(PoisonError::into_inner);
        let id = *next;
        *next += 1;
        self.tell(News::Join(id, member));
        Membership {
            thread: Arc::clone(self),
            id,
        }
    }
}

impl<M> SharedThread<M> {
    fn tell(&self, news: News<M>) {
        if let Some(sender) = &self.news {
            // If the thread has ended, it has no members to tell.
            let _ = sender.send(news);
        }
    }
}

impl<M> Drop for SharedThread<M> {
    fn drop(&mut self) {
        self.news = None;
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

impl<M> fmt::Debug for SharedThread<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedThread")
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}

/// Proof of membership: dropping it leaves, and dropping the last one ends the thread.
#[derive(Debug)]
pub struct Membership<M> {
    thread: Arc<SharedThread<M>>,
    id: u64,
}

impl<M> Drop for Membership<M> {
    fn drop(&mut self) {
        self.thread.tell(News::Leave(self.id));
    }
}

fn run<W: Work>(mut work: W, inbox: &Receiver<News<W::Member>>, look_every: Duration) {
    let mut is_busy = true;
    loop {
        let news = if is_busy {
            inbox.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            })
        } else {
            inbox.recv_timeout(look_every)
        };
        match news {
            Ok(News::Join(id, member)) => work.join(id, member),
            Ok(News::Leave(id)) => work.leave(id),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                is_busy = work.look();
                continue;
            }
        }
        // Read all other messages before polling again.
        is_busy = true;
    }
}
