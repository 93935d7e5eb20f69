//! The generator thread's work: which instance asks, which drummer answers, and in which order.
//!
//! Each poll serves every asker's newest request once, starting after the asker that was served last, so that none starves.
//! A drummer is loaded when the first asker chooses it and dropped after the last one leaves it. Both happen on separate
//! threads, because opening and closing a device takes seconds and the other askers must play on. Leaving does not wait for
//! them either: a drummer that is still loading is dropped once it is loaded. A drummer that panics is replaced by the rule
//! groove.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use lockstep_core::generator::{Generator, Request};
use lockstep_core::representation::Plan;
use lockstep_core::rule::{self, RuleGroove};
use lockstep_engine::handoff::GeneratorEnd;
use lockstep_engine::shared_thread::Service;
use nice_plug::prelude::nice_error;

use super::status::{Prediction, Status};
use crate::device::stay_loaded;
use crate::drummers::{Choice, Loaded, StandIn};

type Brain = Box<dyn Generator>;
type Load = Arc<dyn Fn(Choice) -> Loaded + Send + Sync>;

/// Longest wait on drop for threads that load or drop drummers: enough for CPU work, and short enough for hosts.
const LAST_PATIENCE: Duration = Duration::from_millis(100);

/// An instance, as the generator thread sees it.
pub(super) struct Asker {
    end: GeneratorEnd,
    status: Arc<Status>,
    wish: Box<dyn Fn() -> Choice + Send>,
    /// The newest request that has not been answered yet.
    request: Option<Request>,
}

impl Asker {
    pub(super) fn new(
        end: GeneratorEnd,
        status: Arc<Status>,
        wish: Box<dyn Fn() -> Choice + Send>,
    ) -> Self {
        Self {
            end,
            status,
            wish,
            request: None,
        }
    }
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// A drummer, or the thread that loads it.
enum Drummer {
    Loading(JoinHandle<Loaded>),
    Here(Loaded),
}

impl Drummer {
    /// The rule groove, in place of a drummer that failed through an error in the program.
    fn rule(choice: Choice, trouble: &str) -> Self {
        nice_error!("Lockstep plays its rule groove: {choice}: {trouble}");
        Self::Here(Loaded {
            brain: Box::new(RuleGroove),
            stand_in: Some(StandIn::rule(trouble)),
        })
    }
}

/// The generator thread's askers and drummers.
pub(super) struct Roster {
    askers: Vec<(u64, Asker)>,
    /// Index of the asker that is served first.
    first: usize,
    /// One for each distinct choice of the askers.
    drummers: Vec<(Choice, Drummer)>,
    /// Threads that drop drummers nobody uses any more.
    leaving: Vec<JoinHandle<()>>,
    load: Load,
}

impl Roster {
    pub(super) fn new(load: impl Fn(Choice) -> Loaded + Send + Sync + 'static) -> Self {
        Self {
            askers: Vec::new(),
            first: 0,
            drummers: Vec::new(),
            leaving: Vec::new(),
            load: Arc::new(load),
        }
    }

    /// Loads the drummers that are chosen and drops those that are not.
    fn follow_choices(&mut self) {
        let wanted: Vec<Choice> = self
            .askers
            .iter()
            .map(|(_, asker)| (asker.wish)())
            .collect();
        for (idx, choice) in wanted.iter().enumerate() {
            let stand_in = self
                .want(*choice)
                .and_then(|(_, stand_in)| stand_in.clone());
            if let Some((_, asker)) = self.askers.get(idx) {
                asker.status.set_stand_in(stand_in);
            }
        }
        let mut idx = 0;
        while let Some((choice, drummer)) = self.drummers.get(idx) {
            // One that is still loading is dropped once it has loaded.
            if wanted.contains(choice) || matches!(drummer, Drummer::Loading(_)) {
                idx += 1;
            } else if let (_, Drummer::Here(loaded)) = self.drummers.swap_remove(idx) {
                self.let_go(loaded.brain);
            }
        }
        self.leaving.retain(|thread| !thread.is_finished());
    }

