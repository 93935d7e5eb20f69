//! Music as the player's numbers: rows of bass, rows of drums, what is given, and what the decoder sees beside.

use lockstep_core::representation::{N_PITCHES, Swing};

use super::N_VOICES;
use super::ear::{N_AROUND, N_FAMILIES, N_GROOVES};
use super::returns::{N_RETURNS, Returns};
use super::touch::{TOUCH, Touch};
use crate::network::NET_STEPS;

/// Numbers of a step of bass: onset, velocity, sounding, height, lateness, and twelve pitch classes.
const BASS_STEP: usize = 17;
/// Numbers of a row of bass, step by step.
pub const N_BASS: usize = NET_STEPS * BASS_STEP;
/// Numbers of a step of drums: hits, then velocities.
const OWN_STEP: usize = 2 * N_VOICES;
/// Numbers of a row of drums, step by step.
pub const N_OWN: usize = NET_STEPS * OWN_STEP;
/// How many measures before the one it plays lie those of its own drums that can come back. The decoder sees the first
/// four of them.
pub const LAGS: [usize; 8] = [1, 2, 4, 8, 3, 6, 12, 16];
/// How many of them the decoder sees.
const N_SEEN: usize = 4;
/// How many measures of bass the decoder sees.
const BASS_MEASURES: usize = 4;
/// Numbers of a step of bass that the decoder sees: onset, velocity, sounding, height.
const BASS_SEEN: usize = 4;
/// Numbers that the decoder sees at a step.
pub const N_BESIDE: usize = NET_STEPS * N_VOICES
    + N_VOICES
    + BASS_MEASURES * BASS_SEEN
    + N_SEEN * (OWN_STEP + 1)
    + N_RETURNS
    + N_VOICES;
/// Numbers given about a measure before family and groove.
const N_PLAIN: usize = 18 + TOUCH;
/// Numbers given about a measure.
pub const N_GIVEN: usize = N_PLAIN + N_FAMILIES + N_GROOVES;
/// The column of the kick.
const KICK: usize = 0;
/// Pitch index of a height of 0: the lowest string of a bass guitar is 12 below.
const MIDDLE: f32 = 16.0;

/// A row of bass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BassRow(pub [f32; N_BASS]);

impl Default for BassRow {
    fn default() -> Self {
        Self([0.0; N_BASS])
    }
}

impl BassRow {
    /// A note of pitch index `pitch`, `0 .. N_PITCHES`, that begins at a step; `velocity` in `(0, 1]`, `lateness` in steps. Of
    /// several notes the loudest gives velocity and lateness, the lowest the height. Does nothing after the row's end.
    pub fn begin(&mut self, step: usize, pitch: usize, velocity: f32, lateness: f32) {
        let Some(step) = self.0.chunks_exact_mut(BASS_STEP).nth(step) else {
            return;
        };
        let height = (pitch.min(N_PITCHES) as f32 - MIDDLE) / 24.0;
        if step[0] == 0.0 || height < step[3] {
            step[3] = height;
        }
        step[0] = 1.0;
        if velocity > step[1] {
            step[1] = velocity;
            step[4] = 2.0 * lateness;
        }
        step[2] = 1.0;
        step[5 + pitch % 12] = 1.0;
    }

    /// A note sounds at a step.
    pub fn hold(&mut self, step: usize) {
        if let Some(step) = self.0.chunks_exact_mut(BASS_STEP).nth(step) {
            step[2] = 1.0;
        }
    }

    /// Whether no note begins.
    pub fn is_empty(&self) -> bool {
        self.0.chunks_exact(BASS_STEP).all(|step| step[0] == 0.0)
    }

    /// The pitch classes that begin at a step, a bit for each.
    pub fn begun(&self, step: usize) -> u64 {
        let classes = &self.0[step * BASS_STEP + 5..][..12];
        let bits = classes.iter().map(|class| u64::from(*class > 0.0));
        bits.rev().fold(0, |bits, bit| 2 * bits + bit)
    }

    /// The share of the steps at which a note begins here or there that are not the same; 0 if none begins.
    pub fn unlike(&self, other: &Self) -> f32 {
        let begins = |row: &Self, step: usize| row.0[step * BASS_STEP] > 0.0;
        let (mut n, mut n_unlike) = (0.0, 0.0);
        for step in 0..NET_STEPS {
            let (here, there) = (begins(self, step), begins(other, step));
            n += f32::from(u8::from(here || there));
            n_unlike += f32::from(u8::from(here != there));
        }
        n_unlike / f32::max(n, 1.0)
    }

