//! The tabs, and the Setup and About pages.

use egui::{Align, Layout, RichText, Ui, UiBuilder, ViewportCommand, vec2};

use lockstep_core::representation::{N_VOICES, Voice};

use super::export_dialog::ExportDialog;
use super::monitor::Monitor;
use super::setter::Setter;
use super::theme::{self, BASE_HEIGHT, BASE_WIDTH, Theme};
use super::widgets;
use crate::drummers::Substitute;
use crate::params::{BassParams, LockstepParams};

/// Which page is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Page {
    /// Bass, drums and knobs.
    #[default]
    Play,
    /// The built-in kit.
    Kit,
    /// Input, time, drum map, drummer.
    Setup,
    /// Version, licence and the drummer's model card.
    About,
}

/// Window sizes in the size menu, in percent.
const SIZES: [u8; 5] = [75, 100, 125, 150, 200];

/// Draws the top line: the tabs, what `more` draws, and the size menu.
pub(super) fn top(ui: &mut Ui, theme: Theme, page: &mut Page, more: impl FnOnce(&mut Ui)) {
    let gap = theme.points(8.0);
    ui.add_space(theme.points(6.0));
    ui.horizontal(|ui| {
        ui.add_space(gap);
        ui.label(RichText::new("Lockstep").font(theme.font(18.0)).strong());
        ui.add_space(gap);
        for (of, name) in [
            (Page::Play, "Play"),
            (Page::Kit, "Kit"),
            (Page::Setup, "Setup"),
            (Page::About, "About"),
        ] {
            ui.selectable_value(page, of, name);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(gap);
            size(ui, theme);
            more(ui);
        });
    });
    ui.add_space(theme.points(2.0));
}

/// The size menu.
fn size(ui: &mut Ui, theme: Theme) {
    let percent = format!("{:.0} %", theme.scale * 100.0);
    let menu = egui::ComboBox::from_id_salt("size")
        .width(theme.points(70.0))
        .selected_text(percent)
        .show_ui(ui, |ui| {
            for percent in SIZES {
                if ui.selectable_label(false, format!("{percent} %")).clicked() {
                    let size = vec2(BASE_WIDTH, BASE_HEIGHT) * (f32::from(percent) / 100.0);
                    ui.ctx().send_viewport_cmd(ViewportCommand::InnerSize(size));
                }
            }
        });
    menu.response
        .on_hover_text("Size of the window. You can also drag its corner.");
}

/// Draws the Setup page: input, time, drum map, drummer, and the button that saves a take.
pub(super) fn setup(
    ui: &mut Ui,
    theme: Theme,
    setter: &Setter<'_>,
    params: &LockstepParams,
    shown: (&ExportDialog, &Monitor),
) {
    let area = ui.available_rect_before_wrap().shrink(theme.points(10.0));
    column(ui, theme, area, (0, "Input"), |ui| {
        input(ui, theme, setter, &params.bass);
    });
    column(ui, theme, area, (1, "Time and feel"), |ui| {
        time(ui, theme, setter, params);
    });
    column(ui, theme, area, (2, "Drummer and drums"), |ui| {
        drums(ui, theme, setter, params, shown);
    });
}

fn input(ui: &mut Ui, theme: Theme, setter: &Setter<'_>, bass: &BassParams) {
    let tip = "MIDI channel of the bass; All takes every channel.";
    widgets::row(ui, theme, setter, &bass.channel, tip);
    let tip = "Lower keys are ignored.";
    widgets::row(ui, theme, setter, &bass.lowest, tip);
    let tip = "Higher keys are ignored.";
    widgets::row(ui, theme, setter, &bass.highest, tip);
    let tip = "Velocity curve: above 0 light playing counts more, below 0 less.";
    widgets::row(ui, theme, setter, &bass.touch, tip);
    let tip = "Range of a full pitch bend in semitones, as set on your instrument.";
    widgets::row(ui, theme, setter, &bass.bend_range, tip);
    let tip =
        "How late your notes arrive, in milliseconds: each is counted as played that much earlier.";
    widgets::row(ui, theme, setter, &bass.late_hands, tip);
    let tip = "The lowest of four keys in a row: fill now, new idea, tap, save take.";
    widgets::row(ui, theme, setter, &bass.control_key, tip);
    let tip = "Passes the bass on to the MIDI output.";
    widgets::switch_row(ui, setter, &bass.thru, tip);
}

fn time(ui: &mut Ui, theme: Theme, setter: &Setter<'_>, params: &LockstepParams) {
    let (free_run, feel) = (&params.free_run, &params.feel);
    let tip = "Plays along while the transport is stopped.";
    widgets::switch_row(ui, setter, &free_run.is_on, tip);
    let tip = "Tempo without a transport.";
    widgets::row(ui, theme, setter, &free_run.tempo, tip);
    let tip = "Quarter notes per measure without a transport.";
    widgets::row(ui, theme, setter, &free_run.meter, tip);
    let tip = "What starts the drummer: your first note, or a measure of taps.";
    choice(ui, theme, setter, &free_run.start, tip);
    let tip = "Whether the tempo follows you.";
    choice(ui, theme, setter, &free_run.tempo_follow, tip);
    button(ui, theme, |ui, rect| {
        let tip = "Tap tempo, without a transport: one press per beat.";
        widgets::push(ui, theme, setter, &free_run.tap, rect, tip);
    });
    let tip = "How late off-beat eighths are, up to a sixteenth: 67 % is a triplet shuffle.";
    widgets::row(ui, theme, setter, &feel.shuffle, tip);
    let tip = "How much of the drummer's own timing you hear: 0 is on the grid.";
    widgets::row(ui, theme, setter, &feel.own, tip);
    let tip = "Scales every velocity: 1 changes nothing.";
    widgets::row(ui, theme, setter, &feel.velocity, tip);
}

