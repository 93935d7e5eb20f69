//! A measure of drums as the rules see it: hits on the step grid without their swing, and the swing beside them. Knows no
//! family.

use lockstep_core::representation::{Meter, N_VOICES, Swing, Voice, is_impossible};

/// Steps of a beat, a quarter note.
pub(super) const BEAT: usize = 4;

/// From this velocity on a stroke is an accent that carries the beat.
const LOUD: u8 = 90;

/// Below this velocity a stroke is a ghost note.
const GHOST: u8 = 45;

/// From this swing on, eighths are heard as swung: a delay of 0.09 of a beat, halfway to the triplet.
const SWUNG: f32 = 0.35;

/// The foot's and the sticks' drums that make a backbeat.
pub(super) const BACK: &[Voice] = &[Voice::Snare, Voice::SideStick, Voice::Clap];

/// What a drummer keeps time on with a hand.
pub(super) const HAND_TIME: &[Voice] = &[
    Voice::ClosedHat,
    Voice::OpenHat,
    Voice::Ride,
    Voice::Crash,
    Voice::Tambourine,
    Voice::Shaker,
];

/// Whatever keeps time, the foot's hat included.
pub(super) const TIME: &[Voice] = &[
    Voice::ClosedHat,
    Voice::PedalHat,
    Voice::OpenHat,
    Voice::Ride,
    Voice::Crash,
    Voice::Tambourine,
    Voice::Shaker,
];

/// The hats, however they are struck.
pub(super) const HATS: &[Voice] = &[Voice::ClosedHat, Voice::PedalHat, Voice::OpenHat];

/// The bass drum alone.
pub(super) const KICK: &[Voice] = &[Voice::Kick];

/// The snare alone.
pub(super) const SNARE: &[Voice] = &[Voice::Snare];

/// Drums that carry the lowest part: the kick, or a floor tom in its place.
pub(super) const LOW: &[Voice] = &[Voice::Kick, Voice::LowTom];

/// A measure of drums.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    /// Its meter.
    pub(crate) meter: Meter,
    /// Its tempo in BPM; a beat is a quarter.
    pub(crate) tempo_bpm: f64,
    /// How late its off-beats are; the steps are where they would be without it.
    pub(crate) swing: Swing,
    /// MIDI velocity of each voice at each step, `(T, V)`; 0 where there is no hit.
    pub(crate) rows: Vec<[u8; N_VOICES]>,
}

impl Measure {
    /// How many steps it has.
    pub(super) fn n_steps(&self) -> usize {
        self.rows.len()
    }

    /// Whether it is four quarters long.
    pub(super) fn is_common(&self) -> bool {
        self.n_steps() == 16
    }

    /// Whether it is three quarters long and counted in quarters.
    pub(super) fn is_three(&self) -> bool {
        self.n_steps() == 12 && self.meter.denominator() == 4
    }

    /// Whether it is counted in groups of three eighths: 6/8 or 12/8.
    pub(super) fn is_compound(&self) -> bool {
        self.meter.denominator() == 8 && matches!(self.n_steps(), 12 | 24)
    }

    /// Whether its eighths are heard as swung.
    pub(super) fn is_swung(&self) -> bool {
        self.swing.eighths() >= SWUNG
    }

    /// The loudest stroke of these voices at a step; 0 if there is none.
    pub(super) fn velocity(&self, voices: &[Voice], step: usize) -> u8 {
        let row = self.rows.get(step);
        let of = |voice: &Voice| row.map_or(0, |row| row[voice.index()]);
        voices.iter().map(of).max().unwrap_or(0)
    }

    /// Whether one of these voices sounds at a step.
    pub(super) fn has(&self, voices: &[Voice], step: usize) -> bool {
        self.velocity(voices, step) > 0
    }

    /// Whether one of these voices sounds at a step, and is no ghost note.
    pub(super) fn has_stroke(&self, voices: &[Voice], step: usize) -> bool {
        self.velocity(voices, step) >= GHOST
    }

    /// Whether one of these voices has an accent at a step.
    pub(super) fn has_loud(&self, voices: &[Voice], step: usize) -> bool {
        self.velocity(voices, step) >= LOUD
    }

    /// At how many of these steps one of these voices sounds.
    pub(super) fn n(&self, voices: &[Voice], steps: impl IntoIterator<Item = usize>) -> usize {
        let mut steps = steps.into_iter().collect::<Vec<_>>();
        steps.retain(|step| self.has(voices, *step));
        steps.len()
    }

