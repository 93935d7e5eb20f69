//! The editor window: what the drummer hears, what it plays and will play, and the knobs.
//!
//! Everything scales with the window, from 75 % to 200 % and beyond. The editor reads the parameters and the snapshots that
//! the audio thread sends ([`lockstep_engine::snapshots`]); it changes parameters through the host and pins through [`StoredPins`].
//! It never makes the audio thread wait.
//!
//! [`StoredPins`]: crate::params::StoredPins

mod card;
mod export_dialog;
mod grid;
mod kit_page;
mod knobs;
mod lock;
mod monitor;
mod pages;
mod pin_editor;
mod play_page;
mod preset_bar;
mod roll;
mod rows;
mod setter;
mod theme;
mod widgets;
mod window;
mod window_thread;
#[cfg(target_os = "linux")]
mod x11;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use egui::ViewportCommand;
use lockstep_engine::snapshots::SnapshotReceiver;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug::editor::{ResizeHint, SizeConstraints};
#[cfg(target_os = "linux")]
use nice_plug::prelude::nice_error;
use nice_plug_egui::baseview::HandlerError;
use nice_plug_egui::{
    EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, create_egui_editor,
};

use crate::capture::ArchiveHandle;
use crate::generator::GeneratorStatus;
use crate::params::LockstepParams;
use export_dialog::ExportDialog;
use monitor::Monitor;
use pages::Page;
use pin_editor::PinEditor;
use preset_bar::PresetBar;
use rows::Rows;
use setter::Setter;
use theme::{BASE_HEIGHT, BASE_WIDTH, Theme};
pub use window::{Editor, Handle, OpenWindow};
use window_thread::WindowThread;

/// Smallest size of the editor window, as a fraction of the size it opens at.
const SMALLEST: f32 = 0.75;

/// Time between redraws, in seconds: 60 redraws per second.
///
/// FIXME: 30 on X11, where baseview 0.4.2 waits for every second refresh of the screen.
const FRAME_S: f32 = 1.0 / 60.0;

/// The state behind the editor window, open or closed.
#[derive(Debug)]
pub struct App {
    params: Arc<LockstepParams>,
    monitor: Monitor,
    pin_editor: PinEditor,
    rows: Rows,
    page: Page,
    preset_bar: PresetBar,
    export_dialog: ExportDialog,
    /// Set from outside to close the window.
    is_over: Arc<AtomicBool>,
    thread: Arc<WindowThread>,
    /// `None` until the window is first opened.
    host: Option<HostContext>,
}

/// Access to the host, which sets the parameters.
#[derive(Clone)]
struct HostContext(GuiContext);

impl std::fmt::Debug for HostContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HostContext").finish_non_exhaustive()
    }
}

/// Makes the editor. The host opens its window; setting `is_over` closes an open one.
pub fn editor(
    params: Arc<LockstepParams>,
    seen: SnapshotReceiver,
    status: Arc<GeneratorStatus>,
    archive: Arc<OnceLock<ArchiveHandle>>,
    is_over: Arc<AtomicBool>,
) -> Option<Editor> {
    let size = LogicalSize::new(BASE_WIDTH, BASE_HEIGHT);
    let smallest = LogicalSize::new(BASE_WIDTH * SMALLEST, BASE_HEIGHT * SMALLEST);
    let settings = EguiNiceSettings {
        title: "Lockstep".to_owned(),
        resize_hint: ResizeHint {
            can_resize: true,
            can_resize_horizontally: true,
            can_resize_vertically: true,
            size_constraints: SizeConstraints::Logical {
                min_size: Some(smallest),
                max_size: None,
            },
            ..ResizeHint::default()
        },
        ..EguiNiceSettings::default()
    };
    let thread = Arc::<WindowThread>::default();
    let app = App {
        monitor: Monitor::new(seen, status),
        pin_editor: PinEditor::new(Arc::clone(&params)),
        rows: Rows::default(),
        page: Page::default(),
        preset_bar: PresetBar::new(&params),
        export_dialog: ExportDialog::new(archive),
        params,
        is_over,
        thread: Arc::clone(&thread),
        host: None,
    };
    let state = EguiEditorState::from_size(size, 1.0);
    let egui = create_egui_editor(state, RepaintNotifier::new(), settings, app)?;
    Some(Editor::new(egui, thread))
}

impl NiceEguiApp for App {
    fn build(
        &mut self,
        egui: egui::Context,
        host: GuiContext,
        frame: &mut Frame,
    ) -> Result<(), HandlerError> {
        Theme::install(&egui);
        self.host = Some(HostContext(host));
        let window = frame.baseview_window();
        self.thread.begin(window.waker());
        #[cfg(target_os = "linux")]
        if let Err(error) = x11::map_own(window) {
            nice_error!("Lockstep's window may stay blank: {error}");
        }
        Ok(())
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut Frame) {
        let Some(HostContext(host)) = self.host.clone() else {
            return;
        };
        if self.is_over.load(Ordering::Acquire) || self.thread.is_ending() {
            ui.ctx().send_viewport_cmd(ViewportCommand::Close);
        }
        self.show(ui, &Setter::new(&host));
        // The playhead moves for as long as the window is open.
        ui.ctx().request_repaint_after_secs(FRAME_S);
    }
}

impl App {
    /// Draws the window and handles clicks.
    fn show(&mut self, ui: &mut egui::Ui, setter: &Setter<'_>) {
        let theme = Theme::for_window(ui);
        ui.painter().rect_filled(ui.max_rect(), 0.0, theme::GROUND);
        self.monitor.poll();
        self.pin_editor.follow_keys(ui);
        pages::top(ui, theme, &mut self.page, |ui| {
            self.export_dialog.show(ui, theme);
            self.preset_bar.show(ui, theme, setter);
        });
        match self.page {
            Page::Play => {
                play_page::show(
                    ui,
                    theme,
                    setter,
                    &self.params,
                    &self.monitor,
                    (&mut self.pin_editor, &mut self.rows),
                );
            }
            Page::Kit => kit_page::show(ui, theme, setter, &self.params),
            Page::Setup => {
                let shown = (&self.export_dialog, &self.monitor);
                pages::setup(ui, theme, setter, &self.params, shown);
            }
            Page::About => pages::about(ui, theme, &self.params, &self.monitor),
        }
        self.pin_editor.notify_host(setter);
    }
}
