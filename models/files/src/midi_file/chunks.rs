//! The envelope of a Standard MIDI File: its header and its chunks.
//!
//! Read here rather than by midly, which silently skips chunks that are cut off or unreadable.

use super::MidiFileError;

/// Ticks per quarter note, and the bytes after the header.
pub(super) fn header(bytes: &[u8]) -> Result<(u16, &[u8]), MidiFileError> {
    let mut rest = bytes;
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"RMID") {
        // A MIDI file in a RIFF envelope: the RIFF chunks after it are skipped as unknown.
        let begin = bytes.windows(4).take(4096).position(|id| id == b"MThd");
        rest = begin.map_or(&[][..], |at| &bytes[at..]);
    }
    if !rest.starts_with(b"MThd") {
        return Err(MidiFileError::NotMidi);
    }
    let truncated = || MidiFileError::Truncated {
        place: "the header".to_owned(),
    };
    let chunk = next_chunk(&mut rest).ok_or_else(truncated)?;
    let &[f0, f1, _, _, d0, d1, ..] = chunk.data else {
        return Err(truncated());
    };
    match (u16::from_be_bytes([f0, f1]), u16::from_be_bytes([d0, d1])) {
        (got @ 2.., _) => Err(MidiFileError::Format { got }),
        (_, 0) => Err(MidiFileError::ZeroDivision),
        (_, 0x8000..) => Err(MidiFileError::Smpte),
        (_, division) => Ok((division, rest)),
    }
}

/// A piece of the file with its four-letter id.
pub(super) struct Chunk<'a> {
    pub(super) id: [u8; 4],
    pub(super) data: &'a [u8],
    /// Whether the file ends before the chunk does.
    pub(super) is_cut_off: bool,
}

/// The next chunk; `None` at the end or if fewer bytes are left than a chunk's header has.
pub(super) fn next_chunk<'a>(rest: &mut &'a [u8]) -> Option<Chunk<'a>> {
    let (&[i0, i1, i2, i3, l0, l1, l2, l3], body) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
    let (data, after) = body.split_at(length.min(body.len()));
    *rest = after;
    Some(Chunk {
        id: [i0, i1, i2, i3],
        data,
        is_cut_off: data.len() < length,
    })
}

/// Skips a meta event that midly rejects for its length (a key signature of one byte, a frame offset out of range); none of
/// these matter here. Returns its delta and the bytes after it, or `None` if there is no complete meta event.
pub(super) fn skip_meta(data: &[u8]) -> Option<(u32, &[u8])> {
    let (delta, rest) = varlen(data)?;
    let (&[0xFF, _], rest) = rest.split_first_chunk::<2>()? else {
        return None;
    };
    let (length, rest) = varlen(rest)?;
    Some((delta, rest.get(usize::try_from(length).ok()?..)?))
}

/// A number of one to four bytes, seven bits each, and the bytes after it.
fn varlen(data: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0;
    for (index, byte) in data.iter().take(4).enumerate() {
        value = value << 7 | u32::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Some((value, &data[index + 1..]));
        }
    }
    None
}
