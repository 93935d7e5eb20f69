//! What can happen inside a block, and in which order.

use lockstep_core::representation::Voice;

use super::Performer;
use super::block::{BassEvent, Block, FrameOffset};
use super::clock::Timeline;
use super::measure::Tick;

impl Performer {
    /// The earliest thing still to happen in the timeline; at the same frame, the first in [`BlockEvent`]'s order.
    pub(super) fn next_event(
        &self,
        timeline: &Timeline,
        block: &Block<'_>,
        bass: Option<&BassEvent>,
    ) -> Option<(FrameOffset, BlockEvent)> {
        let tick = timeline.frame_of(self.measure.tick_at()).map(|frame| {
            let is_close = matches!(self.measure.tick(), Tick::Close(_));
            (
                frame,
                if is_close {
                    BlockEvent::Close
                } else {
                    BlockEvent::Step
                },
            )
        });
        let bass = bass
            .map(|event| (frame_in(block, *event), BlockEvent::Bass))
            .filter(|(frame, _)| *frame < timeline.end);
        let end = self
            .gates
            .next_off(timeline.end.0)
            .map(|(frame, voice)| (frame, BlockEvent::End(voice)));
        let hit = self.score.peek().and_then(|hit| {
            let at = self.measure.start + hit.since_start();
            Some((timeline.frame_of(at)?, BlockEvent::Hit))
        });
        [tick, bass, end, hit]
            .into_iter()
            .flatten()
            .min_by_key(|(frame, what)| (*frame, what.order()))
    }
}

/// What can happen inside a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockEvent {
    /// A step's cell closes: before the bass, because a note halfway between two steps belongs to the later one.
    Close,
    /// The bassist does something: before the step, because a note that ends on a step does not sound through it.
    Bass,
    /// A drum note ends.
    End(Voice),
    /// A hit is due: before the step, because the hits still in the score belong to the measure that ends.
    Hit,
    /// A step or measure begins.
    Step,
}

impl BlockEvent {
    /// Rank among things at the same frame; the lowest goes first.
    fn order(self) -> u8 {
        match self {
            Self::Close => 0,
            Self::Bass => 1,
            Self::End(_) => 2,
            Self::Hit => 3,
            Self::Step => 4,
        }
    }
}

/// When a bass event happens, moved into its block.
pub(super) fn frame_in(block: &Block<'_>, event: BassEvent) -> FrameOffset {
    event
        .frame
        .min(FrameOffset(block.n_frames.saturating_sub(1)))
}
