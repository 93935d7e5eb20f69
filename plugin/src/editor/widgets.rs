//! The controls: bars, choices, buttons. Tab reaches each of them, the arrow keys turn it or the space bar presses it, and a
//! right-click resets it.

use egui::{
    Align2, Color32, EventFilter, Key, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};
use nice_plug::prelude::{BoolParam, Param};

use super::setter::Setter;
use super::theme::{self, Theme};

/// How far an arrow key turns a parameter without steps, in `[0, 1]`.
const KEY_STEP: f32 = 0.01;

/// Shortest press of a button, in seconds: longer than the longest usual block, so that the audio thread cannot miss it.
const SHORTEST_PRESS_S: f64 = 0.15;

/// How a bar shows its name and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BarText {
    /// One above the other.
    Stacked,
    /// Side by side, in large type.
    Large,
    /// Side by side on one line.
    Line,
}

/// A bar to drag, with its name and its value as text.
pub(super) fn bar(
    ui: &mut Ui,
    theme: Theme,
    setter: &Setter<'_>,
    param: &impl Param,
    (rect, layout): (Rect, BarText),
    tip: &str,
) {
    let id = ui.scope_id().with((param.name(), "bar"));
    let response = ui.interact(rect, id, Sense::click_and_drag());
    let value = param.unmodulated_normalized_value();
    turn(ui, setter, param, &response, value);
    let value = param.unmodulated_normalized_value();
    let words = param.normalized_value_to_string(value, true);
    paint_bar(ui, theme, rect, &response, value);
    let inner = rect.shrink2(vec2(theme.points(8.0), theme.points(5.0)));
    let painter = ui.painter_at(rect);
    let (name, value) = match layout {
        BarText::Stacked => (
            (inner.left_top(), Align2::LEFT_TOP, 12.5),
            (inner.left_bottom(), Align2::LEFT_BOTTOM, 13.5),
        ),
        BarText::Large => (
            (inner.left_center(), Align2::LEFT_CENTER, 15.0),
            (inner.right_center(), Align2::RIGHT_CENTER, 30.0),
        ),
        BarText::Line => (
            (inner.left_center(), Align2::LEFT_CENTER, 13.0),
            (inner.right_center(), Align2::RIGHT_CENTER, 13.0),
        ),
    };
    for ((at, align, size), text) in [(name, param.name()), (value, &*words)] {
        painter.text(at, align, text, theme.font(size), theme::INK);
    }
    explain(response, param, &words, tip);
}

/// A bar without text, for a row that already says what it is.
pub(super) fn thin_bar(
    ui: &mut Ui,
    theme: Theme,
    setter: &Setter<'_>,
    param: &impl Param,
    (rect, salt): (Rect, usize),
    tip: &str,
) {
    let id = ui.scope_id().with((param.name(), "thin bar", salt));
    let response = ui.interact(rect, id, Sense::click_and_drag());
    let value = param.unmodulated_normalized_value();
    turn(ui, setter, param, &response, value);
    let value = param.unmodulated_normalized_value();
    paint_bar(ui, theme, rect, &response, value);
    let words = param.normalized_value_to_string(value, true);
    explain(response, param, &words, tip);
}

/// A bar that fills a row of a page, with its name and value on one line.
pub(super) fn row(ui: &mut Ui, theme: Theme, setter: &Setter<'_>, param: &impl Param, tip: &str) {
    let size = vec2(ui.available_width(), theme.points(30.0));
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    bar(ui, theme, setter, param, (rect, BarText::Line), tip);
}

