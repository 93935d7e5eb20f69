//! The page about the takes: each one's tempo, grid and picture, and where it begins in the medley.

use std::fmt::Write as _;

use super::lines::Line;
use super::{FIRST_ANSWERED, N_ANSWERED, TITLE};
use crate::evaluate::VARIATION;

/// A bass line after the drummer has played to it.
#[derive(Clone, Debug)]
pub(super) struct PlayedLine<'a> {
    pub(super) line: &'a Line,
    /// Its first answered measures, as text.
    pub(super) grid: String,
    /// Where they begin in the medley, in seconds.
    pub(super) begins_s: f64,
}

/// The content of the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    /// Name of the weights.
    pub(super) drummer: &'a str,
    pub(super) seed: u32,
    /// Whether each take has a WAV of its own.
    pub(super) has_wavs: bool,
    /// In the order of the medley.
    pub(super) played: &'a [PlayedLine<'a>],
}

/// `140 BPM, 4/4, eighths swung by 0.67`.
pub(crate) fn how(line: &Line) -> String {
    let (upper, lower) = (line.meter.numerator(), line.meter.denominator());
    let mut text = format!("{} BPM, {upper}/{lower}", line.tempo_bpm);
    for (kind, amount) in [
        ("eighths", line.swing.eighths()),
        ("sixteenths", line.swing.sixteenths()),
    ] {
        if amount > 0.0 {
            let _infallible = write!(text, ", {kind} swung by {amount:.2}");
        }
    }
    text
}

impl Page<'_> {
    pub(super) fn markdown(&self) -> String {
        let Self { drummer, seed, .. } = self;
        let (first, last) = (FIRST_ANSWERED + 1, FIRST_ANSWERED + N_ANSWERED);
        let mut text = format!(
            "# Listening\n\n\
             {} of our own bass lines, and what **{drummer}** plays to them with seed {seed} through the plugin's own \
             engine: variation {VARIATION}, every other knob at its default. The drummer gets only the bass, listens to \
             the first measure, and plays from the second on.\n\n\
             [{TITLE}.wav]({TITLE}.wav) plays measures {first} to {last} of each; the grids show the same measures:\n\n\
             | begins | line | |\n|---|---|---|\n",
            self.played.len(),
        );
        for PlayedLine { line, begins_s, .. } in self.played {
            let name = &line.name;
            let _infallible = writeln!(
                text,
                "| {} | [{name}](#{name}) | {}, {} |",
                clock(*begins_s),
                line.about,
                how(line)
            );
        }
        text.push_str(
            "\nIn a grid, `o` is a bass note, `X` a loud hit and `x` a softer one; in the pictures, shade shows the \
             velocity of both.\n",
        );
        for PlayedLine { line, grid, .. } in self.played {
            let Line { name, about, .. } = line;
            let mut files = format!("[{name}.mid]({name}.mid)");
            if self.has_wavs {
                let _infallible = write!(files, ", [{name}.wav]({name}.wav)");
            }
            let _infallible = write!(
                text,
                "\n## {name}\n\n{about}. {}; {drummer}, seed {seed}; {files}\n\n```text\n{}\n```\n\n\
                 ![{drummer} plays to {name}]({name}.png)\n",
                how(line),
                grid.trim_end(),
            );
        }
        text
    }
}

/// Minutes and seconds.
fn clock(seconds: f64) -> String {
    let tenths = (10.0 * seconds).round();
    let minutes = (tenths / 600.0).floor();
    format!("{minutes}:{:04.1}", tenths / 10.0 - 60.0 * minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_counts_minutes() {
        assert_eq!(
            [0.0, 9.26, 59.96, 75.5].map(clock),
            ["0:00.0", "0:09.3", "1:00.0", "1:15.5"]
        );
    }
}
