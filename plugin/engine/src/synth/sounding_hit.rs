//! One sounding hit: reads its sound at its pitch, filters it and lets it decay.
//!
//! On the audio thread; never allocates, locks, waits or logs. Its output does not depend on the block size.

use super::bank::SoundIdx;
use super::strokes::Stroke;

/// Added to the filter's input, so that its state never becomes denormal; 360 dB below full scale.
const NO_DENORMALS: f32 = 1e-18;

/// Level at which a shortened hit ends, as a share of its own: 100 dB down.
const OVER: f32 = 1e-5;

/// How long a shortened hit keeps its level before it falls, in seconds.
const ATTACK_S: f32 = 0.015;

/// Factor per frame by which the level estimate of a hit falls while nothing louder comes.
const LEVEL_FALL: f32 = 0.999;

/// A sounding hit, or a free slot for one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SoundingHit {
    state: State,
    sound: SoundIdx,
    /// The frame of the padded sound before the read position, and how far after it that lies, in `[0, 1)`.
    position: usize,
    fraction: f32,
    /// Frames of the sound per output frame.
    step: usize,
    step_fraction: f32,
    /// For left and right, the gains of both channels.
    mix: [[f32; 2]; 2],
    /// Coefficient of the low-pass, in `(0, 1]`; 1 lets everything through.
    openness: f32,
    low: [f32; 2],
    /// The attack so far, and what a frame adds to it.
    rise: f32,
    rise_step: f32,
    /// Remaining level of a shortened hit, above 1 before it begins to fall, and its factor per frame.
    rest: f32,
    rest_step: f32,
    /// Estimate of its current level.
    level: f32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    Free,
    Ringing,
    Fading {
        /// Frames until it is gone, at most `total`.
        left: u32,
        total: u32,
    },
}

impl SoundingHit {
    /// Begins a stroke on a sound of `n_frames` frames, tuned further by `tune_semitones` and shortened to `decay` of its
    /// length, in `(0, 1]`.
    pub(super) fn new(
        stroke: &Stroke,
        tune_semitones: f32,
        decay: f32,
        n_frames: usize,
        rate_hz: f32,
    ) -> Self {
        let ratio = ((stroke.tune_semitones + tune_semitones) / 12.0).exp2();
        let ratio = ratio.clamp(0.25, 3.99);
        let step = [1.0, 2.0, 3.0]
            .iter()
            .filter(|whole| ratio >= **whole)
            .count();
        // An extra decay after the attack: if the sound itself falls by 60 dB (a thousandth) over its length, the hit does so
        // over `decay` of that length.
        let own_frames = n_frames.max(1) as f32 / ratio;
        let decay = decay.clamp(0.01, 1.0);
        let fall = 1_000_f32.ln() * (1.0 / decay - 1.0) / own_frames;
        let openness = 1.0 - (-std::f32::consts::TAU * stroke.cutoff_hz / rate_hz).exp();
        let rise_step = 1.0 / (stroke.rise_s * rate_hz).max(1.0);
        let [[a, b], [c, d]] = stroke.mix;
        Self {
            state: State::Ringing,
            sound: stroke.sound,
            position: 0,
            fraction: 0.0,
            step,
            step_fraction: ratio - step as f32,
            mix: stroke.mix,
            openness,
            low: [0.0; 2],
            rise: rise_step,
            rise_step,
            rest: (fall * ATTACK_S * rate_hz).min(60.0).exp(),
            rest_step: (-fall).exp(),
            level: (a + b).max(c + d),
        }
    }

    /// The same hit `n_frames` later, rising from silence.
    pub(super) fn joined_after(self, n_frames: usize, rise_frames: f32) -> Self {
        let n = n_frames as f64;
        let place = n * (self.step as f64 + f64::from(self.step_fraction));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float-to-int cast saturates, and past the end of its sound a hit is over"
        )]
        let (position, fraction) = (place as usize, place.fract() as f32);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most e to the power of 60"
        )]
        let rest = (f64::from(self.rest) * f64::from(self.rest_step).powf(n)) as f32;
        Self {
            position,
            // It may have been rounded to 1.
            fraction: fraction.min(1.0 - f32::EPSILON),
            rise: 0.0,
            rise_step: self.rise_step.min(1.0 / rise_frames.max(1.0)),
            rest,
            ..self
        }
    }

    /// Which sound it plays; `None` if free.
    pub(super) fn sound(&self) -> Option<SoundIdx> {
        (self.state != State::Free).then_some(self.sound)
    }

    /// Whether it rings and has not been told to fade.
    pub(super) fn is_ringing(&self) -> bool {
        self.state == State::Ringing
    }

    /// Estimate of its current level; 0 if free.
    pub(super) fn level(&self) -> f32 {
        if self.state == State::Free {
            0.0
        } else {
            self.level
        }
    }

    /// Begins to fade over `total` frames, unless it is already fading.
    pub(super) fn fade(&mut self, total: u32) {
        if self.state == State::Ringing {
            self.state = State::Fading { left: total, total };
        }
    }

    /// Adds its next frames to `out`, read from its padded sound.
    pub(super) fn mix(&mut self, sound: &[[f32; 2]], out: &mut [[f32; 2]]) {
        for frame in out {
            let window = sound
                .get(self.position..)
                .and_then(|rest| rest.first_chunk());
            let (Some(window), Some(fade)) = (window, self.next_fade()) else {
                self.state = State::Free;
                return;
            };
            let heard = interpolate(window, self.fraction);
            for (low, heard) in self.low.iter_mut().zip(heard) {
                *low += self.openness * (heard + NO_DENORMALS - *low);
            }
            let gain = fade * self.rise.min(1.0) * self.rest.min(1.0);
            let [a, b] = self.low;
            let mut loudest = self.level * LEVEL_FALL;
            for (out, [of_a, of_b]) in frame.iter_mut().zip(self.mix) {
                let sample = gain * (of_a * a + of_b * b);
                *out += sample;
                loudest = loudest.max(sample.abs());
            }
            self.level = loudest;
            self.rise += self.rise_step;
            self.rest *= self.rest_step;
            if self.rest < OVER {
                self.state = State::Free;
                return;
            }
            self.position += self.step;
            self.fraction += self.step_fraction;
            if self.fraction >= 1.0 {
                self.fraction -= 1.0;
                self.position += 1;
            }
        }
    }

    /// Level of the next frame, or `None` if the fade is over.
    fn next_fade(&mut self) -> Option<f32> {
        match &mut self.state {
            State::Free | State::Fading { left: 0, .. } => None,
            State::Ringing => Some(1.0),
            State::Fading { left, total } => {
                let level = *left as f32 / *total as f32;
                *left -= 1;
                Some(level)
            }
        }
    }
}

/// Interpolates between the second and the third of four frames with a cubic (Catmull and Rom, 1974).
fn interpolate(window: &[[f32; 2]; 4], fraction: f32) -> [f32; 2] {
    let [before, from, to, behind] = *window;
    let cubic = |before: f32, from: f32, to: f32, behind: f32| {
        let slope = 0.5 * (to - before);
        let bend = before - 2.5 * from + 2.0 * to - 0.5 * behind;
        let twist = 0.5 * (behind - before) + 1.5 * (from - to);
        ((twist * fraction + bend) * fraction + slope) * fraction + from
    };
    let [before_a, before_b] = before;
    let [from_a, from_b] = from;
    let [to_a, to_b] = to;
    let [behind_a, behind_b] = behind;
    [
        cubic(before_a, from_a, to_a, behind_a),
        cubic(before_b, from_b, to_b, behind_b),
    ]
}
