//! `lockstep live` on a real JACK server without a device, with a client that plays MIDI and one that records.
//!
//! Needs `jackd` (Debian: jackd2). Every wait is bounded.
#[allow(
    dead_code,
    reason = "each test program that shares this module uses part of it"
)]
mod stage;

use std::fs;

use lockstep_files::midi_file::{self, Pick};
use stage::{App, JackServer, Musician, RATE_HZ, Recorder, config_folder};

/// Everything on the grid, at four beats a second.
const ON_THE_GRID: [&str; 8] = [
    "--set",
    "free_bpm=240",
    "--set",
    "swing=0",
    "--set",
    "humanise=0",
    "--set",
    "feel=0",
];

/// A sixteenth note at 240 BPM, in frames.
const STEP: u64 = RATE_HZ / 16;

/// A measure of 4/4, in frames.
const MEASURE: u64 = 16 * STEP;

/// Eighth notes for some measures, starting at a frame.
fn bass(begin: u64, n_measures: u64) -> Vec<(u64, Vec<u8>)> {
    (0..8 * n_measures)
        .flat_map(|place| {
            let at = begin + place * 2 * STEP;
            let key = [36, 36, 43, 36, 41, 36, 43, 38][usize::try_from(place % 8).unwrap()];
            [(at, vec![0x90, key, 100]), (at + STEP, vec![0x80, key, 0])]
        })
        .collect()
}

/// Recorded notes: frames since `begin`, and whether it is a note-on.
fn heard(recorder: &Recorder, begin: u64) -> Vec<(i64, bool)> {
    let notes = recorder.notes();
    assert!(
        notes.iter().all(|(_, bytes)| bytes[0] & 0x0f == 9),
        "drums are on channel 10"
    );
    notes
        .iter()
        .map(|(at, bytes)| {
            (
                at.cast_signed() - begin.cast_signed(),
                bytes[0] & 0xf0 == 0x90,
            )
        })
        .collect()
}

/// Checks that every note-on has its note-off.
fn assert_all_ended(recorder: &Recorder) {
    let mut sounding = std::collections::BTreeSet::new();
    for (at, bytes) in recorder.notes() {
        if bytes[0] & 0xf0 == 0x90 {
            sounding.insert(bytes[1]);
        } else {
            assert!(
                sounding.remove(&bytes[1]),
                "a note-off without a note-on at {at}"
            );
        }
    }
    assert!(sounding.is_empty(), "still sounding: {sounding:?}");
}

#[test]
fn in_free_run_the_first_note_is_beat_one_and_the_drums_are_on_the_grid() {
    let server = JackServer::start();
    let folder = config_folder();
    let mut app = App::start(&folder, &ON_THE_GRID);
    let musician = Musician::of("lockstep:bass");
    let recorder = Recorder::of("lockstep:drums", &musician);
    let begin = musician.soon();
    musician.play(bass(begin, 4));
    musician.wait_until(begin + 4 * MEASURE + STEP / 2);
    let heard = heard(&recorder, begin);
    let ons: Vec<i64> = heard
        .iter()
        .filter(|(_, on)| *on)
        .map(|(at, _)| *at)
        .collect();
    let measure = MEASURE.cast_signed();
    assert!(
        ons.iter().all(|at| *at >= measure),
        "the first measure is silent: {ons:?}"
    );
    for n in 1..4 {
        let here = ons
            .iter()
            .filter(|at| (n * measure..(n + 1) * measure).contains(at));
        assert!(here.count() >= 4, "measure {n} plays: {ons:?}");
    }
    let off_grid: Vec<_> = ons
        .iter()
        .filter(|at| *at % STEP.cast_signed() != 0)
        .collect();
    assert!(off_grid.is_empty(), "off the grid: {off_grid:?}");
    assert!(app.terminate().success());
    recorder.await_last_notes();
    assert_all_ended(&recorder);
    drop(server);
}

