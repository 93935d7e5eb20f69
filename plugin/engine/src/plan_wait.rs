//! How long the audio thread may wait for a plan: up to 5 s per block in a render, never in a live host.
//!
//! Not every host says that it renders offline. [`RenderDetector`] notices a host that asks for blocks faster than real time;
//! such a render may wait too, but never longer than it is ahead of the clock. Audio thread: never allocates.

use std::time::{Duration, Instant};

use lockstep_core::generator::Request;
use lockstep_core::representation::Plan;

use crate::handoff::RealtimeEnd;
use crate::realtime::PlanSource;

/// Longest wait of a render for the plans of one block; a prediction takes about a thousandth of it.
pub const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Part of its lead that a host always keeps: longer than the audio that live hosts buffer ahead, at most 8,192 frames (186 ms
/// at 44.1 kHz). So a live host never has to wait.
const KEPT: Duration = Duration::from_millis(200);

/// How much music or time passes before a host counts as running in real time, which resets its lead. Longer than that
/// buffer.
const WINDOW: Duration = Duration::from_millis(250);

/// The audio thread's end of the handoff, which may wait for answers so that every render is the same.
#[derive(Debug)]
pub struct WaitingPlans<'a> {
    plans: &'a mut RealtimeEnd,
    longest: Duration,
    /// Never much more than `longest`.
    waited: Duration,
}

impl<'a> WaitingPlans<'a> {
    /// Waits at most `longest` in total: [`LONGEST_WAIT`] if the host renders offline, else what [`RenderDetector`] allows.
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

impl PlanSource for WaitingPlans<'_> {
    fn publish(&mut self, request: &Request) {
        self.plans.publish(request);
    }

    /// Sleeps until the answer has arrived or the time is up.
    ///
    /// # Realtime safety
    /// In live hosts there is no time to wait: then this neither sleeps nor reads the clock.
    fn plan_for(&mut self, playback: u32, measure: u64) -> Option<Plan> {
        let left = self.longest.saturating_sub(self.waited);
        if !left.is_zero() && !self.plans.has_answer() {
            let begun = Instant::now();
            while !self.plans.has_answer() && begun.elapsed() < left {
                std::thread::sleep(Duration::from_micros(100));
            }
            self.waited += begun.elapsed();
        }
        self.plans.plan_for(playback, measure)
    }
}

/// Whether the host asks for blocks faster than real time, and how far ahead it is.
#[derive(Debug, Default)]
pub struct RenderDetector {
    /// Length of the music minus the time it took, since the host last ran in real time.
    lead: Duration,
    /// Music and time since the last check, without the time waited here, which says nothing about the host.
    window: (Duration, Duration),
    /// Time waited for the plans of the last block.
    waited: Duration,
    /// When the last block came and its length; `None` before the first.
    last: Option<(Instant, Duration)>,
}

impl RenderDetector {
    /// Starts over: the host may switch between live and rendering.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Records how long the block waited for its plans.
    pub fn wait(&mut self, waited: Duration) {
        self.waited = waited;
    }

    /// Records that the host asks for a block of this length now. Returns how long the block may wait for its plans: zero while
    /// the host runs in real time, else its lead less 200 ms, at most [`LONGEST_WAIT`].
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
                // A tenth allows for sound card clocks and for uneven block timing.
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

    /// Asks for blocks of `music_ms`, each the given time after the one before. Returns the longest wait that any is allowed.
    fn longest_wait(
        detector: &mut RenderDetector,
        now: &mut Instant,
        music_ms: f64,
        gaps_ms: &[f64],
    ) -> Duration {
        let waits = gaps_ms.iter().map(|gap| {
            *now += ms(*gap);
            detector.block(*now, ms(music_ms))
        });
        waits.max().unwrap_or_default()
    }

