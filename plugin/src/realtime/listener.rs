//! The performer's ear and memory: which bass notes began and sounded at each step, and which drums were played.
//!
//! Rows are steps in the order they were played, numbered from [`FIRST_ROW`] on, kept in a ring. A bass note goes into
//! the row whose cell is open: cells close half a step after their step, so that a note belongs to the nearest one.

use super::block::BassEventKind;
use lockstep_models::representation::{
    MAX_STEPS_PER_MEASURE, N_VOICES, Onset, Voice, WINDOW_STEPS, Window,
};

/// Row of the first step after the start: a window of nothing lies before it.
pub(super) const FIRST_ROW: usize = N_ROWS;

/// Rows kept: the window, a measure ahead of it, and then some; a power of two.
const N_ROWS: usize = 128;

/// One step of history. Key sets have bit `k` for MIDI key `k`.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    onsets: u128,
    /// Velocity of the loudest of them.
    accent: f32,
    /// Steps by which it came after its step.
    lateness: f32,
    sounding: u128,
    played: [f32; N_VOICES],
}

/// What was heard and played in the last steps.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    rows: [Row; N_ROWS],
    held: u128,
}

impl Listener {
    pub(super) fn new() -> Self {
        Self {
            rows: [Row::default(); N_ROWS],
            held: 0,
        }
    }

    /// Takes in a bass event `lateness` steps after the step of `row`, whose cell is open.
    pub(super) fn hear(&mut self, row: usize, kind: BassEventKind, lateness: f32) {
        match kind {
            BassEventKind::On { key, velocity } => {
                self.held |= bit(key);
                self.edit(row, |r| {
                    r.onsets |= bit(key);
                    // A comparison with what is no number fails: it leaves no accent.
                    if velocity > r.accent {
                        r.accent = rounded(velocity.min(1.0), 127.0).max(1.0 / 127.0);
                        r.lateness = rounded(lateness.clamp(-0.5, 0.5), 254.0);
                    }
                });
            }
            BassEventKind::Off { key } => self.held &= !bit(key),
            BassEventKind::AllOff => self.held = 0,
        }
    }

    /// The step of `row` begins: what is held sounds through it.
    pub(super) fn begin_step(&mut self, row: usize) {
        let held = self.held;
        self.edit(row, |r| r.sounding |= held);
    }

    /// A drum of the take fell on the step of `row`.
    pub(super) fn note_played(&mut self, row: usize, voice: Voice, velocity: f32) {
        self.edit(row, |r| {
            if let Some(cell) = r.played.get_mut(voice.index()) {
                *cell = velocity;
            }
        });
    }

    /// A measure is entered at the step of `open_row`: empties the rows it may write to. The bass of `open_row` itself
    /// stays, for its cell opened half a step ago.
    pub(super) fn begin_measure(&mut self, open_row: usize) {
        self.edit(open_row, |r| r.played = [0.0; N_VOICES]);
        for row in open_row + 1..=open_row + MAX_STEPS_PER_MEASURE {
            self.edit(row, |r| *r = Row::default());
        }
    }

    /// The bass of the [`WINDOW_STEPS`] rows before `end_row`, as a generator hears it.
    pub(super) fn window(&self, end_row: usize) -> Window {
        let mut window = Window::default();
        for (step_idx, row) in self.last_rows(end_row) {
            for key in keys(row.onsets) {
                let onset = Onset {
                    key,
                    velocity: row.accent,
                    lateness: row.lateness,
                };
                window.begin(step_idx, onset);
            }
            for key in keys(row.sounding) {
                window.hold(step_idx, key);
            }
        }
        window
    }

    /// The drums of the same rows, `(T, V)`.
    pub(super) fn played(&self, end_row: usize) -> [[f32; N_VOICES]; WINDOW_STEPS] {
        let mut played = [[0.0; N_VOICES]; WINDOW_STEPS];
        for ((_, row), out) in self.last_rows(end_row).zip(&mut played) {
            *out = row.played;
        }
        played
    }

    fn last_rows(&self, end_row: usize) -> impl Iterator<Item = (usize, &Row)> {
        let first = end_row.saturating_sub(WINDOW_STEPS);
        (0..WINDOW_STEPS).filter_map(move |i| Some((i, self.rows.get((first + i) % N_ROWS)?)))
    }

    fn edit(&mut self, row: usize, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.rows.get_mut(row % N_ROWS) {
            change(row);
        }
    }
}

/// A number to one part in so many: what hosts say in more digits differs between them, and drums must not.
fn rounded(value: f32, parts: f32) -> f32 {
    (value * parts).round() / parts
}

/// The set of one key; 128 and above do not exist in MIDI.
fn bit(key: u8) -> u128 {
    1 << (key & 127)
}

/// The keys of a set, ascending.
fn keys(mut set: u128) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let key = u8::try_from(set.trailing_zeros())
            .ok()
            .filter(|k| *k < 128)?;
        set &= set - 1;
        Some(key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_note_sounds_through_every_step_until_its_off() {
        let mut ear = Listener::new();
        let key = 40;
        ear.begin_measure(FIRST_ROW);
        let velocity = 0.7;
        ear.hear(FIRST_ROW, BassEventKind::On { key, velocity }, -0.25);
        ear.begin_step(FIRST_ROW + 1);
        ear.hear(FIRST_ROW + 1, BassEventKind::Off { key }, 0.1);
        ear.begin_step(FIRST_ROW + 2);
        let window = ear.window(FIRST_ROW + 16);
        let sounding: Vec<_> = (0..64)
            .filter(|&s| !window.sounding(s).is_empty())
            .collect();
        let onsets: Vec<_> = (0..64).filter(|&s| !window.onsets(s).is_empty()).collect();
        assert_eq!((onsets, sounding), ([48].to_vec(), [48, 49].to_vec()));
        assert!((window.accent(48) - velocity).abs() < 0.5 / 127.0);
        assert!((window.lateness(48) + 0.25).abs() < 0.5 / 254.0);
    }

    #[test]
    fn nothing_of_a_ring_ago_comes_back() {
        let mut ear = Listener::new();
        for measure in 0..20 {
            let first = FIRST_ROW + measure * 16;
            ear.begin_measure(first);
            if measure == 0 {
                let (key, velocity) = (127, 1.0);
                ear.hear(first, BassEventKind::On { key, velocity }, 0.0);
                ear.hear(first, BassEventKind::AllOff, 0.0);
                ear.note_played(first, Voice::Kick, 1.0);
            }
            let is_silent = ear.window(first + 16).is_silent();
            let has_drums = ear.played(first + 16).concat().iter().any(|v| *v > 0.0);
            assert_eq!(
                (is_silent, has_drums),
                (measure > 3, measure < 4),
                "measure {measure}"
            );
        }
    }
}
