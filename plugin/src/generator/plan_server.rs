//! The generator thread's work: which client asks, which drummer answers, and in which order.
//!
//! Each poll serves every client's newest request once, starting after the client that was served last, so that none starves.
//! A drummer is loaded when the first client chooses it and dropped after the last one leaves it. Both happen on separate
//! threads, because opening and closing a device takes seconds and the other clients must play on. Leaving does not wait for
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

use super::status::{GeneratorStatus, Prediction};
use crate::device::stay_loaded;
use crate::drummers::{DrummerChoice, LoadedDrummer, Substitute};

type BoxedGenerator = Box<dyn Generator>;
type Loader = Arc<dyn Fn(DrummerChoice) -> LoadedDrummer + Send + Sync>;

/// Longest wait on drop for threads that load or drop drummers: enough for CPU work, and short enough for hosts.
const DROP_TIMEOUT: Duration = Duration::from_millis(100);

/// An instance, as the generator thread sees it.
pub(super) struct GeneratorClient {
    end: GeneratorEnd,
    status: Arc<GeneratorStatus>,
    choice: Box<dyn Fn() -> DrummerChoice + Send>,
    /// The newest request that has not been answered yet.
    request: Option<Request>,
}

impl GeneratorClient {
    pub(super) fn new(
        end: GeneratorEnd,
        status: Arc<GeneratorStatus>,
        choice: Box<dyn Fn() -> DrummerChoice + Send>,
    ) -> Self {
        Self {
            end,
            status,
            choice,
            request: None,
        }
    }
}

impl fmt::Debug for GeneratorClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeneratorClient")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// A drummer, or the thread that loads it.
enum LoadState {
    Loading(JoinHandle<LoadedDrummer>),
    Ready(LoadedDrummer),
}

impl LoadState {
    /// The rule groove, in place of a drummer that failed through an error in the program.
    fn rule(choice: DrummerChoice, problem: &str) -> Self {
        nice_error!("Lockstep plays its rule groove: {choice}: {problem}");
        Self::Ready(LoadedDrummer {
            generator: Box::new(RuleGroove),
            substitute: Some(Substitute::rule(problem)),
        })
    }
}

/// The generator thread's clients and drummers.
pub(super) struct PlanServer {
    clients: Vec<(u64, GeneratorClient)>,
    /// Index of the client that is served first.
    first: usize,
    /// One for each distinct choice of the clients.
    drummers: Vec<(DrummerChoice, LoadState)>,
    /// Threads that drop drummers nobody uses any more.
    dropping: Vec<JoinHandle<()>>,
    load: Loader,
}

impl PlanServer {
    pub(super) fn new(
        load: impl Fn(DrummerChoice) -> LoadedDrummer + Send + Sync + 'static,
    ) -> Self {
        Self {
            clients: Vec::new(),
            first: 0,
            drummers: Vec::new(),
            dropping: Vec::new(),
            load: Arc::new(load),
        }
    }

    /// Loads the drummers that are chosen and drops those that are not.
    fn follow_choices(&mut self) {
        let wanted: Vec<DrummerChoice> = self
            .clients
            .iter()
            .map(|(_, client)| (client.choice)())
            .collect();
        for (idx, choice) in wanted.iter().enumerate() {
            let substitute = self
                .get_or_load(*choice)
                .and_then(|(_, substitute)| substitute.clone());
            if let Some((_, client)) = self.clients.get(idx) {
                client.status.set_substitute(substitute);
            }
        }
        let mut idx = 0;
        while let Some((choice, drummer)) = self.drummers.get(idx) {
            // One that is still loading is dropped once it has loaded.
            if wanted.contains(choice) || matches!(drummer, LoadState::Loading(_)) {
                idx += 1;
            } else if let (_, LoadState::Ready(loaded)) = self.drummers.swap_remove(idx) {
                self.drop_in_background(loaded.generator);
            }
        }
        self.dropping.retain(|thread| !thread.is_finished());
    }

    /// The drummer of a choice, and what to tell the player if it is a substitute. `None` while it loads; starts loading it if
    /// needed.
    fn get_or_load(
        &mut self,
        choice: DrummerChoice,
    ) -> Option<(&mut BoxedGenerator, &mut Option<Substitute>)> {
        let is_choice = |(other, _): &(DrummerChoice, LoadState)| *other == choice;
        let idx = self.drummers.iter().position(is_choice).unwrap_or_else(|| {
            let load = Arc::clone(&self.load);
            stay_loaded();
            let thread = Builder::new().name("lockstep-load".to_owned());
            let drummer = match thread.spawn(move || load(choice)) {
                Ok(thread) => LoadState::Loading(thread),
                Err(error) => LoadState::rule(choice, &format!("no thread to load it: {error}")),
            };
            self.drummers.push((choice, drummer));
            self.drummers.len() - 1
        });
        if let Some((_, LoadState::Loading(thread))) = self.drummers.get(idx) {
            if !thread.is_finished() {
                return None;
            }
            let (_, LoadState::Loading(thread)) = self.drummers.swap_remove(idx) else {
                return None;
            };
            let loaded = thread.join().map(LoadState::Ready);
            let ready = loaded.unwrap_or_else(|_| LoadState::rule(choice, "loading it panicked"));
            self.drummers.push((choice, ready));
        }
        match self
            .drummers
            .iter_mut()
            .find(|(other, _)| *other == choice)?
        {
            (_, LoadState::Ready(loaded)) => Some((&mut loaded.generator, &mut loaded.substitute)),
            (_, LoadState::Loading(_)) => None,
        }
    }

