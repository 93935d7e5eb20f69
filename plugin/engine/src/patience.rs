//! How long the audio thread may wait for a plan: a render as long as it takes, a live host never.
//!
//! Not every host says that it renders. One that asks for its blocks faster than they can be heard need not say it either:
//! [`Pace`] notices, and such a render waits like one that says so, by no more than it is ahead of the clock. Audio thread:
//! never allocates.

use std::time::{Duration, Instant};

use lockstep_core::generator::Request;
use lockstep_core::representation::Plan;

use crate::handoff::RealtimeEnd;
use crate::realtime::PlanSource;

/// Longest wait of a render for the plans of one block; a prediction takes about a thousandth of it.
pub const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What a host keeps of its lead whatever is waited for: longer than the sound that live hosts hold ready, the longest of
/// which is a buffer of 8,192 frames, 186 ms at 44.1 kHz. One that holds less is never made to wait.
const KEPT: Duration = Duration::from_millis(200);

/// How much music or time goes by before a host is found to keep the clock's pace, so that what it then held ready is no
/// lead. Longer than that buffer.
const WINDOW: Duration = Duration::from_millis(250);

/// The audio thread's end, by one who may wait for the answer so that every render is the same.
#[derive(Debug)]
pub struct Patient<'a> {
    plans: &'a mut RealtimeEnd,
    longest: Duration,
    /// Never much more than `longest`.
    waited: Duration,
}

impl<'a> Patient<'a> {
    /// Waits for `longest` in all: [`LONGEST_WAIT`] where a host renders offline, else what [`Pace`] says.
    pub fn new(plans: &'a mut RealtimeEnd, longest: Duration) -> Self {
        Self {
            plans,
            longest,
            waited: Duration::ZERO,
        }
    }

    /// How long it has waited so far.
    pub fn waited(&self) -> Duration {
        self.waited
    }
}

impl PlanSource for Patient<'_> {
    fn publish(&mut self, request: &Request) {
        self.plans.publish(request);
    }

    /// Sleeps until the answer is there or the time is up.
    ///
    /// # Realtime safety
    /// With no time to wait it neither sleeps nor asks for the time: live hosts come here with none.
    fn plan_for(&mut self, take: u32, measure: u64) -> Option<Plan> {
        let left = self.longest.saturating_sub(self.waited);
        if !left.is_zero() && !self.plans.has_answer() {
            let begun = Instant::now();
            while !self.plans.has_answer() && begun.elapsed() < left {
                std::thread::sleep(Duration::from_micros(100));
            }
            self.waited += begun.elapsed();
        }
        self.plans.plan_for(take, measure)
    }
}

/// Whether the host asks for its blocks faster than they can be heard, and how far it has run ahead that way.
#[derive(Debug, Default)]
pub struct Pace {
    /// Music beyond the time that it took to ask for it, since the host last kept the clock's pace.
    lead: Duration,
    /// Music and time since a window began, without what was waited here: that says nothing of the host.
    window: (Duration, Duration),
    /// For plans of the last block.
    waited: Duration,
    /// When the last block came, and how long it is; `None` before the first.
    last: Option<(Instant, Duration)>,
}

impl Pace {
    /// Begins anew: what comes next may be another kind of playing.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Takes in how long the block waited for its plans.
    pub fn wait(&mut self, waited: Duration) {
        self.waited = waited;
    }

