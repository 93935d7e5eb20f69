//! The knobs below the grids of the Play page.

use egui::{Align2, Rect, Ui, UiBuilder, vec2};

use super::setter::Setter;
use super::theme::{self, Theme};
use super::widgets::{self, BarText, nth};
use crate::params::LockstepParams;

/// Columns of the knobs to the right of the large ones.
const N_COLUMNS: usize = 6;

/// Draws the knobs and turns them.
pub(super) fn show(
    ui: &mut Ui,
    theme: Theme,
    setter: &Setter<'_>,
    rect: Rect,
    params: &LockstepParams,
) {
    let gap = theme.points(8.0);
    let rows = |rect: Rect| {
        let (upper, lower) = rect.split_top_bottom_at_y(rect.center().y);
        [
            upper.with_max_y(upper.bottom() - gap / 2.0),
            lower.with_min_y(lower.top() + gap / 2.0),
        ]
    };
    let (large, others) = rect.split_left_right_at_x(rect.left() + theme.points(220.0));
    let large = rows(large);
    let density = &params.density.overall;
    let tip = "How much plays: 50 % is the drummer's plan as it is, more only adds hits, less only removes them; 0 is silence.";
    widgets::bar(ui, theme, setter, density, (large[0], BarText::Large), tip);
    let energy = &params.drummer.energy;
    let tip = "How loud and busy the drummer plays: to the left a soft verse, to the right a loud chorus; in the middle it is \
               free.";
    widgets::bar(ui, theme, setter, energy, (large[1], BarText::Large), tip);
    let [upper, lower] = rows(others.with_min_x(others.left() + gap));
    bars(ui, theme, setter, upper, params);
    choices(ui, theme, setter, lower, params);
}

/// The upper row: what is turned.
fn bars(ui: &mut Ui, theme: Theme, setter: &Setter<'_>, row: Rect, params: &LockstepParams) {
    let (drummer, feel) = (&params.drummer, &params.feel);
    let knobs: [_; N_COLUMNS] = [
        (
            &drummer.follow,
            "How closely the drums follow the bass: at 0 the drummer ignores it, 50 % is as trained.",
        ),
        (
            &drummer.variation,
            "How much the drummer varies from measure to measure: at 0 the same bass always gets the same drums.",
        ),
        (
            &drummer.fill_amount,
            "How often the drummer plays fills of its own while Fills is Free: 0 never, 50 % as people do, 100 % at the end of \
             every phrase.",
        ),
        (
            &feel.swing,
            "How late the second and fourth sixteenth of each beat are, up to half a sixteenth: 67 % is a triplet feel.",
        ),
        (
            &feel.humanise,
            "How loosely hits are played: at 100 % up to 0.12 of a sixteenth early or late and 15 % louder or softer.",
        ),
        (&params.kit.level, "How loud the built-in kit is."),
    ];
    let gap = theme.points(8.0);
    for (place, (param, tip)) in knobs.into_iter().enumerate() {
        let rect = nth(row, N_COLUMNS, place, gap);
        widgets::bar(ui, theme, setter, param, (rect, BarText::Stacked), tip);
    }
}

/// The lower row: what is chosen and what is pressed.
fn choices(ui: &mut Ui, theme: Theme, setter: &Setter<'_>, row: Rect, params: &LockstepParams) {
    let drummer = &params.drummer;
    let column = |place| nth(row, N_COLUMNS, place, theme.points(8.0));
    let n_styles = drummer.weights.value().styles().len();
    titled(
        ui,
        theme,
        column(0).union(column(1)),
        "Style",
        |ui, width| {
            let tip = "One of the drummer's styles; Free leaves it to the drummer.";
            let size = (width, n_styles + 1);
            widgets::choice(ui, theme, setter, &drummer.style, size, tip);
        },
    );
    titled(ui, theme, column(2), "Fills", |ui, width| {
        let tip = "Plays a fill at the end of every 2, 4, 8 or 16 measures and none in between; Free leaves it to the drummer.";
        widgets::choice(ui, theme, setter, &drummer.fills, (width, usize::MAX), tip);
    });
    titled(ui, theme, column(3), "Fill length", |ui, width| {
        let tip = "How much of its measure a fill takes that you ask for: the last beat, the last half or all of it.";
        let size = (width, usize::MAX);
        widgets::choice(ui, theme, setter, &drummer.fill_length, size, tip);
    });
    let tip = "Plays a fill in the next measure; hold it for one in the measure after, too.";
    widgets::push(ui, theme, setter, &drummer.fill_now, column(4), tip);
    let tip = "A new idea from the same drummer, from the next measure on.";
    widgets::push(ui, theme, setter, &drummer.new_idea, column(5), tip);
}

/// A choice with its name above it.
fn titled(ui: &mut Ui, theme: Theme, rect: Rect, name: &str, show: impl FnOnce(&mut Ui, f32)) {
    ui.painter().text(
        rect.left_top() + vec2(theme.points(2.0), 0.0),
        Align2::LEFT_TOP,
        name,
        theme.font(12.5),
        theme::INK,
    );
    let below = rect.with_min_y(rect.top() + theme.points(20.0));
    let builder = UiBuilder::new().max_rect(below).id_salt(name);
    ui.scope_builder(builder, |ui| show(ui, rect.width()));
}
