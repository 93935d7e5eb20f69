//! The Play page: bass, drums, knobs.

use egui::{Align, Align2, Layout, Rect, Sense, Ui, UiBuilder, pos2, vec2};
use lockstep_core::representation::{Voice, VoiceGroup};
use lockstep_engine::realtime::{ClockSource, Controls};
use nice_plug::prelude::FloatParam;

use super::monitor::Monitor;
use super::pin_editor::PinEditor;
use super::rows::{Rows, ShownVoices};
use super::setter::Setter;
use super::theme::{self, Theme};
use super::widgets::{self, nth};
use super::{grid, knobs, roll};
use crate::params::LockstepParams;

/// Width of the row headers at 100 %.
const HEADER: f32 = 172.0;
/// Height of the line above the grids.
const TITLE: f32 = 22.0;
/// Height of the knobs.
const KNOBS: f32 = 112.0;
/// Height of the status line.
const STATUS: f32 = 26.0;
/// Share of the remaining height that the drum grids take; the bass takes the rest.
const GRID_SHARE: f32 = 0.72;

/// Draws the page and handles clicks.
pub(super) fn show(
    ui: &mut Ui,
    theme: Theme,
    setter: &Setter<'_>,
    params: &LockstepParams,
    monitor: &Monitor,
    (pin_editor, rows): (&mut PinEditor, &mut Rows),
) {
    let gap = theme.points(8.0);
    let area = ui.available_rect_before_wrap().shrink2(vec2(gap, 0.0));
    let (area, status) = area.split_top_bottom_at_y(area.bottom() - theme.points(STATUS));
    let (area, knobs) = area.split_top_bottom_at_y(area.bottom() - theme.points(KNOBS) - gap);
    let grid_height = (area.height() - gap) * GRID_SHARE;
    let (bass, drums) = area.split_top_bottom_at_y(area.bottom() - grid_height);
    let controls = params.controls();
    let bass = bass.with_max_y(bass.bottom() - gap);
    roll::show(ui, theme, bass, theme.points(HEADER), monitor);
    rows.follow(monitor.snapshot(), controls.pins, &params.voices);
    let shown = GridSources {
        params,
        controls: &controls,
        monitor,
        voices: rows.shown(),
    };
    measures(ui, theme, setter, drums, &shown, pin_editor);
    fold_switch(ui, theme, drums, rows);
    let knobs = knobs.with_min_y(knobs.top() + gap);
    knobs::show(ui, theme, setter, knobs, params);
    status_line(ui, theme, status, monitor, params);
    if let Some(invitation) = invitation(monitor, params) {
        invite(ui, theme, bass, &invitation);
    }
}

/// What the drum grids are drawn from.
struct GridSources<'a> {
    params: &'a LockstepParams,
    controls: &'a Controls,
    monitor: &'a Monitor,
    voices: ShownVoices,
}

fn measures(
    ui: &mut Ui,
    theme: Theme,
    setter: &Setter<'_>,
    rect: Rect,
    shown: &GridSources<'_>,
    pin_editor: &mut PinEditor,
) {
    let gap = theme.points(8.0);
    let (titles, rows) = rect.split_top_bottom_at_y(rect.top() + theme.points(TITLE));
    let (headers, grids) = rows.split_left_right_at_x(rows.left() + theme.points(HEADER));
    let seen = shown.monitor.snapshot();
    let has_begun = shown.monitor.has_begun;
    let names = if has_begun {
        let n = seen.measure + 1;
        let now = match seen.time {
            ClockSource::Resting => "stopped",
            _ if n == 1 => "listening",
            _ => "now",
        };
        [
            format!("Measure {n}, {now}"),
            format!("Measure {}, planned", n + 1),
        ]
    } else {
        ["This measure".to_owned(), "Next measure".to_owned()]
    };
    let drawn = [
        grid::ShownMeasure {
            id: "current measure",
            cells: Some(&seen.now),
            meter: seen.meter,
            playhead: has_begun.then(|| shown.monitor.steps()),
        },
        grid::ShownMeasure {
            id: "next measure",
            cells: seen.next.as_ref(),
            meter: seen.meter,
            playhead: None,
        },
    ];
    for (place, (name, measure)) in names.iter().zip(&drawn).enumerate() {
        let rect = nth(grids, 2, place, gap);
        ui.painter().text(
            pos2(rect.left(), titles.center().y),
            Align2::LEFT_CENTER,
            name,
            theme.font(12.5),
            if measure.playhead.is_some() {
                theme::INK
            } else {
                theme::FAINT
            },
        );
        let rows = (shown.controls, shown.voices.as_slice());
        grid::show(ui, theme, rect, measure, rows, pin_editor);
    }
    for (row, voice) in shown.voices.iter().copied().enumerate() {
        let height = headers.height() / shown.voices.len() as f32;
        let top = headers.top() + row as f32 * height;
        let rect = Rect::from_min_max(
            pos2(headers.left(), top),
            pos2(headers.right() - gap, top + height - 1.0),
        );
        header(ui, theme, setter, rect, voice, shown);
    }
    pins_menu(ui, theme, titles.with_max_x(headers.right()), pin_editor);
}

