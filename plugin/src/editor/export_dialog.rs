//! Saves what was played: a take at the press of a button, or the last measures in a folder that the player chooses.
//!
//! Both ask the archive directly instead of setting a parameter, which a host may move by itself.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::thread::Builder;

use egui::{DragValue, Modal, Rect, RichText, Ui};

use super::theme::{self, Theme};
use super::widgets;
use crate::capture::{ArchiveHandle, Exported, PendingExport, reveal, takes_folder};

/// Most measures that can be exported.
const MAX_MEASURES: usize = 64;

/// The export dialog and the last export.
#[derive(Debug)]
pub(super) struct ExportDialog {
    /// The instance's place in the archive, once it has been activated.
    archive: Arc<OnceLock<ArchiveHandle>>,
    is_open: bool,
    n_measures: usize,
    folder: String,
    exporting: Option<PendingExport>,
    outcome: Option<Result<Exported, String>>,
    /// Brings the file manager's answer.
    reveal_error: Option<Receiver<String>>,
    problem: Option<String>,
}

impl ExportDialog {
    pub(super) fn new(archive: Arc<OnceLock<ArchiveHandle>>) -> Self {
        let folder = takes_folder().unwrap_or_default();
        Self {
            archive,
            is_open: false,
            n_measures: 8,
            folder: folder.display().to_string(),
            exporting: None,
            outcome: None,
            reveal_error: None,
            problem: None,
        }
    }

    /// Draws the Export button and its dialog.
    pub(super) fn show(&mut self, ui: &mut Ui, theme: Theme) {
        let tip = "Writes the last measures, bass and drums, as .mid and .wav to a folder of your choice.";
        if ui.button("Export…").on_hover_text(tip).clicked() {
            self.is_open = true;
            self.outcome = None;
            self.problem = None;
        }
        if let Some(outcome) = self.exporting.as_ref().and_then(PendingExport::ready) {
            self.exporting = None;
            self.outcome = Some(outcome.map_err(|error| error.to_string()));
        }
        if let Some(words) = self
            .reveal_error
            .as_ref()
            .and_then(|reveal_error| reveal_error.try_recv().ok())
        {
            self.reveal_error = None;
            self.problem = Some(words).filter(|words| !words.is_empty());
        }
        if !self.is_open {
            return;
        }
        let mut is_done = false;
        let modal = Modal::new(egui::Id::unique("export")).show(ui.ctx(), |ui| {
            theme.style(ui.style_mut());
            ui.set_width(theme.points(440.0));
            ui.label(RichText::new("Export what was played").font(theme.font(16.0)));
            ui.horizontal(|ui| {
                ui.label("The last");
                ui.add(DragValue::new(&mut self.n_measures).range(1..=MAX_MEASURES));
                ui.label("measures, as .mid and .wav, to");
            });
            ui.add(egui::TextEdit::singleline(&mut self.folder).desired_width(f32::INFINITY));
            ui.horizontal(|ui| {
                let is_free = self.exporting.is_none();
                if ui
                    .add_enabled(is_free, egui::Button::new("Export"))
                    .clicked()
                {
                    self.export();
                }
                is_done = ui.button("Close").clicked();
                if self.exporting.is_some() {
                    ui.label("exporting …");
                }
            });
            self.show_outcome(ui);
        });
        if is_done || modal.should_close() {
            self.is_open = false;
        }
    }

    /// Draws the Save take button, and saves a take when it is clicked.
    pub(super) fn save_button(&self, ui: &Ui, theme: Theme, rect: Rect) {
        let tip = "Writes the last 64 measures as .mid and .wav to your takes folder. If nothing new was played, it shows \
                   where the last take is.";
        if widgets::press(ui, theme, (rect, "Save take"), tip)
            && let Some(archive) = self.archive.get()
        {
            archive.save();
        }
    }

    /// Says how the last save went, by button or control key.
    pub(super) fn show_last_save(&self, ui: &mut Ui, theme: Theme) {
        if let Some(message) = self.archive.get().and_then(ArchiveHandle::last_save) {
            let color = if message.is_problem {
                theme::ALARM
            } else {
                theme::PINNED
            };
            let words = RichText::new(format!("{}.", message.text));
            ui.label(words.font(theme.font(12.0)).color(color));
        }
    }

    fn export(&mut self) {
        self.problem = None;
        let folder = Path::new(self.folder.trim());
        let n_measures = NonZeroUsize::new(self.n_measures).unwrap_or(NonZeroUsize::MIN);
        self.outcome = match self.archive.get() {
            _ if !folder.is_absolute() => Some(Err(format!(
                "`{}` is not a full path: it has to start at the root",
                folder.display()
            ))),
            Some(archive) => {
                self.exporting = Some(archive.export(n_measures, folder));
                None
            }
            None => Some(Err("nothing has been played yet".to_owned())),
        };
    }

    /// Says how the export went, with buttons that lead to the files.
    fn show_outcome(&mut self, ui: &mut Ui) {
        match &self.outcome {
            Some(Ok(exported)) => {
                let n = exported.n_measures;
                ui.label(format!("Exported {n} measures to"));
                for path in [&exported.mid, &exported.wav] {
                    ui.label(RichText::new(path.display().to_string()).color(theme::PINNED));
                }
                let path = exported.mid.clone();
                ui.horizontal(|ui| {
                    if ui.button("Reveal in folder").clicked() {
                        self.reveal_error = show_file(path.clone());
                    }
                    if ui.button("Copy path").clicked() {
                        ui.ctx().copy_text(path.display().to_string());
                    }
                });
            }
            Some(Err(problem)) => {
                ui.label(
                    RichText::new(format!("Nothing was written: {problem}.")).color(theme::ALARM),
                );
            }
            None => {}
        }
        if let Some(problem) = &self.problem {
            ui.label(RichText::new(problem).color(theme::ALARM));
        }
    }
}

/// Shows a file in the file manager, on its own thread because that may block. The error text follows, empty on success.
fn show_file(path: PathBuf) -> Option<Receiver<String>> {
    let (sender, words) = channel();
    let thread = Builder::new().name("lockstep-reveal".to_owned());
    let spawned = thread.spawn(move || {
        let words = reveal(&path).err().map(|error| error.to_string());
        // The window may be closed by now.
        let _ = sender.send(words.unwrap_or_default());
    });
    spawned.ok().map(|_| words)
}
