//! The editor as the plugin framework sees it: wraps egui's so that its window draws in every X11 host and closes cleanly.
//!
//! On Linux a window is mapped while it is built ([`x11`]), inside its own hidden parent until the host gives one, and closing
//! it waits for its thread ([`WindowThread`]). Elsewhere it is egui's plain window. Main thread.
//!
//! [`x11`]: super::x11

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::NativeSize;
use nice_plug::editor::{
    EditorHandle, HostMethods, Modifiers, ParentWindowHandle, ResizeHint, SpawnedEditor,
    VirtualKeyCode,
};
use nice_plug::prelude::TrackInfo;
use nice_plug_egui::{EguiEditor, EguiEditorHandle, baseview};

use super::App;
use super::window_thread::WindowThread;
#[cfg(target_os = "linux")]
use super::x11::HoldingWindow;

/// Opens the plugin window, as often as the host asks.
pub struct Editor {
    egui: EguiEditor<App>,
    thread: Arc<WindowThread>,
}

impl fmt::Debug for Editor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Editor").finish_non_exhaustive()
    }
}

impl Editor {
    /// `thread` is that of the app's window.
    pub(super) fn new(egui: EguiEditor<App>, thread: Arc<WindowThread>) -> Self {
        Self { egui, thread }
    }
}

impl nice_plug::editor::Editor for Editor {
    type Handle = Handle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Handle>, Box<dyn Error>> {
        #[cfg(target_os = "linux")]
        let held = if parent.is_none() && wait_for_parent {
            Some(HoldingWindow::new()?)
        } else {
            None
        };
        #[cfg(target_os = "linux")]
        let parent = parent.or(held
            .as_ref()
            .map(|held| ParentWindowHandle::XlibWindow(held.id().into())));
        let SpawnedEditor { handle, window } = self.egui.spawn(
            parent,
            wait_for_parent,
            fallback_scale_factor,
            context,
            host,
        )?;
        Ok(SpawnedEditor {
            handle: Handle(handle),
            window: OpenWindow {
                inner: window,
                thread: EndGuard(Arc::clone(&self.thread)),
                #[cfg(target_os = "linux")]
                _held: held,
            },
        })
    }

    fn size(&self) -> NativeSize<u32> {
        self.egui.size()
    }

    fn resize_hint(&self) -> ResizeHint {
        self.egui.resize_hint()
    }

    fn track_info_updated(&self, info: TrackInfo) {
        self.egui.track_info_updated(info);
    }

    #[expect(unsafe_code, reason = "the framework's signature")]
    unsafe fn assume_standalone_in_process(&self) {
        // SAFETY: the caller promises the same.
        unsafe { self.egui.assume_standalone_in_process() }
    }
}

/// An open window. Its fields drop in this order.
pub struct OpenWindow {
    inner: baseview::Window,
    thread: EndGuard,
    #[cfg(target_os = "linux")]
    _held: Option<HoldingWindow>,
}

impl fmt::Debug for OpenWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window").finish_non_exhaustive()
    }
}

/// Waits for the window's thread when it is dropped.
struct EndGuard(Arc<WindowThread>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.await_end();
    }
}

/// How the host controls an open window.
pub struct Handle(EguiEditorHandle);

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").finish_non_exhaustive()
    }
}

impl EditorHandle for Handle {
    type Window = OpenWindow;
    type Error = baseview::Error;

    fn run_until_closed(window: OpenWindow) -> Result<(), baseview::Error> {
        let OpenWindow { inner, thread, .. } = window;
        let outcome = EguiEditorHandle::run_until_closed(inner);
        drop(thread);
        outcome
    }

    fn set_parent(
        &self,
        parent: ParentWindowHandle,
        window: &OpenWindow,
    ) -> Result<(), baseview::Error> {
        self.0.set_parent(parent, &window.inner)
    }

    fn show(&self, window: &OpenWindow) -> Result<(), baseview::Error> {
        self.0.show(&window.inner)
    }

    fn hide(&self, window: &OpenWindow) -> Result<(), baseview::Error> {
        self.0.hide(&window.inner)
    }

    fn set_size(&self, size: NativeSize<u32>, window: &OpenWindow) -> Result<(), baseview::Error> {
        self.0.set_size(size, &window.inner)
    }

    fn host_main_thread_callback(&self, window: &OpenWindow) {
        self.0.host_main_thread_callback(&window.inner);
    }

    fn adjust_size(&self, size: NativeSize<u32>, window: &OpenWindow) -> Option<NativeSize<u32>> {
        self.0.adjust_size(size, &window.inner)
    }

    fn set_fallback_scale_factor(
        &self,
        scale_factor: f64,
        window: &OpenWindow,
    ) -> Result<(), baseview::Error> {
        self.0
            .set_fallback_scale_factor(scale_factor, &window.inner)
    }

    fn on_virtual_key_from_host(
        &self,
        key_code: VirtualKeyCode,
        is_down: bool,
        modifiers: Modifiers,
    ) -> bool {
        self.0
            .on_virtual_key_from_host(key_code, is_down, modifiers)
    }

    fn state_changed(&self) {
        self.0.state_changed();
    }

    fn param_value_changed(&self, id: &str, normalized_value: f32) {
        self.0.param_value_changed(id, normalized_value);
    }

    fn param_modulation_changed(&self, id: &str, modulation_offset: f32) {
        self.0.param_modulation_changed(id, modulation_offset);
    }
}
