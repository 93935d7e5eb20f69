//! The example jam and a groove on all voices with each kit: all kits are about equally loud, and below full scale.

use std::convert::Infallible;

use ebur128::{EbuR128, Mode};
use lockstep_core::generator::DEFAULT_SEED;
use lockstep_core::generator::GeneratorSettings;
use lockstep_core::representation::{Position, Voice};
use lockstep_engine::realtime::Controls;
use lockstep_engine::synth::{Kit, KitChoice, KitSettings};
use lockstep_files::midi_file::{self, Note, Pick, Song};
use lockstep_models::predict::{EMBEDDED_WEIGHTS, Predictor};

const RATE_HZ: u32 = 48_000;

/// Default of `kit_gain`.
const DEFAULT_LEVEL: f32 = 0.8;

/// The kits that make sound.
const KITS: [KitChoice; 3] = [
    KitChoice::Acoustic,
    KitChoice::Brushes,
    KitChoice::Electronic,
];

/// The example jam, which `cargo run` plays.
fn example() -> anyhow::Result<Song> {
    let song = midi_file::read(lockstep_offline::EXAMPLE, Pick::default())?;
    let mut drummer = Predictor::new(EMBEDDED_WEIGHTS)?;
    let controls = Controls {
        settings: GeneratorSettings {
            seed: DEFAULT_SEED,
            variation: 0.1,
            ..GeneratorSettings::default()
        },
        ..Controls::default()
    };
    Ok(lockstep_offline::play(&song, &controls, &mut drummer).song)
}

/// The drums of a song on a kit at its default level, as the plugin renders them.
fn drums(song: &Song, kit: KitChoice) -> Vec<[f32; 2]> {
    let mut hits: Vec<(usize, Voice, f32)> = song
        .drums
        .iter()
        .filter_map(|note| {
            let voice = Voice::from_gm_note(note.key)?;
            let at_s = song.seconds_at(note.start);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the song is short and starts at 0"
            )]
            let frame = (at_s * f64::from(RATE_HZ)).round() as usize;
            Some((frame, voice, f32::from(note.velocity) / 127.0))
        })
        .collect();
    hits.sort_by_key(|hit| hit.0);
    let n_frames = hits.last().map_or(0, |hit| hit.0) + 4 * RATE_HZ as usize;
    let mut player = Kit::new(RATE_HZ as f32);
    player.set(&KitSettings {
        gain: DEFAULT_LEVEL,
        ..KitSettings::from(kit)
    });
    let mut sound = Vec::with_capacity(n_frames);
    let (mut left, mut right) = ([0.0; 512], [0.0; 512]);
    let mut waiting = hits.iter().peekable();
    while sound.len() < n_frames {
        while let Some((frame, voice, velocity)) = waiting.next_if(|hit| hit.0 < sound.len() + 512)
        {
            player.hit(frame - sound.len(), *voice, *velocity);
        }
        player.render(&mut left, &mut right);
        sound.extend(left.iter().zip(&right).map(|(left, right)| [*left, *right]));
    }
    sound
}

/// Loudness in LUFS, and the sample peak.
fn measure(sound: &[[f32; 2]]) -> anyhow::Result<(f64, f64)> {
    let mut meter = EbuR128::new(2, RATE_HZ, Mode::I | Mode::SAMPLE_PEAK)?;
    meter.add_frames_f32(sound.as_flattened())?;
    let peak = meter.sample_peak(0)?.max(meter.sample_peak(1)?);
    Ok((meter.loudness_global()?, peak))
}

/// A measure of 4/4 for hands, feet and percussion, sixteenth by sixteenth; velocities in MIDI's 127ths.
const GROOVE: [(Voice, &str, u8); 10] = [
    (Voice::Kick, "x.....x.x.....x.", 100),
    (Voice::Snare, "....x.......x...", 95),
    (Voice::Clap, "....x.......x...", 95),
    (Voice::SideStick, "x..x..x...x..x..", 85),
    (Voice::ClosedHat, "x...x...x...x...", 75),
    (Voice::OpenHat, "..x.......x.....", 75),
    (Voice::PedalHat, "....x.......x...", 80),
    (Voice::Ride, "x...x.x.x...x.x.", 75),
    (Voice::Tambourine, "....x.......x..x", 75),
    (Voice::Shaker, "x.xxx.xxx.xxx.xx", 70),
];

/// Eight measures of [`GROOVE`].
fn groove() -> Song {
    let mut drums = Vec::new();
    for (voice, row, velocity) in GROOVE {
        for sixteenth in (0..128_u32).zip(row.bytes().cycle()) {
            if let (at, b'x') = sixteenth {
                let start = 0.25 * f64::from(at);
                drums.push(Note {
                    start: Position::at(start),
                    end: Position::at(start + 0.2),
                    key: voice.gm_note(),
                    velocity,
                });
            }
        }
    }
    Song {
        drums,
        end: Position::at(32.0),
        ..Song::default()
    }
}

#[test]
fn the_kits_are_equally_loud_and_leave_room_for_a_bass() -> anyhow::Result<()> {
    // The groove has fewer loud hits than the example.
    for (name, song, least) in [("example", example()?, -21.5), ("groove", groove(), -22.5)] {
        let lufs = compare_kits(name, &song)?;
        assert!(
            lufs.iter().all(|lufs| (least..=-16.0).contains(lufs)),
            "{name}: {lufs:?}"
        );
    }
    Ok(())
}

/// The loudness of a song with each kit, in LUFS.
fn compare_kits(name: &str, song: &Song) -> anyhow::Result<Vec<f64>> {
    let mut loudness = Vec::new();
    for kit in KITS {
        let (lufs, peak) = measure(&drums(song, kit))?;
        assert!(peak < 0.9, "{kit:?} peaks at {peak}");
        eprintln!(
            "{name} with {kit:?}: {lufs:.2} LUFS, peak {:.1} dBFS",
            20.0 * peak.log10()
        );
        loudness.push(lufs);
    }
    let quietest = loudness.iter().copied().fold(f64::MAX, f64::min);
    let loudest = loudness.iter().copied().fold(f64::MIN, f64::max);
    assert!(loudest - quietest < 1.0, "{name}: {loudness:?}");
    Ok(loudness)
}

#[test]
fn the_rendered_example_peaks_below_full_scale() -> anyhow::Result<()> {
    let song = example()?;
    for kit in KITS {
        let mut peak = 0.0_f32;
        let Ok(()) =
            lockstep_offline::render::<Infallible>(&song, RATE_HZ, kit, |[left, right]| {
                peak = peak.max(left.abs()).max(right.abs());
                Ok(())
            });
        assert!((0.3..1.0).contains(&peak), "{kit:?} peaks at {peak}");
    }
    Ok(())
}
