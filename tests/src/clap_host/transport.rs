//! What the CLAP host tells the plugin about time.

use clack_host::events::event_types::{TransportEvent, TransportFlags};
use clack_host::events::{EventFlags, EventHeader};

use crate::{Block, TimeInfo};

/// The transport event for the first frame of a block.
pub(super) fn transport(time_info: TimeInfo, block: &Block) -> Option<TransportEvent> {
    let (numerator, denominator) = block.meter;
    let mut flags = match time_info {
        TimeInfo::Everything => {
            TransportFlags::HAS_TEMPO
                | TransportFlags::HAS_BEATS_TIMELINE
                | TransportFlags::HAS_TIME_SIGNATURE
        }
        TimeInfo::BeatsAndTempo => TransportFlags::HAS_TEMPO | TransportFlags::HAS_BEATS_TIMELINE,
        TimeInfo::Beats => TransportFlags::HAS_BEATS_TIMELINE,
        TimeInfo::SecondsAndTempo => {
            TransportFlags::HAS_TEMPO | TransportFlags::HAS_SECONDS_TIMELINE
        }
        TimeInfo::Seconds => TransportFlags::HAS_SECONDS_TIMELINE,
        TimeInfo::Nothing => return None,
    };
    flags.set(TransportFlags::IS_PLAYING, block.is_playing);
    let has = |flag, value| if flags.contains(flag) { value } else { 0.0 };
    let measure_start = has(
        TransportFlags::HAS_TIME_SIGNATURE,
        block.measure_start_beats,
    );
    Some(TransportEvent {
        header: EventHeader::new_core(0, EventFlags::empty()),
        flags,
        song_pos_beats: has(TransportFlags::HAS_BEATS_TIMELINE, block.beats).into(),
        // As if the tempo had never changed.
        song_pos_seconds: has(
            TransportFlags::HAS_SECONDS_TIMELINE,
            block.beats * 60.0 / block.tempo_bpm,
        )
        .into(),
        tempo: has(TransportFlags::HAS_TEMPO, block.tempo_bpm),
        tempo_inc: 0.0,
        loop_start_beats: 0.0.into(),
        loop_end_beats: 0.0.into(),
        loop_start_seconds: 0.0.into(),
        loop_end_seconds: 0.0.into(),
        bar_start: measure_start.into(),
        // Unused by the plugin, and unknown where the meter changes.
        bar_number: 0,
        time_signature_numerator: numerator,
        time_signature_denominator: denominator,
    })
}
