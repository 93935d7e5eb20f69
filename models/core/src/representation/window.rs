//! The rolling window of bass that a generator hears.

/// Steps in the window: four measures of 4/4.
pub const WINDOW_STEPS: usize = 64;

/// Pitches in the window.
pub const N_PITCHES: usize = 72;

/// MIDI key of the lowest pitch in the window (C1 where 60 is C4), as in LPD-5 and MuseGAN.
pub const LOWEST_PITCH: u8 = 24;

/// A set of the window's pitches.
///
/// A key outside the window's six octaves is moved into them by whole octaves, so that no bass note is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PitchSet(u128);

impl PitchSet {
    /// Adds a MIDI key, 0 to 127.
    pub fn insert(&mut self, key: u8) {
        self.0 |= 1 << pitch_index(key);
    }

    /// Whether no pitch is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Indices of the pitches in the set, each in `0 .. N_PITCHES`, ascending.
    pub fn indices(self) -> impl Iterator<Item = usize> {
        (0..N_PITCHES).filter(move |index| self.0 >> index & 1 == 1)
    }
}

/// Index of a MIDI key among the window's pitches, folded by octaves.
///
/// ```
/// use lockstep_core::representation::{LOWEST_PITCH, pitch_index};
///
/// assert_eq!(pitch_index(LOWEST_PITCH + 4), 4);
/// assert_eq!(pitch_index(LOWEST_PITCH - 8), 4, "lower octaves are folded in");
/// ```
pub fn pitch_index(key: u8) -> u8 {
    const TOP: u8 = LOWEST_PITCH + 71;
    const _: () = assert!(TOP as usize + 1 == LOWEST_PITCH as usize + N_PITCHES);
    let mut key = key;
    while key < LOWEST_PITCH {
        key += 12;
    }
    while key > TOP {
        key -= 12;
    }
    key - LOWEST_PITCH
}

/// How a note begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Onset {
    /// MIDI key, 0 to 127.
    pub key: u8,
    /// Loudness, in `(0, 1]`.
    pub velocity: f32,
    /// How much later than its step it begins, in steps, in `[-½, ½]`. Where the bass swings, so do the steps.
    pub lateness: f32,
}

impl Onset {
    /// A note that begins exactly on its step.
    pub fn new(key: u8, velocity: f32) -> Self {
        Self {
            key,
            velocity,
            lateness: 0.0,
        }
    }
}

/// Sixty-four steps of bass, oldest first: which pitches begin and which sound at each step, `(T, P)` =
/// `(WINDOW_STEPS, N_PITCHES)`, and how loud and how late the notes begin.
///
/// The window ends with the last step of the measure now being played; steps not yet played are empty.
///
/// ```
/// use lockstep_core::representation::{Onset, WINDOW_STEPS, Window};
///
/// let mut window = Window::default();
/// window.begin(WINDOW_STEPS - 1, Onset::new(40, 0.8));
/// window.advance(4);
/// assert!(!window.onsets(WINDOW_STEPS - 5).is_empty());
/// assert!(window.is_silent_from(WINDOW_STEPS - 4));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    onsets: [PitchSet; WINDOW_STEPS],
    accents: [f32; WINDOW_STEPS],
    lateness: [f32; WINDOW_STEPS],
    sounding: [PitchSet; WINDOW_STEPS],
}

impl Default for Window {
    fn default() -> Self {
        Self {
            onsets: [PitchSet::default(); WINDOW_STEPS],
            accents: [0.0; WINDOW_STEPS],
            lateness: [0.0; WINDOW_STEPS],
            sounding: [PitchSet::default(); WINDOW_STEPS],
        }
    }
}

impl Window {
    /// Adds a note that begins, and so also sounds, at `step_idx`. Does nothing outside the window.
    pub fn begin(&mut self, step_idx: usize, onset: Onset) {
        let Onset {
            key,
            velocity,
            lateness,
        } = onset;
        if let Some(set) = self.onsets.get_mut(step_idx) {
            set.insert(key);
        }
        let onset = self.accents.get_mut(step_idx);
        if let Some((accent, late)) = onset.zip(self.lateness.get_mut(step_idx))
            && velocity > *accent
        {
            *accent = velocity;
            *late = lateness;
        }
        self.hold(step_idx, key);
    }

