//! Instances come and go, alone and together, and none takes the host down with it.

use lockstep_hosts::{Action, ClapHost, Format, Stage, perform_together};

/// Rounds of automate-and-destroy; the fault that this guards against showed within a few dozen.
const N_ROUNDS: u32 = 200;

/// A moment of playing in which every block moves several knobs, cut off in the middle.
fn fidgeting() -> Stage {
    const KNOBS: [&str; 6] = [
        "Density",
        "Kick density",
        "Seed",
        "Variation",
        "Swing",
        "Velocity",
    ];
    let mut stage = Stage {
        n_frames: 16 * 64,
        block_frames: 64,
        is_offline: false,
        start_beats: 3.97,
        ..Stage::of_measures(4)
    };
    stage.cues.clear();
    for block in 0..16_u32 {
        for (offset, knob) in (0..).zip(KNOBS) {
            let frame = u64::from(block * 64 + offset);
            let value = f64::from(block % 10) / 9.0;
            stage = stage.at(frame, Action::Set(knob, value));
        }
    }
    stage
}

// An instance that is destroyed while the framework still has background tasks queued used to end the framework's
// worker thread; the next destruction then aborted the whole host.
#[test]
fn automating_and_destroying_hundreds_of_clap_instances_harms_nobody() -> anyhow::Result<()> {
    automate_and_destroy(Format::Clap)
}

#[test]
fn automating_and_destroying_hundreds_of_vst3_instances_harms_nobody() -> anyhow::Result<()> {
    automate_and_destroy(Format::Vst3)
}

fn automate_and_destroy(format: Format) -> anyhow::Result<()> {
    let stage = fidgeting();
    // Beside an instance that lives on and shares what the framework shares, then each alone.
    let mut survivor = format.open()?;
    for _ in 0..N_ROUNDS {
        format.perform(&stage)?;
    }
    assert!(!survivor.perform(&Stage::of_measures(3))?.events.is_empty());
    drop(survivor);
    for _ in 0..N_ROUNDS {
        format.perform(&stage)?;
    }
    assert!(!format.perform(&Stage::of_measures(3))?.events.is_empty());
    Ok(())
}

#[test]
fn destroying_one_of_two_instances_leaves_the_other_playing() -> anyhow::Result<()> {
    for format in Format::ALL {
        let mut survivor = format.open()?;
        let expected = survivor.perform(&Stage::of_measures(3))?.events;
        for _ in 0..10 {
            format.perform(&fidgeting())?;
        }
        assert_eq!(survivor.perform(&Stage::of_measures(3))?.events, expected);
    }
    Ok(())
}

#[test]
fn two_instances_at_once_play_what_each_plays_alone() -> anyhow::Result<()> {
    let stages = [
        Stage::of_measures(5).with("Seed", 0.1),
        Stage::of_measures(5).with("Seed", 0.9).with("Density", 0.8),
    ];
    let mut hosts = [ClapHost::open()?, ClapHost::open()?];
    let together = perform_together(&mut hosts, &stages)?;
    for (performance, stage) in together.iter().zip(&stages) {
        assert!(!performance.events.is_empty());
        assert_eq!(performance.events, Format::Clap.perform(stage)?.events);
    }
    Ok(())
}

#[test]
fn playing_twice_in_one_instance_gives_the_same_drums() -> anyhow::Result<()> {
    let stage = Stage::of_measures(5);
    for format in Format::ALL {
        let mut host = format.open()?;
        let first = host.perform(&stage)?.events;
        assert_eq!(host.perform(&stage)?.events, first, "{format:?}");
    }
    Ok(())
}

/// Live and far faster than real time, so that plans come late or never: the ladder has to answer.
#[test]
fn live_drums_never_wait_for_a_plan() -> anyhow::Result<()> {
    let stage = Stage {
        is_offline: false,
        ..Stage::default()
    };
    for format in Format::ALL {
        let performance = format.perform(&stage)?;
        assert_eq!(performance.faults(), Vec::<String>::new(), "{format:?}");
        assert!(
            !performance.hits().is_empty(),
            "{format:?}: silence by accident"
        );
        for hit in performance.hits() {
            assert!(stage.frames_off_grid(hit.frame) < 1e-3, "{hit:?}");
            assert!(hit.frame >= Stage::MEASURE_FRAMES, "{hit:?} is too early");
        }
    }
    Ok(())
}
