//! Situations that hosts put the drummer in, one row each: loops, jumps, meters, tempos, stops, and hosts that say
//! little about time. A musician expects the same in every row; see [`complaints`].

use lockstep_hosts::{Action, Format, Performance, Stage, TimeInfo};

const MEASURE: u64 = Stage::MEASURE_FRAMES;
const BEAT: u64 = 4 * Stage::STEP_FRAMES;

/// A row: its name and stage.
type Scenario = (&'static str, Stage);

/// A loop from `start` to `end`, entered at a position in quarter notes and repeated `n_times` more; the host cuts its
/// blocks at the loop's end.
fn looping(entry: u32, (start, end): (u32, u32), n_times: u64) -> Stage {
    let first_end = u64::from(end - entry) * BEAT;
    let length = u64::from(end - start) * BEAT;
    let stop = first_end + n_times * length;
    let mut stage = Stage {
        start_beats: entry.into(),
        n_frames: stop + BEAT,
        ..Stage::of_measures(8)
    };
    stage.actions.clear();
    (0..n_times)
        .fold(stage, |stage, time| {
            stage.at(first_end + time * length, Action::Jump(start.into()))
        })
        .at(stop, Action::Stop)
}

/// Eight measures from a position other than the song's beginning.
fn from(start_beats: f64) -> Stage {
    Stage {
        start_beats,
        ..Stage::of_measures(8)
    }
}

/// One tempo throughout, for this many measures of 4/4.
fn at_tempo(tempo_bpm: f64, n_measures: u32) -> Stage {
    let mut stage = Stage::of_measures(n_measures);
    stage.tempo_bpm = tempo_bpm;
    stage.n_frames = frames_of(f64::from(n_measures) * 4.0, tempo_bpm);
    stage.actions.clear();
    let end = stage.n_frames;
    stage.n_frames += BEAT;
    stage.at(end, Action::Stop)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a stage is far shorter than 2^53 frames"
)]
fn frames_of(beats: f64, tempo_bpm: f64) -> u64 {
    (beats * 48_000.0 * 60.0 / tempo_bpm).round() as u64
}

/// The tempo falls from 200 to 120 BPM every 512 frames, as hosts render a curve, and stays there.
fn slowing_down() -> Stage {
    (0..=160_u32).fold(Stage::of_measures(9), |stage, step| {
        stage.at(
            2 * MEASURE + 1_000 + u64::from(step) * 512,
            Action::Tempo(200.0 - 0.5 * f64::from(step)),
        )
    })
}

#[test]
fn drums_are_right_wherever_the_song_is_entered() -> anyhow::Result<()> {
    assert_all_well(&[
        ("at its beginning", Stage::of_measures(8)),
        ("with a measure of pre-roll", from(-4.0)),
        ("in the middle of pre-roll", from(-2.5)),
        ("at a downbeat in mid-song", from(8.0)),
        ("in the middle of a measure", from(9.5)),
        ("between two steps", from(10.37)),
    ])
}

#[test]
fn drums_are_right_in_short_and_odd_loops() -> anyhow::Result<()> {
    assert_all_well(&[
        ("a beat with its downbeat", looping(0, (8, 9), 40)),
        ("a beat without a downbeat", looping(0, (9, 10), 40)),
        ("three beats with their downbeat", looping(0, (8, 11), 14)),
        ("three beats without a downbeat", looping(0, (9, 12), 14)),
        ("a measure", looping(0, (8, 12), 10)),
        ("a measure and a half", looping(0, (8, 14), 8)),
        ("over a downbeat", looping(0, (6, 10), 10)),
        (
            "a beat with its downbeat, from inside",
            looping(8, (8, 9), 40),
        ),
        (
            "a beat without a downbeat, from inside",
            looping(9, (9, 10), 40),
        ),
        (
            "three beats without a downbeat, from inside",
            looping(9, (9, 12), 14),
        ),
        ("a measure and a half, from inside", looping(8, (8, 14), 8)),
    ])
}

#[test]
fn drums_are_right_after_jumps_stops_and_resets() -> anyhow::Result<()> {
    let break_frame = 3 * MEASURE + 130;
    assert_all_well(&[
        (
            "forward into the middle of a measure",
            Stage::of_measures(8).at(break_frame, Action::Jump(22.0)),
        ),
        (
            "back to the beginning",
            Stage::of_measures(8).at(4 * MEASURE + 700, Action::Jump(0.0)),
        ),
        (
            "nowhere for a while",
            Stage::of_measures(9)
                .at(break_frame, Action::Stop)
                .at(4 * MEASURE + 777, Action::Play),
        ),
        (
            "nowhere for a while, then to the beginning",
            Stage::of_measures(9)
                .at(break_frame, Action::Stop)
                .at(3 * MEASURE + 9_000, Action::Jump(0.0))
                .at(4 * MEASURE, Action::Play),
        ),
        (
            "on through a reset",
            Stage::of_measures(8).at(break_frame, Action::Reset),
        ),
    ])
}

