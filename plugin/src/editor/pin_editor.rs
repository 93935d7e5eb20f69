//! Edits pins, with undo and redo.

use std::sync::Arc;

use egui::{Key, KeyboardShortcut, Modifiers};
use lockstep_core::representation::Voice;
use lockstep_engine::realtime::{Pin, Pins};

use super::setter::Setter;
use crate::params::LockstepParams;

/// Most edits that can be undone.
const N_STEPS_BACK: usize = 200;

const UNDO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Z);
const REDO: KeyboardShortcut =
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);

/// Writes pins and remembers what they were.
#[derive(Debug)]
pub(super) struct PinEditor {
    params: Arc<LockstepParams>,
    before: Vec<Pins>,
    after: Vec<Pins>,
    /// Whether the host still has to be told of a change.
    is_host_outdated: bool,
    /// Number of the last change that the host was told of.
    n_reported: i32,
}

impl PinEditor {
    pub(super) fn new(params: Arc<LockstepParams>) -> Self {
        Self {
            params,
            before: Vec::new(),
            after: Vec::new(),
            is_host_outdated: false,
            n_reported: 0,
        }
    }

    /// The current pins.
    pub(super) fn pins(&self) -> Pins {
        self.params.pins.load()
    }

    /// Pins, forbids or frees a cell.
    pub(super) fn set(&mut self, step_idx: usize, voice: Voice, pin: Pin) {
        let mut pins = self.pins();
        pins.set(step_idx, voice, pin);
        self.replace(pins);
    }

    /// Frees every cell.
    pub(super) fn clear(&mut self) {
        self.replace(Pins::default());
    }

    fn replace(&mut self, pins: Pins) {
        let now = self.pins();
        if pins == now {
            return;
        }
        if self.before.len() == N_STEPS_BACK {
            self.before.remove(0);
        }
        self.before.push(now);
        self.after.clear();
        self.store(pins);
    }

    fn store(&mut self, pins: Pins) {
        self.params.pins.store(pins);
        self.is_host_outdated = true;
    }

    /// Tells the host that the project has changed, if pins were edited: pins are not a parameter, so it would not notice.
    pub(super) fn notify_host(&mut self, setter: &Setter<'_>) {
        if std::mem::take(&mut self.is_host_outdated) {
            let (n, value) = self.params.next_pin_edit(self.n_reported);
            self.n_reported = n;
            setter.set(&self.params.pin_edits, value);
        }
    }

    /// Whether there is an edit to undo.
    pub(super) fn can_undo(&self) -> bool {
        !self.before.is_empty()
    }

    /// Undoes the last edit.
    pub(super) fn undo(&mut self) {
        if let Some(before) = self.before.pop() {
            self.after.push(self.pins());
            self.store(before);
        }
    }

    /// Redoes the last undone edit.
    pub(super) fn redo(&mut self) {
        if let Some(after) = self.after.pop() {
            self.before.push(self.pins());
            self.store(after);
        }
    }

