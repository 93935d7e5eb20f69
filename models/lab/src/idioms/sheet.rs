//! Measures for the rules, from takes and from the songs of a corpus.

use lockstep_core::representation::{
    MeasureEvidence, Meter, N_VOICES, SwingOnset, Voice, swing_of_song,
};
use lockstep_files::midi_file::Song;

use super::measure::Measure;
use crate::corpus::MeasureView;

/// A measure of a corpus, which is on the step grid already.
pub(super) fn of_corpus(view: MeasureView<'_>) -> Measure {
    let mut rows = vec![[0; N_VOICES]; view.meter.n_steps()];
    for hit in view.hits {
        if let Some(row) = rows.get_mut(usize::from(hit.step_idx)) {
            row[usize::from(hit.voice)] = hit.velocity.max(1);
        }
    }
    Measure {
        meter: view.meter,
        tempo_bpm: f64::from(view.tempo_bpm),
        swing: view.swing,
        rows,
    }
}

/// The measures of a take that has one meter and one tempo. How its drums swing is heard from the drums alone: the bass may
/// swing while the drummer plays straight.
pub(super) fn of_take(
    take: &Song,
    meter: Meter,
    tempo_bpm: f64,
    n_measures: usize,
) -> Vec<Measure> {
    let n_steps = meter.n_steps() as f64;
    // Of each measure: place within it, voice and velocity of every hit.
    let mut hits = vec![Vec::new(); n_measures];
    for note in &take.drums {
        let Some(voice) = Voice::from_gm_note(note.key) else {
            continue;
        };
        let place = note.start.steps();
        let measure_idx = (0..n_measures).rfind(|idx| *idx as f64 * n_steps <= place);
        if let Some(hits) = measure_idx.and_then(|idx| hits.get_mut(idx).map(|hits| (idx, hits))) {
            hits.1
                .push((place - hits.0 as f64 * n_steps, voice, note.velocity));
        }
    }
    let evidence: Vec<MeasureEvidence> = hits
        .iter()
        .map(|hits: &Vec<(f64, Voice, u8)>| {
            let onsets: Vec<SwingOnset> = hits
                .iter()
                .map(|(place, _, velocity)| SwingOnset::new(*place, f32::from(*velocity) / 127.0))
                .collect();
            MeasureEvidence::of(&onsets, meter, narrow(tempo_bpm))
        })
        .collect();
    let mut measures: Vec<Measure> = swing_of_song(&evidence)
        .into_iter()
        .map(|heard| Measure {
            meter,
            tempo_bpm,
            swing: heard.swing,
            rows: vec![[0; N_VOICES]; meter.n_steps()],
        })
        .collect();
    for (idx, hits) in hits.into_iter().enumerate() {
        for (place, voice, velocity) in hits {
            let (step_idx, _) = measures[idx].swing.in_meter(meter).nearest(place);
            // An early downbeat belongs to the next measure.
            let at = if step_idx == meter.n_steps() {
                (idx + 1, 0)
            } else {
                (idx, step_idx)
            };
            if let Some(measure) = measures.get_mut(at.0) {
                let cell = &mut measure.rows[at.1][voice.index()];
                *cell = (*cell).max(velocity.max(1));
            }
        }
    }
    measures
}

#[expect(clippy::cast_possible_truncation, reason = "a tempo is at most 300")]
fn narrow(tempo_bpm: f64) -> f32 {
    tempo_bpm as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockstep_core::representation::{Position, Swing};
    use lockstep_files::midi_file::Note;

    fn take(places: &[(f64, Voice)]) -> Song {
        let note = |&(place, voice): &(f64, Voice)| Note {
            start: Position::at(place / 4.0),
            end: Position::at(place / 4.0 + 0.1),
            key: voice.gm_note(),
            velocity: 100,
        };
        Song {
            drums: places.iter().map(note).collect(),
            ..Song::default()
        }
    }

    #[test]
    fn swung_drums_lie_on_the_eighths_and_straight_ones_stay_where_they_are() {
        for (late, expected) in [(2.0 / 3.0, 2.0 / 3.0), (0.0, 0.0)] {
            let mut places = Vec::new();
            for measure in 0..4 {
                for beat in 0..4 {
                    let begin = f64::from(16 * measure + 4 * beat);
                    places.push((begin, Voice::Ride));
                    places.push((begin + 2.0 + late, Voice::Ride));
                }
            }
            let measures = of_take(&take(&places), Meter::COMMON, 120.0, 4);
            assert_eq!(measures.len(), 4);
            for measure in measures {
                assert!(
                    (f64::from(measure.swing.eighths()) - expected).abs() < 0.05,
                    "{:?}",
                    measure.swing
                );
                let ride: Vec<usize> = measure
                    .all()
                    .filter(|step| measure.has(&[Voice::Ride], *step))
                    .collect();
                assert_eq!(ride, [0, 2, 4, 6, 8, 10, 12, 14]);
            }
        }
    }

    #[test]
    fn a_hit_just_before_the_bar_line_belongs_to_the_next_measure() {
        let measures = of_take(
            &take(&[(0.0, Voice::Kick), (15.8, Voice::Crash)]),
            Meter::COMMON,
            120.0,
            2,
        );
        assert!(measures[1].has(&[Voice::Crash], 0));
        assert_eq!(measures[0].n(&[Voice::Crash], 0..16), 0);
        assert_eq!(measures[0].swing, Swing::STRAIGHT);
    }
}
