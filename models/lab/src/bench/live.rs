//! How many instances can play together in real time: one thread drives all instances, as a host does, next to the generator
//! thread that predicts for them.
//!
//! Measures what a listener would hear: measures whose plan was missing at the downbeat. To test on one core, put
//! `taskset -c 0` before the command. The thread has no real-time priority, so a busy machine shows in the longest
//! block.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use cpu_time::{ProcessTime, ThreadTime};
use lockstep::capture::{self, Archive};
use lockstep::device::DeviceChoice;
use lockstep::drummers::DrummerChoice;
use lockstep::generator::{GeneratorHandle, GeneratorThread};
use lockstep::params::Drummer;
use lockstep_core::draws;
use lockstep_core::generator::{GeneratorSettings, Request};
use lockstep_core::representation::{Meter, Position};
use lockstep_engine::handoff::{RealtimeEnd, handoff};
use lockstep_engine::plan_wait::{LONGEST_WAIT, WaitingPlans};
use lockstep_engine::realtime::{
    BassEvent, BassEventKind, Block, Controls, DrumEventKind, DrumEvents, FrameOffset, Performer,
    PlanSource as _, Tally, Transport,
};
use lockstep_engine::recording::{Recorder, recording};
use lockstep_engine::synth::Kit;

use super::{memory_mib, micros};

const SAMPLE_RATE_HZ: u32 = 48_000;

/// Options for playing instances in real time.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Live {
    /// How many instances play together in real time, instead of run files
    #[arg(long = "live", value_name = "INSTANCES", conflicts_with_all = ["runs", "weights"],
        value_parser = clap::value_parser!(u32).range(1..=512))]
    instances: Option<u32>,
    /// Tempo of `--live` in BPM, 30 to 300
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(30..=300))]
    tempo: u32,
    /// Frames per block of `--live`, 16 to 8192, at 48 kHz
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(16..=8192))]
    block: u32,
    /// Measures of 4/4 that `--live` plays
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    measures: u32,
}

impl Live {
    pub(super) fn is_wanted(&self) -> bool {
        self.instances.is_some()
    }

    /// Plays, and prints the missed measures and the processor time.
    ///
    /// # Errors
    /// If the system cannot start a thread, or a drummer does not answer before the clock starts.
    pub(super) fn run(&self) -> Result<()> {
        let before_mib = memory_mib("VmRSS");
        let generator_thread =
            GeneratorThread::of_process().context("starting the generator thread")?;
        let archive = Archive::of_process().context("starting the archive's thread")?;
        let n_instances = self.instances.unwrap_or(1);
        let mut instances: Vec<_> = (0..n_instances)
            .map(|idx| Instance::new(idx, &generator_thread, &archive))
            .collect();
        for instance in &mut instances {
            instance.wait_for_drummer()?;
        }
        let played = std::thread::scope(|scope| {
            scope
                .spawn(|| self.play(&mut instances))
                .join()
                .map_err(|_| anyhow::anyhow!("the audio thread panicked"))
        })?;
        self.report(&instances, &played);
        let mib = |mib: Option<f64>| mib.map_or_else(|| "?".to_owned(), |mib| format!("{mib:.1}"));
        println!(
            "resident memory: {} MiB, before the first instance {} MiB",
            mib(memory_mib("VmRSS")),
            mib(before_mib)
        );
        Ok(())
    }