    /// Handles the undo and redo keys.
    pub(super) fn follow_keys(&mut self, ui: &egui::Ui) {
        // Redo first: its shortcut contains undo's.
        if ui.input_mut(|input| input.consume_shortcut(&REDO)) {
            self.redo();
        } else if ui.input_mut(|input| input.consume_shortcut(&UNDO)) {
            self.undo();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use nice_plug::context::PluginApi;
    use nice_plug::context::gui::{GuiContext, GuiContextInner};
    use nice_plug::prelude::{Param as _, ParamPtr, PluginState};

    use super::*;

    /// A host that records what it is told and does nothing else.
    #[derive(Default)]
    struct RecordingHost(Mutex<Vec<(&'static str, ParamPtr, f32)>>);

    impl RecordingHost {
        fn record(&self, what: &'static str, of: ParamPtr, to: f32) {
            if let Ok(mut calls) = self.0.lock() {
                calls.push((what, of, to));
            }
        }
    }

    #[expect(unsafe_code, reason = "the framework declares them so")]
    impl GuiContextInner for RecordingHost {
        fn plugin_api(&self) -> PluginApi {
            PluginApi::Clap
        }

        unsafe fn raw_begin_set_parameter(&self, param: ParamPtr) {
            self.record("begin", param, 0.0);
        }

        unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
            self.record("set", param, normalized);
        }

        unsafe fn raw_end_set_parameter(&self, param: ParamPtr) {
            self.record("end", param, 0.0);
        }

        fn get_state(&self) -> PluginState {
            PluginState {
                version: String::new(),
                params: std::collections::BTreeMap::new(),
                fields: std::collections::BTreeMap::new(),
            }
        }

        fn set_state(&self, _: PluginState) {}

        fn request_restart(&self) {}
    }

    #[test]
    fn the_host_is_told_once_of_every_pin_edit_and_of_nothing_else() {
        let params: Arc<LockstepParams> = Arc::default();
        let mut pin_editor = PinEditor::new(Arc::clone(&params));
        let host = Arc::new(RecordingHost::default());
        let context = GuiContext::new(Arc::clone(&host) as _);
        let mut values = Vec::new();
        let mut has_notified = |pin_editor: &mut PinEditor| {
            pin_editor.notify_host(&Setter::new(&context));
            let calls = host.0.lock().map(|mut calls| std::mem::take(&mut *calls));
            let calls = calls.unwrap_or_default();
            let pointer = params.pin_edits.as_ptr();
            assert!(calls.iter().all(|(_, of, _)| *of == pointer));
            let words: Vec<_> = calls.iter().map(|(what, ..)| *what).collect();
            values.extend(
                calls
                    .iter()
                    .filter(|calls| calls.0 == "set")
                    .map(|calls| calls.2),
            );
            words == ["begin", "set", "end"]
        };
        assert!(!has_notified(&mut pin_editor));
        pin_editor.set(0, Voice::Kick, Pin::Pinned);
        assert!(has_notified(&mut pin_editor));
        // Neither the same edit again nor reading the pins is a change.
        pin_editor.set(0, Voice::Kick, Pin::Pinned);
        assert!(!has_notified(&mut pin_editor));
        for change in [PinEditor::undo, PinEditor::redo, PinEditor::clear] {
            change(&mut pin_editor);
            assert!(has_notified(&mut pin_editor));
        }
        pin_editor.redo();
        assert!(!has_notified(&mut pin_editor));
        // This host never sets the parameter, yet every change has a new value.
        assert_eq!(values.len(), 4);
        assert!(
            values.windows(2).all(|pair| pair[0] < pair[1]),
            "{values:?}"
        );
    }

    #[test]
    fn the_edit_count_continues_from_the_projects_and_wraps_around() {
        let params = LockstepParams::default();
        let (mut n, mut value) = (0, 0.0);
        for _ in 0..2500 {
            let (next, to) = params.next_pin_edit(n);
            assert!((to - value).abs() > 1e-4 && (0.0..=1.0).contains(&to));
            (n, value) = (next, to);
            // As a host does.
            #[expect(unsafe_code, reason = "the test plays the host, which may call this")]
            // SAFETY: `params` lives.
            unsafe {
                params.pin_edits.as_ptr()._internal_set_normalized_value(to);
            }
            assert_eq!(params.pin_edits.value(), n);
        }
    }

    #[test]
    fn pin_edits_are_undone_and_redone() {
        let mut pin_editor = PinEditor::new(Arc::default());
        pin_editor.set(0, Voice::Kick, Pin::Pinned);
        pin_editor.set(4, Voice::Snare, Pin::Forbidden);
        pin_editor.set(4, Voice::Snare, Pin::Forbidden);
        let both = pin_editor.pins();
        pin_editor.undo();
        assert_eq!(pin_editor.pins().at(4, Voice::Snare), Pin::Free);
        assert_eq!(pin_editor.pins().at(0, Voice::Kick), Pin::Pinned);
        pin_editor.redo();
        assert_eq!(pin_editor.pins(), both);
        pin_editor.clear();
        assert!(pin_editor.pins().is_empty());
        pin_editor.undo();
        assert_eq!(pin_editor.pins(), both);
        pin_editor.undo();
        pin_editor.undo();
        pin_editor.undo();
        assert!(pin_editor.pins().is_empty() && !pin_editor.can_undo());
    }
}
