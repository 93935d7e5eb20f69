//! The thread that draws an open window, and its end.
//!
//! On X11 each window has one. baseview 0.4.2 does not always wait for its end when a window is closed, and never when the
//! process ends with the window open. What the thread still gives back then, the process's own end has taken away: OpenGL's
//! library is finished before the thread is, and the process crashes. On other systems windows are drawn on the main thread,
//! and nothing here does anything.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use nice_plug_egui::baseview::WindowWaker;

/// Longest wait for a thread's end: it only has to give back what it has, so a longer one is stuck in the display.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long is waited before the next look.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Threads that may still run when the process ends.
static THREADS: Mutex<Vec<Weak<WindowThread>>> = Mutex::new(Vec::new());

/// The thread of an editor's window, as others see it.
#[derive(Debug, Default)]
pub(super) struct WindowThread {
    /// The process ends: the window is to close by itself.
    is_ending: AtomicBool,
    running: Mutex<Option<Running>>,
}

/// A thread that has begun, and may have ended.
struct Running {
    /// A folder that Linux keeps for as long as the thread lives.
    folder: PathBuf,
    waker: WindowWaker,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl WindowThread {
    /// Notes the thread that calls this as the window's. To be called after OpenGL has begun: what begins first at the
    /// process's end is what was announced last.
    pub(super) fn begin(self: &Arc<Self>, waker: WindowWaker) {
        static ANNOUNCED: Once = Once::new();
        // Where there is no such folder, there is nothing to wait for.
        let Ok(thread) = std::fs::read_link("/proc/thread-self") else {
            return;
        };
        let folder = Path::new("/proc").join(thread);
        *self.lock() = Some(Running { folder, waker });
        let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| thread.strong_count() > 0);
        if !threads
            .iter()
            .any(|thread| thread.as_ptr() == Arc::as_ptr(self))
        {
            threads.push(Arc::downgrade(self));
        }
        ANNOUNCED.call_once(announce);
    }

    /// Whether the window is to close by itself.
    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire)
    }

    /// Waits until the thread has ended, if one has begun, at most [`PATIENCE`]. Its window must have been told to close.
    pub(super) fn await_end(&self) {
        let folder = self.lock().take().map(|running| running.folder);
        let begun = Instant::now();
        while folder.as_deref().is_some_and(Path::exists) && begun.elapsed() < PATIENCE {
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Tells the window to close.
    fn end(&self) {
        self.is_ending.store(true, Ordering::Release);
        if let Some(running) = &*self.lock() {
            running.waker.request_redraw();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has the windows that are open when the process ends closed before anything else ends.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "there is no safe way to ask for it")]
fn announce() {
    // SAFETY: the function lives as long as the process, for the plugin's code is never unloaded (`build.rs`).
    let _cannot = unsafe { libc::atexit(end_all) };
}

#[cfg(not(target_os = "linux"))]
fn announce() {}

#[cfg(target_os = "linux")]
extern "C" fn end_all() {
    let threads = std::mem::take(&mut *THREADS.lock().unwrap_or_else(PoisonError::into_inner));
    let threads: Vec<_> = threads.iter().filter_map(Weak::upgrade).collect();
    for thread in &threads {
        thread.end();
    }
    for thread in &threads {
        thread.await_end();
    }
}
