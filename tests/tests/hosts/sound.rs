//! The kit sounds when drums play, and only then.

use lockstep_hosts::{ClapHost, Format, Host as _, Stage};

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
        assert!(after < 4.0, "{format:?}: the level {after} is too high");
    }
    Ok(())
}

/// A busy drummer: everything plays.
fn busy() -> Stage {
    Stage::default().with("Density", 0.9)
}

#[test]
fn every_kit_sounds_in_its_own_way_and_off_is_silent() -> anyhow::Result<()> {
    for format in Format::ALL {
        let mut heard: Vec<Vec<f32>> = Vec::new();
        // The normalised values of the four choices.
        for kit in [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0] {
            let performance = format.perform(&busy().with("Kit", kit))?;
            let n_frames = performance.left.len();
            assert!(!performance.hits().is_empty());
            let peak = performance.peak(0..n_frames);
            assert_eq!(peak > 0.05, kit < 1.0, "{format:?}, kit {kit}: {peak}");
            assert!(peak < 1.0, "{format:?}, kit {kit}: {peak}");
            assert!(!heard.contains(&performance.left), "{format:?}, kit {kit}");
            heard.push(performance.left);
        }
    }
    Ok(())
}

#[test]
fn a_voice_at_zero_is_silent_and_a_panned_one_is_on_its_side() -> anyhow::Result<()> {
    const LEVELS: [&str; 14] = [
        "Kick level",
        "Snare level",
        "Side stick level",
        "Clap level",
        "Closed hat level",
        "Pedal hat level",
        "Open hat level",
        "Low tom level",
        "Mid tom level",
        "High tom level",
        "Crash level",
        "Ride level",
        "Tambourine level",
        "Shaker level",
    ];
    for format in Format::ALL {
        let mut silent = busy();
        for level in LEVELS {
            silent = silent.with(level, 0.0);
        }
        let performance = format.perform(&silent)?;
        assert!(!performance.hits().is_empty());
        assert!(
            performance.peak(0..performance.left.len()) < 1e-6,
            "{format:?}"
        );

        // 0 dB on a scale from −60 to 12 dB.
        let kick = silent.with("Kick level", 60.0 / 72.0).with("Kick pan", 0.0);
        let performance = format.perform(&kick)?;
        let loudest = |side: &[f32]| side.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
        assert!(loudest(&performance.left) > 0.05, "{format:?}");
        assert!(loudest(&performance.right) < 1e-6, "{format:?}");
    }
    Ok(())
}

#[test]
fn each_group_is_on_its_own_output_and_the_main_one_is_silent() -> anyhow::Result<()> {
    let mut host = ClapHost::open()?;
    let layouts = host.layouts()?;
    assert_eq!(layouts, ["Stereo", "An output for each group of drums"]);
    let stage = busy();
    let mix = host.perform(&stage)?;
    let outputs = host.choose_layout(&layouts[1])?;
    assert_eq!(
        outputs,
        [
            "Drums",
            "Kick",
            "Snare",
            "Hats",
            "Toms",
            "Cymbals",
            "Percussion"
        ]
    );
    let split = host.perform(&stage)?;
    assert_eq!(split.events, mix.events);
    assert!(split.peak(0..split.left.len()) < 1e-9);
    // The General MIDI keys of each group.
    let keys: [&[u8]; 6] = [
        &[36],
        &[38, 37, 39],
        &[42, 44, 46],
        &[45, 48, 50],
        &[49, 51],
        &[54, 70],
    ];
    let mut n_sounding = 0;
    for ([left, _], keys) in split.groups.iter().zip(keys) {
        let first = left.iter().position(|x| x.abs() > 1e-6);
        let hits = split.hits();
        let hit = hits.iter().find(|hit| keys.contains(&hit.key));
        let late = match (first, hit) {
            (Some(first), Some(hit)) => u64::try_from(first)?.checked_sub(hit.frame),
            (None, None) => Some(0),
            _ => None,
        };
        assert!(
            late.is_some_and(|late| late < 48),
            "{keys:?}: {first:?}, {hit:?}"
        );
        n_sounding += usize::from(first.is_some());
    }
    assert!(n_sounding >= 3, "{n_sounding} groups play");
    // Where the limiter does nothing, the mix is their sum.
    for at in (0..mix.left.len()).filter(|at| mix.left[*at].abs() < 0.5) {
        let sum: f32 = split.groups.iter().map(|[left, _]| left[at]).sum();
        assert!((sum - mix.left[at]).abs() < 0.02, "frame {at}");
    }

    // And back to stereo.
    assert_eq!(host.choose_layout("Stereo")?, ["Drums"]);
    assert_eq!(host.perform(&stage)?.left, mix.left);
    Ok(())
}
