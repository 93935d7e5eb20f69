//! Tests of the corpus file and the grid, with made-up songs.

use std::fs;
use std::path::PathBuf;

use lockstep_core::family::Family;
use lockstep_core::representation::{Meter, Position, Swing, Voice};
use lockstep_files::midi_file::{Note, Song, TimeSignature};

use super::*;

pub(super) fn note(start: f64, end: f64, key: u8, velocity: u8) -> Note {
    Note {
        start: Position::at(start),
        end: Position::at(end),
        key,
        velocity,
    }
}

fn hit(step_idx: u8, voice: Voice, velocity: u8, offset: i8) -> DrumHit {
    DrumHit {
        step_idx,
        voice: u8::try_from(voice.index()).unwrap_or_default(),
        velocity,
        offset,
    }
}

fn song(bass: &[Note], drums: &[Note]) -> Song {
    Song {
        bass: bass.to_vec(),
        drums: drums.to_vec(),
        ..Song::default()
    }
}

fn signature(numerator: u8, denominator: u8) -> TimeSignature {
    TimeSignature {
        numerator,
        denominator,
    }
}

fn record(name: &str, split: Split) -> SongRecord {
    let mut late = BassNote::new(15, 40, 90, 3);
    late.offset = -127;
    let measure = |meter, hits: &[DrumHit]| MeasureRecord {
        meter,
        tempo_bpm: 98.5,
        swing: Swing::new(0.67, 0.2),
        bass: vec![BassNote::new(0, 33, 100, 4), late],
        hits: hits.to_vec(),
    };
    let seven = Meter::new(7, 8).unwrap_or_default();
    SongRecord {
        name: name.to_owned(),
        source: "garage".to_owned(),
        style: "pop/rock".to_owned(),
        split,
        is_open: true,
        has_timing: true,
        weight: 0.25,
        label: Some(GrooveLabel {
            family: Family::Ska,
            certainty: 0.75,
            is_known: true,
        }),
        measures: vec![
            measure(
                Meter::COMMON,
                &[
                    hit(0, Voice::Kick, 127, 0),
                    hit(0, Voice::Ride, 1, 127),
                    hit(15, Voice::Snare, 64, -127),
                ],
            ),
            MeasureRecord {
                bass: Vec::new(),
                ..measure(seven, &[])
            },
        ],
        ..SongRecord::default()
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> std::io::Result<Self> {
        tempfile::tempdir().map(Self)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("test.lockstep")
    }
}

type TestResult = Result<(), Box<dyn std::error::Error>>;

#[test]
fn what_is_written_is_read_back() -> TestResult {
    let folder = Folder::new()?;
    let songs = [
        record("a.mid", Split::Train),
        SongRecord::default(),
        record("b/ü.mid", Split::Test),
    ];
    write(&folder.file(), songs.clone())?;
    let corpus = Corpus::open(&folder.file())?;
    assert_eq!(corpus.n_songs(), 3);
    for (idx, song) in songs.into_iter().enumerate() {
        assert_eq!(SongRecord::from(corpus.song(idx)), song);
    }
    let view = corpus.song(2);
    assert!(view.has_bass && !corpus.song(1).has_bass);
    assert_eq!((view.idx, view.n_measures()), (2, 2));
    assert_eq!(view.measure(2), MeasureView::default());
    assert_eq!(view.measure(usize::MAX - 1), MeasureView::default());
    let names: Vec<_> = corpus.songs(Split::Test).map(|song| song.name).collect();
    assert_eq!(names, ["b/ü.mid"]);
    Ok(())
}

#[test]
fn a_corpus_may_be_empty_and_shared_between_threads() -> TestResult {
    fn is_shared<T: Send + Sync>(_: &T) {}
    let folder = Folder::new()?;
    write(&folder.file(), [])?;
    let corpus = Corpus::open(&folder.file())?;
    is_shared(&corpus);
    assert_eq!(corpus.n_songs(), 0);
    Ok(())
}

#[test]
fn a_song_whose_fields_are_invalid_is_not_written() -> TestResult {
    let folder = Folder::new()?;
    let mut song = record("a", Split::Train);
    song.measures[0].hits.swap(0, 2);
    let error = write(&folder.file(), [song]).err().map(|e| e.to_string());
    let text = "cannot write these songs: measure 0: its drum hits are out of range or order";
    assert_eq!(error.as_deref(), Some(text));
    assert_eq!(fs::read_dir(folder.0.path())?.count(), 0);
    Ok(())
}

/// The message on opening a valid file after `change` to its bytes.
fn complaint(change: impl FnOnce(&mut Vec<u8>)) -> Result<String, Box<dyn std::error::Error>> {
    let folder = Folder::new()?;
    write(&folder.file(), [record("a.mid", Split::Train)])?;
    let mut bytes = fs::read(folder.file())?;
    change(&mut bytes);
    fs::write(folder.file(), bytes)?;
    let text = Corpus::open(&folder.file())
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    Ok(text.replace(&folder.file().display().to_string(), "FILE"))
}

#[test]
fn a_file_of_version_1_is_refused_with_what_to_do() -> TestResult {
    assert_eq!(
        complaint(|bytes| bytes[8] = 1)?,
        "the corpus file FILE has format 1, this program reads format 2; run `cargo lab prepare` again"
    );
    Ok(())
}

#[test]
fn foreign_other_and_damaged_files_say_what_to_do() -> TestResult {
    let foreign = "FILE is not a corpus file (it does not begin with LOCKSTEP); make one with `cargo lab prepare`";
    assert_eq!(complaint(|bytes| bytes[0] = b'M')?, foreign);
    assert_eq!(complaint(Vec::clear)?, foreign);
    assert_eq!(
        complaint(|bytes| bytes[8] = 99)?,
        "the corpus file FILE has format 99, this program reads format 2; run `cargo lab prepare` again"
    );
    let damaged =
        |what| format!("the corpus file FILE is damaged: {what}; run `cargo lab prepare` again");
    assert_eq!(
        complaint(|bytes| bytes.truncate(20))?,
        damaged("its header is cut off")
    );
    assert!(complaint(|bytes| bytes.truncate(100))?.contains("100 bytes are not the"));
    // The first song's split, in its flags.
    assert_eq!(
        complaint(|bytes| bytes[32 + 8] = 3)?,
        damaged("song 0: its split is 3")
    );
    // Its certainty, a float, and its family.
    for change in [32 + 16 + 3, 32 + 20] {
        assert_eq!(
            complaint(|bytes| bytes[change] = 0xFF)?,
            damaged("song 0: its groove label is impossible")
        );
    }
    // Where the second measure's hits begin.
    assert_eq!(
        complaint(|bytes| bytes[32 + 48 + 16 + 4] = 200)?,
        damaged("measure 1: it ends before it begins")
    );
    let text = Corpus::open(&PathBuf::from("/nowhere/x.lockstep"))
        .err()
        .map(|error| error.to_string());
    let expected =
        "cannot read the corpus file /nowhere/x.lockstep; make it with `cargo lab prepare`";
    assert_eq!(text.as_deref(), Some(expected));
    Ok(())
}

#[test]
fn no_damaged_byte_makes_a_view_panic() -> TestResult {
    let folder = Folder::new()?;
    write(&folder.file(), [record("a.mid", Split::Train)])?;
    let sound = fs::read(folder.file())?;
    for at in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= 0xFF;
        // A new file each time: a mapped file must not change.
        let path = folder.0.path().join(at.to_string());
        fs::write(&path, bytes)?;
        if let Ok(corpus) = Corpus::open(&path) {
            for idx in 0..corpus.n_songs() {
                let _ = SongRecord::from(corpus.song(idx));
            }
        }
    }
    Ok(())
}