    /// Plays all blocks, each when the clock says it is due.
    fn play(&self, instances: &mut [Instance]) -> LiveResult {
        let beats_per_block = f64::from(self.block) * self.beats_per_frame();
        let lasts = Duration::from_secs_f64(f64::from(self.block) / f64::from(SAMPLE_RATE_HZ));
        let n_blocks = (f64::from(self.measures) * 4.0 / beats_per_block).ceil();
        let mut blocks = Vec::new();
        let mut scratch = Scratch::new(self.block as usize);
        let (mut n_late, mut longest_lag) = (0, Duration::ZERO);
        let (thread, process, begun) = (ThreadTime::now(), ProcessTime::now(), Instant::now());
        let mut due = Duration::ZERO;
        while (blocks.len() as f64) < n_blocks {
            if let Some(early) = due.checked_sub(begun.elapsed()) {
                std::thread::sleep(early);
            }
            longest_lag = longest_lag.max(begun.elapsed().saturating_sub(due));
            let from = Instant::now();
            let position = Position::at(blocks.len() as f64 * beats_per_block);
            for instance in instances.iter_mut() {
                instance.perform(self, position, &mut scratch);
            }
            blocks.push(from.elapsed());
            due += lasts;
            n_late += u32::from(begun.elapsed() > due);
        }
        let (audio, all) = (thread.elapsed(), process.elapsed());
        LiveResult {
            wall: begun.elapsed(),
            audio,
            prediction: all.saturating_sub(audio),
            blocks,
            n_late,
            longest_lag,
        }
    }

    fn beats_per_frame(&self) -> f64 {
        f64::from(self.tempo) / 60.0 / f64::from(SAMPLE_RATE_HZ)
    }

    fn report(&self, instances: &[Instance], played: &LiveResult) {
        let mut sum = Tally::default();
        for Tally {
            fresh,
            early,
            varied,
            rule,
            silent,
            dropped_notes,
        } in instances.iter().map(|instance| instance.performer.tally())
        {
            sum.fresh += fresh;
            sum.early += early;
            sum.varied += varied;
            sum.rule += rule;
            sum.silent += silent;
            sum.dropped_notes += dropped_notes;
        }
        let n_struck: u64 = instances.iter().map(|instance| instance.n_struck).sum();
        println!(
            "{} instances at {} BPM in {}-frame blocks, {} measures, {:.1} s: {n_struck} drum notes",
            instances.len(),
            self.tempo,
            self.block,
            self.measures,
            played.wall.as_secs_f64()
        );
        println!(
            "measures by source: fresh {}; missed: early {}, varied {}, rule {}; silent {}; dropped notes {}",
            sum.fresh, sum.early, sum.varied, sum.rule, sum.silent, sum.dropped_notes
        );
        let mut sorted = played.blocks.clone();
        sorted.sort_unstable();
        let at = |permille: usize| micros(sorted[(sorted.len() - 1) * permille / 1000]);
        println!(
            "a block of all instances: p50 {:.0} µs, p99 {:.0} µs, longest {:.0} µs, of {:.0} µs; {} of {} late; \
             at most {:.1} ms behind the clock",
            at(500),
            at(990),
            at(1000),
            f64::from(self.block) * 1e6 / f64::from(SAMPLE_RATE_HZ),
            played.n_late,
            sorted.len(),
            micros(played.longest_lag) / 1e3
        );
        let share = |time: Duration| 100.0 * time.as_secs_f64() / played.wall.as_secs_f64();
        println!(
            "processor time, of one core: audio {:.1} %, prediction {:.1} %",
            share(played.audio),
            share(played.prediction)
        );
    }
}

/// Measurements of a run.
struct LiveResult {
    wall: Duration,
    /// Processor time of the audio thread.
    audio: Duration,
    /// Processor time of all other threads.
    prediction: Duration,
    /// Time that each block took, for all instances together.
    blocks: Vec<Duration>,
    n_late: u32,
    /// Largest delay of a block's start against the clock; the blocks after it ran faster than real time to catch up.
    longest_lag: Duration,
}

/// Buffers that the instances write to, one after the other.
struct Scratch {
    drums: DrumEvents,
    left: Vec<f32>,
    right: Vec<f32>,
}

impl Scratch {
    fn new(n_frames: usize) -> Self {
        Self {
            drums: DrumEvents::new(),
            left: vec![0.0; n_frames],
            right: vec![0.0; n_frames],
        }
    }
}

