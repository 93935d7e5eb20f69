//! The bass as the drummer hears it: the last 64 steps, scrolling, with the kicks that answer it.

use egui::{Align2, Rect, Stroke, StrokeKind, Ui, pos2, vec2};
use lockstep_core::representation::{N_PITCHES, Voice, WINDOW_STEPS};

use super::monitor::Monitor;
use super::theme::{self, Theme};

/// MIDI key of the lowest pitch of a window.
const LOWEST_KEY: usize = 24;

/// Fewest semitones shown: two octaves.
const FEWEST_SEMITONES: usize = 24;

/// Share of the height that the kicks take.
const KICKS: f32 = 0.12;

/// Draws it; the right edge is now. The first `header` points hold the titles.
pub(super) fn show(ui: &Ui, theme: Theme, rect: Rect, header: f32, monitor: &Monitor) {
    let (words, rect) = rect.split_left_right_at_x(rect.left() + header);
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, theme.corners(), theme::PANEL);
    let seen = monitor.snapshot();
    let window = &seen.window;
    let (notes_area, kicks_area) = rect.split_top_bottom_at_fraction(1.0 - KICKS);
    let width = rect.width() / WINDOW_STEPS as f32;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a measure has 32 steps at most"
    )]
    let now = monitor.steps() as f32;
    // The last row of the window is step `open_step` of the current measure; `first_step` is the first row's step.
    let first_step = seen.open_step as f32 - (WINDOW_STEPS - 1) as f32;
    let x_of = |row: usize| rect.right() - (now - (first_step + row as f32)) * width;

    let n_steps = seen.meter.n_steps().max(1);
    for row in 0..=WINDOW_STEPS {
        let step = (row + 64 * n_steps + seen.open_step + 1 - WINDOW_STEPS) % n_steps;
        let stroke = match step {
            0 => Stroke::new(theme.points(1.5), theme::FAINT.gamma_multiply(0.5)),
            step if step % 4 == 0 => Stroke::new(theme.points(1.0), theme::LINE),
            _ => continue,
        };
        painter.vline(x_of(row), rect.y_range(), stroke);
    }

    let (lowest, n_semitones) = range(|pitch| {
        (0..WINDOW_STEPS).any(|row| window.sounding(row).indices().any(|p| p == pitch))
    });
    let height = notes_area.height() / n_semitones as f32;
    let y_of = |pitch: usize| notes_area.bottom() - (pitch - lowest + 1) as f32 * height;
    for octave in (0..N_PITCHES).step_by(12) {
        if (lowest + 1..lowest + n_semitones).contains(&octave) {
            let y = y_of(octave) + height;
            painter.hline(rect.x_range(), y, Stroke::new(1.0, theme::LINE));
            ui.painter().text(
                pos2(rect.left() - theme.points(6.0), y),
                Align2::RIGHT_CENTER,
                format!("C{}", (octave + LOWEST_KEY) / 12 - 1),
                theme.font(11.5),
                theme::FAINT,
            );
        }
    }
    for row in 0..WINDOW_STEPS {
        let onsets: Vec<usize> = window.onsets(row).indices().collect();
        for pitch in window.sounding(row).indices().chain(onsets.iter().copied()) {
            let is_onset = onsets.contains(&pitch);
            // A gap before an onset separates it from the note before.
            let gap = if is_onset { theme.points(1.0) } else { -0.5 };
            let right = x_of(row + 1).min(rect.right());
            let cell = Rect::from_min_max(
                pos2(x_of(row) + gap, y_of(pitch)),
                pos2(right, y_of(pitch) + height.max(3.0)),
            );
            if cell.width() <= 0.0 {
                continue;
            }
            let strength = if is_onset {
                0.55 + 0.45 * window.accent(row)
            } else {
                0.5
            };
            painter.rect_filled(cell, 1.0, theme::BASS.gamma_multiply(strength));
            if is_onset {
                let mark = Rect::from_min_size(cell.min, vec2(theme.points(3.0), cell.height()));
                painter.rect_filled(mark, 1.0, theme::INK);
            }
        }
    }
    kicks(&painter, theme, kicks_area, monitor, &x_of);
    let titles = [
        (words.top(), Align2::LEFT_TOP, "Bass", theme::INK),
        (
            words.top() + theme.points(18.0),
            Align2::LEFT_TOP,
            "the last 64 steps",
            theme::FAINT,
        ),
        (
            kicks_area.center().y,
            Align2::LEFT_CENTER,
            "Kick",
            theme::INK,
        ),
    ];
    for (y, align, text, color) in titles {
        let at = pos2(words.left(), y);
        ui.painter().text(at, align, text, theme.font(12.5), color);
    }
    painter.rect_stroke(
        rect,
        theme.corners(),
        Stroke::new(1.0, theme::LINE),
        StrokeKind::Inside,
    );
}

fn kicks(
    painter: &egui::Painter,
    theme: Theme,
    area: Rect,
    monitor: &Monitor,
    x_of: &impl Fn(usize) -> f32,
) {
    let rows = (0..WINDOW_STEPS).filter(|row| monitor.is_played(*row, Voice::Kick));
    for row in rows {
        let middle = pos2(x_of(row) + theme.points(2.0), area.center().y);
        painter.circle_filled(middle, theme.points(4.0), theme::DRUMS);
    }
}

/// The lowest pitch to show and how many to show: those that sound, with some room around them.
fn range(sounds: impl Fn(usize) -> bool) -> (usize, usize) {
    let sounding = || (0..N_PITCHES).filter(|pitch| sounds(*pitch));
    let lowest = sounding().next().unwrap_or(4);
    let highest = sounding().last().unwrap_or(lowest);
    let n = (highest - lowest + 3).clamp(FEWEST_SEMITONES, N_PITCHES);
    let spare = n.saturating_sub(highest - lowest + 1) / 2;
    (lowest.saturating_sub(spare).min(N_PITCHES - n), n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sounding_pitch_is_shown() {
        for (low, high) in [(0, 0), (0, 71), (71, 71), (10, 40), (4, 16)] {
            let (first, n) = range(|pitch| pitch == low || pitch == high);
            assert!(first <= low && high < first + n && first + n <= N_PITCHES);
            assert!(n >= FEWEST_SEMITONES);
        }
    }
}
