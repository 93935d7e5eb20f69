//! A parameter that is a button: what counts is that it goes down.

/// Finds presses of a button that is read once per block.
///
/// ```
/// use lockstep_engine::realtime::Button;
///
/// let mut button = Button::default();
/// assert!(!button.is_pressed(true), "a project may load with it down");
/// assert!(!button.is_pressed(false));
/// assert!(button.is_pressed(true));
/// assert!(!button.is_pressed(true), "it is held");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Button {
    /// `None` before the button was first read.
    was_down: Option<bool>,
}

impl Button {
    /// Whether the button has gone down since it was last read.
    ///
    /// # Realtime safety
    /// Never allocates.
    pub fn is_pressed(&mut self, is_down: bool) -> bool {
        self.was_down.replace(is_down) == Some(false) && is_down
    }
}
