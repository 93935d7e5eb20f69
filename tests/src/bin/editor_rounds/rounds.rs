//! The program `editor_rounds`, on Linux.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lockstep_hosts::{
    ClapHost, ClapWindow, DrumEvent, Format, PluginWindow, RealTimeRun, Stage, Vst3Host,
};
use lockstep_screen::places::size;
use lockstep_screen::{Screen, WindowId, await_some};

use super::player_actions::{count_alarm_pixels, drag, pin_and_mute, save};

/// Sizes of the window in turn, in percent.
const SIZES: [u16; 4] = [75, 150, 125, 200];

/// After this many rounds everything that is made once and kept exists: drivers, fonts, thread stacks.
const N_WARM: u32 = 40;

/// Rounds between two readings of memory.
const ROUNDS_PER_READING: u32 = 20;

/// Longer than any run, in measures of 1.2 seconds.
pub(super) const LONG: u32 = 400;

/// Slightly more measures than a take keeps; after that, recording takes no more memory.
const N_KEPT: u32 = 70;

/// Approximate length of a round.
const ROUND: Duration = Duration::from_millis(180);

/// Blocks of a VST3 stage between two rounds.
const BLOCKS_A_ROUND: u32 = 20;

/// Repeatedly opens and closes the plugin window while the plugin plays.
#[expect(clippy::struct_excessive_bools, reason = "each is a separate switch")]
#[derive(Debug, clap::Parser)]
pub(crate) struct Args {
    /// Plugin format
    #[arg(value_enum)]
    format: Bundle,
    /// How often the window is opened, resized and closed
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Plays in real time, with and without a window, and prints how many blocks were late; CLAP only
    #[arg(long)]
    live: bool,
    /// Opens no window but waits just as long, to see what memory does then
    #[arg(long, conflicts_with_all = ["live", "drag"])]
    without: bool,
    /// Only drags Density once and prints what the host is told; CLAP only
    #[arg(long, conflicts_with = "live")]
    drag: bool,
    /// Only pins a cell and mutes a voice, once, and prints what the host is told
    #[arg(long, conflicts_with_all = ["live", "drag", "without"])]
    settle: bool,
    /// Only presses the button that saves a take, and prints when the take is there
    #[arg(long, conflicts_with_all = ["live", "drag", "without", "settle"])]
    save: bool,
    /// Only prints how much of the Setup page has the colour of problem messages, with this value of Drummer from 0 to
    /// 1
    #[arg(long, conflicts_with_all = ["live", "drag", "without", "settle", "save"])]
    drummer: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Bundle {
    Clap,
    Vst3,
}

impl Args {
    /// # Errors
    /// If a window does not open, draw, resize or close, or the drums differ from those without a window.
    pub(crate) fn run(&self) -> Result<()> {
        let screen = Screen::open(None)?;
        if self.settle {
            return pin_and_mute(&screen, self.format);
        }
        if self.save {
            return save(&screen, self.format);
        }
        if let Some(drummer) = self.drummer {
            return count_alarm_pixels(&screen, self.format, drummer);
        }
        match (self.format, self.live, self.drag) {
            (Bundle::Clap, false, false) => self.clap(&screen),
            (Bundle::Clap, true, _) => self.live(&screen),
            (Bundle::Clap, false, true) => drag(&screen),
            (Bundle::Vst3, false, false) => self.vst3(&screen),
            (Bundle::Vst3, ..) => anyhow::bail!("--live and --drag work with clap only"),
        }
    }

    fn clap(&self, screen: &Screen) -> Result<()> {
        let mut host = ClapHost::open()?;
        drop(lockstep_hosts::Host::perform(&mut host, &stage(N_KEPT))?);
        let mut memory = Memory::default();
        let run = host.perform_beside(&stage(LONG), &mut |window: &mut ClapWindow<'_>| {
            self.all_rounds(screen, window, &mut memory)
        })?;
        ensure!(
            run.n_frames < stage(LONG).n_frames,
            "the stage ended before the rounds did"
        );
        let mut same = stage(LONG);
        same.n_frames = run.n_frames;
        same.actions.clear();
        let mut expected = Format::Clap.perform(&same)?.events;
        expected.retain(|event| event.frame < run.n_frames);
        self.report(&run.performance.events, &expected, &memory)
    }

