//! The drums of a measure, cell by cell: the plan, what sounds at the current density, and the musician's pins.
//!
//! A filled square sounds at the current density, an outlined one would at a higher density. Larger is louder, brighter has
//! more presence, and an early or late hit is drawn beside its step. A dot marks a pinned cell, a cross a forbidden one.

use egui::{
    Align2, Color32, EventFilter, Key, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui,
    Vec2, WidgetInfo, pos2, vec2,
};
use lockstep_core::representation::{Meter, Presence, Voice};
use lockstep_engine::realtime::{Cell, Cells, Controls, Pin};

use super::pin_editor::PinEditor;
use super::theme::{self, Theme};

/// Below this presence a hit hardly ever sounds, and drawing it would only clutter the grid.
pub(super) const FAINTEST: f32 = 0.05;

/// A measure as it is drawn.
pub(super) struct ShownMeasure<'a> {
    /// Names it for screen readers; unique among the grids.
    pub(super) id: &'static str,
    /// Its cells; `None` if there is no plan yet.
    pub(super) cells: Option<&'a Cells>,
    /// Its meter.
    pub(super) meter: Meter,
    /// Steps since it began; `None` unless it is the measure being played.
    pub(super) playhead: Option<f64>,
}

/// Where the cells are drawn.
struct Plot<'a> {
    rect: Rect,
    n_steps: usize,
    /// The voice of each row.
    voices: &'a [Voice],
}

impl Plot<'_> {
    fn cell(&self, step_idx: usize, row: usize) -> Rect {
        let size = self.size();
        let min = self.rect.min + vec2(step_idx as f32 * size.x, row as f32 * size.y);
        Rect::from_min_size(min, size)
    }

    fn size(&self) -> Vec2 {
        self.rect.size() / vec2(self.n_steps as f32, self.voices.len() as f32)
    }

    /// The step and the voice under a point.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float-to-int cast saturates"
    )]
    fn at(&self, point: Pos2) -> (usize, Voice) {
        let place = (point - self.rect.min) / self.size();
        let step_idx = (place.x as usize).min(self.n_steps - 1);
        let row = (place.y as usize).min(self.voices.len() - 1);
        (step_idx, self.voices[row])
    }
}

/// Draws a measure with a row for each of `voices`, at least one; clicks pin and forbid cells.
pub(super) fn show(
    ui: &Ui,
    theme: Theme,
    rect: Rect,
    measure: &ShownMeasure<'_>,
    (controls, voices): (&Controls, &[Voice]),
    pin_editor: &mut PinEditor,
) {
    let plot = Plot {
        rect,
        n_steps: measure.meter.n_steps().max(1),
        voices,
    };
    let response = ui.interact(rect, ui.scope_id().with(measure.id), Sense::click());
    let cursor = edit(ui, &plot, measure, controls, pin_editor, &response);
    paint(ui, theme, &plot, measure, controls);
    if let Some((step_idx, row)) = cursor {
        ui.painter_at(rect).rect_stroke(
            plot.cell(step_idx, row),
            theme.corners(),
            Stroke::new(theme.points(2.0), theme::INK),
            StrokeKind::Inside,
        );
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Grid, true, measure.id));
    if let Some(point) = response.hover_pos() {
        let (step_idx, voice) = plot.at(point);
        response.on_hover_text_at_pointer(words(measure, controls, step_idx, voice));
    }
}

/// The tooltip of a cell.
fn words(measure: &ShownMeasure<'_>, controls: &Controls, step_idx: usize, voice: Voice) -> String {
    let place = format!("{}, step {}", voice.name(), step_idx + 1);
    let pinned_text = match controls.pins.at(step_idx, voice) {
        Pin::Pinned => "\nPinned: it sounds in every measure. Click to free it.",
        Pin::Forbidden => "\nForbidden: it never sounds. Click to free it.",
        Pin::Free => {
            "\nClick to pin a silent cell or forbid a sounding one; right-click to free it."
        }
    };
    let cell = cell_at(measure, step_idx, voice);
    let what = if cell.presence == Presence::NEVER {
        "no hit".to_owned()
    } else {
        format!(
            "presence {:.0} %, velocity {:.0}, {:+.0} % of a step",
            100.0 * cell.presence.value(),
            127.0 * cell.velocity,
            100.0 * cell.shift
        )
    };
    format!("{place}: {what}{pinned_text}")
}

fn cell_at(measure: &ShownMeasure<'_>, step_idx: usize, voice: Voice) -> Cell {
    let cells = measure.cells.and_then(|cells| cells.get(step_idx));
    cells.map_or(Cell::default(), |step| step[voice.index()])
}

