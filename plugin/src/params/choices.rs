//! The stepped parameters' choices as a host shows them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lockstep_core::generator::FillLength;
use lockstep_engine::realtime::{Fills, FreeRunStart, SilencePolicy, TempoFollow};
use nice_plug::prelude::*;

/// [`SilencePolicy`] as a host shows it.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum Silence {
    /// Rest until the bass returns.
    #[id = "lay_out"]
    #[name = "Lay out"]
    LayOut,
    /// Keep playing the last pattern.
    #[id = "keep_time"]
    #[name = "Keep time"]
    KeepTime,
}

impl From<Silence> for SilencePolicy {
    fn from(silence: Silence) -> Self {
        match silence {
            Silence::LayOut => Self::LayOut,
            Silence::KeepTime => Self::KeepTime,
        }
    }
}

/// The device that the player wants.
#[derive(Clone, Copy, Debug, Default, Enum, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The GPU if the driver and the library are there, else silently the CPU.
    #[id = "auto"]
    #[name = "Auto"]
    #[default]
    Auto,
    /// The CPU.
    #[id = "cpu"]
    #[name = "CPU"]
    Cpu,
    /// The GPU; if that fails, the CPU, and the player is told why.
    #[id = "gpu"]
    #[name = "GPU"]
    Gpu,
}

impl DeviceChoice {
    /// All of them, in the order of the parameter.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Cpu, Self::Gpu];

    /// The frozen name by which a project and a command line know the choice.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

/// [`Fills`] as a host shows it.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum FillChoice {
    /// The drummer's own choice.
    #[id = "free"]
    #[name = "Free"]
    Free,
    /// None.
    #[id = "never"]
    #[name = "Never"]
    Never,
    /// Every second measure.
    #[id = "every_2"]
    #[name = "Every 2 measures"]
    Two,
    /// Every fourth.
    #[id = "every_4"]
    #[name = "Every 4 measures"]
    Four,
    /// Every eighth.
    #[id = "every_8"]
    #[name = "Every 8 measures"]
    Eight,
    /// Every sixteenth.
    #[id = "every_16"]
    #[name = "Every 16 measures"]
    Sixteen,
}

impl From<FillChoice> for Fills {
    fn from(choice: FillChoice) -> Self {
        match choice {
            FillChoice::Free => Self::Free,
            FillChoice::Never => Self::Never,
            FillChoice::Two => Self::Every(2),
            FillChoice::Four => Self::Every(4),
            FillChoice::Eight => Self::Every(8),
            FillChoice::Sixteen => Self::Every(16),
        }
    }
}

/// [`FillLength`] as a host shows it.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum FillLengthChoice {
    /// The last beat.
    #[id = "beat"]
    #[name = "Beat"]
    Beat,
    /// The last half.
    #[id = "half"]
    #[name = "Half"]
    Half,
    /// The whole measure.
    #[id = "measure"]
    #[name = "Measure"]
    Measure,
}

impl FillLengthChoice {
    /// All of them, in the order of the parameter.
    pub const ALL: [Self; 3] = [Self::Beat, Self::Half, Self::Measure];

    /// The frozen name by which a project and a command line know the choice.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Beat => "beat",
            Self::Half => "half",
            Self::Measure => "measure",
        }
    }
}

impl From<FillLengthChoice> for FillLength {
    fn from(choice: FillLengthChoice) -> Self {
        match choice {
            FillLengthChoice::Beat => Self::Beat,
            FillLengthChoice::Half => Self::Half,
            FillLengthChoice::Measure => Self::Measure,
        }
    }
}

/// [`FreeRunStart`] as a host shows it.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum StartChoice {
    /// The first bass note is beat one.
    #[id = "first_note"]
    #[name = "First note"]
    FirstNote,
    /// A measure of taps, then beat one.
    #[id = "count"]
    #[name = "Count of taps"]
    Count,
}

impl From<StartChoice> for FreeRunStart {
    fn from(choice: StartChoice) -> Self {
        match choice {
            StartChoice::FirstNote => Self::FirstNote,
            StartChoice::Count => Self::Count,
        }
    }
}

/// [`TempoFollow`] as a host shows it.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum FollowChoice {
    /// Keep the set or tapped tempo.
    #[id = "off"]
    #[name = "Off"]
    Off,
    /// Follow the bassist's tempo.
    #[id = "follow"]
    #[name = "Follow"]
    Follow,
    /// Keep the tempo found from the bassist.
    #[id = "freeze"]
    #[name = "Freeze"]
    Freeze,
}

