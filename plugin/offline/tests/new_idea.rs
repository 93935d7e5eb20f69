//! A new idea with the embedded weights: different drums in the same style, and no change before the key is pressed.

use std::collections::BTreeSet;

use anyhow::Result;
use lockstep_core::generator::Generator;
use lockstep_core::representation::{Meter, Position};
use lockstep_engine::realtime::{
    BassEvent, BassEventKind, Block, Controls, DrumEventKind, DrumEvents, FrameOffset, Performer,
    Transport,
};
use lockstep_models::predict::{EMBEDDED, Predictor};
use lockstep_offline::OnDemand;

/// A sixteenth note at 120 BPM and 48 kHz.
const STEP_FRAMES: u32 = 6_000;

/// Step and General MIDI note of the hits in each of sixteen measures, with the idea key pressed in the given measures.
fn play(weights: &[u8], seed: u32, ideas: &[u32]) -> Result<Vec<BTreeSet<(u32, u8)>>> {
    let mut predictor = Predictor::new(weights)?;
    let mut plans = OnDemand::new(|request| predictor.plan(request));
    let mut performer = Performer::new();
    let mut controls = Controls {
        feel: 0.0,
        ..Controls::default()
    };
    controls.settings.seed = seed;
    controls.settings.variation = 0.1;
    let mut measures = vec![BTreeSet::new(); 16];
    let mut out = DrumEvents::new();
    for step in 0..16 * 16 {
        let place = step % 16;
        let mut bass = Vec::new();
        let mut now = |kind| {
            let frame = FrameOffset(0);
            bass.push(BassEvent { frame, kind });
        };
        let key = [33, 33, 36, 38][(step / 16 % 4) as usize];
        if [0, 3, 6, 8, 11, 14].contains(&place) {
            now(BassEventKind::AllOff);
            now(BassEventKind::On { key, velocity: 0.8 });
        }
        if place == 5 && ideas.contains(&(step / 16)) {
            now(BassEventKind::NewIdea);
        }
        let block = Block {
            n_frames: STEP_FRAMES,
            sample_rate_hz: 48_000.0,
            transport: Some(Transport {
                is_playing: true,
                tempo_bpm: Some(120.0),
                position: Position::at(f64::from(step) / 4.0),
                measure_start: None,
                meter: Some(Meter::COMMON),
            }),
            bass: &bass,
        };
        performer.perform(&block, &controls, &mut plans, &mut out);
        for event in &out {
            if let DrumEventKind::On { .. } = event.kind {
                measures[(step / 16) as usize].insert((place, event.voice.gm_note()));
            }
        }
    }
    Ok(measures)
}

#[test]
fn another_idea_is_heard_in_the_next_measure_and_stays() -> Result<()> {
    for (name, weights) in EMBEDDED {
        // Lockstep changes its take, Lockstep 2 the groove.
        let expected = match name {
            "lockstep" => 0.5..0.7,
            "lockstep-2" => 0.1..0.4,
            _ => continue,
        };
        let shared = shared_by_ideas(weights)?;
        assert!(expected.contains(&shared), "{name}: {shared}");
    }
    Ok(())
}

/// The share of the hits that stay after a new idea, which is heard in the next measure.
fn shared_by_ideas(weights: &[u8]) -> Result<f64> {
    let play = |seed, ideas: &[u32]| play(weights, seed, ideas);
    let (mut n_same, mut n_all) = (0, 0);
    for seed in [39, 1, 2, 3, 4, 5] {
        let (before, after) = (play(seed, &[])?, play(seed, &[7])?);
        assert_eq!(before[..8], after[..8], "seed {seed}");
        assert!(after[8..].iter().all(|measure| !measure.is_empty()));
        for (before, after) in before[8..].iter().zip(&after[8..]) {
            n_same += before.intersection(after).count();
            n_all += before.union(after).count();
        }
        // Each press makes one new idea: a second press gives different drums again.
        assert_ne!(play(seed, &[7, 11])?[12..], after[12..], "seed {seed}");
    }
    Ok(f64::from(u32::try_from(n_same)?) / f64::from(u32::try_from(n_all)?))
}
