//! Plays the rendered voices: which hit starts when, which older one gives way, and the mix.
//!
//! On the audio thread, [`Kit::new`] excepted; never allocates, locks, waits or logs there.

#![deny(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use arrayvec::ArrayVec;
use lockstep_models::representation::{N_VOICES, Voice};

use super::voices::{self, OneShot};

/// No hit sounds longer, in seconds: the crash's length.
pub const LONGEST_TAIL_S: f32 = voices::LONGEST_S;

/// Most hits that wait for [`Kit::render`]; those beyond it are not heard.
///
/// All nine voices on each of 28 steps: more than a block of 8192 frames holds at any playable tempo.
pub const MAX_PENDING_HITS: usize = 256;

/// Hits of one voice that ring on together; the one before them fades.
const MAX_RINGING: usize = 2;

/// Sounding hits of one voice: those that ring and those that fade away under them.
const N_PLAYERS: usize = 8;

/// How long a hit takes to give way to a newer one, in seconds: too long to click, too short to be heard.
const STEAL_FADE_S: f32 = 0.005;

/// How long the open hat takes to close, in seconds.
const CHOKE_FADE_S: f32 = 0.012;

/// Where the soft limiter begins to bend; the kit's usual grooves lie below it.
const KNEE: f32 = 0.8;

/// The built-in kit.
#[derive(Debug)]
pub struct Kit {
    sounds: [Sound; N_VOICES],
    /// Hits not yet begun, by frame; those of one frame in the order they came.
    pending: ArrayVec<Pending, MAX_PENDING_HITS>,
    steal_frames: u32,
    choke_frames: u32,
}

/// One voice and its hits.
#[derive(Debug)]
struct Sound {
    one_shot: OneShot,
    players: [Player; N_PLAYERS],
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    /// Frames from the start of the next block.
    frame: usize,
    voice: Voice,
    /// In `(0, 1]`.
    velocity: f32,
}

/// A hit that sounds, or an empty place for one.
#[derive(Clone, Copy, Debug, Default)]
struct Player {
    state: State,
    /// Frames played.
    position: usize,
    /// Level of the body.
    body: f32,
    /// Level of what only hard hits have.
    bright: f32,
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

impl Kit {
    /// Renders all voices for a sample rate, which is brought into 8 to 384 kHz.
    ///
    /// # Realtime safety
    /// Allocates, and computes for a tenth of a second at 48 kHz; not for the audio thread.
    pub fn new(sample_rate_hz: f32) -> Self {
        let rate_hz = voices::sane_rate_hz(sample_rate_hz);
        Self {
            sounds: Voice::ALL.map(|voice| Sound {
                one_shot: voices::render(voice, rate_hz),
                players: [Player::default(); N_PLAYERS],
            }),
            pending: ArrayVec::new(),
            steal_frames: voices::n_frames_u32(STEAL_FADE_S, rate_hz),
            choke_frames: voices::n_frames_u32(CHOKE_FADE_S, rate_hz),
        }
    }

    /// Notes a hit, `frame_in_block` frames after the start of what [`Self::render`] gives next.
    ///
    /// Hits may come in any order, also for later blocks. A velocity above 1 is 1, one below 0.001 is that; at 0, below and NaN there is no hit.
    ///
    /// # Realtime safety
    /// Safe.
    pub fn hit(&mut self, frame_in_block: usize, voice: Voice, velocity: f32) {
        if velocity > 0.0 {
            let place = self
                .pending
                .partition_point(|pending| pending.frame <= frame_in_block);
            // Full: the hit is dropped.
            let _ = self.pending.try_insert(
                place,
                Pending {
                    frame: frame_in_block,
                    voice,
                    // Softer than MIDI can say, and what keeps denormals out.
                    velocity: velocity.clamp(0.001, 1.0),
                },
            );
        }
    }

    /// Overwrites both sides with what the kit sounds like next; of sides unlike in length the shorter counts.
    ///
    /// Samples lie in `(-1, 1)` and do not depend on how a stretch is split into blocks.
    ///
    /// # Realtime safety
    /// Safe.
    pub fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        let n_frames = left.len().min(right.len());
        left.fill(0.0);
        right.fill(0.0);
        let mut begin = 0;
        while begin < n_frames {
            while self.pending.first().is_some_and(|hit| hit.frame <= begin) {
                if let Some(hit) = self.pending.pop_at(0) {
                    self.start(hit);
                }
            }
            let next = self.pending.first().map_or(n_frames, |hit| hit.frame);
            let end = next.min(n_frames);
            if let (Some(left), Some(right)) = (left.get_mut(begin..end), right.get_mut(begin..end))
            {
                for sound in &mut self.sounds {
                    sound.mix(left, right);
                }
            }
            begin = end;
        }
        for hit in &mut self.pending {
            hit.frame = hit.frame.saturating_sub(n_frames);
        }
        for sample in left.iter_mut().chain(right) {
            *sample = limit(*sample);
        }
    }