#[test]
fn a_control_key_saves_the_take_without_stopping_it() {
    let server = JackServer::start();
    let folder = config_folder();
    let args = [&ON_THE_GRID[..], &["--set", "ctl_key=C1"]].concat();
    let mut app = App::start(&folder, &args);
    let musician = Musician::of("lockstep:bass");
    let recorder = Recorder::of("lockstep:drums", &musician);
    let begin = musician.soon();
    let mut played = bass(begin, 4);
    // The fourth control key, in the middle of the fourth measure.
    let save = begin + 3 * MEASURE + 8 * STEP + 100;
    played.extend([(save, vec![0x90, 27, 100]), (save + 9, vec![0x80, 27, 0])]);
    // The wheel bends the third note up by two semitones halfway through; the pedal doubles the length of the fifth.
    let (third, fifth) = (begin + 4 * STEP, begin + 8 * STEP);
    played.extend([
        (third + STEP / 2, vec![0xe0, 127, 127]),
        (third + STEP + STEP / 2, vec![0xe0, 0, 64]),
        (fifth + STEP / 2, vec![0xb0, 64, 127]),
        (fifth + STEP + STEP / 2, vec![0xb0, 64, 0]),
    ]);
    played.sort_by_key(|(at, _)| *at);
    musician.play(played);
    musician.wait_until(begin + 4 * MEASURE + STEP / 2);
    let drums_before = heard(&recorder, begin);
    let n_struck = drums_before
        .iter()
        .filter(|(at, on)| *on && *at < (save - begin).cast_signed())
        .count();
    assert!(app.terminate().success());
    let files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "mid"))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(files[0].with_extension("wav").exists());
    let bytes = fs::read(&files[0]).unwrap();
    let song = midi_file::read(&bytes, Pick::default()).unwrap();
    assert_eq!((song.bass.len(), song.drums.len()), (30, n_struck));
    let mut notes = song.bass.clone();
    let bent = notes.remove(3);
    assert_eq!(
        (bent.start.beats(), bent.end.beats(), bent.key),
        (1.125, 1.25, 45)
    );
    assert_eq!((notes[2].end.beats(), notes[2].key), (1.125, 43));
    assert_eq!((notes[4].start.beats(), notes[4].end.beats()), (2.0, 2.375));
    let places: Vec<_> = notes.iter().map(|note| note.start.beats()).collect();
    let expected: Vec<_> = (0..29).map(|eighth| f64::from(eighth) / 2.0).collect();
    assert_eq!(places, expected);
    assert!(song.drums.iter().all(|note| note.start.beats() >= 4.0));
    assert!((song.tempos[0].1 - 240.0).abs() < 0.01);
    drop(server);
}

#[test]
fn behind_a_jittering_midi_clock_the_drums_are_within_two_milliseconds() {
    let _server = JackServer::start();
    let folder = config_folder();
    let mut app = App::start(&folder, &ON_THE_GRID[2..]);
    let musician = Musician::of("lockstep:bass");
    let recorder = Recorder::of("lockstep:drums", &musician);
    musician.also_to("lockstep:clock");
    let begin = musician.soon();
    // The clock runs at 240 BPM, free run would be at 120; every tick is off by up to 2 ms.
    let mut messages = bass(begin, 5);
    messages.push((begin - STEP, vec![0xfa]));
    let mut noise = 1_u64;
    for tick in 0..5 * 96 {
        noise = noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let jitter = (noise >> 33) % 193;
        messages.push((begin + tick * (STEP / 6) + jitter - 96, vec![0xf8]));
    }
    let end = begin + 5 * MEASURE;
    messages.push((end, vec![0xfc]));
    messages.sort_by_key(|(at, _)| *at);
    musician.play(messages);
    musician.wait_until(end + RATE_HZ / 5);
    assert!(app.has_said("Following the MIDI clock"));
    let heard = heard(&recorder, begin);
    let ons: Vec<i64> = heard
        .iter()
        .filter(|(_, on)| *on)
        .map(|(at, _)| *at)
        .collect();
    let (measure, step) = (MEASURE.cast_signed(), STEP.cast_signed());
    // Two a measure, at least: to this bass the drummer plays little more.
    assert!(ons.len() >= 8, "it plays: {ons:?}");
    for at in &ons {
        assert!(
            (measure - 96..5 * measure + 96).contains(at),
            "between first measure and stop: {at}"
        );
        let off = (at + step / 2).rem_euclid(step) - step / 2;
        assert!(off.abs() <= 96, "{off} frames off at {at}");
    }
    // The stop has ended all sounding notes.
    assert_all_ended(&recorder);
    assert!(app.terminate().success());
}

