//! Writes a song as bytes.

use lockstep_core::representation::Position;
use midly::num::{u4, u7, u15, u24, u28};
use midly::{
    Format, Header, MetaMessage, MidiMessage, Smf, Timing, Track, TrackEvent, TrackEventKind,
};

use super::choose::DRUM_CHANNEL;
use super::{BPM_RANGE, Note, Song};

/// Ticks per quarter note in written files.
pub const PPQ: u16 = 480;

/// Fingered electric bass of General MIDI, counted from 0.
const BASS_PROGRAM: u8 = 33;

/// The bytes of a Standard MIDI File, format 1, [`PPQ`] ticks per quarter note.
///
/// First track: tempos and meters; then "Bass" (channel 1, fingered bass) and "Drums" (channel 10), even if they have no
/// notes. Positions are rounded to the nearest tick, and every note lasts at least one tick. If two notes of one key overlap,
/// the older ends when the newer begins; of two that begin together only the louder is written.
pub fn write(song: &Song) -> Vec<u8> {
    write_on(song, |key| (DRUM_CHANNEL, key))
}

/// Like [`write()`], with the drums on other notes: `drum_key` maps a General MIDI key to a channel (counted from 0) and key.
pub fn write_on(song: &Song, drum_key: impl Fn(u8) -> (u8, u8)) -> Vec<u8> {
    let header = Header::new(Format::Parallel, Timing::Metrical(u15::new(PPQ)));
    let mut smf = Smf::new(header);
    smf.tracks.push(conductor(song));
    let program = MidiMessage::ProgramChange {
        program: u7::new(BASS_PROGRAM),
    };
    let bass = vec![name(b"Bass"), midi(0, 0, program)];
    smf.tracks.push(track(bass, &song.bass, |key| (0, key)));
    smf.tracks
        .push(track(vec![name(b"Drums")], &song.drums, drum_key));
    let mut bytes = Vec::new();
    // Writing to a vector cannot fail, and three tracks of short events stay within the format's limits.
    let _: Result<(), _> = smf.write(&mut bytes);
    bytes
}

/// An event, its tick, and its rank among those of the same tick.
type TimedEvent<'a> = (u32, u8, TrackEventKind<'a>);

fn conductor(song: &Song) -> Track<'static> {
    let tempos = song.tempos.iter().map(|&(at, bpm)| {
        let us_per_beat = round(60_000_000.0 / bpm.clamp(BPM_RANGE.0, BPM_RANGE.1));
        meta(
            tick(at),
            MetaMessage::Tempo(u24::from_int_lossy(us_per_beat.min(0xFF_FFFF))),
        )
    });
    let meters = song.meters.iter().map(|&(at, signature)| {
        let power = u8::try_from(signature.denominator.max(1).ilog2()).unwrap_or_default();
        // The usual values: 24 MIDI clocks per metronome click, 8 thirty-second notes per quarter note.
        meta(
            tick(at),
            MetaMessage::TimeSignature(signature.numerator, power, 24, 8),
        )
    });
    finish(tempos.chain(meters).collect())
}

fn track<'a>(
    mut events: Vec<TimedEvent<'a>>,
    notes: &[Note],
    on: impl Fn(u8) -> (u8, u8),
) -> Track<'a> {
    let mut spans: Vec<((u8, u8), u32, u32, u8)> = notes
        .iter()
        .map(|note| {
            let start = tick(note.start);
            let velocity = note.velocity.clamp(1, 127);
            let (channel, key) = on(note.key);
            (
                (channel & 15, key.min(127)),
                start,
                tick(note.end).max(start + 1),
                velocity,
            )
        })
        .collect();
    // By key and start, the loudest first, which is kept.
    spans.sort_by_key(|&(key, start, _, velocity)| (key, start, 127 - velocity));
    spans.dedup_by_key(|&mut (key, start, ..)| (key, start));
    for index in 0..spans.len() {
        let (key, start, end, velocity) = spans[index];
        let end = match spans.get(index + 1) {
            Some(&(next_key, next_start, ..)) if next_key == key => end.min(next_start),
            _ => end,
        };
        let (channel, key) = key;
        let (key, vel) = (u7::new(key), u7::new(velocity));
        events.push(midi(start, channel, MidiMessage::NoteOn { key, vel }));
        let vel = u7::new(64);
        events.push(midi(end, channel, MidiMessage::NoteOff { key, vel }));
    }
    finish(events)
}

/// Puts events in order, note-offs before note-ons, and ends the track.
fn finish(mut events: Vec<TimedEvent<'_>>) -> Track<'_> {
    events.sort_by_key(|&(tick, rank, _)| (tick, rank));
    let mut last = 0;
    let mut track: Track<'_> = events
        .into_iter()
        .map(|(tick, _, kind)| {
            let delta = u28::from_int_lossy(tick - last);
            last = tick;
            TrackEvent { delta, kind }
        })
        .collect();
    track.push(TrackEvent {
        delta: u28::new(0),
        kind: TrackEventKind::Meta(MetaMessage::EndOfTrack),
    });
    track
}

fn name(text: &[u8]) -> TimedEvent<'_> {
    meta(0, MetaMessage::TrackName(text))
}

