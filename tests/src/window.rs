//! The plugin window inside a host window, for any format.

use std::time::Duration;

/// A plugin whose window can be opened inside the host's. Main thread only.
pub trait PluginWindow {
    /// Opens it inside a host window, given by its X11 number. The host pauses for `gap` between its calls; a VST3 host
    /// needs only one call.
    ///
    /// # Errors
    /// If the plugin fails.
    fn open(&mut self, parent: u32, gap: Duration) -> anyhow::Result<()>;

    /// Resizes it, in pixels.
    ///
    /// # Errors
    /// If the plugin refuses the size.
    fn resize(&mut self, size: (u16, u16)) -> anyhow::Result<()>;

    /// Runs what the plugin has requested to run on the main thread.
    fn serve(&mut self);

    /// Closes it.
    ///
    /// # Errors
    /// If the plugin refuses.
    fn close(&mut self) -> anyhow::Result<()>;
}
