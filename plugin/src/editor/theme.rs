//! Colours, sizes and type.
//!
//! The colours are Okabe and Ito's ("Color Universal Design", 2008), which stay distinct for every kind of colour vision.
//! Nothing is shown by colour alone.

use std::sync::Arc;

use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke, Style, TextStyle,
    Vec2, Visuals,
};

/// Width of the editor window at 100 %, in points.
pub(super) const BASE_WIDTH: f32 = 960.0;
/// Its height.
pub(super) const BASE_HEIGHT: f32 = 640.0;

/// Window background.
pub(super) const GROUND: Color32 = Color32::from_rgb(20, 22, 26);
/// Panel background.
pub(super) const PANEL: Color32 = Color32::from_rgb(31, 34, 40);
/// The empty part of a bar, and buttons.
pub(super) const TROUGH: Color32 = Color32::from_rgb(48, 52, 60);
/// Lines between steps and beats.
pub(super) const LINE: Color32 = Color32::from_rgb(64, 69, 79);
/// Text.
pub(super) const INK: Color32 = Color32::from_rgb(236, 238, 241);
/// Secondary text: contrast 7.4 to 1 on [`PANEL`].
pub(super) const FAINT: Color32 = Color32::from_rgb(172, 178, 188);
/// The bass (orange).
pub(super) const BASS: Color32 = Color32::from_rgb(230, 159, 0);
/// The drums (sky blue).
pub(super) const DRUMS: Color32 = Color32::from_rgb(86, 180, 233);
/// Pinned cells (bluish green), with a dot.
pub(super) const PINNED: Color32 = Color32::from_rgb(0, 190, 140);
/// Forbidden cells (reddish purple), with a cross.
pub(super) const FORBIDDEN: Color32 = Color32::from_rgb(222, 140, 184);
/// Warnings (vermilion, lightened), always with text.
pub(super) const ALARM: Color32 = Color32::from_rgb(240, 120, 60);
/// The playhead.
pub(super) const PLAYHEAD: Color32 = Color32::WHITE;

/// One font for all text; egui's default set adds one for code, which the window never shows.
fn fonts() -> FontDefinitions {
    let name = "Ubuntu-Light";
    let data = FontData::from_static(epaint_default_fonts::UBUNTU_LIGHT);
    let families = [FontFamily::Proportional, FontFamily::Monospace];
    FontDefinitions {
        font_data: [(name.to_owned(), Arc::new(data))].into(),
        families: families
            .map(|family| (family, vec![name.to_owned()]))
            .into(),
    }
}

/// How large everything is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Theme {
    /// Size of the window relative to 100 %.
    pub(super) scale: f32,
}

impl Theme {
    /// Sets fonts and colours, once.
    pub(super) fn install(egui: &egui::Context) {
        egui.options_mut(|options| options.zoom_with_keyboard = false);
        egui.set_fonts(fonts());
        let mut visuals = Visuals::dark();
        visuals.panel_fill = GROUND;
        visuals.window_fill = PANEL;
        visuals.override_text_color = Some(INK);
        visuals.selection.bg_fill = Color32::from_rgb(30, 90, 130);
        visuals.selection.stroke = Stroke::new(1.0, INK);
        visuals.widgets.inactive.weak_bg_fill = TROUGH;
        visuals.widgets.inactive.bg_fill = TROUGH;
        visuals.widgets.hovered.bg_stroke = Stroke::new(1.0, FAINT);
        egui.set_visuals(visuals);
    }

    /// The theme at the window's current size; also sets its style.
    pub(super) fn for_window(ui: &mut egui::Ui) -> Self {
        let size = ui.max_rect().size();
        let scale = (size.x / BASE_WIDTH).min(size.y / BASE_HEIGHT).max(0.5);
        let theme = Self { scale };
        theme.style(ui.style_mut());
        theme
    }

    pub(super) fn style(self, style: &mut Style) {
        let sizes = [
            (TextStyle::Small, 11.5),
            (TextStyle::Body, 13.5),
            (TextStyle::Button, 13.5),
            (TextStyle::Heading, 18.0),
            (TextStyle::Monospace, 13.0),
        ];
        for (of, size) in sizes {
            style
                .text_styles
                .insert(of, FontId::new(self.points(size), FontFamily::Proportional));
        }
        let spacing = &mut style.spacing;
        spacing.item_spacing = Vec2::splat(self.points(6.0));
        spacing.button_padding = Vec2::new(self.points(9.0), self.points(4.0));
        spacing.interact_size = Vec2::new(self.points(40.0), self.points(24.0));
        spacing.icon_width = self.points(14.0);
        spacing.icon_spacing = self.points(4.0);
        spacing.combo_width = self.points(100.0);
        spacing.combo_height = self.points(360.0);
        spacing.slider_width = self.points(120.0);
        spacing.tooltip_width = self.points(340.0);
    }

    /// A length given at 100 %, in points.
    pub(super) fn points(self, at_100: f32) -> f32 {
        at_100 * self.scale
    }

    /// The font in a size given at 100 %.
    pub(super) fn font(self, size: f32) -> FontId {
        FontId::proportional(self.points(size))
    }

    /// Rounded corners.
    pub(super) fn corners(self) -> CornerRadius {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float-to-int cast saturates"
        )]
        let radius = self.points(4.0).round() as u8;
        CornerRadius::same(radius)
    }
}