fn meta(tick: u32, message: MetaMessage<'_>) -> TimedEvent<'_> {
    (tick, 0, TrackEventKind::Meta(message))
}

fn midi<'a>(tick: u32, channel: u8, message: MidiMessage) -> TimedEvent<'a> {
    let rank = match message {
        MidiMessage::ProgramChange { .. } => 1,
        MidiMessage::NoteOff { .. } => 2,
        _ => 3,
    };
    let channel = u4::new(channel);
    (tick, rank, TrackEventKind::Midi { channel, message })
}

/// The nearest tick, clamped to the format's 28 bits.
fn tick(at: Position) -> u32 {
    round(at.beats() * f64::from(PPQ)).min(0x0FFF_FFFE)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and turns NaN into 0"
)]
fn round(value: f64) -> u32 {
    value.round() as u32
}

#[cfg(test)]
mod tests {
    use super::super::{Pick, TimeSignature, read};
    use super::*;
    use proptest::prelude::*;

    fn note(start: f64, end: f64, key: u8, velocity: u8) -> Note {
        Note {
            start: Position::at(start),
            end: Position::at(end),
            key,
            velocity,
        }
    }

    fn reread(song: &Song) -> Song {
        read(&write(song), Pick::default()).unwrap_or_default()
    }

    #[test]
    fn a_written_song_is_read_back_with_its_parts_tempos_and_meters() {
        let song = Song {
            bass: vec![note(0.0, 1.0, 33, 100), note(1.0, 1.5, 33, 90)],
            drums: vec![note(0.0, 0.25, 36, 127), note(0.0, 0.25, 42, 1)],
            tempos: vec![(Position::START, 100.0), (Position::at(8.0), 150.0)],
            meters: vec![
                (
                    Position::START,
                    TimeSignature {
                        numerator: 7,
                        denominator: 8,
                    },
                ),
                (Position::at(7.0), TimeSignature::COMMON),
            ],
            bass_part: "track 2 \"Bass\", channel 1".to_owned(),
            end: Position::at(1.5),
        };
        assert_eq!(reread(&song), song);
    }

    #[test]
    fn drums_are_written_on_the_notes_of_a_map() {
        let song = Song {
            drums: vec![note(0.0, 0.25, 36, 100), note(0.0, 0.25, 38, 90)],
            ..Song::default()
        };
        let on = |key| if key == 36 { (3, 60) } else { (4, 61) };
        let bytes = write_on(&song, on);
        let has = |status: u8, key: u8, velocity: u8| {
            bytes
                .windows(3)
                .any(|window| window == [status, key, velocity])
        };
        assert!(has(0x93, 60, 100) && has(0x94, 61, 90));
        assert!(has(0x83, 60, 64) && has(0x84, 61, 64));
    }

    #[test]
    fn overlapping_notes_of_one_key_follow_each_other() {
        let song = Song {
            bass: vec![
                note(0.0, 4.0, 33, 60),
                note(2.0, 6.0, 33, 90),
                note(2.0, 3.0, 33, 80),
            ],
            ..Song::default()
        };
        assert_eq!(
            reread(&song).bass,
            [note(0.0, 2.0, 33, 60), note(2.0, 6.0, 33, 90)]
        );
    }

    #[test]
    fn positions_out_of_the_files_range_are_clamped() {
        let song = Song {
            bass: vec![
                note(-1.0, f64::NAN, 33, 0),
                note(1e300, f64::INFINITY, 200, 255),
            ],
            ..Song::default()
        };
        assert!(
            read(&write(&song), Pick::default()).is_err(),
            "too long, but a file"
        );
    }

    proptest! {
        #[test]
        fn writing_and_reading_keeps_notes_within_half_a_tick(
            lengths in proptest::collection::vec((0.01_f64..3.0, 0.01_f64..3.0, 0_u8..128, 1_u8..128), 1..40),
        ) {
            let mut at = 0.0;
            let bass: Vec<Note> = lengths
                .iter()
                .map(|&(gap, length, key, velocity)| {
                    let start = at + gap;
                    at = start + length;
                    note(start, at, key, velocity)
                })
                .collect();
            let song = Song { drums: bass.clone(), bass, ..Song::default() };
            let read = reread(&song);
            for (before, after) in [(&song.bass, &read.bass), (&song.drums, &read.drums)] {
                prop_assert_eq!(before.len(), after.len());
                for (a, b) in before.iter().zip(after) {
                    let half_a_tick = 0.5 / f64::from(PPQ) + 1e-9;
                    prop_assert!((a.start - b.start).beats().abs() <= half_a_tick);
                    prop_assert!((a.end - b.end).beats().abs() <= half_a_tick);
                    prop_assert_eq!((a.key, a.velocity), (b.key, b.velocity));
                }
            }
        }
    }
}
