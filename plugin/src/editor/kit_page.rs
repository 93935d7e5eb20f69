//! The Kit page: which kit, how loud, and each of its voices.

use egui::{Align2, RichText, Ui, UiBuilder, pos2, vec2};
use lockstep_core::representation::{N_VOICES, Voice};

use super::setter::Setter;
use super::theme::{self, Theme};
use super::widgets::{self, BarText, nth};
use crate::params::{KitParams, LockstepParams};

/// The tooltips of a voice's four bars.
const TIPS: [&str; 4] = [
    "Level of this voice, in decibels; changes glide.",
    "Pan of this voice, left to right; changes glide.",
    "Tuning in semitones, from the next hit on.",
    "How long it rings, in percent of its full length, from the next hit on.",
];

/// Height of the upper part at 100 %.
const UPPER: f32 = 92.0;

/// Draws the page.
pub(super) fn show(ui: &mut Ui, theme: Theme, setter: &Setter<'_>, params: &LockstepParams) {
    let kit = &params.kit;
    let area = ui.available_rect_before_wrap().shrink(theme.points(10.0));
    let (upper, rows) = area.split_top_bottom_at_y(area.top() + theme.points(UPPER));
    which(ui, theme, setter, upper, kit);
    let gap = theme.points(6.0);
    let height = rows.height() / N_VOICES as f32;
    for (row, voice) in Voice::ALL.into_iter().enumerate() {
        let top = rows.top() + row as f32 * height;
        let line = egui::Rect::from_min_max(
            pos2(rows.left(), top),
            pos2(rows.right(), top + height - gap),
        );
        let (name, bars) = line.split_left_right_at_x(line.left() + theme.points(110.0));
        ui.painter().text(
            name.left_center(),
            Align2::LEFT_CENTER,
            voice.name(),
            theme.font(14.0),
            theme::INK,
        );
        let knobs = kit.knobs(voice);
        for (place, (param, tip)) in knobs.into_iter().zip(TIPS).enumerate() {
            let rect = nth(bars, TIPS.len(), place, gap);
            widgets::bar(ui, theme, setter, param, (rect, BarText::Line), tip);
        }
    }
}

/// Which kit, and how loud.
fn which(ui: &mut Ui, theme: Theme, setter: &Setter<'_>, rect: egui::Rect, kit: &KitParams) {
    let gap = theme.points(8.0);
    let (left, right) = rect.split_left_right_at_fraction(0.5);
    let builder = UiBuilder::new()
        .max_rect(left.with_max_x(left.right() - gap))
        .id_salt("which kit");
    ui.scope_builder(builder, |ui| {
        ui.label(RichText::new("Kit").font(theme.font(16.0)).strong());
        let tip =
            "Acoustic and Brushes are recorded, Electronic is synthesised. Off sends only MIDI.";
        widgets::choice(
            ui,
            theme,
            setter,
            &kit.choice,
            (ui.available_width(), usize::MAX),
            tip,
        );
    });
    let level = egui::Rect::from_min_size(right.min, vec2(right.width(), theme.points(54.0)));
    let tip = "How loud the kit is: 1 is full.";
    widgets::bar(
        ui,
        theme,
        setter,
        &kit.level,
        (level, BarText::Stacked),
        tip,
    );
    ui.painter().text(
        pos2(right.left(), rect.bottom() - gap),
        Align2::LEFT_BOTTOM,
        "Your host can give each group of drums its own output.",
        theme.font(12.0),
        theme::FAINT,
    );
}
