//! Swing for networks that learnt on the straight grid: weights of version 1.
//!
//! To them the off-beat of a shuffle is the third sixteenth of the beat, too early; so they heard it when they learnt, and that is
//! how they tell a shuffle from rock. A request is moved to the straight grid for them, and their plan to the swung one. Off-beats
//! are then on average exactly as late as the bass swings; what single hits differ by stays.

use lockstep_core::generator::Request;
use lockstep_core::representation::{
    Hit, HitMap, LOWEST_PITCH, N_VOICES, Onset, SwungGrid, Voice, WINDOW_STEPS, Window,
};

/// Steps of a beat.
const BEAT: usize = 4;

/// The same request as it would be if its bass had been heard on the straight grid.
pub(super) fn request(swung: &Request) -> Request {
    let grid = swung.swing.in_meter(swung.meter);
    let n_steps = swung.meter.n_steps();
    // The window ends with a measure.
    let step_of = |row: usize| (row + WINDOW_STEPS * n_steps - WINDOW_STEPS) % n_steps;
    let mut straight = Request {
        window: Window::default(),
        played: [[0.0; N_VOICES]; WINDOW_STEPS],
        ..*swung
    };
    for row in 0..WINDOW_STEPS {
        let (step_idx, window) = (step_of(row), &swung.window);
        let late = grid.delay(step_idx) + window.lateness(row);
        let (to, lateness) = nearest(row, late);
        for pitch in window.onsets(row).indices() {
            let onset = Onset {
                lateness,
                ..Onset::new(key(pitch), window.accent(row))
            };
            straight.window.begin(to, onset);
        }
        // At its straight place a delayed step has not begun yet.
        let sounds_as = row - usize::from(grid.delay(step_idx) > 0.0 && row > 0);
        for pitch in window.sounding(sounds_as).indices() {
            straight.window.hold(row, key(pitch));
        }
        let (to, _) = nearest(row, grid.delay(step_idx));
        if let Some(cells) = straight.played.get_mut(to) {
            for (cell, velocity) in cells.iter_mut().zip(swung.played[row]) {
                *cell = cell.max(velocity);
            }
        }
    }
    straight
}

/// The same drums on the steps of a swung grid. Of two hits that fall on one step the likelier stays.
pub(super) fn plan(straight: &HitMap, grid: &SwungGrid, n_steps: usize) -> HitMap {
    let means: [_; BEAT] = std::array::from_fn(|of_beat| mean_offset(straight, of_beat, n_steps));
    let mut swung = HitMap::default();
    for (step_idx, voice) in cells(n_steps) {
        let hit = straight.hit(step_idx, voice);
        // The step before is heard here if that is nearer to where it is played.
        let before = step_idx.saturating_sub(1);
        let to = if grid.delay(before) >= 0.5 {
            before
        } else {
            step_idx
        };
        let learnt = means[step_idx % BEAT] - means[0];
        let offset = if grid.delay(to) > 0.0 {
            hit.offset() - learnt
        } else {
            hit.offset()
        };
        let moved = Hit::new(hit.presence(), hit.velocity(), offset).unwrap_or(hit);
        if moved.presence() > swung.hit(to, voice).presence() {
            swung.set(to, voice, moved);
        }
    }
    swung
}

/// Every voice at every step.
fn cells(n_steps: usize) -> impl Iterator<Item = (usize, Voice)> {
    (0..n_steps).flat_map(|step_idx| Voice::ALL.map(|voice| (step_idx, voice)))
}

/// Mean offset of the hits at one step of every beat that sound as the drummer means it, in steps; 0 if there are none.
fn mean_offset(hits: &HitMap, of_beat: usize, n_steps: usize) -> f32 {
    let (mut n, mut sum) = (0.0, 0.0);
    for (step_idx, voice) in cells(n_steps) {
        let hit = hits.hit(step_idx, voice);
        if step_idx % BEAT == of_beat && hit.presence().sounds_at(0.5) {
            n += 1.0;
            sum += hit.offset();
        }
    }
    if n > 0.0 { sum / n } else { 0.0 }
}

/// The row nearest to a place `late` steps after a row, and how late the place is for it.
fn nearest(row: usize, late: f32) -> (usize, f32) {
    if late >= 0.5 {
        (row + 1, late - 1.0)
    } else if late < -0.5 {
        (row.saturating_sub(1), late + 1.0)
    } else {
        (row, late)
    }
}

/// The MIDI key of one of the window's pitches.
fn key(pitch: usize) -> u8 {
    LOWEST_PITCH.saturating_add(u8::try_from(pitch).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockstep_core::representation::{Meter, Presence, Swing};

    fn shuffle() -> SwungGrid {
        Swing::new(2.0 / 3.0, 0.0).in_meter(Meter::COMMON)
    }

    fn hits(at: &[(usize, f32)]) -> HitMap {
        let mut hits = HitMap::default();
        for (step_idx, offset) in at {
            let hit = Presence::new(1.0).and_then(|p| Hit::new(p, 0.7, *offset));
            hits.set(*step_idx, Voice::Ride, hit.unwrap_or_default());
        }
        hits
    }

    fn offsets(hits: &HitMap) -> Vec<(usize, f32)> {
        (0..16)
            .map(|step_idx| (step_idx, hits.hit(step_idx, Voice::Ride)))
            .filter(|(_, hit)| hit.presence().sounds_at(0.5))
            .map(|(step_idx, hit)| (step_idx, (hit.offset() * 100.0).round() / 100.0))
            .collect()
    }

    #[test]
    fn a_shuffle_is_heard_as_it_was_learnt() {
        let mut request = Request {
            swing: Swing::new(2.0 / 3.0, 0.0),
            ..Request::default()
        };
        request.window.begin(48, Onset::new(33, 0.8));
        request.window.begin(50, Onset::new(40, 0.6));
        request.window.hold(51, 40);
        request.played[50][Voice::Ride.index()] = 0.5;
        let straight = super::request(&request);
        let onsets: Vec<_> = (0..WINDOW_STEPS)
            .filter(|row| !straight.window.onsets(*row).is_empty())
            .collect();
        assert_eq!(onsets, [48, 51]);
        assert!((straight.window.lateness(51) + 1.0 / 3.0).abs() < 1e-6);
        assert!(straight.window.sounding(50).is_empty());
        assert!(straight.played[51][Voice::Ride.index()] > 0.0);
    }

    #[test]
    fn its_shuffle_is_played_on_the_swung_steps_and_exactly_as_late() {
        let straight = hits(&[(0, 0.02), (3, -0.1), (4, 0.02), (7, -0.3), (8, 0.02)]);
        let swung = plan(&straight, &shuffle(), 16);
        // On average as late as the beats, 0.02 steps.
        assert_eq!(
            offsets(&swung),
            [(0, 0.02), (2, 0.12), (4, 0.02), (6, -0.08), (8, 0.02)]
        );
    }

    #[test]
    fn straight_eighths_of_the_plan_swing() {
        let swung = plan(
            &hits(&[(0, 0.0), (2, 0.1), (4, 0.0), (6, 0.1)]),
            &shuffle(),
            16,
        );
        assert_eq!(offsets(&swung), [(0, 0.0), (2, 0.0), (4, 0.0), (6, 0.0)]);
    }
}