    /// At how many of these steps one of these voices sounds, and is no ghost note.
    pub(super) fn n_strokes(
        &self,
        voices: &[Voice],
        steps: impl IntoIterator<Item = usize>,
    ) -> usize {
        let mut steps = steps.into_iter().collect::<Vec<_>>();
        steps.retain(|step| self.has_stroke(voices, *step));
        steps.len()
    }

    /// At how many of these steps one of these voices has a ghost note.
    pub(super) fn n_ghosts(&self, voices: &[Voice]) -> usize {
        self.n(voices, self.all()) - self.n_strokes(voices, self.all())
    }

    /// Which voices are struck at which steps, step by step, as bits.
    pub(super) fn pattern(&self) -> Vec<u16> {
        let bits = |row: &[u8; N_VOICES]| {
            let struck = row.iter().rev().map(|velocity| u16::from(*velocity > 0));
            struck.fold(0, |bits, bit| 2 * bits + bit)
        };
        self.rows.iter().map(bits).collect()
    }

    /// Every step.
    pub(super) fn all(&self) -> std::ops::Range<usize> {
        0..self.n_steps()
    }

    /// The steps on which the beats fall.
    pub(super) fn beats(&self) -> std::iter::StepBy<std::ops::Range<usize>> {
        self.all().step_by(BEAT)
    }

    /// The steps of the eighths between the beats, the "ands".
    pub(super) fn ands(&self) -> std::iter::StepBy<std::ops::Range<usize>> {
        (BEAT / 2..self.n_steps()).step_by(BEAT)
    }

    /// The steps of the eighths.
    pub(super) fn eighths(&self) -> std::iter::StepBy<std::ops::Range<usize>> {
        self.all().step_by(BEAT / 2)
    }

    /// The steps of the sixteenths between the eighths.
    pub(super) fn odd(&self) -> std::iter::StepBy<std::ops::Range<usize>> {
        (1..self.n_steps()).step_by(2)
    }

    /// Whether two hands can play it, but for a quarter of its steps at most: arrangements have more hands here and there.
    pub(super) fn is_playable(&self) -> bool {
        let is_crowded = |row: &&[u8; N_VOICES]| {
            let voices = Voice::ALL.into_iter();
            is_impossible(voices.filter(|voice| row[voice.index()] > 0))
        };
        4 * self.rows.iter().filter(is_crowded).count() <= self.n_steps()
    }

    /// Whether snare, side stick or clap is struck on two and on four.
    pub(super) fn has_backbeat(&self) -> bool {
        self.has_stroke(BACK, 4) && self.has_stroke(BACK, 12)
    }

    /// Whether snare, side stick or clap has an accent on two and on four.
    pub(super) fn has_loud_backbeat(&self) -> bool {
        self.has_loud(BACK, 4) && self.has_loud(BACK, 12)
    }

    /// Whether the kick is on every beat.
    pub(super) fn is_four_on_the_floor(&self) -> bool {
        self.n(KICK, self.beats()) == self.beats().len()
    }

    /// At how many beats a skip note leads to the next, on the voice that has most of them: the last eighth of the beat,
    /// swung, or a sixteenth after a dotted eighth.
    pub(super) fn n_skips(&self, voices: &[Voice]) -> usize {
        let of = |voice: &Voice| self.n_skips_of(std::slice::from_ref(voice));
        voices.iter().map(of).max().unwrap_or(0)
    }

    fn n_skips_of(&self, voice: &[Voice]) -> usize {
        let n_ands = self.n(voice, self.ands());
        // Fast swing is played almost evenly; then a skip note is known by the beats that have none.
        let is_swing = self.is_swung() || self.is_fast() && n_ands < self.beats().len();
        // Who plays dotted eighths leaves the places of straight eighths and sixteenths empty.
        let is_dotted = n_ands <= 1 && self.n(voice, (1..self.n_steps()).step_by(BEAT)) == 0;
        let skips = |beat: &usize| {
            let [and, late] = [2, 3].map(|step| self.has(voice, beat + step));
            is_swing && and && !late || is_dotted && late
        };
        self.beats().filter(skips).count()
    }

    /// Whether eighths are so fast that they are played evenly in swing, and that two measures are felt as one.
    pub(super) fn is_fast(&self) -> bool {
        self.tempo_bpm >= 180.0
    }
}
