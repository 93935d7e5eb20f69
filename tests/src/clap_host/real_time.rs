//! Plays in real time on the audio thread while the main thread does something else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clack_host::prelude::AudioPorts;

use super::player::{Player, Processor, play_block};
use super::{ClapHost, ClapWindow};
use crate::{Performance, Stage};

/// Results of playing in real time.
#[derive(Debug, Default)]
pub struct RealTimeRun {
    /// The drums; the sound is not kept.
    pub performance: Performance,
    /// How many frames of the stage were played.
    pub n_frames: u64,
    /// Time that each block took, in order.
    pub blocks: Vec<Duration>,
    /// Blocks that ended after the next one was due, including those that only started late.
    pub n_late: u32,
    /// Whether the audio thread had real-time priority, as in hosts; only requested if the stage is played live.
    pub has_priority: bool,
}

/// What the main thread does meanwhile.
pub trait Beside {
    /// Does it; the drummer plays until this returns or the stage ends.
    ///
    /// # Errors
    /// What went wrong.
    fn act(&mut self, window: &mut ClapWindow<'_>) -> anyhow::Result<()>;
}

impl<F: FnMut(&mut ClapWindow<'_>) -> anyhow::Result<()>> Beside for F {
    fn act(&mut self, window: &mut ClapWindow<'_>) -> anyhow::Result<()> {
        self(window)
    }
}

impl ClapHost {
    /// Plays a stage in real time while `beside` runs on the main thread.
    ///
    /// # Errors
    /// If the plugin refuses a call, or `beside` fails.
    pub fn perform_beside(
        &mut self,
        stage: &Stage,
        beside: &mut impl Beside,
    ) -> anyhow::Result<RealTimeRun> {
        let player = self.prepare(stage)?;
        let is_over = AtomicBool::new(false);
        let (outcome, taken) = std::thread::scope(|scope| {
            let audio = scope.spawn(|| player.play_in_time(&is_over));
            let outcome = beside.act(&mut ClapWindow(&mut self.instance));
            is_over.store(true, Ordering::Release);
            (outcome, audio.join())
        });
        let (processor, run) = taken.map_err(|_| anyhow::anyhow!("the audio thread panicked"))?;
        self.finish(processor);
        outcome?;
        run
    }
}

impl Player<'_> {
    /// Plays each block when it is due, until `is_over` or the end of the stage.
    fn play_in_time(self, is_over: &AtomicBool) -> (Processor, anyhow::Result<RealTimeRun>) {
        let mut processor = match self.processor.start_processing() {
            Ok(processor) => processor,
            Err(error) => {
                let refusal = anyhow::anyhow!("the plugin did not start processing");
                return (error.into_stopped_processor(), Err(refusal));
            }
        };
        let mut ports = AudioPorts::with_capacity(2, 1);
        let mut run = RealTimeRun {
            has_priority: !self.setting.stage.is_offline && take_priority(),
            ..RealTimeRun::default()
        };
        // So that memory does not grow while a long stage plays.
        let n_blocks = self.setting.stage.n_frames / u64::from(self.setting.stage.block_frames);
        let n_blocks =
            usize::try_from(n_blocks).unwrap_or_default() + self.setting.stage.actions.len();
        run.blocks.reserve(2 * n_blocks);
        run.performance.events.reserve(n_blocks);
        let blocks: Vec<_> = self.setting.stage.blocks().collect();
        let begun = Instant::now();
        let outcome = blocks.iter().try_for_each(|block| {
            if is_over.load(Ordering::Acquire) {
                return Ok(());
            }
            let due = |frame: u64| {
                Duration::from_secs_f64(frame as f64 / self.setting.stage.sample_rate_hz)
            };
            if let Some(early) = due(block.first_frame).checked_sub(begun.elapsed()) {
                std::thread::sleep(early);
            }
            let from = Instant::now();
            let played = play_block(
                &mut processor,
                &self.setting,
                block,
                &mut ports,
                &mut run.performance,
            );
            run.blocks.push(from.elapsed());
            run.performance.left.clear();
            run.performance.right.clear();
            run.n_frames = block.first_frame + u64::from(block.n_frames);
            run.n_late += u32::from(begun.elapsed() > due(run.n_frames));
            played.context("playing in real time")
        });
        (processor.stop_processing(), outcome.map(|()| run))
    }
}

/// Gives this thread the priority that hosts give their audio threads; returns whether the system allows it.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "there is no safe interface for it")]
fn take_priority() -> bool {
    /// Above ordinary threads, below those of the system.
    const PRIORITY: i32 = 20;
    let wish = libc::sched_param {
        sched_priority: PRIORITY,
    };
    // SAFETY: the thread is this one, and the parameters live for the call.
    unsafe {
        libc::pthread_setschedparam(libc::pthread_self(), libc::SCHED_FIFO, &raw const wish) == 0
    }
}

#[cfg(not(target_os = "linux"))]
fn take_priority() -> bool {
    false
}
