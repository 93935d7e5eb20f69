//! Pins by hand, and the way back.

use std::sync::Arc;

use egui::{Key, KeyboardShortcut, Modifiers};
use lockstep_models::representation::Voice;

use crate::params::LockstepParams;
use crate::realtime::{Pin, Pins};

/// Steps that can be taken back.
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
}

impl Pencil {
    pub(super) fn new(params: Arc<LockstepParams>) -> Self {
        Self {
            params,
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    /// The pins as they are.
    pub(super) fn pins(&self) -> Pins {
        self.params.pins.load()
    }

    /// Settles a cell.
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
        self.params.pins.store(pins);
    }

    /// Whether there is something to take back.
    pub(super) fn can_undo(&self) -> bool {
        !self.before.is_empty()
    }

    /// Takes the last change back.
    pub(super) fn undo(&mut self) {
        if let Some(before) = self.before.pop() {
            self.after.push(self.pins());
            self.params.pins.store(before);
        }
    }

    /// Does again what was taken back.
    pub(super) fn redo(&mut self) {
        if let Some(after) = self.after.pop() {
            self.before.push(self.pins());
            self.params.pins.store(after);
        }
    }

    /// Listens for the usual keys.
    pub(super) fn follow_keys(&mut self, ui: &egui::Ui) {
        // The longer one first: the shorter is part of it.
        if ui.input_mut(|input| input.consume_shortcut(&REDO)) {
            self.redo();
        } else if ui.input_mut(|input| input.consume_shortcut(&UNDO)) {
            self.undo();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pinned_is_taken_back_and_done_again() {
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
