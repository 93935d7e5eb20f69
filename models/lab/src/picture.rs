//! Pictures as PNG files: takes as a piano roll, and curves. Each file is written whole or not at all.
//!
//! Needs no system library: the font is part of the program.

mod curves;
mod roll;

pub(crate) use curves::{Panel, Series, curves};
pub(crate) use roll::{Roll, roll};

use std::path::Path;
use std::sync::Once;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::{
    BitMapBackend, Color, DrawingArea, FontStyle, IntoDrawingArea, IntoFont, RGBColor,
};
use plotters::style::TextStyle;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::whole;

/// The drawing area, in pixels.
type Canvas<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// Name under which the font is registered.
const FONT: &str = "sans-serif";

const PAPER: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(33, 37, 41);
const PALE: RGBColor = RGBColor(108, 117, 125);

/// Draws a picture of the given size in pixels into a file.
fn draw(path: &Path, size: (u32, u32), work: impl FnOnce(&Canvas<'_>) -> Result<()>) -> Result<()> {
    register_font()?;
    whole::write_with(path, |path| {
        let canvas = BitMapBackend::new(path, size).into_drawing_area();
        canvas.fill(&PAPER)?;
        work(&canvas)?;
        canvas.present()?;
        Ok(())
    })
}

fn register_font() -> Result<()> {
    static ONCE: Once = Once::new();
    let mut outcome = Ok(());
    ONCE.call_once(|| {
        outcome = plotters::style::register_font(
            FONT,
            FontStyle::Normal,
            epaint_default_fonts::HACK_REGULAR,
        )
        .map_err(|_| anyhow!("the built-in font is damaged"));
    });
    outcome
}

/// A text style: height in pixels, colour, and which point of the text is placed.
fn text(height: f64, colour: RGBColor, h_pos: HPos, v_pos: VPos) -> TextStyle<'static> {
    (FONT, height)
        .into_font()
        .color(&colour)
        .pos(Pos::new(h_pos, v_pos))
}

/// The nearest pixel.
#[expect(
    clippy::cast_possible_truncation,
    reason = "pictures are a few thousand pixels wide"
)]
fn pixel(x: f64) -> i32 {
    x.round() as i32
}

/// A colour between paper (0) and the colour itself (1).
fn shade(colour: RGBColor, strength: f64) -> plotters::style::RGBAColor {
    colour.mix(strength.clamp(0.0, 1.0))
}