    fn vst3(&self, screen: &Screen) -> Result<()> {
        let mut host = Vst3Host::open()?;
        drop(lockstep_hosts::Host::perform(&mut host, &stage(N_KEPT))?);
        let n_blocks = u64::from(self.rounds * BLOCKS_A_ROUND);
        let mut stage = stage(LONG);
        stage.n_frames = n_blocks * u64::from(stage.block_frames);
        stage.actions.clear();
        let (mut memory, mut n_played) = (Memory::default(), 0);
        let performance = host.perform_between(&stage, |window, performance| {
            // Drop the sound, which nobody reads: otherwise memory would grow with it.
            performance.left.clear();
            performance.right.clear();
            n_played += 1;
            if n_played % BLOCKS_A_ROUND == 0 {
                let n = n_played / BLOCKS_A_ROUND;
                if !self.without {
                    round(screen, window, n)?;
                }
                memory.read(n, self.rounds)?;
            }
            Ok(())
        })?;
        let expected = Format::Vst3.perform(&stage)?.events;
        self.report(&performance.events, &expected, &memory)
    }

    fn report(&self, drums: &[DrumEvent], expected: &[DrumEvent], memory: &Memory) -> Result<()> {
        ensure!(!expected.is_empty(), "nothing was played");
        ensure!(
            drums == expected,
            "{} drum events with the window differ from {} without it",
            drums.len(),
            expected.len()
        );
        println!("rounds: {}", self.rounds);
        println!(
            "drum events, the same as without the window: {}",
            drums.len()
        );
        let Memory { warm, last, .. } = memory;
        for (what, from, to) in [
            ("in use", warm.in_use_kib, last.in_use_kib),
            ("resident", warm.resident_kib, last.resident_kib),
        ] {
            let grown = to.saturating_sub(from);
            println!("KiB {what}, grown from round {N_WARM} to the last: {grown}");
        }
        Ok(())
    }

    fn all_rounds(
        &self,
        screen: &Screen,
        window: &mut dyn PluginWindow,
        memory: &mut Memory,
    ) -> Result<()> {
        for n in 1..=self.rounds {
            if self.without {
                std::thread::sleep(ROUND);
            } else {
                round(screen, window, n)?;
            }
            memory.read(n, self.rounds)?;
        }
        Ok(())
    }

    /// Plays first with the window, then for as long without it.
    fn live(&self, screen: &Screen) -> Result<()> {
        let stage = Stage {
            is_offline: false,
            ..stage(LONG)
        };
        let mut host = ClapHost::open()?;
        let mut memory = Memory::default();
        let with = host.perform_beside(&stage, &mut |window: &mut ClapWindow<'_>| {
            self.all_rounds(screen, window, &mut memory)
        })?;
        let played = Duration::from_secs_f64(with.n_frames as f64 / stage.sample_rate_hz);
        let without = host.perform_beside(&stage, &mut |_: &mut ClapWindow<'_>| {
            std::thread::sleep(played);
            Ok(())
        })?;
        let period = Duration::from_secs_f64(f64::from(stage.block_frames) / stage.sample_rate_hz);
        println!("rounds: {}", self.rounds);
        for (name, run) in [("with the window", with), ("without it", without)] {
            let priority = if run.has_priority {
                "real-time"
            } else {
                "ordinary"
            };
            println!("{name}, {priority} priority: {}", missed(&run, period));
        }
        Ok(())
    }
}

