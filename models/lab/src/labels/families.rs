//! `cargo lab families`: one table of the families: sources, songs, how sure, tempo, swing, and a typical measure of each.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use lockstep_core::family::Family;
use lockstep_core::representation::N_VOICES;

use super::features::Features;
use super::picture;
use crate::corpus::{Corpus, SongView};
use crate::{root, whole};

/// What was seen by eye, by family.
const REMARKS: &str = include_str!("../../../labels/remarks.toml");

/// Fewer known songs than this are drawn from openly licensed ones alone: the mean of a few songs is a song.
const FEW_SONGS: usize = 5;

/// Least certainty of a known label whose song is drawn.
const SURE: f32 = 0.7;

/// Which corpus, and where the table goes.
#[derive(Clone, Debug, clap::Args)]
pub struct Families {
    /// The training file that `cargo lab prepare` made.
    #[arg(long, default_value = "corpus.lockstep")]
    data: PathBuf,
    /// The table.
    #[arg(short, long, default_value = "models/labels/families.md")]
    output: PathBuf,
}

impl Families {
    /// Writes the table.
    ///
    /// # Errors
    /// If the corpus cannot be read or the table not be written.
    pub fn run(&self) -> Result<()> {
        let corpus = Corpus::open(&self.data)?;
        let songs: Vec<_> = (0..corpus.n_songs()).map(|idx| corpus.song(idx)).collect();
        let path = root().join(&self.output);
        whole::write(&path, table(&songs)?.as_bytes())?;
        println!("{} written", path.display());
        Ok(())
    }
}

/// The songs of a family.
struct Row<'a> {
    family: Family,
    known: Vec<SongView<'a>>,
    guessed: Vec<SongView<'a>>,
}

impl<'a> Row<'a> {
    fn of(family: Family, songs: &[SongView<'a>]) -> Self {
        let is_of = |song: &&SongView<'_>| song.label.is_some_and(|label| label.family == family);
        let is_known = |song: &SongView<'_>| song.label.is_some_and(|label| label.is_known);
        let (known, guessed) = songs
            .iter()
            .copied()
            .filter(|song| is_of(&song))
            .partition(is_known);
        Self {
            family,
            known,
            guessed,
        }
    }

    /// Every song of it, known ones first.
    fn all(&self) -> impl Iterator<Item = &SongView<'a>> {
        self.known.iter().chain(&self.guessed)
    }

    /// The known songs that are drawn: those that are surest, and of a few only the openly licensed.
    fn drawn(&self) -> Vec<SongView<'a>> {
        let is_sure =
            |song: &&SongView<'_>| song.label.is_some_and(|label| label.certainty >= SURE);
        let sure: Vec<_> = self.known.iter().filter(is_sure).copied().collect();
        let all = if sure.len() < FEW_SONGS {
            self.known.clone()
        } else {
            sure
        };
        if all.len() >= FEW_SONGS {
            all
        } else {
            all.into_iter().filter(|song| song.is_open).collect()
        }
    }
}

fn table(songs: &[SongView<'_>]) -> Result<String> {
    let remarks: BTreeMap<String, String> =
        toml::from_str(REMARKS).context("reading models/labels/remarks.toml")?;
    let rows = Family::ALL.map(|family| Row::of(family, songs));
    let mut text = String::from(
        "# Families of grooves in the corpus\n\n\
         Made by `cargo lab families --data corpus.lockstep`. *Known*: the source says so, by the name of its style or the \
         title of the song ([styles.toml](styles.toml), [titles.toml](titles.toml)). *Guessed*: the classifier says so and is \
         sure enough that four of five such labels were right on sources that it had not seen (`cargo lab label`). *Sure* is \
         the mean certainty. Tempo and swing: from the tenth to the ninetieth percentile of the songs; swing of eighths / of \
         sixteenths, 0 straight, 67 a triplet.\n\n\
         | family | known songs | measures | sure | guessed songs | measures | sure | tempo | swing | sources |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in &rows {
        text += &line(row);
    }
    text += "\nA typical measure: the mean of the known songs with a certainty of at least 0.7, each counted once. A digit is \
             how many of ten measures have a hit there; rows that hardly sound are left out. Where the label and the word \
             disagree is said below each.\n";
    for row in &rows {
        let drawn = row.drawn();
        let _ = write!(text, "\n## {}\n\n", row.family.name());
        if drawn.is_empty() {
            text += "Too few openly licensed songs to draw.\n";
        } else {
            let of_which = if drawn.len() < FEW_SONGS {
                " (openly licensed ones)"
            } else {
                ""
            };
            let _ = write!(
                text,
                "{} songs{of_which}:\n\n```text\n{}```\n",
                drawn.len(),
                picture::of_rates(&mean(&drawn))
            );
        }
        if let Some(remark) = remarks.get(row.family.id()) {
            let _ = write!(text, "\n{}\n", remark.trim());
        }
    }
    Ok(text)
}

/// The mean of songs, each counted once: on the grid that most of them have.
fn mean(songs: &[SongView<'_>]) -> Vec<f64> {
    let rates: Vec<_> = songs
        .iter()
        .map(|song| Features::of(song.measures()).hit_rates())
        .collect();
    let n_cells = |n_steps: usize| N_VOICES * n_steps;
    let n_threes = rates
        .iter()
        .filter(|rates| rates.len() == n_cells(12))
        .count();
    let n_cells = n_cells(if 2 * n_threes > rates.len() { 12 } else { 16 });
    let same: Vec<_> = rates
        .iter()
        .filter(|rates| rates.len() == n_cells)
        .collect();
    let sum = |cell: usize| same.iter().map(|rates| rates[cell]).sum::<f64>();
    (0..n_cells)
        .map(|cell| sum(cell) / same.len().max(1) as f64)
        .collect()
}

fn line(row: &Row<'_>) -> String {
    let n_measures = |songs: &[SongView<'_>]| songs.iter().map(SongView::n_measures).sum::<usize>();
    let sure = |songs: &[SongView<'_>]| {
        let certainties = songs
            .iter()
            .filter_map(|song| song.label)
            .map(|label| f64::from(label.certainty));
        let n = songs.len();
        if n == 0 {
            "-".to_owned()
        } else {
            format!("{:.2}", certainties.sum::<f64>() / n as f64)
        }
    };
    let tempos = row
        .all()
        .map(|song| song_mean(song, |measure| measure.tempo_bpm))
        .collect();
    let eighths = row
        .all()
        .map(|song| 100.0 * song_mean(song, |measure| measure.swing.eighths()))
        .collect();
    let sixteenths = row
        .all()
        .map(|song| 100.0 * song_mean(song, |measure| measure.swing.sixteenths()))
        .collect();
    let mut sources: BTreeMap<&str, usize> = BTreeMap::new();
    for song in row.all() {
        *sources.entry(song.source).or_default() += 1;
    }
    let mut sources: Vec<_> = sources.into_iter().collect();
    sources.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let sources: Vec<_> = sources
        .iter()
        .map(|(source, n)| format!("{source} {n}"))
        .collect();
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} / {} | {} |\n",
        row.family.name(),
        row.known.len(),
        n_measures(&row.known),
        sure(&row.known),
        row.guessed.len(),
        n_measures(&row.guessed),
        sure(&row.guessed),
        range(tempos),
        range(eighths),
        range(sixteenths),
        sources.join(", "),
    )
}

fn song_mean(song: &SongView<'_>, value: impl Fn(crate::corpus::MeasureView<'_>) -> f32) -> f32 {
    let n = song.n_measures().max(1);
    song.measures().map(value).sum::<f32>() / n as f32
}