#[test]
fn every_voice_of_the_kit_has_its_own_number() {
    let drums: Vec<Note> = Voice::ALL
        .iter()
        .map(|voice| note(0.0, 0.1, voice.gm_note(), 90))
        .collect();
    let measures = measures(&song(&[], &drums), PercussionMap::GeneralMidi).unwrap_or_default();
    let voices: Vec<u8> = measures[0].hits.iter().map(|hit| hit.voice).collect();
    assert_eq!(voices, (0..14).collect::<Vec<u8>>());
}

#[test]
fn a_hit_just_before_the_bar_line_belongs_to_the_next_measure() {
    let drums = [
        note(0.0, 0.1, 36, 100),
        note(3.95, 4.0, 36, 90),
        note(4.02, 4.1, 38, 80),
    ];
    let measures = measures(
        &song(&[note(3.9, 6.0, 40, 70)], &drums),
        PercussionMap::GeneralMidi,
    )
    .unwrap_or_default();
    assert_eq!(measures.len(), 2);
    assert_eq!(measures[0].hits, [hit(0, Voice::Kick, 100, 0)]);
    // A fifth of a step early is 51/254; 0.08 late is 20/254.
    assert_eq!(
        measures[1].hits,
        [hit(0, Voice::Kick, 90, -51), hit(0, Voice::Snare, 80, 20)]
    );
    assert_eq!(measures[1].bass.len(), 1);
    let bass = measures[1].bass[0];
    assert_eq!((bass.step_idx, bass.offset, bass.n_steps), (0, -102, 8));
}

#[test]
fn ties_go_to_the_even_step_and_only_the_loudest_hit_of_a_cell_stays() {
    let drums = [
        note(0.125, 0.2, 42, 10),
        note(0.375, 0.4, 42, 20),
        note(0.5, 0.6, 42, 30),
    ];
    let measures = measures(&song(&[], &drums), PercussionMap::GeneralMidi).unwrap_or_default();
    assert_eq!(
        measures[0].hits,
        [
            hit(0, Voice::ClosedHat, 10, 127),
            hit(2, Voice::ClosedHat, 30, 0)
        ]
    );
}

