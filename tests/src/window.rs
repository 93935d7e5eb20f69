//! The plugin's window in a host's, whatever the format.

use std::time::Duration;

/// A plugin whose window can be opened inside the host's. Main thread only.
pub trait PluginWindow {
    /// Opens it inside a window of the host, by its X11 number. The host rests for `gap` between two of its calls; a VST3 host
    /// opens it in one.
    ///
    /// # Errors
    /// If the plugin cannot.
    fn open(&mut self, parent: u32, gap: Duration) -> anyhow::Result<()>;

    /// Gives it another size in pixels.
    ///
    /// # Errors
    /// If the plugin refuses the size.
    fn resize(&mut self, size: (u16, u16)) -> anyhow::Result<()>;

    /// Lets it do what it wants done on the main thread.
    fn serve(&mut self);

    /// Closes it.
    ///
    /// # Errors
    /// If the plugin refuses.
    fn close(&mut self) -> anyhow::Result<()>;
}
