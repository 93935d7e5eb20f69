//! Tells a person from a machine by how many parameters move.
//!
//! Hosts and validators that test a plugin set all its parameters at random and play random notes, which sooner or later hit
//! the control key that saves, again and again. But within [`WINDOW_S`] they move more parameters than a player turns or
//! automates. Then no file is written.
//!
//! Audio thread; after [`SweepDetector::new`] it never allocates, locks, waits, logs or does I/O.

use std::sync::Arc;

use crate::params::{LockstepParams, ParameterIdx, Parameters};

/// How far to look back, in seconds of played time.
const WINDOW_S: f64 = 10.0;

/// Most different parameters that a player and automation move in that time.
const MAX_MOVED: usize = 12;

/// Watches which parameters moved recently.
#[derive(Debug)]
pub struct SweepDetector {
    parameters: Parameters,
    knobs: Box<[Knob]>,
    /// Played time, in seconds.
    now_s: f64,
}

#[derive(Debug)]
struct Knob {
    at: ParameterIdx,
    /// In `[0, 1]`, as last seen.
    value: f32,
    /// When it last moved, in the time of `SweepDetector::now_s`.
    moved_s: f64,
}

impl SweepDetector {
    /// Starts from the current values. Changes before the first block count as moves in it, because a host under test makes
    /// them.
    pub fn new(params: &Arc<LockstepParams>) -> Self {
        let parameters = Parameters::new(Arc::clone(params) as _);
        let knobs = parameters.indices().map(|at| Knob {
            at,
            value: parameters.value(at),
            moved_s: f64::NEG_INFINITY,
        });
        Self {
            knobs: knobs.collect(),
            parameters,
            now_s: 0.0,
        }
    }

    /// Checks the parameters; call it once per block, with its length in seconds.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn update(&mut self, block_s: f64) {
        for knob in &mut self.knobs {
            let value = self.parameters.value(knob.at);
            if value.to_bits() != knob.value.to_bits() {
                knob.value = value;
                knob.moved_s = self.now_s;
            }
        }
        self.now_s += block_s;
    }

    /// Whether more parameters moved recently than a person moves.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn is_sweeping(&self) -> bool {
        let since = self.now_s - WINDOW_S;
        let moved = self.knobs.iter().filter(|knob| knob.moved_s > since);
        moved.count() > MAX_MOVED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK_S: f64 = 0.01;

    struct Desk {
        parameters: Parameters,
        sweep_detector: SweepDetector,
    }

    impl Desk {
        fn new() -> Self {
            let params = Arc::new(LockstepParams::default());
            Self {
                parameters: Parameters::new(Arc::clone(&params) as _),
                sweep_detector: SweepDetector::new(&params),
            }
        }

        /// Moves the first parameters, and lets time pass.
        fn turn(&mut self, n_knobs: usize, pass_s: f64) {
            for at in self.parameters.indices().take(n_knobs) {
                let value = self.parameters.value(at);
                let to = if value > 0.5 { 0.0 } else { 1.0 };
                self.parameters.set(at, to, 48_000.0);
            }
            let mut left_s = pass_s;
            while left_s > 0.0 {
                self.sweep_detector.update(BLOCK_S);
                left_s -= BLOCK_S;
            }
        }
    }

    #[test]
    fn twelve_moving_parameters_are_no_sweep_and_thirteen_are() {
        let mut desk = Desk::new();
        assert!(!desk.sweep_detector.is_sweeping());
        for _ in 0..100 {
            desk.turn(MAX_MOVED, 0.1);
            assert!(!desk.sweep_detector.is_sweeping());
        }
        desk.turn(MAX_MOVED + 1, 0.1);
        assert!(desk.sweep_detector.is_sweeping());
    }

    #[test]
    fn a_sweep_is_over_when_the_parameters_have_rested() {
        let mut desk = Desk::new();
        desk.turn(40, WINDOW_S - 0.1);
        assert!(desk.sweep_detector.is_sweeping());
        desk.turn(0, 0.2);
        assert!(!desk.sweep_detector.is_sweeping());
    }

    #[test]
    fn changes_before_the_first_block_count_as_moves() {
        let mut desk = Desk::new();
        desk.turn(40, BLOCK_S);
        assert!(desk.sweep_detector.is_sweeping());
    }
}
