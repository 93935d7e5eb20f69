//! Curves: named series over a common axis, in panels one above the other, for training and reports.

use std::path::Path;

use anyhow::Result;
use plotters::chart::ChartBuilder;
use plotters::prelude::{Circle, Color as _, LineSeries, PathElement, RGBColor, Text};
use plotters::style::text_anchor::{HPos, VPos};

use super::{Canvas, INK, PALE, draw, pixel, shade, text};

const WIDTH: u32 = 1680;
const PANEL_HEIGHT: u32 = 420;
/// Height of the title above the panels.
const TOP: u32 = 64;
/// Width of the legend to the right of the panels.
const LEGEND: u32 = 380;

/// Series with at most this many points get a dot at each point.
const MAX_MARKED: usize = 40;

/// Colours that colour-blind people can tell apart as well as ten colours allow (Okabe and Ito 2008, and three more).
const COLOURS: [RGBColor; 10] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(33, 37, 41),
    RGBColor(148, 103, 189),
    RGBColor(140, 86, 75),
    RGBColor(127, 127, 127),
];

/// Series that share a vertical axis.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panel {
    /// Label of the vertical axis.
    pub(crate) y_label: String,
    /// In the order of the legend.
    pub(crate) series: Vec<Series>,
}

/// One curve.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    /// Name in the legend.
    pub(crate) name: String,
    /// From left to right; points that are not finite are left out.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Draws panels over one horizontal axis.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn curves(path: &Path, title: &str, x_label: &str, panels: &[Panel]) -> Result<()> {
    let n_panels = u32::try_from(panels.len())?.max(1);
    let size = (WIDTH, TOP + n_panels * PANEL_HEIGHT);
    draw(path, size, |canvas| {
        let style = text(30.0, INK, HPos::Left, VPos::Top);
        canvas.draw(&Text::new(title, (24, 18), style))?;
        let (_, below) = canvas.split_vertically(TOP);
        let x_range = range(
            panels.iter().flat_map(|panel| &panel.series),
            |(x, _)| x,
            0.01,
        );
        for (area, panel) in below
            .split_evenly((panels.len().max(1), 1))
            .iter()
            .zip(panels)
        {
            let (left, right) = area.split_horizontally(WIDTH - LEGEND);
            chart(&left, x_label, x_range.clone(), panel)?;
            legend(&right, panel)?;
        }
        Ok(())
    })
}

fn chart(
    area: &Canvas<'_>,
    x_label: &str,
    x_range: std::ops::Range<f64>,
    panel: &Panel,
) -> Result<()> {
    let y_range = range(&panel.series, |(_, y)| y, 0.06);
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(52)
        .y_label_area_size(84)
        .build_cartesian_2d(x_range, y_range)?;
    let style = |height| text(height, INK, HPos::Left, VPos::Top);
    chart
        .configure_mesh()
        .x_desc(x_label)
        .y_desc(panel.y_label.as_str())
        .axis_desc_style(style(20.0))
        .label_style(style(17.0))
        .x_label_formatter(&|x| short(*x))
        .y_label_formatter(&|y| short(*y))
        .axis_style(shade(PALE, 0.9))
        .bold_line_style(shade(PALE, 0.25))
        .light_line_style(shade(PALE, 0.0))
        .draw()?;
    for (series, colour) in panel.series.iter().zip(COLOURS.iter().cycle()) {
        let points = || series.points.iter().copied().filter(is_finite);
        let line = shade(*colour, 1.0).stroke_width(3);
        chart.draw_series(LineSeries::new(points(), line))?;
        if points().count() <= MAX_MARKED {
            let dot = shade(*colour, 1.0).filled();
            chart.draw_series(points().map(|point| Circle::new(point, 4, dot)))?;
        }
    }
    Ok(())
}

fn legend(area: &Canvas<'_>, panel: &Panel) -> Result<()> {
    for ((i, series), colour) in (0..).zip(&panel.series).zip(COLOURS.iter().cycle()) {
        let y = 28 + 32 * i;
        let line = shade(*colour, 1.0).stroke_width(4);
        area.draw(&PathElement::new(vec![(8, y), (44, y)], line))?;
        let style = text(20.0, INK, HPos::Left, VPos::Center);
        area.draw(&Text::new(series.name.as_str(), (56, y), style))?;
    }
    Ok(())
}

fn is_finite((x, y): &(f64, f64)) -> bool {
    x.is_finite() && y.is_finite()
}

/// The range of one coordinate, widened at both ends by a share of it; 0 to 1 if there are no points.
fn range<'a>(
    series: impl IntoIterator<Item = &'a Series>,
    coordinate: impl Fn((f64, f64)) -> f64,
    margin: f64,
) -> std::ops::Range<f64> {
    let points = series.into_iter().flat_map(|series| &series.points);
    let (low, high) = points
        .copied()
        .filter(is_finite)
        .map(coordinate)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
            (low.min(x), high.max(x))
        });
    if low > high {
        return 0.0..1.0;
    }
    // A flat curve still gets some height.
    let spare = match high - low {
        0.0 => low.abs().max(1.0) * 0.1,
        width => width * margin,
    };
    low - spare..high + spare
}

/// A number with as many digits as an axis needs.
fn short(x: f64) -> String {
    match x.abs() {
        0.0 => "0".to_owned(),
        1_000_000.0.. => format!("{:.1}M", x / 1e6),
        10_000.0.. => format!("{}k", pixel(x / 1e3)),
        100.0.. => format!("{x:.0}"),
        _ => {
            let text = format!("{x:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_drawn_with_gaps_and_when_empty() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let loss = Series {
            name: "loss".to_owned(),
            points: vec![(0.0, 2.0), (1.0, f64::NAN), (2.0, 1.0)],
        };
        let flat = Series {
            name: "flat".to_owned(),
            points: vec![(0.0, 1.5), (2.0, 1.5)],
        };
        let panel = |series| Panel {
            y_label: "nats".to_owned(),
            series,
        };
        let full = folder.path().join("full.png");
        let panels = [panel(vec![loss, flat.clone()]), panel(vec![flat])];
        curves(&full, "Losses", "step", &panels)?;
        let empty = folder.path().join("empty.png");
        curves(&empty, "Nothing", "step", &[panel(Vec::new())])?;
        assert!(std::fs::metadata(&full)?.len() > std::fs::metadata(&empty)?.len());
        Ok(())
    }

    #[test]
    fn axis_numbers_are_short() {
        let texts = [0.0, 0.25, 1.0, 12.5, 300.0, 25_000.0, 3e6].map(short);
        assert_eq!(texts, ["0", "0.25", "1", "12.5", "300", "25k", "3.0M"]);
    }
}
