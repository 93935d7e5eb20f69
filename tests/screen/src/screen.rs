//! Windows, the pointer and pictures of a display.

use anyhow::{Context as _, Result, ensure};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConfigureWindowAux, ConnectionExt as _,
    CreateWindowAux, ImageFormat, MOTION_NOTIFY_EVENT, MapState, WindowClass,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::{LOOK_EVERY, Picture, await_some};

/// The X server's number for a window.
pub type WindowId = u32;

/// A place in a window, in pixels from its upper left corner.
pub type Point = (i16, i16);

/// The left button of the pointer.
const LEFT: u8 = 1;

/// Steps of a drag; a real hand does not jump.
const DRAG_STEPS: i16 = 12;

/// A connection to a display.
#[derive(Debug)]
pub struct Screen {
    connection: RustConnection,
    root: WindowId,
}

impl Screen {
    /// Opens a display by name, or the one that the environment names.
    ///
    /// # Errors
    /// If there is no such display.
    pub fn open(display: Option<&str>) -> Result<Self> {
        let (connection, number) = x11rb::connect(display).with_context(|| {
            let named = display.unwrap_or("named by DISPLAY");
            format!("opening the display {named}")
        })?;
        let root = connection
            .setup()
            .roots
            .get(number)
            .context("the display has no screen")?
            .root;
        Ok(Self { connection, root })
    }

    /// Waits until a window with this title is on the screen.
    ///
    /// # Errors
    /// If it does not come within [`TIMEOUT`](crate::TIMEOUT).
    pub fn window(&self, title: &str) -> Result<WindowId> {
        await_some(&format!("the window {title:?}"), || {
            let tree = self.connection.query_tree(self.root)?.reply()?;
            for window in tree.children {
                if self.is_shown(window)? && self.title(window)? == title {
                    return Ok(Some(window));
                }
            }
            Ok(None)
        })
    }

    /// Waits until a window has a visible child.
    ///
    /// # Errors
    /// If it does not within [`TIMEOUT`](crate::TIMEOUT).
    pub fn inside(&self, window: WindowId) -> Result<WindowId> {
        await_some("the window inside the host's", || {
            for inner in self.connection.query_tree(window)?.reply()?.children {
                if self.is_shown(inner)? {
                    return Ok(Some(inner));
                }
            }
            Ok(None)
        })
    }

    fn is_shown(&self, window: WindowId) -> Result<bool> {
        // A window closed since it was listed is not shown.
        let attributes = self.connection.get_window_attributes(window)?.reply();
        Ok(attributes.is_ok_and(|attributes| attributes.map_state == MapState::VIEWABLE))
    }

    fn title(&self, window: WindowId) -> Result<String> {
        let (name, any) = (AtomEnum::WM_NAME, AtomEnum::ANY);
        let asked = self
            .connection
            .get_property(false, window, name, any, 0, 64)?;
        let value = asked.reply().map(|property| property.value);
        Ok(String::from_utf8(value.unwrap_or_default())?)
    }

    /// An empty window at the upper left corner, as a host makes for a plugin editor.
    ///
    /// # Errors
    /// If the server refuses it.
    pub fn make_window(&self, size: (u16, u16)) -> Result<WindowId> {
        let window = self.make_hidden_window(size)?;
        self.show_window(window)?;
        Ok(window)
    }

    /// The same, but not shown yet.
    ///
    /// # Errors
    /// If the server refuses it.
    pub fn make_hidden_window(&self, (width, height): (u16, u16)) -> Result<WindowId> {
        let window = self.connection.generate_id()?;
        self.connection
            .create_window(
                x11rb::COPY_DEPTH_FROM_PARENT,
                window,
                self.root,
                0,
                0,
                width,
                height,
                0,
                WindowClass::INPUT_OUTPUT,
                x11rb::COPY_FROM_PARENT,
                &CreateWindowAux::new(),
            )?
            .check()
            .context("making a window")?;
        Ok(window)
    }