    /// Takes in that a block of so much music is asked for now, and tells how long it may wait for its plans: nothing while
    /// the host keeps the clock's pace, else its lead less 200 ms, at most [`LONGEST_WAIT`].
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn block(&mut self, now: Instant, music: Duration) -> Duration {
        if let Some((then, music_before)) = self.last.replace((now, music)) {
            let passed = now.saturating_duration_since(then);
            self.lead = (self.lead + music_before)
                .saturating_sub(passed)
                .min(KEPT + LONGEST_WAIT);
            let hosts = passed.saturating_sub(std::mem::take(&mut self.waited));
            let (music, time) = (self.window.0 + music_before, self.window.1 + hosts);
            self.window = (music, time);
            if music.max(time) >= WINDOW {
                // A tenth for the clocks of sound cards and for how unevenly blocks come.
                if time >= music.mul_f64(0.9) {
                    self.lead = Duration::ZERO;
                }
                self.window = (Duration::ZERO, Duration::ZERO);
            }
        }
        self.lead.saturating_sub(KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handoff::handoff;
    use proptest::prelude::*;

    fn ms(ms: f64) -> Duration {
        Duration::from_secs_f64(ms / 1000.0)
    }

    /// Asks for blocks of `music_ms`, each the given time after the one before; the longest wait that any is given.
    fn longest_wait(
        pace: &mut Pace,
        now: &mut Instant,
        music_ms: f64,
        gaps_ms: &[f64],
    ) -> Duration {
        let waits = gaps_ms.iter().map(|gap| {
            *now += ms(*gap);
            pace.block(*now, ms(music_ms))
        });
        waits.max().unwrap_or_default()
    }

    #[test]
    fn with_no_time_to_wait_a_plan_that_never_comes_is_not_waited_for() {
        let (mut plans, _nobody) = handoff();
        let request = Request {
            take: 1,
            measure: 1,
            ..Request::default()
        };
        let begun = Instant::now();
        for wait in [Duration::ZERO, ms(300.0)] {
            let mut patient = Patient::new(&mut plans, wait);
            patient.publish(&request);
            // The second has the rest of the block's time: none.
            let waited = [(); 2].map(|()| {
                assert_eq!(patient.plan_for(1, 1), None);
                patient.waited()
            });
            assert!(waited[0] >= wait && waited[1] == waited[0]);
            assert!(!wait.is_zero() || waited[0].is_zero());
            assert!(begun.elapsed() >= wait && begun.elapsed() < wait + ms(5000.0));
        }
    }

    #[test]
    fn a_render_that_does_not_say_so_may_wait_by_what_it_is_ahead() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        // A measure at 200 BPM, twenty times as fast as it is heard.
        let wait = longest_wait(&mut pace, &mut now, 10.0, &[0.5; 121]);
        assert_eq!(wait + KEPT, ms(1200.0 - 60.0));
        // It waits for its plan, and is ahead by as much less.
        pace.wait(ms(300.0));
        now += ms(300.5);
        let after = pace.block(now, ms(10.0));
        assert_eq!(after + ms(300.5), wait + ms(10.0));
        // However far it runs ahead.
        let wait = longest_wait(&mut pace, &mut now, 10.0, &vec![0.5; 10_000]);
        assert_eq!(wait, LONGEST_WAIT);
    }

    #[test]
    fn a_host_that_goes_live_after_it_has_rendered_waits_no_more() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        assert!(longest_wait(&mut pace, &mut now, 10.0, &[0.5; 1000]) > Duration::ZERO);
        longest_wait(&mut pace, &mut now, 10.0, &[10.0; 50]);
        let wait = longest_wait(&mut pace, &mut now, 10.0, &[10.0; 1000]);
        assert_eq!(wait, Duration::ZERO);
    }

    #[test]
    fn a_stall_and_what_is_caught_up_after_it_is_no_lead() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for _ in 0..100 {
            // Sixteen blocks, then half a second without any, then as many at once as the largest buffer holds.
            let gaps = [&[10.0; 16][..], &[500.0], &[0.1; 18]].concat();
            let wait = longest_wait(&mut pace, &mut now, 10.0, &gaps);
            assert_eq!(wait, Duration::ZERO);
        }
    }

    #[test]
    fn a_sound_card_whose_clock_is_fast_is_live_for_hours() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        // Half a per mill, five times what cards are allowed.
        let wait = longest_wait(&mut pace, &mut now, 10.0, &vec![9.995; 1_000_000]);
        assert_eq!(wait, Duration::ZERO);
    }

    proptest! {
        /// Live, a block is due when a place is free in a buffer of up to 186 ms, and comes later than that by chance.
        #[test]
        fn live_hosts_are_never_made_to_wait(
            block_ms in 0.6..93.0_f64,
            share in 1.0..2.0_f64,
            late_ms in proptest::collection::vec(0.0..60.0_f64, 10..400),
        ) {
            let held_ms = (share * block_ms).max(block_ms).min(186.0);
            let (mut pace, begun) = (Pace::default(), Instant::now());
            let (mut now_ms, mut heard_from_ms) = (0.0_f64, 0.0_f64);
            for (n, late) in late_ms.into_iter().enumerate() {
                let given_ms = n as f64 * block_ms;
                // What plays runs dry where the host is late, and goes on when it is back.
                now_ms = now_ms.max(heard_from_ms + given_ms + block_ms - held_ms) + late;
                heard_from_ms = heard_from_ms.max(now_ms - given_ms);
                let wait = pace.block(begun + ms(now_ms), ms(block_ms));
                prop_assert_eq!(wait, Duration::ZERO, "block {} at {} ms", n, now_ms);
            }
        }
    }
}