#[test]
fn behind_jacks_rolling_transport_the_drums_are_on_its_grid() {
    let _server = JackServer::start();
    let folder = config_folder();
    let mut args = vec!["--sync", "jack"];
    args.extend(ON_THE_GRID);
    let mut app = App::start(&folder, &args);
    let musician = Musician::of("lockstep:bass");
    let recorder = Recorder::of("lockstep:drums", &musician);
    // It waits for the transport.
    let early = musician.soon();
    musician.play(bass(early, 2));
    musician.wait_until(early + 2 * MEASURE);
    assert_eq!(recorder.notes(), []);
    let nought = musician.roll();
    musician.play(bass(nought + MEASURE, 3));
    musician.wait_until(nought + 4 * MEASURE + STEP / 2);
    let ons: Vec<i64> = heard(&recorder, nought)
        .iter()
        .filter(|(_, on)| *on)
        .map(|(at, _)| *at)
        .collect();
    assert!(ons.len() >= 8, "it plays: {ons:?}");
    let off_grid: Vec<_> = ons
        .iter()
        .filter(|at| *at % STEP.cast_signed() != 0)
        .collect();
    assert!(off_grid.is_empty(), "off the grid: {off_grid:?}");
    musician.stop();
    recorder.await_last_notes();
    assert_all_ended(&recorder);
    assert!(app.has_said("Following JACK's transport, 240 BPM"));
    assert!(app.terminate().success());
}

#[test]
fn quitting_ends_the_notes_and_the_settings_come_back() {
    let _server = JackServer::start();
    let folder = config_folder();
    let mut args = vec![
        "--cc",
        "20=swing",
        "--set",
        "density=83 %",
        "--set",
        "thru=on",
    ];
    args.extend(ON_THE_GRID);
    let mut app = App::start(&folder, &args);
    let musician = Musician::of("lockstep:bass");
    let recorder = Recorder::of("lockstep:drums", &musician);
    let begin = musician.soon();
    // A note held until the end, which is passed through.
    musician.play(vec![
        (begin, vec![0x99, 40, 100]),
        (begin + 1, vec![0xb0, 20, 127]),
    ]);
    musician.wait_until(begin + RATE_HZ / 4);
    let notes = recorder.notes();
    assert_eq!(notes, [(begin, [0x99, 40, 100])]);
    assert!(app.terminate().success());
    recorder.await_last_notes();
    assert_all_ended(&recorder);
    // The second run remembers the settings; one with `--fresh` does not.
    let listed = stage::list_parameters(&folder, &[]);
    let shown = |listed: &str, id: &str| -> String {
        let line = listed.lines().find(|line| line.starts_with(id));
        line.unwrap_or_default().to_owned()
    };
    assert!(shown(&listed, "density").contains("83 %"), "{listed}");
    assert!(shown(&listed, "swing").contains("100 %"), "{listed}");
    assert!(shown(&listed, "free_bpm").contains("240 BPM"), "{listed}");
    let fresh = stage::list_parameters(&folder, &["--fresh"]);
    assert!(!shown(&fresh, "density").contains("83 %"), "{fresh}");
    let mut again = App::start(&folder, &[]);
    assert!(again.has_said("Controller 20 turns swing"));
    assert!(again.terminate().success());
}

