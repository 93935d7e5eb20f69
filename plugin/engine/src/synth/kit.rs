//! The kit that is played: starts hits, fades older ones, and mixes.
//!
//! On the audio thread, except for the constructors and [`Kit::wait`]; never allocates, locks, waits or logs there. A hit whose
//! sound has not been made yet is silent, and fades in once it has ([`LateHit`]).

use std::sync::Arc;

use arrayvec::ArrayVec;
use lockstep_core::representation::{N_GROUPS, N_VOICES, Voice};

use super::bank::Bank;
use super::drum::Drum;
use super::glide::Glide;
use super::late_hit::LateHit;
use super::settings::{KitChoice, KitSettings};
use super::sound_maker::{MakerRegistration, complete_in_background};
use super::strokes::stroke;
use super::voices;

/// Longest that a hit sounds at its own pitch, in seconds: the length of the acoustic crash.
pub const LONGEST_TAIL_S: f32 = 3.5;

/// Most hits that can wait for [`Kit::render`]; any more are dropped.
///
/// Every voice on each of 28 steps: more than a block of 8192 frames holds at any playable tempo.
pub const MAX_PENDING_HITS: usize = 28 * N_VOICES;

/// Fade of a hit that gives way to a newer one, in seconds: long enough not to click, too short to be heard.
const STEAL_FADE_S: f32 = 0.005;

/// The same for voices that ring: there the end of an older hit would be heard.
const RINGING_STEAL_FADE_S: f32 = 0.04;

/// Fade of the open hat when a closed one or the foot chokes it, in seconds.
const CHOKE_FADE_S: f32 = 0.012;

/// Fade of everything when the kit is turned off, in seconds.
const OFF_FADE_S: f32 = 0.008;

/// Time constant of level and pan changes, in seconds.
const GLIDE_S: f32 = 0.005;

/// Level above which the soft limiter acts; usual grooves stay below it.
const KNEE: f32 = 0.8;

/// Most frames rendered at once.
pub(super) const CHUNK: usize = 64;

/// The built-in kit.
///
/// ```
/// use lockstep_core::representation::Voice;
/// use lockstep_engine::synth::{Kit, KitSettings};
///
/// let mut kit = Kit::new(48_000.0);
/// kit.set(&KitSettings::default());
/// kit.hit(0, Voice::Snare, 0.8);
/// let (mut left, mut right) = ([0.0; 512], [0.0; 512]);
/// kit.render(&mut left, &mut right);
/// assert!(left.iter().any(|sample| sample.abs() > 0.01));
/// ```
#[derive(Debug)]
pub struct Kit {
    /// May be freed by the thread that drops the kit, which is never the audio thread.
    bank: Arc<Bank>,
    /// Has the bank completed in the background. Declared after the bank, so that the bank is dropped first and no more sounds
    /// are made for it.
    maker: Option<MakerRegistration>,
    rate_hz: f32,
    settings: KitSettings,
    drums: [Drum; N_VOICES],
    /// Hits not yet begun, by frame; those of one frame in the order they came.
    pending: ArrayVec<PendingHit, MAX_PENDING_HITS>,
    gain: Glide,
    /// Share of the distance to its target that a [`Glide`] covers per frame.
    glide_step: f32,
    /// Whether nothing has been rendered since the start; then settings apply at once.
    is_fresh: bool,
    chunk: Box<Chunk>,
}

/// The frames rendered at once.
#[derive(Debug)]
struct Chunk {
    groups: [[[f32; 2]; CHUNK]; N_GROUPS],
    gains: [f32; CHUNK],
}

#[derive(Clone, Copy, Debug)]
struct PendingHit {
    /// Frames after the start of the next rendering.
    frame: usize,
    voice: Voice,
    /// In `(0, 1]`.
    velocity: f32,
}

impl Kit {
    /// Makes all kits ready for a sample rate, clamped to 8 to 384 kHz; returns when every sound has been made.
    ///
    /// # Realtime safety
    /// Allocates and computes, for 0.1 s at 44.1 kHz and up to 0.8 s at 384 kHz, unless another kit of the process already
    /// plays at this rate; not for the audio thread. Neither is dropping it.
    pub fn new(sample_rate_hz: f32) -> Self {
        let kit = Self::empty(sample_rate_hz);
        kit.wait();
        kit
    }

