//! How the embedded drummer plays in meters other than 4/4, and with a bass in triplets.

use lockstep_core::generator::GeneratorSettings;
use lockstep_core::representation::{Position, Voice};
use lockstep_engine::realtime::Controls;
use lockstep_files::midi_file::{Note, Song, TimeSignature};
use lockstep_models::predict::{EMBEDDED_WEIGHTS, Predictor};

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

const N_MEASURES: usize = 12;
const SEEDS: [u32; 4] = [1, 2, 3, 6];

/// A bass whose notes begin at these beats (quarter notes) of every measure, with the first an octave lower.
fn song(signature: TimeSignature, starts: &[f64]) -> Song {
    let length = f64::from(signature.numerator) * 4.0 / f64::from(signature.denominator);
    let note = |measure: usize, start: &f64| Note {
        start: Position::at(measure as f64 * length + start),
        end: Position::at(measure as f64 * length + start + 0.2),
        key: if *start > 0.0 { 40 } else { 28 },
        velocity: 96,
    };
    Song {
        bass: (0..N_MEASURES)
            .flat_map(|measure| starts.iter().map(move |start| note(measure, start)))
            .collect(),
        meters: vec![(Position::START, signature)],
        end: Position::at(N_MEASURES as f64 * length),
        ..Song::default()
    }
}

/// Takes of the song with several seeds.
fn takes(song: &Song) -> TestResult<Vec<Song>> {
    let mut drummer = Predictor::new(EMBEDDED_WEIGHTS)?;
    let mut takes = Vec::new();
    for seed in SEEDS {
        let controls = Controls {
            settings: GeneratorSettings {
                seed,
                variation: 0.1,
                ..GeneratorSettings::default()
            },
            ..Controls::default()
        };
        takes.push(lockstep_offline::play(song, &controls, &mut drummer).song);
    }
    Ok(takes)
}

fn starts(take: &Song, voice: Voice) -> impl Iterator<Item = f64> {
    let notes = take
        .drums
        .iter()
        .filter(move |note| Voice::from_gm_note(note.key) == Some(voice));
    notes.map(|note| note.start.beats())
}

#[test]
fn every_meter_has_its_kick_on_its_own_downbeat() -> TestResult {
    let meters: [(u8, u8, &[f64]); 7] = [
        (2, 4, &[0.0, 1.0]),
        (3, 4, &[0.0, 1.0, 2.0]),
        (5, 4, &[0.0, 1.5, 3.0, 4.0]),
        (7, 4, &[0.0, 1.5, 2.0, 4.0, 5.5]),
        (6, 8, &[0.0, 1.0, 1.5, 2.5]),
        (7, 8, &[0.0, 1.0, 2.0, 2.5]),
        (12, 8, &[0.0, 1.0, 1.5, 2.5, 3.0, 4.0, 4.5, 5.5]),
    ];
    for (numerator, denominator, at) in meters {
        let signature = TimeSignature {
            numerator,
            denominator,
        };
        let song = song(signature, at);
        let length = f64::from(numerator) * 4.0 / f64::from(denominator);
        let (mut on_downbeat, mut on_weak) = (0, 0);
        for take in takes(&song)? {
            // Within half a step of a place in the measure, to allow for loose timing.
            let is_at = |start: f64, place: f64| {
                ((start - place) / length - ((start - place) / length).round()).abs() * length
                    < 0.125
            };
            on_downbeat += starts(&take, Voice::Kick)
                .filter(|start| is_at(*start, 0.0))
                .count();
            on_weak += starts(&take, Voice::Kick)
                .filter(|start| is_at(*start, 0.25))
                .count();
        }
        // The drummer only listens in the first measure.
        let n = SEEDS.len() * (N_MEASURES - 1);
        assert!(
            10 * on_downbeat >= 8 * n && 10 * on_weak <= n,
            "{numerator}/{denominator}: {on_downbeat} kicks on {n} downbeats, {on_weak} a sixteenth after"
        );
    }
    Ok(())
}

#[test]
fn a_bass_in_triplets_gets_drums_in_triplets() -> TestResult {
    let triplets: Vec<f64> = (0..4)
        .flat_map(|beat| [0.0, 2.0 / 3.0].map(|at| f64::from(beat) + at))
        .collect();
    let straight: Vec<f64> = (0..8).map(|eighth| f64::from(eighth) / 2.0).collect();
    let share_on_triplets = |at: &[f64]| -> TestResult<f64> {
        let (mut n, mut n_on) = (0, 0);
        for take in takes(&song(TimeSignature::COMMON, at))? {
            for start in starts(&take, Voice::ClosedHat) {
                let place = start - start.floor();
                if (0.45..0.9).contains(&place) {
                    n += 1;
                    n_on += usize::from((place - 2.0 / 3.0).abs() < 0.06);
                }
            }
        }
        assert!(n > 20, "{n} off-beat hits are too few to tell");
        Ok(f64::from(u32::try_from(n_on)?) / f64::from(u32::try_from(n)?))
    };
    let (in_triplets, in_eighths) = (share_on_triplets(&triplets)?, share_on_triplets(&straight)?);
    assert!(
        in_triplets > 0.6 && in_eighths < 0.1,
        "{in_triplets:.2} of the off-beat hats on triplets, {in_eighths:.2} to straight eighths"
    );
    Ok(())
}