    fn seen(&self, step: usize) -> &[f32] {
        &self.0[step * BASS_STEP..][..BASS_SEEN]
    }
}

/// A row of drums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrumRow(pub [f32; N_OWN]);

impl Default for DrumRow {
    fn default() -> Self {
        Self([0.0; N_OWN])
    }
}

impl DrumRow {
    /// A hit of a voice at a step, with a velocity in `(0, 1]`; of two the louder counts. Does nothing after the row's end.
    pub fn hit(&mut self, step: usize, voice: usize, velocity: f32) {
        let Some(step) = self.0.chunks_exact_mut(OWN_STEP).nth(step) else {
            return;
        };
        step[voice] = 1.0;
        step[N_VOICES + voice] = step[N_VOICES + voice].max(velocity);
    }

    /// The row as it is remembered once its measure is over: of the kick only how loud it was, the mean at every step. Which
    /// foot pattern suits is heard from the bass anew in every measure; a drummer who remembered it would repeat its own first
    /// guess instead of listening. Which steps had a kick is known only where the kick [comes back](super::returns).
    #[must_use]
    pub fn remembered(&self) -> OwnRow {
        let mut row = *self;
        let kicked = (0..NET_STEPS).map(|step| u16::from(self.hits(step)[KICK] > 0.0) << step);
        let kicks = self.0.chunks_exact(OWN_STEP);
        let (n, sum) = kicks.fold((0.0, 0.0), |(n, sum), step| {
            (n + step[KICK], sum + step[N_VOICES + KICK])
        });
        let level = if n > 0.0 { sum / n } else { 0.0 };
        for step in row.0.chunks_exact_mut(OWN_STEP) {
            step[KICK] = 0.0;
            step[N_VOICES + KICK] = level;
        }
        OwnRow {
            row,
            kicks: kicked.sum(),
        }
    }

    /// The hits of a step, 0 or 1.
    pub fn hits(&self, step: usize) -> &[f32] {
        &self.0[step * OWN_STEP..][..N_VOICES]
    }

    /// The velocities of a step, 0 where there is no hit.
    pub fn velocities(&self, step: usize) -> &[f32] {
        &self.0[step * OWN_STEP + N_VOICES..][..N_VOICES]
    }

    /// Whether there is no hit.
    pub fn is_empty(&self) -> bool {
        (0..NET_STEPS).all(|step| self.hits(step).iter().all(|hit| *hit == 0.0))
    }

    fn step(&self, step: usize) -> &[f32] {
        &self.0[step * OWN_STEP..][..OWN_STEP]
    }
}

/// A row of own drums as it is [remembered](DrumRow::remembered).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OwnRow {
    /// What is seen of it.
    pub row: DrumRow,
    /// Its kicks, a bit for each step.
    kicks: u16,
}

impl OwnRow {
    /// Whether a voice hits at a step.
    pub fn hits(&self, step: usize, voice: usize) -> bool {
        if voice == KICK {
            (self.kicks >> step) & 1 == 1
        } else {
            self.row.hits(step)[voice] > 0.0
        }
    }
}

/// What is known or wanted of a measure before it is played.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Given {
    /// Its number, counted from the start of the song.
    pub measure: u64,
    /// Tempo in BPM.
    pub tempo_bpm: f32,
    /// Its length in steps.
    pub n_steps: usize,
    /// Whether its meter counts eighths and not quarters.
    pub counts_eighths: bool,
    /// The swing of its grid.
    pub swing: Swing,
    /// Whether it should be a fill; `None` leaves it to the drummer.
    pub fill: Option<bool>,
    /// How loud and busy it should be beside the song's mean, in octaves, −1.5 to 1.5; `None` leaves it to the drummer.
    pub energy: Option<f32>,
    /// How close to the grid and how evenly it is played.
    pub touch: Option<Touch>,
    /// Index of the family.
    pub family: Option<usize>,
    /// Whether the family is played by the book, so that everybody knows it, and not as freely as people do.
    pub is_by_the_book: bool,
    /// Index of the groove.
    pub groove: Option<usize>,
}