#[test]
fn losing_the_server_is_reported_and_the_settings_are_saved() {
    let server = JackServer::start();
    let folder = config_folder();
    let mut app = App::start(&folder, &["--set", "seed=7"]);
    drop(server);
    let status = app.wait();
    assert_eq!(status.code(), Some(1));
    assert!(app.has_said("the JACK server has gone away"));
    let saved = fs::read_to_string(folder.path().join("live.toml")).unwrap();
    assert!(saved.contains("seed = \"7\""), "{saved}");
}

#[test]
fn the_pins_come_back_in_the_next_session() {
    let _server = JackServer::start();
    let folder = config_folder();
    let file = folder.path().join("live.toml");
    let play = |seed: &str| {
        let mut app = App::start(&folder, &["--set", seed]);
        assert!(app.terminate().success());
        fs::read_to_string(&file).unwrap()
    };
    assert!(!play("seed=7").contains("pins"));
    // As a build with nine voices saved them, and the same as they are saved now.
    let nine = "[[1,0,0,0,0,0,0,0,0],[0,0,0,0,0,0,0,0,16]]";
    let pins = "[[1,0,0,0,0,0,0,0,0,0,0,0,0,0],[0,0,0,0,0,0,0,0,0,0,0,16,0,0]]";
    for written in [nine, pins] {
        fs::write(&file, format!("[fields]\npins = \"{written}\"\n")).unwrap();
        // Saved again by the running program, so it must have read them.
        let saved = play("seed=8");
        assert!(saved.contains(pins) && saved.contains("\"8\""), "{saved}");
    }
}

#[test]
fn missing_devices_and_names_are_errors_that_say_what_to_do() {
    let server = JackServer::start();
    let folder = config_folder();
    let failed = |args: &[&str]| {
        let (code, said) = stage::run(&folder, args);
        assert_eq!(code, Some(1), "{said}");
        said
    };
    let said = failed(&["--bass", "organ"]);
    assert!(
        said.contains("`organ`") && said.contains("there is no"),
        "{said}"
    );
    let said = failed(&["--rate", "44100"]);
    assert!(
        said.contains("48000 Hz") && said.contains("jackd -r"),
        "{said}"
    );
    let said = failed(&["--set", "density=500"]);
    assert!(said.contains("0 % to 100 %"), "{said}");
    let said = failed(&["--set", "loudness=1"]);
    assert!(said.contains("--list-parameters"), "{said}");
    let said = failed(&["--cc", "130=density"]);
    assert!(said.contains("`130`"), "{said}");
    let said = failed(&["--backend", "cpal", "--audio", "no such device"]);
    assert!(said.contains("no such device"), "{said}");
    let (code, ports) = stage::run(&folder, &["--ports"]);
    assert_eq!(code, Some(0));
    assert!(ports.contains("system:playback_1"), "{ports}");
    drop(server);
    let said = failed(&["--backend", "jack"]);
    assert!(
        said.contains("no JACK server is running") && said.contains("--backend cpal"),
        "{said}"
    );
}

#[test]
fn a_preset_overrides_remembered_settings_and_set_overrides_the_preset() {
    let folder = config_folder();
    let remembered = "[parameters]\ndensity = \"20 %\"\nseed = \"8\"\nfree_bpm = \"90 BPM\"\n";
    fs::write(folder.path().join("live.toml"), remembered).unwrap();
    let said = stage::list_parameters(&folder, &["--preset", "machine", "--set", "swing=10 %"]);
    let is = |id: &str, text: &str| {
        let line = said.lines().find(|line| line.split(' ').next() == Some(id));
        assert!(
            line.is_some_and(|line| line.contains(text)),
            "{id}: {line:?}"
        );
    };
    // In this order: from the preset; not in the preset, so the default; from the preset; from `--set`; never in a preset, so
    // remembered.
    is("feel", " 0 % ");
    is("density", " 50 % ");
    is("seed", " 7 ");
    is("swing", " 10 % ");
    is("free_bpm", " 90 BPM ");
    let (code, said) = stage::run(&folder, &["--preset", "loudness", "--list-parameters"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("loudness") && said.contains("Pocket"),
        "{said}"
    );
}
