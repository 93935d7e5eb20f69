//! Where the audio thread and the generator thread meet: requests go one way, plans the other.
//!
//! Two ends are made together and then separated, one per thread. Both ways the newest value wins and neither side waits for
//! the other: see [`crate::channel`]. There is no wake-up either, because that would be a system call: the generator thread
//! polls for requests, about every millisecond.

use lockstep_core::generator::Request;
use lockstep_core::representation::Plan;

use crate::channel::{NewestReader, NewestWriter, newest};
use crate::realtime::PlanSource;

/// Makes the two ends.
///
/// ```
/// use lockstep_core::generator::{Generator as _, Request};
/// use lockstep_core::rule::RuleGroove;
/// use lockstep_engine::handoff::handoff;
/// use lockstep_engine::realtime::PlanSource as _;
///
/// let (mut audio_thread, mut generator_thread) = handoff();
/// audio_thread.publish(&Request { measure: 1, ..Request::default() });
/// if let Some(request) = generator_thread.newest_request() {
///     generator_thread.answer(RuleGroove.plan(&request)?);
/// }
/// assert!(audio_thread.plan_for(0, 1).is_some());
/// # Ok::<(), lockstep_core::generator::PredictError>(())
/// ```
///
/// # Realtime safety
/// Allocates the channels, once.
pub fn handoff() -> (RealtimeEnd, GeneratorEnd) {
    let (ask, requests) = newest();
    let (answer, plans) = newest();
    let realtime = RealtimeEnd {
        requests: ask,
        plans,
        wanted: None,
        newest: None,
    };
    let generator = GeneratorEnd {
        requests,
        plans: answer,
    };
    (realtime, generator)
}

/// Identifies a request.
#[derive(Clone, Copy, Debug)]
struct RequestKey {
    playback: u32,
    measure: u64,
    heard_steps: usize,
}

/// The audio thread's end.
#[derive(Debug)]
pub struct RealtimeEnd {
    requests: NewestWriter<Request>,
    plans: NewestReader<Plan>,
    /// What the last request was for.
    wanted: Option<RequestKey>,
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
        self.receive();
        self.wanted.is_none_or(|wanted| {
            self.newest
                .is_some_and(|plan| plan.heard_steps >= wanted.heard_steps)
        })
    }

    /// Takes the newest plan, if it is for the measure that is wanted.
    fn receive(&mut self) {
        let is_wanted = |plan: &Plan| {
            self.wanted.is_some_and(|wanted| {
                (wanted.playback, wanted.measure) == (plan.playback, plan.measure)
            })
        };
        if let Some(plan) = self.plans.read().filter(is_wanted) {
            self.newest = Some(plan);
        }
    }
}

impl PlanSource for RealtimeEnd {
    fn publish(&mut self, request: &Request) {
        self.receive();
        self.wanted = Some(RequestKey {
            playback: request.playback,
            measure: request.measure,
            heard_steps: request.heard_steps,
        });
        self.newest = self
            .newest
            .filter(|plan| (plan.playback, plan.measure) == (request.playback, request.measure));
        self.requests.write(*request);
    }

    fn plan_for(&mut self, playback: u32, measure: u64) -> Option<Plan> {
        self.receive();
        self.newest
            .filter(|plan| (plan.playback, plan.measure) == (playback, measure))
    }
}

/// The generator thread's end.
#[derive(Debug)]
pub struct GeneratorEnd {
    requests: NewestReader<Request>,
    plans: NewestWriter<Plan>,
}

impl GeneratorEnd {
    /// The newest request since the last call; older ones are dropped unanswered.
    pub fn newest_request(&mut self) -> Option<Request> {
        self.requests.read()
    }

    /// Sends a plan; the newest wins.
    pub fn answer(&mut self, plan: Plan) {
        self.plans.write(plan);
    }
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::HitMap;

    use super::*;

    fn request(playback: u32, measure: u64, heard_steps: usize) -> Request {
        Request {
            playback,
            measure,
            heard_steps,
            ..Request::default()
        }
    }

    fn answer(request: &Request) -> Plan {
        Plan {
            playback: request.playback,
            measure: request.measure,
            heard_steps: request.heard_steps,
            swing: request.swing,
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
    fn a_plan_of_another_playback_or_measure_is_stale() {
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
