//! Parameter changes that a VST3 host sends to the controller after `setProcessing(true)`.
//!
//! The framework (nice-plug 0.4.2) drops them, because the host should also pass them to the next process call. But a host in
//! that state may not be calling process: it may be about to start, or paused, and would then read old values and save them.
//! Applying changes at once would be wrong too: a host that plays automation shows the controller each value after the audio
//! has had it, and an old value must not come back. So a change waits for the next process call, which brings it or a newer
//! one; if no call comes, the change is applied here.
//!
//! A process call does nothing here but count itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nice_plug::prelude::ParamPtr;

use crate::params::{ParameterIdx, Parameters};

/// How long saving a state waits for the process call that should bring a change: the length of a block of 4,096 frames at
/// 44.1 kHz.
const PROCESS_TIMEOUT: Duration = Duration::from_millis(93);

/// Any rate will do: it only matters for smoothing, and no parameter is smoothed.
const ANY_RATE_HZ: f32 = 48_000.0;

/// The waiting changes of one instance.
#[derive(Debug)]
pub(super) struct PendingChanges {
    parameters: Parameters,
    by_id: HashMap<u32, ParameterIdx>,
    is_processing: AtomicBool,
    /// Process calls, modulo 2^32. The only thing that a process call writes.
    n_calls: AtomicU32,
    /// `n_calls` at the last `setProcessing`.
    n_before: AtomicU32,
    /// Changes from the controller; a process call never touches them.
    waiting: Mutex<Vec<PendingChange>>,
}

/// The value that a parameter is about to have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PendingValue {
    /// A switch, which the framework would show with values between off and on.
    Switch(bool),
    /// Anything else, in `[0, 1]`, not yet on one of its steps.
    Value(f32),
}

#[derive(Clone, Copy, Debug)]
struct PendingChange {
    at: ParameterIdx,
    /// In `[0, 1]`.
    value: f32,
    /// `n_calls` when it came; it stops waiting after one more call.
    n_calls: u32,
}

impl PendingChanges {
    /// Takes the instance's parameters and their host ids, in the same order.
    pub(super) fn new(parameters: Parameters, ids: impl IntoIterator<Item = u32>) -> Self {
        let indices = parameters.indices();
        Self {
            by_id: ids.into_iter().zip(indices).collect(),
            parameters,
            is_processing: AtomicBool::new(false),
            n_calls: AtomicU32::new(0),
            n_before: AtomicU32::new(0),
            waiting: Mutex::default(),
        }
    }

