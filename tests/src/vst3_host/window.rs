//! The window of a VST3 plugin.

use std::time::Duration;

use vst3_host::{Plugin, WindowHandle};

use crate::PluginWindow;
use crate::vst3_host::Vst3Host;

/// The plugin between two blocks.
pub struct Vst3Window<'a>(pub(super) &'a mut Plugin);

impl std::fmt::Debug for Vst3Window<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vst3Window").finish_non_exhaustive()
    }
}

impl Vst3Host {
    /// The plugin while it is not playing.
    pub fn window(&mut self) -> Vst3Window<'_> {
        Vst3Window(&mut self.plugin)
    }
}

impl PluginWindow for Vst3Window<'_> {
    fn open(&mut self, parent: u32, _: Duration) -> anyhow::Result<()> {
        Ok(self.0.open_editor(WindowHandle::from_x11(parent))?)
    }

    fn resize(&mut self, (width, height): (u16, u16)) -> anyhow::Result<()> {
        let asked = (i32::from(width), i32::from(height));
        let given = self.0.resize_editor(asked.0, asked.1)?;
        anyhow::ensure!(
            given == asked,
            "asked for a window of {asked:?}, the plugin gave {given:?}"
        );
        Ok(())
    }

    fn serve(&mut self) {
        self.0.service_run_loop();
    }

    fn close(&mut self) -> anyhow::Result<()> {
        Ok(self.0.close_editor()?)
    }
}