fn drums(
    ui: &mut Ui,
    theme: Theme,
    setter: &Setter<'_>,
    params: &LockstepParams,
    (export_dialog, monitor): (&ExportDialog, &Monitor),
) {
    let (drummer, map) = (&params.drummer, &params.map);
    let tip = "Who plays; takes effect at the next downbeat.";
    choice(ui, theme, setter, &drummer.weights, tip);
    show_substitute(ui, theme, monitor);
    let tip = "What computes the drums: Auto uses a GPU if it can, else the CPU.";
    choice(ui, theme, setter, &drummer.device, tip);
    let tip = "When the bass is silent: lay out after 64 silent steps, or keep time.";
    choice(ui, theme, setter, &drummer.silence, tip);
    let tip = "Each seed plays its own way; the same seed answers the same bass alike.";
    widgets::row(ui, theme, setter, &drummer.seed, tip);
    let tip = "Which notes the drums are sent on.";
    choice(ui, theme, setter, &map.choice, tip);
    let tip = "In your own map: a closed or pedal hat cuts off an open one.";
    widgets::switch_row(ui, setter, &map.chokes, tip);
    button(ui, theme, |ui, rect| {
        export_dialog.save_button(ui, theme, rect);
    });
    export_dialog.show_last_save(ui, theme);
    let more = "Set the notes and channels of your own drum map in the host's parameter list, or keep them in a file: see the \
                manual.";
    ui.label(
        RichText::new(more)
            .font(theme.font(12.0))
            .color(theme::FAINT),
    );
    show_missing_voices(ui, theme, monitor);
}

fn choice(
    ui: &mut Ui,
    theme: Theme,
    setter: &Setter<'_>,
    param: &impl nice_plug::prelude::Param,
    tip: &str,
) {
    ui.label(RichText::new(param.name()).font(theme.font(12.5)));
    let width = ui.available_width() - 2.0 * ui.spacing().button_padding.x;
    widgets::choice(ui, theme, setter, param, (width, usize::MAX), tip);
}

fn button(ui: &mut Ui, theme: Theme, show: impl FnOnce(&mut Ui, egui::Rect)) {
    let size = vec2(ui.available_width(), theme.points(34.0));
    let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    show(ui, rect);
}

/// One of three columns.
fn column(
    ui: &mut Ui,
    theme: Theme,
    area: egui::Rect,
    (place, name): (usize, &str),
    show: impl FnOnce(&mut Ui),
) {
    let rect = widgets::nth(area, 3, place, theme.points(16.0));
    let builder = UiBuilder::new().max_rect(rect).id_salt(name);
    ui.scope_builder(builder, |ui| {
        ui.label(RichText::new(name).font(theme.font(16.0)).strong());
        show(ui);
    });
}

/// Says which drummer stands in for the chosen one and what to do about it, if one does.
fn show_substitute(ui: &mut Ui, theme: Theme, monitor: &Monitor) {
    if let Some(Substitute { what, remedy }) = monitor.substitute() {
        let words = RichText::new(format!("{what}. {remedy}"));
        ui.label(words.font(theme.font(12.0)).color(theme::ALARM));
    }
}

/// Says which voices the drummer that plays does not know, if there are any.
fn show_missing_voices(ui: &mut Ui, theme: Theme, monitor: &Monitor) {
    let played = monitor.prediction().voices;
    let unknown = Voice::ALL
        .into_iter()
        .filter(|voice| !played.contains(voice));
    let unknown: Vec<_> = unknown.map(|voice| voice.name().to_lowercase()).collect();
    if !played.is_empty() && !unknown.is_empty() {
        let words = format!(
            "This drummer plays {} of the {N_VOICES} voices. Only pins play {}.",
            played.len(),
            unknown.join(", ")
        );
        ui.label(
            RichText::new(words)
                .font(theme.font(12.0))
                .color(theme::FAINT),
        );
    }
}

/// Draws the About page.
pub(super) fn about(ui: &mut Ui, theme: Theme, params: &LockstepParams, monitor: &Monitor) {
    let area = ui.available_rect_before_wrap().shrink(theme.points(10.0));
    let builder = UiBuilder::new().max_rect(area).id_salt("about");
    ui.scope_builder(builder, |ui| {
        let version = env!("CARGO_PKG_VERSION");
        ui.label(format!(
            "Lockstep {version}, a drummer that listens to the bass. {} License: {}.",
            env!("CARGO_PKG_REPOSITORY"),
            env!("CARGO_PKG_LICENSE")
        ));
        show_substitute(ui, theme, monitor);
        let whose = if monitor.substitute().is_none() {
            "About the drummer that is playing:"
        } else {
            "About the drummer you chose:"
        };
        ui.label(
            RichText::new(whose)
                .color(theme::FAINT)
                .font(theme.font(12.5)),
        );
        super::card::show(ui, theme, params.drummer.weights.value());
    });
}
