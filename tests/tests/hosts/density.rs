//! Density is applied at each step: no hits at 0, never fewer hits at a higher value, and automation takes effect on
//! its sample.

use lockstep_hosts::{Action, Format, Hit, Stage};

#[test]
fn density_zero_is_silence() -> anyhow::Result<()> {
    for format in Format::ALL {
        let performance = format.perform(&Stage::default().with("Density", 0.0))?;
        assert_eq!(performance.events, [], "{format:?}");
        let n_frames = performance.left.len();
        assert!(performance.peak(0..n_frames) < 1e-6);
    }
    Ok(())
}

#[test]
fn more_density_never_takes_a_hit_away() -> anyhow::Result<()> {
    let densities = [0.1, 0.3, 0.5, 0.7, 0.9, 1.0];
    let takes = densities
        .iter()
        .map(|density| {
            Ok(Format::Clap
                .perform(&Stage::default().with("Density", *density))?
                .hits())
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    for (pair, density) in takes.windows(2).zip(densities) {
        let missing: Vec<_> = pair[0].difference(&pair[1]).collect();
        assert!(missing.is_empty(), "above density {density}: {missing:?}");
    }
    assert!(takes[0].len() < takes[5].len(), "density does nothing");
    Ok(())
}

#[test]
fn a_groups_density_affects_only_its_voices() -> anyhow::Result<()> {
    const GROUPS: [(&str, &[u8]); 6] = [
        ("Kick density", &[36]),
        ("Snare density", &[37, 38, 39]),
        ("Hats density", &[42, 44, 46]),
        ("Toms density", &[45, 48, 50]),
        ("Cymbals density", &[49, 51]),
        ("Percussion density", &[54, 70]),
    ];
    // Only the first measure of drums: later drums may depend on earlier ones.
    let first_measure = |stage: &Stage| -> anyhow::Result<Vec<Hit>> {
        let mut hits = Vec::from_iter(Format::Clap.perform(stage)?.hits());
        hits.retain(|hit| hit.frame < 2 * Stage::MEASURE_FRAMES);
        Ok(hits)
    };
    let stage = Stage::of_measures(2).with("Density", 1.0);
    let full = first_measure(&stage)?;
    assert!(full.iter().any(|hit| hit.key == 36), "no kick to remove");
    for (name, keys) in GROUPS {
        let without = first_measure(&stage.clone().with(name, 0.0))?;
        let mut expected = full.clone();
        expected.retain(|hit| !keys.contains(&hit.key));
        assert_eq!(without, expected, "{name}");
    }
    Ok(())
}

#[test]
fn automation_takes_effect_on_its_sample() -> anyhow::Result<()> {
    for format in Format::ALL {
        let full = format
            .perform(&Stage::default().with("Density", 1.0))?
            .hits();
        // A step with a hit, with room before it.
        let hit = full
            .iter()
            .find(|hit| hit.frame >= 3 * Stage::MEASURE_FRAMES)
            .copied();
        let Some(Hit { frame, .. }) = hit else {
            anyhow::bail!("no hit in the fourth measure");
        };
        // On the hit's own sample the change applies to it; one sample later it does not.
        for (action, plays) in [(frame, false), (frame + 1, true)] {
            let stage = Stage::default()
                .with("Density", 1.0)
                .at(action, Action::Set("Density", 0.0))
                .in_blocks_of(512);
            let hits = format.perform(&stage)?.hits();
            assert_eq!(
                hits.iter().any(|hit| hit.frame == frame),
                plays,
                "{format:?}: silenced at {action}, hit at {frame}"
            );
            let mut expected = full.clone();
            expected.retain(|hit| hit.frame < action);
            assert_eq!(hits, expected, "{format:?}: silenced at {action}");
        }
    }
    Ok(())
}
