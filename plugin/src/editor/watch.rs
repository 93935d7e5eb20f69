//! What the audio and the generator thread showed last, carried on to this very moment.

use std::sync::Arc;
use std::time::Instant;

use lockstep_core::representation::Voice;
use lockstep_engine::realtime::{Snapshot, Time};
use lockstep_engine::snapshots::SnapshotReceiver;

use super::lock::Lock;
use crate::drummers::StandIn;
use crate::generator::{Prediction, Status};

/// How long a snapshot is carried on: longer than any block, and a host that has stopped asking for blocks stands still soon.
const LONGEST_S: f64 = 0.25;

/// The newest snapshot and when it came.
#[derive(Debug)]
pub(super) struct Watch {
    seen: SnapshotReceiver,
    status: Arc<Status>,
    last: Snapshot,
    came: Instant,
    /// Whether the drummer has been seen to play.
    pub(super) has_begun: bool,
    /// How well the drums lock with the bass.
    pub(super) lock: Option<Lock>,
}

impl Watch {
    pub(super) fn new(seen: SnapshotReceiver, status: Arc<Status>) -> Self {
        Self {
            seen,
            status,
            last: Snapshot::default(),
            came: Instant::now(),
            has_begun: false,
            lock: None,
        }
    }

    /// Takes what has come.
    pub(super) fn look(&mut self) {
        if let Some(newest) = self.seen.newest() {
            self.last = newest;
            self.came = Instant::now();
            self.has_begun |= newest.time != Time::Resting;
            self.lock = Lock::of(&newest);
        }
    }

    /// What was seen last.
    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.last
    }

    /// Steps since the measure began, by now: a little more than the last snapshot says, and never beyond its end.
    pub(super) fn steps(&self) -> f64 {
        let since_s = self.came.elapsed().as_secs_f64().min(LONGEST_S);
        let beats = self.last.position.0 + since_s * self.last.tempo_bpm / 60.0;
        beats.min(self.last.meter.length().0) * 4.0
    }

    /// How the last prediction was made.
    pub(super) fn prediction(&self) -> Prediction {
        self.status.prediction()
    }

    /// Who plays in place of the drummer that was chosen, if anybody does.
    pub(super) fn stand_in(&self) -> Option<StandIn> {
        self.status.stand_in()
    }

    /// Whether a voice of the drummer's own take falls on a step of the window.
    pub(super) fn is_played(&self, step_idx: usize, voice: Voice) -> bool {
        let step = self.last.played.get(step_idx);
        step.is_some_and(|step| step[voice.index()] > 0.0)
    }
}