/// Handles drags, keys, the wheel and the right-click.
fn turn(ui: &Ui, setter: &Setter<'_>, param: &impl Param, response: &Response, value: f32) {
    let held = response.id.with("held");
    if response.drag_started() {
        ui.data_mut(|data| data.insert_temp(held, value));
        setter.begin_gesture(param);
    }
    if response.dragged()
        && let Some(from) = ui.data(|data| data.get_temp::<f32>(held))
        && let Some(way) = response.total_drag_delta()
    {
        let is_fine = ui.input(|input| input.modifiers.shift);
        let width = response.rect.width().max(1.0) * if is_fine { 5.0 } else { 1.0 };
        setter.set_in_gesture(param, from + (way.x - way.y) / width);
    }
    if response.drag_stopped() {
        setter.end_gesture(param);
    }
    if response.clicked() {
        response.request_focus();
    }
    if response.secondary_clicked() {
        setter.set(param, param.default_normalized_value());
    }
    let step = param
        .step_count()
        .map_or(KEY_STEP, |n| 1.0 / n.max(1) as f32);
    let mut n_steps = 0.0;
    if response.hovered() {
        let wheel = ui.input(|input| input.smooth_scroll_delta().y);
        // Parameters with steps ignore the wheel.
        if wheel != 0.0 && param.step_count().is_none() {
            n_steps += wheel / 8.0;
        }
    }
    if response.has_focus() {
        let arrows = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        n_steps += ui.input(|input| {
            let n = |key| input.num_presses(key) as f32;
            let by = if input.modifiers.shift { 10.0 } else { 1.0 };
            by * (n(Key::ArrowRight) + n(Key::ArrowUp) - n(Key::ArrowLeft) - n(Key::ArrowDown))
        });
        if ui.input(|input| input.key_pressed(Key::Delete) || input.key_pressed(Key::Backspace)) {
            setter.set(param, param.default_normalized_value());
        }
    }
    if n_steps != 0.0 {
        setter.set(param, value + n_steps * step);
    }
}

fn paint_bar(ui: &Ui, theme: Theme, rect: Rect, response: &Response, value: f32) {
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, theme.corners(), theme::TROUGH);
    let full = Rect::from_min_max(
        rect.min,
        pos2(rect.left() + rect.width() * value, rect.bottom()),
    );
    painter.rect_filled(full, theme.corners(), Color32::from_rgb(34, 98, 140));
    let edge = full.right().clamp(rect.left() + 1.0, rect.right() - 1.0);
    painter.vline(
        edge,
        rect.y_range(),
        Stroke::new(theme.points(2.0), theme::DRUMS),
    );
    ring(ui, theme, rect, response);
}

/// Outlines the control that has the keyboard focus or the pointer.
fn ring(ui: &Ui, theme: Theme, rect: Rect, response: &Response) {
    let stroke = if response.has_focus() {
        Stroke::new(theme.points(2.0), theme::INK)
    } else if response.hovered() {
        Stroke::new(theme.points(1.0), theme::FAINT)
    } else {
        return;
    };
    ui.painter_at(rect)
        .rect_stroke(rect, theme.corners(), stroke, StrokeKind::Inside);
}

/// Sets the tooltip and the text for screen readers.
fn explain(response: Response, param: &impl Param, words: &str, tip: &str) {
    let value = f64::from(param.unmodulated_normalized_value());
    response.widget_info(|| WidgetInfo::slider(true, value, param.name()));
    let default = param.normalized_value_to_string(param.default_normalized_value(), true);
    response.on_hover_text(format!(
        "{}: {words}\n{tip}\nDrag (Shift for fine), wheel or arrow keys; right-click resets it to {default}.",
        param.name()
    ));
}

/// A drop-down list. Only the first `n_choices` values are offered.
pub(super) fn choice(
    ui: &mut Ui,
    theme: Theme,
    setter: &Setter<'_>,
    param: &impl Param,
    (width, n_choices): (f32, usize),
    tip: &str,
) {
    let n_steps = param.step_count().unwrap_or(1).max(1);
    let value = param.unmodulated_normalized_value();
    let words = |value: f32| param.normalized_value_to_string(value, true);
    let name = param.name();
    let opened = egui::ComboBox::from_id_salt((name, "choice"))
        .width(width)
        .truncate()
        .selected_text(words(value))
        .show_ui(ui, |ui| {
            for step in 0..=n_steps.min(n_choices.saturating_sub(1)) {
                let to = step as f32 / n_steps as f32;
                let is_now = (to - value).abs() * (n_steps as f32) < 0.5;
                if ui.selectable_label(is_now, words(to)).clicked() {
                    setter.set(param, to);
                }
            }
        });
    let response = opened.response;
    if response.secondary_clicked() {
        setter.set(param, param.default_normalized_value());
    }
    response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, name));
    ring(ui, theme, response.rect, &response);
    let default = words(param.default_normalized_value());
    response.on_hover_text(format!(
        "{name}: {}\n{tip}\nRight-click resets it to {default}.",
        words(value)
    ));
}

