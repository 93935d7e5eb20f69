//! The performer's ear and memory: which bass notes began and sounded at each step, and which drums were played.
//!
//! Rows are steps in the order they were played, numbered from [`FIRST_ROW`], kept in a ring buffer. A bass note goes into
//! the row whose cell is open: a cell closes halfway to the next step, so a note belongs to the nearest step. Where the bass
//! swings, so do the steps; when it is heard to swing otherwise than before, the notes of the window move to the steps that
//! they belong to then.

use lockstep_core::representation::{
    MAX_STEPS_PER_MEASURE, N_VOICES, Onset, SwungGrid, Voice, WINDOW_STEPS, Window,
};

use super::block::BassEventKind;
use super::gesture::{self, Gesture};
use super::measure::HeardPlace;
use super::swing::BassSwing;

/// Row of the first step after the start: a whole empty window lies before it.
pub(super) const FIRST_ROW: usize = N_ROWS;

/// Rows kept: the window, a measure ahead of it, and some to spare; a power of two.
const N_ROWS: usize = 128;

/// One step of history. Key sets have bit `k` for MIDI key `k`.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    onsets: u128,
    /// Velocity of the loudest onset.
    accent: f32,
    /// Steps by which the loudest onset came after its step.
    lateness: f32,
    /// Which step of its measure the row was when it was struck, and how late that step was played.
    step_idx: usize,
    delay: f32,
    sounding: u128,
    played: [f32; N_VOICES],
}

/// A row, and what it held before an onset.
#[derive(Clone, Copy, Debug)]
struct RowBefore {
    row: usize,
    onsets: u128,
    accent: f32,
    lateness: f32,
}

/// When something is heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoteTime {
    /// The step that it belongs to.
    pub(super) place: HeardPlace,
    /// How long a step lasts, in seconds.
    pub(super) step_s: f64,
}

impl NoteTime {
    /// Time in steps; the first step of the playback is at [`FIRST_ROW`].
    fn at(&self) -> f64 {
        let HeardPlace {
            row,
            delay,
            lateness,
            ..
        } = self.place;
        row as f64 + f64::from(delay) + f64::from(lateness)
    }
}

/// The bass heard and the drums played in the last steps.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    rows: [Row; N_ROWS],
    held: u128,
    /// The last gesture, and what its row held before it.
    gesture: Option<(Gesture, RowBefore)>,
    /// How the bass swings.
    pub(super) swing: BassSwing,
    /// Rows before this belong to an earlier idea; their drums are no longer reported.
    idea_row: usize,
}

impl Listener {
    pub(super) fn new() -> Self {
        Self {
            rows: [Row::default(); N_ROWS],
            held: 0,
            gesture: None,
            swing: BassSwing::new(),
            idea_row: 0,
        }
    }

    /// Takes in a bass event. Buttons and taps are ignored here.
    pub(super) fn hear(&mut self, kind: BassEventKind, heard: NoteTime) {
        match kind {
            BassEventKind::On { key, velocity } => {
                self.held |= bit(key);
                self.begin(key, velocity, heard);
            }
            BassEventKind::Off { key } => {
                self.held &= !bit(key);
                if let Some((_, begun)) = self
                    .gesture
                    .filter(|(gesture, _)| gesture.is_overlapped_by(key, heard.at(), heard.step_s))
                {
                    self.edit(begun.row, |r| r.sounding &= !bit(key) | r.onsets);
                }
            }
            BassEventKind::AllOff => self.held = 0,
            BassEventKind::Slide { from, to } => {
                if self.held & bit(from) != 0 {
                    self.held = self.held & !bit(from) | bit(to);
                }
            }
            BassEventKind::Fill | BassEventKind::NewIdea | BassEventKind::Tap => {}
        }
    }

    /// Records an onset as part of a gesture.
    fn begin(&mut self, key: u8, velocity: f32, heard: NoteTime) {
        use gesture::OnsetKind;
        let before = self.gesture.map(|(gesture, _)| gesture);
        let (onset, gesture) = Gesture::hear(before, heard.at(), key, heard.step_s);
        let begun = self.gesture.map(|(_, begun)| begun);
        let begun = match (onset, begun) {
            (OnsetKind::Double, Some(begun)) => begun,
            (OnsetKind::Chord, Some(begun)) => {
                self.strike(begun.row, key, velocity, None);
                begun
            }
            (OnsetKind::Glide, Some(begun)) => {
                self.swing.take_back();
                let so_far = self.row(begun.row).accent;
                self.edit(begun.row, |r| {
                    (r.onsets, r.accent, r.lateness) = (begun.onsets, begun.accent, begun.lateness);
                });
                self.strike_anew(key, velocity.max(so_far), heard)
            }
            _ => self.strike_anew(key, velocity, heard),
        };
        self.gesture = Some((gesture, begun));
    }

