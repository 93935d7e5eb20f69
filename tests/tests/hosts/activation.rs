//! Activating costs the host's thread almost nothing. Sounds made in the background are used as if they had been ready:
//! offline always, live if there was time.

use std::time::Duration;

use lockstep_hosts::{Format, Stage};

/// Limit on the processor time that activation may take on the host's thread.
const MOST_CPU: Duration = Duration::from_millis(20);

/// A stage at this sample rate, with drums from the second measure.
fn stage(rate_hz: u32, n_measures: u32) -> Stage {
    let mut stage = Stage::of_measures(n_measures).with("Density", 0.9);
    let at_rate = |frame: u64| frame * u64::from(rate_hz) / 48_000;
    stage.sample_rate_hz = rate_hz.into();
    stage.n_frames = at_rate(stage.n_frames);
    for action in &mut stage.actions {
        action.frame = at_rate(action.frame);
    }
    stage
}

#[test]
fn activating_takes_less_than_20_ms_of_the_hosts_thread_at_any_rate() -> anyhow::Result<()> {
    for format in Format::ALL {
        for rate_hz in [8_000, 44_100, 96_000, 384_000] {
            let stage = Stage {
                n_frames: 512,
                is_offline: false,
                actions: Vec::new(),
                ..stage(rate_hz, 2)
            };
            let cpu = format.perform(&stage)?.activation_cpu;
            eprintln!("{format:?} at {rate_hz} Hz: {cpu:?}");
            assert!(cpu < MOST_CPU, "{format:?} at {rate_hz} Hz: {cpu:?}");
        }
    }
    Ok(())
}

// From the first block: the sounds are made while it plays.
#[test]
fn a_live_block_never_waits_for_the_kit() -> anyhow::Result<()> {
    for format in Format::ALL {
        let live = Stage {
            is_offline: false,
            is_real_time: true,
            ..stage(384_000, 3).in_blocks_of(4_096)
        };
        let performance = format.perform(&live)?;
        assert!(!performance.hits().is_empty(), "{format:?}");
        let longest = performance.longest_block_cpu;
        eprintln!("{format:?}: {longest:?}");
        // Making the kits takes half a second.
        assert!(
            longest < Duration::from_millis(60),
            "{format:?}: {longest:?}"
        );
        assert!(
            performance.peak(0..performance.left.len()) < 1.0,
            "{format:?}"
        );
    }
    Ok(())
}

#[test]
fn an_offline_render_has_every_hit_even_right_after_activation() -> anyhow::Result<()> {
    for format in Format::ALL {
        for rate_hz in [44_100, 48_000, 96_000] {
            let stage = stage(rate_hz, 3);
            // For the first render no sounds have been made yet; the second, in the same process, finds all of them.
            let mut first = format.open()?;
            let begun_without = first.perform(&stage)?;
            let begun_with = format.open()?.perform(&stage)?;
            assert!(begun_with.peak(0..begun_with.left.len()) > 0.01);
            assert_eq!(begun_without.events, begun_with.events);
            let is_same =
                begun_without.left == begun_with.left && begun_without.right == begun_with.right;
            assert!(is_same, "{format:?} at {rate_hz} Hz");
        }
    }
    Ok(())
}

#[test]
fn a_live_take_sounds_like_the_offline_render_once_the_kit_is_ready() -> anyhow::Result<()> {
    for format in Format::ALL {
        let offline = stage(48_000, 3);
        let live = Stage {
            is_offline: false,
            rest_at_downbeat: Duration::from_secs(1),
            ..offline.clone()
        };
        // In this order, so that the live take cannot use sounds made for the offline render.
        let live = format.perform(&live)?;
        let offline = format.perform(&offline)?;
        assert_eq!(live.events, offline.events, "{format:?}");
        assert!(live.peak(0..live.left.len()) > 0.01, "{format:?}");
        assert!(live.left == offline.left, "{format:?}");
    }
    Ok(())
}
