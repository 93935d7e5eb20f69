//! The thread that draws an open window, and its end.
//!
//! On X11 each window has one. baseview 0.4.2 does not always wait for it when a window closes, and never when the process
//! exits with the window open. Then the OpenGL library shuts down while the thread is still releasing its resources, and the
//! process crashes. On other systems windows are drawn on the main thread, and this module does nothing.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use nice_plug_egui::baseview::WindowWaker;

/// Longest wait for a thread to end: it only has to release its resources, so after this long the display is stuck.
const END_TIMEOUT: Duration = Duration::from_secs(3);

/// Interval between polls.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Threads that may still run when the process exits.
static THREADS: Mutex<Vec<Weak<WindowThread>>> = Mutex::new(Vec::new());

/// A handle to the thread of an editor window.
#[derive(Debug, Default)]
pub(super) struct WindowThread {
    /// The process is exiting, so the window has to close itself.
    is_ending: AtomicBool,
    running: Mutex<Option<Running>>,
}

/// A thread that has started and may have ended.
struct Running {
    /// The thread's folder in `/proc`, which exists while the thread lives.
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
    /// Registers the calling thread as the window's. Call it after OpenGL is initialised: exit handlers run in reverse order
    /// of registration.
    pub(super) fn begin(self: &Arc<Self>, waker: WindowWaker) {
        static ANNOUNCED: Once = Once::new();
        // Without `/proc` there is no way to wait for the thread.
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

    /// Whether the window has to close itself.
    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire)
    }

    /// Waits until the thread, if one was started, has ended; at most [`END_TIMEOUT`]. Its window must already be closing.
    pub(super) fn await_end(&self) {
        let folder = self.lock().take().map(|running| running.folder);
        let begun = Instant::now();
        while folder.as_deref().is_some_and(Path::exists) && begun.elapsed() < END_TIMEOUT {
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

/// Registers an exit handler that closes all open windows first.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "`atexit` has no safe wrapper")]
fn announce() {
    // SAFETY: the function stays valid, because the plugin's code is never unloaded (`build.rs`).
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
