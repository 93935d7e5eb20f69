//! Every note that begins also ends, at a break in the transport at the latest.

use lockstep_hosts::{Action, Format, Performance, Stage};

/// A break in the middle of a step and of a block, where notes are likely to sound.
const BREAK: u64 = 4 * Stage::MEASURE_FRAMES + 130;

/// A busy drummer, so that something always sounds.
fn busy() -> Stage {
    Stage::default().with("Density", 1.0)
}

/// Checks that no note is left, and that all notes sounding before the break end within the block after it.
fn assert_released(stage: &Stage, performance: &Performance, break_frame: u64) {
    assert_eq!(performance.faults(), Vec::<String>::new());
    let before = performance
        .events
        .iter()
        .filter(|event| event.frame < break_frame);
    let n_sounding = before
        .clone()
        .filter(|event| event.is_on)
        .count()
        .saturating_sub(before.filter(|event| !event.is_on).count());
    let at_break = break_frame..break_frame + u64::from(stage.block_frames);
    let n_released = performance
        .events
        .iter()
        .filter(|event| at_break.contains(&event.frame) && !event.is_on)
        .count();
    assert!(
        n_released >= n_sounding,
        "{n_sounding} notes sounded at the break, {n_released} were released"
    );
}

#[test]
fn every_note_on_gets_its_note_off() -> anyhow::Result<()> {
    for format in Format::ALL {
        for density in [0.2, 0.5, 1.0] {
            let performance = format.perform(&Stage::default().with("Density", density))?;
            assert_eq!(performance.faults(), Vec::<String>::new(), "{format:?}");
        }
    }
    Ok(())
}

#[test]
fn stopping_releases_everything_and_starts_nothing() -> anyhow::Result<()> {
    let stage = busy()
        .at(BREAK, Action::Stop)
        .at(BREAK + Stage::MEASURE_FRAMES, Action::Play);
    for format in Format::ALL {
        let performance = format.perform(&stage)?;
        assert_released(&stage, &performance, BREAK);
        let stopped = BREAK..BREAK + Stage::MEASURE_FRAMES;
        let hits = performance.hits();
        assert!(!hits.iter().any(|hit| stopped.contains(&hit.frame)));
        assert!(
            hits.iter().any(|hit| hit.frame >= stopped.end),
            "{format:?}: the drums did not come back"
        );
    }
    Ok(())
}

#[test]
fn a_loop_wraps_without_a_hanging_note_and_onto_the_grid() -> anyhow::Result<()> {
    let mut stage = Stage::of_measures(10).with("Density", 1.0);
    // Measures 3 and 4 loop, so a pass ends every two measures.
    for pass in 2..5 {
        stage = stage.at(2 * pass * Stage::MEASURE_FRAMES, Action::Jump(8.0));
    }
    for format in Format::ALL {
        let performance = format.perform(&stage)?;
        for pass in 2..5 {
            assert_released(&stage, &performance, 2 * pass * Stage::MEASURE_FRAMES);
        }
        for hit in performance.hits() {
            assert!(stage.frames_off_grid(hit.frame) < 1e-3, "{hit:?}");
        }
        let in_last_pass = performance
            .hits()
            .iter()
            .filter(|hit| hit.frame >= 8 * Stage::MEASURE_FRAMES)
            .count();
        assert!(in_last_pass > 0, "{format:?}: the loop silenced the drums");
    }
    Ok(())
}

#[test]
fn a_jump_off_the_grid_releases_everything_and_finds_the_grid_again() -> anyhow::Result<()> {
    // One jump forwards by several measures, one backwards, both to odd positions; the next step is 0.11 beats later.
    for target in [24.14, 2.39] {
        let stage = busy().at(BREAK, Action::Jump(target));
        for format in Format::ALL {
            let performance = format.perform(&stage)?;
            assert_released(&stage, &performance, BREAK);
            for hit in performance.hits() {
                let off = stage.frames_off_grid(hit.frame);
                assert!(off < 1.0, "{format:?}: {hit:?} is {off} frames off");
            }
        }
    }
    Ok(())
}
