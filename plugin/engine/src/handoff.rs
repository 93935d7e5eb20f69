//! The only place where the audio thread and the generator thread meet: requests go one way, plans the other.
//!
//! Two ends are made together and then separated, one per thread. Requests and plans own no heap memory, the newest wins,
//! and neither side waits for the other. There is no wake-up either, because that would be a system call: the generator
//! thread polls for requests, about every millisecond.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam::queue::ArrayQueue;
use lockstep_core::generator::Request;
use lockstep_core::representation::Plan;

use crate::realtime::PlanSource;

/// Slots for requests. More than one, so that the audio thread writes to a slot that the generator thread left long ago: the
/// slot being read is the only one that could make it spin.
const N_REQUESTS: usize = 8;

/// Slots for plans. The audio thread empties the queue with every request, and each request has at most one answer.
const N_PLANS: usize = 16;

/// Makes the two ends.
///
/// # Realtime safety
/// Allocates the queues, once.
pub fn handoff() -> (RealtimeEnd, GeneratorEnd) {
    let shared = Arc::new(Shared {
        requests: ArrayQueue::new(N_REQUESTS),
        plans: ArrayQueue::new(N_PLANS),
        n_answered: AtomicUsize::new(0),
    });
    let realtime = RealtimeEnd {
        shared: Arc::clone(&shared),
        n_taken: 0,
        wanted: None,
        newest: None,
    };
    (realtime, GeneratorEnd { shared })
}

#[derive(Debug)]
struct Shared {
    requests: ArrayQueue<Request>,
    plans: ArrayQueue<Plan>,
    /// Number of plans pushed completely so far. Written by the generator's end after each push, so the audio thread never
    /// reads a slot that is still being written, which would make it wait.
    n_answered: AtomicUsize,
}

/// Identifies a request.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    take: u32,
    measure: u64,
    heard_steps: usize,
}

/// The audio thread's end.
#[derive(Debug)]
pub struct RealtimeEnd {
    shared: Arc<Shared>,
    /// How many of `Shared::n_answered` have been taken out.
    n_taken: usize,
    /// What the last request was for.
    wanted: Option<Wanted>,
    /// The newest plan for `wanted`.
    newest: Option<Plan>,
}

impl RealtimeEnd {
    /// Whether the last request has been answered; `true` before the first. An offline renderer waits for this before it
    /// asks for the plan; a live one never does.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn has_answer(&mut self) -> bool {
        self.drain();
        self.wanted.is_none_or(|wanted| {
            self.newest
                .is_some_and(|plan| plan.heard_steps >= wanted.heard_steps)
        })
    }

    /// Empties the queue of plans into `newest`.
    fn drain(&mut self) {
        let n_answered = self.shared.n_answered.load(Ordering::Acquire);
        while self.n_taken != n_answered {
            self.n_taken = self.n_taken.wrapping_add(1);
            // The queue was full and dropped its oldest plans, so it runs empty early.
            let Some(plan) = self.shared.plans.pop() else {
                self.n_taken = n_answered;
                return;
            };
            let is_wanted =
                |wanted: Wanted| (wanted.take, wanted.measure) == (plan.take, plan.measure);
            if self.wanted.is_some_and(is_wanted) {
                self.newest = Some(plan);
            }
        }
    }
}

impl PlanSource for RealtimeEnd {
    fn publish(&mut self, request: &Request) {
        self.drain();
        self.wanted = Some(Wanted {
            take: request.take,
            measure: request.measure,
            heard_steps: request.heard_steps,
        });
        self.newest = self
            .newest
            .filter(|plan| (plan.take, plan.measure) == (request.take, request.measure));
        if self.shared.requests.len() + 1 >= N_REQUESTS {
            self.shared.requests.pop();
        }
        self.shared.requests.force_push(*request);
    }

    fn plan_for(&mut self, take: u32, measure: u64) -> Option<Plan> {
        self.drain();
        self.newest
            .filter(|plan| (plan.take, plan.measure) == (take, measure))
    }
}