#[test]
fn meters_change_measure_by_measure_and_a_cut_measure_keeps_its_real_length() {
    let mut song = song(&[], &[note(0.0, 0.1, 36, 99), note(12.0, 12.1, 36, 99)]);
    song.tempos.push((Position::at(4.0), 90.0));
    song.meters = vec![
        (Position::START, signature(4, 4)),
        (Position::at(2.0), signature(4, 4)),
        (Position::at(4.0), signature(7, 8)),
        (Position::at(10.75), signature(3, 4)),
    ];
    let measures = measures(&song, PercussionMap::GeneralMidi).unwrap_or_default();
    let meters: Vec<_> = measures
        .iter()
        .map(|m| (m.meter.numerator(), m.meter.denominator()))
        .collect();
    assert_eq!(meters, [(4, 4), (7, 8), (13, 16), (3, 4)]);
    assert_eq!(measures[3].hits, [hit(5, Voice::Kick, 99, 0)]);
    assert!((measures[0].tempo_bpm - 120.0).abs() < 1e-6);
    assert!((measures[1].tempo_bpm - 90.0).abs() < 1e-6);
}

#[test]
fn songs_off_the_grid_are_refused_with_the_reason() {
    let drums = [note(0.0, 0.1, 36, 99), note(8.0, 8.1, 36, 99)];
    let refused = |meters: &[(Position, TimeSignature)], drums: &[Note]| {
        let mut song = song(&[], drums);
        song.meters = meters.to_vec();
        measures(&song, PercussionMap::GeneralMidi).err()
    };
    let odd = [(Position::START, signature(5, 32))];
    assert_eq!(refused(&odd, &drums), Some(RejectReason::Meter));
    let bar_line = [
        (Position::START, signature(4, 4)),
        (Position::at(4.1), signature(3, 4)),
    ];
    assert_eq!(refused(&bar_line, &drums), Some(RejectReason::BarLine));
    // After the last note a meter does not matter.
    let later = [
        (Position::START, signature(4, 4)),
        (Position::at(9.1), signature(5, 32)),
    ];
    assert_eq!(refused(&later, &drums), None);
    let common = [(Position::START, signature(4, 4))];
    let cowbell = [note(0.0, 1.0, 56, 99)];
    assert_eq!(refused(&common, &cowbell), Some(RejectReason::NoDrums));
    let tiny = [(Position::START, signature(1, 16))];
    let far = [note(300_000.0, 300_001.0, 36, 99)];
    assert_eq!(refused(&tiny, &far), Some(RejectReason::TooLong));
}

#[test]
fn the_td11_map_gives_voices_to_the_edges_of_an_electronic_kit() {
    for (key, voice) in [
        (22, Voice::ClosedHat),
        (26, Voice::OpenHat),
        (58, Voice::LowTom),
        (45, Voice::MidTom),
        (48, Voice::HighTom),
    ] {
        assert_eq!(PercussionMap::RolandTd11.voice(key), Some(voice));
        assert_ne!(PercussionMap::GeneralMidi.voice(key), Some(voice));
    }
    assert_eq!(PercussionMap::RolandTd11.voice(36), Some(Voice::Kick));
}

#[test]
fn a_source_that_repeats_itself_is_drawn_less() -> TestResult {
    let folder = Folder::new()?;
    let measure = |cells: u8| MeasureRecord {
        meter: Meter::COMMON,
        tempo_bpm: 120.0,
        swing: Swing::STRAIGHT,
        bass: Vec::new(),
        hits: (0..4)
            .filter(|bit| cells >> bit & 1 == 1)
            .map(|step| hit(step, Voice::Kick, 99, 0))
            .collect(),
    };
    let of = |source: &str, cells: &[u8]| SongRecord {
        source: source.to_owned(),
        measures: cells.iter().map(|cells| measure(*cells)).collect(),
        ..SongRecord::default()
    };
    // The empty measure does not count.
    let songs = [
        of("band", &[1, 2, 3, 4, 5, 6, 7, 8, 0]),
        of("loop", &[1, 1, 1, 1, 1, 1, 1, 1]),
    ];
    write(&folder.file(), songs)?;
    let corpus = Corpus::open(&folder.file())?;
    let mut repetition = Repetition::default();
    (0..2).for_each(|idx| repetition.add(corpus.song(idx)));
    assert_eq!(repetition.n_distinct("band"), 8);
    assert!((repetition.weight("band") - 1.0).abs() < 1e-6);
    // One in eight, of eight in sixteen.
    assert!((repetition.weight("loop") - 0.25).abs() < 1e-6);
    Ok(())
}

#[test]
fn copies_of_a_song_are_in_the_same_split() {
    let (a, b) = (record("a.mid", Split::Train), record("b.mid", Split::Train));
    assert_eq!(a.music_hash(), b.music_hash());
    let mut n_of = [0; 3];
    (0..1_000).for_each(|hash| n_of[Split::from_hash(hash) as usize] += 1);
    assert!(n_of[0] > 750 && n_of[1] > 70 && n_of[2] > 70, "{n_of:?}");
}