impl Given {
    /// As numbers, `N_GIVEN`.
    pub fn numbers(&self) -> [f32; N_GIVEN] {
        let flag = |is: bool| f32::from(u8::from(is));
        let mut numbers = [0.0; N_GIVEN];
        let of_eight = usize::try_from(self.measure % 8).unwrap_or_default();
        numbers[of_eight] = 1.0;
        numbers[8] = self.measure.min(16) as f32 / 16.0;
        numbers[9..9 + N_AROUND].copy_from_slice(&self.around());
        numbers[14] = self.fill.map_or(0.0, |is| 2.0 * flag(is) - 1.0);
        if let Some(energy) = self.energy {
            numbers[15..17].copy_from_slice(&[1.0, energy]);
        }
        if let Some(touch) = self.touch {
            numbers[17] = 1.0;
            numbers[18..18 + TOUCH].copy_from_slice(&touch);
        }
        if let Some(family) = self.family {
            numbers[N_PLAIN + family] = if self.is_by_the_book { 2.0 } else { 1.0 };
        }
        if let Some(groove) = self.groove {
            numbers[N_PLAIN + N_FAMILIES + groove] = 1.0;
        }
        numbers
    }

    /// Tempo in octaves from 120 BPM, length in measures of sixteen steps, whether eighths are counted, swing of eighths and
    /// of sixteenths.
    pub fn around(&self) -> [f32; N_AROUND] {
        [
            (self.tempo_bpm / 120.0).log2().clamp(-2.0, 2.0),
            self.n_steps as f32 / NET_STEPS as f32,
            f32::from(u8::from(self.counts_eighths)),
            self.swing.eighths(),
            self.swing.sixteenths(),
        ]
    }
}

/// Own drums of each of the [`LAGS`] as they are [remembered](DrumRow::remembered); `None` if they are not known.
pub type OwnBehind<'a> = [Option<&'a OwnRow>; LAGS.len()];

/// What the decoder sees at a step of a measure, of what is behind it.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'a> {
    /// The last four measures of bass, the newest first; `None` if not heard.
    pub bass: [Option<&'a BassRow>; BASS_MEASURES],
    /// Its own drums.
    pub own: OwnBehind<'a>,
    /// What the measure brings back of them; `None` if that is not decided.
    pub returns: Option<Returns>,
}

/// Writes what the decoder sees at `step` into the `N_BESIDE` numbers of `out`: the hits of the sixteen steps before, oldest
/// first; the velocities of the step before; the bass of four measures at the step; the own drums at the step, of the
/// lags that are seen, and whether they are known; what comes back, and of each voice 1 for a hit that does, −1 for a rest
/// that does and 0 for something new. `now` is the measure being played, of which only the steps before count.
pub fn beside(out: &mut [f32], step: usize, behind: &Behind<'_>, now: &DrumRow) {
    out.fill(0.0);
    let last = behind.own[0].map(|own| &own.row);
    let (taps, out) = out.split_at_mut(NET_STEPS * N_VOICES);
    for (tap, out) in taps.chunks_exact_mut(N_VOICES).enumerate() {
        let place = step + tap;
        if place >= NET_STEPS {
            out.copy_from_slice(now.hits(place - NET_STEPS));
        } else if let Some(last) = last {
            out.copy_from_slice(last.hits(place));
        }
    }
    let (before, out) = out.split_at_mut(N_VOICES);
    if step > 0 {
        before.copy_from_slice(now.velocities(step - 1));
    } else if let Some(last) = last {
        before.copy_from_slice(last.velocities(NET_STEPS - 1));
    }
    let (bass, out) = out.split_at_mut(BASS_MEASURES * BASS_SEEN);
    let (own, out) = out.split_at_mut(N_SEEN * (OWN_STEP + 1));
    for (row, out) in behind.bass.iter().zip(bass.chunks_exact_mut(BASS_SEEN)) {
        if let Some(row) = row {
            out.copy_from_slice(row.seen(step));
        }
    }
    for (own, out) in behind.own.iter().zip(own.chunks_exact_mut(OWN_STEP + 1)) {
        if let Some(own) = own {
            out[..OWN_STEP].copy_from_slice(own.row.step(step));
            out[OWN_STEP] = 1.0;
        }
    }
    let (returns, hits) = out.split_at_mut(N_RETURNS);
    if let Some(known) = behind.returns {
        returns.copy_from_slice(&known.told());
        for (out, hits) in hits.iter_mut().zip(known.hits(&behind.own, step)) {
            *out = hits.map_or(0.0, |hits| if hits { 1.0 } else { -1.0 });
        }
    }
}
