//! VST3 hosts that deviate from the format, and cases that the framework handles badly.

use lockstep_hosts::{Action, Format, Host as _, PITCH_WHEEL, Stage, Vst3Host};

#[cfg(target_os = "linux")]
use lockstep_hosts::BareVst3;

/// MIDI's number for the sustain pedal.
const PEDAL: u16 = 64;

/// A parameter's value in the saved state, read from a fresh instance after loading it.
fn saved(host: &mut Vst3Host, name: &str) -> anyhow::Result<f64> {
    let state = host.save()?;
    let mut fresh = Vst3Host::open()?;
    fresh.load(&state)?;
    fresh.value(name)
}

/// The host has started processing but has not processed a block yet, or no longer does: pluginval and Steinberg's
/// validator do both.
#[test]
fn a_knob_turned_while_nothing_is_processed_keeps_and_saves_its_value() -> anyhow::Result<()> {
    let mut host = Vst3Host::open()?;
    for (name, is_bypass) in [("Density", false), ("Bypass", true)] {
        host.set_processing(true)?;
        for is_after_a_block in [false, true] {
            if is_after_a_block {
                host.process()?;
            }
            for value in [0.0, 1.0, if is_bypass { 0.0 } else { 0.25 }] {
                host.turn(name, value)?;
                let case = format!("{name} to {value}, after a block: {is_after_a_block}");
                assert!((host.value(name)? - value).abs() < 1e-6, "{case}");
                assert!((saved(&mut host, name)? - value).abs() < 1e-6, "{case}");
            }
        }
        // A change that the host kept for the next block, and one for a block that never came.
        host.process()?;
        host.turn(name, 1.0)?;
        host.set_processing(false)?;
        assert!((host.value(name)? - 1.0).abs() < 1e-6, "{name}");
        assert!((saved(&mut host, name)? - 1.0).abs() < 1e-6, "{name}");
    }
    Ok(())
}

/// pluginval turns a knob, also to values between a switch's two positions, and then loads the earlier state.
#[test]
fn a_state_loaded_while_a_knob_change_is_pending_is_shown_and_saved() -> anyhow::Result<()> {
    let mut host = Vst3Host::open()?;
    host.set_processing(true)?;
    for name in ["Density", "Fill now", "Style", "Kick mute"] {
        let (before, state) = (host.value(name)?, host.save()?);
        for value in [0.525, 0.9, 0.1] {
            host.turn(name, value)?;
            let turned = host.value(name)?;
            assert!(
                (turned - value).abs() < 0.1 || (turned - value.round()).abs() < 1e-6,
                "{name}: {turned}"
            );
            host.load(&state)?;
            assert!((host.value(name)? - before).abs() < 1e-6, "{name}");
            assert!((saved(&mut host, name)? - before).abs() < 1e-6, "{name}");
        }
    }
    Ok(())
}

/// Hosts list and inspect every parameter, even hidden ones: 2,080 of them took half a minute.
#[test]
fn only_controllers_in_use_have_hidden_parameters() -> anyhow::Result<()> {
    let host = Vst3Host::open()?;
    // pedalboard ignores parameters with this prefix.
    let is_controller = |name: &String| name.starts_with("MIDI CC ");
    let (controllers, others): (Vec<_>, Vec<_>) =
        host.hidden_names()?.into_iter().partition(is_controller);
    assert_eq!(controllers.len(), 80);
    assert_eq!(others, ["Save take"]);
    let mut moved: Vec<_> = (0..16)
        .flat_map(|channel| (0..130).map(move |controller| (channel, controller)))
        .filter_map(|(channel, controller)| host.parameter_of(channel, controller))
        .collect();
    moved.sort_unstable();
    moved.dedup();
    assert_eq!(moved.len(), 80);
    assert!(host.parameter_of(3, PEDAL).is_some() && host.parameter_of(3, PITCH_WHEEL).is_some());
    assert_eq!(host.parameter_of(3, 7), None);
    Ok(())
}

/// The bassist plays one note and releases it; a drummer that rests with the bass plays on while the pedal holds the
/// note.
#[test]
fn the_pedal_holds_a_note_and_its_end_releases_it() -> anyhow::Result<()> {
    const PEDAL_DOWN: Action = Action::Set("MIDI CC 64 on channel 1: sustain pedal", 1.0);
    const ALL_OFF: Action = Action::Set("MIDI CC 123 on channel 1: all notes off", 1.0);
    let mut stage = Stage::of_measures(12).with("Silence", 0.0);
    stage.bass.truncate(1);
    let late = 8 * Stage::MEASURE_FRAMES;
    let n_late_hits = |stage: &Stage| -> anyhow::Result<usize> {
        let hits = Format::Vst3.perform(stage)?.hits();
        Ok(hits.iter().filter(|hit| hit.frame > late).count())
    };
    assert_eq!(n_late_hits(&stage)?, 0, "nothing is held");
    let held = stage.at(10, PEDAL_DOWN);
    assert!(n_late_hits(&held)? > 0, "the pedal holds nothing");
    let let_go = held.at(Stage::MEASURE_FRAMES / 2, ALL_OFF);
    assert_eq!(n_late_hits(&let_go)?, 0, "the released note is still held");
    Ok(())
}

/// Plays a note about once per second until the first sound; returns the frames until then.
#[cfg(target_os = "linux")]
fn frames_to_the_first_sound(instance: &BareVst3, sample_rate_hz: f64) -> Option<usize> {
    let mut n_frames = 0;
    while (n_frames as f64) < 12.0 * sample_rate_hz {
        let sound = instance.process(480, if n_frames % 48_000 == 0 { &[33] } else { &[] })?;
        if let Some(frame) = sound.iter().position(|sample| sample.abs() > 1e-3) {
            return Some(n_frames + frame);
        }
        n_frames += 480;
    }
    None
}

/// Carla activates before it sets up.
#[cfg(target_os = "linux")]
#[test]
fn a_host_that_activates_before_setup_gets_its_own_rate() -> anyhow::Result<()> {
    for sample_rate_hz in [48_000.0, 96_000.0] {
        let ordered = BareVst3::open()?;
        assert!(ordered.set_up(sample_rate_hz) && ordered.set_active(true) && ordered.start());
        let expected = frames_to_the_first_sound(&ordered, sample_rate_hz);
        assert!(expected.is_some(), "nothing sounds");

        let carlas = BareVst3::open()?;
        assert!(carlas.set_active(true), "refused");
        assert!(carlas.set_up(sample_rate_hz) && carlas.start());
        assert_eq!(frames_to_the_first_sound(&carlas, sample_rate_hz), expected);
    }
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_host_that_never_sets_up_gets_an_answer_and_survives() -> anyhow::Result<()> {
    let never = BareVst3::open()?;
    assert_eq!(never.process(64, &[33]), None);
    assert!(never.set_active(true) && never.start());
    assert!(never.process(64, &[33]).is_some());
    Ok(())
}
