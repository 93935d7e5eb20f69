//! A thread that all instances of the process share: it comes with the first member and ends with the last.
//!
//! Members join and leave by a channel, from threads that may wait. What the thread does is its [`Work`]; what it knows of the
//! audio threads it reads from lock-free queues, by looking again and again. Never on the audio thread.
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
    /// What a member brings along.
    type Member: Send + 'static;

    /// Takes a member in; no other has this number.
    fn join(&mut self, id: u64, member: Self::Member);

    /// Lets a member go, after all that it has asked for.
    fn leave(&mut self, id: u64);

    /// Does what there is to do now. Says whether there may be more of it, so that the next look is at once.
    fn look(&mut self) -> bool;
}

/// What a thread is told.
enum News<M> {
    Join(u64, M),
    Leave(u64),
}

/// Where a process keeps its one thread of a kind.
pub type Shared<M> = Mutex<Weak<SharedThread<M>>>;

/// The running thread. Dropping it waits for its end, so that none of its code runs once the plugin is unloaded.
pub struct SharedThread<M> {
    /// `None` only while it is being dropped: without a sender the thread ends.
    news: Option<Sender<News<M>>>,
    thread: Option<JoinHandle<()>>,
    /// The next member's number.
    next_id: Mutex<u64>,
}

impl<M: Send + 'static> SharedThread<M> {
    /// Starts a thread that looks for work at once and, when there was none, after `look_every`.
    ///
    /// # Errors
    /// If the system gives no thread.
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

    /// The process's thread of this kind; the first to ask starts it.
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

    /// Takes a member in until its membership is dropped.
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
            // A thread that is gone has no members.
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

/// A member's place; leaves when dropped, and ends the thread with the last.
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
        // What else is new comes before the next look.
        is_busy = true;
    }
}
