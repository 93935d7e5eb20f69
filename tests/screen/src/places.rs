//! Positions in the plugin window, in pixels at 100 %. Change these when the editor's layout changes.

use crate::Point;

/// Width and height of the window.
const SIZE: Point = (960, 640);

/// The pages, by the names of their pictures, and the centres of their tabs.
pub const TABS: [(&str, Point); 4] = [
    ("play", (115, 18)),
    ("kit", (159, 18)),
    ("setup", (209, 18)),
    ("about", (269, 18)),
];

/// The left end of the Density bar.
pub const DENSITY_LEFT: Point = (12, 528);

/// Its right end. A drag is relative: the length of the bar covers the whole range.
pub const DENSITY_RIGHT: Point = (224, 528);

/// The grids of both measures: left, top, width, height.
pub const GRIDS: (u32, u32, u32, u32) = (180, 194, 772, 299);

/// The kick at the first step of the measure that is playing.
pub const KICK_CELL: Point = (192, 204);

/// The switch that mutes the kick.
pub const KICK_MUTE: Point = (90, 204);

/// The tab of the Setup page.
pub const SETUP_TAB: Point = TABS[2].1;

/// The button on that page that saves a take, at its place while the chosen drummer plays.
pub const SAVE_TAKE: Point = (798, 355);

/// The colour of problem messages: red, green, blue.
pub const ALARM: [u8; 3] = [240, 120, 60];

/// A place where the pointer changes nothing in the window.
pub const NOWHERE: Point = (40, 18);

/// A place at another size, in percent.
///
/// # Panics
/// If the result is too far out for any screen.
pub fn scaled((x, y): Point, percent: u16) -> Point {
    // PANIC: a screen has fewer than 2^15 pixels.
    let at = |pixels: i16| {
        let scaled = i32::from(pixels) * i32::from(percent) / 100;
        i16::try_from(scaled).expect("a place on a screen")
    };
    (at(x), at(y))
}

/// Width and height of the window at a size in percent.
pub fn size(percent: u16) -> (u16, u16) {
    let (width, height) = scaled(SIZE, percent);
    (width.unsigned_abs(), height.unsigned_abs())
}