    /// Like [`Self::new`], but returns at once: a background thread makes the sounds, those of the kit `first` before the
    /// others. A hit that comes before its sound fades in once the sound has been made.
    ///
    /// # Realtime safety
    /// Allocates and starts a thread; not for the audio thread. Neither is dropping it, which may wait a few milliseconds for
    /// the thread.
    pub fn new_in_background(sample_rate_hz: f32, first: KitChoice) -> Self {
        let mut kit = Self::empty(sample_rate_hz);
        kit.maker = complete_in_background(&kit.bank, first).ok();
        if kit.maker.is_none() {
            kit.wait();
        }
        kit
    }

    /// Returns when all sounds have been made; helps to make them.
    ///
    /// # Realtime safety
    /// Safe if they have been made, else like [`Self::new`]: for an offline render, not for a live audio thread.
    pub fn wait(&self) {
        self.bank.complete();
    }

    /// Whether all sounds have been made.
    ///
    /// # Realtime safety
    /// Safe.
    pub fn is_complete(&self) -> bool {
        self.bank.is_complete()
    }

    /// All kits, with only the sounds that have already been made.
    #[expect(clippy::disallowed_methods, reason = "not on the audio thread")]
    pub(super) fn empty(sample_rate_hz: f32) -> Self {
        let rate_hz = voices::sane_rate_hz(sample_rate_hz);
        let settings = KitSettings::default();
        Self {
            bank: Bank::of_process(rate_hz),
            maker: None,
            rate_hz,
            settings,
            drums: Voice::ALL.map(Drum::new),
            pending: ArrayVec::new(),
            gain: Glide::at(settings.gain),
            glide_step: 1.0 - (-1.0 / (GLIDE_S * rate_hz)).exp(),
            is_fresh: true,
            chunk: Box::new(Chunk {
                groups: [[[0.0; 2]; CHUNK]; N_GROUPS],
                gains: [0.0; CHUNK],
            }),
        }
    }

    /// Sets the kit for the next rendering.
    ///
    /// A newly chosen kit plays the hits that begin from now on, and sounding hits ring out; with [`KitChoice::Off`] they fade
    /// in a few milliseconds. Levels and pans glide, so that a change does not click; tune and decay apply to new hits.
    ///
    /// # Realtime safety
    /// Safe.
    pub fn set(&mut self, settings: &KitSettings) {
        if *settings == self.settings {
            return;
        }
        if settings.choice == KitChoice::Off && self.settings.choice != KitChoice::Off {
            let total = self.n_frames(OFF_FADE_S);
            for drum in &mut self.drums {
                drum.fade(total);
            }
        }
        self.settings = *settings;
        self.gain.target = settings.gain;
        for (drum, voice) in self.drums.iter_mut().zip(&settings.voices) {
            for (side, gain) in drum.sides.iter_mut().zip(voice.gains()) {
                side.target = gain;
            }
        }
        if self.is_fresh {
            self.finish_glides();
        }
    }

    /// Queues a hit, `frame_in_block` frames after the start of the next [`Self::render`].
    ///
    /// Hits may come in any order, and for later blocks too. Velocities are clamped to 0.001 to 1; at 0, below 0 and NaN there
    /// is no hit.
    ///
    /// # Realtime safety
    /// Safe.
    pub fn hit(&mut self, frame_in_block: usize, voice: Voice, velocity: f32) {
        if velocity > 0.0 {
            let place = self
                .pending
                .partition_point(|pending| pending.frame <= frame_in_block);
            // If full, the hit is dropped.
            let _ = self.pending.try_insert(
                place,
                PendingHit {
                    frame: frame_in_block,
                    voice,
                    // The minimum is softer than any MIDI velocity, and keeps denormals out.
                    velocity: velocity.clamp(0.001, 1.0),
                },
            );
        }
    }