    /// Marks a note that began earlier as still sounding at `step_idx`. Does nothing outside the window.
    pub fn hold(&mut self, step_idx: usize, key: u8) {
        if let Some(set) = self.sounding.get_mut(step_idx) {
            set.insert(key);
        }
    }

    /// Pitches that begin at a step; empty outside the window.
    pub fn onsets(&self, step_idx: usize) -> PitchSet {
        self.onsets.get(step_idx).copied().unwrap_or_default()
    }

    /// Velocity of the loudest note that begins at a step; 0 if none does, or outside the window.
    pub fn accent(&self, step_idx: usize) -> f32 {
        self.accents.get(step_idx).copied().unwrap_or_default()
    }

    /// How late the loudest note that begins at a step is, in steps; 0 if none begins, or outside the window.
    pub fn lateness(&self, step_idx: usize) -> f32 {
        self.lateness.get(step_idx).copied().unwrap_or_default()
    }

    /// Pitches that sound at a step, begun there or earlier; empty outside the window.
    pub fn sounding(&self, step_idx: usize) -> PitchSet {
        self.sounding.get(step_idx).copied().unwrap_or_default()
    }

    /// Whether nothing sounds in the whole window.
    pub fn is_silent(&self) -> bool {
        self.is_silent_from(0)
    }

    /// Whether nothing sounds from a step to the end of the window; true for a step beyond the window.
    pub fn is_silent_from(&self, step_idx: usize) -> bool {
        self.sounding
            .iter()
            .skip(step_idx)
            .all(|set| set.is_empty())
    }

    /// Advances by `n_steps` in which the bass repeats what it did `period` steps before; both are at most the window's length.
    pub fn repeat(&mut self, n_steps: usize, period: usize) {
        self.advance(n_steps);
        for step_idx in WINDOW_STEPS - n_steps.min(WINDOW_STEPS)..WINDOW_STEPS {
            let Some(before) = step_idx.checked_sub(period) else {
                continue;
            };
            self.onsets[step_idx] = self.onsets[before];
            self.sounding[step_idx] = self.sounding[before];
            self.accents[step_idx] = self.accents[before];
            self.lateness[step_idx] = self.lateness[before];
        }
    }

    /// Advances by `n_steps`: the oldest steps leave, and as many empty ones enter at the end.
    pub fn advance(&mut self, n_steps: usize) {
        let n_steps = n_steps.min(WINDOW_STEPS);
        for row in [&mut self.onsets, &mut self.sounding] {
            row.rotate_left(n_steps);
            for set in row.iter_mut().rev().take(n_steps) {
                *set = PitchSet::default();
            }
        }
        for row in [&mut self.accents, &mut self.lateness] {
            row.rotate_left(n_steps);
            row[WINDOW_STEPS - n_steps..].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_moves_notes_back_and_finally_out() {
        let mut window = Window::default();
        window.begin(63, Onset::new(33, 0.4));
        let late = Onset {
            lateness: -0.1,
            ..Onset::new(45, 0.9)
        };
        window.begin(63, late);
        window.advance(16);
        assert!(!window.onsets(47).is_empty());
        assert!(window.onsets(63).is_empty());
        assert_eq!((window.accent(47), window.accent(63)), (0.9, 0.0));
        assert_eq!((window.lateness(47), window.lateness(63)), (-0.1, 0.0));
        window.advance(48);
        assert!(window.is_silent());
        assert!((0..WINDOW_STEPS).all(|step_idx| window.accent(step_idx) <= 0.0));
    }

    #[test]
    fn repeat_copies_the_bass_from_one_period_before() {
        let mut window = Window::default();
        window.begin(44, Onset::new(33, 0.4));
        window.begin(60, Onset::new(40, 0.9));
        window.repeat(12, 20);
        let heard = [32, 48, 52].map(|step_idx| window.onsets(step_idx));
        assert!(heard[0] != heard[1], "two notes, twelve steps on");
        assert_eq!(window.onsets(52), heard[0], "the first of them again");
        assert_eq!(window.accent(52).to_bits(), 0.4_f32.to_bits());
    }

    #[test]
    fn keys_outside_the_six_octaves_fold_by_octaves() {
        for (key, folded) in [(0, 24), (23, 35), (24, 24), (95, 95), (96, 84), (127, 91)] {
            assert_eq!(pitch_index(key) + LOWEST_PITCH, folded, "key {key}");
        }
    }
}
