//! Shows the model card that lies beside the weights, with as much Markdown as the cards use.

use egui::{Grid, RichText, ScrollArea, Ui};

use super::look::{self, Look};
use crate::params::Drummer;

impl Drummer {
    /// The model card, in Markdown.
    fn card(self) -> &'static str {
        match self {
            Self::Lockstep => include_str!("../../../models/weights/lockstep.md"),
            Self::Open => include_str!("../../../models/weights/lockstep-open.md"),
            Self::Base => {
                "# GAN\n\nThe lab's conditional GAN: it starts from noise, does not hear its own drums, and has no styles, \
                 fills or follow. Its measurements are in models/README.md in the source."
            }
            Self::Own => {
                "# Own\n\nA drummer that was taught by your own songs, with `lockstep tune`. Its card is in its weights file."
            }
        }
    }
}

/// A part of a card.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Heading(String),
    Paragraph(String),
    Item(String),
    Table(Vec<Vec<String>>),
}

/// Shows a drummer's card.
pub(super) fn show(ui: &mut Ui, look: Look, drummer: Drummer) {
    ScrollArea::vertical()
        .id_salt("card")
        .auto_shrink(false)
        .show(ui, |ui| {
            for (place, part) in parts(drummer.card()).into_iter().enumerate() {
                show_part(ui, look, place, &part);
            }
        });
}

fn show_part(ui: &mut Ui, look: Look, place: usize, part: &Part) {
    match part {
        Part::Heading(text) => {
            ui.add_space(look.points(6.0));
            ui.label(RichText::new(text).font(look.font(16.0)).strong());
        }
        Part::Paragraph(text) => {
            ui.label(text);
        }
        Part::Item(text) => {
            ui.horizontal_top(|ui| {
                ui.label("•");
                ui.label(text);
            });
        }
        Part::Table(rows) => {
            let n_columns = rows.iter().map(Vec::len).max().unwrap_or(1).max(1);
            let width = (ui.available_width() / n_columns as f32) - look.points(12.0);
            Grid::new(("table", place))
                .striped(true)
                .min_col_width(look.points(40.0))
                .max_col_width(width)
                .show(ui, |ui| {
                    for (row_idx, row) in rows.iter().enumerate() {
                        for cell in row {
                            let text = RichText::new(cell).font(look.font(12.5));
                            let text = if row_idx == 0 {
                                text.color(look::FAINT)
                            } else {
                                text
                            };
                            ui.add(egui::Label::new(text).wrap());
                        }
                        ui.end_row();
                    }
                });
        }
    }
}

/// Splits Markdown into parts.
fn parts(markdown: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for line in markdown.lines().map(str::trim) {
        if line.is_empty() {
            // Ends the paragraph.
            parts.push(Part::Paragraph(String::new()));
        } else if let Some(row) = line.strip_prefix('|') {
            if row.chars().all(|c| "|-: ".contains(c)) {
                continue;
            }
            let cells = row.trim_end_matches('|').split('|');
            let cells = cells.map(|cell| plain(cell.trim())).collect();
            match parts.last_mut() {
                Some(Part::Table(rows)) => rows.push(cells),
                _ => parts.push(Part::Table(vec![cells])),
            }
        } else if line.starts_with('#') {
            parts.push(Part::Heading(plain(line.trim_start_matches('#').trim())));
        } else if let Some(item) = line.strip_prefix("- ") {
            parts.push(Part::Item(plain(item)));
        } else if line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(". ") {
            parts.push(Part::Paragraph(plain(line)));
        } else {
            match parts.last_mut() {
                Some(Part::Paragraph(text)) if !text.is_empty() => {
                    text.push(' ');
                    text.push_str(&plain(line));
                }
                _ => parts.push(Part::Paragraph(plain(line))),
            }
        }
    }
    parts.retain(|part| *part != Part::Paragraph(String::new()));
    parts
}

/// A line without its Markdown; a link keeps only its text.
fn plain(line: &str) -> String {
    let mut text = line.replace("**", "").replace('`', "");
    while let Some(middle) = text.find("](") {
        let (Some(open), Some(length)) = (text[..middle].rfind('['), text[middle..].find(')'))
        else {
            break;
        };
        text.replace_range(middle..=middle + length, "");
        text.remove(open);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_split_into_its_parts() {
        let text = "# One\n\nTwo\nthree [four](five.md) `six`.\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n- seven";
        assert_eq!(
            parts(text),
            [
                Part::Heading("One".into()),
                Part::Paragraph("Two three four six.".into()),
                Part::Table(vec![
                    vec!["a".into(), "b".into()],
                    vec!["1".into(), "2".into()]
                ]),
                Part::Item("seven".into()),
            ]
        );
    }

    #[test]
    fn the_tables_of_the_model_cards_are_found() {
        for drummer in [Drummer::Lockstep, Drummer::Open] {
            let n_tables = parts(drummer.card())
                .iter()
                .filter(|part| matches!(part, Part::Table(_)))
                .count();
            assert!(n_tables >= 3, "{drummer:?}: {n_tables} tables");
        }
    }
}