    /// Overwrites both sides with the next frames of the kit; if their lengths differ, the rest of the longer one is silent.
    ///
    /// Samples lie in `(-1, 1)` and do not depend on the block size.
    ///
    /// # Realtime safety
    /// Safe.
    pub fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        let mut left = left.iter_mut();
        let mut right = right.iter_mut();
        loop {
            let n = self.advance(left.len().min(right.len()));
            if n == 0 {
                break;
            }
            for at in 0..n {
                let mut sum = [0.0; 2];
                for group in &self.chunk.groups {
                    if let Some([a, b]) = group.get(at) {
                        sum = [sum[0] + a, sum[1] + b];
                    }
                }
                let gain = self.chunk.gains.get(at).copied().unwrap_or_default();
                if let (Some(left), Some(right)) = (left.next(), right.next()) {
                    [*left, *right] = sum.map(|sample| gain * limit(sample));
                }
            }
        }
        left.chain(right).for_each(|sample| *sample = 0.0);
    }

    /// Like [`Self::render`], with each voice group on a stereo output of its own, in the order of their index.
    ///
    /// # Realtime safety
    /// Safe.
    pub fn render_groups(&mut self, outputs: &mut [[&mut [f32]; 2]; N_GROUPS]) {
        let lengths = outputs.iter().flatten().map(|side| side.len());
        let n_frames = lengths.min().unwrap_or(0);
        let mut begin = 0;
        loop {
            let n = self.advance(n_frames - begin);
            if n == 0 {
                break;
            }
            for (group, sides) in self.chunk.groups.iter().zip(outputs.iter_mut()) {
                for (place, side) in sides.iter_mut().enumerate() {
                    let frames = group.iter().zip(&self.chunk.gains);
                    let out = side.iter_mut().skip(begin).take(n);
                    for (sample, (frame, gain)) in out.zip(frames) {
                        *sample = gain * limit(frame.get(place).copied().unwrap_or_default());
                    }
                }
            }
            begin += n;
        }
    }

    /// Silences everything at once and forgets queued and earlier hits.
    ///
    /// # Realtime safety
    /// Safe.
    pub fn reset(&mut self) {
        self.pending.clear();
        for drum in &mut self.drums {
            drum.reset();
        }
        self.is_fresh = true;
        self.finish_glides();
    }

    /// Whether nothing sounds and no hit waits.
    ///
    /// # Realtime safety
    /// Safe.
    pub fn is_silent(&self) -> bool {
        self.pending.is_empty() && self.drums.iter().all(Drum::is_silent)
    }

    /// Renders the next frames of all groups, at most `n_left`. Returns how many.
    fn advance(&mut self, n_left: usize) -> usize {
        if n_left == 0 {
            return 0;
        }
        self.is_fresh = false;
        while self.pending.first().is_some_and(|hit| hit.frame == 0) {
            if let Some(hit) = self.pending.pop_at(0) {
                self.start(hit);
            }
        }
        let next = self.pending.first().map_or(CHUNK, |hit| hit.frame);
        let n = n_left.min(CHUNK).min(next);
        for hit in &mut self.pending {
            hit.frame -= n;
        }
        let Chunk { groups, gains } = &mut *self.chunk;
        for group in &mut *groups {
            group.fill([0.0; 2]);
        }
        for drum in &mut self.drums {
            let group = groups.get_mut(drum.voice.group().index());
            if let Some(out) = group.and_then(|group| group.get_mut(..n)) {
                drum.catch_up(&self.bank, n);
                drum.mix(&self.bank, self.glide_step, out);
            }
        }
        if self.gain.is_at_target() {
            gains.fill(self.gain.now);
        } else {
            for gain in gains.iter_mut().take(n) {
                *gain = self.gain.next(self.glide_step);
            }
        }
        n
    }

    fn start(&mut self, hit: PendingHit) {
        if matches!(hit.voice, Voice::ClosedHat | Voice::PedalHat) {
            let total = self.n_frames(CHOKE_FADE_S);
            if let Some(open) = self.drums.get_mut(Voice::OpenHat.index()) {
                open.fade(total);
            }
        }
        let steal_frames = self.n_frames(match hit.voice {
            Voice::OpenHat | Voice::Crash | Voice::Ride => RINGING_STEAL_FADE_S,
            _ => STEAL_FADE_S,
        });
        let place = hit.voice.index();
        let (Some(drum), Some(settings)) =
            (self.drums.get_mut(place), self.settings.voices.get(place))
        else {
            return;
        };
        let stroke = stroke(self.settings.choice, hit.voice, hit.velocity, drum.n_hits);
        drum.n_hits = drum.n_hits.wrapping_add(1);
        if let Some(stroke) = stroke {
            let (tune, decay) = (settings.tune_semitones, settings.decay);
            let hit = LateHit::new(stroke, tune, decay, self.rate_hz, steal_frames);
            drum.hit(&self.bank, hit);
        }
    }

    /// Moves every glide to its target at once.
    fn finish_glides(&mut self) {
        self.gain.now = self.gain.target;
        for side in self.drums.iter_mut().flat_map(|drum| &mut drum.sides) {
            side.now = side.target;
        }
    }

    fn n_frames(&self, time_s: f32) -> u32 {
        voices::n_frames_u32(time_s, self.rate_hz)
    }
}

/// Bends samples above the knee smoothly towards 1; leaves the others unchanged.
fn limit(sample: f32) -> f32 {
    // Below 1, because `tanh` may round to 1.
    const CEILING: f32 = 0.999;
    let over = sample.abs() - KNEE;
    if over > 0.0 {
        let room = CEILING - KNEE;
        (KNEE + room * (over / room).tanh()).copysign(sample)
    } else {
        sample
    }
}
