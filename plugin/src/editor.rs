//! The editor window: what the drummer hears, what it plays and will play, and the knobs.
//!
//! Everything scales with the window, from 75 % to 200 % and beyond. The editor reads the parameters and the snapshots that
//! the audio thread sends ([`mod@crate::snapshots`]); it changes parameters through the host and pins through [`StoredPins`].
//! It never makes the audio thread wait.
//!
//! [`StoredPins`]: crate::params::StoredPins

mod bars;
mod board;
mod card;
mod grid;
mod hands;
mod kit_page;
mod lock;
mod look;
mod pages;
mod pencil;
mod roll;
mod shelf;
mod takeaway;
mod watch;
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
use hands::Hands;
use look::{BASE_HEIGHT, BASE_WIDTH, Look};
use pages::Page;
use pencil::Pencil;
use shelf::Shelf;
use takeaway::TakeAway;
use watch::Watch;
pub use window::{Editor, Handle, Window};
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
    watch: Watch,
    pencil: Pencil,
    page: Page,
    shelf: Shelf,
    take_away: TakeAway,
    /// Set from outside to close the window.
    is_over: Arc<AtomicBool>,
    thread: Arc<WindowThread>,
    /// `None` until the window is first opened.
    host: Option<Host>,
}

/// Access to the host, which sets the parameters.
#[derive(Clone)]
struct Host(GuiContext);

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Host").finish_non_exhaustive()
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
        watch: Watch::new(seen, status),
        pencil: Pencil::new(Arc::clone(&params)),
        page: Page::default(),
        shelf: Shelf::new(&params),
        take_away: TakeAway::new(archive),
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
        Look::dress(&egui);
        self.host = Some(Host(host));
        let window = frame.baseview_window();
        self.thread.begin(window.waker());
        #[cfg(target_os = "linux")]
        if let Err(error) = x11::map_own(window) {
            nice_error!("Lockstep's window may stay blank: {error}");
        }
        Ok(())
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut Frame) {
        let Some(Host(host)) = self.host.clone() else {
            return;
        };
        if self.is_over.load(Ordering::Acquire) || self.thread.is_ending() {
            ui.ctx().send_viewport_cmd(ViewportCommand::Close);
        }
        self.show(ui, &Hands::new(&host));
        // The playhead moves for as long as the window is open.
        ui.ctx().request_repaint_after_secs(FRAME_S);
    }
}

impl App {
    /// Draws the window and handles clicks.
    fn show(&mut self, ui: &mut egui::Ui, hands: &Hands<'_>) {
        let look = Look::fitting(ui);
        ui.painter().rect_filled(ui.max_rect(), 0.0, look::GROUND);
        self.watch.look();
        self.pencil.follow_keys(ui);
        pages::top(ui, look, &mut self.page, |ui| {
            self.take_away.show(ui, look);
            self.shelf.show(ui, look, hands);
        });
        match self.page {
            Page::Play => {
                board::show(ui, look, hands, &self.params, &self.watch, &mut self.pencil);
            }
            Page::Kit => kit_page::show(ui, look, hands, &self.params),
            Page::Setup => {
                let shown = (&self.take_away, &self.watch);
                pages::setup(ui, look, hands, &self.params, shown);
            }
            Page::About => pages::about(ui, look, &self.params, &self.watch),
        }
        self.pencil.tell(hands);
    }
}
