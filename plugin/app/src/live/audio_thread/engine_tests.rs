//! The host without the drummer: MIDI thru, controllers, clocks and stopping.

use lockstep_engine::channel::tape;

use super::super::midi::{IncomingMessages, read};
use super::*;

const RATE_HZ: f64 = 48_000.0;

fn engine(
    set: &[(&str, &str)],
    sync: SyncChoice,
    turn: Option<(u8, &str)>,
) -> anyhow::Result<Engine> {
    let instrument = Lockstep::default();
    let parameters = Parameters::new(instrument.params());
    for (id, text) in set {
        parameters.set_text(parameters.find(id)?, text)?;
    }
    let mut turns: ControllerMap = std::iter::repeat_n(None, N_CONTROLLERS).collect();
    if let Some((number, id)) = turn {
        let at = parameters.find(id)?;
        let values = parameters.controller_values(at);
        if let Some(turn) = turns.get_mut(usize::from(number)) {
            *turn = Some(ControllerMapping { at, values });
        }
    }
    let setup = EngineSetup {
        own_time: (parameters.find("free_bpm")?, parameters.find("free_meter")?),
        instrument,
        parameters: Arc::new(parameters),
        turns,
        turned: tape(1).1,
        sync,
        shared: Arc::default(),
    };
    Engine::new(setup, RATE_HZ)
}

/// Plays messages at given frames, in blocks of one size. Returns the output with frames since the start.
fn play(
    engine: &mut Engine,
    messages: &[(u64, &[u8])],
    n_frames: u64,
    block: u64,
) -> Vec<(u64, [u8; 3])> {
    let (mut left, mut right) = ([0.0; 1024], [0.0; 1024]);
    let mut out = OutgoingMessages::new();
    let mut all = Vec::new();
    for begin in (0..n_frames).step_by(usize::try_from(block).unwrap_or(1)) {
        let n = usize::try_from(block.min(n_frames - begin)).unwrap_or(0);
        let inbox: IncomingMessages = messages
            .iter()
            .filter(|(at, _)| (begin..begin + n as u64).contains(at))
            .filter_map(|(at, bytes)| {
                Some(IncomingMessage {
                    frame: u32::try_from(at - begin).ok()?,
                    source: MidiSource::Bass,
                    message: read(MidiSource::Bass, bytes)?,
                })
            })
            .collect();
        let (Some(left), Some(right)) = (left.get_mut(..n), right.get_mut(..n)) else {
            continue;
        };
        engine.process((left, right), &inbox, None, &mut out);
        all.extend(out.iter().map(|o| (begin + u64::from(o.frame), o.bytes)));
    }
    all
}

#[test]
fn the_bass_is_passed_on_frame_exactly_however_blocks_are_split() -> anyhow::Result<()> {
    let messages: [(u64, &[u8]); 8] = [
        (3, &[0xfa]),
        (100, &[0x90, 40, 90]),
        (100, &[0xf8]),
        (700, &[0xb0, 20, 127]),
        (700, &[0x80, 40, 0]),
        (1100, &[0xf8]),
        (1101, &[0x90, 41, 90]),
        (2047, &[0x80, 41, 0]),
    ];
    for block in [1, 64, 700, 1024] {
        let set = [("thru", "On"), ("density", "0 %")];
        let mut engine = engine(&set, SyncChoice::Auto, Some((20, "swing")))?;
        let out = play(&mut engine, &messages, 2048, block);
        let notes = [
            (100, [0x90, 40, 90]),
            (700, [0x80, 40, 0]),
            (1101, [0x90, 41, 90]),
            (2047, [0x80, 41, 0]),
        ];
        assert_eq!(out, notes, "blocks of {block}");
    }
    Ok(())
}

#[test]
fn a_controller_turns_its_parameter_from_its_frame_on() -> anyhow::Result<()> {
    let messages: [(u64, &[u8]); 4] = [
        (10, &[0x90, 40, 90]),
        (20, &[0xb3, 20, 127]),
        (20, &[0x90, 41, 90]),
        (30, &[0xb3, 21, 0]),
    ];
    let mut engine = engine(&[], SyncChoice::None, Some((20, "thru")))?;
    // The bass is not passed on before the controller is turned up.
    let out = play(&mut engine, &messages, 512, 512);
    assert_eq!(out, [(20, [0x90, 41, 90])]);
    Ok(())
}

#[test]
fn a_clock_is_followed_until_it_drops_out_and_by_one_port_only() -> anyhow::Result<()> {
    let mut engine = engine(&[], SyncChoice::Auto, None)?;
    let following = |engine: &Engine| engine.shared().following.load(Ordering::Relaxed);
    let mut messages: Vec<(u64, &[u8])> = vec![(0, &[0xfa])];
    messages.extend((0..96).map(|tick| (tick * 1000, &[0xf8_u8][..])));
    play(&mut engine, &messages, 95 * 1000 + 1, 256);
    assert_eq!(following(&engine), Following::Clock as u8);
    let centi_bpm = engine.shared().centi_bpm.load(Ordering::Relaxed);
    assert!(centi_bpm.abs_diff(12_000) < 20, "{centi_bpm}");
    // The same clock on the other port is ignored.
    let now = engine.now;
    engine.hear_clock(now, MidiSource::Clock, ClockMessage::Stop);
    play(&mut engine, &[], 23_998, 256);
    assert_eq!(following(&engine), Following::Clock as u8);
    play(&mut engine, &[], 512, 256);
    assert_eq!(following(&engine), Following::Nothing as u8);
    engine.hear_clock(engine.now, MidiSource::Clock, ClockMessage::Start);
    engine.hear_clock(engine.now, MidiSource::Clock, ClockMessage::Tick);
    play(&mut engine, &[], 256, 256);
    assert_eq!(following(&engine), Following::Clock as u8);
    Ok(())
}

#[test]
fn stopping_ends_every_note_and_then_nothing_plays() -> anyhow::Result<()> {
    let mut engine = engine(&[("thru", "On")], SyncChoice::None, None)?;
    let on: [(u64, &[u8]); 2] = [(5, &[0x90, 40, 90]), (6, &[0x91, 52, 90])];
    play(&mut engine, &on, 256, 256);
    engine.shared().is_stopping.store(true, Ordering::Relaxed);
    let out = play(&mut engine, &[], 512, 256);
    assert_eq!(out, [(255, [0x80, 40, 0]), (255, [0x81, 52, 0])]);
    assert!(engine.shared().is_silent.load(Ordering::Relaxed));
    assert_eq!(play(&mut engine, &on, 256, 256), []);
    Ok(())
}
