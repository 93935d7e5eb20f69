//! The kit sounds when drums play, and only then.

use lockstep_hosts::{Format, Stage};

#[test]
fn the_kit_sounds_with_the_first_hit_and_not_before() -> anyhow::Result<()> {
    for format in Format::ALL {
        let performance = format.perform(&Stage::default().with("Density", 0.8))?;
        let Some(first) = performance.hits().first().copied() else {
            anyhow::bail!("no drums");
        };
        let first = usize::try_from(first.frame)?;
        let n_frames = performance.left.len();
        let before = performance.peak(0..first);
        let after = performance.peak(first..n_frames);
        assert!(before < 1e-6, "{format:?}: {before} before the first hit");
        assert!(after > 0.01, "{format:?}: {after} with the drums");
        assert!(after < 4.0, "{format:?}: {after} is no sane level");
    }
    Ok(())
}