    /// Counts a process call; call it before the host's changes in that call are read.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub(super) fn count_call(&self) {
        self.n_calls.fetch_add(1, Ordering::AcqRel);
    }

    /// The host says whether it will process.
    ///
    /// # Realtime safety
    /// Never allocates, never waits: some hosts call it on the audio thread.
    pub(super) fn set_processing(&self, is_processing: bool) {
        let n_calls = self.n_calls.load(Ordering::Acquire);
        self.n_before.store(n_calls, Ordering::Release);
        self.is_processing.store(is_processing, Ordering::Release);
        // No process call will bring the waiting changes now. If the lock is taken, `await_process` applies them before the
        // next save.
        if let Ok(mut waiting) = self.waiting.try_lock() {
            self.make(&mut waiting);
        }
    }

    /// Takes a change to `value`, in `[0, 1]`; returns `false` if the framework should take it instead.
    pub(super) fn take(&self, id: u32, value: f64) -> bool {
        let Some(at) = self.by_id.get(&id).copied() else {
            return false;
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the framework's values are f32"
        )]
        let value = value as f32;
        let mut waiting = self.lock();
        waiting.retain(|change| change.at != at);
        if !self.is_processing.load(Ordering::Acquire) || !value.is_finite() {
            return false;
        }
        let n_calls = self.n_calls.load(Ordering::Acquire);
        waiting.push(PendingChange { at, value, n_calls });
        true
    }

    /// The value that a parameter is about to have, if a change is waiting.
    pub(super) fn waiting(&self, id: u32) -> Option<PendingValue> {
        let at = *self.by_id.get(&id)?;
        let mut waiting = self.lock();
        self.forget_brought(&mut waiting);
        let change = waiting.iter().find(|change| change.at == at)?;
        Some(match self.parameters.pointer(at) {
            ParamPtr::BoolParam(_) => PendingValue::Switch(change.value > 0.5),
            _ => PendingValue::Value(change.value),
        })
    }

    /// Drops waiting changes: a state being loaded sets the parameters now.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    /// Waits for a process call to bring the waiting changes, and applies them if none comes in time.
    pub(super) fn await_process(&self) {
        let begun = Instant::now();
        loop {
            let mut waiting = self.lock();
            self.forget_brought(&mut waiting);
            if waiting.is_empty() {
                return;
            }
            let is_late = begun.elapsed() >= PROCESS_TIMEOUT;
            if is_late || !self.has_begun() || !self.is_processing.load(Ordering::Acquire) {
                self.make(&mut waiting);
                return;
            }
            drop(waiting);
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether there has been a process call since the last `setProcessing`.
    fn has_begun(&self) -> bool {
        self.n_calls.load(Ordering::Acquire) != self.n_before.load(Ordering::Acquire)
    }

    fn make(&self, waiting: &mut Vec<PendingChange>) {
        self.forget_brought(waiting);
        for change in waiting.drain(..) {
            self.parameters.set(change.at, change.value, ANY_RATE_HZ);
        }
    }

    /// Drops changes that a process call has brought, or should have.
    fn forget_brought(&self, waiting: &mut Vec<PendingChange>) {
        let n_calls = self.n_calls.load(Ordering::Acquire);
        waiting.retain(|change| change.n_calls == n_calls);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PendingChange>> {
        // A poisoned lock still holds complete changes.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::LockstepParams;
    use std::sync::Arc;

    /// Changes whose parameter ids count from 0, and a function that reads the second parameter, *Density*.
    fn changes() -> (PendingChanges, impl Fn(&PendingChanges) -> f32) {
        let params = Arc::new(LockstepParams::default());
        let parameters = Parameters::new(Arc::clone(&params) as _);
        let ids = 0..u32::try_from(parameters.indices().count()).unwrap_or(u32::MAX);
        let density = move |_: &PendingChanges| params.density.overall.value();
        (PendingChanges::new(parameters, ids), density)
    }

    #[test]
    fn a_change_before_the_first_call_is_shown_at_once_and_applied_before_a_save() {
        let (changes, density) = changes();
        assert!(!changes.take(1, 0.25), "nothing is processed yet");
        let begun = Instant::now();
        for n in 0_u8..50 {
            let value = f32::from(n) / 50.0;
            changes.set_processing(true);
            assert!(changes.take(1, f64::from(value)) && !changes.take(9_999, 0.5));
            assert_eq!(changes.waiting(1), Some(PendingValue::Value(value)));
            changes.await_process();
            assert!((density(&changes) - value).abs() < 1e-6);
            changes.count_call();
            changes.set_processing(false);
        }
        assert!(
            begun.elapsed() < 40 * PROCESS_TIMEOUT,
            "saving must not wait for a call here"
        );
    }

    #[test]
    fn a_value_shown_after_the_audio_had_it_never_comes_back() {
        let (changes, density) = changes();
        changes.set_processing(true);
        changes.count_call();
        let before = density(&changes);
        assert!(changes.take(1, 0.125));
        assert_eq!(changes.waiting(1), Some(PendingValue::Value(0.125)));
        changes.count_call();
        assert_eq!(changes.waiting(1), None);
        changes.await_process();
        changes.set_processing(false);
        assert!((density(&changes) - before).abs() < 1e-6);
    }

    #[test]
    fn a_change_that_no_call_brings_is_applied_before_a_save_and_when_processing_ends() {
        for ends in [false, true] {
            let (changes, density) = changes();
            changes.set_processing(true);
            changes.count_call();
            assert!(changes.take(1, 0.5) && changes.take(1, 0.125));
            if ends {
                changes.set_processing(false);
            } else {
                changes.await_process();
            }
            assert!((density(&changes) - 0.125).abs() < 1e-6);
            assert_eq!(changes.waiting(1), None);
        }
    }

    #[test]
    fn loading_a_state_drops_waiting_changes() {
        let (changes, density) = changes();
        let before = density(&changes);
        changes.set_processing(true);
        assert!(changes.take(1, 0.125));
        changes.forget();
        assert_eq!(changes.waiting(1), None);
        changes.set_processing(false);
        assert!((density(&changes) - before).abs() < 1e-6);
    }

    #[test]
    fn values_that_are_not_finite_are_left_to_the_framework() {
        let (changes, _) = changes();
        changes.set_processing(true);
        assert!(!changes.take(1, f64::NAN) && !changes.take(1, f64::INFINITY));
    }
}