/// Name, mute, solo and density of one voice.
fn header(
    ui: &mut Ui,
    theme: Theme,
    setter: &Setter<'_>,
    rect: Rect,
    voice: Voice,
    shown: &GridSources<'_>,
) {
    let is_heard = shown.controls.density_of(voice) > 0.0;
    ui.painter().text(
        pos2(rect.left(), rect.center().y),
        Align2::LEFT_CENTER,
        voice.name(),
        theme.font(12.5),
        if is_heard { theme::INK } else { theme::FAINT },
    );
    let switches = shown.params.voices.of(voice);
    let side = theme.points(20.0).min(rect.height());
    let left = rect.left() + theme.points(72.0);
    let square = |place: f32| {
        let min = pos2(
            left + place * (side + theme.points(3.0)),
            rect.center().y - side / 2.0,
        );
        Rect::from_min_size(min, vec2(side, side))
    };
    let name = voice.name();
    let mute = (square(0.0), "M", theme::ALARM);
    let tip = format!("Mute the {}.", name.to_lowercase());
    widgets::switch(ui, theme, setter, &switches.mute, mute, &tip);
    let solo = (square(1.0), "S", theme::PINNED);
    let tip = "Solo: only soloed voices sound.";
    widgets::switch(ui, theme, setter, &switches.solo, solo, tip);
    let bar = rect
        .with_min_x(square(2.0).left() + theme.points(2.0))
        .shrink2(vec2(0.0, theme.points(3.0)));
    let (param, group) = group_density(shown.params, voice.group());
    let tip = format!(
        "Density of the {group}, combined with the overall density: at 50 % each you hear the drummer's plan as it is."
    );
    widgets::thin_bar(ui, theme, setter, param, (bar, voice.index()), &tip);
}

fn group_density(params: &LockstepParams, group: VoiceGroup) -> (&FloatParam, &'static str) {
    let density = &params.density;
    match group {
        VoiceGroup::Kick => (&density.kick, "kick"),
        VoiceGroup::Snare => (&density.snare, "snare, side stick and clap"),
        VoiceGroup::Hats => (&density.hats, "hats"),
        VoiceGroup::Toms => (&density.toms, "toms"),
        VoiceGroup::Cymbals => (&density.cymbals, "cymbals"),
        VoiceGroup::Percussion => (&density.percussion, "hand percussion"),
    }
}

/// The switch that folds unused voices away, above the right end of the grids.
fn fold_switch(ui: &mut Ui, theme: Theme, drums: Rect, rows: &mut Rows) {
    let line = drums.with_max_y(drums.top() + theme.points(TITLE));
    let builder = UiBuilder::new()
        .max_rect(line.shrink2(vec2(0.0, theme.points(1.0))))
        .layout(Layout::right_to_left(Align::Center));
    ui.scope_builder(builder, |ui| {
        ui.spacing_mut().interact_size.y = line.height() - theme.points(4.0);
        ui.spacing_mut().button_padding.y = 0.0;
        let fold = egui::Button::new("Fold unused")
            .selected(rows.is_folded())
            .small();
        let tip = "Shows only the voices that are planned, played, pinned, muted or soloed. Press it twice to begin anew.";
        if ui.add(fold).on_hover_text(tip).clicked() {
            rows.toggle();
        }
    });
}

/// The buttons that undo a pin and free all cells.
fn pins_menu(ui: &mut Ui, theme: Theme, rect: Rect, pin_editor: &mut PinEditor) {
    let builder = UiBuilder::new()
        .max_rect(rect.shrink2(vec2(0.0, theme.points(1.0))))
        .layout(Layout::left_to_right(Align::Center));
    ui.scope_builder(builder, |ui| {
        ui.spacing_mut().interact_size.y = rect.height() - theme.points(4.0);
        ui.spacing_mut().button_padding.y = 0.0;
        let undo = egui::Button::new("Undo pin").small();
        let undo = ui.add_enabled(pin_editor.can_undo(), undo);
        if undo
            .on_hover_text("Undoes the last pin (Ctrl+Z; Ctrl+Shift+Z redoes it).")
            .clicked()
        {
            pin_editor.undo();
        }
        let free = egui::Button::new("Free all").small();
        let free = ui.add_enabled(!pin_editor.pins().is_empty(), free);
        if free
            .on_hover_text("Frees every pinned or forbidden cell.")
            .clicked()
        {
            pin_editor.clear();
        }
    });
}