    /// Writes the first onset of a gesture, or the one that replaces it; returns what its row held before.
    fn strike_anew(&mut self, key: u8, velocity: f32, heard: NoteTime) -> RowBefore {
        let Row {
            onsets,
            accent,
            lateness,
            ..
        } = self.row(heard.place.row);
        self.strike(heard.place.row, key, velocity, Some(heard.place));
        let since_start = heard.place.since_start;
        self.swing.hear(since_start, velocity, heard.step_s);
        RowBefore {
            row: heard.place.row,
            onsets,
            accent,
            lateness,
        }
    }

    /// Writes an onset into a row; without a `place` the row keeps its own.
    fn strike(&mut self, row: usize, key: u8, velocity: f32, place: Option<HeardPlace>) {
        self.edit(row, |r| {
            r.onsets |= bit(key);
            // Comparing with NaN is false, so a NaN velocity leaves no accent.
            if velocity > r.accent {
                r.accent = rounded(velocity.min(1.0), 127.0).max(1.0 / 127.0);
                if let Some(place) = place {
                    r.lateness = rounded_lateness(place.lateness.into());
                    (r.step_idx, r.delay) = (place.step_idx, place.delay);
                }
            }
        });
    }

    /// Moves the onsets of the window up to `end_row` to the steps of another grid.
    pub(super) fn follow_swing(&mut self, grid: &SwungGrid, end_row: usize) {
        let before = self.rows;
        let rows = end_row.saturating_sub(WINDOW_STEPS)..end_row + 1;
        for row in rows.clone() {
            self.edit(row, |r| (r.onsets, r.accent, r.lateness) = (0, 0.0, 0.0));
        }
        for row in rows {
            let Some(from) = before.get(row % N_ROWS).filter(|from| from.onsets != 0) else {
                continue;
            };
            let place = from.step_idx as f64 + f64::from(from.delay) + f64::from(from.lateness);
            let (step_idx, lateness) = grid.nearest(place);
            let to = (row + step_idx).saturating_sub(from.step_idx);
            self.edit(to, |r| {
                r.onsets |= from.onsets;
                if from.accent > r.accent {
                    (r.accent, r.lateness) = (from.accent, rounded_lateness(lateness));
                    (r.step_idx, r.delay) = (step_idx, grid.delay(step_idx));
                }
            });
        }
        // Its row may have moved.
        self.gesture = None;
    }

    /// A new idea begins at `row`: drums played before it are no longer reported.
    pub(super) fn begin_idea(&mut self, row: usize) {
        self.idea_row = row;
    }

    /// The step of `row` begins: held keys sound through it.
    pub(super) fn begin_step(&mut self, row: usize) {
        let held = self.held;
        self.edit(row, |r| r.sounding |= held);
    }

    /// Whether no key is held and no note has begun in `row`, whose cell is open.
    pub(super) fn is_silent_at(&self, row: usize) -> bool {
        let is_empty = |r: &Row| r.onsets == 0;
        self.held == 0 && self.rows.get(row % N_ROWS).is_none_or(is_empty)
    }

    /// The drummer meant a hit at the step of `row`, whether or not density let it sound.
    pub(super) fn note_played(&mut self, row: usize, voice: Voice, velocity: f32) {
        self.edit(row, |r| {
            if let Some(cell) = r.played.get_mut(voice.index()) {
                *cell = velocity;
            }
        });
    }

    /// A measure is entered at the step of `open_row`: clears the rows it may write to. The bass of `open_row` itself stays,
    /// because its cell opened half a step ago.
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
        let first = end_row.saturating_sub(WINDOW_STEPS);
        for ((i, row), out) in self.last_rows(end_row).zip(&mut played) {
            if first + i >= self.idea_row {
                *out = row.played;
            }
        }
        played
    }

    fn last_rows(&self, end_row: usize) -> impl Iterator<Item = (usize, &Row)> {
        let first = end_row.saturating_sub(WINDOW_STEPS);
        (0..WINDOW_STEPS).filter_map(move |i| Some((i, self.rows.get((first + i) % N_ROWS)?)))
    }

    fn row(&self, row: usize) -> Row {
        self.rows.get(row % N_ROWS).copied().unwrap_or_default()
    }

    fn edit(&mut self, row: usize, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.rows.get_mut(row % N_ROWS) {
            change(row);
        }
    }
}

/// A lateness as the window has it.
#[expect(clippy::cast_possible_truncation, reason = "it is at most half a step")]
fn rounded_lateness(steps: f64) -> f32 {
    rounded(steps.clamp(-0.5, 0.5) as f32, 254.0)
}

/// Rounds to 1/`parts`: hosts differ in the digits beyond, and the drums must not.
fn rounded(value: f32, parts: f32) -> f32 {
    (value * parts).round() / parts
}

/// The set of one key; MIDI has none above 127.
fn bit(key: u8) -> u128 {
    1 << (key & 127)
}

/// The keys of a set, ascending.
pub(super) fn keys(mut set: u128) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let key = u8::try_from(set.trailing_zeros())
            .ok()
            .filter(|k| *k < 128)?;
        set &= set - 1;
        Some(key)
    })
}

#[cfg(test)]
mod tests;
