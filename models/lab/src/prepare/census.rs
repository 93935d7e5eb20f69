//! Counts what was read, kept and refused, by source.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lockstep_core::representation::{N_VOICES, Voice};

use crate::corpus::{Corpus, Repetition};

/// Songs kept, and songs refused by reason, for each source.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    /// By source, then by reason; the empty reason counts kept songs.
    counts: BTreeMap<(String, String), usize>,
    /// Drum notes of the kept songs by [`Voice::index`]; the last counts those without a voice.
    notes: [usize; N_VOICES + 1],
}

/// Measures and songs of a source in the finished file.
#[derive(Default)]
struct SourceTotals {
    measures: usize,
    without_bass: usize,
    with_dynamics: usize,
    with_timing: usize,
    of_split: [usize; 3],
}

impl Census {
    pub(super) fn keep(&mut self, source: &str) {
        self.refuse(source, "");
    }

    pub(super) fn refuse(&mut self, source: &str, reason: &str) {
        // Tabs and line ends would break the text format.
        let plain = |text: &str| text.replace(char::is_control, " ");
        *self
            .counts
            .entry((plain(source), plain(reason)))
            .or_default() += 1;
    }

    /// Counts the drum notes of a kept song.
    pub(super) fn count_notes(&mut self, voices: impl Iterator<Item = Option<Voice>>) {
        for voice in voices {
            self.notes[voice.map_or(N_VOICES, Voice::index)] += 1;
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (sum, n) in self.notes.iter_mut().zip(other.notes) {
            *sum += n;
        }
        for (key, n) in &other.counts {
            *self.counts.entry(key.clone()).or_default() += n;
        }
    }

    pub(super) fn n_kept(&self) -> usize {
        let kept = self
            .counts
            .iter()
            .filter(|((_, reason), _)| reason.is_empty());
        kept.map(|(_, n)| n).sum()
    }

    /// A line of the drum notes; then one per count: source, reason, number.
    pub(super) fn to_text(&self) -> String {
        let line = |((source, reason), n): (&(String, String), &usize)| {
            format!("{source}\t{reason}\t{n}\n")
        };
        let notes: Vec<String> = self.notes.iter().map(usize::to_string).collect();
        let lines: String = self.counts.iter().map(line).collect();
        notes.join(" ") + "\n" + &lines
    }

    /// Reads what [`Self::to_text`] wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let count = |line: &str| {
            let mut cells = line.split('\t');
            let key = (cells.next()?.to_owned(), cells.next()?.to_owned());
            Some((key, cells.next()?.parse().ok()?))
        };
        let (notes, lines) = text.split_once('\n')?;
        let notes: Vec<usize> = notes
            .split(' ')
            .map(|n| n.parse().ok())
            .collect::<Option<_>>()?;
        Some(Self {
            notes: notes.try_into().ok()?,
            counts: lines.lines().map(count).collect::<Option<_>>()?,
        })
    }

    /// Every reason of every source, one per line.
    pub(super) fn reasons(&self) -> String {
        let refused = self
            .counts
            .iter()
            .filter(|((_, reason), _)| !reason.is_empty());
        let lines =
            refused.map(|((source, reason), n)| format!("  {source}: {n} refused: {reason}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The table of sources, followed by the reasons.
    pub(super) fn table(&self, corpus: &Corpus, repetition: &Repetition) -> String {
        let mut held: BTreeMap<String, SourceTotals> = BTreeMap::new();
        for song in (0..corpus.n_songs()).map(|idx| corpus.song(idx)) {
            for name in [song.source, TOTAL] {
                let held = held.entry(name.to_owned()).or_default();
                held.measures += song.n_measures();
                held.without_bass += usize::from(!song.has_bass);
                held.with_dynamics += usize::from(song.has_dynamics);
                held.with_timing += usize::from(song.has_timing);
                held.of_split[song.split as usize] += 1;
            }
        }
        let mut rows: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
        for ((source, reason), n) in &self.counts {
            for name in [source.as_str(), TOTAL] {
                rows.entry(name).or_default()[usize::from(!reason.is_empty())] += n;
            }
        }
        let total = rows.remove(TOTAL).unwrap_or_default();
        let mut table = format!(
            "{:<20} {:>6} {:>6} {:>7} {:>8} {:>8} {:>8} {:>7} {:>6} {:>6} {:>6} {:>8} {:>6}\n",
            "source",
            "read",
            "kept",
            "refused",
            "measures",
            "no bass",
            "dynamics",
            "timing",
            "train",
            "valid",
            "test",
            "distinct",
            "weight"
        );
        for (name, [n_kept, n_refused]) in rows.into_iter().chain([(TOTAL, total)]) {
            let held = held.remove(name).unwrap_or_default();
            let [n_train, n_valid, n_test] = held.of_split;
            let (distinct, weight) = if name == TOTAL {
                (String::new(), String::new())
            } else {
                (
                    repetition.n_distinct(name).to_string(),
                    format!("{:.2}", repetition.weight(name)),
                )
            };
            // Writing to a string never fails.
            let _ = writeln!(
                table,
                "{name:<20} {:>6} {n_kept:>6} {n_refused:>7} {:>8} {:>8} {:>8} {:>7} {n_train:>6} {n_valid:>6} {n_test:>6} {distinct:>8} {weight:>6}",
                n_kept + n_refused,
                held.measures,
                held.without_bass,
                held.with_dynamics,
                held.with_timing,
            );
        }
        table.push_str(&self.reasons());
        table + "\n" + &self.voices()
    }

    /// How many drum notes have a voice, those of version 1 beside them, and each voice's share.
    fn voices(&self) -> String {
        let n_notes = self.notes.iter().sum::<usize>().max(1);
        let percent = |n: usize| 100.0 * n as f64 / n_notes as f64;
        let of = |voice: Voice| self.notes[voice.index()];
        let n_before: usize = Voice::ALL
            .into_iter()
            .filter(|voice| voice.in_version_1().is_some())
            .map(of)
            .sum();
        let shares: Vec<String> = Voice::ALL
            .into_iter()
            .map(|voice| format!("{} {:.1}", voice.name().to_lowercase(), percent(of(voice))))
            .collect();
        format!(
            "{n_notes} drum notes; {:.1} % have a voice ({:.1} % with the nine voices of version 1)\n  %: {}",
            percent(n_notes - self.notes[N_VOICES]),
            percent(n_before),
            shares.join(", ")
        )
    }
}

/// Name of the last row.
const TOTAL: &str = "total";
