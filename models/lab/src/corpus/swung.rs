//! Where a song's notes fall on the steps of measures that swing.

use std::collections::HashMap;
use std::iter::repeat;

use lockstep_core::draws;
use lockstep_core::representation::{
    MeasureEvidence, Meter, Position, Swing, SwingOnset, SwungGrid, swing_of_song,
};
use lockstep_files::midi_file::Song;

use super::format;

/// The measures of a song, each with its own swing.
#[derive(Debug)]
pub(super) struct SwungMeasures {
    spans: Vec<Span>,
    /// Whether no measure swings.
    is_straight: bool,
}

/// One measure.
#[derive(Debug)]
struct Span {
    /// Its first step, counted from the start of the song.
    begin: usize,
    grid: SwungGrid,
}

impl SwungMeasures {
    /// Finds each measure's swing from the onsets of bass and drums together, which come in time order.
    ///
    /// A measure that tells nothing gets the swing of its neighbours.
    pub(super) fn hear(bars: &[(usize, Meter)], song: &Song, onsets: &[(Position, u8)]) -> Self {
        if is_on_straight_steps(onsets) {
            return Self::new(bars, &[]);
        }
        let mut rest = onsets;
        let mut known = HashMap::new();
        let mut evidence = Vec::with_capacity(bars.len());
        for &(begin, meter) in bars {
            let end = Position::at_step(begin + meter.n_steps());
            let n_inside = rest.iter().take_while(|onset| onset.0 < end).count();
            let (inside, after) = rest.split_at(n_inside);
            rest = after;
            let start = Position::at_step(begin);
            let heard: Vec<_> = inside
                .iter()
                .map(|&(at, velocity)| about(at.counted_from(start), velocity))
                .collect();
            let tempo_bpm = format::tempo(song.tempo_at(start).round());
            // Songs repeat their measures, and this is most of what preparing them costs.
            let same = known
                .entry(fingerprint(&heard, meter, tempo_bpm))
                .or_insert_with(|| MeasureEvidence::of(&heard, meter, tempo_bpm));
            evidence.push(*same);
        }
        let heard = swing_of_song(&evidence);
        let swings: Vec<_> = heard.iter().map(|heard| heard.swing).collect();
        Self::new(bars, &swings)
    }

    /// Measures and their swing; straight where none is given.
    fn new(bars: &[(usize, Meter)], swings: &[Swing]) -> Self {
        let swings = swings.iter().copied().chain(repeat(Swing::STRAIGHT));
        let spans: Vec<_> = bars
            .iter()
            .zip(swings)
            .map(|(&(begin, meter), swing)| Span {
                begin,
                // What is kept must be what the offsets are counted from.
                grid: format::kept(swing.in_meter(meter).swing()).in_meter(meter),
            })
            .collect();
        let is_straight = spans.iter().all(|span| span.grid.swing().is_straight());
        Self { spans, is_straight }
    }

    /// The swing of a measure.
    pub(super) fn swing(&self, measure_idx: usize) -> Swing {
        self.spans
            .get(measure_idx)
            .map_or(Swing::STRAIGHT, |span| span.grid.swing())
    }

    /// The nearest step, counted from the start of the song, and the distance from it in 1/254 step.
    ///
    /// Ties go to the even step in a straight measure, and to the later one in a swung measure.
    pub(super) fn nearest(&self, at: Position) -> (usize, i8) {
        if self.is_straight {
            return nearest_step(at);
        }
        let place = at.steps();
        let n_begun = self
            .spans
            .partition_point(|span| span.begin as f64 <= place);
        let span = n_begun.checked_sub(1).and_then(|idx| self.spans.get(idx));
        match span.filter(|span| !span.grid.swing().is_straight()) {
            Some(span) => {
                let (step, lateness) = span.grid.nearest(place - span.begin as f64);
                (span.begin + step, units(lateness))
            }
            None => nearest_step(at),
        }
    }
}

/// Whether so few onsets are off the straight steps that nothing can swing: fewer than three in a hundred, by an eighth of a
/// step.
fn is_on_straight_steps(onsets: &[(Position, u8)]) -> bool {
    let is_off = |onset: &&(Position, u8)| {
        let place = onset.0.steps();
        (place - place.round()).abs() > 0.125
    };
    33 * onsets.iter().filter(is_off).count() < onsets.len()
}

/// An onset as evidence, rounded far below what a player hears, so that measures that sound the same are the same.
fn about(place: Position, velocity: u8) -> SwingOnset {
    let place = (place.steps() * 64.0).round() / 64.0;
    let loudness = f32::from(velocity / 16) / 8.0;
    SwingOnset::new(place, loudness)
}

