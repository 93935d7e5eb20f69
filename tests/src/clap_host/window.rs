//! The window of the CLAP plugin, and how changes in it reach the host.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use clack_extensions::gui::{
    GuiApiType, GuiConfiguration, GuiSize, HostGuiImpl, PluginGui, Window,
};
use clack_host::events::spaces::CoreEventSpace;
use clack_host::prelude::*;

use super::{Callbacks, ClapHost, Handlers, Param};
use crate::{PluginWindow, WindowEdit, WindowEditKind};

/// The plugin on its main thread, whether it is playing or not.
pub struct ClapWindow<'a>(pub(super) &'a mut PluginInstance<Handlers>);

impl std::fmt::Debug for ClapWindow<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClapWindow").finish_non_exhaustive()
    }
}

impl ClapWindow<'_> {
    fn extension(&mut self) -> anyhow::Result<PluginGui> {
        let handle = self.0.plugin_handle();
        handle.get_extension().context("the plugin has no window")
    }
}

impl ClapHost {
    /// Whether the plugin offers a window to this host.
    pub fn has_window(&mut self) -> bool {
        self.window().extension().is_ok()
    }

    /// The plugin on its main thread, while it is not playing.
    pub fn window(&mut self) -> ClapWindow<'_> {
        ClapWindow(&mut self.instance)
    }
}

impl PluginWindow for ClapWindow<'_> {
    fn open(&mut self, parent: u32, gap: Duration) -> anyhow::Result<()> {
        let gui = self.extension()?;
        let handle = self.0.plugin_handle();
        let embedded = GuiConfiguration {
            api_type: GuiApiType::X11,
            is_floating: false,
        };
        gui.create(&handle, embedded).context("making the window")?;
        std::thread::sleep(gap);
        #[expect(unsafe_code, reason = "the parent window must outlive the plugin's")]
        // SAFETY: callers close the plugin window before its parent.
        unsafe { gui.set_parent(&handle, Window::from_x11_handle(parent.into())) }
            .context("putting the window into the host's")?;
        std::thread::sleep(gap);
        gui.show(&handle).context("showing the window")
    }

    fn resize(&mut self, (width, height): (u16, u16)) -> anyhow::Result<()> {
        let gui = self.extension()?;
        let handle = self.0.plugin_handle();
        let (width, height) = (width.into(), height.into());
        let asked = GuiSize { width, height };
        // Like a host whose window corner is dragged, ask first whether the size is allowed.
        anyhow::ensure!(
            gui.can_resize(&handle) && gui.adjust_size(&handle, asked) == Some(asked),
            "the window cannot have {width} x {height} pixels"
        );
        gui.set_size(&handle, asked)
            .with_context(|| format!("resizing the window to {width} x {height} pixels"))
    }

    fn serve(&mut self) {
        let wants = |shared: &Callbacks| shared.wants_main_thread.swap(false, Ordering::AcqRel);
        if self.0.access_shared_handler(wants) {
            self.0.call_on_main_thread_callback();
        }
    }

    fn close(&mut self) -> anyhow::Result<()> {
        let gui = self.extension()?;
        gui.destroy(&self.0.plugin_handle());
        Ok(())
    }
}

/// The change in the plugin window that an event reports, if any.
pub(super) fn window_edit(params: &[Param], event: CoreEventSpace<'_>) -> Option<WindowEdit> {
    let (id, what) = match event {
        CoreEventSpace::ParamGestureBegin(begin) => (begin.param_id()?, WindowEditKind::Begin),
        CoreEventSpace::ParamValue(value) => {
            (value.param_id()?, WindowEditKind::Turn(value.value()))
        }
        CoreEventSpace::ParamGestureEnd(end) => (end.param_id()?, WindowEditKind::End),
        _ => return None,
    };
    let param = params.iter().find(|param| param.id == id)?;
    let kind = match what {
        WindowEditKind::Turn(value) => WindowEditKind::Turn(value / param.max),
        other => other,
    };
    Some(WindowEdit {
        name: param.name.clone(),
        kind,
    })
}

/// The host lets its window follow the plugin's size.
impl HostGuiImpl for Callbacks {
    fn resize_hints_changed(&self) {}

    fn request_resize(&self, _: GuiSize) -> Result<(), HostError> {
        Ok(())
    }

    fn request_show(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn request_hide(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn closed(&self, _: bool) {}
}