    #[test]
    fn a_plan_that_never_comes_is_waited_for_only_as_long_as_allowed() {
        let (mut plans, _nobody) = handoff();
        let request = Request {
            playback: 1,
            measure: 1,
            ..Request::default()
        };
        let begun = Instant::now();
        for wait in [Duration::ZERO, ms(300.0)] {
            let mut waiting = WaitingPlans::new(&mut plans, wait);
            waiting.publish(&request);
            // The first call used up the block's time, so the second has none.
            let waited = [(); 2].map(|()| {
                assert_eq!(waiting.plan_for(1, 1), None);
                waiting.waited()
            });
            assert!(waited[0] >= wait && waited[1] == waited[0]);
            assert!(!wait.is_zero() || waited[0].is_zero());
            assert!(begun.elapsed() >= wait && begun.elapsed() < wait + ms(5000.0));
        }
    }

    #[test]
    fn an_undeclared_render_may_wait_as_long_as_it_is_ahead() {
        let (mut detector, mut now) = (RenderDetector::default(), Instant::now());
        // A measure at 200 BPM, at twenty times real time.
        let wait = longest_wait(&mut detector, &mut now, 10.0, &[0.5; 121]);
        assert_eq!(wait + KEPT, ms(1200.0 - 60.0));
        // It waits for its plan, which shortens its lead by as much.
        detector.wait(ms(300.0));
        now += ms(300.5);
        let after = detector.block(now, ms(10.0));
        assert_eq!(after + ms(300.5), wait + ms(10.0));
        // However far it is ahead.
        let wait = longest_wait(&mut detector, &mut now, 10.0, &vec![0.5; 10_000]);
        assert_eq!(wait, LONGEST_WAIT);
    }

    #[test]
    fn a_host_that_goes_live_after_a_render_waits_no_more() {
        let (mut detector, mut now) = (RenderDetector::default(), Instant::now());
        assert!(longest_wait(&mut detector, &mut now, 10.0, &[0.5; 1000]) > Duration::ZERO);
        longest_wait(&mut detector, &mut now, 10.0, &[10.0; 50]);
        let wait = longest_wait(&mut detector, &mut now, 10.0, &[10.0; 1000]);
        assert_eq!(wait, Duration::ZERO);
    }

    #[test]
    fn catching_up_after_a_stall_is_no_lead() {
        let (mut detector, mut now) = (RenderDetector::default(), Instant::now());
        for _ in 0..100 {
            // Sixteen blocks, then half a second without any, then as many in a burst as the largest buffer holds.
            let gaps = [&[10.0; 16][..], &[500.0], &[0.1; 18]].concat();
            let wait = longest_wait(&mut detector, &mut now, 10.0, &gaps);
            assert_eq!(wait, Duration::ZERO);
        }
    }

    #[test]
    fn a_fast_sound_card_clock_still_counts_as_live_for_hours() {
        let (mut detector, mut now) = (RenderDetector::default(), Instant::now());
        // 0.05 %, five times the tolerance of sound cards.
        let wait = longest_wait(&mut detector, &mut now, 10.0, &vec![9.995; 1_000_000]);
        assert_eq!(wait, Duration::ZERO);
    }

    proptest! {
        /// In a live host a block is due when there is room in a buffer of up to 186 ms, and comes randomly later than that.
        #[test]
        fn live_hosts_are_never_made_to_wait(
            block_ms in 0.6..93.0_f64,
            share in 1.0..2.0_f64,
            late_ms in proptest::collection::vec(0.0..60.0_f64, 10..400),
        ) {
            let held_ms = (share * block_ms).max(block_ms).min(186.0);
            let (mut detector, begun) = (RenderDetector::default(), Instant::now());
            let (mut now_ms, mut heard_from_ms) = (0.0_f64, 0.0_f64);
            for (n, late) in late_ms.into_iter().enumerate() {
                let given_ms = n as f64 * block_ms;
                // If the host is late the buffer runs dry, and playback resumes with the block.
                now_ms = now_ms.max(heard_from_ms + given_ms + block_ms - held_ms) + late;
                heard_from_ms = heard_from_ms.max(now_ms - given_ms);
                let wait = detector.block(begun + ms(now_ms), ms(block_ms));
                prop_assert_eq!(wait, Duration::ZERO, "block {} at {} ms", n, now_ms);
            }
        }
    }
}
