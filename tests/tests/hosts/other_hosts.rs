//! Hosts that lack some abilities.

use lockstep_hosts::{Abilities, ClapHost, Format, Host as _, Stage};

fn stage() -> Stage {
    Stage::of_measures(8).with("Density", 0.8)
}

#[test]
fn a_host_that_takes_only_midi_gets_the_same_drums_as_midi() -> anyhow::Result<()> {
    let of_midi = Abilities {
        takes_clap_notes: false,
        ..Abilities::default()
    };
    let as_midi = ClapHost::open_in(of_midi)?.perform(&stage())?;
    let as_notes = Format::Clap.perform(&stage())?;
    assert!(as_notes.hits().len() > 50, "{}", as_notes.hits().len());
    assert_eq!(as_midi.events, as_notes.events);
    Ok(())
}

#[test]
fn a_host_without_windows_gets_no_window_and_the_same_drums() -> anyhow::Result<()> {
    let mut host = ClapHost::open_in(Abilities {
        has_windows: false,
        ..Abilities::default()
    })?;
    assert!(!host.has_window());
    assert!(ClapHost::open()?.has_window());
    let heard = host.perform(&stage())?;
    assert_eq!(heard.events, Format::Clap.perform(&stage())?.events);
    Ok(())
}
