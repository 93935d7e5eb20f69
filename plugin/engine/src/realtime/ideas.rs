//! The button for another idea: different drums from the same drummer, from the next measure on.

use super::button::Button;

/// Counts the ideas of a playback.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ideas {
    button: Button,
    is_pressed: bool,
    /// Index of the current idea; 0 is what the seed alone gives.
    n: u32,
}

impl Ideas {
    /// Reads whether the button is down in a block. Only going down counts.
    pub(super) fn hold(&mut self, is_down: bool) {
        self.is_pressed |= self.button.is_pressed(is_down);
    }

    /// The button was pressed and released.
    pub(super) fn press(&mut self) {
        self.is_pressed = true;
    }

    /// Whether the measure being requested begins another idea; `true` once per press.
    pub(super) fn ask(&mut self) -> bool {
        let is_new = std::mem::take(&mut self.is_pressed);
        self.n = self.n.wrapping_add(u32::from(is_new));
        is_new
    }

    /// Index of the current idea.
    pub(super) fn current(self) -> u32 {
        self.n
    }

    /// A playback begins with idea 0.
    pub(super) fn start(&mut self) {
        self.n = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_is_one_idea_however_long_the_button_is_held() {
        let mut ideas = Ideas::default();
        ideas.hold(true);
        assert!(!ideas.ask(), "a project may be loaded with the button down");
        ideas.hold(false);
        for _ in 0..3 {
            ideas.hold(true);
        }
        assert!(ideas.ask() && !ideas.ask());
        ideas.hold(true);
        assert!(!ideas.ask());
        ideas.hold(false);
        ideas.hold(true);
        ideas.press();
        assert!(ideas.ask() && !ideas.ask());
        assert_eq!(ideas.current(), 2);
        ideas.start();
        assert_eq!(ideas.current(), 0);
    }
}