#[test]
fn drums_are_right_in_any_meter_and_tempo() -> anyhow::Result<()> {
    assert_all_well(&[
        (
            "4/4, then 3/4, 7/8 and 4/4 again",
            Stage::of_measures(10)
                .at(12 * BEAT, Action::Meter((3, 4)))
                .at(21 * BEAT, Action::Meter((7, 8)))
                .at(28 * BEAT, Action::Meter((4, 4))),
        ),
        ("20 BPM", at_tempo(20.0, 3)),
        ("400 BPM", at_tempo(400.0, 12)),
        ("a tempo curve", slowing_down()),
        (
            "a sudden 400, then 60",
            Stage::of_measures(8)
                .at(2 * MEASURE + 1_000, Action::Tempo(400.0))
                .at(4 * MEASURE + 10, Action::Tempo(60.0)),
        ),
    ])
}

/// What only CLAP's host can tell the plugin or leave out.
#[test]
fn drums_are_right_with_little_information_about_time() -> anyhow::Result<()> {
    // Without the host's tempo the drummer plays at its own tempo, 120 BPM at first, from the first bass note on, and
    // does not know when to stop.
    let free = |time_info| {
        let mut stage = at_tempo(120.0, 6);
        let end = stage.n_frames - BEAT;
        stage.actions.clear();
        Stage { time_info, ..stage }.at(end, Action::Set("Density", 0.0))
    };
    let told = |time_info| Stage {
        time_info,
        ..Stage::of_measures(6)
    };
    let stages = [
        (
            "measures not counted from the song's beginning",
            Stage::of_measures(9)
                .at(8 * BEAT, Action::Meter((3, 4)))
                .at(14 * BEAT, Action::Meter((7, 8)))
                .at(21 * BEAT, Action::Meter((4, 4))),
        ),
        ("no time signature", told(TimeInfo::BeatsAndTempo)),
        ("seconds and a tempo", told(TimeInfo::SecondsAndTempo)),
        ("seconds alone", free(TimeInfo::Seconds)),
        ("beats alone", told(TimeInfo::Beats)),
        ("no transport", free(TimeInfo::Nothing)),
    ];
    let mut wrong = Vec::new();
    for (name, stage) in &stages {
        wrong.extend(what_is_wrong(
            name,
            stage,
            &[(Format::Clap, 64), (Format::Clap, 512)],
        )?);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Plays each scenario in both formats with two block sizes.
fn assert_all_well(scenarios: &[Scenario]) -> anyhow::Result<()> {
    const WAYS: [(Format, u32); 4] = [
        (Format::Clap, 64),
        (Format::Clap, 512),
        (Format::Vst3, 64),
        (Format::Vst3, 512),
    ];
    let mut wrong = Vec::new();
    for (name, stage) in scenarios {
        wrong.extend(what_is_wrong(name, stage, &WAYS)?);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Everything that a musician would complain about when a stage is played in these ways, and where the ways differ.
fn what_is_wrong(name: &str, stage: &Stage, ways: &[(Format, u32)]) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut first = None;
    for &(format, block_frames) in ways {
        let performance = format.perform(&stage.clone().in_blocks_of(block_frames))?;
        match &first {
            None => {
                wrong.extend(complaints(stage, &performance));
                first = Some(performance);
            }
            Some(first) => {
                wrong.extend(difference(first, &performance).map(|difference| {
                    format!("{format:?} in blocks of {block_frames}: {difference}")
                }));
            }
        }
    }
    Ok(wrong
        .into_iter()
        .map(|wrong| format!("{name}: {wrong}"))
        .collect())
}

/// Every note ends, in order and in time; every hit is on the grid and none sounds while the transport is stopped; and
/// where the bass plays, the drums never pause for more than two measures, whatever happened before.
fn complaints(stage: &Stage, performance: &Performance) -> Vec<String> {
    let mut wrong = performance.faults();
    let mut last_hit = None;
    let mut beats_without = 0.0;
    let mut hits = performance.hits().into_iter().peekable();
    for block in stage.blocks() {
        let end = block.first_frame + u64::from(block.n_frames);
        let is_bass_here = stage.bass.iter().any(|note| {
            (note.beats - 1.0..=note.beats + note.length_beats + 1.0).contains(&block.beats)
        });
        while let Some(hit) = hits.next_if(|hit| hit.frame < end) {
            last_hit = Some(hit.frame);
            beats_without = 0.0;
            let off = stage.frames_off_grid(hit.frame);
            if off >= 1.0 {
                wrong.push(format!("{hit:?} is {off} frames off the grid"));
            }
            if !block.is_playing {
                wrong.push(format!("{hit:?} while the transport is stopped"));
            }
        }
        if block.is_playing && is_bass_here {
            let beats = f64::from(block.n_frames) / stage.sample_rate_hz / 60.0 * block.tempo_bpm;
            let measure_beats = f64::from(block.meter.0) * 4.0 / f64::from(block.meter.1);
            let limit = 2.0 * measure_beats;
            if beats_without <= limit && beats_without + beats > limit {
                wrong.push(format!("no drums from frame {last_hit:?} to {end}"));
            }
            beats_without += beats;
        }
    }
    if last_hit.is_none() {
        wrong.push("no drums at all".into());
    }
    wrong
}

/// The first event in which the performances differ.
fn difference(one: &Performance, other: &Performance) -> Option<String> {
    let n = one
        .events
        .iter()
        .zip(&other.events)
        .take_while(|(one, other)| one == other)
        .count();
    let (one, other) = (one.events.get(n), other.events.get(n));
    (one != other).then(|| format!("{other:?} instead of {one:?}"))
}