/// The parts of a plugin instance, without the framework.
struct Instance {
    performer: Performer,
    kit: Kit,
    plans: RealtimeEnd,
    controls: Controls,
    idx: u32,
    /// Key of the sounding bass note.
    held: Option<u8>,
    n_struck: u64,
    #[expect(dead_code, reason = "dropping it would stop the plans")]
    generator: GeneratorHandle,
    recorder: Recorder,
    #[expect(dead_code, reason = "dropping it would end the recording")]
    place: capture::ArchiveHandle,
}

impl Instance {
    fn new(idx: u32, generator_thread: &GeneratorThread, archive: &Archive) -> Self {
        let (plans, end) = handoff();
        let (recorder, tape) = recording();
        let choice = DrummerChoice {
            drummer: Drummer::default(),
            device: DeviceChoice::Cpu,
        };
        Self {
            performer: Performer::new(),
            kit: Kit::new(SAMPLE_RATE_HZ as f32),
            plans,
            controls: Controls {
                settings: GeneratorSettings {
                    seed: idx,
                    variation: 0.1,
                    ..GeneratorSettings::default()
                },
                ..Controls::default()
            },
            idx,
            held: None,
            n_struck: 0,
            generator: generator_thread.register(end, std::sync::Arc::default(), move || choice),
            recorder,
            place: archive.register(tape),
        }
    }

    /// Sends one request, so that the drummer is loaded before the clock starts.
    fn wait_for_drummer(&mut self) -> Result<()> {
        let mut waiting = WaitingPlans::new(&mut self.plans, LONGEST_WAIT);
        // For a take that the performer never plays.
        let request = Request {
            playback: u32::MAX,
            ..super::request(u64::from(self.idx))
        };
        waiting.publish(&request);
        let plan = waiting.plan_for(request.playback, request.measure);
        ensure!(
            plan.is_some(),
            "instance {} got no plan within five seconds",
            self.idx + 1
        );
        Ok(())
    }

    fn perform(&mut self, live: &Live, position: Position, scratch: &mut Scratch) {
        let Scratch { drums, left, right } = scratch;
        let bass = self.bass(live, position);
        let block = Block {
            n_frames: live.block,
            sample_rate_hz: f64::from(SAMPLE_RATE_HZ),
            transport: Some(Transport {
                is_playing: true,
                tempo_bpm: Some(f64::from(live.tempo)),
                position,
                measure_start: None,
                meter: Some(Meter::COMMON),
            }),
            bass: &bass,
        };
        self.performer
            .perform(&block, &self.controls, &mut self.plans, drums);
        self.recorder
            .record(&block, self.performer.passage(), drums);
        for event in drums.iter() {
            if let DrumEventKind::On { velocity } = event.kind {
                self.kit.hit(event.frame.0 as usize, event.voice, velocity);
                self.n_struck += 1;
            }
        }
        self.kit.render(left, right);
        std::hint::black_box((left, right));
    }

    /// A different line for each instance: notes on most eighths, each lasting until the next.
    fn bass(&mut self, live: &Live, position: Position) -> Vec<BassEvent> {
        /// Eighths per quarter note.
        const PER_BEAT: f64 = 2.0;
        let mut events = Vec::new();
        let mut eighth = (position.beats() * PER_BEAT).ceil();
        loop {
            let ahead = Position::at(eighth / PER_BEAT) - position;
            let frames = (ahead.beats() / live.beats_per_frame()).round();
            if frames >= f64::from(live.block) {
                return events;
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "inside the block"
            )]
            let frame = FrameOffset(frames as u32);
            let draw = draws::hash(&[u64::from(self.idx), eighth.to_bits()]);
            if draw % 5 < 4 {
                let key = 28 + u8::try_from(draw / 5 % 20).unwrap_or_default();
                if let Some(key) = self.held.replace(key) {
                    let kind = BassEventKind::Off { key };
                    events.push(BassEvent { frame, kind });
                }
                let kind = BassEventKind::On { key, velocity: 0.8 };
                events.push(BassEvent { frame, kind });
            }
            eighth += 1.0;
        }
    }
}