    fn drop_in_background(&mut self, generator: BoxedGenerator) {
        stay_loaded();
        let thread = Builder::new().name("lockstep-leave".to_owned());
        // If no thread can be started, it is dropped right here.
        self.dropping.extend(thread.spawn(move || drop(generator)));
    }

    /// Answers a client's newest request, if there is one and its drummer has loaded. Returns whether it did.
    fn serve(&mut self, idx: usize) -> bool {
        let Some((id, client)) = self.clients.get_mut(idx) else {
            return false;
        };
        if let Some(newest) = client.end.newest_request() {
            client.request = Some(Request {
                client: *id,
                ..newest
            });
        }
        let Some(request) = client.request else {
            return false;
        };
        // Read after taking the request, so that a choice made before the request counts.
        let choice = (client.choice)();
        let Some((generator, substitute)) = self.get_or_load(choice) else {
            return false;
        };
        let begun = Instant::now();
        let (plan, broken) = answer(generator, &request);
        let prediction = Prediction {
            took: Some(begun.elapsed()),
            device: generator.device().to_string(),
            voices: generator.voices(),
        };
        if let Some(broken) = broken {
            nice_error!("Lockstep plays its rule groove: {choice} panicked");
            *substitute = Some(Substitute::rule("it panicked"));
            self.drop_in_background(broken);
        }
        if let Some((_, client)) = self.clients.get_mut(idx) {
            client.request = None;
            client.end.answer(plan);
            client.status.report(prediction);
        }
        true
    }
}

impl Service for PlanServer {
    type Client = GeneratorClient;

    fn join(&mut self, id: u64, client: GeneratorClient) {
        self.clients.push((id, client));
    }

    fn leave(&mut self, id: u64) {
        self.clients.retain(|(other, _)| *other != id);
    }

    fn poll(&mut self) -> bool {
        self.follow_choices();
        let (begin, n_clients) = (self.first, self.clients.len());
        let mut has_answered = false;
        for i in 0..n_clients {
            let idx = (begin + i) % n_clients;
            if self.serve(idx) {
                has_answered = true;
                self.first = idx + 1;
            }
        }
        has_answered
    }
}

impl Drop for PlanServer {
    fn drop(&mut self) {
        let mut loading = Vec::new();
        for (_, drummer) in std::mem::take(&mut self.drummers) {
            match drummer {
                // Closing its device may take a while.
                LoadState::Ready(loaded) => self.drop_in_background(loaded.generator),
                LoadState::Loading(thread) => loading.push(thread),
            }
        }
        let begun = Instant::now();
        let is_busy = || {
            loading.iter().any(|thread| !thread.is_finished())
                || self.dropping.iter().any(|thread| !thread.is_finished())
        };
        while is_busy() && begun.elapsed() < DROP_TIMEOUT {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The drummer's plan, or the rule groove's if it failed. If the drummer panicked, the rule groove takes its place and the
/// broken drummer is returned.
fn answer(generator: &mut BoxedGenerator, request: &Request) -> (Plan, Option<BoxedGenerator>) {
    let by_rule = || Plan {
        playback: request.playback,
        measure: request.measure,
        heard_steps: request.heard_steps,
        swing: request.swing,
        hits: rule::groove(&request.window, request.meter),
    };
    // A drummer that has panicked may be in a broken state, so it is never used again.
    let Ok(plan) = catch_unwind(AssertUnwindSafe(|| generator.plan(request))) else {
        let broken = std::mem::replace(generator, Box::new(RuleGroove));
        return (by_rule(), Some(broken));
    };
    (plan.unwrap_or_else(|_| by_rule()), None)
}

#[cfg(test)]
mod tests {
    use lockstep_core::generator::PredictError;
    use lockstep_core::representation::{Hit, HitMap, Presence, Voice};
    use lockstep_engine::handoff::handoff;
    use lockstep_engine::realtime::PlanSource as _;

    use super::*;
    use crate::device::DeviceChoice;
    use crate::params::Drummer;

    /// Plays the kick at the step that has the client's number.
    struct Numbered;

    impl Generator for Numbered {
        fn name(&self) -> &'static str {
            "numbered"
        }

        fn voices(&self) -> &'static [Voice] {
            &[Voice::Kick]
        }

        fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
            let mut hits = HitMap::default();
            let hit = Presence::new(1.0).and_then(|sure| Hit::new(sure, 0.8, 0.0));
            let step = usize::try_from(request.client).unwrap_or(usize::MAX);
            hits.set(step, Voice::Kick, hit.unwrap_or_default());
            Ok(hits)
        }
    }

    #[test]
    fn a_drummer_that_is_shared_knows_which_client_asks() {
        let generator = || Box::new(Numbered) as BoxedGenerator;
        let mut server = PlanServer::new(move |_| LoadedDrummer::from(generator()));
        let choice = DrummerChoice {
            drummer: Drummer::Lockstep,
            device: DeviceChoice::Cpu,
        };
        let mut ends = Vec::new();
        for id in [3_u8, 5] {
            let (mut end, other) = handoff();
            let client = GeneratorClient::new(other, Arc::default(), Box::new(move || choice));
            server.join(id.into(), client);
            end.publish(&Request::default());
            ends.push((id, end));
        }
        for (id, mut end) in ends {
            let plan = loop {
                server.poll();
                if let Some(plan) = end.plan_for(0, 0) {
                    break plan;
                }
                std::thread::yield_now();
            };
            let is_kick = |step: &usize| !plan.hits.hit(*step, Voice::Kick).eq(&Hit::default());
            assert_eq!(
                (0..16).filter(is_kick).collect::<Vec<_>>(),
                [usize::from(id)]
            );
        }
    }
}
