//! The program `window_openings`, on Linux.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use lockstep_hosts::{ClapHost, PluginWindow, Vst3Host};
use lockstep_screen::places::size;
use lockstep_screen::{Screen, await_some};

/// A window still blank after this time stays blank: a busy machine takes half a second.
const BLANK_AFTER: Duration = Duration::from_secs(4);

/// Polling interval.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The first window of an instance, and a second one.
const OPENINGS_A_ROUND: u32 = 2;

/// Rounds after which everything that a graphics driver makes once exists.
const N_WARM: u32 = 1;

/// Opens and closes the plugin window as hosts do.
#[derive(Debug, clap::Parser)]
pub(crate) struct Args {
    /// Plugin format
    #[arg(value_enum)]
    format: Bundle,
    /// How many instances open their window, twice each
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Pause between two calls of the host, in milliseconds
    #[arg(long, default_value_t = 0)]
    gap_ms: u64,
    /// The host shows its own window only after the plugin's
    #[arg(long)]
    parent_last: bool,
    /// Threads that keep the machine busy meanwhile
    #[arg(long, default_value_t = 0)]
    busy: u32,
    /// End the process with the last window open
    #[arg(long)]
    leave_open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Bundle {
    Clap,
    Vst3,
}

impl Args {
    /// # Errors
    /// If the plugin refuses a call, or the display goes away.
    pub(crate) fn run(&self) -> Result<()> {
        static IS_OVER: AtomicBool = AtomicBool::new(false);
        let screen = Screen::open(None)?;
        for _ in 0..self.busy {
            thread::spawn(|| {
                while !IS_OVER.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let mut seen = Seen::default();
        for round in 1..=self.rounds {
            // The first window of an instance may behave differently from its second.
            match self.format {
                Bundle::Clap => {
                    self.round(&screen, &mut ClapHost::open()?.window(), round, &mut seen)
                }
                Bundle::Vst3 => {
                    self.round(&screen, &mut Vst3Host::open()?.window(), round, &mut seen)
                }
            }
            .with_context(|| format!("round {round}"))?;
        }
        seen.report();
        IS_OVER.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Opens the window, checks it, closes it, and opens it once more.
    fn round(
        &self,
        screen: &Screen,
        window: &mut dyn PluginWindow,
        round: u32,
        seen: &mut Seen,
    ) -> Result<()> {
        let gap = Duration::from_millis(self.gap_ms);
        let own_name = std::fs::read_to_string("/proc/self/comm")?;
        let own_name = own_name.trim();
        for time in 1..=OPENINGS_A_ROUND {
            let before = threads()?;
            let begun = Instant::now();
            let parent = if self.parent_last {
                screen.make_hidden_window(size(100))?
            } else {
                screen.make_window(size(100))?
            };
            window.open(parent, gap)?;
            if self.parent_last {
                thread::sleep(gap);
                screen.show_window(parent)?;
            }
            let shown = Instant::now();
            let mut is_blank = true;
            while is_blank && shown.elapsed() < BLANK_AFTER {
                thread::sleep(POLL_INTERVAL);
                window.serve();
                is_blank = screen.picture(parent)?.is_blank();
            }
            seen.n_opened += 1;
            seen.n_blank += u32::from(is_blank);
            seen.slowest = seen.slowest.max(begun.elapsed());
            if self.leave_open && round == self.rounds && time == OPENINGS_A_ROUND {
                seen.report();
                // Like a host that exits without closing anything.
                std::process::exit(0);
            }
            let closing = Instant::now();
            window.close()?;
            seen.slowest_close = seen.slowest_close.max(closing.elapsed());
            if round > N_WARM {
                let is_new = |(id, _): &(String, String)| !before.contains_key(id);
                let left = threads()?.into_iter().filter(is_new);
                seen.of_opengl
                    .extend(left.map(|(_, name)| name).filter(|name| *name != own_name));
                await_some("the end of the other threads", || {
                    let is_over = !threads()?.into_iter().any(|thread| is_new(&thread));
                    Ok(is_over.then_some(()))
                })?;
            }
            screen.close_window(parent)?;
        }
        Ok(())
    }
}

/// Counts over all windows.
#[derive(Debug, Default)]
struct Seen {
    n_opened: u32,
    n_blank: u32,
    /// The graphics driver's threads that were still running when their window had been closed. Threads without a name
    /// of their own are left out: they may belong to the clipboard, which nobody joins and which ends soon.
    of_opengl: Vec<String>,
    slowest: Duration,
    slowest_close: Duration,
}

impl Seen {
    fn report(&self) {
        println!("opened: {}", self.n_opened);
        println!("blank: {}", self.n_blank);
        println!(
            "closed with OpenGL's threads left: {}",
            self.of_opengl.len()
        );
        println!("slowest to open, in ms: {}", self.slowest.as_millis());
        println!(
            "slowest to close, in ms: {}",
            self.slowest_close.as_millis()
        );
    }
}

/// The threads of this process, with their names.
fn threads() -> Result<BTreeMap<String, String>> {
    let entries = std::fs::read_dir("/proc/self/task").context("listing the threads")?;
    entries
        .map(|entry| {
            let folder = entry?.path();
            // A thread that has ended meanwhile has no name.
            let name = std::fs::read_to_string(folder.join("comm")).unwrap_or_default();
            Ok((folder.display().to_string(), name.trim().to_owned()))
        })
        .collect()
}