    /// Shows a window made by [`Self::make_hidden_window`].
    ///
    /// # Errors
    /// If it no longer exists.
    pub fn show_window(&self, window: WindowId) -> Result<()> {
        let shown = self.connection.map_window(window)?.check();
        shown.context("showing a window")
    }

    /// Closes a window made by [`Self::make_window`].
    ///
    /// # Errors
    /// If it no longer exists.
    pub fn close_window(&self, window: WindowId) -> Result<()> {
        let closed = self.connection.destroy_window(window)?.check();
        closed.context("closing a window")
    }

    /// Resizes a window, and moves it to the upper left corner.
    ///
    /// # Errors
    /// If it no longer exists.
    pub fn resize(&self, window: WindowId, (width, height): (u16, u16)) -> Result<()> {
        let size = ConfigureWindowAux::new()
            .x(0)
            .y(0)
            .width(u32::from(width))
            .height(u32::from(height));
        let resized = self.connection.configure_window(window, &size)?.check();
        resized.context("resizing a window")
    }

    /// A window's current picture.
    ///
    /// # Errors
    /// If it no longer exists, part of it is off the screen, or the screen does not have 24-bit colours.
    pub fn picture(&self, window: WindowId) -> Result<Picture> {
        let size = self.connection.get_geometry(window)?.reply()?;
        let (format, every_plane) = (ImageFormat::Z_PIXMAP, u32::MAX);
        let image = self
            .connection
            .get_image(format, window, 0, 0, size.width, size.height, every_plane)?
            .reply()
            .context("taking a picture of a window")?;
        ensure!(
            image.depth == 24,
            "the screen has {} bits per pixel, not 24",
            image.depth
        );
        // Blue, green, red and an unused byte, if the server has this machine's byte order.
        let mut rgb = Vec::with_capacity(image.data.len() / 4 * 3);
        for pixel in image.data.chunks_exact(4) {
            rgb.extend([pixel[2], pixel[1], pixel[0]]);
        }
        Picture::new(u32::from(size.width), u32::from(size.height), rgb)
    }

    /// Moves the pointer to a place in a window.
    ///
    /// # Errors
    /// If the server lacks the XTEST extension.
    pub fn point(&self, window: WindowId, at: Point) -> Result<()> {
        let on_root = self
            .connection
            .translate_coordinates(window, self.root, at.0, at.1)?
            .reply()
            .context("finding a window on the screen")?;
        self.fake(MOTION_NOTIFY_EVENT, 0, (on_root.dst_x, on_root.dst_y))
    }

    /// Clicks at a place in a window.
    ///
    /// # Errors
    /// If the server lacks the XTEST extension.
    pub fn click(&self, window: WindowId, at: Point) -> Result<()> {
        self.drag(window, at, at)
    }

    /// Presses the left button at one place, moves to another and releases it.
    ///
    /// # Errors
    /// If the server lacks the XTEST extension.
    pub fn drag(&self, window: WindowId, from: Point, to: Point) -> Result<()> {
        // The window needs time to draw between events: a press and release between two frames would go unnoticed.
        let rest = || std::thread::sleep(3 * LOOK_EVERY);
        self.point(window, from)?;
        rest();
        self.fake(BUTTON_PRESS_EVENT, LEFT, (0, 0))?;
        rest();
        if from != to {
            for step in 1..=DRAG_STEPS {
                let between = |from: i16, to: i16| from + (to - from) / DRAG_STEPS * step;
                self.point(window, (between(from.0, to.0), between(from.1, to.1)))?;
                rest();
            }
            self.point(window, to)?;
            rest();
        }
        self.fake(BUTTON_RELEASE_EVENT, LEFT, (0, 0))?;
        rest();
        Ok(())
    }

    fn fake(&self, event: u8, button: u8, (x, y): Point) -> Result<()> {
        self.connection
            .xtest_fake_input(event, button, x11rb::CURRENT_TIME, self.root, x, y, 0)?
            .check()
            .context("moving the pointer, for which the X server needs XTEST")?;
        Ok(self.connection.sync()?)
    }
}
