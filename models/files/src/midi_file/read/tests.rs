//! Tests with files as other programs write them, and with broken files.

use lockstep_core::representation::Meter;
use proptest::prelude::*;

use super::*;
use crate::midi_file::write;

/// A file of one track whose events are given with their deltas, at 96 ticks per beat.
fn file(track: &[u8]) -> Vec<u8> {
    let mut bytes = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk".to_vec();
    bytes.extend(u32::try_from(track.len()).unwrap_or_default().to_be_bytes());
    bytes.extend(track);
    bytes
}

fn bass_of(track: &[u8]) -> Vec<(f64, f64, u8)> {
    let song = read(&file(track), Pick::default()).unwrap_or_default();
    song.bass
        .iter()
        .map(|n| (n.start.beats(), n.end.beats(), n.key))
        .collect()
}

const END: [u8; 4] = [0x00, 0xFF, 0x2F, 0x00];

#[test]
fn running_status_and_silent_note_ons_are_understood() {
    let track = [
        &[0, 0x90, 40, 100, 96, 40, 0, 0, 43, 90, 48, 43, 0][..],
        &END,
    ]
    .concat();
    assert_eq!(bass_of(&track), [(0.0, 1.0, 40), (1.0, 1.5, 43)]);
}

#[test]
fn running_status_survives_a_meta_event() {
    let track = [
        &[0, 0x90, 40, 100, 0, 0xFF, 1, 1, b'x', 96, 40, 0][..],
        &END,
    ]
    .concat();
    assert_eq!(bass_of(&track), [(0.0, 1.0, 40)]);
}

#[test]
fn a_broken_meta_event_is_skipped() {
    let key_signature = [96, 0xFF, 0x59, 1, 0];
    let track = [&key_signature[..], &[0, 0x90, 40, 100, 96, 40, 0], &END].concat();
    assert_eq!(bass_of(&track), [(1.0, 2.0, 40)]);
}

#[test]
fn a_note_without_an_end_lasts_until_the_next_on_its_key_or_the_end_of_the_track() {
    let track = [&[0, 0x90, 40, 100, 96, 40, 100][..], &[96, 0xFF, 0x2F, 0]].concat();
    assert_eq!(bass_of(&track), [(0.0, 1.0, 40), (1.0, 2.0, 40)]);
}

#[test]
fn a_note_off_written_after_the_next_note_on_ends_the_older_note() {
    let track = [
        &[0, 0x90, 40, 100, 96, 40, 100, 0, 40, 0, 96, 40, 0][..],
        &END,
    ]
    .concat();
    assert_eq!(bass_of(&track), [(0.0, 1.0, 40), (1.0, 2.0, 40)]);
}

#[test]
fn a_note_of_no_length_gets_the_shortest_length() {
    let track = [&[0, 0x90, 40, 100, 0, 40, 0][..], &END].concat();
    assert_eq!(bass_of(&track), [(0.0, SHORTEST_NOTE.beats(), 40)]);
}

#[test]
fn tempos_and_meters_are_read_and_absurd_tempos_clamped() {
    let track = [
        &[
            0, 0xFF, 0x51, 3, 0x09, 0x27, 0xC0, 0, 0xFF, 0x58, 4, 7, 3, 24, 8,
        ][..],
        &[96, 0xFF, 0x51, 3, 0, 0, 0, 0, 0xFF, 0x51, 3, 0, 0, 1][..],
        &[0, 0xFF, 0x58, 4, 3, 9, 24, 8, 0, 0x90, 40, 100, 96, 40, 0],
        &END,
    ]
    .concat();
    let song = read(&file(&track), Pick::default()).unwrap_or_default();
    assert_eq!(
        song.tempos,
        [(Position::START, 100.0), (Position::at(1.0), 1_000.0)]
    );
    assert_eq!(
        song.meter_at(Position::at(0.5)).map(Meter::n_steps),
        Some(14)
    );
    assert_eq!(song.meter_at(Position::at(1.0)), None);
}

#[test]
fn every_kind_of_wrong_file_has_its_own_error() {
    let good = file(&[&[0, 0x90, 40, 100, 96, 40, 0][..], &END].concat());
    let with = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        read(&file, Pick::default())
    };
    let track = |events: &[u8]| read(&file(events), Pick::default());
    assert!(with(0, b"MThd").is_ok());
    assert_eq!(with(0, b"RIFX"), Err(MidiFileError::NotMidi));
    assert_eq!(read(b"", Pick::default()), Err(MidiFileError::NotMidi));
    assert_eq!(with(9, &[2]), Err(MidiFileError::Format { got: 2 }));
    assert_eq!(with(12, &[0, 0]), Err(MidiFileError::ZeroDivision));
    // 0x80 is a frame rate that makes midly itself fail.
    assert_eq!(with(12, &[0x80, 4]), Err(MidiFileError::Smpte));
    let place = "track 1".to_owned();
    assert_eq!(
        read(&good[..good.len() - 3], Pick::default()),
        Err(MidiFileError::Truncated { place })
    );
    assert_eq!(track(&END), Err(MidiFileError::NoNotes));
    assert_eq!(track(&[]), Err(MidiFileError::NoNotes));
    assert_eq!(track(&[0, 0x99, 36, 100]), Err(MidiFileError::NoBass));
    let bad = MidiFileError::BadEvent {
        track: 1,
        at_byte: 4,
    };
    assert_eq!(track(&[0, 0x90, 36, 100, 0, 0xF4, 0]), Err(bad));
    let far = [0xFF, 0xFF, 0xFF, 0x7F, 0x90, 36, 100];
    assert!(matches!(track(&far), Err(MidiFileError::TooLong { .. })));
    // 350,000 beats at 3.6 BPM: fewer than the limit, but months of music.
    let slow = [
        &[0, 0xFF, 0x51, 3, 255, 255, 255][..],
        &[0x90, 0x80, 0x80, 0, 0x90, 36, 100],
    ]
    .concat();
    assert!(matches!(track(&slow), Err(MidiFileError::TooLong { .. })));
}

fn small_song() -> Vec<u8> {
    let note = |i: u8| Note {
        start: Position::at(f64::from(i)),
        end: Position::at(f64::from(i) + 0.5),
        key: 30 + i,
        velocity: 90,
    };
    write(&Song {
        bass: (0..20).map(note).collect(),
        drums: (0..20).map(note).collect(),
        ..Song::default()
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, Pick::default());
        let _ = read(&file(&bytes), Pick::default());
    }

    #[test]
    fn no_damage_makes_it_panic(
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        keep in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = small_song();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read(&bytes, Pick::default());
        let keep = keep.index(bytes.len());
        let _ = read(&bytes[..keep], Pick::default());
    }
}

#[test]
fn drums_alone_are_a_song_if_no_bass_is_required() {
    let bytes = file(&[&[0, 0x99, 36, 100, 96, 36, 0][..], &END].concat());
    assert_eq!(
        read(&bytes, Pick::default()),
        Err(MidiFileError::NoBass),
        "jam needs a bass"
    );
    let song = read_with_or_without_bass(&bytes).unwrap_or_default();
    assert_eq!((song.bass.len(), song.drums.len()), (0, 1));
    assert_eq!(song.bass_part, "");
    assert_eq!(
        read_with_or_without_bass(&file(&END)),
        Err(MidiFileError::NoNotes)
    );
}