/// Handles clicks and keys. Returns the step and row of the keyboard cursor, if the grid has the focus.
fn edit(
    ui: &Ui,
    plot: &Plot<'_>,
    measure: &ShownMeasure<'_>,
    controls: &Controls,
    pin_editor: &mut PinEditor,
    response: &Response,
) -> Option<(usize, usize)> {
    let turned = |step_idx: usize, voice: Voice| {
        let sounds = cell_at(measure, step_idx, voice)
            .presence
            .sounds_at(controls.density_of(voice));
        match controls.pins.at(step_idx, voice) {
            Pin::Free if sounds => Pin::Forbidden,
            Pin::Free => Pin::Pinned,
            Pin::Pinned | Pin::Forbidden => Pin::Free,
        }
    };
    if let Some(point) = response.interact_pointer_pos() {
        let (step_idx, voice) = plot.at(point);
        if response.clicked() {
            pin_editor.set(step_idx, voice, turned(step_idx, voice));
        } else if response.secondary_clicked() {
            pin_editor.set(step_idx, voice, Pin::Free);
        }
    }
    if !response.has_focus() {
        return None;
    }
    let arrows = EventFilter {
        horizontal_arrows: true,
        vertical_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
    let at = response.id.with("cursor");
    let (mut step_idx, mut row): (usize, usize) =
        ui.data(|data| data.get_temp(at)).unwrap_or_default();
    ui.input(|input| {
        let n = |key| input.num_presses(key);
        let moved = |place: usize, on, back, end: usize| {
            (place + n(on)).saturating_sub(n(back)).min(end - 1)
        };
        step_idx = moved(step_idx, Key::ArrowRight, Key::ArrowLeft, plot.n_steps);
        row = moved(row, Key::ArrowDown, Key::ArrowUp, plot.voices.len());
    });
    ui.data_mut(|data| data.insert_temp(at, (step_idx, row)));
    let voice = plot.voices[row];
    let is_pressed = |key| ui.input(|input| input.key_pressed(key));
    if is_pressed(Key::P) {
        pin_editor.set(step_idx, voice, turned(step_idx, voice));
    } else if is_pressed(Key::Delete) || is_pressed(Key::Backspace) {
        pin_editor.set(step_idx, voice, Pin::Free);
    }
    Some((step_idx, row))
}

fn paint(ui: &Ui, theme: Theme, plot: &Plot<'_>, measure: &ShownMeasure<'_>, controls: &Controls) {
    let painter = ui.painter_at(plot.rect.expand(theme.points(2.0)));
    painter.rect_filled(plot.rect, 0.0, theme::PANEL);
    for step_idx in (0..plot.n_steps).step_by(8) {
        let beat = plot
            .cell(step_idx, 0)
            .union(plot.cell((step_idx + 3).min(plot.n_steps - 1), plot.voices.len() - 1));
        painter.rect_filled(beat, 0.0, Color32::from_rgb(37, 41, 48));
    }
    for row in 1..plot.voices.len() {
        let y = plot.cell(0, row).top();
        let begins_group = plot.voices[row].group() != plot.voices[row - 1].group();
        let color = if begins_group {
            theme::LINE
        } else {
            theme::GROUND
        };
        painter.hline(plot.rect.x_range(), y, Stroke::new(1.0, color));
    }
    for step_idx in 1..plot.n_steps {
        let color = if step_idx % 4 == 0 {
            theme::LINE
        } else {
            theme::GROUND
        };
        let x = plot.cell(step_idx, 0).left();
        painter.vline(x, plot.rect.y_range(), Stroke::new(1.0, color));
    }
    for step_idx in 0..plot.n_steps {
        for (row, &voice) in plot.voices.iter().enumerate() {
            let place = plot.cell(step_idx, row);
            let cell = cell_at(measure, step_idx, voice);
            paint_hit(&painter, theme, place, cell, controls.density_of(voice));
            paint_pin(&painter, theme, place, controls.pins.at(step_idx, voice));
        }
    }
    if measure.cells.is_none() {
        painter.text(
            plot.rect.center(),
            Align2::CENTER_CENTER,
            "planned once you play some bass",
            theme.font(12.5),
            theme::FAINT,
        );
    }
    if let Some(steps) = measure.playhead {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a measure has 32 steps at most"
        )]
        let x = plot.rect.left() + steps as f32 * plot.size().x;
        painter.vline(
            x.min(plot.rect.right() - 1.0),
            plot.rect.y_range(),
            Stroke::new(theme.points(2.0), theme::PLAYHEAD),
        );
    }
}

fn paint_hit(painter: &egui::Painter, theme: Theme, place: Rect, cell: Cell, density: f32) {
    let presence = cell.presence.value();
    if presence < FAINTEST {
        return;
    }
    let side = place.width().min(place.height()) * (0.35 + 0.55 * cell.velocity);
    let center = pos2(
        place.center().x + cell.shift * place.width(),
        place.center().y,
    );
    let square = Rect::from_center_size(center, Vec2::splat(side));
    let color = theme::DRUMS.gamma_multiply(0.35 + 0.65 * presence);
    if cell.presence.sounds_at(density) {
        painter.rect_filled(square, theme.points(2.0), color);
    } else {
        painter.rect_stroke(
            square,
            theme.points(2.0),
            Stroke::new(theme.points(1.0), color.gamma_multiply(0.6)),
            StrokeKind::Inside,
        );
    }
}

fn paint_pin(painter: &egui::Painter, theme: Theme, place: Rect, pin: Pin) {
    let radius = place.width().min(place.height()) / 2.0;
    match pin {
        Pin::Free => {}
        Pin::Pinned => {
            painter.rect_stroke(
                place.shrink(1.0),
                theme.points(2.0),
                Stroke::new(theme.points(1.5), theme::PINNED),
                StrokeKind::Inside,
            );
            painter.circle_filled(place.center(), radius * 0.28, theme::GROUND);
            painter.circle_filled(place.center(), radius * 0.2, theme::PINNED);
        }
        Pin::Forbidden => {
            let arm = Vec2::splat(radius * 0.5);
            let stroke = Stroke::new(theme.points(2.0), theme::FORBIDDEN);
            let (center, across) = (place.center(), vec2(arm.x, -arm.y));
            painter.line_segment([center - arm, center + arm], stroke);
            painter.line_segment([center - across, center + across], stroke);
        }
    }
}