impl From<FollowChoice> for TempoFollow {
    fn from(choice: FollowChoice) -> Self {
        match choice {
            FollowChoice::Off => Self::Off,
            FollowChoice::Follow => Self::Follow,
            FollowChoice::Freeze => Self::Freeze,
        }
    }
}

/// Which drummer plays. But for the user's own they are the embedded ones, in the same order. New ones go to the end: hosts know
/// a drummer by its id and its place.
#[derive(Clone, Copy, Debug, Default, Enum, PartialEq, Eq)]
pub enum Drummer {
    /// Trained on the whole corpus; the default before Lockstep 2.
    #[id = "lockstep"]
    #[name = "Lockstep"]
    Lockstep,
    /// Trained on openly licensed songs only.
    #[id = "open"]
    #[name = "Lockstep open"]
    Open,
    /// The lab's conditional GAN.
    #[id = "base"]
    #[name = "GAN"]
    Base,
    /// The user's own; see [`own_weights`](crate::drummers::own_weights).
    #[id = "own"]
    #[name = "Own"]
    Own,
    /// The player.
    #[default]
    #[id = "lockstep_2"]
    #[name = "Lockstep 2"]
    LockstepTwo,
}

impl Drummer {
    /// All of them, in the order of the parameter.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..Self::variants().len()).map(Self::from_index)
    }
}

/// A MIDI key as a number and a name, 60 being C4.
pub(super) fn key_name(key: i32) -> String {
    format!("{key} ({})", formatters::v2s_i32_key_formatter()(key))
}

/// Reads a key from a text that starts with its number or is its name.
pub(super) fn key_number(text: &str) -> Option<i32> {
    let text = text.trim();
    let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
    let number = digits.parse().ok();
    number.or_else(|| formatters::s2v_i32_key_formatter()(text))
}

/// Most styles that the parameter can select.
const MAX_STYLES: i32 = 32;

/// The drummer and style parameters; a style is shown by its name in the chosen drummer.
pub(super) fn drummer_and_style() -> (EnumParam<Drummer>, IntParam) {
    let chosen = Arc::new(AtomicUsize::new(Drummer::default().to_index()));
    let show = Arc::clone(&chosen);
    let choose = move |drummer: Drummer| {
        chosen.store(drummer.to_index(), Ordering::Relaxed);
    };
    let drummer = EnumParam::new("Drummer", Drummer::default()).with_callback(Arc::new(choose));
    let range = IntRange::Linear {
        min: 0,
        max: MAX_STYLES,
    };
    let style = IntParam::new("Style", 0, range)
        .with_value_to_string(Arc::new(move |style| {
            let drummer = Drummer::from_index(show.load(Ordering::Relaxed));
            style_name(drummer, style)
        }))
        .with_string_to_value(Arc::new(style_number));
    (drummer, style)
}

/// The text of a style number, counted from 1; 0 is the drummer's own choice.
fn style_name(drummer: Drummer, style: i32) -> String {
    let Some(place) = usize::try_from(style).ok().and_then(|n| n.checked_sub(1)) else {
        return "Free".to_owned();
    };
    match drummer.styles().get(place) {
        Some(name) => format!("{style}: {name}"),
        None => style.to_string(),
    }
}

/// Reads the number that a text starts with; 0 for "Free".
fn style_number(text: &str) -> Option<i32> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("free") {
        return Some(0);
    }
    let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_is_shown_by_number_and_name_and_read_back() {
        for drummer in Drummer::all() {
            for style in 0..=MAX_STYLES {
                let text = style_name(drummer, style);
                assert_eq!(style_number(&text), Some(style), "{text}");
            }
        }
        assert!(style_name(Drummer::LockstepTwo, 1).len() > 5);
        assert_eq!(style_name(Drummer::Base, 1), "1");
        assert_eq!(style_number("rock"), None);
    }

    #[test]
    fn a_saved_drummer_is_the_same_drummer_for_ever() {
        let saved = [
            ("lockstep", "Lockstep", Drummer::Lockstep),
            ("open", "Lockstep open", Drummer::Open),
            ("base", "GAN", Drummer::Base),
            ("own", "Own", Drummer::Own),
            ("lockstep_2", "Lockstep 2", Drummer::LockstepTwo),
        ];
        assert_eq!(Drummer::ids(), Some(&saved.map(|(id, _, _)| id)[..]));
        assert_eq!(Drummer::variants(), saved.map(|(_, name, _)| name));
        assert!(Drummer::all().eq(saved.map(|(_, _, drummer)| drummer)));
    }
}