/// The generator thread's end.
#[derive(Debug)]
pub struct GeneratorEnd {
    shared: Arc<Shared>,
}

impl GeneratorEnd {
    /// The newest request since the last call; older ones are dropped unanswered.
    pub fn newest_request(&mut self) -> Option<Request> {
        std::iter::from_fn(|| self.shared.requests.pop()).last()
    }

    /// Sends a plan; the newest wins.
    pub fn answer(&mut self, plan: Plan) {
        self.shared.plans.force_push(plan);
        self.shared.n_answered.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::HitMap;

    use super::*;

    fn request(take: u32, measure: u64, heard_steps: usize) -> Request {
        Request {
            take,
            measure,
            heard_steps,
            ..Request::default()
        }
    }

    fn answer(request: &Request) -> Plan {
        Plan {
            take: request.take,
            measure: request.measure,
            heard_steps: request.heard_steps,
            hits: HitMap::default(),
        }
    }

    #[test]
    fn the_newest_request_and_the_newest_plan_win() {
        let (mut realtime, mut generator) = handoff();
        assert!(realtime.has_answer());
        for heard_steps in 1..=40 {
            realtime.publish(&request(1, 1, heard_steps));
        }
        assert_eq!(generator.newest_request().map(|r| r.heard_steps), Some(40));
        assert!(generator.newest_request().is_none());
        for heard_steps in 1..=40 {
            assert!(!realtime.has_answer());
            generator.answer(answer(&request(1, 1, heard_steps)));
        }
        assert!(realtime.has_answer());
        assert_eq!(realtime.plan_for(1, 1).map(|p| p.heard_steps), Some(40));
    }

    #[test]
    fn more_plans_than_fit_leave_the_newest() {
        let (mut realtime, mut generator) = handoff();
        realtime.publish(&request(1, 1, 1));
        for heard_steps in 1..=100 {
            generator.answer(answer(&request(1, 1, heard_steps)));
        }
        assert_eq!(realtime.plan_for(1, 1).map(|p| p.heard_steps), Some(100));
        generator.answer(answer(&request(1, 1, 101)));
        assert_eq!(realtime.plan_for(1, 1).map(|p| p.heard_steps), Some(101));
    }

    #[test]
    fn a_plan_of_another_take_or_measure_is_stale() {
        let (mut realtime, mut generator) = handoff();
        realtime.publish(&request(1, 1, 16));
        generator.answer(answer(&request(1, 1, 16)));
        realtime.publish(&request(2, 1, 3));
        assert_eq!(realtime.plan_for(2, 1), None);
        generator.answer(answer(&request(1, 1, 16)));
        generator.answer(answer(&request(2, 2, 16)));
        assert_eq!(realtime.plan_for(2, 1), None);
        generator.answer(answer(&request(2, 1, 3)));
        assert_eq!(realtime.plan_for(2, 1).map(|p| p.heard_steps), Some(3));
    }

    #[test]
    fn the_last_plan_always_arrives_between_two_threads() {
        let (mut realtime, mut generator) = handoff();
        let n_measures = 200;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                loop {
                    match generator.newest_request() {
                        Some(r) => {
                            generator.answer(answer(&r));
                            if r.measure == n_measures && r.heard_steps == 16 {
                                return;
                            }
                        }
                        None => std::thread::yield_now(),
                    }
                }
            });
            for measure in 1..=n_measures {
                for heard_steps in 1..=16 {
                    realtime.publish(&request(1, measure, heard_steps));
                }
                while !realtime.has_answer() {
                    std::thread::yield_now();
                }
                assert_eq!(
                    realtime.plan_for(1, measure).map(|p| p.heard_steps),
                    Some(16)
                );
            }
        });
    }

    #[test]
    fn requests_and_plans_own_no_memory() {
        fn owns_nothing<T: Copy + Send + 'static>() {}
        owns_nothing::<Request>();
        owns_nothing::<Plan>();
    }
}