fn missed(run: &RealTimeRun, period: Duration) -> String {
    let n_long = run.blocks.iter().filter(|took| **took > period).count();
    let mut sorted = run.blocks.clone();
    sorted.sort_unstable();
    let at = |permille: usize| {
        let idx = (sorted.len().max(1) - 1) * permille / 1000;
        sorted.get(idx).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    format!(
        "{n_long} of {} blocks took longer than their {:.2} ms, {} ended late; p50 {:.2} ms, p99 \
         {:.2} ms, longest {:.2} ms; {} drum events",
        sorted.len(),
        period.as_secs_f64() * 1e3,
        run.n_late,
        at(500),
        at(990),
        at(1000),
        run.performance.events.len()
    )
}

/// The stage for all rounds, offline, so that the drums do not depend on the machine's speed.
pub(super) fn stage(n_measures: u32) -> Stage {
    Stage::of_measures(n_measures).with("Density", 0.8)
}

/// Opens the window, waits until it draws, resizes it, waits until it draws at the new size, and closes it.
fn round(screen: &Screen, window: &mut dyn PluginWindow, n: u32) -> Result<()> {
    let (parent, inner) = open(screen, window).with_context(|| format!("round {n}"))?;
    let size = size(SIZES[n as usize % SIZES.len()]);
    screen.resize(parent, size)?;
    window.resize(size)?;
    let wanted = (u32::from(size.0), u32::from(size.1));
    await_some("a picture of the new size", || {
        window.serve();
        let shown = screen.picture(inner)?;
        Ok((shown.size() == wanted && !shown.is_blank()).then_some(()))
    })
    .with_context(|| format!("round {n}"))?;
    window.close()?;
    screen.close_window(parent)
}

/// Opens the plugin window inside a host window, and returns both once the plugin has drawn.
pub(super) fn open(screen: &Screen, window: &mut dyn PluginWindow) -> Result<(WindowId, WindowId)> {
    let parent = screen.make_window(size(100))?;
    window.open(parent, Duration::ZERO)?;
    let inner = screen.inside(parent)?;
    await_some("the first picture", || {
        window.serve();
        Ok((!screen.picture(inner)?.is_blank()).then_some(()))
    })?;
    Ok((parent, inner))
}

/// Memory of this process, read each time after the window's threads have ended.
#[derive(Debug, Default)]
struct Memory {
    /// Threads after the first window was closed: a graphics driver keeps a thread of its own.
    n_threads: u64,
    warm: Figures,
    last: Figures,
}

#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    /// Allocated and not freed; 0 if the allocator does not report it.
    in_use_kib: u64,
    /// Resident, including freed memory that the allocator and the system keep.
    resident_kib: u64,
}

impl Memory {
    /// Reads memory after round `n`.
    fn read(&mut self, n: u32, n_rounds: u32) -> Result<()> {
        if n == 1 {
            std::thread::sleep(Duration::from_secs(1));
            self.n_threads = status("Threads:")?;
        }
        await_some("the end of the window's threads", || {
            Ok((status("Threads:")? <= self.n_threads).then_some(()))
        })?;
        if n.is_multiple_of(ROUNDS_PER_READING) || n == n_rounds {
            self.last = figures()?;
            let Figures {
                in_use_kib,
                resident_kib,
            } = self.last;
            println!("after {n} rounds: {in_use_kib} KiB in use, {resident_kib} KiB resident");
        }
        if n == N_WARM {
            self.warm = self.last;
        }
        Ok(())
    }
}

/// The figures, after the allocator has returned what it can to the system.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "there is no safe interface for it")]
fn figures() -> Result<Figures> {
    // SAFETY: these calls touch nothing that is in use.
    let allocated = unsafe {
        libc::malloc_trim(0);
        libc::mallinfo2()
    };
    Ok(Figures {
        in_use_kib: u64::try_from(allocated.uordblks + allocated.hblkhd)? / 1024,
        resident_kib: status("VmRSS:")?,
    })
}

#[cfg(not(target_env = "gnu"))]
fn figures() -> Result<Figures> {
    Ok(Figures {
        in_use_kib: 0,
        resident_kib: status("VmRSS:")?,
    })
}

/// A figure of this process from Linux's `/proc`.
fn status(name: &str) -> Result<u64> {
    let what = || format!("looking for {name} in /proc/self/status");
    let status = std::fs::read_to_string("/proc/self/status").with_context(what)?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.with_context(what)?.parse().with_context(what)
}
