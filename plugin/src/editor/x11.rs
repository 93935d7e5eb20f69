//! Maps the window on X11 before its event loop runs, which the toolkit does not do.
//!
//! baseview 0.4.2 asks the X server when to draw, but subscribes to the answers only once the window is mapped. If it asks
//! before that, the answer is lost, it never asks again, and the window stays blank. A window that is mapped while it is built
//! is safe: its event loop reads the map event first. Linux only; window thread and main thread.

use std::thread;
use std::time::{Duration, Instant};

use raw_window_handle::{HasWindowHandle, RawWindowHandle};
use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::xproto::{
    ConnectionExt as _, CreateWindowAux, MapState, Window as WindowId, WindowClass,
};
use x11rb::rust_connection::RustConnection;

/// Longest wait for a window manager to map a window. Inside a host's window there is no window manager and no wait.
const X11_TIMEOUT: Duration = Duration::from_secs(2);

/// Interval between polls.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Why talking to the X server failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum X11Error {
    #[error("no connection to the X server: {0}")]
    Connect(#[from] ConnectError),
    #[error("the X server does not answer: {0}")]
    Connection(#[from] ConnectionError),
    #[error("the X server refuses: {0}")]
    Reply(#[from] ReplyError),
    #[error("the X server refuses: {0}")]
    Id(#[from] ReplyOrIdError),
}

/// Maps the window being built and waits until the X server has done so. It becomes visible only when its parents are.
///
/// # Errors
/// [`X11Error`], for instance if the display takes no second connection.
pub(super) fn map_own(window: &impl HasWindowHandle) -> Result<(), X11Error> {
    // baseview's window is always one of these, and X11 ids have 32 bits.
    let window = match window.window_handle().map(|handle| handle.as_raw()) {
        Ok(RawWindowHandle::Xlib(handle)) => WindowId::try_from(handle.window).unwrap_or_default(),
        Ok(RawWindowHandle::Xcb(handle)) => handle.window.get(),
        _ => return Ok(()),
    };
    let (connection, _) = x11rb::connect(None)?;
    connection.map_window(window)?.check()?;
    let begun = Instant::now();
    let is_mapped = || -> Result<bool, X11Error> {
        let attributes = connection.get_window_attributes(window)?.reply()?;
        Ok(attributes.map_state != MapState::UNMAPPED)
    };
    while !is_mapped()? && begun.elapsed() < X11_TIMEOUT {
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// A hidden parent for the plugin window until the host gives its own: CLAP hosts create the window first and set its parent
/// later. Dropping it destroys any window still inside.
#[derive(Debug)]
pub(super) struct HoldingWindow {
    /// The X server destroys the window when this closes.
    _connection: RustConnection,
    id: WindowId,
}

impl HoldingWindow {
    /// # Errors
    /// [`X11Error`] if there is no display.
    pub(super) fn new() -> Result<Self, X11Error> {
        let (connection, screen) = x11rb::connect(None)?;
        let root = connection.setup().roots[screen].root;
        let id = connection.generate_id()?;
        let (at, size, border) = ((0, 0), (1, 1), 0);
        connection
            .create_window(
                x11rb::COPY_DEPTH_FROM_PARENT,
                id,
                root,
                at.0,
                at.1,
                size.0,
                size.1,
                border,
                WindowClass::INPUT_OUTPUT,
                x11rb::COPY_FROM_PARENT,
                // Window managers ignore it.
                &CreateWindowAux::new().override_redirect(1),
            )?
            .check()?;
        Ok(Self {
            _connection: connection,
            id,
        })
    }

    pub(super) fn id(&self) -> WindowId {
        self.id
    }
}