/// The same for measures whose evidence is the same.
fn fingerprint(onsets: &[SwingOnset], meter: Meter, tempo_bpm: f32) -> u64 {
    let about = [
        meter.n_steps() as u64,
        u64::from(meter.denominator()),
        u64::from(tempo_bpm.to_bits()),
    ];
    let word = |place: f64, weight: f32| place.to_bits() ^ u64::from(weight.to_bits()) << 8;
    let mut words: Vec<u64> = onsets
        .iter()
        .map(|onset| word(onset.place, onset.weight))
        .collect();
    if onsets.iter().all(|onset| onset.place.fract() == 0.0) {
        // On straight steps only the place in the beat counts, and the loudest of several.
        let loudest = onsets.chunk_by(|a, b| a.place >= b.place).map(|same| {
            let weight = same.iter().map(|onset| onset.weight).fold(0.0, f32::max);
            word(same.first().map_or(0.0, |onset| onset.place % 4.0), weight)
        });
        words = loudest.collect();
        words.sort_unstable();
    }
    words.extend(about);
    draws::hash(&words)
}

/// The nearest step where nothing swings, ties to the even one, and the distance from it in 1/254 step.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the reader limits positions to 100,000 measures and none is negative"
)]
pub(super) fn nearest_step(at: Position) -> (usize, i8) {
    let position = at.steps();
    let nearest = position.round_ties_even();
    (nearest as usize, units(position - nearest))
}

/// A distance in steps in 1/254 step. Where steps are farther apart because they swing, a note in the middle is moved to half a
/// step.
#[expect(clippy::cast_possible_truncation, reason = "it is limited to 127")]
fn units(steps: f64) -> i8 {
    (steps * 254.0).round().clamp(-127.0, 127.0) as i8
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::Voice;
    use lockstep_files::midi_file::Note;

    use super::*;
    use crate::corpus::tests::note;
    use crate::corpus::{PercussionMap, measures};

    /// Four measures of eighths on the hat, the off-beats `late` steps late, and a bass that goes with them.
    fn eighths(late: f64) -> Song {
        let place = |eighth: u32| f64::from(eighth) / 2.0 + f64::from(eighth % 2) * late / 4.0;
        let mut drums: Vec<Note> = (0..32)
            .map(|eighth| note(place(eighth), place(eighth) + 0.1, 42, 100))
            .chain(
                (0..8)
                    .map(|half| note(f64::from(half) * 2.0, f64::from(half) * 2.0 + 0.1, 36, 100)),
            )
            .collect();
        drums.sort_by(|a, b| a.start.total_cmp(b.start));
        let bass: Vec<Note> = (0..32)
            .map(|eighth| note(place(eighth), place(eighth) + 0.2, 40, 100))
            .collect();
        Song {
            bass,
            drums,
            ..Song::default()
        }
    }

    #[test]
    fn a_swung_eighth_lies_on_its_own_step_and_swing_is_the_measures() {
        let measures =
            measures(&eighths(2.0 / 3.0), PercussionMap::GeneralMidi).unwrap_or_default();
        assert_eq!(measures.len(), 4);
        for measure in &measures {
            assert!(
                (measure.swing.eighths() - 0.67).abs() < 0.02,
                "{:?}",
                measure.swing
            );
            let hats = measure
                .hits
                .iter()
                .filter(|hit| usize::from(hit.voice) == Voice::ClosedHat.index());
            let steps: Vec<u8> = hats.clone().map(|hit| hit.step_idx).collect();
            assert_eq!(steps, [0, 2, 4, 6, 8, 10, 12, 14]);
            assert!(
                hats.clone().all(|hit| hit.offset.abs() <= 5),
                "{:?}",
                measure.hits
            );
            let basses: Vec<u8> = measure.bass.iter().map(|note| note.step_idx).collect();
            assert_eq!(basses, steps);
            assert!(measure.bass.iter().all(|note| note.offset.abs() <= 5));
        }
    }

    #[test]
    fn straight_eighths_have_no_swing() {
        let measures = measures(&eighths(0.0), PercussionMap::GeneralMidi).unwrap_or_default();
        assert!(measures.iter().all(|measure| measure.swing.is_straight()));
    }

    #[test]
    fn what_is_played_is_where_swing_step_and_offset_say() {
        let song = eighths(0.6);
        let measures = measures(&song, PercussionMap::GeneralMidi).unwrap_or_default();
        let places: Vec<f64> = measures
            .iter()
            .enumerate()
            .flat_map(|(idx, measure)| {
                let grid = measure.swing.in_meter(measure.meter);
                measure.bass.iter().map(move |note| {
                    let step =
                        grid.step(usize::from(note.step_idx)) + f64::from(note.offset) / 254.0;
                    idx as f64 * 16.0 + step
                })
            })
            .collect();
        assert_eq!(places.len(), song.bass.len());
        for (place, note) in places.iter().zip(&song.bass) {
            assert!(
                (place - note.start.steps()).abs() < 0.005,
                "{place} {note:?}"
            );
        }
    }
}
