//! When the drums play: from the second measure on, on the grid, for any block size.

use lockstep_hosts::{Action, Format, Performance, Stage};

/// Checks that no hit is further from the grid than this.
fn assert_on_grid(stage: &Stage, performance: &Performance, tolerance_frames: f64) {
    for hit in performance.hits() {
        let off = stage.frames_off_grid(hit.frame);
        assert!(off < tolerance_frames, "{hit:?} is {off} frames off");
    }
}

#[test]
fn drums_play_from_the_second_measure_on_to_the_sample() -> anyhow::Result<()> {
    let stage = Stage::default();
    for format in Format::ALL {
        let performance = format.perform(&stage)?;
        assert_on_grid(&stage, &performance, 1e-3);
        for measure in 0..8 {
            let frames = measure * Stage::MEASURE_FRAMES..(measure + 1) * Stage::MEASURE_FRAMES;
            let n_hits = performance
                .hits()
                .iter()
                .filter(|hit| frames.contains(&hit.frame))
                .count();
            assert_eq!(
                n_hits > 0,
                measure > 0,
                "{format:?}: {n_hits} hits in measure {}",
                measure + 1
            );
        }
    }
    Ok(())
}

#[test]
fn feel_lets_the_drummer_place_hits_within_half_a_step() -> anyhow::Result<()> {
    // The drummer "Lockstep" plays off the grid with every seed, Lockstep 2 only to some songs.
    let stage = Stage::default().with("Feel", 1.0).with("Drummer", 0.0);
    for format in Format::ALL {
        let performance = format.perform(&stage)?;
        assert_on_grid(&stage, &performance, 0.5 * Stage::STEP_FRAMES as f64 + 1.0);
        let is_off = |frame| stage.frames_off_grid(frame) > 1.0;
        assert!(
            performance.hits().iter().any(|hit| is_off(hit.frame)),
            "{format:?}: every hit is on the grid"
        );
    }
    Ok(())
}

#[test]
fn blocks_of_any_size_give_the_same_drums() -> anyhow::Result<()> {
    let stage = Stage::of_measures(5).at(
        3 * Stage::MEASURE_FRAMES + 7_001,
        Action::Set("Density", 0.9),
    );
    for format in Format::ALL {
        let expected = format.perform(&stage.clone().in_blocks_of(64))?.events;
        assert!(!expected.is_empty());
        for block_frames in [1, 7, 512, 1024] {
            let events = format
                .perform(&stage.clone().in_blocks_of(block_frames))?
                .events;
            assert_eq!(events, expected, "{format:?} in blocks of {block_frames}");
        }
    }
    Ok(())
}

#[test]
fn clap_and_vst3_give_the_same_drums() -> anyhow::Result<()> {
    let stage = Stage::default().with("Density", 0.7).with("Seed", 0.25);
    let clap = Format::Clap.perform(&stage)?.events;
    assert!(!clap.is_empty());
    assert_eq!(clap, Format::Vst3.perform(&stage)?.events);
    Ok(())
}

#[test]
fn fractional_steps_stay_within_one_frame() -> anyhow::Result<()> {
    let stage = Stage {
        sample_rate_hz: 44_100.0,
        tempo_bpm: 187.3,
        ..Stage::default()
    };
    let performance = Format::Clap.perform(&stage)?;
    assert!(!performance.hits().is_empty());
    assert_on_grid(&stage, &performance, 1.0);
    Ok(())
}

#[test]
fn three_four_is_counted_in_three() -> anyhow::Result<()> {
    let stage = Stage {
        meter: (3, 4),
        ..Stage::default()
    };
    // The drummer "Lockstep" plays in every measure, which Lockstep 2 may not.
    let stage = stage.with("Drummer", 0.0);
    for format in Format::ALL {
        let performance = format.perform(&stage)?;
        assert_on_grid(&stage, &performance, 1e-3);
        let first = performance.hits().first().map(|hit| hit.frame);
        let (from, to) = (12 * Stage::STEP_FRAMES, 24 * Stage::STEP_FRAMES);
        assert!(
            first.is_some_and(|first| (from..to).contains(&first)),
            "{format:?}: the first hit is at frame {first:?}"
        );
    }
    Ok(())
}

#[test]
fn the_grid_follows_a_new_tempo_at_once() -> anyhow::Result<()> {
    // At 120 BPM a step is 6000 frames; the change comes in the middle of a step.
    let stage = Stage::default().at(3 * Stage::MEASURE_FRAMES + 1_800, Action::Tempo(120.0));
    for format in Format::ALL {
        let performance = format.perform(&stage)?;
        assert_on_grid(&stage, &performance, 1e-3);
        assert_eq!(performance.faults(), Vec::<String>::new(), "{format:?}");
        let last = performance.hits().last().map(|hit| hit.frame);
        assert!(
            last > Some(4 * Stage::MEASURE_FRAMES),
            "{format:?}: {last:?}"
        );
    }
    Ok(())
}
