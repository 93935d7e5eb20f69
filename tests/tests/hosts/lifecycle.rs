//! Instances are created and destroyed, alone and together, without harm to the host.

use std::time::Duration;

use lockstep_hosts::{Action, ClapHost, Format, KIT, Stage, perform_together};

/// Rounds of automating and destroying; the bug that this guards against showed within a few dozen.
const N_ROUNDS: u32 = 100;

/// A short time of playing in which every block moves several knobs, cut off in the middle.
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
    stage.actions.clear();
    for block in 0..16_u32 {
        for (offset, knob) in (0..).zip(KNOBS) {
            let frame = u64::from(block * 64 + offset);
            let value = f64::from(block % 10) / 9.0;
            stage = stage.at(frame, Action::Set(knob, value));
        }
    }
    stage
}

// Destroying an instance while the framework still had background tasks queued used to end the framework's worker
// thread; the next destruction then aborted the whole host.
#[test]
fn automating_and_destroying_hundreds_of_clap_instances_does_no_harm() -> anyhow::Result<()> {
    automate_and_destroy(Format::Clap)
}

#[test]
fn automating_and_destroying_hundreds_of_vst3_instances_does_no_harm() -> anyhow::Result<()> {
    automate_and_destroy(Format::Vst3)
}

fn automate_and_destroy(format: Format) -> anyhow::Result<()> {
    let stage = fidgeting();
    // First next to an instance that stays alive and keeps what the framework shares, then each alone.
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
fn eight_instances_at_once_play_what_each_plays_alone() -> anyhow::Result<()> {
    let stages: Vec<_> = (0..8_u32)
        .map(|n| {
            let share = f64::from(n) / 7.0;
            Stage::of_measures(4)
                .with("Seed", share)
                .with("Density", 0.4 + 0.6 * share)
                .in_blocks_of(64 << (n % 4))
        })
        .collect();
    let mut hosts = stages
        .iter()
        .map(|_| ClapHost::open())
        .collect::<anyhow::Result<Vec<_>>>()?;
    let together = perform_together(&mut hosts, &stages)?;
    assert_eq!(together.len(), 8);
    assert_ne!(together[0].events, together[7].events, "all play the same");
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

#[test]
fn a_new_sample_rate_and_block_size_leave_no_traces_of_the_old_ones() -> anyhow::Result<()> {
    let first = Stage::of_measures(3).in_blocks_of(512);
    let second = Stage {
        sample_rate_hz: 44_100.0,
        tempo_bpm: 187.3,
        ..Stage::of_measures(5).in_blocks_of(96)
    };
    for format in Format::ALL {
        let mut host = format.open()?;
        let before = host.perform(&first)?.events;
        let performance = host.perform(&second)?;
        assert_eq!(performance.faults(), Vec::<String>::new(), "{format:?}");
        assert_eq!(
            performance.events,
            format.perform(&second)?.events,
            "{format:?}"
        );
        for hit in performance.hits() {
            let off = second.frames_off_grid(hit.frame);
            assert!(off < 1.0, "{format:?}: {hit:?} is {off} frames off");
        }
        assert_eq!(host.perform(&first)?.events, before, "{format:?}");
    }
    Ok(())
}

/// The host removes the plugin from its chain while a drum sounds; the note's end must reach the receiver as soon as
/// the plugin is back.
#[test]
fn a_note_sounding_at_deactivation_ends_in_the_next_performance() -> anyhow::Result<()> {
    let whole = Stage::of_measures(4).with("Density", 1.0);
    for format in Format::ALL {
        let expected = format.perform(&whole)?;
        let Some(hit) = expected
            .hits()
            .into_iter()
            .find(|hit| hit.frame > 2 * Stage::MEASURE_FRAMES)
        else {
            anyhow::bail!("{format:?}: nothing sounds");
        };
        let mut cut = Stage {
            n_frames: hit.frame + 10,
            ..whole.clone()
        };
        cut.actions.clear();
        let mut host = format.open()?;
        let interrupted = host.perform(&cut)?;
        let is_ended = |key| {
            let last = interrupted.events.iter().rfind(|event| event.key == key);
            last.is_none_or(|event| !event.is_on)
        };
        let n_sounding = KIT.into_iter().filter(|key| !is_ended(*key)).count();
        assert!(n_sounding > 0, "{format:?}: no note was sounding");
        let mut events = host.perform(&whole)?.events;
        let ends: Vec<_> = events.drain(..n_sounding).collect();
        assert!(
            ends.iter()
                .all(|end| end.frame == 0 && !end.is_on && !is_ended(end.key)),
            "{format:?}: {ends:?}"
        );
        assert_eq!(events, expected.events, "{format:?}");
    }
    Ok(())
}

/// Live, but with enough time before each downbeat for every plan to arrive.
#[test]
fn a_live_take_equals_the_offline_render_if_no_plan_is_late() -> anyhow::Result<()> {
    let offline = Stage::of_measures(5).with("Density", 0.8);
    let live = Stage {
        is_offline: false,
        rest_at_downbeat: Duration::from_millis(500),
        ..offline.clone()
    };
    for format in Format::ALL {
        let expected = format.perform(&offline)?.events;
        assert!(!expected.is_empty());
        assert_eq!(format.perform(&live)?.events, expected, "{format:?}");
    }
    Ok(())
}

/// In real time, where a plan may be late or missing on a busy machine, so that the drummer must fall back.
#[test]
fn live_drums_never_wait_for_a_plan() -> anyhow::Result<()> {
    let stage = Stage {
        is_offline: false,
        is_real_time: true,
        ..Stage::of_measures(3)
    };
    for format in Format::ALL {
        let performance = format.perform(&stage)?;
        assert_eq!(performance.faults(), Vec::<String>::new(), "{format:?}");
        assert!(
            !performance.hits().is_empty(),
            "{format:?}: unexpected silence"
        );
        for hit in performance.hits() {
            assert!(stage.frames_off_grid(hit.frame) < 1e-3, "{hit:?}");
            assert!(hit.frame >= Stage::MEASURE_FRAMES, "{hit:?} is too early");
        }
    }
    Ok(())
}

/// Many hosts render offline without saying so, at varying speed. Each round uses a new plugin, whose drummer has not
/// been loaded yet.
#[test]
fn an_undeclared_offline_render_equals_a_declared_one() -> anyhow::Result<()> {
    for format in Format::ALL {
        for block_frames in [64, 512, 8_192] {
            // A measure takes 2.4 s: that is how far the render is ahead when it needs the first plan.
            let said = Stage {
                tempo_bpm: 100.0,
                n_frames: 8 * 2 * Stage::MEASURE_FRAMES,
                actions: Vec::new(),
                ..Stage::of_measures(8).in_blocks_of(block_frames)
            };
            let unsaid = Stage {
                is_offline: false,
                ..said.clone()
            };
            let expected = format.perform(&said)?;
            assert!(!expected.events.is_empty());
            for round in 0..3 {
                let what = format!("{format:?}, blocks of {block_frames}, round {round}");
                let performance = format.perform(&unsaid)?;
                assert!(
                    performance.events == expected.events,
                    "{what}: the drums differ"
                );
                assert!(
                    performance.left == expected.left,
                    "{what}: the sound differs"
                );
            }
        }
    }
    Ok(())
}
