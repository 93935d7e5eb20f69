//! The performer's ear and memory: which bass notes began and sounded at each step, and which drums were played.
//!
//! Rows are steps in the order they were played, numbered from [`FIRST_ROW`], kept in a ring buffer. A bass note goes into
//! the row whose cell is open: a cell closes half a step after its step, so a note belongs to the nearest step.

use lockstep_core::representation::{
    MAX_STEPS_PER_MEASURE, N_VOICES, Onset, Voice, WINDOW_STEPS, Window,
};

use super::block::BassEventKind;
use super::gesture::{self, Gesture};

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
    sounding: u128,
    played: [f32; N_VOICES],
}

/// The part of a row that an onset changes.
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
    /// Row of the step that it belongs to.
    pub(super) row: usize,
    /// How many steps after that step.
    pub(super) lateness: f32,
    /// How long a step lasts, in seconds.
    pub(super) step_s: f64,
}

impl NoteTime {
    /// Time in steps; the first step of the playback is at [`FIRST_ROW`].
    fn at(&self) -> f64 {
        self.row as f64 + f64::from(self.lateness)
    }
}

/// The bass heard and the drums played in the last steps.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    rows: [Row; N_ROWS],
    held: u128,
    /// The last gesture, and what its row held before it.
    gesture: Option<(Gesture, RowBefore)>,
    /// Rows before this belong to an earlier idea; their drums are no longer reported.
    idea_row: usize,
}

impl Listener {
    pub(super) fn new() -> Self {
        Self {
            rows: [Row::default(); N_ROWS],
            held: 0,
            gesture: None,
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
        } = self.row(heard.row);
        self.strike(heard.row, key, velocity, Some(heard.lateness));
        RowBefore {
            row: heard.row,
            onsets,
            accent,
            lateness,
        }
    }

    /// Writes an onset into a row; without a `lateness` the row keeps its own.
    fn strike(&mut self, row: usize, key: u8, velocity: f32, lateness: Option<f32>) {
        self.edit(row, |r| {
            r.onsets |= bit(key);
            // Comparing with NaN is false, so a NaN velocity leaves no accent.
            if velocity > r.accent {
                r.accent = rounded(velocity.min(1.0), 127.0).max(1.0 / 127.0);
                if let Some(lateness) = lateness {
                    r.lateness = rounded(lateness.clamp(-0.5, 0.5), 254.0);
                }
            }
        });
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
mod tests {
    use super::*;

    /// At 120 BPM.
    fn heard(row: usize, lateness: f32) -> NoteTime {
        NoteTime {
            row,
            lateness,
            step_s: 0.125,
        }
    }

    fn on(key: u8) -> BassEventKind {
        BassEventKind::On { key, velocity: 0.7 }
    }

    /// Steps of a window with an onset of each key.
    fn onsets(ear: &Listener, key: u8) -> Vec<usize> {
        let pitch = usize::from(key - 24);
        let window = ear.window(FIRST_ROW + 16);
        let has_onset = |s: &usize| window.onsets(*s).indices().any(|p| p == pitch);
        (48..64).filter(has_onset).collect()
    }

    #[test]
    fn a_glide_into_a_downbeat_is_one_onset_on_it() {
        let mut ear = Listener::new();
        // Three semitones in 105 ms, from before the middle between two steps to the later step.
        for (key, row, lateness) in [(40, 3, 0.2), (41, 4, -0.45), (42, 4, -0.05)] {
            ear.hear(on(key), heard(FIRST_ROW + row, lateness));
        }
        assert!(onsets(&ear, 40).is_empty());
        assert!(onsets(&ear, 41).is_empty());
        assert_eq!(onsets(&ear, 42), [52]);
    }

    #[test]
    fn a_chord_across_the_middle_of_two_steps_belongs_to_one() {
        let mut ear = Listener::new();
        ear.hear(on(40), heard(FIRST_ROW + 3, 0.45));
        ear.hear(on(47), heard(FIRST_ROW + 4, -0.45));
        ear.hear(on(40), heard(FIRST_ROW + 4, -0.40));
        assert_eq!(
            (onsets(&ear, 40), onsets(&ear, 47)),
            ([51].to_vec(), [51].to_vec())
        );
    }

    #[test]
    fn a_legato_note_does_not_sound_beside_the_next() {
        let mut ear = Listener::new();
        ear.begin_measure(FIRST_ROW);
        ear.hear(on(40), heard(FIRST_ROW, 0.0));
        ear.hear(on(47), heard(FIRST_ROW + 1, -0.1));
        ear.begin_step(FIRST_ROW + 1);
        ear.hear(BassEventKind::Off { key: 40 }, heard(FIRST_ROW + 1, 0.1));
        let window = ear.window(FIRST_ROW + 16);
        assert_eq!(window.sounding(49).indices().collect::<Vec<_>>(), [23]);
        // A note held on purpose does.
        ear.hear(on(52), heard(FIRST_ROW + 2, 0.0));
        ear.begin_step(FIRST_ROW + 2);
        ear.hear(BassEventKind::Off { key: 47 }, heard(FIRST_ROW + 3, 0.0));
        assert_eq!(ear.window(FIRST_ROW + 16).sounding(50).indices().count(), 2);
    }

    #[test]
    fn a_bend_changes_the_sounding_key_without_an_onset() {
        let mut ear = Listener::new();
        ear.hear(on(40), heard(FIRST_ROW, 0.0));
        ear.begin_step(FIRST_ROW);
        ear.hear(
            BassEventKind::Slide { from: 40, to: 42 },
            heard(FIRST_ROW, 0.4),
        );
        ear.begin_step(FIRST_ROW + 1);
        let window = ear.window(FIRST_ROW + 16);
        assert_eq!(window.sounding(49).indices().collect::<Vec<_>>(), [18]);
        assert!(onsets(&ear, 42).is_empty());
    }

    #[test]
    fn drums_played_before_a_new_idea_are_not_reported() {
        let mut ear = Listener::new();
        ear.note_played(FIRST_ROW + 3, Voice::Kick, 0.5);
        ear.begin_idea(FIRST_ROW + 4);
        ear.note_played(FIRST_ROW + 5, Voice::Kick, 0.5);
        let kicks = ear.played(FIRST_ROW + 16).map(|step| step[0] > 0.0);
        assert_eq!(kicks.iter().position(|struck| *struck), Some(53));
    }

    #[test]
    fn a_held_note_sounds_through_every_step_until_its_off() {
        let mut ear = Listener::new();
        let key = 40;
        ear.begin_measure(FIRST_ROW);
        let velocity = 0.7;
        ear.hear(BassEventKind::On { key, velocity }, heard(FIRST_ROW, -0.25));
        ear.begin_step(FIRST_ROW + 1);
        ear.hear(BassEventKind::Off { key }, heard(FIRST_ROW + 1, 0.1));
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
    fn rows_are_cleared_when_the_ring_comes_round() {
        let mut ear = Listener::new();
        for measure in 0..20 {
            let first = FIRST_ROW + measure * 16;
            ear.begin_measure(first);
            if measure == 0 {
                let (key, velocity) = (127, 1.0);
                ear.hear(BassEventKind::On { key, velocity }, heard(first, 0.0));
                ear.hear(BassEventKind::AllOff, heard(first, 0.0));
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
