//! The newest data from the audio and generator threads, with the position extrapolated to now.

use std::sync::Arc;
use std::time::Instant;

use lockstep_core::representation::{Length, Voice};
use lockstep_engine::realtime::{ClockSource, Snapshot};
use lockstep_engine::snapshots::SnapshotReceiver;

use super::lock::Lock;
use crate::drummers::Substitute;
use crate::generator::{GeneratorStatus, Prediction};

/// How long a position is extrapolated, in seconds: longer than any block, yet the playhead soon stops when the host does.
const LONGEST_S: f64 = 0.25;

/// The newest snapshot and when it arrived.
#[derive(Debug)]
pub(super) struct Monitor {
    seen: SnapshotReceiver,
    status: Arc<GeneratorStatus>,
    last: Snapshot,
    arrived: Instant,
    /// Whether a snapshot has shown the clock running.
    pub(super) has_begun: bool,
    /// How well the drums lock with the bass.
    pub(super) lock: Option<Lock>,
}

impl Monitor {
    pub(super) fn new(seen: SnapshotReceiver, status: Arc<GeneratorStatus>) -> Self {
        Self {
            seen,
            status,
            last: Snapshot::default(),
            arrived: Instant::now(),
            has_begun: false,
            lock: None,
        }
    }

    /// Takes the newest snapshot, if one has arrived.
    pub(super) fn poll(&mut self) {
        if let Some(newest) = self.seen.newest() {
            self.last = newest;
            self.arrived = Instant::now();
            self.has_begun |= newest.time != ClockSource::Resting;
            self.lock = Lock::of(&newest);
        }
    }

    /// The last snapshot.
    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.last
    }

    /// Steps since the measure began, extrapolated to now and never past its end.
    pub(super) fn steps(&self) -> f64 {
        let since_s = self.arrived.elapsed().as_secs_f64().min(LONGEST_S);
        let elapsed = self.last.elapsed + Length::of_seconds(since_s, self.last.tempo_bpm);
        elapsed.min(self.last.meter.length()).steps()
    }

    /// How the last prediction was made.
    pub(super) fn prediction(&self) -> Prediction {
        self.status.prediction()
    }

    /// What plays in place of the chosen drummer, if it cannot play.
    pub(super) fn substitute(&self) -> Option<Substitute> {
        self.status.substitute()
    }

    /// Whether the plan, as the drummer made it, has a hit of this voice at a step of the window.
    pub(super) fn is_played(&self, step_idx: usize, voice: Voice) -> bool {
        let step = self.last.played.get(step_idx);
        step.is_some_and(|step| step[voice.index()] > 0.0)
    }
}
