//! The generator thread: takes the newest request, asks the network, sends the plan.
//!
//! One thread a plugin instance. It looks for requests every millisecond, because waking it would be a system call on
//! the audio thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use lockstep_models::generator::{Generator, Request};
use lockstep_models::representation::Plan;

use crate::handoff::{GeneratorEnd, RealtimeEnd};
use crate::realtime::PlanSource;

/// How long the thread sleeps between two looks: far below the half step (37 ms at 200 BPM) that it has for an answer.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Longest wait of an offline render for one plan; a prediction takes about a thousandth of it.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The running thread; ends when dropped.
#[derive(Debug)]
pub struct GeneratorThread {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl GeneratorThread {
    /// Starts answering.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        mut end: GeneratorEnd,
        mut generator: Box<dyn Generator>,
    ) -> std::io::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let thread = Builder::new()
            .name("lockstep-generator".to_owned())
            .spawn(move || {
                while !seen.load(Ordering::Relaxed) {
                    match end.newest_request() {
                        Some(request) => end.answer(answer(generator.as_mut(), &request)),
                        None => std::thread::park_timeout(LOOK_EVERY),
                    }
                }
            })?;
        Ok(Self {
            is_over,
            thread: Some(thread),
        })
    }
}

impl Drop for GeneratorThread {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A generator that panicked has ended; the performer's ladder played on.
            let _ended = thread.join();
        }
    }
}

/// The generator's plan, or the rule groove's where it failed.
fn answer(generator: &mut dyn Generator, request: &Request) -> Plan {
    generator.plan(request).unwrap_or_else(|_| Plan {
        take: request.take,
        measure: request.measure,
        heard_steps: request.heard_steps,
        hits: lockstep_models::rule::groove(&request.window, request.meter),
    })
}

/// The audio thread's end while a host renders offline: waits for the answer, so that every render is the same.
#[derive(Debug)]
pub struct Patient<'a>(pub &'a mut RealtimeEnd);

impl PlanSource for Patient<'_> {
    fn publish(&mut self, request: &Request) {
        self.0.publish(request);
    }

    /// Sleeps until the answer is there, at most five seconds. Not for a live audio thread.
    fn plan_for(&mut self, take: u32, measure: u64) -> Option<Plan> {
        let begun = Instant::now();
        while !self.0.has_answer() && begun.elapsed() < LONGEST_WAIT {
            std::thread::sleep(Duration::from_micros(100));
        }
        self.0.plan_for(take, measure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handoff::handoff;
    use lockstep_models::representation::{Onset, WINDOW_STEPS, Window};
    use lockstep_models::rule::RuleGroove;

    fn request() -> Request {
        let mut window = Window::default();
        for step_idx in (0..WINDOW_STEPS).step_by(4) {
            window.begin(step_idx, Onset::new(40, 0.8));
        }
        Request {
            take: 1,
            measure: 1,
            heard_steps: 16,
            window,
            ..Request::default()
        }
    }

    #[test]
    fn a_render_that_waits_gets_the_plan_of_its_last_request() -> std::io::Result<()> {
        let (mut end, other) = handoff();
        let _thread = GeneratorThread::start(other, Box::new(RuleGroove))?;
        let mut patient = Patient(&mut end);
        patient.publish(&request());
        let plan = patient.plan_for(1, 1);
        assert_eq!(
            plan.map(|plan| (plan.measure, plan.heard_steps)),
            Some((1, 16))
        );
        Ok(())
    }
}
