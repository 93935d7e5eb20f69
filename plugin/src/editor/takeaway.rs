//! Saves what was played: a take at the press of a button, or the last measures in a folder that the player chooses.
//!
//! Both ask the archive directly instead of setting a parameter, which a host may move by itself.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::thread::Builder;

use egui::{DragValue, Modal, Rect, RichText, Ui};

use super::bars;
use super::look::{self, Look};
use crate::capture::{ArchiveHandle, Exported, PendingExport, reveal, takes_folder};

/// Most measures that can be exported.
const MOST: usize = 64;

/// The export dialog and the last export.
#[derive(Debug)]
pub(super) struct TakeAway {
    /// The instance's place in the archive, once it has been activated.
    place: Arc<OnceLock<ArchiveHandle>>,
    is_open: bool,
    n_measures: usize,
    folder: String,
    exporting: Option<PendingExport>,
    outcome: Option<Result<Exported, String>>,
    /// Brings the file manager's answer.
    shown: Option<Receiver<String>>,
    trouble: Option<String>,
}

impl TakeAway {
    pub(super) fn new(place: Arc<OnceLock<ArchiveHandle>>) -> Self {
        let folder = takes_folder().unwrap_or_default();
        Self {
            place,
            is_open: false,
            n_measures: 8,
            folder: folder.display().to_string(),
            exporting: None,
            outcome: None,
            shown: None,
            trouble: None,
        }
    }

    /// Draws the Export button and its dialog.
    pub(super) fn show(&mut self, ui: &mut Ui, look: Look) {
        let tip = "Writes the last measures, bass and drums, as .mid and .wav to a folder of your choice.";
        if ui.button("Export…").on_hover_text(tip).clicked() {
            self.is_open = true;
            self.outcome = None;
            self.trouble = None;
        }
        if let Some(outcome) = self.exporting.as_ref().and_then(PendingExport::ready) {
            self.exporting = None;
            self.outcome = Some(outcome.map_err(|error| error.to_string()));
        }
        if let Some(words) = self.shown.as_ref().and_then(|shown| shown.try_recv().ok()) {
            self.shown = None;
            self.trouble = Some(words).filter(|words| !words.is_empty());
        }
        if !self.is_open {
            return;
        }
        let mut is_done = false;
        let modal = Modal::new(egui::Id::unique("export")).show(ui.ctx(), |ui| {
            look.style(ui.style_mut());
            ui.set_width(look.points(440.0));
            ui.label(RichText::new("Export what was played").font(look.font(16.0)));
            ui.horizontal(|ui| {
                ui.label("The last");
                ui.add(DragValue::new(&mut self.n_measures).range(1..=MOST));
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
            self.tell(ui);
        });
        if is_done || modal.should_close() {
            self.is_open = false;
        }
    }

    /// Draws the Save take button, and saves a take when it is clicked.
    pub(super) fn save(&self, ui: &Ui, look: Look, rect: Rect) {
        let tip = "Writes the last 64 measures as .mid and .wav to your takes folder. If nothing new was played, it shows \
                   where the last take is.";
        if bars::press(ui, look, (rect, "Save take"), tip)
            && let Some(place) = self.place.get()
        {
            place.save();
        }
    }

    /// Says how the last save went, by button or control key.
    pub(super) fn tell_saved(&self, ui: &mut Ui, look: Look) {
        if let Some(told) = self.place.get().and_then(ArchiveHandle::last_save) {
            let color = if told.is_problem {
                look::ALARM
            } else {
                look::PINNED
            };
            let words = RichText::new(format!("{}.", told.text));
            ui.label(words.font(look.font(12.0)).color(color));
        }
    }

    fn export(&mut self) {
        self.trouble = None;
        let folder = Path::new(self.folder.trim());
        let n_measures = NonZeroUsize::new(self.n_measures).unwrap_or(NonZeroUsize::MIN);
        self.outcome = match self.place.get() {
            _ if !folder.is_absolute() => Some(Err(format!(
                "`{}` is not a full path: it has to start at the root",
                folder.display()
            ))),
            Some(place) => {
                self.exporting = Some(place.export(n_measures, folder));
                None
            }
            None => Some(Err("nothing has been played yet".to_owned())),
        };
    }

    /// Says how the export went, with buttons that lead to the files.
    fn tell(&mut self, ui: &mut Ui) {
        match &self.outcome {
            Some(Ok(exported)) => {
                let n = exported.n_measures;
                ui.label(format!("Exported {n} measures to"));
                for path in [&exported.mid, &exported.wav] {
                    ui.label(RichText::new(path.display().to_string()).color(look::PINNED));
                }
                let path = exported.mid.clone();
                ui.horizontal(|ui| {
                    if ui.button("Reveal in folder").clicked() {
                        self.shown = show_file(path.clone());
                    }
                    if ui.button("Copy path").clicked() {
                        ui.ctx().copy_text(path.display().to_string());
                    }
                });
            }
            Some(Err(trouble)) => {
                ui.label(
                    RichText::new(format!("Nothing was written: {trouble}.")).color(look::ALARM),
                );
            }
            None => {}
        }
        if let Some(trouble) = &self.trouble {
            ui.label(RichText::new(trouble).color(look::ALARM));
        }
    }
}

/// Shows a file in the file manager, on its own thread because that may block. The error text follows, empty on success.
fn show_file(path: PathBuf) -> Option<Receiver<String>> {
    let (tell, words) = channel();
    let thread = Builder::new().name("lockstep-reveal".to_owned());
    let spawned = thread.spawn(move || {
        let words = reveal(&path).err().map(|error| error.to_string());
        // The window may be closed by now.
        let _ = tell.send(words.unwrap_or_default());
    });
    spawned.ok().map(|_| words)
}
