//! When the drummer is asked for a fill, and for how much of the measure: by the place in the phrase, and by a button.

use lockstep_core::generator::{FillLength, FillWish};

/// When fills are asked for. Only the last measure of a phrase can be a fill; phrases are counted from the start of the
/// playback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fills {
    /// Never: the drummer decides.
    #[default]
    Free,
    /// Asks for no fills at all.
    Never,
    /// One at the end of each phrase of this many measures, and none between; 0 is [`Self::Never`].
    Every(u8),
}

impl Fills {
    /// Whether a measure, counted from 0, should be a fill, and if so, of which length.
    fn at(self, measure: u64, length: FillLength) -> FillWish {
        match self {
            Self::Free => FillWish::Free,
            Self::Every(n) if n > 0 && (measure + 1).is_multiple_of(u64::from(n)) => {
                FillWish::With(length)
            }
            Self::Never | Self::Every(_) => FillWish::Without,
        }
    }
}

/// The fill button: pressed at any moment of a measure, it makes the next one a fill, and so on while it is held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FillButton {
    is_pressed: bool,
    /// Whether the last request asked for the fill.
    is_asked: bool,
}

impl FillButton {
    /// Reads whether the button is down in a block.
    pub(super) fn hold(&mut self, is_down: bool) {
        self.is_pressed |= is_down;
    }

    /// The button was pressed and released.
    pub(super) fn press(&mut self) {
        self.is_pressed = true;
    }

    /// What the request for a measure says about a fill; one that is asked for has this length.
    pub(super) fn ask(&mut self, fills: Fills, measure: u64, length: FillLength) -> FillWish {
        self.is_asked = self.is_pressed;
        if self.is_pressed {
            FillWish::With(length)
        } else {
            fills.at(measure, length)
        }
    }

    /// The requested measure begins. A press after its last request counts for the next measure.
    pub(super) fn begin_measure(&mut self) {
        if self.is_asked {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_ends_with_its_fill_of_the_chosen_length() {
        for length in FillLength::ALL {
            let fills: Vec<_> = (0..8).map(|m| Fills::Every(4).at(m, length)).collect();
            let wish = |m: u64| match m {
                3 | 7 => FillWish::With(length),
                _ => FillWish::Without,
            };
            assert_eq!(fills, (0..8).map(wish).collect::<Vec<_>>());
            assert_eq!(Fills::Every(0).at(7, length), FillWish::Without);
            assert_eq!(Fills::Never.at(3, length), FillWish::Without);
            assert_eq!(Fills::Free.at(3, length), FillWish::Free);
        }
    }

    #[test]
    fn a_press_at_any_moment_makes_one_fill() {
        let length = FillLength::Half;
        let (asked, not_asked) = (FillWish::With(length), FillWish::Without);
        let mut button = FillButton::default();
        assert_eq!(button.ask(Fills::Never, 1, length), not_asked);
        button.hold(true);
        button.hold(false);
        assert_eq!(button.ask(Fills::Never, 1, length), asked);
        button.begin_measure();
        assert_eq!(button.ask(Fills::Never, 2, length), not_asked);
        // Too late for the measure that begins now, but not lost.
        button.hold(true);
        button.begin_measure();
        button.hold(false);
        assert_eq!(button.ask(Fills::Free, 3, length), asked);
    }
}