    /// Silences everything at once and forgets the hits that wait.
    ///
    /// # Realtime safety
    /// Safe.
    pub fn reset(&mut self) {
        self.pending.clear();
        for sound in &mut self.sounds {
            sound.players = [Player::default(); N_PLAYERS];
        }
    }

    /// Whether nothing sounds and no hit waits.
    ///
    /// # Realtime safety
    /// Safe.
    pub fn is_silent(&self) -> bool {
        let mut players = self.sounds.iter().flat_map(|sound| &sound.players);
        self.pending.is_empty() && players.all(|player| player.state == State::Free)
    }

    fn start(&mut self, hit: Pending) {
        if hit.voice == Voice::ClosedHat
            && let Some(open) = self.sounds.get_mut(Voice::OpenHat.index())
        {
            for player in &mut open.players {
                player.fade(self.choke_frames);
            }
        }
        if let Some(sound) = self.sounds.get_mut(hit.voice.index()) {
            sound.start(hit.velocity, self.steal_frames);
        }
    }
}

impl Sound {
    fn start(&mut self, velocity: f32, steal_frames: u32) {
        let n_ringing = self
            .players
            .iter()
            .filter(|player| player.state == State::Ringing)
            .count();
        if n_ringing >= MAX_RINGING
            && let Some(oldest) = self
                .players
                .iter_mut()
                .filter(|player| player.state == State::Ringing)
                .max_by_key(|player| player.position)
        {
            oldest.fade(steal_frames);
        }
        // A free place, or that of the hit nearest to its end; at most MAX_RINGING places ring, so one of them exists.
        if let Some(player) = self
            .players
            .iter_mut()
            .min_by_key(|player| match player.state {
                State::Free => 0,
                State::Fading { left, .. } => left,
                State::Ringing => u32::MAX,
            })
        {
            *player = Player {
                state: State::Ringing,
                position: 0,
                // Twice the velocity is 9 dB more, and the sound opens besides.
                body: velocity * velocity.sqrt(),
                bright: velocity * velocity * velocity.sqrt(),
            };
        }
    }

    /// Adds what its hits sound like next.
    fn mix(&mut self, left: &mut [f32], right: &mut [f32]) {
        let [left_gain, right_gain] = self.one_shot.gains;
        for player in &mut self.players {
            if player.state == State::Free {
                continue;
            }
            let rest = self
                .one_shot
                .frames
                .get(player.position..)
                .unwrap_or_default();
            for (&[body, bright], (left, right)) in
                rest.iter().zip(left.iter_mut().zip(right.iter_mut()))
            {
                let Some(fade) = player.next_fade() else {
                    break;
                };
                let sample = fade * (player.body * body + player.bright * bright);
                *left += left_gain * sample;
                *right += right_gain * sample;
                player.position += 1;
            }
            if player.position >= self.one_shot.frames.len() {
                player.state = State::Free;
            }
        }
    }
}

impl Player {
    /// Begins to fade, unless it already does so faster.
    fn fade(&mut self, total: u32) {
        match self.state {
            State::Ringing => self.state = State::Fading { left: total, total },
            State::Free | State::Fading { .. } => {}
        }
    }

    /// Level of the next frame, or `None` where the fade is over.
    fn next_fade(&mut self) -> Option<f32> {
        match &mut self.state {
            State::Free => None,
            State::Ringing => Some(1.0),
            State::Fading { left: 0, .. } => {
                self.state = State::Free;
                None
            }
            State::Fading { left, total } => {
                let level = *left as f32 / *total as f32;
                *left -= 1;
                Some(level)
            }
        }
    }
}

/// Bends what exceeds the knee smoothly towards 1, and leaves the rest as it is.
fn limit(sample: f32) -> f32 {
    // The last value keeps tanh's rounding to 1 out.
    const CEILING: f32 = 0.999;
    let over = sample.abs() - KNEE;
    if over > 0.0 {
        let room = CEILING - KNEE;
        (KNEE + room * (over / room).tanh()).copysign(sample)
    } else {
        sample
    }
}
