//! Baselines: drummers that need no network, and that show what a figure of a network's is worth.
//!
//! Three rules are here; [`Marginal`] and [`Nearest`] learn from measures, each given as a [`Lesson`]. The sixth, the rule
//! groove, is in [`rule`], because the plugin plays it too.

mod marginal;
mod nearest;

pub use marginal::Marginal;
pub use nearest::Nearest;

use lockstep_core::generator::{Generator, PredictError, Request};
use lockstep_core::representation::{
    Hit, HitMap, Meter, N_VOICES, Presence, Voice, WINDOW_STEPS, Window,
};
use lockstep_core::rule;
use lockstep_models::network::NET_STEPS;

/// What people played in two measures of 4/4: the bass onsets of measure t (bit s is step s), and the drums' MIDI velocities
/// in measure t+1, `(T, V)`, 0 where there is no hit.
pub type Lesson = (u16, [[u8; N_VOICES]; NET_STEPS]);

/// Kick on one and three, snare on two and four, hats in eighths, whatever the bass does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rock;

/// A kick on every bass onset of the measure before, and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct KickOnBass;

/// Begins with the rule groove, then repeats its own last measure.
#[derive(Clone, Copy, Debug, Default)]
pub struct CopySelf;

impl Generator for Rock {
    fn name(&self) -> &'static str {
        "fixed rock beat"
    }

    fn voices(&self) -> &'static [Voice] {
        &[Voice::Kick, Voice::Snare, Voice::ClosedHat]
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        let mut hits = HitMap::default();
        for step_idx in 0..request.meter.n_steps() {
            for (voice, is_hit) in [
                (Voice::Kick, step_idx % 8 == 0),
                (Voice::Snare, step_idx % 8 == 4),
                (Voice::ClosedHat, step_idx % 2 == 0),
            ] {
                if is_hit {
                    hits.set(step_idx, voice, certain(0.8));
                }
            }
        }
        Ok(hits)
    }
}

impl Generator for KickOnBass {
    fn name(&self) -> &'static str {
        "kick = last measure's bass"
    }

    fn voices(&self) -> &'static [Voice] {
        &[Voice::Kick]
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        let mut hits = HitMap::default();
        let n_steps = request.meter.n_steps();
        for step_idx in (0..n_steps).filter(|&s| has_onset(&request.window, n_steps, s)) {
            hits.set(step_idx, Voice::Kick, certain(0.8));
        }
        Ok(hits)
    }
}

impl Generator for CopySelf {
    fn name(&self) -> &'static str {
        "copy of its own last measure"
    }

    fn voices(&self) -> &'static [Voice] {
        &Voice::ALL
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        let n_steps = request.meter.n_steps();
        // Nothing was played before the first answer, nor while the drummer rested.
        let last = request
            .played
            .rchunks(n_steps)
            .find(|measure| measure.len() == n_steps && measure.iter().flatten().any(|v| *v > 0.0));
        let Some(last) = last else {
            return Ok(rule::groove(&request.window, request.meter));
        };
        let mut hits = HitMap::default();
        for (step_idx, row) in last.iter().enumerate() {
            for voice in Voice::ALL {
                let velocity = row[voice.index()];
                if velocity > 0.0 {
                    hits.set(step_idx, voice, certain(velocity));
                }
            }
        }
        Ok(hits)
    }
}

/// A hit that sounds at any density.
fn certain(velocity: f32) -> Hit {
    Presence::new(1.0)
        .and_then(|presence| Hit::new(presence, velocity, 0.0))
        .unwrap_or_default()
}

/// Whether the bass begins a note at a step of measure t.
fn has_onset(window: &Window, n_steps: usize, step_idx: usize) -> bool {
    (WINDOW_STEPS + step_idx)
        .checked_sub(n_steps)
        .is_some_and(|row| !window.onsets(row).is_empty())
}

/// The bass onsets of measure t as in a [`Lesson`]; of a longer measure only the first sixteen steps.
fn onset_bits(window: &Window, meter: Meter) -> u16 {
    let n_steps = meter.n_steps();
    (0..n_steps.min(NET_STEPS))
        .filter(|&step_idx| has_onset(window, n_steps, step_idx))
        .fold(0, |bits, step_idx| bits | 1 << step_idx)
}

#[cfg(test)]
pub(crate) mod tests {
    use lockstep_core::generator::GeneratorSettings;
    use lockstep_core::representation::Onset;

    use super::*;

    /// A request in 4/4 with bass onsets at these steps of measure t.
    pub(crate) fn request(bass_steps: &[usize], seed: u32) -> Request {
        let mut window = Window::default();
        for step_idx in bass_steps {
            window.begin(WINDOW_STEPS - NET_STEPS + step_idx, Onset::new(33, 0.8));
        }
        Request {
            measure: 1,
            heard_steps: NET_STEPS,
            window,
            settings: GeneratorSettings {
                seed,
                variation: 0.0,
                ..GeneratorSettings::default()
            },
            ..Request::default()
        }
    }

    /// The steps at which a voice sounds at density ½.
    pub(crate) fn steps(hits: &HitMap, voice: Voice) -> Vec<usize> {
        (0..NET_STEPS)
            .filter(|&s| hits.hit(s, voice).presence().sounds_at(0.5))
            .collect()
    }

    #[test]
    fn the_rock_beat_ignores_the_bass_and_the_kick_follows_it() -> Result<(), PredictError> {
        for bass in [&[0, 3, 6][..], &[1, 9], &[]] {
            let request = request(bass, 0);
            assert_eq!(steps(&Rock.predict(&request)?, Voice::Kick), [0, 8]);
            assert_eq!(steps(&Rock.predict(&request)?, Voice::Snare), [4, 12]);
            assert_eq!(steps(&KickOnBass.predict(&request)?, Voice::Kick), bass);
        }
        Ok(())
    }

    #[test]
    fn a_copy_begins_with_the_groove_and_then_repeats_itself() -> Result<(), PredictError> {
        let mut request = request(&[0, 6], 0);
        let groove = rule::groove(&request.window, request.meter);
        assert_eq!(CopySelf.predict(&request)?, groove);
        request.played[WINDOW_STEPS - NET_STEPS + 3][Voice::Ride.index()] = 0.5;
        let copy = CopySelf.predict(&request)?;
        assert_eq!(steps(&copy, Voice::Ride), [3]);
        assert_eq!(steps(&copy, Voice::Kick), [] as [usize; 0]);
        // It skips a measure of rest.
        request.played.rotate_left(NET_STEPS);
        assert_eq!(CopySelf.predict(&request)?, copy);
        Ok(())
    }
}
