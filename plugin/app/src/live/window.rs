//! The instrument's window, on the main thread. Closing it ends the run, as Ctrl-C does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use lockstep::editor::Editor;
use lockstep::params::Parameters;
use lockstep_engine::channel::TapeWriter;
use nice_plug::context::gui::{GuiContext, GuiContextInner};
use nice_plug::editor::{Editor as _, EditorHandle as _, SpawnedEditor};
use nice_plug::prelude::{ParamPtr, PluginApi, PluginState};

use super::audio_thread::engine::ParameterChange;

/// The open window.
pub(crate) struct AppWindow(SpawnedEditor<<Editor as nice_plug::editor::Editor>::Handle>);

impl AppWindow {
    /// Opens the window.
    ///
    /// # Errors
    /// If there is no display, or it has no OpenGL.
    pub(crate) fn open(
        editor: &Editor,
        parameters: Arc<Parameters>,
        turn: TapeWriter<ParameterChange>,
    ) -> Result<Self> {
        let host = GuiContext::new(Arc::new(WindowHost {
            parameters,
            turn: Mutex::new(turn),
        }));
        #[expect(
            unsafe_code,
            reason = "the framework requires it for a top-level window"
        )]
        // SAFETY: this program has no other windows, and this is its main thread.
        unsafe {
            editor.assume_standalone_in_process();
        }
        editor
            .spawn(None, false, None, host, None)
            .map(Self)
            .map_err(|error| anyhow!("{error}"))
            .context("the window cannot be opened")
    }

    /// Shows the window until it is closed or `is_over` is set.
    ///
    /// # Errors
    /// If the display disappears.
    pub(crate) fn run(self) -> Result<()> {
        let SpawnedEditor { handle, window } = self.0;
        let outcome = <Editor as nice_plug::editor::Editor>::Handle::run_until_closed(window);
        drop(handle);
        outcome.map_err(|error| anyhow!("the window is gone: {error}"))
    }
}

/// The window's host: passes parameter changes to the engine, which applies them in the next block.
struct WindowHost {
    parameters: Arc<Parameters>,
    /// The window's thread alone writes; the framework asks for a host that any thread may call.
    turn: Mutex<TapeWriter<ParameterChange>>,
}

#[expect(
    unsafe_code,
    reason = "the framework hands out its parameters as pointers"
)]
impl GuiContextInner for WindowHost {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Standalone
    }

    unsafe fn raw_begin_set_parameter(&self, _: ParamPtr) {}

    unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
        if let Some(at) = self.parameters.at(param) {
            let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            turn.put(ParameterChange {
                at,
                value: normalized,
            });
        }
    }

    unsafe fn raw_end_set_parameter(&self, _: ParamPtr) {}

    /// Empty: the app itself remembers the parameters.
    fn get_state(&self) -> PluginState {
        PluginState {
            version: String::new(),
            params: BTreeMap::new(),
            fields: BTreeMap::new(),
        }
    }

    fn set_state(&self, _: PluginState) {}

    fn request_restart(&self) {}
}