/// Lock meter, prediction time, late plans, device, weights.
fn status_line(ui: &mut Ui, theme: Theme, rect: Rect, monitor: &Monitor, params: &LockstepParams) {
    let painter = ui.painter_at(rect);
    let middle = rect.center().y;
    let (meter, words) = rect.split_left_right_at_x(rect.left() + theme.points(220.0));
    let gain = monitor.lock.map(|lock| lock.gain);
    let text = gain.map_or("Lock –".to_owned(), |gain| format!("Lock {gain:+.0}"));
    painter.text(
        pos2(meter.left(), middle),
        Align2::LEFT_CENTER,
        text,
        theme.font(13.0),
        theme::INK,
    );
    let bar = Rect::from_min_max(
        pos2(
            meter.left() + theme.points(72.0),
            middle - theme.points(6.0),
        ),
        pos2(meter.right(), middle + theme.points(6.0)),
    );
    painter.rect_filled(bar, theme.corners(), theme::TROUGH);
    let full = (gain.unwrap_or(0.0) / 60.0).clamp(0.0, 1.0);
    let filled = bar.with_max_x(bar.left() + bar.width() * full);
    painter.rect_filled(filled, theme.corners(), theme::BASS);
    let hover = ui.interact(meter, ui.scope_id().with("lock"), Sense::hover());
    hover.on_hover_text(
        "How well the kick locks with your bass line over the last 64 steps: the kick's F1 score against your notes, in \
         percent, minus its mean score against the same line shifted in time. 0 means it ignores you; the bar is full at 60.",
    );
    let (report, is_alarming) = match monitor.substitute() {
        Some(substitute) => (format!("{}: see Setup", substitute.what), true),
        None => report(monitor, params),
    };
    let color = if is_alarming {
        theme::ALARM
    } else {
        theme::FAINT
    };
    painter.text(
        pos2(words.right(), middle),
        Align2::RIGHT_CENTER,
        report,
        theme.font(12.5),
        color,
    );
}

/// The text of the status line, and whether to show it as a warning.
fn report(monitor: &Monitor, params: &LockstepParams) -> (String, bool) {
    let prediction = monitor.prediction();
    let tally = monitor.snapshot().tally;
    let missed = tally.varied + tally.rule;
    let measures = missed + tally.fresh + tally.early + tally.silent;
    let took = prediction
        .took
        .map_or("no prediction yet".to_owned(), |took| {
            format!("predicted in {:.1} ms", took.as_secs_f64() * 1e3)
        });
    let device = if prediction.device.is_empty() {
        params.drummer.device.to_string()
    } else {
        prediction.device
    };
    let weights = params.drummer.weights.to_string();
    let words =
        format!("{took} · plan late in {missed} of {measures} measures · {device} · {weights}");
    let words = match tempo(monitor) {
        Some(tempo) => format!("{tempo} · {words}"),
        None => words,
    };
    (words, missed > 0)
}

/// The tempo that the drummer keeps, and whose it is; `None` while it waits and nobody has tapped.
fn tempo(monitor: &Monitor) -> Option<String> {
    let seen = monitor.snapshot();
    let (whose, bpm) = match seen.time {
        ClockSource::Song => ("host", seen.tempo_bpm),
        ClockSource::Free => ("free run", seen.free_tempo_bpm.unwrap_or(seen.tempo_bpm)),
        ClockSource::Resting => ("tapped", seen.free_tempo_bpm?),
    };
    Some(format!("{whose} {bpm:.1} BPM"))
}

/// What to do first, until the drummer has begun.
fn invitation(monitor: &Monitor, params: &LockstepParams) -> Option<[String; 2]> {
    if monitor.has_begun {
        return None;
    }
    let tapped = monitor.snapshot().free_tempo_bpm;
    let tempo = tapped.unwrap_or_else(|| f64::from(params.free_run.tempo.value()));
    Some(if params.free_run.is_on.value() {
        [
            "Play your bass: your first note is beat one.".to_owned(),
            format!(
                "The drummer listens for one measure and joins in on the next, at {tempo:.0} BPM. Or start the host's \
                 transport."
            ),
        ]
    } else {
        [
            "Start the transport and play your bass.".to_owned(),
            "No transport? Switch on Free run on the Setup page.".to_owned(),
        ]
    })
}

fn invite(ui: &Ui, theme: Theme, rect: Rect, [what, how]: &[String; 2]) {
    let painter = ui.painter_at(rect);
    painter.text(
        rect.center() - vec2(0.0, theme.points(12.0)),
        Align2::CENTER_CENTER,
        what,
        theme.font(22.0),
        theme::INK,
    );
    painter.text(
        rect.center() + vec2(0.0, theme.points(16.0)),
        Align2::CENTER_CENTER,
        how,
        theme.font(13.5),
        theme::FAINT,
    );
}
