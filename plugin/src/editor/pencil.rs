//! Edits pins, with undo and redo.

use std::sync::Arc;

use egui::{Key, KeyboardShortcut, Modifiers};
use lockstep_core::representation::Voice;
use lockstep_engine::realtime::{Pin, Pins};

use super::hands::Hands;
use crate::params::LockstepParams;

/// Most edits that can be undone.
const N_STEPS_BACK: usize = 200;

const UNDO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Z);
const REDO: KeyboardShortcut =
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);

/// Writes pins and remembers what they were.
#[derive(Debug)]
pub(super) struct Pencil {
    params: Arc<LockstepParams>,
    before: Vec<Pins>,
    after: Vec<Pins>,
    /// Whether the host still has to be told of a change.
    is_untold: bool,
    /// Number of the last change that the host was told of.
    n_told: i32,
}

impl Pencil {
    pub(super) fn new(params: Arc<LockstepParams>) -> Self {
        Self {
            params,
            before: Vec::new(),
            after: Vec::new(),
            is_untold: false,
            n_told: 0,
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
        self.is_untold = true;
    }

    /// Tells the host that the project has changed, if pins were edited: pins are not a parameter, so it would not notice.
    pub(super) fn tell(&mut self, hands: &Hands<'_>) {
        if std::mem::take(&mut self.is_untold) {
            let (n, value) = self.params.next_pin_edit(self.n_told);
            self.n_told = n;
            hands.set(&self.params.pin_edits, value);
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
    struct Told(Mutex<Vec<(&'static str, ParamPtr, f32)>>);

    impl Told {
        fn hear(&self, what: &'static str, of: ParamPtr, to: f32) {
            if let Ok(mut told) = self.0.lock() {
                told.push((what, of, to));
            }
        }
    }

    #[expect(unsafe_code, reason = "the framework declares them so")]
    impl GuiContextInner for Told {
        fn plugin_api(&self) -> PluginApi {
            PluginApi::Clap
        }

        unsafe fn raw_begin_set_parameter(&self, param: ParamPtr) {
            self.hear("begin", param, 0.0);
        }

        unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
            self.hear("set", param, normalized);
        }

        unsafe fn raw_end_set_parameter(&self, param: ParamPtr) {
            self.hear("end", param, 0.0);
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
        let mut pencil = Pencil::new(Arc::clone(&params));
        let host = Arc::new(Told::default());
        let context = GuiContext::new(Arc::clone(&host) as _);
        let mut values = Vec::new();
        let mut is_told = |pencil: &mut Pencil| {
            pencil.tell(&Hands::new(&context));
            let told = host.0.lock().map(|mut told| std::mem::take(&mut *told));
            let told = told.unwrap_or_default();
            let pointer = params.pin_edits.as_ptr();
            assert!(told.iter().all(|(_, of, _)| *of == pointer));
            let words: Vec<_> = told.iter().map(|(what, ..)| *what).collect();
            values.extend(
                told.iter()
                    .filter(|told| told.0 == "set")
                    .map(|told| told.2),
            );
            words == ["begin", "set", "end"]
        };
        assert!(!is_told(&mut pencil));
        pencil.set(0, Voice::Kick, Pin::Pinned);
        assert!(is_told(&mut pencil));
        // Neither the same edit again nor reading the pins is a change.
        pencil.set(0, Voice::Kick, Pin::Pinned);
        assert!(!is_told(&mut pencil));
        for change in [Pencil::undo, Pencil::redo, Pencil::clear] {
            change(&mut pencil);
            assert!(is_told(&mut pencil));
        }
        pencil.redo();
        assert!(!is_told(&mut pencil));
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
        let mut pencil = Pencil::new(Arc::default());
        pencil.set(0, Voice::Kick, Pin::Pinned);
        pencil.set(4, Voice::Snare, Pin::Forbidden);
        pencil.set(4, Voice::Snare, Pin::Forbidden);
        let both = pencil.pins();
        pencil.undo();
        assert_eq!(pencil.pins().at(4, Voice::Snare), Pin::Free);
        assert_eq!(pencil.pins().at(0, Voice::Kick), Pin::Pinned);
        pencil.redo();
        assert_eq!(pencil.pins(), both);
        pencil.clear();
        assert!(pencil.pins().is_empty());
        pencil.undo();
        assert_eq!(pencil.pins(), both);
        pencil.undo();
        pencil.undo();
        pencil.undo();
        assert!(pencil.pins().is_empty() && !pencil.can_undo());
    }
}