/// The tenth and the ninetieth percentile; one number if they are the same.
fn range(mut values: Vec<f32>) -> String {
    values.sort_by(f32::total_cmp);
    let at = |tenths: usize| {
        values
            .get(values.len().saturating_sub(1) * tenths / 10)
            .copied()
            .unwrap_or_default()
    };
    let (low, high) = (format!("{:.0}", at(1)), format!("{:.0}", at(9)));
    if low == high {
        low
    } else {
        format!("{low}–{high}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{DrumHit, GrooveLabel, MeasureRecord, SongRecord, write};
    use lockstep_core::representation::{Meter, Swing, Voice};

    /// A ska song of eight measures: a kick on one, a side stick or a snare on three.
    fn song(idx: usize, is_open: bool) -> SongRecord {
        let hit = |step_idx, voice: Voice| DrumHit {
            step_idx,
            voice: voice as u8,
            velocity: 100,
            offset: 0,
        };
        let answer = if idx.is_multiple_of(2) {
            Voice::SideStick
        } else {
            Voice::Snare
        };
        let measure = MeasureRecord {
            meter: Meter::COMMON,
            tempo_bpm: 150.0,
            swing: Swing::new(0.5, 0.0),
            bass: Vec::new(),
            hits: vec![hit(0, Voice::Kick), hit(8, answer)],
        };
        SongRecord {
            name: format!("{idx}.mid"),
            source: "yard".to_owned(),
            is_open,
            label: Some(GrooveLabel {
                family: Family::Ska,
                certainty: 0.75,
                is_known: true,
            }),
            measures: vec![measure; 8],
            ..SongRecord::default()
        }
    }

    fn table_of(songs: Vec<SongRecord>) -> Result<String> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("c.lockstep");
        write(&path, songs)?;
        let corpus = Corpus::open(&path)?;
        table(
            &(0..corpus.n_songs())
                .map(|idx| corpus.song(idx))
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_family_is_counted_and_its_mean_measure_drawn() -> Result<()> {
        let text = table_of((0..6).map(|idx| song(idx, false)).collect())?;
        assert!(
            text.contains("| Ska | 6 | 48 | 0.75 | 0 | 0 | - | 150 | 50 / 0 | yard 6 |"),
            "{text}"
        );
        let picture = "6 songs:\n\n```text\n\
                       kick |9... .... .... ....|\n\
                       snar |.... .... 5... ....|\n\
                       side |.... .... 5... ....|\n```";
        assert!(text.contains(picture), "{text}");
        Ok(())
    }

    #[test]
    fn few_songs_are_drawn_from_the_openly_licensed_alone() -> Result<()> {
        let closed = table_of((0..4).map(|idx| song(idx, false)).collect())?;
        assert!(
            closed.contains("## Ska\n\nToo few openly licensed songs to draw."),
            "{closed}"
        );
        let open = table_of((0..4).map(|idx| song(idx, idx == 1)).collect())?;
        assert!(
            open.contains(
                "1 songs (openly licensed ones):\n\n```text\nkick |9... .... .... ....|\nsnar |"
            ),
            "{open}"
        );
        Ok(())
    }
}
