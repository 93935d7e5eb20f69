//! The rule groove: drums made from the bass onsets alone, without a network.
//!
//! The last fallback for a late plan, and the drummer when weights cannot be loaded. Never allocates, so the audio thread may
//! call [`groove`].

use crate::generator::{Generator, PredictError, Request};
use crate::representation::{Hit, HitMap, Meter, Presence, Voice, WINDOW_STEPS, Window};

/// Answers every request with [`groove`].
#[derive(Clone, Copy, Debug, Default)]
pub struct RuleGroove;

impl Generator for RuleGroove {
    fn name(&self) -> &'static str {
        "rule"
    }

    fn voices(&self) -> &'static [Voice] {
        &[Voice::Kick, Voice::Snare, Voice::ClosedHat]
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        Ok(groove(&request.window, request.meter))
    }
}

/// A groove for the next measure: the kick follows the onsets of the last measure, the snare keeps the backbeat, the closed
/// hat the eighths; higher densities add the bass's weaker onsets, then sixteenths.
///
/// Weaker steps have lower presence, so a lower density drops the ornaments first.
///
/// ```
/// use lockstep_core::representation::{Meter, Onset, Voice, WINDOW_STEPS, Window};
/// use lockstep_core::rule::groove;
///
/// let mut window = Window::default();
/// window.begin(WINDOW_STEPS - 16, Onset::new(40, 0.8));
/// let hits = groove(&window, Meter::COMMON);
/// assert!(hits.hit(0, Voice::Kick).presence().sounds_at(0.5));
/// ```
///
/// # Realtime safety
/// Never allocates.
pub fn groove(window: &Window, meter: Meter) -> HitMap {
    let n_steps = meter.n_steps();
    let beat = match meter.denominator() {
        8 if meter.numerator().is_multiple_of(3) => 6,
        8 | 16 => 2,
        _ => 4,
    };
    let mut hits = HitMap::default();
    let mut put = |step_idx, voice, presence, velocity| {
        if let Some(hit) = Presence::new(presence).and_then(|p| Hit::new(p, velocity, 0.0)) {
            hits.set(step_idx, voice, hit);
        }
    };
    for step_idx in 0..n_steps {
        let on_beat = step_idx % beat == 0;
        let has_onset = (WINDOW_STEPS + step_idx)
            .checked_sub(n_steps)
            .is_some_and(|row| !window.onsets(row).is_empty());
        let backbeat = on_beat && step_idx / beat % 2 == 1;
        match (has_onset, step_idx) {
            (_, 0) => put(step_idx, Voice::Kick, 0.95, 0.85),
            (true, _) if backbeat => put(step_idx, Voice::Kick, 0.35, 0.6),
            (true, _) if step_idx % 2 == 0 => put(step_idx, Voice::Kick, 0.75, 0.75),
            (true, _) => put(step_idx, Voice::Kick, 0.55, 0.65),
            (false, _) => {}
        }
        if backbeat {
            put(step_idx, Voice::Snare, 0.9, 0.8);
        }
        match (on_beat, step_idx % 2) {
            (true, _) => put(step_idx, Voice::ClosedHat, 0.85, 0.65),
            (false, 0) => put(step_idx, Voice::ClosedHat, 0.65, 0.5),
            (false, _) => put(step_idx, Voice::ClosedHat, 0.3, 0.35),
        }
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::representation::Onset;

    fn kicks(bass_steps: &[usize]) -> Vec<usize> {
        let mut window = Window::default();
        for step_idx in bass_steps {
            window.begin(48 + step_idx, Onset::new(33, 0.8));
        }
        let hits = groove(&window, Meter::COMMON);
        (0..16)
            .filter(|&s| hits.hit(s, Voice::Kick).presence().sounds_at(0.5))
            .collect()
    }

    #[test]
    fn the_kick_plays_with_the_bass() {
        assert_eq!(kicks(&[0, 3, 6, 10]), [0, 3, 6, 10]);
        assert_eq!(kicks(&[0, 8]), [0, 8]);
    }

    #[test]
    fn every_common_meter_has_a_backbeat() {
        for (n, d, snares) in [
            (4, 4, vec![4, 12]),
            (3, 4, vec![4]),
            (6, 8, vec![6]),
            (7, 8, vec![2, 6, 10]),
        ] {
            let meter = Meter::new(n, d).unwrap_or_default();
            let hits = groove(&Window::default(), meter);
            let played: Vec<_> = (0..meter.n_steps())
                .filter(|&s| hits.hit(s, Voice::Snare).presence().sounds_at(0.5))
                .collect();
            assert_eq!(played, snares, "{n}/{d}");
        }
    }
}