    /// The drummer of a choice, and what to tell the player if it is a stand-in. `None` while it loads; starts loading it if
    /// needed.
    fn want(&mut self, choice: Choice) -> Option<(&mut Brain, &mut Option<StandIn>)> {
        let is_choice = |(other, _): &(Choice, Drummer)| *other == choice;
        let idx = self.drummers.iter().position(is_choice).unwrap_or_else(|| {
            let load = Arc::clone(&self.load);
            stay_loaded();
            let thread = Builder::new().name("lockstep-load".to_owned());
            let drummer = match thread.spawn(move || load(choice)) {
                Ok(thread) => Drummer::Loading(thread),
                Err(error) => Drummer::rule(choice, &format!("no thread to load it: {error}")),
            };
            self.drummers.push((choice, drummer));
            self.drummers.len() - 1
        });
        if let Some((_, Drummer::Loading(thread))) = self.drummers.get(idx) {
            if !thread.is_finished() {
                return None;
            }
            let (_, Drummer::Loading(thread)) = self.drummers.swap_remove(idx) else {
                return None;
            };
            let loaded = thread.join().map(Drummer::Here);
            let here = loaded.unwrap_or_else(|_| Drummer::rule(choice, "loading it panicked"));
            self.drummers.push((choice, here));
        }
        match self
            .drummers
            .iter_mut()
            .find(|(other, _)| *other == choice)?
        {
            (_, Drummer::Here(loaded)) => Some((&mut loaded.brain, &mut loaded.stand_in)),
            (_, Drummer::Loading(_)) => None,
        }
    }

    fn let_go(&mut self, brain: Brain) {
        stay_loaded();
        let thread = Builder::new().name("lockstep-leave".to_owned());
        // If no thread can be started, it is dropped right here.
        self.leaving.extend(thread.spawn(move || drop(brain)));
    }

    /// Answers an asker's newest request, if there is one and its drummer has loaded. Returns whether it did.
    fn serve(&mut self, idx: usize) -> bool {
        let Some((_, asker)) = self.askers.get_mut(idx) else {
            return false;
        };
        if let Some(newest) = asker.end.newest_request() {
            asker.request = Some(newest);
        }
        let Some(request) = asker.request else {
            return false;
        };
        // Read after taking the request, so that a choice made before the request counts.
        let choice = (asker.wish)();
        let Some((brain, stand_in)) = self.want(choice) else {
            return false;
        };
        let begun = Instant::now();
        let (plan, broken) = answer(brain, &request);
        let prediction = Prediction {
            took: Some(begun.elapsed()),
            device: brain.device().to_string(),
        };
        if let Some(broken) = broken {
            nice_error!("Lockstep plays its rule groove: {choice} panicked");
            *stand_in = Some(StandIn::rule("it panicked"));
            self.let_go(broken);
        }
        if let Some((_, asker)) = self.askers.get_mut(idx) {
            asker.request = None;
            asker.end.answer(plan);
            asker.status.report(prediction);
        }
        true
    }
}

impl Service for Roster {
    type Client = Asker;

    fn join(&mut self, id: u64, asker: Asker) {
        self.askers.push((id, asker));
    }

    fn leave(&mut self, id: u64) {
        self.askers.retain(|(other, _)| *other != id);
    }

    fn poll(&mut self) -> bool {
        self.follow_choices();
        let (begin, n_askers) = (self.first, self.askers.len());
        let mut has_answered = false;
        for i in 0..n_askers {
            let idx = (begin + i) % n_askers;
            if self.serve(idx) {
                has_answered = true;
                self.first = idx + 1;
            }
        }
        has_answered
    }
}

impl Drop for Roster {
    fn drop(&mut self) {
        let mut loading = Vec::new();
        for (_, drummer) in std::mem::take(&mut self.drummers) {
            match drummer {
                // Closing its device may take a while.
                Drummer::Here(loaded) => self.let_go(loaded.brain),
                Drummer::Loading(thread) => loading.push(thread),
            }
        }
        let begun = Instant::now();
        let is_busy = || {
            loading.iter().any(|thread| !thread.is_finished())
                || self.leaving.iter().any(|thread| !thread.is_finished())
        };
        while is_busy() && begun.elapsed() < LAST_PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The drummer's plan, or the rule groove's if it failed. If the drummer panicked, the rule groove takes its place and the
/// broken drummer is returned.
fn answer(brain: &mut Brain, request: &Request) -> (Plan, Option<Brain>) {
    let by_rule = || Plan {
        playback: request.playback,
        measure: request.measure,
        heard_steps: request.heard_steps,
        hits: rule::groove(&request.window, request.meter),
    };
    // A drummer that has panicked may be in a broken state, so it is never used again.
    let Ok(plan) = catch_unwind(AssertUnwindSafe(|| brain.plan(request))) else {
        let broken = std::mem::replace(brain, Box::new(RuleGroove));
        return (by_rule(), Some(broken));
    };
    (plan.unwrap_or_else(|_| by_rule()), None)
}
