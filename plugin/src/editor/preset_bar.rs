//! The presets, and comparing A with B.

use std::sync::Arc;

use egui::{Modal, RichText, TextEdit, Ui};
use nice_plug::prelude::Params;

use super::setter::Setter;
use super::theme::{self, Theme};
use crate::params::{LockstepParams, Parameters};
use crate::presets::{
    Compare, CompareSide, IfExists, Preset, PresetError, PresetTitle, PresetValues, UserFolder,
    UserPresets, factory, user,
};

/// The preset list, the A and B buttons, and the dialog that saves a preset.
pub(super) struct PresetBar {
    parameters: Parameters,
    compare: Compare,
    /// The preset that was chosen last.
    chosen: Option<Preset>,
    /// The user's presets, read when the list opens.
    user: Option<Result<UserPresets, PresetError>>,
    save_dialog: Option<SaveDialog>,
}

/// The dialog that saves a preset.
#[derive(Debug, Default)]
struct SaveDialog {
    name: String,
    about: String,
    /// Why the last attempt failed.
    problem: Option<String>,
    /// Whether it failed only because the name is taken.
    is_there: bool,
}

impl std::fmt::Debug for PresetBar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PresetBar")
            .field("compare", &self.compare.on())
            .field("writing", &self.save_dialog)
            .finish_non_exhaustive()
    }
}

impl PresetBar {
    pub(super) fn new(params: &Arc<LockstepParams>) -> Self {
        Self {
            parameters: Parameters::new(Arc::clone(params) as Arc<dyn Params>),
            compare: Compare::default(),
            chosen: None,
            user: None,
            save_dialog: None,
        }
    }

    /// Draws the A and B buttons, the Save button and the preset list, from right to left.
    pub(super) fn show(&mut self, ui: &mut Ui, theme: Theme, setter: &Setter<'_>) {
        for (slot, name) in [(CompareSide::B, "B"), (CompareSide::A, "A")] {
            let is_on = self.compare.on() == slot;
            let button = ui.selectable_label(is_on, name).on_hover_text(
                "Two settings to compare by ear. Your changes go to the one that is lit; right-click copies it to the other.",
            );
            if button.clicked() && !is_on {
                let other = self.compare.switch(PresetValues::now(&self.parameters));
                self.set(&other, setter);
            }
            if button.secondary_clicked() {
                self.compare.copy(PresetValues::now(&self.parameters));
            }
        }
        ui.separator();
        let tip =
            "Saves the controls and the kit as your own preset, a file in your presets folder.";
        if ui.button("Save…").on_hover_text(tip).clicked() {
            self.save_dialog = Some(SaveDialog::default());
        }
        self.list(ui, theme, setter);
        self.write(ui, theme);
    }

    fn list(&mut self, ui: &mut Ui, theme: Theme, setter: &Setter<'_>) {
        let shown = match &self.chosen {
            Some(preset) if preset.values.are_set(&self.parameters) => preset.name.clone(),
            Some(preset) => format!("{} *", preset.name),
            None => "Presets".to_owned(),
        };
        let mut wanted = None;
        let list = egui::ComboBox::from_id_salt("presets")
            .width(theme.points(150.0))
            .selected_text(shown)
            .show_ui(ui, |ui| {
                let user = self.user.get_or_insert_with(user);
                for preset in factory() {
                    wanted = offer(ui, preset).or(wanted.take());
                }
                ui.separator();
                match user {
                    Ok(found) => {
                        for preset in &found.presets {
                            wanted = offer(ui, preset).or(wanted.take());
                        }
                        for problem in &found.problems {
                            ui.label(RichText::new(problem.to_string()).color(theme::ALARM));
                        }
                        if found.presets.is_empty() && found.problems.is_empty() {
                            let folder = found.folder.display();
                            ui.label(
                                RichText::new(format!("Your presets go to {folder}"))
                                    .color(theme::FAINT),
                            );
                        }
                    }
                    Err(error) => {
                        ui.label(RichText::new(error.to_string()).color(theme::ALARM));
                    }
                }
            });
        if list.inner.is_none() {
            // Files written in the meantime show up when the list opens again.
            self.user = None;
        }
        list.response.on_hover_text(
            "A preset sets density, drummer, feel and kit. A star: you have changed something since.",
        );
        if let Some(preset) = wanted {
            self.set(&preset.values, setter);
            self.chosen = Some(preset);
        }
    }

    /// Sets the parameters to these values.
    fn set(&self, values: &PresetValues, setter: &Setter<'_>) {
        for (at, value) in values.turns(&self.parameters) {
            setter.set_at(&self.parameters, at, value);
        }
    }

    /// Draws the dialog, if it is open, and saves the preset.
    fn write(&mut self, ui: &Ui, theme: Theme) {
        let Some(save_dialog) = &mut self.save_dialog else {
            return;
        };
        let mut is_done = false;
        let modal = Modal::new(egui::Id::unique("write preset")).show(ui.ctx(), |ui| {
            theme.style(ui.style_mut());
            ui.set_width(theme.points(360.0));
            ui.label(RichText::new("Save as a preset").font(theme.font(16.0)));
            ui.label("Name");
            ui.add(TextEdit::singleline(&mut save_dialog.name).desired_width(f32::INFINITY));
            ui.label("Description (optional)");
            ui.add(TextEdit::singleline(&mut save_dialog.about).desired_width(f32::INFINITY));
            if let Some(problem) = &save_dialog.problem {
                ui.label(RichText::new(problem).color(theme::ALARM));
            }
            ui.horizontal(|ui| {
                let (words, if_there) = if save_dialog.is_there {
                    ("Replace", IfExists::Replace)
                } else {
                    ("Save", IfExists::Refuse)
                };
                if ui.button(words).clicked() {
                    let title = PresetTitle {
                        name: &save_dialog.name,
                        about: &save_dialog.about,
                    };
                    let written = UserFolder::of_user()
                        .and_then(|folder| folder.save(title, &self.parameters, if_there));
                    match written {
                        Ok(path) => {
                            self.chosen = UserFolder::of_user().ok().and_then(|folder| {
                                let mut own = folder.presets().presets.into_iter();
                                own.find(|preset| preset.file.as_ref() == Some(&path))
                            });
                            is_done = true;
                        }
                        Err(error) => {
                            save_dialog.is_there = matches!(error, PresetError::IsThere { .. });
                            save_dialog.problem = Some(error.to_string());
                        }
                    }
                }
                is_done |= ui.button("Cancel").clicked();
            });
        });
        if is_done || modal.should_close() {
            self.save_dialog = None;
        }
    }
}

/// Draws a line of the list. Returns the preset if it was clicked.
fn offer(ui: &mut Ui, preset: &Preset) -> Option<Preset> {
    let line = ui.selectable_label(false, &preset.name);
    let line = if preset.about.is_empty() {
        line
    } else {
        line.on_hover_text(&preset.about)
    };
    line.clicked().then(|| preset.clone())
}