/// A button that stays down for as long as it is held.
pub(super) fn push(
    ui: &mut Ui,
    theme: Theme,
    setter: &Setter<'_>,
    param: &BoolParam,
    rect: Rect,
    tip: &str,
) {
    let id = ui.scope_id().with((param.name(), "push"));
    let response = ui.interact(rect, id, Sense::click());
    let pressed_at = id.with("pressed at");
    let now = ui.input(|input| input.time);
    let since: Option<f64> = ui.data(|data| data.get_temp(pressed_at));
    let is_down = response.is_pointer_button_down_on();
    match since {
        None if is_down || response.clicked() => {
            ui.data_mut(|data| data.insert_temp(pressed_at, now));
            setter.begin_gesture(param);
            setter.set_in_gesture(param, 1.0);
        }
        Some(since) if !is_down && now - since >= SHORTEST_PRESS_S => {
            ui.data_mut(|data| data.remove_temp::<f64>(pressed_at));
            setter.set_in_gesture(param, 0.0);
            setter.end_gesture(param);
        }
        _ => {}
    }
    let is_lit = param.value() || since.is_some();
    paint_button(ui, theme, (rect, param.name()), response, is_lit, tip);
}

/// A button without a parameter. Returns whether it was clicked.
pub(super) fn press(ui: &Ui, theme: Theme, (rect, name): (Rect, &str), tip: &str) -> bool {
    let response = ui.interact(rect, ui.scope_id().with((name, "press")), Sense::click());
    let (is_pressed, is_lit) = (response.clicked(), response.is_pointer_button_down_on());
    paint_button(ui, theme, (rect, name), response, is_lit, tip);
    is_pressed
}

fn paint_button(
    ui: &Ui,
    theme: Theme,
    (rect, name): (Rect, &str),
    response: Response,
    is_lit: bool,
    tip: &str,
) {
    let fill = if is_lit {
        Color32::from_rgb(34, 98, 140)
    } else {
        theme::TROUGH
    };
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, theme.corners(), fill);
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        name,
        theme.font(14.0),
        theme::INK,
    );
    ring(ui, theme, rect, &response);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    response.on_hover_text(tip);
}

/// A small switch with one letter, lit in colour while it is on.
pub(super) fn switch(
    ui: &Ui,
    theme: Theme,
    setter: &Setter<'_>,
    param: &BoolParam,
    (rect, letter, lit): (Rect, &str, Color32),
    tip: &str,
) {
    let id = ui.scope_id().with((param.name(), "switch"));
    let response = ui.interact(rect, id, Sense::click());
    let is_on = param.value();
    if response.clicked() {
        setter.set(param, if is_on { 0.0 } else { 1.0 });
    }
    if response.secondary_clicked() {
        setter.set(param, param.default_normalized_value());
    }
    let (fill, ink) = if is_on {
        (lit, theme::GROUND)
    } else {
        (theme::TROUGH, theme::FAINT)
    };
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, theme.corners(), fill);
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        letter,
        theme.font(11.5),
        ink,
    );
    ring(ui, theme, rect, &response);
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, is_on, param.name()));
    response.on_hover_text(tip);
}

/// A checkbox with its name, in a row of a page.
pub(super) fn switch_row(ui: &mut Ui, setter: &Setter<'_>, param: &BoolParam, tip: &str) {
    let mut is_on = param.value();
    let response = ui.checkbox(&mut is_on, param.name()).on_hover_text(tip);
    if response.changed() {
        setter.set(param, if is_on { 1.0 } else { 0.0 });
    }
    if response.secondary_clicked() {
        setter.set(param, param.default_normalized_value());
    }
}

/// The rectangle of the one at `place` of `n` equally wide items in a row, with gaps between them.
pub(super) fn nth(rect: Rect, n: usize, place: usize, gap: f32) -> Rect {
    let width = (rect.width() - gap * n.saturating_sub(1) as f32) / n.max(1) as f32;
    let left = rect.left() + place as f32 * (width + gap);
    Rect::from_min_size(pos2(left, rect.top()), Vec2::new(width, rect.height()))
}
