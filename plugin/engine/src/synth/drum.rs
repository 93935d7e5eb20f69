//! One voice of the kit: its sounding hits, and which of them fades when a new one begins.
//!
//! On the audio thread; never allocates, locks, waits or logs.

use lockstep_core::representation::Voice;

use super::bank::Bank;
use super::glide::Glide;
use super::kit::CHUNK;
use super::late_hit::LateHit;
use super::sounding_hit::SoundingHit;

/// Most sounding hits of one voice, ringing and fading ones together.
const MAX_SOUNDING: usize = 8;

/// One voice and its hits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drum {
    pub(super) voice: Voice,
    sounding: [SoundingHit; MAX_SOUNDING],
    /// The last hit whose sound has not been made yet.
    late: Option<LateHit>,
    /// Hits since the start.
    pub(super) n_hits: u32,
    /// Gains of left and right.
    pub(super) sides: [Glide; 2],
}

/// Most hits of one voice that ring at once; with one more, the quietest fades.
fn max_ringing(voice: Voice) -> usize {
    match voice {
        Voice::Crash | Voice::Ride => 3,
        _ => 2,
    }
}

impl Drum {
    /// A voice at rest.
    pub(super) fn new(voice: Voice) -> Self {
        Self {
            voice,
            sounding: [SoundingHit::default(); MAX_SOUNDING],
            late: None,
            n_hits: 0,
            sides: [Glide::at(1.0); 2],
        }
    }

    /// Silences it at once and forgets its hits.
    pub(super) fn reset(&mut self) {
        self.sounding = [SoundingHit::default(); MAX_SOUNDING];
        self.late = None;
        self.n_hits = 0;
    }

    /// Begins a hit, or keeps it for later if its sound has not been made yet.
    pub(super) fn hit(&mut self, bank: &Bank, hit: LateHit) {
        match bank.sound(hit.sound()) {
            Some(sound) => self.start(hit.on_time(sound.len()), hit.steal_frames()),
            None => self.late = Some(hit),
        }
    }

    /// Fades out everything over `total` frames.
    pub(super) fn fade(&mut self, total: u32) {
        self.late = None;
        for sounding_hit in &mut self.sounding {
            sounding_hit.fade(total);
        }
    }

    /// Whether nothing sounds and no hit waits for its sound.
    pub(super) fn is_silent(&self) -> bool {
        self.late.is_none()
            && self
                .sounding
                .iter()
                .all(|sounding_hit| sounding_hit.sound().is_none())
    }

    /// Begins the late hit if its sound has been made, part of the way in; otherwise it waits for another `n` frames.
    pub(super) fn catch_up(&mut self, bank: &Bank, n: usize) {
        if let Some(hit) = &mut self.late {
            let Some(sound) = bank.sound(hit.sound()) else {
                hit.miss(n);
                return;
            };
            let (sounding_hit, steal_frames) = (hit.now(sound.len()), hit.steal_frames());
            self.late = None;
            self.start(sounding_hit, steal_frames);
        }
    }

    fn start(&mut self, sounding_hit: SoundingHit, steal_frames: u32) {
        let ringing = self
            .sounding
            .iter()
            .filter(|sounding_hit| sounding_hit.is_ringing());
        if ringing.count() >= max_ringing(self.voice)
            && let Some(quietest) = quietest(self.sounding.iter_mut().filter(|p| p.is_ringing()))
        {
            quietest.fade(steal_frames);
        }
        // A free player, which is silent, or the quietest fading one; there are more players than ringing hits.
        if let Some(place) = quietest(self.sounding.iter_mut().filter(|p| !p.is_ringing())) {
            *place = sounding_hit;
        }
    }

    /// Adds the next frames of its hits to `out`.
    pub(super) fn mix(&mut self, bank: &Bank, glide_step: f32, out: &mut [[f32; 2]]) {
        let is_at_target = self.sides.iter().all(|side| side.is_at_target());
        // The usual case: most drums are silent most of the time, and no knob is being turned.
        if is_at_target
            && self
                .sounding
                .iter()
                .all(|sounding_hit| sounding_hit.sound().is_none())
        {
            return;
        }
        let mut sound = [[0.0; 2]; CHUNK];
        if let Some(sound) = sound.get_mut(..out.len()) {
            for sounding_hit in &mut self.sounding {
                // The sound was there when the hit began, so it still is.
                if let Some(frames) = sounding_hit.sound().and_then(|at| bank.sound(at)) {
                    sounding_hit.mix(frames, sound);
                }
            }
        }
        if is_at_target {
            let [left, right] = &self.sides;
            for ([a, b], [from_a, from_b]) in out.iter_mut().zip(sound) {
                *a += left.now * from_a;
                *b += right.now * from_b;
            }
            return;
        }
        for (out, frame) in out.iter_mut().zip(sound) {
            for ((out, sample), side) in out.iter_mut().zip(frame).zip(&mut self.sides) {
                *out += side.next(glide_step) * sample;
            }
        }
    }
}

fn quietest<'a>(
    sounding: impl Iterator<Item = &'a mut SoundingHit>,
) -> Option<&'a mut SoundingHit> {
    sounding.min_by(|a, b| a.level().total_cmp(&b.level()))
}
