//! Shows the model card that lies beside the weights, with as much Markdown as the cards use.

use egui::{Grid, RichText, ScrollArea, Ui};

use super::theme::{self, Theme};
use crate::params::Drummer;

impl Drummer {
    /// The model card, in Markdown.
    fn card(self) -> &'static str {
        match self {
            Self::Lockstep => include_str!("../../../models/weights/lockstep.md"),
            Self::Open => include_str!("../../../models/weights/lockstep-open.md"),
            Self::LockstepTwo => include_str!("../../../models/weights/lockstep-2.md"),
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
enum CardBlock {
    Heading(String),
    Paragraph(String),
    Item(String),
    Table(Vec<Vec<String>>),
}

/// Shows a drummer's card.
pub(super) fn show(ui: &mut Ui, theme: Theme, drummer: Drummer) {
    ScrollArea::vertical()
        .id_salt("card")
        .auto_shrink(false)
        .show(ui, |ui| {
            for (place, block) in blocks(drummer.card()).into_iter().enumerate() {
                show_block(ui, theme, place, &block);
            }
        });
}

fn show_block(ui: &mut Ui, theme: Theme, place: usize, block: &CardBlock) {
    match block {
        CardBlock::Heading(text) => {
            ui.add_space(theme.points(6.0));
            ui.label(RichText::new(text).font(theme.font(16.0)).strong());
        }
        CardBlock::Paragraph(text) => {
            ui.label(text);
        }
        CardBlock::Item(text) => {
            ui.horizontal_top(|ui| {
                ui.label("•");
                ui.label(text);
            });
        }
        CardBlock::Table(rows) => {
            let n_columns = rows.iter().map(Vec::len).max().unwrap_or(1).max(1);
            let width = (ui.available_width() / n_columns as f32) - theme.points(12.0);
            Grid::new(("table", place))
                .striped(true)
                .min_col_width(theme.points(40.0))
                .max_col_width(width)
                .show(ui, |ui| {
                    for (row_idx, row) in rows.iter().enumerate() {
                        for cell in row {
                            let text = RichText::new(cell).font(theme.font(12.5));
                            let text = if row_idx == 0 {
                                text.color(theme::FAINT)
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
fn blocks(markdown: &str) -> Vec<CardBlock> {
    let mut blocks = Vec::new();
    for line in markdown.lines().map(str::trim) {
        if line.is_empty() {
            // Ends the paragraph.
            blocks.push(CardBlock::Paragraph(String::new()));
        } else if let Some(row) = line.strip_prefix('|') {
            if row.chars().all(|c| "|-: ".contains(c)) {
                continue;
            }
            let cells = row.trim_end_matches('|').split('|');
            let cells = cells.map(|cell| plain(cell.trim())).collect();
            match blocks.last_mut() {
                Some(CardBlock::Table(rows)) => rows.push(cells),
                _ => blocks.push(CardBlock::Table(vec![cells])),
            }
        } else if line.starts_with('#') {
            blocks.push(CardBlock::Heading(plain(
                line.trim_start_matches('#').trim(),
            )));
        } else if let Some(item) = line.strip_prefix("- ") {
            blocks.push(CardBlock::Item(plain(item)));
        } else if line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(". ") {
            blocks.push(CardBlock::Paragraph(plain(line)));
        } else {
            match blocks.last_mut() {
                Some(CardBlock::Paragraph(text)) if !text.is_empty() => {
                    text.push(' ');
                    text.push_str(&plain(line));
                }
                _ => blocks.push(CardBlock::Paragraph(plain(line))),
            }
        }
    }
    blocks.retain(|block| *block != CardBlock::Paragraph(String::new()));
    blocks
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
            blocks(text),
            [
                CardBlock::Heading("One".into()),
                CardBlock::Paragraph("Two three four six.".into()),
                CardBlock::Table(vec![
                    vec!["a".into(), "b".into()],
                    vec!["1".into(), "2".into()]
                ]),
                CardBlock::Item("seven".into()),
            ]
        );
    }

    #[test]
    fn the_tables_of_the_model_cards_are_found() {
        for drummer in [Drummer::Lockstep, Drummer::Open, Drummer::LockstepTwo] {
            let n_tables = blocks(drummer.card())
                .iter()
                .filter(|block| matches!(block, CardBlock::Table(_)))
                .count();
            assert!(n_tables >= 3, "{drummer:?}: {n_tables} tables");
        }
    }
}
